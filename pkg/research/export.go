package research

import (
	"bytes"
	"context"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/export"
)

// LeftOut counts the people whose data a request would have reached and does
// not hold, by the reason.
type LeftOut struct {
	NoConsent int `json:"no_consent"` // nothing is known of what they say to research
	Withdrawn int `json:"withdrawn"`  // they have withdrawn, or refused from the start
	Erased    int `json:"erased"`     // their record was erased
}

// Export is an export that was allowed and noted, and is about to be written.
type Export struct {
	Request     Request // with what was left open filled in
	GeneratedAt time.Time
	People      []Person // whose data it holds, in the order in which it is written
	LeftOut     LeftOut

	who      auth.Principal
	at       time.Time // when it was asked for: who has agreed by then is in it
	disguise disguise
	rows     int64 // that were handed on so far, or last

	snapshot  *Snapshot          // that it is of; nil: none
	members   map[uuid.UUID]bool // people of the snapshot
	withdrawn []string           // pseudonyms of those who have left it since
}

// Prepare decides on an export and leaves its entry in the audit trail, with
// every client in it. Forbidden where the profile is more than the principal's
// rights; Invalid with every fault of the request.
func (s *Service) Prepare(ctx context.Context, who auth.Principal, r Request) (*Export, error) {
	return s.prepare(ctx, who, &Export{Request: r}, s.exported)
}

// prepare is Prepare for an export that may be of a snapshot, with the entry
// that is left.
func (s *Service) prepare(ctx context.Context, who auth.Principal, x *Export, entry func(*Export) audit.Entry) (*Export, error) {
	r := x.Request
	if err := s.require(ctx, who, r.Profile.permission()); err != nil {
		return nil, err
	}
	if err := s.check(r); err != nil {
		return nil, err
	}
	x.Request.AsOf, x.who = stampPtr(r.AsOf), reaching(who)
	err := s.Store.Conduct(ctx, x.who, func(tx Tx) (err error) {
		x.GeneratedAt = stamp(s.Now())
		x.at = x.GeneratedAt
		x.disguise = disguise{profile: r.Profile, dates: r.Dates}
		if r.Profile != Identified {
			if x.disguise.project, err = s.project(ctx, x.who, tx, r.Project); err != nil {
				return err
			}
		}
		if len(r.Instruments) == 0 {
			if x.Request.Instruments, err = tx.InstrumentsInUse(ctx, x.who); err != nil {
				return err
			}
		}
		if err := s.agreed(ctx, x, tx); err != nil {
			return err
		}
		x.order()
		tx.Note(entry(x))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return x, nil
}

// reaching is a principal who sees no single client, among all who agreed to
// research: what it may have of them is decided here, not by its reach.
func reaching(who auth.Principal) auth.Principal {
	if who.Reach == auth.NoClients {
		who.Reach = auth.AllClients
	}
	return who
}

// agreed finds the people who have agreed to research, now.
func (s *Service) agreed(ctx context.Context, x *Export, r Reader) error {
	people, err := r.People(ctx, x.who, x.Request.AsOf)
	if err != nil {
		return err
	}
	x.People, x.LeftOut = nil, LeftOut{}
	for _, p := range people {
		switch agreed, known := p.Agreed(x.at); {
		case p.Erased:
			x.LeftOut.Erased++
		case agreed:
			x.People = append(x.People, p)
		case known:
			x.LeftOut.Withdrawn++
		default:
			x.LeftOut.NoConsent++
		}
	}
	if x.snapshot != nil {
		x.thaw()
	}
	return nil
}

// order sorts people by pseudonym, where they have one: the order of their ids
// is that of their coming.
func (x *Export) order() {
	if x.Request.Profile == Identified {
		return
	}
	keys := make(map[uuid.UUID][]byte, len(x.People))
	for _, p := range x.People {
		sum := x.disguise.project.digest("client", p.ID)
		keys[p.ID] = sum[:]
	}
	slices.SortFunc(x.People, func(a, b Person) int { return bytes.Compare(keys[a.ID], keys[b.ID]) })
}

// exported is the entry of an export. It names filters, and no value of theirs
// that says who somebody is.
func (s *Service) exported(x *Export) audit.Entry {
	e := s.entry(x.who.Did(string(x.Request.Table)+".export", "", uuid.Nil)).WithClients(x.records())
	e.Details.Note = map[string]string{
		"profile": string(x.Request.Profile), "project": x.Request.Project, "format": string(x.Request.Format),
		"shape": string(x.Request.Shape), "package": strconv.FormatBool(x.Request.Package),
	}
	if x.Request.AsOf != nil {
		e.Details.Note["as_of"] = x.Request.AsOf.Format(time.RFC3339Nano)
	}
	return e
}

// records are those of the people of an export.
func (x *Export) records() []uuid.UUID {
	var ids []uuid.UUID
	for _, p := range x.People {
		ids = append(ids, p.Records...)
	}
	return ids
}

// Read hands fn the table of an export, on one snapshot of the record. Who has
// withdrawn since it was prepared is left out.
func (s *Service) Read(ctx context.Context, x *Export, fn func(export.Table) error) error {
	return s.Store.Study(ctx, x.who, func(r Reader) error {
		noted := make(map[uuid.UUID]bool, len(x.People))
		for _, p := range x.People {
			noted[p.ID] = true
		}
		if err := s.agreed(ctx, x, r); err != nil {
			return err
		}
		x.People = slices.DeleteFunc(x.People, func(p Person) bool { return !noted[p.ID] })
		x.order()
		table, err := s.table(ctx, x, r)
		if err != nil {
			return err
		}
		table.Rows = x.counted(table.Rows)
		return fn(table)
	})
}

// table is the table that an export asks for.
func (s *Service) table(ctx context.Context, x *Export, r Reader) (export.Table, error) {
	return s.assessmentTable(ctx, x, r)
}

// histories are what is known of the people of an export.
func (x *Export) histories(ctx context.Context, r Reader, q HistoryQuery) iter.Seq2[History, error] {
	q.Instruments, q.AsOf, q.Names = x.Request.Instruments, x.Request.AsOf, x.Request.Profile == Identified
	return r.Histories(ctx, x.who, x.People, q)
}
