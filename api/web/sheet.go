package web

import (
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/instrument"
)

// A sheet is what a page of a questionnaire is made from.
type sheet struct {
	def      *instrument.Definition
	client   care.Client
	sessions []care.Session
	stored   *care.Assessment // what is amended; nil: nothing
	window   string           // the recall window
	total    bool             // only a total is known
}

// sheetFor reads what a page of a questionnaire is made from.
func (v *visit) sheetFor(client care.Client, name string) (sheet, error) {
	def, err := v.site.Care.InstrumentDefinition(v.ctx(), v.who, name, "")
	if err != nil {
		return sheet{}, err
	}
	sessions, err := v.site.Care.Sessions(v.ctx(), v.who, client.ID, everySession)
	return sheet{def: def, client: client, sessions: sessions, window: def.RecallWindow()}, err
}

// asks sets the recall window and the way to enter, where they are such.
func (sh *sheet) asks(window, only string) {
	if sh.def.AllowsRecall(window) {
		sh.window = window
	}
	if only != "" {
		sh.total = only == "total"
	}
}

// path is the page of this questionnaire.
func (sh *sheet) path() string {
	if sh.stored != nil {
		return "/assessments/" + sh.stored.ID.String() + "/amend"
	}
	return "/clients/" + sh.client.ID.String() + "/assessments/new"
}

// link is a page of this questionnaire with one thing of it set otherwise.
func (sh *sheet) link(f form, field, value string) string {
	q := url.Values{"recall_window": {sh.window}, "only": {"items"}}
	if sh.total {
		q.Set("only", "total")
	}
	if sh.stored == nil {
		timing, session := splitWhen(f.Value("when"))
		q.Set("instrument", sh.def.ID)
		q.Set("timing", timing)
		if session != "" {
			q.Set("session_id", session)
		}
	}
	q.Set(field, value)
	return sh.path() + "?" + q.Encode()
}

// splitWhen takes apart when an assessment was taken: a timing, and the session
// that it belongs to.
func splitWhen(when string) (timing, session string) {
	timing, session, _ = strings.Cut(when, ":")
	return timing, session
}

// whens are the choices of when, the latest sessions first.
func (sh *sheet) whens(t tongue) []option {
	out := []option{{Value: string(care.AtBaseline), Label: t.T("Baseline, before treatment")}, {Value: string(care.AtFollowUp), Label: t.T("Follow-up, after treatment")}}
	for _, ses := range slices.Backward(sh.sessions) {
		name := t.sessionName(ses, zone(sh.client.TimeZone))
		out = append(out,
			option{Value: string(care.BeforeIt) + ":" + ses.ID.String(), Label: t.T("Before: %s", name)},
			option{Value: string(care.AfterIt) + ":" + ses.ID.String(), Label: t.T("After: %s", name)})
	}
	return out
}

// sessionName is by what a session is known: Dosing 3 · 3 Mar 2026.
func (t tongue) sessionName(ses care.Session, in *time.Location) string {
	kind := string(ses.Kind)
	for _, o := range kinds {
		if o.Value == kind {
			kind = t.T(o.Label)
		}
	}
	return kind + " " + strconv.Itoa(ses.Place) + " · " + t.Day(ses.StartedAt.In(in))
}

// policyOf is by what policy a total came about that is known alone: one that
// lies between two steps of the scale can only have been scaled up.
func (sh *sheet) policyOf(total float64) instrument.MissingPolicy {
	scale := float64(max(sh.def.Scoring.Multiply, 1))
	switch {
	case sh.def.Scoring.Prorate != nil && math.Mod(total, scale) != 0:
		return instrument.Prorated
	case sh.stored != nil && sh.stored.Total != nil:
		return sh.stored.MissingPolicy
	}
	return instrument.Complete
}

// when is what the URL says of when, or what fits the sessions best: before one
// that is to come, after one that has been, else the baseline or a follow-up.
func (sh *sheet) when(timing, session string, now time.Time) string {
	switch care.Timing(timing) {
	case care.AtBaseline, care.AtFollowUp:
		return timing
	case care.BeforeIt, care.AfterIt:
		if id, err := uuid.Parse(session); err == nil {
			return timing + ":" + id.String()
		}
	}
	for _, ses := range slices.Backward(sh.sessions) {
		switch until := ses.StartedAt.Sub(now); {
		case until > 0 && until <= care.DueBefore:
			return string(care.BeforeIt) + ":" + ses.ID.String()
		case until <= 0 && -until <= care.DueAfter:
			return string(care.AfterIt) + ":" + ses.ID.String()
		}
	}
	if len(sh.sessions) == 0 {
		return string(care.AtBaseline)
	}
	return string(care.AtFollowUp)
}

// completed is when a form was probably filled in: now, and one from before a
// session no later than its start.
func (sh *sheet) completed(when string, now time.Time) time.Time {
	timing, session := splitWhen(when)
	for _, ses := range sh.sessions {
		if timing == string(care.BeforeIt) && ses.ID.String() == session && ses.StartedAt.Before(now) {
			now = ses.StartedAt
		}
	}
	return now.In(zone(sh.client.TimeZone))
}
