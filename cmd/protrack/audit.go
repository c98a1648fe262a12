package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/store"
)

type auditCmd struct {
	Verify auditVerifyCmd `cmd:"" help:"Check that no entry of the audit trail was altered, removed, moved or cut off."`
	Export auditExportCmd `cmd:"" help:"Write a clinic's audit trail as a file that can be verified by itself."`
	Key    auditKeyCmd    `cmd:"" help:"Print the public key that checkpoints are verified with."`
}

// auditKey is where the key is that signs checkpoints.
type auditKey struct {
	AuditKey string `name:"audit-key" env:"PROTRACK_AUDIT_KEY_FILE" placeholder:"FILE" help:"File with the key that signs the audit trail's checkpoints; made if absent. Default: beside the SQLite file, or in the data directory."`
}

// path is the file of the key.
func (k auditKey) path(database string) string {
	if k.AuditKey != "" {
		return k.AuditKey
	}
	if file, ok := strings.CutPrefix(database, "sqlite://"); ok {
		return file + ".audit.key"
	}
	return filepath.Join(filepath.Dir(strings.TrimPrefix(defaultDatabase(), "sqlite://")), "audit.key")
}

// keyFile is a private key for the server and the public one that it goes with.
type keyFile struct {
	Private audit.SignerKey
	Public  string
}

// readKey reads the key; os.ErrNotExist where there is none.
func readKey(path string) (keyFile, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return keyFile{}, err
	}
	lines := strings.Fields(string(text))
	if len(lines) != 2 {
		return keyFile{}, fmt.Errorf("%s is not a key of the audit trail", path)
	}
	return keyFile{Private: audit.SignerKey(lines[0]), Public: lines[1]}, nil
}

// makeKey reads the key, or makes one that only this user can read. The file
// comes into being whole: of two servers that begin at once both have the key
// of the first, and a crash leaves no half of one.
func makeKey(path string) (keyFile, error) {
	if own, err := readKey(path); !errors.Is(err, os.ErrNotExist) {
		return own, err
	}
	private, public, err := audit.NewKey("protrack")
	if err != nil {
		return keyFile{}, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return keyFile{}, err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".") // for this user alone
	if err != nil {
		return keyFile{}, err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = fmt.Fprintf(f, "%s\n%s\n", string(private), public)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return keyFile{}, err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, os.ErrExist) {
		return keyFile{}, err
	}
	return readKey(path)
}

// published is a line of the file of checkpoints that is kept elsewhere.
type published struct {
	At   time.Time `json:"at"`
	Note string    `json:"note"`
}

// publisher appends checkpoints to a file, each on a line of its own. The line
// is ended before as well as after: half a line that a crash left spoils no other.
func publisher(path string) func(context.Context, string) error {
	return func(_ context.Context, text string) error {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600) //nolint:gosec // the operator names the file
		if err != nil {
			return err
		}
		line, err := json.Marshal(published{At: time.Now().UTC(), Note: text})
		if err == nil {
			_, err = f.WriteString("\n" + string(line) + "\n")
		}
		return errors.Join(err, f.Sync(), f.Close())
	}
}

// readPublished reads the checkpoints of such files. It says on warn which
// lines hold none: what a crash left must not keep the others from being used.
func readPublished(warn io.Writer, paths ...string) ([]string, error) {
	var notes []string
	for _, path := range paths {
		text, err := os.ReadFile(path) //nolint:gosec // the operator names the file
		if err != nil {
			return nil, err
		}
		before, number := len(notes), 0
		for line := range strings.Lines(string(text)) {
			number++
			var p published
			if strings.TrimSpace(line) == "" {
				continue
			}
			if err := json.Unmarshal([]byte(line), &p); err != nil || p.Note == "" {
				if _, err := fmt.Fprintf(warn, "%s: line %d holds no checkpoint\n", path, number); err != nil {
					return nil, err
				}
				continue
			}
			notes = append(notes, p.Note)
		}
		if len(notes) == before {
			return nil, fmt.Errorf("%s holds no checkpoints", path)
		}
	}
	return notes, nil
}

// auditFlags is what verify and export share.
type auditFlags struct {
	database
	logging
	auditKey
	Clinic string `default:"default" help:"Clinic whose audit trail it is."`
}

// open finds the clinic.
func (f auditFlags) open(ctx context.Context, t *terminal, fn func(*services, auth.Principal) error) error {
	return keysFlags{database: f.database, logging: f.logging, Clinic: f.Clinic}.as(ctx, t, fn)
}

// trusted are the keys that are vouched for: those named, or the server's own.
func (f auditFlags) trusted(named []string) ([]note.Verifier, error) {
	if len(named) == 0 {
		own, err := readKey(f.path(f.Database))
		if errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		named = []string{own.Public}
	}
	return audit.Verifiers(named...)
}

type auditVerifyCmd struct {
	auditFlags
	File        string   `placeholder:"FILE" help:"Verify an exported file instead of a database."`
	Checkpoints []string `placeholder:"FILE" help:"Checkpoints that were kept elsewhere, to find a trail that was cut off or an old backup."`
	Keys        []string `name:"key" placeholder:"PUBLIC" help:"Public key to trust; default: that of the key file."`
}

var errAuditFaults = errors.New("the audit trail is not as it was written")

// Run verifies a database's audit trail, or a file's.
func (c auditVerifyCmd) Run(ctx context.Context, t *terminal) error {
	trusted, err := c.trusted(c.Keys)
	if err != nil {
		return explain("audit key", err)
	}
	kept, err := readPublished(t.err, c.Checkpoints...)
	if err != nil {
		return err
	}
	if c.File != "" {
		return c.verifyFile(t, trusted, kept)
	}
	return c.open(ctx, t, func(s *services, who auth.Principal) error {
		return s.db.Chain(ctx, who.Clinic, func(chain store.Chain) error {
			checkpoints := append(chain.Checkpoints, audit.CheckpointsOf(who.Clinic, kept)...)
			slices.Sort(checkpoints)
			v := audit.NewVerifier(who.Clinic, slices.Compact(checkpoints), trusted)
			if err := v.AddAll(chain.Entries); err != nil {
				return err
			}
			return report(t.out, v.Finish(&chain.Head, chain.Unsealed, chain.Oldest))
		})
	})
}

func (c auditVerifyCmd) verifyFile(t *terminal, trusted []note.Verifier, kept []string) error {
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	r, err := audit.VerifyExport(f, trusted, kept...)
	if err != nil {
		return explain(c.File, err)
	}
	return report(t.out, r)
}

// report tells what was found; an error if anything is wrong.
func report(w io.Writer, r audit.Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "clinic       %s\nentries      %d\ncheckpoints  %d agree", r.Clinic, r.Entries, r.Checkpoints)
	switch {
	case r.Checkpoints == 0:
		b.WriteString(": nothing shows that the end was not cut off")
	case !r.KnownKey:
		b.WriteString(", signed with a key that nobody vouched for: name it with --key")
	default:
		b.WriteString(", signed with a known key")
	}
	fmt.Fprintf(&b, "\nunsealed     %d\n", r.Unsealed)
	for _, f := range r.Faults {
		fmt.Fprintf(&b, "%-12s entry %d: %s\n", strings.ToUpper(f.Kind), f.Seq, f.Message)
	}
	if n := r.FaultCount - int64(len(r.Faults)); n > 0 {
		fmt.Fprintf(&b, "and %d more\n", n)
	}
	switch {
	case !r.OK():
	case r.KnownKey && r.Confirmed > 0:
		fmt.Fprintf(&b, "The audit trail is as it was written; signed checkpoints say so up to entry %d.\n", r.Confirmed)
	default:
		b.WriteString("The audit trail agrees with itself; no checkpoint of a known key says more.\n")
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	if !r.OK() {
		return errAuditFaults
	}
	return nil
}

type auditExportCmd struct {
	auditFlags
	Out string `short:"o" default:"-" help:"File to write; - is standard output."`
}

// Run exports the audit trail.
func (c auditExportCmd) Run(ctx context.Context, t *terminal) error {
	return c.open(ctx, t, func(s *services, who auth.Principal) (err error) {
		var keys []string
		if own, err := readKey(c.path(c.Database)); err == nil {
			keys = []string{own.Public}
		}
		out := t.out
		if c.Out != "-" {
			if out, err = os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600); err != nil {
				return err
			}
			defer func() { err = errors.Join(err, out.Sync(), out.Close()) }()
		}
		if err := s.care.NoteExport(ctx, who); err != nil {
			return err
		}
		return s.db.Chain(ctx, who.Clinic, func(chain store.Chain) error {
			return audit.WriteExport(out, who.Clinic, time.Now(), chain.Entries, chain.Checkpoints, keys)
		})
	})
}

type auditKeyCmd struct {
	database
	auditKey
}

// Run prints the public key.
func (c auditKeyCmd) Run(t *terminal) error {
	own, err := readKey(c.path(c.Database))
	if err != nil {
		return fmt.Errorf("no key of the audit trail: serve makes one: %w", err)
	}
	_, err = fmt.Fprintln(t.out, own.Public)
	return err
}
