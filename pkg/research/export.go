package research

import (
	"bytes"
	"context"
	"iter"
	"slices"
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
	Request     Request   // with what was left open filled in
	GeneratedAt time.Time // all that was recorded before is in it
	People      []Person  // whose data it holds, in the order in which it is written
	LeftOut     LeftOut
	Terms       *Terms // nil until it is read

	// Withdrawn names, as the export would, those who have left an increment or a
	// snapshot since: they have withdrawn, were erased, or their record was merged
	// into another one. Whoever keeps earlier exports deletes their rows.
	Withdrawn []string

	sent     Request // as it was sent, filled in
	who      auth.Principal
	at       time.Time // when it was last looked who has agreed
	known    []Person  // everybody, as choose found them; nil: there was nothing to choose by
	disguise disguise
	chosen   map[uuid.UUID]bool // people by cohort and changes; nil: everybody
	moved    map[uuid.UUID]bool // of an increment, people of whom every row is new
	changes  Changes
	handed   map[uuid.UUID]bool // of an increment: who an earlier export named, of those who are gone
	rows     int64              // that were handed on so far, or last

	snapshot *Snapshot          // that it is of; nil: none
	members  map[uuid.UUID]bool // people of the snapshot
}

// Prepare decides on an export and leaves its entry in the audit trail, with
// every client in it. Forbidden where the profile is more than the principal's
// rights; Invalid with every fault of the request.
func (s *Service) Prepare(ctx context.Context, who auth.Principal, r Request) (*Export, error) {
	r = r.filled()
	if err := s.require(ctx, who, r.permissions()...); err != nil {
		return nil, err
	}
	return s.prepare(ctx, who, &Export{Request: r}, s.exported)
}

// prepare is Prepare for an export that may be of a snapshot, with the entry
// that is left. One that is not made yet is as of when nothing is under way any
// more that was recorded before: the next increment begins there, and must not
// pass over what had not come in.
func (s *Service) prepare(ctx context.Context, who auth.Principal, x *Export, entry func(*Export) audit.Entry) (*Export, error) {
	if err := s.begin(ctx, who, x); err != nil {
		return nil, err
	}
	err := s.Store.Conduct(ctx, x.who, func(tx Tx) (err error) {
		if x.sent.Profile != Identified {
			if err := s.nameBy(ctx, x.who, tx, &x.disguise, x.Request.Project); err != nil {
				return err
			}
		}
		all, err := s.found(ctx, x, tx)
		if err != nil {
			return err
		}
		if err := x.fillInstruments(ctx, tx, all); err != nil {
			return err
		}
		x.order()
		tx.Note(entry(x))
		return nil
	})
	if err != nil {
		return nil, err
	}
	x.known = nil
	return x, nil
}

// begin checks a request and finds the people whom it chooses.
func (s *Service) begin(ctx context.Context, who auth.Principal, x *Export) error {
	r := x.Request
	if err := s.require(ctx, who, r.Profile.permission()); err != nil {
		return err
	}
	if err := s.check(r); err != nil {
		return err
	}
	x.sent, x.who = r, reaching(who)
	x.disguise = disguise{profile: r.Profile, dates: r.Dates}
	if x.GeneratedAt.IsZero() {
		x.GeneratedAt = stamp(s.Now())
		if err := s.Store.Settle(ctx, who); err != nil {
			return err
		}
	}
	return s.choose(ctx, x)
}

// fillInstruments names the instruments of a request that names none. A
// snapshot keeps to those that there were, none too.
func (x *Export) fillInstruments(ctx context.Context, r Reader, agreed []Person) (err error) {
	if len(x.sent.Instruments) == 0 && x.snapshot == nil {
		x.Request.Instruments, err = x.instruments(ctx, r, agreed)
	}
	return err
}

// instruments are those that there is anything of. What only others answered is
// none: that it was asked says something of them.
func (x *Export) instruments(ctx context.Context, r Reader, agreed []Person) ([]string, error) {
	clients := map[uuid.UUID]bool{}
	for _, id := range records(agreed) {
		clients[id] = true
	}
	switch {
	case x.Request.Table == Sessions:
		return nil, nil
	case x.Request.AsOf == nil && x.Request.ChangedSince == nil:
		return r.InstrumentsInUse(ctx, x.who, clients)
	}
	return r.InstrumentsAt(ctx, x.who, clients, x.Request.AsOf)
}

// reaching is a principal who sees no single client, among all who agreed to
// research: what it may have of them is decided here, not by its reach.
func reaching(who auth.Principal) auth.Principal {
	if who.Reach == auth.NoClients {
		who.Reach = auth.AllClients
	}
	return who
}

// found is agreed by what choose has found, where it has looked.
func (s *Service) found(ctx context.Context, x *Export, r Reader) ([]Person, error) {
	if x.known == nil {
		return s.agreed(ctx, x, r)
	}
	return x.sift(x.known), nil
}

// agreed finds the people who have agreed to research, now, and of these the
// ones whom the export is about.
func (s *Service) agreed(ctx context.Context, x *Export, r Reader) ([]Person, error) {
	x.at = stamp(s.Now())
	people, err := r.People(ctx, x.who, x.Request.AsOf)
	if err != nil {
		return nil, err
	}
	return x.sift(people), nil
}

// stillAgreed is agreed for an export that was prepared: nobody is in it whom its
// entry does not name.
func (s *Service) stillAgreed(ctx context.Context, x *Export, r Reader) ([]Person, error) {
	noted := make(map[uuid.UUID]bool, len(x.People))
	for _, p := range x.People {
		noted[p.ID] = true
	}
	all, err := s.agreed(ctx, x, r)
	x.People = slices.DeleteFunc(x.People, func(p Person) bool { return !noted[p.ID] })
	return all, err
}

// sift leaves of everybody those who have agreed, and puts the ones whom the
// export is about into it.
func (x *Export) sift(people []Person) []Person {
	var all []Person
	x.People, x.LeftOut = nil, LeftOut{}
	for _, p := range people {
		switch agreed, known := p.Agreed(x.at); {
		case p.Erased:
			x.LeftOut.Erased++
		case agreed:
			all = append(all, p)
		case known:
			x.LeftOut.Withdrawn++
		default:
			x.LeftOut.NoConsent++
		}
	}
	for _, p := range all {
		if x.chosen == nil || x.chosen[p.ID] {
			x.People = append(x.People, p)
		}
	}
	if x.Withdrawn = x.gone(people); x.snapshot != nil {
		x.thaw()
	}
	return all
}

// order sorts people by pseudonym, where they have one: the order of their ids
// is that of their coming.
func (x *Export) order() {
	if x.disguise.names == nil {
		return
	}
	keys := make(map[uuid.UUID][]byte, len(x.People))
	for _, p := range x.People {
		keys[p.ID] = bytes.Clone(x.disguise.names.sum(aClient, p.ID))
	}
	slices.SortFunc(x.People, func(a, b Person) int { return bytes.Compare(keys[a.ID], keys[b.ID]) })
}

// records are those of people.
func records(people []Person) []uuid.UUID {
	var ids []uuid.UUID
	for _, p := range people {
		ids = append(ids, p.Records...)
	}
	return ids
}

// Read hands fn the table of an export, on one snapshot of the record. Who has
// withdrawn since it was prepared is left out.
func (s *Service) Read(ctx context.Context, x *Export, fn func(export.Table) error) error {
	return s.Store.Study(ctx, x.who, func(r Reader) error {
		all, err := s.stillAgreed(ctx, x, r)
		if err != nil {
			return err
		}
		x.order()
		if err := s.settle(ctx, x, r, all); err != nil {
			return err
		}
		table, err := s.table(ctx, x, r)
		if err != nil {
			return err
		}
		table.Rows = x.counted(table.Rows)
		return fn(table)
	})
}

// Until is up to when the export knows the record.
func (x *Export) Until() time.Time {
	if x.Request.AsOf != nil {
		return *x.Request.AsOf
	}
	return x.GeneratedAt
}

// table is the table that an export asks for.
func (s *Service) table(ctx context.Context, x *Export, r Reader) (export.Table, error) {
	set, err := s.questionnaires(x)
	if err != nil {
		return export.Table{}, err
	}
	switch {
	case x.Request.Table == Sessions:
		return x.sessionTable(ctx, r), nil
	case x.Request.Table == Clients:
		return x.clientTable(ctx, r), nil
	case x.Request.Table == Trajectories:
		return x.trajectoryTable(ctx, r, set), nil
	case x.Request.Shape == Long:
		return x.longTable(ctx, r, set), nil
	case x.Request.Shape == Wide:
		return x.wideTable(ctx, r, set), nil
	}
	return x.assessmentTable(ctx, r, set), nil
}

// histories are what is known of the people of an export.
func (x *Export) histories(ctx context.Context, r Reader, q HistoryQuery) iter.Seq2[History, error] {
	q.AsOf, q.Names = x.Request.AsOf, x.Request.Profile == Identified
	if q.Instruments == nil {
		q.Instruments = x.Request.Instruments
		q.SkipForms = q.SkipForms || len(q.Instruments) == 0
	}
	return r.Histories(ctx, x.who, x.People, q)
}
