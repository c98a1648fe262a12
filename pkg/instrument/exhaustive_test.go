package instrument_test

import (
	"testing"

	"github.com/protrack/protrack/pkg/instrument"
)

// odometer calls visit with every form of n answers 0 to 3.
func odometer(n int, visit func(v []int)) {
	v := make([]int, n)
	for {
		visit(v)
		i := 0
		for ; i < n && v[i] == 3; i++ {
			v[i] = 0
		}
		if i == n {
			return
		}
		v[i]++
	}
}

// reuse answers the items of one map in place, for speed.
func reuse(prefix string, n int) (instrument.Answers, []int) {
	v := make([]int, n)
	a := fill(prefix, v...)
	for id := range a {
		a[id] = &v[id[len(id)-1]-'1'] // both prefixes have fewer than ten items
	}
	return a, v
}

// naivePHQ9 is written from the published rules alone (Kroenke 2001 bands,
// CamCOPS algorithm), with nothing of the package under test.
func naivePHQ9(v []int) (total int, band, syndrome string) {
	symptoms := 0
	for i, x := range v {
		total += x
		if x >= 2 || i == 8 && x == 1 {
			symptoms++
		}
	}
	switch {
	case total <= 4:
		band = "minimal"
	case total <= 9:
		band = "mild"
	case total <= 14:
		band = "moderate"
	case total <= 19:
		band = "moderately_severe"
	default:
		band = "severe"
	}
	syndrome = "none"
	if v[0] >= 2 || v[1] >= 2 {
		if symptoms >= 5 {
			syndrome = "major"
		} else if symptoms >= 2 {
			syndrome = "other"
		}
	}
	return total, band, syndrome
}

func TestEveryPHQ9Form(t *testing.T) {
	d := get(t, "phq-9")
	answers, cells := reuse("phq9", 9)
	n := 0
	odometer(9, func(v []int) {
		copy(cells, v)
		s, err := d.Score(instrument.Input{Answers: answers})
		if err != nil {
			t.Fatalf("%v: %v", v, err)
		}
		total, band, syndrome := naivePHQ9(v)
		if *s.Total != float64(total) || *s.Severity != band || s.Screens["depressive_syndrome"] != syndrome ||
			s.Screens["above_cutpoint"] != (total >= 10) {
			t.Fatalf("%v: %v %s %v, want %d %s %s", v, *s.Total, *s.Severity, s.Screens, total, band, syndrome)
		}
		if v[8] == 0 && len(s.Flags) != 0 || v[8] > 0 && (len(s.Flags) != 1 || *s.Flags[0].Level != v[8]) {
			t.Fatalf("%v: flags %v", v, s.Flags)
		}
		n++
	})
	if n != 262_144 {
		t.Errorf("%d forms, want 4^9", n)
	}
}

func TestEveryGAD7Form(t *testing.T) {
	d := get(t, "gad-7")
	answers, cells := reuse("gad7", 7)
	n := 0
	odometer(7, func(v []int) {
		copy(cells, v)
		s, err := d.Score(instrument.Input{Answers: answers})
		if err != nil {
			t.Fatalf("%v: %v", v, err)
		}
		total := 0
		for _, x := range v {
			total += x
		}
		band := []string{"minimal", "mild", "moderate", "severe", "severe"}[total/5] // Spitzer 2006: 5, 10, 15
		if *s.Total != float64(total) || *s.Severity != band || s.Screens["above_cutpoint"] != (total >= 10) || s.Flags != nil {
			t.Fatalf("%v: %v %s %v", v, *s.Total, *s.Severity, s.Screens)
		}
		n++
	})
	if n != 16_384 {
		t.Errorf("%d forms, want 4^7", n)
	}
}

func BenchmarkScore(b *testing.B) {
	for _, c := range []struct {
		id, prefix string
		n          int
	}{{"phq-9", "phq9", 9}, {"gad-7", "gad7", 7}, {"pcl-5", "pcl5", 20}} {
		b.Run(c.id, func(b *testing.B) {
			d, in := get(b, c.id), instrument.Input{Answers: fill(c.prefix, same(c.n, 2)...)}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Score(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
