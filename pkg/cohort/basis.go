package cohort

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
		b := Basis{Measure: measure, Number: number.name}
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

// heads are the bases of numbers of people. All of an instrument, of whatever
// figure, are one measure: who is in one number and not in another is told by
// their difference, wherever the two are shown.
func (ws witnesses[K]) heads(instrument string, may shown, numbers ...counted[K]) []Basis {
	out := ws.bases(instrument+" people", witness[K].person, may, numbers...)
	for _, number := range numbers {
		if number.name == countEnrolled || number.name == countTreated || number.name == countEverybody { // of every instrument
			out = append(out, ws.bases(MeasurePeople, witness[K].person, may, number)...)
		}
	}
	for i := range out {
		out[i].Groups = true
	}
	return out
}
