package research

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/fault"
)

// Release is what was given away of one measure, as it is stored.
type Release struct {
	Measure string
	Answers int    // in the ledger: they only become more
	Ledger  []byte // of cohort.Ledger
	At      time.Time
}

// figuresProject is the project whose secret makes the prints in ledgers. No
// project of the clinic's can have this name.
const figuresProject = "_figures"

// Bound reports whether figures are all that a principal may see of people, so
// that what it has seen before decides on what it may see next. Whoever may see
// single people, by name or not, needs no subtraction.
func Bound(who auth.Principal) bool {
	return !who.May(auth.ReadCaseload) && !who.May(auth.ExportDeidentified)
}

// tries is how often a release begins again when another one of the same
// measure came between.
const tries = 5

var (
	errOvertaken = errors.New("another answer was entered meanwhile")
	errBusy      = fault.New(fault.Unavailable, "Many figures are asked for at once. Try again.")
)

// release enters an answer into the clinic's ledgers, with its entry in the
// audit trail, before the answer is handed on. Conflict where it would tell of
// fewer people than the threshold together with what was given before; the
// trail then says that it was refused.
//
// Ledgers are of the clinic, not of who asks: two credentials can be one
// reader's. No lock is held while an answer is weighed, which may take a
// second; where another answer came first, it is weighed again.
func (s *Service) release(ctx context.Context, who auth.Principal, bases []cohort.Basis, threshold int, e audit.Entry) error {
	secret, err := s.figuresSecret(ctx, who)
	if err != nil {
		return err
	}
	prints := make(map[string][][]cohort.Print)
	for _, b := range bases {
		prints[b.Measure] = append(prints[b.Measure], cohort.Prints(secret, b.Data))
	}
	err = errOvertaken
	for n := 0; n < tries && errors.Is(err, errOvertaken); n++ {
		err = s.enter(ctx, who, prints, threshold, e)
	}
	switch {
	case errors.Is(err, errOvertaken):
		return errBusy.Because(err)
	case fault.Is(err, fault.Conflict):
		e.ID, e.Outcome = s.NewID(), audit.Refused
		return errors.Join(err, s.Store.Conduct(ctx, who, func(tx Tx) error { tx.Note(e); return nil }))
	}
	return err
}

// entered is a release that takes the place of the one with so many answers.
type entered struct {
	Release
	was int
}

// enter weighs an answer by what was given up to now, and stores what is new.
func (s *Service) enter(ctx context.Context, who auth.Principal, prints map[string][][]cohort.Print, threshold int, e audit.Entry) error {
	var before []Release
	measures := slices.Sorted(maps.Keys(prints))
	err := s.Store.Study(ctx, who, func(r Reader) (err error) {
		before, err = r.Releases(ctx, who, measures)
		return err
	})
	if err != nil {
		return err
	}
	known := make(map[string]Release, len(before))
	for _, r := range before {
		known[r.Measure] = r
	}
	var all []entered
	for _, measure := range measures {
		next, err := known[measure].with(prints[measure], threshold)
		if err != nil {
			return err
		}
		if was := known[measure].Answers; next.Answers > was {
			next.Measure, next.At = measure, e.At
			all = append(all, entered{next, was})
		}
	}
	return s.Store.Conduct(ctx, who, func(tx Tx) error {
		tx.Note(e)
		for _, x := range all {
			stored, err := tx.PutRelease(ctx, who, x.Release, x.was)
			if err != nil {
				return err
			}
			if !stored {
				return errOvertaken
			}
		}
		return nil
	})
}

// with is the release with an answer's numbers of the measure added.
func (r Release) with(prints [][]cohort.Print, threshold int) (Release, error) {
	l := &cohort.Ledger{}
	if r.Answers > 0 {
		var err error
		if l, err = cohort.ReadLedger(r.Ledger); err != nil {
			return r, err
		}
	}
	for _, p := range prints {
		added, err := l.Admit(p, threshold)
		if err != nil {
			return r, err
		}
		if added {
			r.Answers++
		}
	}
	r.Ledger = l.Bytes()
	return r, nil
}

// figuresSecret finds the secret of the clinic's ledgers, or makes it.
func (s *Service) figuresSecret(ctx context.Context, who auth.Principal) ([]byte, error) {
	var p Project
	err := s.Store.Study(ctx, who, func(r Reader) (err error) {
		p, err = r.Project(ctx, who, figuresProject)
		return err
	})
	if fault.Is(err, fault.NotFound) {
		err = s.Store.Conduct(ctx, who, func(tx Tx) (err error) {
			p, err = s.project(ctx, who, tx, figuresProject)
			return err
		})
	}
	return p.Secret, err
}
