package research

import (
	"context"
	"crypto/sha256"
	"encoding/json"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/fault"
)

// Choice is what a figure is asked beside its frame, as far as rights hang on it.
// The service fills it in.
type Choice struct {
	What   any                // the figure's own query: what tells it from other questions
	Points []cohort.TimePoint // that scores are looked for at
	Dated  bool               // a period of dates was chosen
	Other  string             // a parameter that was set to what is not everybody's; empty: none
}

// unlisted names the parameter with which a question leaves the list of those
// that whoever is Bound may ask; empty: it is on the list.
func (q FigureQuery) unlisted() string {
	for _, p := range q.Choice.Points {
		if !p.Listed() {
			return p.String()
		}
	}
	switch {
	case q.AsOf != nil:
		return "as_of"
	case q.Choice.Dated:
		return "index_from, index_to, within_days"
	}
	return q.Choice.Other
}

// digest tells a question from all others.
func (q FigureQuery) digest() []byte {
	text, err := json.Marshal([]any{q.Name, q.Choice.What, q.Rules, q.Cohort, q.Population})
	if err != nil { // the queries hold nothing but texts, numbers and times
		panic(err)
	}
	sum := sha256.Sum256(text)
	return sum[:]
}

// dated names what in a question would tell single people by their dates.
func dated(q FigureQuery, frame Frame) (what []string) {
	if !q.AllCells {
		return nil
	}
	if q.Choice.Dated {
		what = append(what, "period")
	}
	if c := frame.Cohort; c != nil && (c.Filter.EnrolledFrom != nil || c.Filter.EnrolledTo != nil ||
		c.Filter.FirstDoseFrom != nil || c.Filter.FirstDoseTo != nil) {
		what = append(what, "cohort")
	}
	return what
}

var errDated = fault.New(fault.Forbidden,
	"All cells of a period of dates tell the dates of single people: that needs exports:limited or caseload:read.")

// denied leaves an entry of a refusal that require does not decide.
func (s *Service) denied(ctx context.Context, who auth.Principal, err error, need ...auth.Permission) error {
	s.Log.WarnContext(ctx, "refused", "who", who, "needs", auth.PermissionsOf(need...).String())
	if e := s.Store.Conduct(ctx, who, func(tx Tx) error { tx.Note(s.entry(who.Refused(need...))); return nil }); e != nil {
		s.Log.ErrorContext(ctx, "a refusal was not noted in the audit trail", "who", who, "error", e.Error())
	}
	return err
}

// allow decides who may ask what, and fills in the population.
func (s *Service) allow(ctx context.Context, who auth.Principal, q *FigureQuery) error {
	need := []auth.Permission{auth.ReadCohorts}
	if q.Population == OfClinic {
		need = append(need, auth.ReadCaseload)
	}
	if !who.May(auth.ReadCaseload) {
		if q.AllCells {
			need = append(need, auth.ExportDeidentified)
		}
		if q.AsOf != nil { // what was known when tells when somebody came
			need = append(need, auth.ExportLimited)
		}
	}
	if err := s.require(ctx, who, need...); err != nil {
		return err
	}
	if what := q.unlisted(); Bound(who) && what != "" {
		return s.denied(ctx, who, fault.New(fault.Forbidden,
			"Who sees figures only asks for baseline, last, sessions and the usual days of follow-up. To choose "+what+
				" needs caseload:read or exports:deidentified."), auth.ExportDeidentified)
	}
	if q.Population == "" {
		q.Population = OfResearch
		if who.May(auth.ReadCaseload) {
			q.Population = OfClinic
		}
	}
	return nil
}
