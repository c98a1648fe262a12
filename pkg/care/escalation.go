package care

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/alert"
	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

// Tier is a step of the chain by which an alert that nobody acknowledges is told
// to others.
type Tier struct {
	After    time.Duration // since the alert was opened
	Roles    []auth.Role   // whom it is told: everybody of these roles
	Accounts []uuid.UUID   // and these
	Duty     *Duty         // when somebody is there; nil: always
}

// Duty is when a tier is on duty, by the clock on a wall.
type Duty struct {
	Days     []time.Weekday // on which it begins; empty: every day
	From, To string         // "HH:MM"; To at or before From lies on the day after
	TimeZone string         // IANA name
}

// wallClock is the layout of Duty.From and Duty.To.
const wallClock = "15:04"

// On reports whether somebody is on duty at a time. Where the clocks change, the
// hour that comes twice counts twice, and the one that is left out not at all.
func (d *Duty) On(at time.Time) bool {
	if d == nil {
		return true
	}
	zone, err := time.LoadLocation(d.TimeZone)
	if err != nil {
		return true // stored by an older time zone database: rather one call too many
	}
	local := at.In(zone)
	now, today := local.Format(wallClock), local.Weekday()
	if d.From < d.To {
		return d.begins(today) && d.From <= now && now < d.To
	}
	return d.begins(today) && d.From <= now || d.begins((today+6)%7) && now < d.To
}

func (d *Duty) begins(day time.Weekday) bool {
	return len(d.Days) == 0 || slices.Contains(d.Days, day)
}

// AlertSettings are what a clinic has chosen for its alerts.
type AlertSettings struct {
	Chain []Tier   // in the order in which they are told; the last one is always on duty
	Off   []string // codes of rules that it does without
}

// DefaultChain is the chain unless the clinic chooses another: 5, 15 and 60
// minutes after the alert was opened. A project decision; what matters is that a
// person answers while the client may still be in the house.
func DefaultChain() []Tier {
	return []Tier{
		{After: 5 * time.Minute, Roles: []auth.Role{auth.Clinician}},
		{After: 15 * time.Minute, Roles: []auth.Role{auth.Clinician, auth.Admin}},
		{After: time.Hour, Roles: []auth.Role{auth.Admin, auth.Owner}},
	}
}

// rules are the program's without those that the clinic does without. A code
// that the rules do not have any more turns nothing off.
func (a AlertSettings) rules() alert.Rules {
	var off []string
	for _, rule := range alert.Default().List() {
		if !rule.Always && slices.Contains(a.Off, rule.Code) {
			off = append(off, rule.Code)
		}
	}
	out, err := alert.Default().Without(off...)
	if err != nil {
		return alert.Default()
	}
	return out
}

// firstAt is when the first tier is told of an alert; nil: never.
func (a AlertSettings) firstAt(of Alert) *time.Time {
	if !of.onClock() || len(a.Chain) == 0 {
		return nil
	}
	return new(of.OpenedAt.Add(a.Chain[0].After))
}

// escalate tells the next tier that is on duty, and passes over those that are
// not: nobody waits for who is asleep. The last tier is always told.
func (a *Alert) escalate(chain []Tier, now time.Time) []AlertStep {
	var steps []AlertStep
	for a.Tier < len(chain) {
		tier := chain[a.Tier]
		a.Tier++
		last := a.Tier == len(chain)
		a.NextAt = nil
		if !last {
			a.NextAt = new(a.OpenedAt.Add(chain[a.Tier].After))
		}
		if last || tier.Duty.On(now) {
			return append(steps, a.step(WasEscalated, now, uuid.Nil))
		}
		steps = append(steps, a.step(WasPassedOver, now, uuid.Nil))
	}
	a.NextAt = nil // the clinic has a shorter chain by now, and all of it was told
	return steps
}

// escalatedAtOnce is how many alerts one transaction moves on.
const escalatedAtOnce = 100

// Escalate tells the next tiers of a clinic's alerts that nobody acknowledged in
// time, and says of how many alerts. Several processes may do so at once: each
// tier is told once, and none after an acknowledgement that was stored.
func (s *Service) Escalate(ctx context.Context, clinic uuid.UUID) (n int, err error) {
	who := auth.System(clinic)
	now := stamp(s.Now())
	due, err := read(ctx, s, who, func(r Reader) (*time.Time, error) { return r.FirstDueAlert(ctx, who) })
	if err != nil || due == nil || due.After(now) {
		return 0, err
	}
	err = s.Store.Write(ctx, who, func(tx Tx) error {
		n = 0
		chosen, err := tx.AlertSettings(ctx, who)
		if err != nil {
			return err
		}
		taken, err := tx.TakeDueAlerts(ctx, who, now, escalatedAtOnce)
		if err != nil || len(taken) == 0 {
			return err
		}
		var steps []AlertStep
		for i := range taken {
			steps = append(steps, taken[i].escalate(chosen.Chain, now)...)
			tx.Emit(s.escalated(taken[i]))
		}
		e := s.entry(who.Did("alert.escalate", "", uuid.Nil))
		e.Details.Note = map[string]string{"alerts": fmt.Sprint(len(taken))}
		tx.Note(e)
		n = len(taken)
		return tx.PutAlerts(ctx, who, taken, steps)
	})
	return n, err
}

// unescalated says since when a tier of a clinic's alert is to be told that was
// not; nil: none is.
func (s *Service) unescalated(ctx context.Context, clinic uuid.UUID) (*time.Time, error) {
	who := auth.System(clinic)
	due, err := read(ctx, s, who, func(r Reader) (*time.Time, error) { return r.FirstDueAlert(ctx, who) })
	if err != nil || due == nil || due.After(s.Now()) {
		return nil, err
	}
	return due, nil
}

// escalated is the event of an alert that was told to a tier.
func (s *Service) escalated(a Alert) Event {
	e := s.alertEvent(AlertEscalated, a)
	e.Data["tier"] = fmt.Sprint(a.Tier)
	return e
}

// fields are what the audit trail tells of the choices.
func (a AlertSettings) fields() []audit.Field {
	var chain []string
	for _, t := range a.Chain {
		text := fmt.Sprintf("%v %v %v", t.After, t.Roles, t.Accounts)
		if t.Duty != nil {
			text += fmt.Sprintf(" %v %s-%s %s", t.Duty.Days, t.Duty.From, t.Duty.To, t.Duty.TimeZone)
		}
		chain = append(chain, text)
	}
	return []audit.Field{{Name: "chain", Value: strings.Join(chain, "; ")}, {Name: "off", Value: strings.Join(a.Off, " ")}}
}

// AlertSettings returns what the clinic has chosen for its alerts.
func (s *Service) AlertSettings(ctx context.Context, who auth.Principal) (AlertSettings, error) {
	if err := s.require(ctx, who, auth.ReadSettings); err != nil {
		return AlertSettings{}, err
	}
	return read(ctx, s, who, func(r Reader) (AlertSettings, error) { return r.AlertSettings(ctx, who) })
}

// ChooseAlertSettings stores what the clinic chooses for its alerts. The next
// tier of an alert on its clock is told when it was to be; those after it, by
// the new chain.
func (s *Service) ChooseAlertSettings(ctx context.Context, who auth.Principal, set AlertSettings) (AlertSettings, error) {
	if err := s.require(ctx, who, auth.WriteSettings); err != nil {
		return AlertSettings{}, err
	}
	if err := set.check().err(); err != nil {
		return AlertSettings{}, err
	}
	err := s.Store.Write(ctx, who, func(tx Tx) error {
		before, err := tx.PutAlertSettings(ctx, who, set)
		if err != nil {
			return err
		}
		e := s.entry(who.Did("alerts.choose", "clinic", who.Clinic))
		e.Details.Changes = audit.Diff(before.fields(), set.fields())
		tx.Note(e)
		return nil
	})
	if err != nil {
		return AlertSettings{}, err
	}
	return set, nil
}

// CheckAlertSettings is CheckClient for the choices.
func (s *Service) CheckAlertSettings(set AlertSettings) []fault.Detail { return set.check() }

// A chain is told within a week, by at most so many tiers.
const (
	mostTiers    = 10
	longestAfter = 7 * 24 * time.Hour
)

// check lists what is wrong with the choices.
func (a AlertSettings) check() faults {
	var f faults
	if len(a.Chain) == 0 || len(a.Chain) > mostTiers {
		f.add("/chain", "out_of_range", "A chain has 1 to 10 tiers.")
	}
	for i, t := range a.Chain {
		at := fmt.Sprintf("/chain/%d", i)
		if t.After < time.Minute || t.After > longestAfter {
			f.add(at+"/after_minutes", "out_of_range", "A tier is told after 1 minute to 7 days.")
		}
		if i > 0 && t.After < a.Chain[i-1].After {
			f.add(at+"/after_minutes", "out_of_order", "A tier is told no earlier than the one before.")
		}
		if len(t.Roles)+len(t.Accounts) == 0 {
			f.add(at+"/roles", "required", "A tier names whom it tells, by role or by account.")
		}
		for k, role := range t.Roles {
			if !auth.Grants(role).Has(auth.HandleAlerts) {
				f.add(fmt.Sprintf("%s/roles/%d", at, k), "cannot_handle", "The role is clinician, admin or owner.")
			}
		}
		if t.Duty != nil && i == len(a.Chain)-1 {
			f.add(at+"/duty", "last_tier", "The last tier is always on duty.")
		}
		f = append(f, t.Duty.check(at+"/duty")...)
	}
	if _, err := alert.Default().Without(a.Off...); err != nil {
		for _, d := range detailsOf(err) {
			d.Pointer = "/off" + d.Pointer
			f = append(f, d)
		}
	}
	return f
}

func (d *Duty) check(at string) faults {
	var f faults
	if d == nil {
		return nil
	}
	for name, text := range map[string]string{"from": d.From, "to": d.To} {
		if _, err := time.Parse(wallClock, text); err != nil || len(text) != len(wallClock) {
			f.add(at+"/"+name, "not_a_time", "The time is of the form HH:MM.")
		}
	}
	slices.SortFunc(f, func(a, b fault.Detail) int { return strings.Compare(a.Pointer, b.Pointer) })
	if _, err := time.LoadLocation(d.TimeZone); err != nil || d.TimeZone == "" || d.TimeZone == "Local" {
		f.add(at+"/time_zone", "unknown_time_zone", "The time zone is an IANA name such as Europe/Berlin.")
	}
	for i, day := range d.Days {
		if day < time.Sunday || day > time.Saturday || slices.Contains(d.Days[:i], day) {
			f.add(fmt.Sprintf("%s/days/%d", at, i), "unknown_day", "Each day of the week is named once.")
		}
	}
	return f
}
