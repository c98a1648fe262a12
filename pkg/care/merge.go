package care

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

// Merge says that two records are of the same person. Nothing moves: the
// duplicate points to the survivor, so that it can be undone.
type Merge struct {
	ID        uuid.UUID
	Survivor  uuid.UUID // the record that stands for the person
	Duplicate uuid.UUID
	Reason    Private
	MergedAt  time.Time
	MergedBy  uuid.UUID
	UndoneAt  *time.Time // nil: it holds
	UndoneBy  *uuid.UUID
}

// repeats reports whether m asks for what the stored one says.
func (m Merge) repeats(stored Merge) bool {
	return m.Survivor == stored.Survivor && m.Duplicate == stored.Duplicate && m.Reason == stored.Reason
}

func conflictOf(code, message string) error {
	return fault.New(fault.Conflict, "These records cannot be merged.",
		fault.Detail{Pointer: "/duplicate_id", Code: code, Message: message})
}

// check lists what is wrong with the request itself.
func (m Merge) check() faults {
	var f faults
	if m.Survivor == m.Duplicate {
		f.add("/duplicate_id", "same_client", "A record is not merged into itself.")
	}
	if strings.TrimSpace(string(m.Reason)) == "" {
		f.add("/reason", "required", "A reason is needed and is kept.")
	}
	return f
}

// MergeClients says that two records are of one person: from then on the
// survivor stands for both. Nothing moves, and what is sent for the duplicate
// is stored under it still. NotFound for an unknown survivor; Conflict where
// one of them is merged already, or the duplicate has duplicates of its own,
// or was erased. Ids are idempotent as in CreateClient.
func (s *Service) MergeClients(ctx context.Context, who auth.Principal, m Merge) (out Merge, outcome Outcome, err error) {
	if err := s.require(ctx, who, auth.MergeClients); err != nil {
		return Merge{}, Refused, err
	}
	if err := m.check().err(); err != nil {
		return Merge{}, Refused, err
	}
	if m.ID == uuid.Nil {
		m.ID = s.NewID()
	}
	err = s.Store.Write(ctx, who, func(tx Tx) error {
		out, outcome, err = s.merge(ctx, who, tx, m)
		return err
	})
	if err != nil {
		return Merge{}, Refused, err
	}
	return out, outcome, nil
}

func (s *Service) merge(ctx context.Context, who auth.Principal, tx Tx, m Merge) (Merge, Outcome, error) {
	if err := s.mergeable(ctx, who, tx, m); err != nil {
		return Merge{}, Refused, err
	}
	m.MergedAt, m.MergedBy, m.UndoneAt, m.UndoneBy = stamp(s.Now()), who.Actor, nil, nil
	stored, err := tx.Merge(ctx, who, m.ID)
	switch {
	case err == nil && !m.repeats(stored):
		return Merge{}, Refused, ErrIDTaken
	case err == nil:
		tx.Note(s.did(who, "merge.read", "client", m.Duplicate, m.Survivor))
		return stored, Known, nil
	case !fault.Is(err, fault.NotFound):
		return Merge{}, Refused, err
	}
	if err := s.apart(ctx, who, tx, m); err != nil {
		return Merge{}, Refused, err
	}
	tx.Note(s.did(who, "client.merge", "client", m.Duplicate, m.Survivor), s.did(who, "client.merge", "client", m.Survivor, m.Duplicate))
	if err := tx.InsertMerge(ctx, who, m); err != nil {
		return Merge{}, Refused, err
	}
	return m, Created, s.moveProgress(ctx, who, tx, []uuid.UUID{m.Survivor}, nil)
}

// mergeable locks both records and makes sure that they are there.
func (s *Service) mergeable(ctx context.Context, who auth.Principal, tx Tx, m Merge) error {
	clients, err := tx.LockedClients(ctx, who, []uuid.UUID{m.Survivor, m.Duplicate})
	if err != nil {
		return err
	}
	survivor, known := clients[m.Survivor]
	switch duplicate, knownToo := clients[m.Duplicate]; {
	case !known:
		return fault.New(fault.NotFound, "There is no such client.")
	case survivor.ErasedAt != nil:
		return ErrErased
	case !knownToo:
		return fault.InvalidIf([]fault.Detail{{Pointer: "/duplicate_id", Code: "unknown_client", Message: "This clinic has no such client."}})
	case duplicate.ErasedAt != nil:
		return conflictOf("erased", "The duplicate was erased.")
	}
	return nil
}

// apart makes sure that neither of two locked records is a duplicate already,
// and that the duplicate has none: a chain could not be undone link by link.
func (s *Service) apart(ctx context.Context, who auth.Principal, tx Tx, m Merge) error {
	for _, id := range []uuid.UUID{m.Duplicate, m.Survivor} {
		person, err := tx.Person(ctx, who, id)
		switch {
		case err != nil:
			return err
		case person[0].ID != id:
			return conflictOf("merged", "One of them is merged into another record already: undo that first, or merge into that one.")
		case id == m.Duplicate && len(person) > 1:
			return conflictOf("has_duplicates", "Other records are merged into the duplicate: undo that first.")
		}
	}
	return nil
}

// UndoMerge takes a merge back: each record stands for itself again, with what
// was stored under it before and since. Undoing again changes nothing.
// NotFound where the two were never merged.
func (s *Service) UndoMerge(ctx context.Context, who auth.Principal, survivor, duplicate uuid.UUID) error {
	if err := s.require(ctx, who, auth.MergeClients); err != nil {
		return err
	}
	return s.Store.Write(ctx, who, func(tx Tx) error {
		if err := tx.LockClients(ctx, who, []uuid.UUID{survivor, duplicate}); err != nil {
			return err
		}
		merges, err := tx.Merges(ctx, who, duplicate, Page{Limit: -1})
		if err != nil {
			return err
		}
		merges = slices.DeleteFunc(merges, func(m Merge) bool { return m.Survivor != survivor })
		if len(merges) == 0 {
			return fault.New(fault.NotFound, "There is no such merge.")
		}
		last := merges[len(merges)-1]
		if last.UndoneAt != nil {
			return nil
		}
		last.UndoneAt, last.UndoneBy = new(stamp(s.Now())), &who.Actor
		tx.Note(s.did(who, "client.unmerge", "client", duplicate, survivor), s.did(who, "client.unmerge", "client", survivor, duplicate))
		if err := tx.EndMerge(ctx, who, last); err != nil {
			return err
		}
		return s.moveProgress(ctx, who, tx, []uuid.UUID{survivor, duplicate}, nil)
	})
}

// Merges lists the merges in which a client was one of the two, by time;
// NotFound for an unknown client.
func (s *Service) Merges(ctx context.Context, who auth.Principal, client uuid.UUID, page Page) ([]Merge, error) {
	if err := s.require(ctx, who, auth.MergeClients); err != nil {
		return nil, err
	}
	return read(ctx, s, who, func(r Reader) ([]Merge, error) {
		if _, err := r.Client(ctx, who, client); err != nil {
			return nil, err
		}
		r.Note(s.did(who, "merge.list", "client", client, client))
		return r.Merges(ctx, who, client, page)
	})
}
