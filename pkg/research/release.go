package research

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

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

// Answered is when a question was last answered to somebody who is Bound.
type Answered struct {
	Question []byte    // digest of all that was asked
	AsOf     time.Time // up to when the record was read
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

// scales let one answer of a clinic be weighed at a time: weighing takes up to
// half a second of a processor.
type scales struct{ of sync.Map }

// hold waits for the clinic's scales, and gives what hands them back.
func (s *scales) hold(ctx context.Context, clinic uuid.UUID) (release func(), err error) {
	free, _ := s.of.LoadOrStore(clinic, make(chan struct{}, 1))
	held, _ := free.(chan struct{})
	select {
	case held <- struct{}{}:
		return func() { <-held }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// weighed is an answer about to be given away.
type weighed struct {
	bases     []cohort.Basis
	threshold int
	entry     audit.Entry
	answer    *Answered // to be remembered; nil: one that is told again
}

// release enters an answer into the clinic's ledgers, with its entry in the
// audit trail, before the answer is handed on. Conflict where it would tell of
// fewer people than the threshold together with what was given before.
//
// Ledgers are of the clinic, not of who asks: two credentials can be one
// reader's. No lock of the database is held while an answer is weighed; where
// another process entered one first, it is weighed again.
func (s *Service) release(ctx context.Context, who auth.Principal, w weighed) error {
	secret, err := s.figuresSecret(ctx, who)
	if err != nil {
		return err
	}
	free, err := s.scales.hold(ctx, who.Clinic)
	if err != nil {
		return err
	}
	defer free()
	err = errOvertaken
	for n := 0; n < tries && errors.Is(err, errOvertaken); n++ {
		err = s.enter(ctx, who, secret, w)
	}
	if errors.Is(err, errOvertaken) {
		return errBusy.Because(err)
	}
	return err
}

// enter weighs an answer by what was given up to now, and stores what is new.
func (s *Service) enter(ctx context.Context, who auth.Principal, secret []byte, w weighed) error {
	measures := map[string]bool{}
	for _, b := range w.bases {
		measures[b.Measure] = true
	}
	before := map[string]*cohort.Ledger{}
	err := s.Store.Study(ctx, who, func(r Reader) error {
		releases, err := r.Releases(ctx, who, slices.Sorted(maps.Keys(measures)))
		for _, one := range releases {
			if before[one.Measure], err = cohort.ReadLedger(one.Ledger); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	changed, err := cohort.Weigh(before, secret, w.bases, w.threshold)
	if err != nil {
		return err
	}
	return s.Store.Conduct(ctx, who, func(tx Tx) error {
		tx.Note(w.entry)
		for _, measure := range slices.Sorted(maps.Keys(changed)) {
			was, l := 0, changed[measure]
			if old := before[measure]; old != nil {
				was = old.Answers()
			}
			next := Release{Measure: measure, Answers: l.Answers(), Ledger: l.Bytes(), At: w.entry.At}
			if stored, err := tx.PutRelease(ctx, who, next, was); err != nil || !stored {
				return cmp.Or(err, errOvertaken)
			}
		}
		if w.answer == nil {
			return nil
		}
		return tx.PutAnswer(ctx, who, *w.answer)
	})
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
