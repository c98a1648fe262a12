// Package picture joins what the record says of a client to what a chart
// draws, for the JSON API and for the pages. It computes nothing clinical:
// every figure and verdict is that of the trajectory it is given.
package picture

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/chart"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/trajectory"
)

// Options are how a picture is asked for. The zero value is in UTC and in
// English, of everything that there is.
type Options struct {
	Zone   *time.Location // of the dates; nil: UTC
	Words  chart.Words    // nil: English
	Number func(float64) string
	// From and To are the ends of the axis of time. Pictures above one another
	// share them; see Span.
	From, To time.Time
	// Most bounds the points: the last so many are shown; 0: all.
	Most          int
	Width, Height float64 // 0: the usual
}

// Trajectory is the picture of a trajectory on an instrument. The definition
// gives the bands and the ends of the scale; nil: the instrument is no longer
// known, and the scores themselves are the scale. Of the sessions, those that
// the trajectory is about are shown with their doses; without sessions they are
// shown as the trajectory knows them.
func Trajectory(t care.Trajectory, def *instrument.Definition, sessions []care.Session, o Options) chart.Trajectory {
	j := join{t: t, def: def, o: o}
	if j.o.Zone == nil {
		j.o.Zone = time.UTC
	}
	if j.o.Number == nil {
		j.o.Number = plainNumber
	}
	out := chart.Trajectory{
		Title: t.Title, Summary: j.summary(), Lines: j.lines(), Points: j.points(), Sessions: j.sessions(sessions),
		From: o.From, To: o.To, Zone: o.Zone, Words: o.Words, Number: o.Number, Width: o.Width, Height: o.Height,
	}
	if out.Title == "" {
		out.Title = t.Instrument
	}
	out.Note = j.say("lower is better")
	if t.Direction == trajectory.HigherIsBetter {
		out.Note = j.say("higher is better")
	}
	if def != nil {
		if def.Measures != "" {
			out.Title += ", " + j.name(def.Measures)
		}
		out.Low, out.High = def.Scoring.Min, def.Scoring.Max
		out.Bands = j.bands()
	}
	return out
}

// Span is the time from the first to the last of what the trajectories show, so
// that their pictures can share an axis; zero times where they show nothing.
func Span(all ...care.Trajectory) (from, to time.Time) {
	var times []time.Time
	for _, t := range all {
		for _, p := range t.Points {
			times = append(times, p.At)
		}
		for _, s := range t.Sessions {
			times = append(times, s.At)
		}
	}
	if len(times) == 0 {
		return from, to
	}
	return slices.MinFunc(times, time.Time.Compare), slices.MaxFunc(times, time.Time.Compare)
}

// Zone is a client's zone by its name, or UTC where that is empty or unknown.
func Zone(name string) *time.Location {
	if zone, err := time.LoadLocation(name); err == nil {
		return zone
	}
	return time.UTC
}

// join is a trajectory on its way into a picture.
type join struct {
	t   care.Trajectory
	def *instrument.Definition
	o   Options
}

func (j join) say(english string, args ...any) string {
	if j.o.Words != nil {
		return j.o.Words(english, args...)
	}
	if len(args) == 0 {
		return english
	}
	return fmt.Sprintf(english, args...)
}

// name is a name of the definition, which is no format.
func (j join) name(text string) string {
	if j.o.Words != nil {
		return j.o.Words(text)
	}
	return text
}

func (j join) number(f float64) string { return j.o.Number(f) }

// day is a date in the zone of the picture.
func (j join) day(t time.Time) string { return chart.Day(t.In(j.o.Zone), j.o.Words) }

// bands are those of the definition, in words.
func (j join) bands() []chart.Band {
	out := make([]chart.Band, len(j.def.Bands))
	for i, b := range j.def.Bands {
		to := j.def.Scoring.Max
		if i+1 < len(j.def.Bands) {
			to = j.def.Bands[i+1].From
		}
		out[i] = chart.Band{From: b.From, To: to, Label: j.name(b.Label)}
	}
	return out
}

// band is what a severity is called.
func (j join) band(id *string) string {
	if id == nil {
		return ""
	}
	if j.def != nil {
		for _, b := range j.def.Bands {
			if b.ID == *id {
				return strings.ToLower(j.name(b.Label))
			}
		}
	}
	return strings.ReplaceAll(*id, "_", " ")
}

// lines are where remission begins and where a change from the baseline is more
// than measurement error, as far as the rules say.
func (j join) lines() []chart.Line {
	var out []chart.Line
	r, higher := j.t.Rules, j.t.Direction == trajectory.HigherIsBetter
	switch {
	case higher && r.Caseness != nil:
		out = append(out, chart.Line{At: *r.Caseness, Label: j.say("a case: %s or less", j.number(*r.Caseness))})
	case higher:
	case r.RemissionBelow != nil:
		out = append(out, chart.Line{At: *r.RemissionBelow, Kind: chart.Remission, Label: j.say("remission: below %s", j.number(*r.RemissionBelow))})
	case r.RecoveredAtMost != nil:
		out = append(out, chart.Line{At: *r.RecoveredAtMost, Label: j.say("recovered: %s or less", j.number(*r.RecoveredAtMost))})
	case r.Caseness != nil:
		out = append(out, chart.Line{At: *r.Caseness, Label: j.say("a case: %s or more", j.number(*r.Caseness))})
	}
	if j.t.Baseline == nil || r.ReliableChange == nil {
		return out
	}
	line := chart.Line{Kind: chart.ReliableChange, At: j.t.Baseline.Total - *r.ReliableChange}
	line.Label = j.say("reliably better: %s or less", j.number(line.At))
	if higher {
		line.At = j.t.Baseline.Total + *r.ReliableChange
		line.Label = j.say("reliably better: %s or more", j.number(line.At))
	}
	return append(out, line)
}

// sessions are those of the trajectory, with what was given where it is known.
func (j join) sessions(known []care.Session) []chart.Session {
	given := make(map[uuid.UUID]*care.Medicine, len(known))
	for _, s := range known {
		given[s.ID] = s.Medicine
	}
	out := make([]chart.Session, len(j.t.Sessions))
	for i, s := range j.t.Sessions {
		out[i] = chart.Session{ID: s.SessionID.String(), Kind: s.Kind, At: s.At, Short: strconv.Itoa(s.Number)}
		label := j.kind(s.Kind, s.Number)
		if m := given[s.SessionID]; m != nil {
			out[i].Dose = j.number(m.DoseMG)
			label += ", " + m.Substance + " " + j.say("%s mg", out[i].Dose) + " " + j.route(m.Route)
		}
		out[i].Label = j.day(s.At) + ": " + label
	}
	return out
}

func plainNumber(f float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(f, 'f', 1, 64), ".0")
}
