package research

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/trajectory"
)

// Population is whom a figure is about.
type Population string

// The populations.
const (
	OfClinic   Population = "clinic"   // every client whom the principal may see
	OfResearch Population = "research" // who has agreed to research, as of now
)

// FigureQuery is what is asked of every figure.
type FigureQuery struct {
	Name        string   // of the figure, for the audit trail: change
	Instruments []string // what it reads
	Item9       bool     // it reads the answers about suicidal thoughts
	Judged      bool     // it judges by change rules
	Rules       string   // the rule set; empty: the clinic's choice
	Cohort      *uuid.UUID
	AsOf        *time.Time // what was known then; nil is now
	// Population is OfClinic unless chosen, for who may read the caseload, and
	// OfResearch for everybody else.
	Population Population
	Choice     Choice
	AllCells   bool              // withhold nothing: for who may see single people anyway
	Asked      map[string]string // what else is asked, for the audit trail
}

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

// withholding is a figure that knows what it was computed from, and what of it
// may be shown.
type withholding[F any] interface {
	Bases() []cohort.Basis
	Withheld(threshold int) F
}

// figure computes a figure, withholds what is too small, and leaves an entry in
// the audit trail before anything is handed on. It names no client but where so
// few were counted that their numbers are their records (see figureEntry).
func figure[F withholding[F]](ctx context.Context, s *Service, who auth.Principal, q FigureQuery,
	compute func(*Frame, cohort.Cases) (F, error),
) (F, Frame, error) {
	var none F
	if err := s.allow(ctx, who, &q); err != nil {
		return none, Frame{}, err
	}
	if err := s.checkFigure(q); err != nil {
		return none, Frame{}, err
	}
	q.AsOf = stampPtr(q.AsOf)
	out, frame, err := computed(ctx, s, who, q, compute)
	switch {
	case err != nil:
		return none, Frame{}, err
	case frame.SmallestCell == nil || !Bound(who):
		e := s.entry(figureEntry(who, q, frame))
		err = s.Store.Conduct(ctx, who, func(tx Tx) error { tx.Note(append(frame.notes, e)...); return nil })
	default:
		out, frame, err = given(ctx, s, who, q, compute, out, frame)
	}
	if err != nil {
		return none, Frame{}, err
	}
	return out, frame, nil
}

// computed is a figure with everything withheld that is too small.
func computed[F withholding[F]](ctx context.Context, s *Service, who auth.Principal, q FigureQuery,
	compute func(*Frame, cohort.Cases) (F, error),
) (out F, frame Frame, err error) {
	err = s.Store.Study(ctx, reaching(who), func(r Reader) error {
		cases, err := s.frame(ctx, reaching(who), r, q, &frame)
		if err != nil {
			return err
		}
		if need := dated(q, frame); len(need) > 0 && !who.May(auth.ReadCaseload) && !who.May(auth.ExportLimited) {
			return errDated
		}
		out, err = compute(&frame, cases)
		return err
	})
	if errors.Is(err, errDated) {
		err = s.denied(ctx, who, errDated, auth.ExportLimited)
	}
	if err == nil && frame.SmallestCell != nil {
		out, frame.LeftOut = out.Withheld(*frame.SmallestCell), withheldLeftOut(frame.LeftOut, *frame.SmallestCell)
	}
	return out, frame, err
}

// given hands a figure to who is Bound, after it was weighed. Where it would tell
// of few people, and the same question was answered before, it is answered as it
// was known then: that tells nothing new, unless somebody has withdrawn since.
// What is refused in the end stands in the audit trail as refused.
func given[F withholding[F]](ctx context.Context, s *Service, who auth.Principal, q FigureQuery,
	compute func(*Frame, cohort.Cases) (F, error), out F, frame Frame,
) (F, Frame, error) {
	question := q.digest()
	e := s.entry(figureEntry(who, q, frame))
	err := s.weigh(ctx, who, out.Bases(), frame, e, &Answered{Question: question, AsOf: frame.Until})
	if !fault.Is(err, fault.Conflict) {
		return out, frame, err
	}
	refused := err
	var last Answered
	err = s.Store.Study(ctx, who, func(r Reader) (err error) {
		last, err = r.LastAnswer(ctx, who, question)
		return err
	})
	if err == nil {
		q.AsOf = &last.AsOf
		if out, frame, err = computed(ctx, s, who, q, compute); err != nil {
			return out, frame, err
		}
		frame.Held = true
		e = s.entry(figureEntry(who, q, frame))
		if err = s.weigh(ctx, who, out.Bases(), frame, e, nil); !fault.Is(err, fault.Conflict) {
			return out, frame, err
		}
	} else if !fault.Is(err, fault.NotFound) {
		return out, frame, err
	}
	e.ID, e.Outcome = s.NewID(), audit.Refused
	return out, frame, errors.Join(refused, s.Store.Conduct(ctx, who, func(tx Tx) error { tx.Note(e); return nil }))
}

// weigh is release for a figure. A cohort of few people is refused like any
// other answer, and so is one of nobody: the two are not to be told apart.
func (s *Service) weigh(ctx context.Context, who auth.Principal, bases []cohort.Basis, frame Frame, e audit.Entry, a *Answered) error {
	if frame.Cohort != nil && frame.people < *frame.SmallestCell {
		return cohort.ErrTellsOfFew
	}
	return s.release(ctx, who, weighed{bases: append(bases, frame.bases()...), threshold: *frame.SmallestCell, entry: e, answer: a})
}

// checkFigure lists what is wrong with a question that can be known without the
// record.
func (s *Service) checkFigure(q FigureQuery) error {
	var f []fault.Detail
	add := func(name, code, message string) {
		f = append(f, fault.Detail{Pointer: "/" + name, In: "query", Code: code, Message: message})
	}
	for _, id := range q.Instruments {
		def, err := s.Instruments.Get(id)
		if err != nil {
			add("instrument", "unknown_instrument", "GET /v1/instruments lists the instruments.")
			continue
		}
		if _, found := def.Change(q.Rules); !found && q.Rules != "" {
			add("rules", "unknown_rules", fmt.Sprintf("%s has no such change rule set.", def.Title))
		}
	}
	if q.AsOf != nil && q.AsOf.After(s.Now()) {
		add("as_of", "in_the_future", "What will be known later cannot be told now.")
	}
	return fault.InvalidIf(f)
}

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

// figureEntry tells the audit trail what was asked and of how many people. A
// figure of fewer than the smallest cell with nothing withheld shows their
// records: it is an export of these, and names them.
func figureEntry(who auth.Principal, q FigureQuery, frame Frame) audit.Entry {
	e := who.Did("cohort.figures", "", uuid.Nil)
	if q.Cohort != nil {
		e.Target, e.TargetID = "cohort", *q.Cohort
	}
	e.Details.Count = new(frame.people)
	if q.AllCells && 0 < frame.people && frame.people < frame.smallest {
		e.Action = "cohort.export"
		e = e.WithClients(frame.few)
	}
	e.Details.Note = map[string]string{
		"figure": q.Name, "population": string(frame.Population), "all_cells": strconv.FormatBool(q.AllCells),
	}
	maps.Copy(e.Details.Note, q.Asked)
	if q.Rules != "" {
		e.Details.Note["rules"] = q.Rules
	}
	if q.AsOf != nil {
		e.Details.Note["as_of"] = q.AsOf.Format(time.RFC3339Nano)
	}
	return e
}
