package cohort

import (
	"math"
	"strings"
)

// witness is a person in a figure: what the figure looks at, and the data that
// it counts, which are the zero Score's where there is none.
type witness[K comparable] struct {
	kind     K
	from, to Datum
}

// person is that somebody was counted, whatever their data.
func (w witness[K]) person() Datum { return Datum{Person: w.from.Person} }
func (w witness[K]) first() Datum  { return w.from }
func (w witness[K]) then() Datum   { return w.to }

// witnesses are the people of a tally.
type witnesses[K comparable] []witness[K]

// add keeps who was counted, unless nobody asks for it.
func (ws *witnesses[K]) add(kind K, c Case, from, to Score) {
	if c.Unwitnessed {
		return
	}
	*ws = append(*ws, witness[K]{
		kind: kind,
		from: Datum{Person: c.Person, ID: from.ID, Version: from.Version},
		to:   Datum{Person: c.Person, ID: to.ID, Version: to.Version},
	})
}

// bases are those of the numbers that are shown, all of one measure.
func (ws witnesses[K]) bases(measure string, datum func(witness[K]) Datum, may shown, numbers ...counted[K]) []Basis {
	var out []Basis
	for _, number := range numbers {
		if !may[number.name] {
			continue
		}
		b := Basis{Measure: measure}
		for _, w := range ws {
			if number.in(w.kind) {
				b.Data = append(b.Data, datum(w))
			}
		}
		out = append(out, b)
	}
	return out
}

// MeasurePeople is how many people there are, whatever is known of them.
const MeasurePeople = "people"

func measureScored(what, place string) string { return what + " scored at " + place }

// slide is how many days the windows have that count as one place.
const slide = 28

// places name a time-point so that those have a name in common which can be slid
// against each other: windows of days less than half a slide apart do.
func (p TimePoint) places() []string {
	if p.Kind != AtDays {
		return []string{p.String()}
	}
	name := func(offset float64) string {
		t := TimePoint{Kind: AtDays, Days: math.Floor((p.Days+offset)/slide)*slide - offset, Within: slide}
		return "about " + t.String()
	}
	return []string{name(0), name(slide / 2)}
}

// flowBases are those of a flow of pairs.
func flowBases(what string, q Comparison, ws witnesses[place], numbers []counted[place], may shown) []Basis {
	var out []Basis
	add := func(p TimePoint, scored bool, datum func(witness[place]) Datum, number counted[place]) {
		for _, at := range p.places() {
			measure := what + " " + number.name + " at " + at
			if scored {
				measure = measureScored(what, at)
			}
			out = append(out, ws.bases(measure, datum, may, number)...)
		}
	}
	for _, number := range numbers {
		switch {
		case number.name == countEnrolled || number.name == countTreated:
			out = append(out, ws.bases(MeasurePeople, witness[place].person, may, number)...)
		case number.name == countPaired:
			add(q.From, true, witness[place].first, number)
			add(q.To, true, witness[place].then, number)
		case number.name == countWithFrom:
			add(q.From, true, witness[place].first, number)
		case number.name == countWithTo:
			add(q.To, true, witness[place].then, number)
		case strings.HasPrefix(number.name, toName("")):
			add(q.To, false, witness[place].person, number)
		case strings.HasPrefix(number.name, fromName("")):
			add(q.From, false, witness[place].person, number)
		default: // of those with a score at from
			add(q.From, false, witness[place].first, number)
		}
	}
	return out
}
