package care

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

// CorrectionTarget is the kind of thing that a client wants corrected.
type CorrectionTarget string

// The targets.
const (
	TargetClient     CorrectionTarget = "client"
	TargetCourse     CorrectionTarget = "course"
	TargetSession    CorrectionTarget = "session"
	TargetAssessment CorrectionTarget = "assessment"
	TargetOther      CorrectionTarget = "other"
)

// CorrectionStatus is what became of a request.
type CorrectionStatus string

// The statuses. A decision is final.
const (
	CorrectionOpen     CorrectionStatus = "open"
	CorrectionAccepted CorrectionStatus = "accepted"
	CorrectionRefused  CorrectionStatus = "refused"
)

// Correction is a client's request to have their record corrected, and the
// answer to it. It changes nothing by itself: what is accepted is then done by
// amending, or by changing what is wrong.
type Correction struct {
	ID       uuid.UUID
	ClientID uuid.UUID
	Target   CorrectionTarget
	TargetID *uuid.UUID // nil: the client as a whole, or several things
	Request  Private    // in the client's words
	Status   CorrectionStatus
	Note     Private // why it was so decided; may be empty

	RequestedAt time.Time
	RequestedBy uuid.UUID
	DecidedAt   *time.Time // nil while open
	DecidedBy   *uuid.UUID
}

// withRevision keeps what was asked for, and drops what became of it.
func (c Correction) withRevision(r Revision) Correction {
	c.RequestedAt, c.RequestedBy = r.RecordedAt, r.RecordedBy
	c.Status, c.Note, c.DecidedAt, c.DecidedBy = "", "", nil, nil
	return c
}

// fields are what the audit trail may tell of a request and its decision.
func (c Correction) fields() []audit.Field {
	target := ""
	if c.TargetID != nil {
		target = c.TargetID.String()
	}
	return []audit.Field{
		{Name: "target", Value: string(c.Target)},
		{Name: "target_id", Value: target},
		{Name: "request", Value: string(c.Request), Private: true},
		{Name: "status", Value: string(c.Status)},
		{Name: "note", Value: string(c.Note), Private: true},
	}
}

// CheckCorrection is CheckClient for a request for correction.
func (s *Service) CheckCorrection(c Correction) []fault.Detail { return c.check() }

func (c Correction) check() faults {
	var f faults
	if !slices.Contains([]CorrectionTarget{TargetClient, TargetCourse, TargetSession, TargetAssessment, TargetOther}, c.Target) {
		f.add("/target", "unknown_target", "The target is client, course, session, assessment or other.")
	}
	if c.Target == TargetOther && c.TargetID != nil {
		f.add("/target_id", "unexpected", "Only a client, a course, a session or an assessment has an id.")
	}
	if strings.TrimSpace(string(c.Request)) == "" {
		f.add("/request", "required", "The request is needed.")
	}
	return f
}

var errUnknownTarget = fault.New(fault.Invalid, "The target is not one of this client's.",
	fault.Detail{Pointer: "/target_id", Code: "unknown_target", Message: "This client has no such thing."})

// checkTarget makes sure that what is to be corrected is the client's.
func (c Correction) checkTarget(ctx context.Context, who auth.Principal, r Reader) error {
	if c.TargetID == nil {
		return nil
	}
	owner, err := *c.TargetID, error(nil)
	switch c.Target {
	case TargetCourse:
		var course Course
		course, err = r.Course(ctx, who, *c.TargetID)
		owner = course.ClientID
	case TargetSession:
		var ses Session
		ses, err = r.Session(ctx, who, *c.TargetID)
		owner = ses.ClientID
	case TargetAssessment:
		var a Assessment
		a, err = r.Assessment(ctx, who, *c.TargetID)
		owner = a.ClientID
	case TargetClient, TargetOther:
	}
	if fault.Is(err, fault.NotFound) || err == nil && owner != c.ClientID {
		return errUnknownTarget
	}
	return err
}

// RequestCorrection stores a client's request; NotFound if the clinic has no
// such client, Invalid if the target is not the client's. Ids are idempotent as
// in CreateClient.
func (s *Service) RequestCorrection(ctx context.Context, who auth.Principal, c Correction) (Correction, Outcome, error) {
	if err := s.require(ctx, who, auth.RequestCorrections); err != nil {
		return Correction{}, Refused, err
	}
	if err := c.check().err(); err != nil {
		return Correction{}, Refused, err
	}
	if c.ID == uuid.Nil {
		c.ID = s.NewID()
	}
	c = c.withRevision(s.next(who, Revision{}))
	c.Status = CorrectionOpen
	created := false
	err := s.Store.Write(ctx, who, func(tx Tx) (err error) {
		if err := tx.LockClients(ctx, who, []uuid.UUID{c.ClientID}); err != nil {
			return err
		}
		if err := c.checkTarget(ctx, who, tx); err != nil {
			return err
		}
		if created, err = tx.InsertCorrection(ctx, who, c); created {
			tx.Note(s.did(who, "correction.create", "correction", c.ID, c.ClientID, audit.Diff(nil, c.fields())...))
		}
		return err
	})
	if err != nil {
		return Correction{}, Refused, err
	}
	if created {
		return c, Created, nil
	}
	return settled(ctx, s, who, c, func(r Reader) (Correction, Correction, error) {
		r.Note(s.did(who, "correction.read", "correction", c.ID, c.ClientID))
		stored, err := r.Correction(ctx, who, c.ID)
		return stored, stored, err
	})
}

// Corrections lists a client's requests by time and id; NotFound for an
// unknown client.
func (s *Service) Corrections(ctx context.Context, who auth.Principal, client uuid.UUID, page Page) ([]Correction, error) {
	if err := s.require(ctx, who, auth.RequestCorrections); err != nil {
		return nil, err
	}
	return read(ctx, s, who, func(r Reader) ([]Correction, error) {
		if _, err := r.Client(ctx, who, client); err != nil {
			return nil, err
		}
		r.Note(s.did(who, "correction.list", "client", client, client))
		return r.Corrections(ctx, who, client, page)
	})
}

var errDecided = fault.New(fault.Conflict, "The request was decided otherwise; a decision is final.")

// DecideCorrection answers a request, once. The same decision again is
// answered what is stored; another is a Conflict.
func (s *Service) DecideCorrection(ctx context.Context, who auth.Principal, id uuid.UUID, status CorrectionStatus, note Private) (Correction, error) {
	if err := s.require(ctx, who, auth.DecideCorrections); err != nil {
		return Correction{}, err
	}
	if status != CorrectionAccepted && status != CorrectionRefused {
		var f faults
		f.add("/status", "unknown_status", "The status is accepted or refused.")
		return Correction{}, f.err()
	}
	now := stamp(s.Now())
	var out Correction
	err := s.Store.Write(ctx, who, func(tx Tx) (err error) {
		open, err := tx.Correction(ctx, who, id)
		if err != nil {
			return err
		}
		out = open
		out.Status, out.Note, out.DecidedAt, out.DecidedBy = status, note, &now, &who.Actor
		decided, err := tx.DecideCorrection(ctx, who, out)
		if err != nil {
			return err
		}
		if decided {
			tx.Note(s.did(who, "correction.decide", "correction", id, out.ClientID, audit.Diff(open.fields(), out.fields())...))
			return nil
		}
		if out, err = tx.Correction(ctx, who, id); err != nil {
			return err
		}
		if out.Status != status || out.Note != note {
			return errDecided
		}
		tx.Note(s.did(who, "correction.read", "correction", id, out.ClientID))
		return nil
	})
	if err != nil {
		return Correction{}, err
	}
	return out, nil
}
