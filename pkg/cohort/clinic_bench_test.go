package cohort_test

import (
	"fmt"
	"testing"

	"github.com/protrack/protrack/pkg/cohort"
)

// busyClinic are 5,000 people with 20 assessments each: six sessions with a before
// and an after, and what comes after them.
func busyClinic() []*person {
	var people []*person
	for i := range 5000 {
		p := someone(fmt.Sprint(i)).baseline(float64(8 + i%20))
		total := func(n int) float64 { return float64((i*7 + n*5) % 28) }
		for n := range 6 {
			at := float64(7 * n)
			p.before(n+1, at-0.1, total(n)).dosed(at).after(n+1, at+1, total(n+3))
		}
		for n := range 7 {
			p.later(float64(60+45*n), total(n))
		}
		people = append(people, p)
	}
	return people
}

// The figures of a clinic of 100,000 assessments.
func BenchmarkFigures(b *testing.B) {
	people := busyClinic()
	loss := responseOf("")
	loss.Event = cohort.EventLossOfResponse
	for name, compute := range map[string]func() error{
		"response": func() error { _, err := responseOf("").Compute(casesOf(people...)); return err },
		"loss":     func() error { _, err := loss.Compute(casesOf(people...)); return err },
		"flow":     func() error { _, err := cohort.FlowQuery{Instrument: "phq-9"}.Compute(casesOf(people...)); return err },
		"sessions": func() error {
			_, err := cohort.SessionsQuery{Instrument: "phq-9"}.Compute(casesOf(people...))
			return err
		},
		"expected": func() error {
			_, err := cohort.ExpectedQuery{Instrument: "phq-9"}.Compute(casesOf(people...))
			return err
		},
		"measures": func() error { _, err := cohort.MeasuresQuery{}.Compute(casesOf(people...)); return err },
		"withheld": func() error {
			f, err := cohort.FlowQuery{Instrument: "phq-9"}.Compute(casesOf(people...))
			f.Withheld(5)
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := compute(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
