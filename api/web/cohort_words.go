package web

import (
	"slices"
	"strings"

	"github.com/protrack/protrack/api/figure"
	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/instrument"
)

// absenceWords say why people are not counted.
var absenceWords = []option{
	{Value: "no_research_consent", Label: "Have not agreed to research"},
	{Value: "withdrawn", Label: "Withdrew their agreement to research"},
	{Value: "erased", Label: "Record was erased"},
	{Value: "not_in_cohort", Label: "Not in the cohort"},
	{Value: "not_treated", Label: "No dose was given"},
	{Value: "not_reached", Label: "Not there yet"},
	{Value: "next_course", Label: "Another course began before"},
	{Value: "not_assessed", Label: "Nothing was filled in"},
	{Value: "not_scored", Label: "Filled in, without a total"},
	{Value: "not_later", Label: "Nothing later than the first score"},
	{Value: "not_answered", Label: "The question was not answered"},
	{Value: "not_banded", Label: "The total is in no band"},
	{Value: "no_baseline", Label: "No baseline score"},
	{Value: "no_case_at_baseline", Label: "No case at baseline"},
	{Value: "no_later_score", Label: "No score after the baseline"},
	{Value: "not_judged", Label: "The rules do not judge such a baseline"},
	{Value: "never_gained", Label: "Never had a response to lose"},
}

// outcomeWords are the outcomes, in the order in which they are shown.
var outcomeWords = []option{
	{Value: string(cohort.Response), Label: "Response"},
	{Value: string(cohort.PartialResponse), Label: "Partial response, and no more"},
	{Value: string(cohort.Remission), Label: "Remission"},
	{Value: string(cohort.Recovery), Label: "Recovery"},
	{Value: string(cohort.ReliableImprovement), Label: "Reliably better"},
	{Value: string(cohort.ReliableRecovery), Label: "Reliably recovered"},
	{Value: string(cohort.ReliableDeterioration), Label: "Reliably worse"},
}

// groupWords name the groups that are no text of people.
var groupWords = []option{
	{Value: cohort.UnknownGroup, Label: "Not recorded"}, {Value: cohort.OtherGroups, Label: "All others"},
	{Value: string(instrument.Female), Label: "Female"}, {Value: string(instrument.Male), Label: "Male"},
}

// trackWords say how clients do beside others like them.
var trackWords = []option{
	{Value: string(cohort.TrackOff), Label: "Off track: worse than nine in ten"},
	{Value: string(cohort.TrackWatch), Label: "To watch: worse than three in four"},
	{Value: string(cohort.OnTrack), Label: "On track"},
	{Value: string(cohort.TrackNotJudged), Label: "Not judged"},
}

// whomWords say of whom a rate is, where the figure says it in its own terms.
var whomWords = []option{
	{Value: "of all pairs", Label: "of all who have both"},
	{Value: "of the pairs that were cases at from", Label: "of those who have both and were cases at the first"},
	{Value: "of the pairs that did not begin at 0", Label: "of those who have both and did not begin at 0"},
	{Value: "of the pairs that were cases at from and did not begin at 0", Label: "of those who have both, were cases at the first and did not begin at 0"},
	{Value: "of the pairs that were cases at from on phq-9 or gad-7", Label: "of those who have all four and were cases at the first on either"},
	{Value: "of all pairs with phq-9 and gad-7 at both", Label: "of all who have all four scores"},
}

// Whom says of whom a rate is.
func (t tongue) Whom(words string) string { return t.called(whomWords, words) }

// called gives a code its words; one that has none speaks for itself.
func (t tongue) called(list []option, code string) string {
	for _, o := range list {
		if o.Value == code {
			return t.T(o.Label)
		}
	}
	return code
}

// Reason says why people are not counted.
func (t tongue) Reason(code string) string { return t.called(absenceWords, code) }

// Some are the reasons that somebody has, or may have: one without people is not
// worth a line, one that is withheld is.
func (t tongue) Some(reasons []figure.Reason) []figure.Reason {
	return slices.DeleteFunc(slices.Clone(reasons), func(r figure.Reason) bool { return r.N != nil && *r.N == 0 })
}

// Group names a group of people.
func (t tongue) Group(key string) string { return t.called(slices.Concat(groupWords, routes), key) }

// Track says how a client does beside others.
func (t tongue) Track(status string) string { return t.called(trackWords, status) }

// Count is a number of people; one that may not be told is withheld, in words.
func (t tongue) Count(n *int) string {
	if n == nil {
		return t.T("withheld")
	}
	return t.Number(n)
}

// Fine is a number with two decimals, and a probability with three.
func (t tongue) Fine(v any) string {
	f, ok := number(v)
	if !ok {
		return "–"
	}
	return strings.Replace(t.printer.Sprintf("%.2f", f), "-", "−", 1)
}

// Probability is one of a test.
func (t tongue) Probability(v any) string {
	f, ok := number(v)
	switch {
	case !ok:
		return "–"
	case f < 0.001:
		return "< " + t.printer.Sprintf("%.3f", 0.001)
	}
	return "= " + t.printer.Sprintf("%.3f", f)
}

// Shares is an interval of shares.
func (t tongue) Shares(ci *cohort.Interval) string {
	if ci == nil {
		return "–"
	}
	return t.T("%s to %s", t.Percent(ci[0]), t.Percent(ci[1]))
}

// Range is an interval of points.
func (t tongue) Range(ci *cohort.Interval) string {
	if ci == nil {
		return "–"
	}
	return t.T("%s to %s", t.Signed(ci[0]), t.Signed(ci[1]))
}

// Point is a time-point in words.
func (t tongue) Point(point string) string {
	p, err := cohort.ParseTimePoint(point)
	if err != nil {
		return point
	}
	switch p.Kind {
	case cohort.AtBaseline:
		return t.T("Baseline")
	case cohort.AtLast:
		return t.T("Last score")
	case cohort.BeforeSession:
		return t.T("Before session %d", p.Session)
	case cohort.AfterSession:
		return t.T("After session %d", p.Session)
	case cohort.AtDays:
	}
	return t.T("Day %d, ± %d days", int(p.Days), int(p.Within))
}

// Window is a span of time that a form asks about.
func (t tongue) Window(window string) string { return t.window(window) }

// An outcomeRow is one outcome of a change.
type outcomeRow struct {
	Name string
	Rate figure.OutcomeRate
}

// Outcomes are those of a change, in their order.
func (t tongue) Outcomes(all map[string]figure.OutcomeRate) []outcomeRow {
	var out []outcomeRow
	for _, o := range outcomeWords {
		if r, known := all[o.Value]; known {
			out = append(out, outcomeRow{t.T(o.Label), r})
		}
	}
	return out
}

// survivalWords say what a curve waits for. relapse is the definition of a loss
// that was asked for.
func (t tongue) survivalWords(f figure.Survival, relapse string) string {
	percent := t.Number(f.Rules.ResponsePercent)
	switch {
	case f.Event == string(cohort.EventResponse):
		return t.T("A response is the first score after the first dose that is at least %s %% better than the baseline. It came between that form and the one before.", percent)
	case relapse == relapses[1].Value:
		return t.T("The response is lost with the first score that is a case again after a remission. It came between that form and the one before.")
	case relapse == relapses[2].Value:
		return t.T("The response is lost with the first score that is reliably worse than the best, after a reliable improvement. It came between that form and the one before.")
	}
	return t.T("The response is lost with the first score that is no longer at least %s %% better than the baseline. It came between that form and the one before.", percent)
}

// sideWords name the bands of instruments that have none of their own.
var sideWords = []option{
	{Value: cohort.BelowCutpoint, Label: "Below the cut-point"}, {Value: cohort.AtOrAboveCutpoint, Label: "At the cut-point or above"},
	{Value: cohort.ThirdLowest, Label: "Lowest third"}, {Value: cohort.ThirdMiddle, Label: "Middle third"},
	{Value: cohort.ThirdHighest, Label: "Highest third"},
}

// bandName is a band in the words of an instrument, or of one without bands.
func (t tongue) bandName(def *instrument.Definition, id string) string {
	for _, o := range sideWords {
		if o.Value == id {
			return t.T(o.Label)
		}
	}
	return t.T(bandOf(def, &id))
}
