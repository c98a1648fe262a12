package research

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/fault"
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
