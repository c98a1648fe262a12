package research

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"
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
// by pseudonym.
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
	Asked    Request                    `json:"asked"`          // as it was sent, to know a retry by
	Request  Request                    `json:"request"`        // with as_of, and the instruments that there were
	Versions map[string]string          `json:"versions"`       // of the instruments
	Rules    map[string]string          `json:"rules"`          // change rule set by instrument, as the clinic had chosen
	Rare     map[string]map[string]bool `json:"rare,omitempty"` // values that were merged into other, by column
	Filter   *Filter                    `json:"filter,omitempty"`
	LeftOut  LeftOut                    `json:"left_out"`
	Program  string                     `json:"program"` // version of the program that made it
}

// snapshotName is what a snapshot may be called: a part of its files' names.
var snapshotName = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,62}$`)

var errSnapshotName = fault.Detail{Pointer: "/name", Code: "not_a_name", Message: "A snapshot's name has at most 63 lower-case letters, digits, dots, hyphens and underscores."}

// TakeSnapshot freezes an export: id may be uuid.Nil. Forbidden where the
// profile is more than the principal's rights; Conflict where the name is taken.
// Ids are idempotent as in care.Service.CreateClient.
func (s *Service) TakeSnapshot(ctx context.Context, who auth.Principal, id uuid.UUID, name string, r Request) (Snapshot, care.Outcome, error) {
	if err := s.require(ctx, who, auth.TakeSnapshots, r.Profile.permission()); err != nil {
		return Snapshot{}, care.Refused, err
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
	snap := Snapshot{ID: id, Name: name, CreatedAt: stamp(s.Now()), CreatedBy: who.Actor, Frozen: Frozen{Asked: r, Program: s.Program}}
	if err := s.Store.Settle(ctx, who); err != nil {
		return Snapshot{}, care.Refused, err
	}
	members, err := s.freeze(ctx, who, &snap)
	if err != nil {
		return Snapshot{}, care.Refused, err
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
	if !created {
		return s.settled(ctx, who, id, name, r) // another request with this id was quicker
	}
	return snap, care.Created, nil
}

func (s *Service) checkSnapshot(name string, r Request) error {
	var f []fault.Detail
	if !snapshotName.MatchString(name) {
		f = append(f, errSnapshotName)
	}
	if err := s.check(r); err != nil {
		for _, d := range care.DetailsOf(err) {
			d.In = "" // a snapshot is asked for in a body
			f = append(f, d)
		}
	}
	return fault.InvalidIf(f)
}

// settled answers for an id that may be in use: a retry carries what was asked
// for first, and anything else would overwrite it.
func (s *Service) settled(ctx context.Context, who auth.Principal, id uuid.UUID, name string, r Request) (snap Snapshot, outcome care.Outcome, err error) {
	err = s.Store.Study(ctx, who, func(tx Reader) error {
		snap, err = tx.Snapshot(ctx, who, id)
		return err
	})
	switch {
	case fault.Is(err, fault.NotFound):
		return Snapshot{}, care.Refused, nil
	case err != nil:
		return Snapshot{}, care.Refused, err
	case snap.Name != name || !reflect.DeepEqual(snap.Frozen.Asked, r):
		return Snapshot{}, care.Refused, care.ErrIDTaken
	}
	return snap, care.Known, nil
}

// freeze reads the whole export once, to sign what comes out, and gives the
// people in it.
func (s *Service) freeze(ctx context.Context, who auth.Principal, snap *Snapshot) ([]uuid.UUID, error) {
	r := snap.Frozen.Asked
	r.Package = true
	if r.AsOf == nil {
		r.AsOf = &snap.CreatedAt
	}
	x, err := s.prepare(ctx, who, r, func(x *Export) audit.Entry { return s.snapshotEntry(x.who, "snapshot.prepare", *snap) })
	if err != nil {
		return nil, err
	}
	x.GeneratedAt = snap.CreatedAt
	var members []uuid.UUID
	err = s.Read(ctx, x, func(t export.Table) error {
		snap.AsOf = x.until()
		for _, p := range x.People {
			members = append(members, p.ID)
		}
		snap.Frozen.Request, snap.Frozen.LeftOut = x.Request, x.LeftOut
		snap.Frozen.Versions, snap.Frozen.Rules, snap.Frozen.Rare, snap.Frozen.Filter = x.versions, x.rules, x.disguise.rare, x.filter
		_, err := export.WritePackage(ctx, io.Discard, s.snapshotPackage(x, t, snap))
		return err
	})
	return members, err
}

// Pull prepares the package of a snapshot, and leaves its entry in the audit
// trail. Who has withdrawn since, or was erased, is not in it and named in its
// manifest by pseudonym. The principal needs what the snapshot's profile needs.
func (s *Service) Pull(ctx context.Context, who auth.Principal, id uuid.UUID) (*Export, error) {
	var snap Snapshot
	var members []uuid.UUID
	err := s.Store.Study(ctx, who, func(tx Reader) (err error) {
		if snap, err = tx.Snapshot(ctx, who, id); err != nil {
			return err
		}
		members, err = tx.SnapshotMembers(ctx, reaching(who), id)
		return err
	})
	if err != nil {
		return nil, err
	}
	x, err := s.prepare(ctx, who, snap.Frozen.Request, func(x *Export) audit.Entry {
		x.thaw(snap, members)
		e := s.snapshotEntry(x.who, "snapshot.export", snap)
		return e.WithClients(x.records())
	})
	if err != nil {
		return nil, err
	}
	return x, nil
}

// thaw makes an export one of what was frozen: of its members, those who have
// not withdrawn since.
func (x *Export) thaw(snap Snapshot, members []uuid.UUID) {
	was := make(map[uuid.UUID]bool, len(members))
	for _, id := range members {
		was[id] = true
	}
	x.People = slices.DeleteFunc(x.People, func(p Person) bool { return !was[p.ID] })
	for _, p := range x.People {
		delete(was, p.ID)
	}
	x.snapshot, x.GeneratedAt, x.LeftOut = &snap, snap.CreatedAt, snap.Frozen.LeftOut
	x.withdrawn = nil
	for _, id := range members {
		if was[id] {
			x.withdrawn = append(x.withdrawn, x.disguise.id("client", id).Text)
		}
	}
	slices.Sort(x.withdrawn)
}

// snapshotPackage is the package of a snapshot, which keeps what vouches for it.
// While nobody has withdrawn that is what it was first, to the byte, also where
// the key was changed since.
func (s *Service) snapshotPackage(x *Export, t export.Table, snap *Snapshot) export.Package {
	p := s.Package(x, t)
	p.Stored = true
	p.Sign = func(manifest []byte) (signature []byte, err error) {
		if !bytes.Equal(manifest, snap.Manifest) {
			sum := sha256.Sum256(manifest)
			if snap.Signature, err = vouch(s.Signer, manifestOrigin, sum[:]); err != nil {
				return nil, err
			}
			snap.Manifest = manifest
		}
		return snap.Signature, nil
	}
	p.Seal = func(sum []byte) (string, error) {
		if !strings.HasPrefix(snap.Seal, vouchText(packageOrigin, sum)) {
			seal, err := vouch(s.Signer, packageOrigin, sum)
			if err != nil {
				return "", err
			}
			snap.Seal = string(seal)
		}
		return snap.Seal, nil
	}
	return p
}

// snapshotEntry is an entry about a snapshot.
func (s *Service) snapshotEntry(who auth.Principal, action string, snap Snapshot) audit.Entry {
	e := s.entry(who.Did(action, "snapshot", snap.ID))
	e.Details.Note = map[string]string{"profile": string(snap.Frozen.Asked.Profile), "table": string(snap.Frozen.Asked.Table)}
	return e
}
