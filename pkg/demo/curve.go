package demo

import (
	"time"

	"github.com/protrack/protrack/pkg/care"
)

// saw is how a client responds to doses. Each dose closes a share of the
// distance to a target; until the next, a part of that is lost again. What
// comes of it is the sawtooth that flattens as the target comes near.
type saw struct {
	target float64 // of the baseline: 0.2 is 80 % less
	gain   float64 // share of the distance that a dose closes
	loss   float64 // share of a dose's effect that is gone before the next
	from   int     // the first dose that works, from 0
}

// saw draws the response that the plot asks for, with the baseline total to
// which a remission is relative.
func (a *author) saw(plot Plot, baseline int) saw {
	points := func(n float64) float64 { return n / float64(baseline) }
	switch plot {
	case Typical:
		return saw{target: points(3), gain: 0.44, loss: 0.4}
	case Remitter:
		return saw{target: points(a.within(1, 3.5)), gain: a.within(0.45, 0.65), loss: a.within(0.2, 0.45)}
	case LateResponder:
		target := a.within(0.3, 0.42)
		if a.lateRemission() {
			target = points(3)
		}
		return saw{target: target, gain: a.within(0.6, 0.75), loss: a.within(0.1, 0.25), from: 3}
	case Partial:
		return saw{target: a.within(0.58, 0.68), gain: a.within(0.4, 0.6), loss: a.within(0.4, 0.6)}
	case NonResponder:
		return saw{target: a.within(0.8, 0.95), gain: 0.6, loss: a.within(0.8, 1)}
	case Relapser: // clearly well before it is lost
		return saw{target: a.within(0.22, 0.34), gain: a.within(0.55, 0.7), loss: a.within(0.1, 0.3)}
	case Worsened:
		return saw{target: 1.5, gain: a.within(0.3, 0.4), loss: 0}
	default: // Responder, Returner
		return saw{target: a.within(0.33, 0.43), gain: a.within(0.5, 0.65), loss: a.within(0.25, 0.45)}
	}
}

// lateRemission reports whether a late responder goes all the way.
func (a *author) lateRemission() bool { return a.part.plot == LateResponder && a.part.ordinal < 2 }

// occasions lists when the client fills in forms, and how ill they are then.
func (a *author) occasions(t treatment, doses []care.Session, s saw) []occasion {
	ahead := a.between(1, 14)
	if t.plot == Typical {
		ahead = 6
	}
	out := []occasion{{
		timing: care.AtBaseline, level: 1,
		at: t.firstDose.AddDate(0, 0, -ahead).Add(time.Duration(a.between(-90, 300)) * time.Minute),
	}}
	complete := !t.ongoing && len(doses) == t.given
	level := 1.0
	for i, d := range doses {
		id := new(d.ID)
		out = append(out, occasion{
			timing: care.BeforeIt, session: id, level: level, dose: i,
			at: d.StartedAt.Add(-time.Duration(a.between(15, 80)) * time.Minute),
		})
		effect := 0.03 * (level - s.target)
		if i >= s.from {
			effect = s.gain * (level - s.target)
		}
		out = append(out, occasion{
			timing: care.AfterIt, session: id, level: level - effect, dose: i + 1,
			at:      d.StartedAt.Add(day + time.Duration(a.between(-120, 200))*time.Minute),
			settled: complete && i == len(doses)-1,
		})
		level -= effect * (1 - s.loss)
	}
	if complete && len(doses) > 0 {
		out = append(out, a.followUps(t, doses[len(doses)-1], s)...)
	}
	return out
}

// followUps come 1, 3 and 6 months after the last dose, as far as the client
// still answers. A relapser has lost the gain at the second of them, or at the
// first if there is no other.
func (a *author) followUps(t treatment, last care.Session, s saw) []occasion {
	var out []occasion
	for i := range t.followUps {
		months := []int{30, 91, 182}[i]
		o := occasion{
			timing: care.AtFollowUp, dose: t.given, settled: true,
			at:    last.StartedAt.AddDate(0, 0, months+a.between(-3, 4)).Add(time.Duration(a.between(-60, 400)) * time.Minute),
			level: s.target + a.within(0, 0.06),
		}
		if t.plot == Relapser && i >= min(t.followUps-1, 1) {
			o.level, o.lost = a.within(0.75, 1), true
		}
		out = append(out, o)
	}
	return out
}

// bounds keep chance from spoiling the plot: the least and the greatest PHQ-9
// total that an occasion may have.
func (a *author) bounds(plot Plot, baseline int, o occasion) (lo, hi int) {
	half := baseline / 2
	switch {
	case plot == Partial && o.settled:
		return half + 1, max(half+1, min(baseline*3/4, baseline-6)) // mostly reliable, too
	case plot == Partial:
		return half + 1, 27
	case plot == NonResponder:
		return max(baseline*3/4+1, baseline-5), min(baseline+4, 27)
	case !o.settled:
		return 0, 27
	case o.lost:
		return max(10, half+1), 27
	case plot == Worsened:
		return min(baseline+6, 27), 27
	case plot == Remitter, plot == Typical, a.lateRemission():
		return 0, 4
	}
	return 5, half
}
