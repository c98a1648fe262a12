package research

import (
	"cmp"
	"context"
	"maps"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/trajectory"
)

// Frame is what is told of every figure besides its numbers.
type Frame struct {
	Population   Population
	Cohort       *Cohort
	Until        time.Time // up to when the record was read
	SmallestCell *int      // people; what tells of fewer is withheld. nil: nothing is
	LeftOut      []cohort.LeftOut
	// Held says that the figure is as it was known before: since then too few
	// people have changed to tell of it.
	Held  bool
	Rules map[string]trajectory.Rules // by instrument, where the figure judges

	settings care.Settings
	notes    []audit.Entry             // of what else the figure shows, beside its own
	smallest int                       // the clinic's smallest cell, whether it is withheld or not
	about    []Person                  // whom it may be about
	few      []uuid.UUID               // who was counted, as far as these are fewer
	people   int                       // that the figure counted
	weighed  bool                      // it is held against earlier answers: what it was computed from is kept
	absent   map[string][]cohort.Datum // who was left out, by reason
}

// Reasons for which somebody is not in a figure.
const (
	leftOutNoConsent = "no_research_consent"
	leftOutWithdrawn = "withdrawn"
	leftOutErased    = "erased"
	leftOutOther     = "not_in_cohort"
)

// frame reads what a figure is computed within, and gives the people whom it is
// about. The frame is whole when they have all been read.
func (s *Service) frame(ctx context.Context, who auth.Principal, r Reader, q FigureQuery, frame *Frame) (cohort.Cases, error) {
	*frame = Frame{Population: q.Population, Until: stamp(s.Now())}
	now := frame.Until
	if q.AsOf != nil {
		frame.Until = *q.AsOf
	}
	clinic, err := r.ClinicSettings(ctx, who)
	if err != nil {
		return nil, err
	}
	if frame.smallest = clinic.SmallestCell; !q.AllCells {
		frame.SmallestCell, frame.weighed = &clinic.SmallestCell, Bound(who)
	}
	if frame.settings, err = r.Settings(ctx, who); err != nil {
		return nil, err
	}
	if q.Judged {
		frame.Rules = s.rules(q, frame.settings)
	}
	var filter *Filter
	if q.Cohort != nil {
		found, err := r.Cohort(ctx, who, *q.Cohort)
		if fault.Is(err, fault.NotFound) {
			return nil, errUnknownCohort
		}
		if err != nil {
			return nil, err
		}
		frame.Cohort, filter = &found, &found.Filter
	}
	known := r.People
	if q.Population == OfClinic { // whatever they have said of research
		known = r.Known
	}
	people, err := known(ctx, who, q.AsOf)
	if err != nil {
		return nil, err
	}
	people, out := chosen(people, q.Population, now)
	frame.about = people
	return frame.counted(read(ctx, who, r, people, filter, q, frame.Until), filter, out), nil
}

var errUnknownCohort = fault.New(fault.Invalid, "There is no such cohort.",

	fault.Detail{Pointer: "/cohort", In: "query", Code: "unknown_cohort", Message: "GET /v1/cohorts lists the saved cohorts."})

// read gives the people with what the figure and the filter look at.
func read(ctx context.Context, who auth.Principal, r Reader, people []Person, filter *Filter, q FigureQuery, until time.Time) cohort.Cases {
	h := HistoryQuery{Instruments: q.Instruments, AsOf: q.AsOf, Item9: q.Item9}
	if filter != nil {
		h.Instruments = filter.instruments(h.Instruments)
	}
	return cases(ctx, who, r, people, h, until)
}

// rules are the change rules by which a figure judges: the query's, or those
// that the clinic chose.
func (s *Service) rules(q FigureQuery, settings care.Settings) map[string]trajectory.Rules {
	out := map[string]trajectory.Rules{}
	for _, id := range q.Instruments {
		def, err := s.Instruments.Get(id)
		if err != nil {
			continue
		}
		if set, found := def.ChangeOrDefault(cmp.Or(q.Rules, settings[id].ChangeRules)); found {
			out[id] = care.RulesOf(set)
		}
	}
	return out
}

// chosen are the people of a population, and who is left out by reason.
func chosen(people []Person, of Population, now time.Time) ([]Person, map[string][]cohort.Datum) {
	in, out := make([]Person, 0, len(people)), map[string][]cohort.Datum{}
	leave := func(reason string, p Person) { out[reason] = append(out[reason], cohort.Datum{Person: p.ID}) }
	for _, p := range people {
		if p.Erased {
			leave(leftOutErased, p)
			continue
		}
		if of == OfClinic {
			in = append(in, p)
			continue
		}
		switch agreed, known := p.Agreed(now); {
		case agreed:
			in = append(in, p)
		case known:
			leave(leftOutWithdrawn, p)
		default:
			leave(leftOutNoConsent, p)
		}
	}
	return in, out
}

// counted passes the people of the cohort on, and counts them and the others
// into the frame.
func (f *Frame) counted(all cohort.Cases, filter *Filter, out map[string][]cohort.Datum) cohort.Cases {
	return func(yield func(cohort.Case, error) bool) {
		f.people, f.few, f.absent = 0, nil, maps.Clone(out)
		for c, err := range all {
			switch {
			case err != nil:
				yield(cohort.Case{}, err)
				return
			case filter != nil && !filter.Match(c):
				f.absent[leftOutOther] = append(f.absent[leftOutOther], cohort.Datum{Person: c.Person})
				continue
			}
			if f.people++; f.people < f.smallest {
				f.few = append(f.few, c.Person)
			}
			c.Unwitnessed = !f.weighed
			if !yield(c, nil) {
				return
			}
		}
		f.LeftOut = nil
		for _, reason := range []string{leftOutNoConsent, leftOutWithdrawn, leftOutErased, leftOutOther} {
			f.LeftOut = append(f.LeftOut, cohort.LeftOut{Reason: reason, N: new(len(f.absent[reason]))})
		}
	}
}

// bases are those of the numbers of people who were left out, as far as they are
// shown. Who is not in the cohort is told beside those who are.
func (f *Frame) bases() []cohort.Basis {
	var out []cohort.Basis
	for _, l := range f.LeftOut {
		b := cohort.Basis{Measure: "left out " + l.Reason, Data: f.absent[l.Reason]}
		if l.Reason == leftOutOther {
			b.Measure = cohort.MeasurePeople
		}
		if l.N != nil {
			out = append(out, b)
		}
	}
	return out
}

// withheldLeftOut hides counts of few people. The whole is shown nowhere, so
// that none of them follows from the others.
func withheldLeftOut(all []cohort.LeftOut, threshold int) []cohort.LeftOut {
	out := make([]cohort.LeftOut, len(all))
	for i, l := range all {
		if out[i] = l; *l.N > 0 && *l.N < threshold {
			out[i].N = nil
		}
	}
	return out
}
