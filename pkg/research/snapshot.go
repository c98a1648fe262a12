package research

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/fault"
)

// Snapshot is an export that was frozen under a name: what was asked for, as of
// when, by which versions of the instruments, and whose data it held. The data
// is not copied. It is read again whenever the package is pulled, and is the
// same to the last byte unless somebody has withdrawn since, who is then named
// by pseudonym, or another program writes other bytes, which then says so.
type Snapshot struct {
	ID        uuid.UUID
	Name      string
	Frozen    Frozen
	AsOf      time.Time
	Manifest  []byte // as it was first handed out
	Signature []byte // of the manifest
	Seal      string // of the whole file
	CreatedAt time.Time
	CreatedBy uuid.UUID
}

// Frozen is what the bytes of a snapshot depend on besides the record. It is
// stored as JSON; hence the tags.
type Frozen struct {
	Asked   Request `json:"asked"`   // as it was sent, filled in, to know a retry by
	Request Request `json:"request"` // with as_of, and the instruments that there were
	Terms   Terms   `json:"terms"`
	LeftOut LeftOut `json:"left_out"`
	Program string  `json:"program"` // version of the program that made it
}

// snapshotPrepare is the act of reading what is frozen.
const snapshotPrepare = "snapshot.prepare"

// exportActions are the acts that handed out, or froze, what was known at their
// time.
func exportActions() []string {
	out := []string{snapshotPrepare}
	for _, t := range Tables() {
		out = append(out, t.action())
	}
	return out
}

// snapshotName is what a snapshot may be called: a part of its files' names.
var snapshotName = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,62}$`)

var errNoSigner = fault.New(fault.Unavailable, "This server has no key to sign snapshots with: its log says why.")

var errSnapshotName = fault.Detail{Pointer: "/name", Code: "not_a_name", Message: "A snapshot's name has at most 63 lower-case letters, digits, dots, hyphens and underscores."}

var errSnapshotNameTaken = fault.New(fault.Conflict, "Another snapshot of this clinic has this name.",
	fault.Detail{Pointer: "/name", Code: "name_taken", Message: "Names of snapshots are unique in the clinic."})

// TakeSnapshot freezes an export, which a program of this name and version
// writes; id may be uuid.Nil. Forbidden where the profile is more than the
// principal's rights; Conflict where the name is taken. Ids are idempotent as in
// care.Service.CreateClient.
func (s *Service) TakeSnapshot(ctx context.Context, who auth.Principal, id uuid.UUID, name string, r Request, program string) (Snapshot, care.Outcome, error) {
	r = r.filled()
	if err := s.require(ctx, who, append(r.permissions(), auth.TakeSnapshots)...); err != nil {
		return Snapshot{}, care.Refused, err
	}
	if s.Signer == nil {
		return Snapshot{}, care.Refused, errNoSigner
	}
	if err := s.checkSnapshot(name, r); err != nil {
		return Snapshot{}, care.Refused, err
	}
	if id == uuid.Nil {
		id = s.NewID()
	}
	if snap, outcome, err := s.settled(ctx, who, id, name, r); err != nil || outcome == care.Known {
		return snap, outcome, err
	}
	snap := Snapshot{ID: id, Name: name, CreatedAt: stamp(s.Now()), CreatedBy: who.Actor, Frozen: Frozen{Asked: r, Program: program}}
	if err := s.Store.Settle(ctx, who); err != nil {
		return Snapshot{}, care.Refused, err
	}
	members, err := s.freeze(ctx, who, &snap)
	if err != nil {
		return Snapshot{}, care.Refused, inBody(err)
	}
	created := false
	err = s.Store.Conduct(ctx, who, func(tx Tx) (err error) {
		if created, err = tx.InsertSnapshot(ctx, who, snap, members); created {
			tx.Note(s.snapshotEntry(who, "snapshot.create", snap))
		}
		return err
	})
	if err != nil {
		return Snapshot{}, care.Refused, err
	}
	if !created { // another request with this id or name was quicker
		return s.settled(ctx, who, id, name, r)
	}
	return snap, care.Created, nil
}

func (s *Service) checkSnapshot(name string, r Request) error {
	var f []fault.Detail
	if !snapshotName.MatchString(name) {
		f = append(f, errSnapshotName)
	}
	var request *fault.Error
	switch err := inBody(s.check(r)); {
	case errors.As(err, &request) && request.Kind == fault.Invalid:
		f = append(f, request.Details...)
	case err != nil:
		return err
	}
	return fault.InvalidIf(f)
}

// inBody is an error about a request as one about the body that a snapshot is
// asked for in, where a parameter that can be repeated is a list.
func inBody(err error) error {
	var request *fault.Error
	if !errors.As(err, &request) {
		return err
	}
	moved := *request
	moved.Details = slices.Clone(request.Details)
	for i := range moved.Details {
		d := &moved.Details[i]
		d.In = ""
		if d.Pointer == "/instrument" {
			d.Pointer = "/instruments"
		}
	}
	return moved.Because(err)
}

// settled answers for an id or a name that may be in use, before the record is
// read for nothing: a retry carries what was asked for first, and anything else
// would overwrite it.
func (s *Service) settled(ctx context.Context, who auth.Principal, id uuid.UUID, name string, r Request) (snap Snapshot, outcome care.Outcome, err error) {
	err = s.Store.Study(ctx, who, func(tx Reader) error {
		if snap, err = tx.Snapshot(ctx, who, id); !fault.Is(err, fault.NotFound) {
			return err
		}
		taken, e := tx.SnapshotNamed(ctx, who, name)
		if taken {
			return errSnapshotNameTaken
		}
		return cmp.Or(e, err)
	})
	switch {
	case fault.Is(err, fault.NotFound):
		return Snapshot{}, care.Refused, nil
	case err != nil:
		return Snapshot{}, care.Refused, err
	case snap.Name != name || !same(snap.Frozen.Asked, r):
		return Snapshot{}, care.Refused, care.ErrIDTaken
	}
	return snap, care.Known, nil
}

// same reports whether two requests ask for the same: they are compared as they
// are stored.
func same(a, b Request) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// freeze reads the whole export once, to vouch for what comes out, and gives
// the people in it.
func (s *Service) freeze(ctx context.Context, who auth.Principal, snap *Snapshot) ([]uuid.UUID, error) {
	r := snap.Frozen.Asked
	r.Package = true
	if r.AsOf == nil {
		r.AsOf = &snap.CreatedAt
	}
	x, err := s.prepare(ctx, who, &Export{Request: r, GeneratedAt: snap.CreatedAt}, func(x *Export) audit.Entry {
		e := s.snapshotEntry(x.who, snapshotPrepare, *snap)
		e.At = x.GeneratedAt
		return e
	})
	if err != nil {
		return nil, err
	}
	var members []uuid.UUID
	err = s.Read(ctx, x, func(t export.Table) error {
		snap.AsOf, x.snapshot = x.Until(), snap
		for _, p := range x.People {
			members = append(members, p.ID)
		}
		snap.Frozen.Request, snap.Frozen.Terms, snap.Frozen.LeftOut = x.Request, *x.Terms, x.LeftOut
		_, err := export.WritePackage(ctx, io.Discard, s.snapshotPackage(ctx, x, t, snap.Frozen.Program))
		return err
	})
	return members, err
}

// Snapshot returns a snapshot, without its data.
func (s *Service) Snapshot(ctx context.Context, who auth.Principal, id uuid.UUID) (snap Snapshot, err error) {
	if err := s.require(ctx, who, auth.ReadSnapshots); err != nil {
		return Snapshot{}, err
	}
	err = s.Store.Conduct(ctx, who, func(tx Tx) error {
		if snap, err = tx.Snapshot(ctx, who, id); err == nil {
			tx.Note(s.snapshotEntry(who, "snapshot.read", snap))
		}
		return err
	})
	return s.covered(who, snap), err
}

// covered is what a principal may know of a snapshot: of one that it may not
// pull, that there is one. Its manifest counts and names whom it may not see.
func (s *Service) covered(who auth.Principal, snap Snapshot) Snapshot {
	if !who.May(snap.Frozen.Request.Profile.permission()) {
		snap.Manifest, snap.Signature, snap.Seal = nil, nil, ""
		snap.Frozen = Frozen{Request: Request{Profile: snap.Frozen.Request.Profile}}
	}
	return snap
}

// Snapshots lists the clinic's snapshots by id, without their data.
func (s *Service) Snapshots(ctx context.Context, who auth.Principal, page care.Page) (list []Snapshot, err error) {
	if err := s.require(ctx, who, auth.ReadSnapshots); err != nil {
		return nil, err
	}
	err = s.Store.Conduct(ctx, who, func(tx Tx) error {
		list, err = tx.Snapshots(ctx, who, page)
		tx.Note(s.entry(who.Did("snapshot.list", "snapshot", uuid.Nil)))
		return err
	})
	for i := range list {
		list[i] = s.covered(who, list[i])
	}
	return list, err
}
