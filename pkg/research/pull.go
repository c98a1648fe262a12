package research

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/export"
)

// Pull prepares the package of a snapshot, and leaves its entry in the audit
// trail. Who has withdrawn since, or was erased, is not in it and named in its
// manifest by pseudonym. The principal needs what the snapshot's profile needs.
func (s *Service) Pull(ctx context.Context, who auth.Principal, id uuid.UUID) (*Export, error) {
	if err := s.require(ctx, who, auth.ReadSnapshots); err != nil {
		return nil, err
	}
	if s.Signer == nil {
		return nil, errNoSigner
	}
	x := &Export{snapshot: new(Snapshot), members: map[uuid.UUID]bool{}}
	err := s.Store.Study(ctx, who, func(tx Reader) (err error) {
		if *x.snapshot, err = tx.Snapshot(ctx, who, id); err != nil {
			return err
		}
		members, err := tx.SnapshotMembers(ctx, reaching(who), id)
		for _, m := range members {
			x.members[m] = true
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	x.Request, x.Terms, x.GeneratedAt = x.snapshot.Frozen.Request, &x.snapshot.Frozen.Terms, x.snapshot.CreatedAt
	return s.prepare(ctx, who, x, func(x *Export) audit.Entry {
		return s.snapshotEntry(x.who, "snapshot.export", *x.snapshot).WithClients(records(x.People))
	})
}

// thaw leaves of an export those who were in its snapshot, and names those of
// them who have left it since.
func (x *Export) thaw() {
	x.GeneratedAt, x.LeftOut = x.snapshot.CreatedAt, x.snapshot.Frozen.LeftOut
	x.People = slices.DeleteFunc(x.People, func(p Person) bool { return !x.members[p.ID] })
	stays := make(map[uuid.UUID]bool, len(x.People))
	for _, p := range x.People {
		stays[p.ID] = true
	}
	x.Withdrawn = nil
	for id := range x.members {
		if !stays[id] {
			x.Withdrawn = append(x.Withdrawn, x.disguise.id(aClient, id))
		}
	}
	slices.Sort(x.Withdrawn)
}

// snapshotPackage is the package of a snapshot, which keeps what vouches for it.
// While nobody has withdrawn that is what it was first, to the byte, also where
// the key was changed since, and also where a newer program writes it: the files
// then name the first one. Where that does not succeed the package tells.
func (s *Service) snapshotPackage(ctx context.Context, x *Export, t export.Table, program string) export.Package {
	snap := x.snapshot
	first, repeated := *snap, snap.Frozen.Program
	if len(x.Withdrawn) > 0 {
		repeated = program
	}
	p := s.Package(x, t, repeated)
	p.Stored = true
	p.Manifest = func(files []export.File) ([]byte, error) {
		m, err := s.Manifest(x, repeated, files)
		if err != nil {
			return nil, err
		}
		return s.repeated(ctx, m, first, program)
	}
	p.Sign = func(manifest []byte) (signature []byte, err error) {
		if !bytes.Equal(manifest, first.Manifest) {
			sum := sha256.Sum256(manifest)
			if snap.Signature, err = vouch(s.Signer, manifestOrigin, sum[:]); err != nil {
				return nil, err
			}
			snap.Manifest = manifest
		}
		return snap.Signature, nil
	}
	p.Seal = func(sum []byte) (string, error) {
		if strings.HasPrefix(first.Seal, vouchText(packageOrigin, sum)) {
			return first.Seal, nil
		}
		origin := packageOrigin
		if bytes.Equal(snap.Manifest, first.Manifest) {
			origin = repackedOrigin
			s.Log.WarnContext(ctx, "a snapshot is packed otherwise than it was first", "snapshot", snap.ID, "first_program", first.Frozen.Program, "program", program)
		}
		seal, err := vouch(s.Signer, origin, sum)
		snap.Seal = string(seal)
		return snap.Seal, err
	}
	return p
}

// repeated is the manifest of a snapshot's package as a program wrote it: the
// first one, or one that says what is another and who wrote it. What differs
// because somebody has withdrawn is told by who that is.
func (s *Service) repeated(ctx context.Context, m Manifest, first Snapshot, program string) ([]byte, error) {
	text, err := m.JSON()
	if err != nil || len(first.Manifest) == 0 || len(m.Withdrawn) > 0 || bytes.Equal(text, first.Manifest) {
		return text, err
	}
	m.Program = program
	if m.Differs, err = difference(m, first); err != nil {
		return nil, err
	}
	s.Log.WarnContext(ctx, "a snapshot is no longer what it was first, and nobody has withdrawn",
		"snapshot", first.ID, "first_program", m.Differs.FirstProgram, "program", program, "files", m.Differs.Files)
	return m.JSON()
}

// difference compares a manifest to the first one of its snapshot.
func difference(m Manifest, first Snapshot) (*Difference, error) {
	var was Manifest
	if err := json.Unmarshal(first.Manifest, &was); err != nil {
		return nil, fmt.Errorf("read the first manifest of snapshot %s: %w", first.ID, err)
	}
	d := &Difference{FirstProgram: first.Frozen.Program}
	for _, lists := range [][2][]export.File{{m.Files, was.Files}, {was.Files, m.Files}} {
		for _, f := range lists[0] {
			if !slices.Contains(lists[1], f) && !slices.Contains(d.Files, f.Name) {
				d.Files = append(d.Files, f.Name)
			}
		}
	}
	slices.Sort(d.Files)
	return d, nil
}
