package demo

import (
	"strconv"

	"github.com/protrack/protrack/pkg/instrument"
)

// form is what the generator knows of an instrument: enough to answer it.
type form struct {
	instrument, prefix string
	most               int       // value of an item's highest option
	weights            []float64 // how readily each item is endorsed
	difficulty         bool      // has an item on function, outside of the total
}

// The weights follow what community samples answer: tiredness and sleep
// readily, being slowed seldom. Item 9 of the PHQ-9 has none: it is answered
// apart, see ideation.
var (
	phq9 = form{"phq-9", "phq9_", 3, []float64{1.1, 1.1, 1.3, 1.5, 0.9, 1, 0.9, 0.45, 0}, true}
	gad7 = form{"gad-7", "gad7_", 3, []float64{1.3, 1.1, 1.3, 1.1, 0.6, 0.9, 0.7}, true}
	pcl5 = form{"pcl-5", "pcl5_", 4, []float64{
		1, 0.8, 0.6, 1.1, 0.9, 1.1, 1, 0.5, 1.1, 0.9, 1.1, 1, 1.1, 0.9, 0.8, 0.4, 1.1, 1, 1.1, 1.2,
	}, false}
)

// habits are what stays the same in how a client answers.
type habits struct {
	tilt     [20]float64 // the client's own leaning to each item
	ideation int         // item 9 at the baseline
	coming   bool        // item 9 is above 0 only once things get worse
}

func (a *author) newHabits() habits {
	var h habits
	for i := range h.tilt {
		h.tilt[i] = a.within(0.5, 1.6)
	}
	switch chance := a.Float64(); {
	case a.part.plot == Typical:
		h.ideation = 1
	case a.part.plot == Worsened:
		h.coming = true
	case chance < 0.03:
		h.ideation = 3
	case chance < 0.1:
		h.ideation = 2
	case chance < 0.28:
		h.ideation = 1
	}
	return h
}

// thoughts is the answer to item 9 at a level of illness.
func (h habits) thoughts(level float64) int {
	switch {
	case h.coming && level > 1.3:
		return 2
	case h.coming && level > 1.15:
		return 1
	}
	return int(float64(h.ideation)*min(max((level-0.2)/0.8, 0), 1) + 0.5)
}

// answer fills a form so that its items add up to a total, point by point: the
// next point goes to an item by its weight and by the room that it has left.
func (a *author) answer(f form, total int, level float64) instrument.Answers {
	values := make([]int, len(f.weights))
	rest := total
	if f.instrument == phq9.instrument {
		item9 := min(a.habits.thoughts(level), total)
		item9 = max(item9, total-f.most*(len(values)-1)) // the others hold no more
		values[8], rest = item9, total-item9
	}
	for range rest {
		values[a.next(f, values)]++
	}
	out := make(instrument.Answers, len(values)+1)
	for i, v := range values {
		out[f.prefix+strconv.Itoa(i+1)] = new(v)
	}
	if f.difficulty && total > 0 {
		burden := 3*float64(total)/float64(f.most*len(values)) + 0.4*a.NormFloat64()
		out[f.prefix+"difficulty"] = new(min(max(int(burden+0.6), 0), 3))
	}
	return out
}

// next draws the item that takes the next point.
func (a *author) next(f form, values []int) int {
	share := make([]float64, len(values))
	sum := 0.0
	for i, v := range values {
		room := float64(f.most-v) / float64(f.most)
		share[i] = f.weights[i] * a.habits.tilt[i] * room
		sum += share[i]
	}
	draw := a.Float64() * sum
	last := 0
	for i, s := range share {
		if s == 0 {
			continue
		}
		last = i
		if draw < s {
			break
		}
		draw -= s
	}
	return last
}
