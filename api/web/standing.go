package web

import (
	"cmp"
	"html/template"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/protrack/protrack/api/picture"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/chart"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/trajectory"
)

// A standing is where a client stands on one instrument.
type standing struct {
	ID, Title, Measures string
	HigherIsBetter      bool
	Status              tag
	Baseline, Latest    *markData // nil: there is none
	Change, Percent     *float64  // points, and percent of the baseline
	Since               string    // when and after which dose it first was reliably better; empty: it is not
	Held                string    // how long the response lasted; empty: there was none
	Verdict             []string  // the rest in sentences, in the language of the page
	Picture             template.HTML
	Items               []string    // the items that each form is looked at for, such as 9
	Scores              []scoreData // the latest first
	Older               int         // scores before those, which neither picture nor table shows
	Rules, Source       string      // by which the change was judged; empty: by none
}

// markData is a score that a standing refers to.
type markData struct {
	Total    float64
	Severity string
	At       time.Time
	Path     string
}

// A verdict puts the course of one instrument in words. Nothing is computed
// here: it says what the trajectory holds.
type verdict struct {
	tongue
	client care.Client
	tr     care.Trajectory
	shown  care.Trajectory        // what of it is drawn and listed: all, or the last scores
	def    *instrument.Definition // nil: no longer known
}

// standing is the course as a page shows it.
func (j verdict) standing() standing {
	s := j.tr.Status
	out := standing{
		ID: j.tr.Instrument, Title: j.title(), HigherIsBetter: j.tr.Direction == trajectory.HigherIsBetter,
		Status: statusTag(string(s.Summary)), Baseline: j.mark(j.tr.Baseline), Latest: j.mark(j.tr.Latest),
		Change: s.Change, Percent: s.PercentChange, Since: j.since(), Held: j.held(), Verdict: j.sentences(),
		Rules: j.rules(), Source: j.tr.Rules.Source,
	}
	if j.def != nil {
		out.Measures = j.def.Measures
	}
	out.Items, out.Scores = j.scores()
	return out
}

func (j verdict) title() string {
	if j.tr.Title != "" {
		return j.tr.Title
	}
	return j.tr.Instrument
}

func (j verdict) in() *time.Location { return j.client.Zone() }

func (j verdict) day(at time.Time) string { return j.Day(at.In(j.in())) }

func (j verdict) mark(m *trajectory.Mark) *markData {
	if m == nil {
		return nil
	}
	return &markData{Total: m.Total, Severity: bandOf(j.def, m.Severity), At: m.At.In(j.in()), Path: "/assessments/" + m.AssessmentID.String()}
}

// picture draws the course, on an axis of time that all of a page share.
func (j verdict) picture(theme chart.Theme, o picture.Options) template.HTML {
	o.Zone, o.Words, o.Number = j.in(), j.T, func(f float64) string { return j.Number(f) }
	drawn := picture.Trajectory(j.shown, j.def, j.shown.Meetings, o)
	return template.HTML(drawn.SVG(theme)) //nolint:gosec // a picture of our own, whose texts it escapes
}

// sentences say what the latest score is against the baseline.
func (j verdict) sentences() []string {
	s := j.tr.Status
	switch {
	case j.tr.Baseline == nil && j.tr.Latest == nil:
		return []string{j.T("There is no score yet.")}
	case j.tr.Baseline == nil:
		return []string{j.T("There is no baseline to compare with.")}
	case s.Summary == trajectory.SummaryBaselineOnly:
		return []string{j.T("There is nothing later to compare with the baseline.")}
	}
	var out []string
	add := func(said string) {
		if said != "" {
			out = append(out, said)
		}
	}
	add(j.reliable())
	if is(s.BaselineCase, false) {
		add(j.T("The baseline was no case by the rules, so that response, remission and relapse are not said of it."))
	} else {
		add(j.response())
		add(j.remission())
		add(j.recovery())
		add(j.relapse())
	}
	add(j.overlap())
	add(j.unscored())
	return out
}

func is(b *bool, want bool) bool { return b != nil && *b == want }

func (j verdict) reliable() string {
	if r := j.tr.Status.Reliable; r != nil {
		return j.T(reliableWords[*r])
	}
	return j.T("The rules do not say whether that is more than measurement error.")
}

func (j verdict) response() string {
	r, rules := j.tr.Status.Response, j.tr.Rules
	if r == nil || rules.ResponsePercent == nil {
		return ""
	}
	switch *r {
	case trajectory.ResponseFull:
		return j.T("A response: better than the baseline by %s %% or more.", j.Number(rules.ResponsePercent))
	case trajectory.ResponsePartial:
		return j.T("A partial response: better than the baseline by %s %% or more.", j.Number(rules.PartialPercent))
	case trajectory.ResponseNone:
	}
	least := rules.ResponsePercent
	if rules.PartialPercent != nil {
		least = rules.PartialPercent
	}
	return j.T("No response: better than the baseline by less than %s %%.", j.Number(least))
}

func (j verdict) remission() string {
	r, below := j.tr.Status.Remission, j.tr.Rules.RemissionBelow
	switch {
	case r == nil || below == nil:
		return ""
	case *r:
		return j.T("In remission: below %s.", j.Number(below))
	}
	return j.T("Not in remission, which is below %s.", j.Number(below))
}

func (j verdict) recovery() string {
	switch r := j.tr.Status.Recovery; {
	case r == nil:
		return ""
	case *r:
		return j.T("Recovered on this questionnaire: a case at the baseline, and none now.")
	}
	return j.T("Still a case, as at the baseline.")
}

// relapse says that a gain was lost, and whether it is back.
func (j verdict) relapse() string {
	s := j.tr.Status
	switch {
	case !j.tr.Relapse.Judged || !s.Relapsed || s.RelapsedAt == nil:
		return ""
	case s.Regained:
		return j.T("The response was lost on %s, and is back at the latest score.", j.day(*s.RelapsedAt))
	}
	return j.T("The response was lost on %s, and is not back.", j.day(*s.RelapsedAt))
}

// held says how long the response lasted, in whole days and never more than it
// did. Who was no case had none to keep.
func (j verdict) held() string {
	s := j.tr.Status
	if !j.tr.Relapse.Judged || s.DaysHeld == nil {
		return ""
	}
	// Whatever is short of a whole day by the rounding of a trajectory's days is one.
	days := int(math.Floor(*s.DaysHeld + 1e-4))
	switch {
	case days < 1 && s.HeldCensored:
		return j.T("less than a day so far")
	case days < 1:
		return j.T("less than a day")
	case days == 1 && s.HeldCensored:
		return j.T("1 day so far")
	case days == 1:
		return j.T("1 day")
	case s.HeldCensored:
		return j.T("%d days so far", days)
	}
	return j.T("%d days", days)
}

// since says when the client was first reliably better, and after which dose,
// as long as they are.
func (j verdict) since() string {
	s := j.tr.Status
	if s.FirstReliableAt == nil || s.Reliable == nil || *s.Reliable != trajectory.Improved {
		return ""
	}
	day := j.day(*s.FirstReliableAt)
	if dose := j.lastDose(*s.FirstReliableAt); dose > 0 {
		return j.T("%s, after dose %d", day, dose)
	}
	return day
}

// lastDose is the number of the last dose before a form was filled in; 0: none.
func (j verdict) lastDose(at time.Time) int {
	i := slices.IndexFunc(j.tr.Points, func(p trajectory.Point) bool { return p.At.Equal(at) })
	dose := 0
	for _, ses := range j.tr.Sessions {
		own := i >= 0 && j.tr.Points[i].SessionID != nil && *j.tr.Points[i].SessionID == ses.SessionID
		before := ses.At.Before(at)
		if own { // the form says itself on which side of the session it is
			before = j.tr.Points[i].Timing == trajectory.TimingAfter
		}
		if ses.Kind == trajectory.KindDosing && before {
			dose = ses.Number
		}
	}
	return dose
}

// overlap says how far the latest form asked about the baseline's days.
func (j verdict) overlap() string {
	s := j.tr.Status
	var out []string
	if s.RecallOverlap != nil && *s.RecallOverlap > 0 {
		out = append(out, j.T("%s of the days that the latest form asks about are days that the baseline asked about too.", j.Percent(*s.RecallOverlap)))
	}
	if s.WindowDiffers {
		out = append(out, j.T("The latest form asks about another span of time than the baseline: part of the difference may come from the question."))
	}
	return strings.Join(out, " ")
}

// unscored says that there is a later form than the latest score.
func (j verdict) unscored() string {
	last := j.tr.Points[len(j.tr.Points)-1]
	if last.Total != nil {
		return ""
	}
	return j.T("The last form, of %s, has no total: this is about the score before it.", j.day(last.At))
}

// rules names the thresholds that were used.
func (j verdict) rules() string {
	r := j.tr.Rules
	if r.Set == "" {
		return ""
	}
	out := []string{r.Set + " " + r.Version}
	add := func(said string, n *float64) {
		if n != nil {
			out = append(out, j.T(said, j.exact(*n)))
		}
	}
	add(word("reliable change: %s points or more"), r.ReliableChange)
	add(word("response: %s percent or more"), r.ResponsePercent)
	add(word("partial response: %s percent or more"), r.PartialPercent)
	add(word("remission: below %s"), r.RemissionBelow)
	if j.tr.Direction == trajectory.HigherIsBetter {
		add(word("a case: %s or less"), r.Caseness)
	} else {
		add(word("a case: %s or more"), r.Caseness)
	}
	add(word("recovered: %s or less"), r.RecoveredAtMost)
	return strings.Join(out, " · ")
}

// A drawing is how the pictures of a page are made.
type drawing struct {
	theme         chart.Theme
	width, height float64 // 0: the usual
	most          int     // scores of each; 0: all
}

// standings are where a client stands on every instrument that they have, first
// the one that they have most of; of two alike, the one that asks about safety.
// All pictures share one axis of time.
func (t tongue) standings(d *dossier, how drawing) []standing {
	var all []verdict
	var shown []care.Trajectory
	for _, tr := range d.trajectories {
		shown = append(shown, lately(tr, how.most))
		all = append(all, verdict{tongue: t, client: d.client, tr: tr, shown: shown[len(shown)-1], def: definitionOf(d.defs, tr.Instrument)})
	}
	slices.SortStableFunc(all, func(a, b verdict) int {
		return cmp.Or(cmp.Compare(len(b.tr.Points), len(a.tr.Points)), cmp.Compare(b.flagRules(), a.flagRules()))
	})
	o := picture.Options{Width: how.width, Height: how.height}
	o.From, o.To = picture.Span(shown...)
	out := make([]standing, len(all))
	for i, j := range all {
		out[i] = j.standing()
		out[i].Picture, out[i].Older = j.picture(how.theme, o), len(j.tr.Points)-len(j.shown.Points)
	}
	return out
}

// flagRules are how many rules of the instrument look at single answers.
func (j verdict) flagRules() int {
	if j.def == nil {
		return 0
	}
	return len(j.def.Flags)
}

// lately is a trajectory with its last scores only, and the sessions since.
// What it says of the whole stays.
func lately(tr care.Trajectory, most int) care.Trajectory {
	if most == 0 || len(tr.Points) <= most {
		return tr
	}
	tr.Points = tr.Points[len(tr.Points)-most:]
	since := tr.Points[0].At
	i := slices.IndexFunc(tr.Sessions, func(s trajectory.SessionChange) bool { return !s.At.Before(since) })
	if i < 0 {
		i = len(tr.Sessions)
	}
	tr.Sessions = tr.Sessions[i:]
	return tr
}
