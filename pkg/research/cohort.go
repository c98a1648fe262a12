package research

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// Cohort is a filter that was saved under a name, for figures, exports and
// snapshots. It is never changed: what was computed for it can be computed
// again. Whom it holds grows with the record.
type Cohort struct {
	ID        uuid.UUID
	Name      string // unique in the clinic; of the group, never of a client
	Filter    Filter
	CreatedAt time.Time
	CreatedBy uuid.UUID
}

// same reports whether a cohort that is sent says what the stored one says.
func (c Cohort) same(stored Cohort) bool {
	return c.ID == stored.ID && c.Name == stored.Name && c.Filter.text() == stored.Filter.text()
}

// text is the filter as it is stored: what is empty is not there.
func (f Filter) text() string {
	b, err := json.Marshal(f)
	if err != nil { // the type holds nothing but texts, numbers and times
		return ""
	}
	return string(b)
}

const maxCohortName = 100

// CheckCohort lists what is wrong with a cohort that can be known without the
// record.
func (s *Service) CheckCohort(c Cohort) []fault.Detail {
	var out []fault.Detail
	if name := strings.TrimSpace(c.Name); name == "" || len([]rune(name)) > maxCohortName {
		out = append(out, fault.Detail{Pointer: "/name", Code: "out_of_range", Message: "A name has 1 to 100 characters."})
	}
	for _, d := range s.CheckFilter(c.Filter) {
		d.Pointer = "/filter" + d.Pointer
		out = append(out, d)
	}
	return out
}

var errCohortNameTaken = fault.New(fault.Conflict, "The clinic has a cohort of this name.",
	fault.Detail{Pointer: "/name", Code: "name_taken", Message: "A cohort does not change: save another one under another name."})

var errBoundCohort = fault.New(fault.Forbidden,
	"This credential does not allow that: to save a cohort needs caseload:read or exports:deidentified beside cohorts:write.")

// SaveCohort stores a cohort. Who is Bound may not. A repeat with the same id and content finds what
// is stored; Conflict where the id or the name is in use with other content.
func (s *Service) SaveCohort(ctx context.Context, who auth.Principal, c Cohort) (Cohort, care.Outcome, error) {
	if err := s.require(ctx, who, auth.WriteCohorts); err != nil {
		return Cohort{}, care.Refused, err
	}
	if Bound(who) { // whoever chooses the people chooses whose data is the difference
		return Cohort{}, care.Refused, s.denied(ctx, who, errBoundCohort, auth.ExportDeidentified)
	}
	if err := fault.InvalidIf(s.CheckCohort(c)); err != nil {
		return Cohort{}, care.Refused, err
	}
	if c.ID == uuid.Nil {
		c.ID = s.NewID()
	}
	c.Name, c.Filter = strings.TrimSpace(c.Name), c.Filter.stamped()
	c.CreatedAt, c.CreatedBy = stamp(s.Now()), who.Actor
	outcome := care.Refused
	err := s.Store.Conduct(ctx, who, func(tx Tx) error {
		stored, err := tx.InsertCohort(ctx, who, c)
		if err != nil {
			return err
		}
		if stored {
			outcome = care.Created
			tx.Note(s.entry(who.Did("cohort.create", "cohort", c.ID)))
			return nil
		}
		c, err = s.knownCohort(ctx, who, tx, c)
		outcome = care.Known
		return err
	})
	if err != nil {
		return Cohort{}, care.Refused, err
	}
	return c, outcome, nil
}

// knownCohort is the stored cohort that keeps another from being stored, where
// they are the same.
func (s *Service) knownCohort(ctx context.Context, who auth.Principal, tx Tx, asked Cohort) (Cohort, error) {
	found, err := tx.Cohort(ctx, who, asked.ID)
	switch {
	case fault.Is(err, fault.NotFound):
		return Cohort{}, errCohortNameTaken
	case err != nil:
		return Cohort{}, err
	case !asked.same(found):
		return Cohort{}, care.ErrIDTaken
	}
	tx.Note(s.entry(who.Did("cohort.read", "cohort", asked.ID)))
	return found, nil
}

// Cohort finds a saved cohort; NotFound if the clinic has none of this id.
func (s *Service) Cohort(ctx context.Context, who auth.Principal, id uuid.UUID) (found Cohort, err error) {
	if err := s.require(ctx, who, auth.ReadCohorts); err != nil {
		return Cohort{}, err
	}
	err = s.Store.Conduct(ctx, who, func(tx Tx) (err error) {
		tx.Note(s.entry(who.Did("cohort.read", "cohort", id)))
		found, err = tx.Cohort(ctx, who, id)
		return err
	})
	return found, err
}

// Cohorts lists the saved cohorts by name.
func (s *Service) Cohorts(ctx context.Context, who auth.Principal, page care.Page) (found []Cohort, err error) {
	if err := s.require(ctx, who, auth.ReadCohorts); err != nil {
		return nil, err
	}
	err = s.Store.Conduct(ctx, who, func(tx Tx) (err error) {
		tx.Note(s.entry(who.Did("cohort.list", "cohort", uuid.Nil)))
		found, err = tx.Cohorts(ctx, who, page)
		return err
	})
	return found, err
}

// stamped is the filter with its times as they are stored.
func (f Filter) stamped() Filter {
	for _, t := range []**time.Time{&f.EnrolledFrom, &f.EnrolledTo, &f.FirstDoseFrom, &f.FirstDoseTo} {
		*t = stampPtr(*t)
	}
	return f
}
