//go:build unix

package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/research"
)

// NewSnapshot is a frozen export of everything that one can ask for.
func (c *Clinic) NewSnapshot(name string) research.Snapshot {
	at := stored(When)
	asked := research.Request{
		Table: research.Assessments, Shape: research.Long, Format: export.Parquet, Profile: research.Deidentified, Project: "p",
		Instruments: []string{"gad-7"}, From: &at, To: &at, Course: new(NewID()), Session: new(2), Timing: care.AfterIt, Cohort: new(NewID()),
		AsOf: &at, Dates: research.DaysOnly, NA: "NA", Labels: true, Package: true,
	}
	return research.Snapshot{
		ID: NewID(), Name: name, AsOf: at, Manifest: []byte("{ \"é\": 1 }\n"), Signature: []byte("a note\n\n— k x\n"), Seal: "a seal\n\n— k y\n",
		CreatedAt: at, CreatedBy: c.Who.Actor,
		Frozen: research.Frozen{Asked: asked, Request: asked, LeftOut: research.LeftOut{NoConsent: 1, Withdrawn: 2, Erased: 3}, Program: "protrack 1"},
	}
}

// freeze stores a snapshot of some people.
func (c *Clinic) freeze(t testing.TB, s research.Snapshot, members ...uuid.UUID) (bool, error) {
	t.Helper()
	return conduct(context.Background(), c.DB, c.Who, func(tx research.Tx) (bool, error) {
		return tx.InsertSnapshot(context.Background(), c.Who, s, members)
	})
}

var snapshots = []promise{
	{"a snapshot is found as it was stored, byte for byte, with whom it held", func(t *testing.T, c *Clinic) {
		one, two := c.NewClient("P-1"), c.NewClient("P-2")
		c.Insert(t, one, two)
		want, empty := c.NewSnapshot("paper"), research.Snapshot{ID: NewID(), Name: "none", AsOf: stored(When), CreatedAt: stored(When), CreatedBy: c.Who.Actor,
			Manifest: []byte("{}"), Signature: []byte("s"), Seal: "s", Frozen: research.Frozen{Request: research.Request{Profile: research.Limited}}}
		for _, s := range []struct {
			is      research.Snapshot
			members []uuid.UUID
		}{{want, []uuid.UUID{two.ID, one.ID}}, {empty, nil}} {
			if created, err := c.freeze(t, s.is, s.members...); !created || err != nil {
				t.Fatalf("stored %v, %v", created, err)
			}
			got := study(t, c, func(ctx context.Context, r research.Reader) (research.Snapshot, error) {
				return r.Snapshot(ctx, c.Who, s.is.ID)
			})
			same(t, s.is, got, nil)
			members := study(t, c, func(ctx context.Context, r research.Reader) ([]uuid.UUID, error) {
				return r.SnapshotMembers(ctx, c.Who, s.is.ID)
			})
			slices.SortFunc(s.members, func(a, b uuid.UUID) int { return strings.Compare(a.String(), b.String()) })
			same(t, len(s.members), len(members), nil)
			if !slices.Equal(s.members, members) {
				t.Errorf("its members are %v", members)
			}
		}
	}},
	{"an id or a name that is in use stores no snapshot, fails nothing and adds no member", func(t *testing.T, c *Clinic) {
		client := c.NewClient("P-1")
		c.Insert(t, client)
		first := c.NewSnapshot("first")
		if created, err := c.freeze(t, first); !created || err != nil {
			t.Fatal(created, err)
		}
		sameID, sameName := c.NewSnapshot("second"), c.NewSnapshot("first")
		sameID.ID = first.ID
		for what, other := range map[string]research.Snapshot{"id": sameID, "name": sameName} {
			if created, err := c.freeze(t, other, client.ID); created || err != nil {
				t.Errorf("the same %s: stored %v, %v", what, created, err)
			}
		}
		if created, err := c.freeze(t, c.NewSnapshot("stranger"), NewID()); created || err == nil {
			t.Errorf("of a client whom nobody knows: stored %v, %v", created, err)
		}
		if n := len(c.Rows(t, c.Raw(t), "snapshot_members", fmt.Sprintf("clinic_id = '%s'", c.Who.Clinic))); n != 0 {
			t.Errorf("%d members", n)
		}
		other := c.Database.Clinic(t)
		if created, err := other.freeze(t, other.NewSnapshot("first")); !created || err != nil {
			t.Errorf("the name in another clinic: stored %v, %v", created, err)
		}
		for name, want := range map[string]bool{"first": true, "second": false, "First": false, "": false} {
			same(t, want, study(t, c, func(ctx context.Context, r research.Reader) (bool, error) {
				return r.SnapshotNamed(ctx, c.Who, name)
			}), nil)
		}
	}},
	{"snapshots come by id, on every page, and are the clinic's own", func(t *testing.T, c *Clinic) {
		other := c.Database.Clinic(t)
		if _, err := other.freeze(t, other.NewSnapshot("theirs")); err != nil {
			t.Fatal(err)
		}
		var want []uuid.UUID
		for i := range 5 {
			s := c.NewSnapshot(fmt.Sprint("s", 9-i))
			if _, err := c.freeze(t, s); err != nil {
				t.Fatal(err)
			}
			want = append(want, s.ID)
		}
		paged(t, want, func(x research.Snapshot) uuid.UUID { return x.ID },
			func(x research.Snapshot) care.Position { return care.Position{ID: x.ID} },
			func(page care.Page) ([]research.Snapshot, error) {
				return study(t, c, func(ctx context.Context, r research.Reader) ([]research.Snapshot, error) {
					return r.Snapshots(ctx, c.Who, page)
				}), nil
			})
	}},
	{"a request with a part that is not known is an error, and never a snapshot of something else", func(t *testing.T, c *Clinic) {
		known := c.NewSnapshot("known")
		if _, err := c.freeze(t, known); err != nil {
			t.Fatal(err)
		}
		newer := NewID()
		_, err := c.Raw(t).ExecContext(t.Context(), fmt.Sprintf(
			`INSERT INTO snapshots (clinic_id, id, name, request, as_of, manifest, signature, seal, created_at, created_by)
			SELECT clinic_id, '%s', 'newer', '{"request":{"star_sign":"leo"}}', as_of, manifest, signature, seal, created_at, created_by FROM snapshots WHERE id = '%s'`, newer, known.ID))
		if err != nil {
			t.Fatal(err)
		}
		err = c.DB.DB.Study(t.Context(), c.Who, func(r research.Reader) error {
			_, err := r.Snapshot(t.Context(), c.Who, newer)
			return err
		})
		if err == nil || !strings.Contains(err.Error(), "star_sign") {
			t.Errorf("the snapshot is read, %v", err)
		}
	}},
	{"a snapshot and its members neither change nor go, not even for the owner of the tables", func(t *testing.T, c *Clinic) {
		client := c.NewClient("P-1")
		c.Insert(t, client)
		if _, err := c.freeze(t, c.NewSnapshot("kept"), client.ID); err != nil {
			t.Fatal(err)
		}
		where := fmt.Sprintf(" WHERE clinic_id = '%s'", c.Who.Clinic)
		for _, statement := range []string{
			"UPDATE snapshots SET manifest = '{}'", "UPDATE snapshots SET seal = 'x'", "DELETE FROM snapshots",
			"UPDATE snapshot_members SET client_id = client_id", "DELETE FROM snapshot_members",
		} {
			if words, rows := c.refused(t, statement+where); !strings.Contains(words, "does not change") {
				t.Errorf("%s: %d rows, %q", statement, rows, words)
			}
		}
	}},
	{"whoever waits for what is being written waits until it is", func(t *testing.T, c *Clinic) {
		begun, end := make(chan struct{}), make(chan struct{})
		written := make(chan error, 1)
		go func() {
			written <- c.DB.Write(context.Background(), c.Who, func(tx care.Tx) error {
				_, err := tx.InsertClient(context.Background(), c.Who, c.NewClient("P-1"))
				close(begun)
				<-end
				return err
			})
		}()
		<-begun
		brief, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := c.Settle(brief, c.Who); err == nil {
			t.Error("it did not wait")
		}
		settled := make(chan error, 1)
		go func() { settled <- c.Settle(context.WithoutCancel(t.Context()), c.Who) }()
		close(end)
		if err := <-written; err != nil {
			t.Fatal(err)
		}
		if err := <-settled; err != nil {
			t.Error(err)
		}
		same(t, 1, len(c.people(t, nil)), nil)
	}},
}
