package web

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/trajectory"
)

// scoreData is one assessment in the table below a picture.
type scoreData struct {
	Path            string
	At              time.Time // in the client's zone
	When            string    // before or after which session
	Total           *float64
	Severity        string
	Change, Percent *float64
	Missing         string          // what is missing, in words; empty: nothing that is known
	Items           []watchedAnswer // of the items that are looked at in each form
	Excluded        bool            // takes no part in the comparison
}

// watchedAnswer is what is known of an answer that somebody must look at.
type watchedAnswer struct {
	Text  string
	Alarm bool
}

// scores lists the assessments, the latest first, and the items that each is
// looked at for.
func (j verdict) scores() (items []string, out []scoreData) {
	watched := watchedItems(j.def)
	for _, item := range watched {
		items = append(items, itemNumber(item))
	}
	for _, p := range slices.Backward(j.shown.Points) {
		detail := j.tr.Details[p.AssessmentID]
		row := scoreData{
			Path: "/assessments/" + p.AssessmentID.String(), At: p.At.In(j.in()), When: j.when(p), Total: p.Total,
			Severity: bandOf(j.def, p.Severity), Change: p.Change, Percent: p.PercentChange, Missing: j.missing(p, detail), Excluded: p.Excluded,
		}
		for _, item := range watched {
			row.Items = append(row.Items, j.watched(item, detail.Flags))
		}
		out = append(out, row)
	}
	return items, out
}

// watchedItems are the items that raise a flag by themselves.
func watchedItems(def *instrument.Definition) []string {
	var out []string
	if def == nil {
		return nil
	}
	for _, rule := range def.Flags {
		if !slices.Contains(out, rule.Item) {
			out = append(out, rule.Item)
		}
	}
	return out
}

// itemNumber is the number of an item on its form: 9 of phq9_9.
func itemNumber(item string) string { return item[strings.LastIndexByte(item, '_')+1:] }

// watched says what a form answers to an item. Where the instrument flags every
// answer but 0, and silence too, no flag is a 0; otherwise it is not known here.
func (j verdict) watched(item string, flags []instrument.Flag) watchedAnswer {
	for _, f := range flags {
		if f.Item == item && f.Reason != instrument.Contradiction {
			return watchedAnswer{Text: j.flagged(f), Alarm: true}
		}
	}
	fromOne, silence := false, false
	for _, rule := range j.def.Flags {
		if rule.Item == item {
			fromOne = fromOne || rule.AtLeast != nil && *rule.AtLeast == 1
			silence = silence || rule.When != ""
		}
	}
	if fromOne && silence {
		return watchedAnswer{Text: "0"}
	}
	return watchedAnswer{Text: "–"}
}

// flagged is the answer that raised a flag, or why there is none.
func (t tongue) flagged(f instrument.Flag) string {
	switch {
	case f.Level != nil:
		return strconv.Itoa(*f.Level)
	case f.Reason == "declined":
		return t.T("declined")
	case f.Reason == "unknown":
		return t.T("not known")
	}
	return t.T("no answer")
}

// missing says what is missing in a form as far as its score tells.
func (j verdict) missing(p trajectory.Point, d care.PointDetail) string {
	contradicts := slices.ContainsFunc(d.Flags, func(f instrument.Flag) bool { return f.Reason == instrument.Contradiction })
	switch {
	case contradicts:
		return j.T("answers contradict one another")
	case p.Total == nil:
		return j.T("answers are missing, no total")
	case d.Prorated:
		return j.T("answers are missing, total scaled up")
	}
	return ""
}

// when says at which point of the treatment a form was filled in.
func (j verdict) when(p trajectory.Point) string {
	of := ""
	if p.SessionNumber != nil {
		of = j.sessionKind(p.SessionKind) + " " + strconv.Itoa(*p.SessionNumber)
	}
	switch p.Timing {
	case trajectory.TimingBefore:
		return j.T("Before: %s", of)
	case trajectory.TimingAfter:
		return j.T("After: %s", of)
	case trajectory.TimingBaseline:
		return j.T("Baseline")
	case trajectory.TimingFollowUp:
	}
	return j.T("Follow-up")
}

// sessionKind is a kind of session in words.
func (t tongue) sessionKind(kind string) string {
	for _, o := range kinds {
		if o.Value == kind {
			return t.T(o.Label)
		}
	}
	return kind
}

// An alarm is an answer, or the lack of one, that somebody must see.
type alarm struct {
	Path       string
	At         time.Time
	Instrument string
	Text       string
	Safety     bool // it is about the client's safety
}

// alarms are those of a client's forms: of the latest form of each instrument,
// and of those before.
func (t tongue) alarms(client care.Client, all []care.Trajectory, defs []*instrument.Definition) (now, earlier []alarm) {
	for _, tr := range all {
		j := verdict{tongue: t, client: client, tr: tr, def: definitionOf(defs, tr.Instrument)}
		for i, p := range tr.Points {
			for _, f := range tr.Details[p.AssessmentID].Flags {
				a := alarm{
					Path: "/assessments/" + p.AssessmentID.String(), At: p.At.In(j.in()), Instrument: j.title(),
					Text: t.alarmText(j.def, f), Safety: warn(t, f, 0).Alarm,
				}
				if i == len(tr.Points)-1 {
					now = append(now, a)
				} else {
					earlier = append(earlier, a)
				}
			}
		}
	}
	latestFirst := func(a, b alarm) int { return b.At.Compare(a.At) }
	slices.SortStableFunc(now, latestFirst)
	slices.SortStableFunc(earlier, latestFirst)
	return now, earlier
}

// alarmText says what was answered, in the words of the instrument.
func (t tongue) alarmText(def *instrument.Definition, f instrument.Flag) string {
	n := itemNumber(f.Item)
	switch {
	case f.Reason == instrument.Contradiction:
		return t.T("Two answers contradict each other")
	case f.Level == nil && f.Reason == "declined":
		return t.T("Item %s: the client declined to answer", n)
	case f.Level == nil && f.Reason == "unknown":
		return t.T("Item %s is not known: only a total was recorded", n)
	case f.Level == nil:
		return t.T("Item %s has no answer", n)
	}
	said := strconv.Itoa(*f.Level)
	if text := optionText(def, f.Item, *f.Level); text != "" {
		said += ", " + text
	}
	return t.T("Item %s was answered above 0: %s", n, said)
}

// optionText is the wording of an answer; empty where it is not known or not
// free.
func optionText(def *instrument.Definition, id string, value int) string {
	if def == nil {
		return ""
	}
	for _, item := range def.Items {
		if item.ID != id {
			continue
		}
		for _, o := range def.Options(item) {
			if o.Value == value {
				return o.Text
			}
		}
	}
	return ""
}
