package care

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/alert"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/trajectory"
)

// examined is an assessment among what the client answered before.
type examined struct {
	Assessment
	person uuid.UUID // the client who stands for its client
	before *Point
	point  *trajectory.Point // of its trajectory; nil: it does not stand
	rises  bool              // more is better
	doses  int               // dosing sessions that had begun
}

// form is what the rules of alerts ask of an assessment.
func (e examined) form() alert.Form {
	f := alert.Form{Instrument: e.Instrument, ItemsKnown: e.Answers != nil, Items: map[string]alert.Item{}, Doses: e.doses}
	for id, value := range e.Answers {
		f.Items[id] = alert.Item{Value: value}
	}
	for _, id := range e.Declined {
		f.Items[id] = alert.Item{Declined: true}
	}
	if e.Score.Severity != nil {
		f.Severity = *e.Score.Severity
	}
	if e.point == nil {
		return f
	}
	f.Deteriorated = e.point.Reliable != nil && *e.point.Reliable == trajectory.Deteriorated
	if change := e.point.PercentChange; change != nil {
		f.Improvement = new(-*change)
		if e.rises {
			f.Improvement = change
		}
	}
	return f
}

// formBefore is what the rules ask of the form before: its answer to the item
// that is flagged. No flag means that the answer was 0.
func formBefore(p *Point) *alert.Form {
	if p == nil {
		return nil
	}
	f := &alert.Form{Instrument: p.Instrument, ItemsKnown: true, Items: map[string]alert.Item{}}
	const item9 = "phq9_9"
	f.Items[item9] = alert.Item{Value: new(0)}
	for _, flag := range p.Flags {
		if flag.Item != item9 {
			continue
		}
		f.Items[item9] = alert.Item{Value: flag.Level, Declined: flag.Reason == "declined"}
		f.ItemsKnown = flag.Reason != "unknown"
	}
	return f
}

// examine finds each assessment among the points of its person's trajectory.
func (s *Service) examine(fresh []Assessment, points []Point, sessions []Session, set Settings) []examined {
	at := make(map[uuid.UUID]int, len(points))
	for i, p := range points {
		at[p.ID] = i
	}
	type line struct {
		person     uuid.UUID
		instrument string
	}
	lines := map[line][]Point{}
	for _, p := range points {
		of := line{p.ClientID, p.Instrument}
		lines[of] = append(lines[of], p)
	}
	held := map[uuid.UUID][]Session{}
	for _, ses := range sessions {
		held[ses.ClientID] = append(held[ses.ClientID], ses)
	}
	computed := map[line]map[uuid.UUID]trajectory.Point{}
	out := make([]examined, len(fresh))
	for i, a := range fresh {
		out[i] = examined{Assessment: a, person: a.ClientID}
		n, stands := at[a.ID]
		if !stands {
			continue
		}
		of := line{points[n].ClientID, a.Instrument}
		out[i].person = of.person
		series, rules := s.series(a.Instrument, lines[of], held[of.person], set[a.Instrument].ChangeRules)
		out[i].rises = series.Direction == trajectory.HigherIsBetter
		if computed[of] == nil {
			computed[of] = map[uuid.UUID]trajectory.Point{}
			for _, p := range trajectory.Compute(series, rules, trajectory.Options{}).Points {
				computed[of][p.AssessmentID] = p
			}
		}
		if p, found := computed[of][a.ID]; found {
			out[i].point = &p
		}
		if k := slices.IndexFunc(lines[of], func(p Point) bool { return p.ID == a.ID }); k > 0 {
			out[i].before = &lines[of][k-1]
		}
		for _, ses := range held[of.person] {
			if ses.Kind == Dosing && !ses.StartedAt.After(a.CompletedAt) {
				out[i].doses++
			}
		}
	}
	return out
}

// raise raises the alerts of assessments that were stored within the transaction.
func (s *Service) raise(ctx context.Context, who auth.Principal, tx Tx, set Settings, fresh []Assessment, m moved) error {
	chosen, err := tx.AlertSettings(ctx, who)
	if err != nil {
		return err
	}
	var found []raised
	for _, e := range s.examine(fresh, m.points, m.sessions, set) {
		findings := chosen.rules().Evaluate(e.form(), formBefore(e.before))
		found = append(found, s.alertsOf(e, findings)...)
	}
	return s.storeRaised(ctx, who, tx, chosen, found)
}

// raised is a new alert, and what decides whether it repeats another.
type raised struct {
	Alert
	person uuid.UUID
	rise   bool // of an answer that is higher than the one before: it repeats none
}

// alertsOf makes alerts of what was found in an assessment.
func (s *Service) alertsOf(e examined, findings []alert.Finding) []raised {
	now := stamp(s.Now())
	rise := slices.ContainsFunc(findings, func(f alert.Finding) bool { return f.Rise })
	out := make([]raised, len(findings))
	for i, f := range findings {
		out[i] = raised{person: e.person, rise: rise, Alert: Alert{
			ID: s.NewID(), ClientID: e.ClientID, AssessmentID: &e.ID, Rule: f.Rule, Level: f.Level, Status: AlertOpen,
			RaisedAt: now, OpenedAt: now, AnsweredAt: e.CompletedAt, ReceivedAt: e.RecordedAt,
		}}
	}
	return out
}

// storeRaised stores new alerts, and sets the clocks of those that repeat none.
func (s *Service) storeRaised(ctx context.Context, who auth.Principal, tx Tx, chosen AlertSettings, found []raised) error {
	if len(found) == 0 {
		return nil
	}
	people := idsOf(found, func(r raised) uuid.UUID { return r.person })
	standing, err := tx.StandingAlerts(ctx, who, people)
	if err != nil {
		return err
	}
	slices.SortStableFunc(found, func(a, b raised) int { return a.AnsweredAt.Compare(b.AnsweredAt) })
	alerts, steps := make([]Alert, len(found)), make([]AlertStep, len(found))
	for i, r := range found {
		if !r.rise {
			r.RepeatOf = r.repeats(r.person, standing)
		}
		r.NextAt = chosen.firstAt(r.Alert)
		steps[i] = r.step(WasRaised, r.RaisedAt, uuid.Nil)
		alerts[i] = r.Alert
		tx.Emit(s.alertEvent(AlertRaised, r.Alert))
		r.ClientID = r.person
		standing = append(standing, r.Alert)
	}
	return tx.PutAlerts(ctx, who, alerts, steps)
}

// reconsider brings the alerts of an assessment in line with what it says since
// it was amended or retracted. Nothing is taken back in silence: an alert that
// the answer bears out no more stays where it is until a person closes it.
func (s *Service) reconsider(ctx context.Context, who auth.Principal, tx Tx, set Settings, a Assessment, m moved) error {
	chosen, err := tx.AlertSettings(ctx, who)
	if err != nil {
		return err
	}
	standing, err := tx.AlertsAbout(ctx, who, a.ID)
	if err != nil {
		return err
	}
	e := s.examine([]Assessment{a}, m.points, m.sessions, set)[0]
	var findings []alert.Finding
	if !a.Retracted {
		findings = alert.Default().Evaluate(e.form(), formBefore(e.before))
	}
	now := stamp(s.Now())
	var changed []Alert
	var steps []AlertStep
	for _, one := range standing {
		k := slices.IndexFunc(findings, func(f alert.Finding) bool { return f.Rule == one.Rule })
		deed := one.follow(findings, k, now, chosen)
		if k >= 0 {
			findings = slices.Delete(findings, k, k+1)
		}
		if deed == "" {
			continue
		}
		steps = append(steps, one.step(deed, now, who.Actor))
		changed = append(changed, one)
		tx.Emit(s.alertEvent(AlertChanged, one))
	}
	if len(changed) > 0 {
		if err := tx.PutAlerts(ctx, who, changed, steps); err != nil {
			return err
		}
	}
	findings = slices.DeleteFunc(findings, func(f alert.Finding) bool { return slices.Contains(chosen.Off, f.Rule) })
	return s.storeRaised(ctx, who, tx, chosen, s.alertsOf(e, findings))
}

// follow brings an alert in line with the k-th finding; k < 0: there is none of
// its rule any more. It gives what became of the alert; empty: nothing. What
// presses more than it did, or is found again, is open again.
func (a *Alert) follow(findings []alert.Finding, k int, now time.Time, chosen AlertSettings) AlertDeed {
	if k < 0 {
		if a.Withdrawn {
			return ""
		}
		a.Withdrawn = true
		return WasWithdrawn
	}
	level := findings[k].Level
	if level == a.Level && !a.Withdrawn {
		return ""
	}
	again := a.Withdrawn || level.Above(a.Level)
	a.Level, a.Withdrawn = level, false
	if again {
		a.Status, a.OpenedAt, a.Tier, a.RepeatOf = AlertOpen, now, 0, nil
		a.NextAt = chosen.firstAt(*a)
	}
	return WasChanged
}
