package demo_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/demo"
	"github.com/protrack/protrack/pkg/instrument"
)

// scored scores a form with the embedded library.
func scored(t *testing.T, lib *instrument.Library, a care.Assessment) instrument.Score {
	t.Helper()
	def, err := lib.Get(a.Instrument)
	if err != nil {
		t.Fatal(err)
	}
	score, err := def.Score(instrument.Input{Answers: a.Answers, Declined: a.Declined, Total: a.Total, Policy: a.MissingPolicy})
	if err != nil {
		t.Fatalf("%s: %v", a.Instrument, err)
	}
	return score
}

// answersOf opens what cmp and every printer see as ***.
func answersOf(stories []demo.Story) map[string]map[string]int {
	out := map[string]map[string]int{}
	add := func(key string, a care.Assessment) {
		out[key] = map[string]int{}
		for item, v := range a.Answers {
			out[key][item] = *v
		}
	}
	for _, s := range stories {
		for _, a := range s.Assessments {
			add(a.ID.String(), a)
		}
		for _, c := range s.Corrections {
			if c.Amended != nil {
				add(c.ID.String()+" amended", *c.Amended)
			}
		}
	}
	return out
}

// move shifts every date of a story.
func move(s demo.Story, by time.Duration) demo.Story {
	day := func(d care.Date) care.Date {
		at, _ := time.Parse(time.DateOnly, string(d))
		return care.Date(at.Add(by).Format(time.DateOnly))
	}
	s.Enrolled = s.Enrolled.Add(by)
	for i := range s.Courses {
		c := &s.Courses[i]
		c.StartedOn = day(c.StartedOn)
		if c.EndedOn != nil {
			c.EndedOn = new(day(*c.EndedOn))
		}
	}
	for i := range s.Sessions {
		ses := &s.Sessions[i]
		ses.StartedAt, ses.EndedAt = ses.StartedAt.Add(by), new(ses.EndedAt.Add(by))
	}
	for i := range s.Assessments {
		s.Assessments[i].CompletedAt = s.Assessments[i].CompletedAt.Add(by)
	}
	for i := range s.Corrections {
		c := &s.Corrections[i]
		c.At = c.At.Add(by)
		if c.Amended != nil {
			c.Amended.CompletedAt = c.Amended.CompletedAt.Add(by)
		}
	}
	for i := range s.Consents {
		s.Consents[i].At = s.Consents[i].At.Add(by)
	}
	return s
}

// datesOf lists what happened when.
func datesOf(s demo.Story) map[string]time.Time {
	out := map[string]time.Time{}
	for i, c := range s.Courses {
		start, _ := time.Parse(time.DateOnly, string(c.StartedOn))
		out[fmt.Sprintf("the day of course %d", i)] = start.Add(24*time.Hour - time.Second)
	}
	for i, ses := range s.Sessions {
		out[fmt.Sprintf("session %d", i)] = ses.StartedAt
		out[fmt.Sprintf("the end of session %d", i)] = *ses.EndedAt
	}
	for i, a := range s.Assessments {
		out[fmt.Sprintf("%s %d", a.Instrument, i)] = a.CompletedAt
	}
	for i, c := range s.Corrections {
		out[fmt.Sprintf("correction %d", i)] = c.At
	}
	for i, c := range s.Consents {
		out[fmt.Sprintf("consent %d", i)] = c.At
	}
	return out
}
