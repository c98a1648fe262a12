package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/protrack/protrack/pkg/trajectory"
)

// verdict says in a few sentences whether it worked, how fast, and for how
// long, and by which rules that is said.
func (v *pictureView) verdict() []string {
	var out []string
	for _, paragraph := range []string{v.outcome(), v.saw(), v.safety()} {
		if paragraph != "" {
			out = append(out, pictureWrap(strings.Fields(paragraph), " ", v.Width)...)
		}
	}
	if basis := v.basis(); basis != "" {
		out = append(append(out, ""), pictureWrap(strings.Fields(basis), " ", v.Width)...)
	}
	return out
}

// outcome is the answer to the clinician's three questions.
func (v *pictureView) outcome() string {
	base, latest := v.tr.Baseline, v.tr.Latest
	switch {
	case base == nil:
		return v.tr.BaselineNote + " There is nothing to judge yet."
	case !v.compared():
		return fmt.Sprintf("The only score that counts is %s: there is nothing to compare it with yet.", v.score(base))
	}
	sentences := []string{
		fmt.Sprintf("%s went from %s to %s %s: %s.", v.Instrument.Title, v.score(base), v.score(latest), v.when(latest.At), v.difference()),
		v.judgement(), v.speed(), v.durability(),
	}
	return strings.Join(sentences, " ")
}

// compared reports whether there is a score to compare with the baseline.
func (v *pictureView) compared() bool {
	return v.tr.Baseline != nil && v.tr.Status.Change != nil
}

func (v *pictureView) score(m *trajectory.Mark) string {
	if m.Severity == nil {
		return pictureNumber(m.Total)
	}
	return pictureNumber(m.Total) + " (" + v.band(m.Severity) + ")"
}

// when names a day as the chart does, or a date where no dose was given.
func (v *pictureView) when(at time.Time) string {
	if day, ok := v.day(at); ok {
		return fmt.Sprintf("on day %d", day)
	}
	return "on " + v.date(at)
}

// after adds to a day how many doses it took.
func (v *pictureView) after(at time.Time) string {
	if n := v.dosesUntil(at); n > 0 {
		return v.when(at) + " (after " + picturePlural(n, "dose") + ")"
	}
	return v.when(at)
}

func (v *pictureView) difference() string {
	s := v.tr.Status
	if *s.Change == 0 {
		return "no difference"
	}
	way := "less"
	if *s.Change > 0 {
		way = "more"
	}
	size := strings.TrimLeft(pictureSigned(*s.Change, "%.1f"), "+-")
	unit := "points"
	if size == "1" {
		unit = "point"
	}
	if s.PercentChange == nil {
		return size + " " + unit + " " + way
	}
	return fmt.Sprintf("%s %s or %s %% %s", size, unit, strings.TrimLeft(pictureSigned(*s.PercentChange, "%.0f"), "+-"), way)
}

// wasCase reports whether there was something to respond, remit or relapse
// from; true where the rules have no caseness.
func (v *pictureView) wasCase() bool {
	c := v.tr.Status.BaselineCase
	return c == nil || *c
}

// judgement puts the verdicts at the latest score into one sentence.
func (v *pictureView) judgement() string {
	s := v.tr.Status
	if s.Reliable == nil {
		return "The rules do not say whether that is more than measurement error."
	}
	switch *s.Reliable {
	case trajectory.Deteriorated:
		return "That is a reliable worsening."
	case trajectory.Unchanged:
		return fmt.Sprintf("That is within measurement error (less than %s points).", pictureNumber(*v.tr.Rules.ReliableChange))
	}
	if !v.wasCase() {
		return "That is a reliable improvement, in a client who was no case at the baseline."
	}
	parts := []string{"a reliable improvement"}
	if s.Response != nil && *s.Response == trajectory.ResponseFull {
		parts = append(parts, "a response")
	}
	if s.Remission != nil && *s.Remission && s.FirstRemissionAt != nil { // not where the baseline was in remission
		parts = append(parts, "a remission")
	} else if s.Recovery != nil && *s.Recovery {
		parts = append(parts, "a recovery")
	}
	if len(parts) > 1 {
		return "That is " + strings.Join(parts[:len(parts)-1], ", ") + " and " + parts[len(parts)-1] + "."
	}
	if s.Response != nil && *s.Response == trajectory.ResponsePartial {
		return "That is a reliable improvement, and part of a response."
	}
	return "That is a reliable improvement, and not a response."
}

// speed says when each step was first seen.
func (v *pictureView) speed() string {
	s := v.tr.Status
	type step struct {
		name string
		at   *time.Time
	}
	steps := []step{{"a reliable improvement", s.FirstReliableAt}}
	if v.wasCase() {
		steps = append(steps, step{"a response", s.FirstResponseAt}, step{"a remission", s.FirstRemissionAt})
	}
	var parts []string
	for _, step := range steps {
		if step.at != nil {
			parts = append(parts, step.name+" "+v.after(*step.at))
		}
	}
	if len(parts) == 0 {
		return "A reliable improvement was not seen at any score."
	}
	return "First seen: " + strings.Join(parts, "; ") + "."
}

// durability says how long the gain was held, in the words of the definition
// of relapse that was used.
func (v *pictureView) durability() string {
	s := v.tr.Status
	gain := map[trajectory.RelapseDefinition]string{
		trajectory.RelapseCasenessAfterRemission: "remission",
		trajectory.RelapseReliableWorsening:      "reliable improvement",
	}[v.tr.Relapse.Definition]
	if gain == "" {
		gain = "response"
	}
	switch {
	case !v.tr.Relapse.Judged:
		return v.tr.Relapse.Words
	case s.DaysHeld == nil:
		return "There was no " + gain + " to hold."
	case s.HeldCensored && *s.DaysHeld < 1:
		return "The " + gain + " is as young as the latest score: how long it holds is not known."
	case s.HeldCensored:
		return fmt.Sprintf("The %s was held at every score since, for %s up to the latest one.", gain, picturePlural(int(*s.DaysHeld+0.5), "day"))
	}
	lost := fmt.Sprintf("The %s was first lost after %s, %s", gain, picturePlural(int(*s.DaysHeld+0.5), "day"), v.when(*s.RelapsedAt))
	if s.Regained {
		return lost + "; it is there again at the latest score."
	}
	return lost + "; it is not there at the latest score."
}

// saw says what goes with a dose and what comes back before the next, and how
// far the two forms around a dose asked about the same days: most of such a
// change is not about new days.
func (v *pictureView) saw() string {
	across, between, overlap := pictureMean{}, pictureMean{}, pictureMean{}
	for _, d := range v.doses {
		across.add(d.Change, d.Excluded)
		overlap.add(d.RecallOverlap, d.Excluded)
		between.add(d.SincePreviousAfter, d.SincePreviousExcluded)
	}
	if across.n == 0 {
		return ""
	}
	out := fmt.Sprintf("From before to after a dose the score moved by %s points on average (n = %d%s)", across, across.n, overlap.days())
	if between.n > 0 {
		out += fmt.Sprintf(", and from there to the next dose by %s (n = %d)", between, between.n)
	}
	return out + "."
}

// pictureMean is a mean of the differences that can be said.
type pictureMean struct {
	sum float64
	n   int
}

func (m *pictureMean) add(x *float64, excluded bool) {
	if x != nil && !excluded {
		m.sum, m.n = m.sum+*x, m.n+1
	}
}

// days puts a mean overlap into words; "" where none is known.
func (m pictureMean) days() string {
	if m.n == 0 {
		return ""
	}
	return fmt.Sprintf("; such pairs share %.0f %% of the days they ask about", 100*m.sum/float64(m.n))
}

func (m pictureMean) String() string { return pictureSigned(m.sum/float64(m.n), "%.1f") }

// safety says what the flagged item showed. A zero, or silence, is never
// worded as safety.
func (v *pictureView) safety() string {
	name := v.flagged()
	if name == "" || len(v.tr.Points) == 0 {
		return ""
	}
	raised, silent := 0, 0
	var last time.Time
	for _, p := range v.tr.Points {
		switch v.alarm(p) {
		case '!':
			raised, last = raised+1, p.At
		case '?':
			silent++
		}
	}
	name = strings.ToUpper(name[:1]) + name[1:]
	out := fmt.Sprintf("%s was flagged on %d of %s", name, raised, picturePlural(len(v.tr.Points), "form"))
	if raised > 0 {
		out += ", last " + v.when(last)
	}
	if silent > 0 {
		out += fmt.Sprintf(", and not answered on %d", silent)
	}
	return out + ". A form without a flag is no all-clear: ask."
}

// basis names the rules, the baseline and the numbers behind the verdict.
func (v *pictureView) basis() string {
	if !v.compared() {
		return ""
	}
	n := fmt.Sprintf("n = %s", picturePlural(v.tr.Status.NScored, "score"))
	if v.tr.Status.NMissing > 0 {
		n += fmt.Sprintf(" (%s without a total)", picturePlural(v.tr.Status.NMissing, "form"))
	}
	rules := "no rule set"
	if r := v.tr.Rules; r.Set != "" {
		rules = strings.TrimSpace("rule set " + r.Set + " " + r.Version)
	}
	out := fmt.Sprintf("Judged by %s against %s; %s of one client, which cannot show what caused the change.", rules, v.tr.Baseline.Words, n)
	if v.tr.Rules.Source != "" {
		out += " Source: " + strings.TrimSuffix(v.tr.Rules.Source, ".") + "."
	}
	return out
}
