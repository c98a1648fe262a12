package care

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
)

// TrailEntry is an entry of the audit trail as it is stored.
type TrailEntry struct {
	audit.Entry
	Seq  *int64 // its place in the clinic's chain; nil: not sealed yet
	Hash []byte // its hash in the chain; nil: not sealed yet
}

// Clients is how many clients the entry concerns.
func (e TrailEntry) clients() int {
	switch {
	case e.Details.Clients != "" && e.Details.Count != nil: // a count may be of something else
		return *e.Details.Count
	case e.Client != uuid.Nil:
		return 1
	}
	return 0
}

// EntryFilter narrows the audit trail. Empty fields do not.
type EntryFilter struct {
	Actor   *uuid.UUID
	Action  string
	Outcome audit.Outcome
	Clients []uuid.UUID // entries about any of these
	From    *time.Time  // this time or later
	To      *time.Time  // before this time
	Verbs   []string    // actions that end in one of these, as in "client.read"
}

// discloses lists the verbs of the actions that show somebody what a record
// holds. The others change it, and are told by its versions.
var discloses = []string{
	"read",        // one thing, or a page of the caseload
	"list",        // a page of things
	"history",     // every version of a thing
	"download",    // the whole record
	"export",      // of many clients at once
	"break_glass", // access that was not assigned
}

// Disclosure is one occasion on which a client's record was shown.
type Disclosure struct {
	TrailEntry
	Clients int // how many clients were shown with it
}

func disclosureOf(e TrailEntry) Disclosure { return Disclosure{TrailEntry: e, Clients: e.clients()} }

// NoteExport leaves the entry of an export of the whole audit trail, before it
// is written.
func (s *Service) NoteExport(ctx context.Context, who auth.Principal) error {
	if err := s.require(ctx, who, auth.ReadAudit); err != nil {
		return err
	}
	return s.Store.Write(ctx, who, func(tx Tx) error {
		tx.Note(s.entry(who.Did("audit.export", "", uuid.Nil)))
		return nil
	})
}

// Audit lists the clinic's audit trail, the newest first. Reading it is an
// entry of its own.
func (s *Service) Audit(ctx context.Context, who auth.Principal, filter EntryFilter, page Page) ([]TrailEntry, error) {
	if err := s.require(ctx, who, auth.ReadAudit); err != nil {
		return nil, err
	}
	filter.From, filter.To = stampPtr(filter.From), stampPtr(filter.To)
	return read(ctx, s, who, func(r Reader) ([]TrailEntry, error) {
		entries, err := r.Entries(ctx, who, filter, page)
		e := s.entry(who.Did("audit.read", "", uuid.Nil))
		if len(filter.Clients) == 1 {
			e.Client = filter.Clients[0]
		}
		e.Details.Count = new(len(entries))
		r.Note(e)
		return entries, err
	})
}

// Disclosures lists on which occasions a client's record was shown, to whom
// and by what, the newest first; NotFound for an unknown client. It outlives
// the record's erasure.
func (s *Service) Disclosures(ctx context.Context, who auth.Principal, client uuid.UUID, page Page) ([]Disclosure, error) {
	if err := s.require(ctx, who, auth.ReadDisclosures); err != nil {
		return nil, err
	}
	return read(ctx, s, who, func(r Reader) ([]Disclosure, error) {
		found, err := disclosures(ctx, who, r, client, page)
		r.Note(s.did(who, "disclosure.list", "client", client, client))
		return found, err
	})
}

func disclosures(ctx context.Context, who auth.Principal, r Reader, client uuid.UUID, page Page) ([]Disclosure, error) {
	person, err := r.Person(ctx, who, client)
	if err != nil {
		return nil, err
	}
	records := idsOf(person, func(p Standing) uuid.UUID { return p.ID })
	entries, err := r.Entries(ctx, who, EntryFilter{Clients: records, Verbs: discloses}, page)
	if err != nil {
		return nil, err
	}
	out := make([]Disclosure, len(entries))
	for i, e := range entries {
		out[i] = disclosureOf(e)
	}
	return out, nil
}
