package web

import (
	"time"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/trajectory"
)

// resultData is what a questionnaire said, right after it was entered.
type resultData struct {
	Client     about
	ID         string
	Instrument string
	When       string
	At         time.Time
	Retracted  bool
	Total      *float64
	Least      float64
	Most       float64
	Severity   string // in the words of the instrument; empty: it has none
	Missing    int    // answers that count and are not there
	Prorated   bool
	Flags      []warning
	Change     *changeData // nil: nothing to compare with
	IsBaseline bool
	MayAmend   bool
	Kept       string // by what the browser kept it: it can be forgotten now
	Next       []nextStep
}

// changeData is how a total compares with the baseline.
type changeData struct {
	Baseline   float64
	BaselineAt time.Time
	By         *float64
	Percent    *float64 // in percent
	Reliable   string   // a sentence; empty: the rules do not say
}

// A warning is a flag that somebody has to act on, in words.
type warning struct {
	Title, Text string
	Alarm       bool // it is about the client's safety
}

// result shows what an assessment says: its score, what is to be acted on, and
// the change since the baseline.
func (s *Site) result(v *visit) error {
	a, client, err := v.theAssessment()
	if err != nil {
		return err
	}
	sh, err := v.sheetFor(client, a.Instrument)
	if err != nil {
		return err
	}
	sh.stored = &a
	in := zone(client.TimeZone)
	t := v.tongue()
	data := resultData{
		Client: aboutClient(client), ID: a.ID.String(), Instrument: sh.def.Title, When: sh.whenWords(t), At: a.CompletedAt.In(in),
		Retracted: a.Retracted, Total: a.Score.Total, Least: sh.def.Scoring.Min, Most: sh.def.Scoring.Max,
		Prorated: a.Score.Prorated, MayAmend: v.who.May(auth.AmendAssessments), Kept: v.me.ID.String() + "/" + client.ID.String() + "/" + a.Instrument,
	}
	if a.Score.ItemsMissing != nil {
		data.Missing = *a.Score.ItemsMissing
	}
	if a.Score.Severity != nil {
		data.Severity = severityOf(sh.def, *a.Score.Severity)
	}
	for _, f := range a.Score.Flags {
		data.Flags = append(data.Flags, warn(t, f, s.Now().Sub(a.CompletedAt)))
	}
	if err := v.compare(&data, a, client, sh.sessions); err != nil {
		return err
	}
	return v.render("result", view{Title: sh.def.Title, Data: data})
}

// compare adds how the assessment compares with the baseline, and what to do
// next.
func (v *visit) compare(data *resultData, a care.Assessment, client care.Client, sessions []care.Session) error {
	if !v.who.May(auth.ReadTrajectories, auth.ReadCare) {
		return nil
	}
	trajectories, err := v.site.Care.Trajectories(v.ctx(), v.who, client.ID, care.TrajectoryQuery{})
	if err != nil {
		return err
	}
	courses, err := v.site.Care.Courses(v.ctx(), v.who, client.ID, everySession)
	if err != nil {
		return err
	}
	data.Next = v.whatNext(client, courses, sessions, trajectories)
	for _, tr := range trajectories {
		for _, p := range tr.Points {
			if p.AssessmentID != a.ID || tr.Baseline == nil {
				continue
			}
			if data.IsBaseline = tr.Baseline.AssessmentID == a.ID; data.IsBaseline || p.Change == nil {
				return nil
			}
			data.Change = &changeData{
				Baseline: tr.Baseline.Total, BaselineAt: tr.Baseline.At.In(zone(client.TimeZone)), By: p.Change, Percent: p.PercentChange,
			}
			if p.Reliable != nil {
				data.Change.Reliable = v.tongue().T(reliableWords[*p.Reliable])
			}
		}
	}
	return nil
}

// reliableWords say whether a change is more than measurement error.
var reliableWords = map[trajectory.Reliable]string{
	trajectory.Improved:     word("Better than the baseline by more than measurement error."),
	trajectory.Unchanged:    word("Within measurement error of the baseline."),
	trajectory.Deteriorated: word("Worse than the baseline by more than measurement error."),
}

// word marks a sentence of the catalog where nothing else tells that it is one.
func word(english string) string { return english }

// severityOf is the label of a band.
func severityOf(def *instrument.Definition, id string) string {
	for _, b := range def.Bands {
		if b.ID == id {
			return b.Label
		}
	}
	return id
}

// warn puts a flag in words, with what to do next: whoever answered today may
// still be there, whoever did days ago is not. An answer of 0 raises none, and
// is no all-clear.
func warn(t tongue, f instrument.Flag, age time.Duration) warning {
	switch f.Code {
	case "suicidal_ideation":
		todo := t.T("Speak with the client about this answer today, before they leave. Assess the risk, follow your clinic's safety plan, and write down what was done.")
		if age > 24*time.Hour {
			todo = t.T("This answer is of an earlier day. If nobody has spoken with the client about it since, do so now. Assess the risk, follow your clinic's safety plan, and write down what was done.")
		}
		return warning{
			Title: t.T("Item 9 was answered above 0: thoughts of being better off dead, or of self-harm"),
			Text:  todo,
			Alarm: true,
		}
	case "item9_not_answered":
		return warning{
			Title: t.T("Item 9 has no answer"),
			Text:  t.T("Whether the client has thoughts of self-harm is not known from this form. No answer is no all-clear: ask."),
			Alarm: true,
		}
	case "risk_taking":
		return warning{
			Title: t.T("Item 16: risks, or things that could cause harm"),
			Text:  t.T("The client says that they take risks. Ask what they are."),
		}
	case instrument.ContradictsGate:
		return warning{
			Title: t.T("Two answers contradict each other"),
			Text:  t.T("The first says that a later question does not apply, and that one was answered. There is no total until one of them is amended."),
		}
	}
	return warning{Title: t.T("Flagged: %s", f.Code), Text: t.T("Look at the answer to %s.", f.Item)}
}
