//go:build unix

package research_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/research"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// TestTheLongShapeHoldsTheSameAnswers compares the two shapes of random clinics.
func TestTheLongShapeHoldsTheSameAnswers(t *testing.T) {
	sequences(t, storetest.Size(8, 100))
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		rapid.Check(t, func(rt *rapid.T) {
			c := newStudy(t, d)
			ids := []string{"phq-9", "audit-c", "pcl-5", "gad-2"}
			for range rapid.IntRange(1, 4).Draw(rt, "people") {
				p := c.person(rt, care.Client{})
				for range rapid.IntRange(0, 4).Draw(rt, "forms") {
					c.record(rt, randomForm(rt, p, rapid.SampledFrom(ids).Draw(rt, "instrument")))
				}
			}
			profile := rapid.SampledFrom(research.Profiles()).Draw(rt, "profile")
			broad := c.read(rt, research.Request{Profile: profile})
			long := c.read(rt, research.Request{Profile: profile, Shape: research.Long})
			if d := cmp.Diff(answersOf(broad), long.texts("assessment_id", "client", "completed_at", "item", "value", "missing_reason")); d != "" {
				rt.Fatalf("answers (-assessment +long):\n%s", d)
			}
		})
	})
}

func randomForm(rt *rapid.T, p care.Client, id string) care.Assessment {
	a := form(p.ID, id, day(rapid.IntRange(0, 100).Draw(rt, "day")), 0)
	if id == "gad-2" && rapid.Bool().Draw(rt, "total only") {
		a.Answers, a.Total = nil, new(3.0)
		return a
	}
	def, _ := instrument.Embedded().Get(id)
	for _, item := range def.Items[1:] { // a form without any answer is refused
		options := def.Options(item)
		switch rapid.IntRange(0, 9).Draw(rt, item.ID) {
		case 0:
			delete(a.Answers, item.ID)
		case 1:
			a.Answers[item.ID] = nil
		case 2:
			delete(a.Answers, item.ID)
			a.Declined = append(a.Declined, item.ID)
		default:
			a.Answers[item.ID] = new(rapid.SampledFrom(options).Draw(rt, "option").Value)
		}
	}
	return a
}

// answersOf are the answers in the shape assessment as the shape long has them.
func answersOf(f file) []string {
	out := []string{}
	about := f.texts("assessment_id", "client", "completed_at")
	for i, row := range f.rows {
		for j, c := range f.Columns {
			if c.Instrument == "" || len(c.Codes) == 0 || row[j].Missing == export.NotIncluded {
				continue
			}
			out = append(out, fmt.Sprint(about[i], " ", c.Name, " ", cellText(c, row[j]), " ", row[j].Missing))
		}
	}
	return out
}
