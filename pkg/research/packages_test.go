//go:build unix

package research_test

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/research"
)

// signing lets the study take snapshots, and gives the public key. It is the same
// key each time.
func (c study) signing(t *testing.T) string {
	t.Helper()
	private, public, err := note.GenerateKey(strings.NewReader(strings.Repeat("not a secret at all, ", 4)), "golden")
	if err != nil {
		t.Fatal(err)
	}
	if c.Research.Signer, err = note.NewSigner(private); err != nil {
		t.Fatal(err)
	}
	return public
}

// freeze takes a snapshot of a name.
func (c study) freeze(t *testing.T, name string, r research.Request) research.Snapshot {
	t.Helper()
	out, _, err := c.Research.TakeSnapshot(ctx, c.Who, uuid.Nil, name, r, "protrack test")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// pulled is the package of a snapshot.
func (c study) pulled(t *testing.T, snap research.Snapshot) (*research.Export, map[string]string) {
	t.Helper()
	x, file := c.pull(t, snap.ID, "protrack test")
	return x, members(t, file)
}

// pull is the package of a snapshot as a program writes it, which may have ways
// of its own.
func (c study) pull(t *testing.T, id uuid.UUID, program string, ways ...func(*export.Table)) (*research.Export, []byte) {
	t.Helper()
	x, err := c.Research.Pull(ctx, c.Who, id)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	err = c.Research.Read(ctx, x, func(table export.Table) error {
		for _, way := range ways {
			way(&table)
		}
		_, err := c.Research.Write(ctx, &b, x, table, program)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return x, b.Bytes()
}

// members are the files of a package.
func members(t *testing.T, file []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out[f.Name] = string(content)
	}
	return out
}

// verified is what a package is found to be.
func verified(t *testing.T, file []byte, public string) research.Verified {
	t.Helper()
	key, err := note.NewVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	v, err := research.VerifyPackage(bytes.NewReader(file), int64(len(file)), key)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// logging is a log that the service writes from now on.
func (c study) logging() *bytes.Buffer {
	var log bytes.Buffer
	c.Research.Log = slog.New(slog.NewJSONHandler(&log, nil))
	return &log
}

// remembered is a store in which snapshots were first as change makes them, and
// that is asked for names and for quiet through the other two.
type remembered struct {
	research.Store
	change func(*research.Snapshot)
	named  func(name string, is bool) bool
	settle func()
}

// remembering lets a study use a store that remembers otherwise.
func (c study) remembering(s remembered) study {
	s.Store = c.Research.Store
	is := c.Research
	return study{c.Clinic, &research.Service{
		Store: s, Instruments: is.Instruments, Now: is.Now, NewID: is.NewID, NewSecret: is.NewSecret, Signer: is.Signer, Log: is.Log,
	}}
}

func (s remembered) Settle(ctx context.Context, who auth.Principal) error {
	if s.settle != nil {
		s.settle()
	}
	return s.Store.Settle(ctx, who)
}

func (s remembered) Study(ctx context.Context, who auth.Principal, fn func(research.Reader) error) error {
	return s.Store.Study(ctx, who, func(r research.Reader) error { return fn(rememberedReader{r, s}) })
}

type rememberedReader struct {
	research.Reader
	store remembered
}

func (r rememberedReader) Snapshot(ctx context.Context, who auth.Principal, id uuid.UUID) (research.Snapshot, error) {
	s, err := r.Reader.Snapshot(ctx, who, id)
	if err == nil && r.store.change != nil {
		r.store.change(&s)
	}
	return s, err
}

func (r rememberedReader) SnapshotNamed(ctx context.Context, who auth.Principal, name string) (bool, error) {
	is, err := r.Reader.SnapshotNamed(ctx, who, name)
	if r.store.named != nil {
		is = r.store.named(name, is)
	}
	return is, err
}
