package picture

import (
	"strings"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/chart"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/trajectory"
)

// points are those of the trajectory, the last ones where there are too many.
func (j join) points() []chart.Point {
	points := j.t.Points
	if j.o.Most > 0 && len(points) > j.o.Most {
		points = points[len(points)-j.o.Most:]
	}
	out := make([]chart.Point, len(points))
	for i, p := range points {
		c := chart.Point{At: p.At, Total: p.Total, Timing: chart.Timing(p.Timing), Excluded: p.Excluded, Label: j.point(p)}
		if p.SessionID != nil {
			c.Session = p.SessionID.String()
		}
		detail := j.t.Details[p.AssessmentID]
		c.Flagged, c.FlagLabel, c.Missing = j.flags(detail)
		out[i] = c
	}
	return out
}

// point is what a reader is told of an assessment.
func (j join) point(p trajectory.Point) string {
	out := j.day(p.At) + " " + p.At.In(j.o.Zone).Format("15:04") + ", " + j.timing(p) + ": "
	if p.Total == nil {
		return out + j.say("no score")
	}
	if *p.Total == 1 {
		out += j.say("1 point")
	} else {
		out += j.say("%s points", j.number(*p.Total))
	}
	if band := j.band(p.Severity); band != "" {
		out += ", " + band
	}
	if p.Change != nil && *p.Change != 0 {
		out += "; " + j.say("%s from the baseline", j.signed(*p.Change))
	}
	if p.Excluded {
		out += "; " + j.say("left out of the comparison")
	}
	return out
}

// timing is when an assessment was taken, and at which session.
func (j join) timing(p trajectory.Point) string {
	if p.SessionNumber != nil && p.SessionKind != "" {
		of := j.kind(p.SessionKind, *p.SessionNumber)
		switch p.Timing {
		case trajectory.TimingBefore:
			return j.say("before %s", of)
		case trajectory.TimingAfter:
			return j.say("after %s", of)
		case trajectory.TimingBaseline, trajectory.TimingFollowUp:
		}
	}
	switch p.Timing {
	case trajectory.TimingBefore:
		return j.say("before a session")
	case trajectory.TimingAfter:
		return j.say("after a session")
	case trajectory.TimingBaseline:
		return j.say("at the baseline")
	case trajectory.TimingFollowUp:
	}
	return j.say("at follow-up")
}

// flags are what somebody must see of an assessment, and what is missing in it.
// An answer of 0 is neither, and is not said to be safe.
func (j join) flags(d care.PointDetail) (flagged bool, label, missing string) {
	for _, f := range d.Flags {
		item := f.Item[strings.LastIndexByte(f.Item, '_')+1:]
		switch {
		case f.Reason == instrument.Contradiction:
			missing = joined(missing, j.say("answers contradict one another"))
		case f.Level != nil:
			flagged, label = true, joined(label, j.say("item %s above 0", item))
		default:
			missing = joined(missing, j.say("item %s not answered", item))
		}
	}
	if d.Prorated {
		missing = joined(missing, j.say("answers missing, total scaled up"))
	}
	return flagged, label, missing
}

func joined(a, b string) string {
	switch a {
	case "":
		return b
	case b:
		return a
	}
	return a + "; " + b
}

func (j join) signed(f float64) string {
	if f < 0 {
		return "−" + j.number(-f)
	}
	return "+" + j.number(f)
}

// kind is a session by its kind and number.
func (j join) kind(kind string, number int) string {
	switch kind {
	case trajectory.KindPreparation:
		return j.say("preparation %d", number)
	case trajectory.KindDosing:
		return j.say("dose %d", number)
	case trajectory.KindIntegration:
		return j.say("integration %d", number)
	}
	return j.say("follow-up visit %d", number)
}

func (j join) route(r care.Route) string {
	switch r {
	case care.Intravenous:
		return j.say("intravenous")
	case care.Intramuscular:
		return j.say("intramuscular")
	case care.Subcutaneous:
		return j.say("subcutaneous")
	case care.Intranasal:
		return j.say("intranasal")
	case care.Sublingual:
		return j.say("sublingual")
	case care.Oral:
		return j.say("oral")
	}
	return string(r)
}

// summary says what there is to see, for who cannot see it.
func (j join) summary() string {
	if len(j.t.Points) == 0 {
		return j.say("There are no scores yet.")
	}
	s := j.t.Status
	said := []string{j.say("Scores: %d. Without a score: %d. From %s to %s.", s.NScored, s.NMissing, j.day(j.t.Points[0].At), j.day(j.t.Points[len(j.t.Points)-1].At))}
	if b := j.t.Baseline; b != nil {
		said = append(said, j.say("Baseline: %s.", j.mark(b)))
	}
	if l := j.t.Latest; l != nil {
		said = append(said, j.say("Latest: %s.", j.mark(l)))
	}
	if s.Change != nil {
		said = append(said, j.say("Change from the baseline: %s points.", j.signed(*s.Change)))
	}
	said = append(said, j.verdict(s.Summary))
	flagged := 0
	for _, p := range j.t.Points {
		if yes, _, _ := j.flags(j.t.Details[p.AssessmentID]); yes {
			flagged++
		}
	}
	if flagged > 0 {
		said = append(said, j.say("Forms with an answer that somebody must see: %d of %d.", flagged, len(j.t.Points)))
	}
	return strings.Join(said, " ")
}

func (j join) mark(m *trajectory.Mark) string {
	out := j.number(m.Total)
	if band := j.band(m.Severity); band != "" {
		out += " (" + band + ")"
	}
	return out
}

// verdict is the word of a caseload as a sentence.
func (j join) verdict(s trajectory.Summary) string {
	switch s {
	case trajectory.SummaryRelapsed:
		return j.say("A gain was lost and is not regained.")
	case trajectory.SummaryDeteriorated:
		return j.say("That is a reliable worsening.")
	case trajectory.SummaryRemission:
		return j.say("That is a remission.")
	case trajectory.SummaryResponse:
		return j.say("That is a response.")
	case trajectory.SummaryImproved:
		return j.say("That is a reliable improvement.")
	case trajectory.SummaryUnchanged:
		return j.say("That is no reliable change.")
	case trajectory.SummaryNotJudged:
		return j.say("The rules do not say whether that is more than measurement error.")
	case trajectory.SummaryBaselineOnly:
		return j.say("There is nothing later to compare with the baseline.")
	case trajectory.SummaryNoBaseline:
	}
	return j.say("There is no baseline to compare with.")
}
