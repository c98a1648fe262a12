package care

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

// ErrErased answers whatever asks for a client whose record was erased.
var ErrErased = fault.New(fault.Gone, "This client's record was erased. The id stays taken, and nothing can be stored under it.")

// ErasureReason is why a record is erased: a code, for a text could tell of
// the client what was to be forgotten.
type ErasureReason string

// The reasons.
const (
	ClientRequest     ErasureReason = "client_request"
	LegalOrder        ErasureReason = "legal_order"
	RecordedByMistake ErasureReason = "recorded_by_mistake"
	RetentionEnded    ErasureReason = "retention_ended"
)

// Erasure is what became of a client's record that was erased.
type Erasure struct {
	ClientID uuid.UUID
	ErasedAt time.Time
	ErasedBy uuid.UUID
	Reason   ErasureReason
	Removed  map[string]int // table to rows, of all records of the person
	Kept     []Kept         // not stored: it depends on what is true now
}

// Kept is one thing that an erasure leaves, and why.
type Kept struct{ What, Why string }

// stays is what every erasure leaves.
var stays = []Kept{
	{"client_id", "The id alone, so that nothing can be stored under it again by a device that still knows it."},
	{"erasure", "When the record was erased, by whom, for which of four reasons, and how many rows went."},
	{"audit_trail", "Who did what, when and from where, by ids. Of changes it keeps the names of fields, and the values of those that say how the record was kept: which instrument was asked when and in which timing, kinds and times of sessions, days of courses, scopes of consent. No name, reference, answer, score, dose or free text. It shows that the record was kept and erased lawfully, and an entry taken out of the chain would break it."},
	{"snapshots", "That the client was in a snapshot of research, by the id alone: who pulls it is told which pseudonym is missing."},
	{"copies", "Backups, exports and downloads that were made before are outside of this database; delete them as the clinic's schedule says."},
}

// inFiles is what an erasure leaves until the database has tidied up.
var inFiles = Kept{"database_files", "The database's own files may hold bytes of removed rows: on SQLite until readers let its log be emptied, for which it is enough to ask again; on PostgreSQL until it has vacuumed the tables and recycled its log."}

var errDuplicateErased = fault.New(fault.Conflict, "This record is merged into another one of the same person.",
	fault.Detail{Pointer: "/client_id", In: "path", Code: "merged", Message: "Erase the other one, which takes this one with it, or undo the merge."})

// EraseClient removes a client's record with everything in it, and every
// record merged into it, and says what stays. It cannot be undone. Asked again
// it answers what was done. Conflict for a record that is merged into another.
func (s *Service) EraseClient(ctx context.Context, who auth.Principal, client uuid.UUID, reason ErasureReason) (Erasure, error) {
	if err := s.require(ctx, who, auth.EraseClients); err != nil {
		return Erasure{}, err
	}
	if !slices.Contains([]ErasureReason{ClientRequest, LegalOrder, RecordedByMistake, RetentionEnded}, reason) {
		return Erasure{}, fault.InvalidIf([]fault.Detail{{
			Pointer: "/reason", Code: "unknown_reason", Message: "The reason is client_request, legal_order, recorded_by_mistake or retention_ended.",
		}})
	}
	var out Erasure
	err := s.Store.Write(ctx, who, func(tx Tx) (err error) {
		out, err = s.erase(ctx, who, tx, client, reason)
		return err
	})
	if err != nil {
		return Erasure{}, err
	}
	out.Kept = slices.Clone(stays)
	clean, err := s.Store.Scrub(ctx)
	if err != nil { // what was asked for is done; only its traces are not wiped yet
		s.Log.WarnContext(ctx, "the database's log was not emptied after an erasure", "who", who, "error", err.Error())
	}
	if !clean {
		out.Kept = append(out.Kept, inFiles)
	}
	return out, nil
}

func (s *Service) erase(ctx context.Context, who auth.Principal, tx Tx, client uuid.UUID, reason ErasureReason) (Erasure, error) {
	err := tx.LockClients(ctx, who, []uuid.UUID{client})
	if fault.Is(err, fault.Gone) {
		tx.Note(s.did(who, "erasure.read", "client", client, client))
		return tx.Erasure(ctx, who, client)
	}
	if err != nil {
		return Erasure{}, err
	}
	person, err := tx.Person(ctx, who, client)
	if err != nil {
		return Erasure{}, err
	}
	if person[0].ID != client {
		return Erasure{}, errDuplicateErased
	}
	e := Erasure{ClientID: client, ErasedAt: stamp(s.Now()), ErasedBy: who.Actor, Reason: reason}
	records := idsOf(person, func(r Standing) uuid.UUID { return r.ID })
	for _, id := range records {
		entry := s.did(who, "client.erase", "client", id, id)
		entry.Details.Reason = string(reason)
		tx.Note(entry)
		tx.Emit(s.happened(ClientErased, id, nil)) // stored behind all that is removed
	}
	e.Removed, err = tx.Erase(ctx, who, records, e)
	return e, err
}
