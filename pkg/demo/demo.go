// Package demo writes a synthetic clinic that is worth looking at: sixty
// invented clients whose courses have the shapes, the proportions and the
// flaws that the field reports, so that every screen and every export has
// something true to show before the first real client is treated.
//
// It is pure. The same seed and the same week give the same clinic to the
// last byte; another week gives the same clinic, moved. Nobody in it exists.
//
// # Where the proportions come from
//
// About half respond and three in ten reach remission on the PHQ-9 (McInnes
// 2022: 53.6 and 28.9 %; Hull 2022: 62.8 and 32.6 %), some of them late (Hull:
// 9 % delayed), a few worsen. Four of five are lost at three months and
// nineteen of twenty at six (Yermus 2024: 346 and 94 of 1,806).
package demo

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
)

// Story is one invented client with all that was ever recorded of them.
type Story struct {
	Plot        Plot      // what it was written to show
	Enrolled    time.Time // when the clinic first heard of the client
	Client      care.Client
	Courses     []care.Course     // in order of start
	Sessions    []care.Session    // in order of start
	Assessments []care.Assessment // in order of completion, as first sent
	Corrections []Correction      // at most one an assessment
	Consents    []care.Consent    // to research, in order of time; most agree
}

// Correction is what the clinic found wrong with an assessment later. It is
// part of a story so that versions and as-of replays have something to show.
type Correction struct {
	At      time.Time
	ID      uuid.UUID        // of the assessment
	Amended *care.Assessment // as it should have been; nil: it is retracted
	Reason  care.Private
}

// Clinic writes the stories of the clinic, by reference, as seen at a time.
// All of it lies before the Monday (in UTC) of that week: within a week the
// clock changes nothing, and a week later everything has moved by a week,
// weekdays kept, with ages instead of years of birth kept too.
//
// Ids do not depend on the clock. To find a clinic again that is stored
// already, give the time at which it was founded.
func Clinic(seed uint64, now time.Time) []Story {
	stories := perform(seed, 0, now)
	for i := range stories {
		stories[i].Client.Reference = care.Private(fmt.Sprintf("P-%04d", i+1))
	}
	return stories
}

// Performances writes a clinic of any size: the stories of the clinic again and
// again, each time of other people by other chance, for four thousand million
// times. The first
// one is number from, counted from 0, and a performance is the same whichever
// was the first. Each is as Clinic's but for its references, which go on.
func Performances(seed uint64, from int, now time.Time) iter.Seq[[]Story] {
	return func(yield func([]Story) bool) {
		for n := from; n < math.MaxUint32; n++ {
			stories := perform(seed, uint32(n), now) // #nosec G115 -- within it
			for i := range stories {
				stories[i].Client.Reference = care.Private(fmt.Sprintf("P-%06d", n*len(stories)+i+1))
			}
			if !yield(stories) {
				return
			}
		}
	}
}

// Cast is how many clients a performance has.
func Cast() int { return len(programme()) }

// perform writes the stories of one performance of the programme.
func perform(seed uint64, performance uint32, now time.Time) []Story {
	week := monday(now)
	first := uint64(performance) << 16 // the streams before are those of earlier performances
	people := cast(seed, first)
	parts := programme()
	stories := make([]Story, len(parts))
	for i, p := range parts {
		a := &author{Rand: stream(seed, first+uint64(i)+1), part: p, performance: performance, number: i, week: week}
		stories[i] = a.write(people[i%len(people)])
	}
	slices.SortFunc(stories, func(a, b Story) int {
		return cmp.Or(a.Enrolled.Compare(b.Enrolled), bytes.Compare(a.Client.ID[:], b.Client.ID[:]))
	})
	return stories
}

// Showcase is the story to print first: a typical responder whose scores fall
// after each dose and partly come back before the next, with an item 9 above 0
// that fades, and a gain that is held. It is the zero Story if there is none.
func Showcase(stories []Story) Story {
	for _, s := range stories {
		if s.Plot == Typical {
			return s
		}
	}
	return Story{}
}

// monday is the start of the week in which all of the clinic is past.
func monday(now time.Time) time.Time {
	day := now.UTC().Truncate(24 * time.Hour)
	return day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
}

// stream is a story's own source of chance, so that a change to one story
// leaves the others as they are.
func stream(seed, number uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, number)) //nolint:gosec // invented people need no secrecy, and a clinic that can be made again
}

// author writes one story.
type author struct {
	*rand.Rand
	part part
	// performance begins the ids of all but the first one's stories: none is
	// another's, and what is stored one after another lies together.
	performance uint32
	number      int // of the part in the programme
	week        time.Time
	hours       time.Duration // from midnight UTC to the client's usual appointment
	body        int           // kilograms
	habits      habits        // how this client answers
	story       Story
}

// id is a version 4 UUID made of the story's own chance.
func (a *author) id() uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], a.Uint64())
	binary.BigEndian.PutUint64(id[8:], a.Uint64())
	if a.performance > 0 {
		binary.BigEndian.PutUint32(id[:4], a.performance)
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id
}

// between draws a whole number from lo to hi, both included.
func (a *author) between(lo, hi int) int { return lo + a.IntN(hi-lo+1) }

// within draws a number between lo and hi.
func (a *author) within(lo, hi float64) float64 { return lo + (hi-lo)*a.Float64() }

// write tells the whole story of one person.
func (a *author) write(p person) Story {
	r := a.regimen()
	zone := a.zone(r)
	a.hours = time.Duration(a.between(9, 15)-zone.offset)*time.Hour + time.Duration(a.IntN(2))*30*time.Minute
	a.body = a.between(52, 104)
	a.habits = a.newHabits()
	a.story = Story{Plot: a.part.plot, Client: care.Client{
		ID: a.id(), DisplayName: care.Private(p.name), Sex: p.sex, TimeZone: zone.name,
		BirthYear: new(a.week.Year() - a.age()),
	}}
	for _, t := range a.treatments(r) {
		a.treat(t)
	}
	a.spoil()
	a.settleOrder()
	a.agree()
	return a.story
}

// age is about 42 with a spread of 12 years, and adult (Yermus 2024).
func (a *author) age() int { return min(max(int(42+12*a.NormFloat64()), 19), 78) }

// settleOrder sorts the story by time and dates the enrolment a day or two
// before the first thing that happened.
func (a *author) settleOrder() {
	s := &a.story
	slices.SortStableFunc(s.Sessions, func(x, y care.Session) int { return x.StartedAt.Compare(y.StartedAt) })
	slices.SortStableFunc(s.Assessments, func(x, y care.Assessment) int { return x.CompletedAt.Compare(y.CompletedAt) })
	first := a.week
	for _, c := range s.Courses {
		first = earlier(first, booked(c))
	}
	for _, x := range s.Assessments {
		first = earlier(first, x.CompletedAt)
	}
	s.Enrolled = first.Add(-time.Duration(a.between(20, 50)) * time.Hour)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// booked is when a course and its sessions are entered: on its first day,
// before any session of it starts.
func booked(c care.Course) time.Time {
	day, _ := time.Parse(time.DateOnly, string(c.StartedOn)) // written by treat
	return day.Add(8 * time.Hour)
}
