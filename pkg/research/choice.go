package research

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// choose finds the people whom a cohort or an increment holds, before the
// export is noted: its entry names them and nobody else.
func (s *Service) choose(ctx context.Context, x *Export) error {
	if x.Request.Cohort == nil && x.Request.ChangedSince == nil {
		return nil
	}
	return s.Store.Study(ctx, x.who, func(r Reader) error {
		x.chosen, x.at = nil, stamp(s.Now())
		known, err := r.People(ctx, x.who, x.Request.AsOf)
		if err != nil {
			return err
		}
		agreed := x.sift(known)
		if x.Request.ChangedSince != nil {
			if err := x.change(ctx, r, known); err != nil {
				return err
			}
			x.People = slices.DeleteFunc(x.People, func(p Person) bool { return !x.changed(p) })
		}
		if x.Request.Cohort != nil {
			if err := s.inCohort(ctx, x, r, agreed); err != nil {
				return err
			}
		}
		x.known, x.chosen = known, make(map[uuid.UUID]bool, len(x.People))
		for _, p := range x.People {
			x.chosen[p.ID] = true
		}
		return nil
	})
}

var errNoWatermark = fault.New(fault.Invalid, "The increment begins when no export was made.",
	fault.Detail{Pointer: "/changed_since", In: "query", Code: "not_an_export", Message: "Without exports:limited an increment begins where an earlier export ended: at its Protrack-Generated-At, to the microsecond."})

// change reads what an increment is about. Whoever is not to see true dates
// begins it where an earlier export ended: times at will would tell, by halving,
// when each client's rows were recorded.
func (x *Export) change(ctx context.Context, r Reader, people []Person) (err error) {
	since := *x.Request.ChangedSince
	if x.Request.Profile == Deidentified && !x.who.May(auth.ExportLimited) {
		known, err := r.ExportedAt(ctx, x.who, since, exportActions())
		if err != nil {
			return err
		}
		if !known {
			return errNoWatermark
		}
	}
	if x.changes, err = r.Changes(ctx, x.who, since, x.Request.AsOf); err != nil {
		return err
	}
	gone := slices.Clone(x.changes.Merged)
	for _, p := range people {
		if p.erasedSince(since) {
			gone = append(gone, p.ID)
		}
	}
	x.handed, err = r.HandedOut(ctx, x.who, gone)
	return err
}

// changed reports whether anything of a person was recorded since the time that
// an increment begins at, and keeps whether that bears on all their rows: who
// agreed to research since has none that went out before, and a session that
// moved moves the days of every assessment.
func (x *Export) changed(p Person) bool {
	moved := slices.ContainsFunc(p.Records, func(id uuid.UUID) bool { return x.changes.Others[id] }) ||
		p.said(func(c care.Consent) bool {
			return !c.RecordedAt.Before(*x.Request.ChangedSince) && !c.RecordedAt.After(x.Until())
		})
	if moved {
		if x.moved == nil {
			x.moved = map[uuid.UUID]bool{}
		}
		x.moved[p.ID] = true
	}
	return moved || slices.ContainsFunc(p.Records, func(id uuid.UUID) bool { return x.changes.Forms[id] })
}

var errDatedCohort = fault.New(fault.Invalid, "This profile hides what the cohort asks for.",
	fault.Detail{Pointer: "/cohort", In: "query", Code: "hidden_by_profile", Message: "The cohort is chosen by dates, and this profile hides dates."})

// inCohort leaves those who belong to the cohort that is asked for. Dates that
// a profile hides would be told by who belongs to a cohort of a few days.
func (s *Service) inCohort(ctx context.Context, x *Export, r Reader, agreed []Person) error {
	found, err := r.Cohort(ctx, x.who, *x.Request.Cohort)
	if fault.Is(err, fault.NotFound) {
		return errUnknownCohort
	}
	if err != nil {
		return err
	}
	f := found.Filter
	if x.Request.Profile == Deidentified && (f.EnrolledFrom != nil || f.EnrolledTo != nil || f.FirstDoseFrom != nil || f.FirstDoseTo != nil) {
		return errDatedCohort
	}
	switch tally := tallyOf(x.Request.Profile); {
	case x.Terms != nil:
		x.disguise.shown = x.Terms.Shown
	case tally != nil && f.categorised():
		if err := x.pass(ctx, r, agreed, tally.look); err != nil {
			return err
		}
		if x.disguise.shown, err = s.shown(ctx, x, r, tally); err != nil {
			return err
		}
	}
	members := map[uuid.UUID]bool{}
	q := HistoryQuery{AsOf: x.Request.AsOf, Instruments: f.instruments(nil)}
	q.SkipForms = f.Baseline == nil && f.EnrolledFrom == nil && f.EnrolledTo == nil
	for c, err := range cases(ctx, x.who, r, x.People, q, x.Until()) {
		if err != nil {
			return err
		}
		if f.Match(x.disguise.seen(c)) {
			members[c.Person] = true
		}
	}
	x.People = slices.DeleteFunc(x.People, func(p Person) bool { return !members[p.ID] })
	return nil
}

// gone names those of all people who have left an increment. Of whoever was
// erased, and of a record that another stands for now, nothing is left that says
// whether they had agreed: they are named where an export named them.
func (x *Export) gone(people []Person) []string {
	since := x.Request.ChangedSince
	if since == nil {
		return nil
	}
	var out []string
	for _, p := range people {
		if p.erasedSince(*since) && x.handed[p.ID] || x.withdrew(p) {
			out = append(out, x.disguise.id(aClient, p.ID))
		}
	}
	for _, id := range x.changes.Merged {
		if !x.handed[id] {
			continue
		}
		out = append(out, x.disguise.id(aClient, id))
	}
	return slices.Sorted(slices.Values(out))
}

// withdrew reports whether a person who had agreed has withdrawn since.
func (x *Export) withdrew(p Person) bool {
	agreed, known := p.Agreed(x.at)
	if p.Erased || agreed || !known {
		return false
	}
	had := p.said(func(c care.Consent) bool { return c.Status == care.Granted })
	return had && p.said(func(c care.Consent) bool {
		return c.Status == care.Withdrawn && !c.RecordedAt.Before(*x.Request.ChangedSince)
	})
}
