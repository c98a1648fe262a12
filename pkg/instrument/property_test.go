package instrument_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
)

// drawForm draws a form of the instrument with some answers missing, or nil
// where none is given.
func drawForm(t *rapid.T, d *instrument.Definition) instrument.Answers {
	a := instrument.Answers{}
	for _, it := range d.Items {
		if rapid.IntRange(0, 5).Draw(t, "give "+it.ID) > 0 {
			options := d.Options(it)
			with(a, it.ID, options[rapid.IntRange(0, len(options)-1).Draw(t, it.ID)].Value)
		}
	}
	return a
}

func drawInput(t *rapid.T) (*instrument.Definition, instrument.Input) {
	d := rapid.SampledFrom(instrument.Embedded().All()).Draw(t, "instrument")
	return d, instrument.Input{
		Answers: drawForm(t, d),
		Policy:  rapid.SampledFrom([]instrument.MissingPolicy{"", instrument.Complete, instrument.Prorated}).Draw(t, "policy"),
		Sex:     rapid.SampledFrom([]instrument.Sex{"", "female", "male", "other", "unknown"}).Draw(t, "sex"),
	}
}

// A form that scores keeps its totals in range and its counts consistent, and
// scoring twice gives the same.
func TestScoresStayInsideTheScale(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, in := drawInput(t)
		s, err := d.Score(in)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%v", err)
			}
			return
		}
		if s.Total != nil && (*s.Total < d.Scoring.Min || *s.Total > d.Scoring.Max) {
			t.Fatalf("total %v outside %v to %v", *s.Total, d.Scoring.Min, d.Scoring.Max)
		}
		for _, sub := range d.Subscales {
			if v := s.Subscales[sub.ID]; v != nil && (*v < sub.Min || *v > sub.Max) {
				t.Fatalf("%s is %v", sub.ID, *v)
			}
		}
		if *s.ItemsMissing > 0 && s.Total != nil && !s.Prorated {
			t.Fatalf("%d items are missing, but the total is not called prorated", *s.ItemsMissing)
		}
		if (s.Severity == nil) != (s.Total == nil || len(d.Bands) == 0) {
			t.Fatalf("severity %s of total %s", text(s.Severity), number(s.Total))
		}
		again, _ := d.Score(in)
		if diff := cmp.Diff(s, again); diff != "" {
			t.Fatalf("scored twice:\n%s", diff)
		}
	})
}

// Whatever a missing answer turns out to be, nothing that was said changes:
// certain screens keep their result. (Not so for cut-points of prorated
// totals, which follow the total by design.)
func TestCertainScreensSurviveTheMissingAnswers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, in := drawInput(t)
		in.Policy = instrument.Complete
		before, err := d.Score(in)
		if err != nil {
			return
		}
		full := maps.Clone(in.Answers)
		for _, it := range d.Items {
			if full[it.ID] == nil && (d.Gate == nil || it.ID != d.Gate.Item) {
				options := d.Options(it)
				with(full, it.ID, options[rapid.IntRange(0, len(options)-1).Draw(t, "fill "+it.ID)].Value)
			}
		}
		// A man's item 4 of the PHQ-15 was not missing, so it was not bounded.
		if d.ID == "phq-15" && in.Sex == instrument.Male {
			return
		}
		in.Answers = full
		after, err := d.Score(in)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(after.Flags, func(f instrument.Flag) bool { return f.Code == instrument.ContradictsGate }) {
			return // a filled answer contradicts the gate
		}
		for id, was := range before.Screens {
			if was != nil && after.Screens[id] != was {
				t.Fatalf("%s was certainly %v and became %v", id, was, after.Screens[id])
			}
		}
		if before.Total != nil && *before.Total != *after.Total {
			t.Fatalf("a complete total %v became %v", *before.Total, *after.Total)
		}
	})
}

// A sum does not care which item got which answer.
func TestTheTotalDoesNotDependOnTheOrderOfAnswers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.SampledFrom([][2]string{{"phq-9", "phq9"}, {"gad-7", "gad7"}, {"pcl-5", "pcl5"}}).Draw(t, "instrument")
		d, _ := instrument.Embedded().Get(id[0])
		n := map[string]int{"phq-9": 9, "gad-7": 7, "pcl-5": 20}[id[0]]
		v := rapid.SliceOfN(rapid.IntRange(0, 3), n, n).Draw(t, "answers")
		w := rapid.Permutation(v).Draw(t, "permuted")
		a, errA := d.Score(instrument.Input{Answers: fill(id[1], v...)})
		b, errB := d.Score(instrument.Input{Answers: fill(id[1], w...)})
		if errA != nil || errB != nil || *a.Total != *b.Total || text(a.Severity) != text(b.Severity) {
			t.Fatalf("%v: %s, %v: %s", v, number(a.Total), w, number(b.Total))
		}
	})
}

// More points never give a lower total, fewer symptoms or a lower band.
func TestAWorseAnswerNeverLooksBetter(t *testing.T) {
	rank := map[any]int{"none": 0, "other": 1, "major": 2, false: 0, true: 1}
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SliceOfN(rapid.IntRange(0, 3), 9, 9).Draw(t, "answers")
		i := rapid.IntRange(0, 8).Draw(t, "item")
		if v[i] == 3 {
			return
		}
		w := slices.Clone(v)
		w[i]++
		d, _ := instrument.Embedded().Get("phq-9")
		a, _ := d.Score(instrument.Input{Answers: fill("phq9", v...)})
		b, _ := d.Score(instrument.Input{Answers: fill("phq9", w...)})
		if *b.Total != *a.Total+1 {
			t.Fatalf("%v then %v", *a.Total, *b.Total)
		}
		for id := range a.Screens {
			if rank[a.Screens[id]] > rank[b.Screens[id]] {
				t.Fatalf("%s went from %v to %v", id, a.Screens[id], b.Screens[id])
			}
		}
	})
}

// FuzzScore gives any answer to any item: no panic, and only Invalid errors.
func FuzzScore(f *testing.F) {
	f.Add("phq-9", "phq9_1", 2, "phq9_9", 14.0, uint8(0))
	f.Add("pc-ptsd-5", "pcptsd5_exposure", 0, "pcptsd5_1", 0.5, uint8(1))
	f.Add("audit-c", "auditc_1", -1, "", 1e300, uint8(7))
	f.Fuzz(func(t *testing.T, id, item string, value int, declined string, total float64, mode uint8) {
		d, err := instrument.Embedded().Get(id)
		if err != nil {
			return
		}
		in := instrument.Input{Answers: instrument.Answers{item: &value}}
		if mode&1 != 0 {
			in.Total = &total
		}
		if mode&2 != 0 {
			in.Declined = []string{declined}
		}
		if mode&4 != 0 {
			in.Policy = instrument.Prorated
		}
		if s, err := d.Score(in); err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatalf("%v", err)
		} else if err == nil && s.Instrument != id {
			t.Fatal("no instrument")
		}
	})
}

// FuzzParse feeds any bytes: no panic; what is accepted passes Check and
// scores a form of its own options.
func FuzzParse(f *testing.F) {
	for _, d := range instrument.Embedded().All() {
		f.Add(readDefinition(f, d.ID))
	}
	f.Add([]byte(`{"id":"x","id":"y"}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := instrument.Parse(data)
		if err != nil {
			if k := fault.KindOf(err); k != fault.Malformed && k != fault.Invalid && k != fault.TooLarge {
				t.Fatalf("kind %q of %v", k, err)
			}
			return
		}
		if err := d.Check(); err != nil {
			t.Fatalf("accepted, but %v", err)
		}
		a := instrument.Answers{}
		for _, it := range d.Items {
			with(a, it.ID, d.Options(it)[0].Value)
		}
		if _, err := d.Score(instrument.Input{Answers: a}); err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatal(err)
		}
	})
}
