//go:build unix

package storetest

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/store"
)

// note commits n entries, the first made at a time and each other a
// microsecond after the one before.
func (c *Clinic) note(t testing.TB, n int, at time.Time) []audit.Entry {
	t.Helper()
	entries := make([]audit.Entry, n)
	for i := range entries {
		entries[i] = Entry(c.Who)
		entries[i].At = stored(at.Add(time.Duration(i) * time.Microsecond))
	}
	c.commit(t, entries...)
	return entries
}

func (c *Clinic) commit(t testing.TB, entries ...audit.Entry) {
	t.Helper()
	err := c.DB.DB.Write(context.Background(), c.Who, func(tx care.Tx) error { tx.Note(entries...); return nil })
	if err != nil {
		t.Fatal(err)
	}
}

// seal links at most limit entries and says which these were.
func (c *Clinic) seal(t testing.TB, limit int) []uuid.UUID {
	t.Helper()
	var ids []uuid.UUID
	n, err := c.Seal(context.Background(), c.Who.Clinic, limit, func(head audit.Head, entries []audit.Entry) ([]audit.Sealed, audit.Head) {
		ids = nil // it may be called again
		for _, e := range entries {
			ids = append(ids, e.ID)
		}
		return head.Link(entries, When)
	})
	if err != nil || n != len(ids) {
		t.Fatalf("%d sealed of %d: %v", n, len(ids), err)
	}
	return ids
}

// settled is a clinic whose founding is sealed; it gives the chain's head.
func (c *Clinic) settled(t testing.TB) audit.Head {
	t.Helper()
	c.seal(t, 100)
	return c.head(t)
}

func (c *Clinic) head(t testing.TB) audit.Head {
	t.Helper()
	head, err := c.Head(context.Background(), c.Who.Clinic)
	if err != nil {
		t.Fatal(err)
	}
	return head
}

// chain reads the whole trail.
func (c *Clinic) chain(t testing.TB) (audit.Report, []audit.Sealed) {
	t.Helper()
	var report audit.Report
	var all []audit.Sealed
	err := c.Chain(context.Background(), c.Who.Clinic, func(ch store.Chain) error {
		v := audit.NewVerifier(c.Who.Clinic, ch.Checkpoints, nil)
		for s, err := range ch.Entries {
			if err != nil {
				return err
			}
			all = append(all, s)
			v.Add(s)
		}
		report = v.Finish(&ch.Head, ch.Unsealed, ch.Oldest)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return report, all
}

// verifies fails the test unless the chain has these entries at its end, in
// this order, and is as it was written.
func (c *Clinic) verifies(t testing.TB, last ...uuid.UUID) {
	t.Helper()
	report, all := c.chain(t)
	if !report.OK() || report.Entries < int64(len(last)) {
		t.Fatalf("%d entries, faults %+v", report.Entries, report.Faults)
	}
	var got []uuid.UUID
	for _, s := range all[len(all)-len(last):] {
		got = append(got, s.ID)
	}
	same(t, last, got, nil)
}

func idsOf(entries []audit.Entry) []uuid.UUID {
	ids := make([]uuid.UUID, len(entries))
	for i, e := range entries {
		ids[i] = e.ID
	}
	return ids
}

var ledgers = []promise{
	{"sealing numbers what is in no chain, the oldest first, up to a limit and without a gap", func(t *testing.T, c *Clinic) {
		begin := c.settled(t)
		later, earlier := c.note(t, 3, When.Add(time.Hour)), c.note(t, 2, When)
		first := c.seal(t, 4)
		same(t, append(idsOf(earlier), idsOf(later[:2])...), first, nil)
		if head := c.head(t); head.Seq != begin.Seq+4 || !head.At.Equal(stored(When)) {
			t.Errorf("the head is %+v", head)
		}
		same(t, idsOf(later[2:]), c.seal(t, 4), nil)
		same(t, nil, c.seal(t, 4), nil)
		c.verifies(t, append(first, later[2].ID)...)
	}},
	{"two sealers at once take turns and give no number twice", func(t *testing.T, c *Clinic) {
		begin := c.settled(t)
		const entries = 60
		for range entries / 6 {
			c.note(t, 6, When)
		}
		var sealed atomic.Int64
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for {
					n, err := c.Seal(context.Background(), c.Who.Clinic, 7, func(head audit.Head, list []audit.Entry) ([]audit.Sealed, audit.Head) {
						return head.Link(list, When)
					})
					if err != nil {
						t.Error(err)
						return
					}
					if n == 0 {
						return
					}
					sealed.Add(int64(n))
				}
			})
		}
		all.Wait()
		if head := c.head(t); sealed.Load() != entries || head.Seq != begin.Seq+entries {
			t.Errorf("%d were sealed, and the head is %d after %d", sealed.Load(), head.Seq, begin.Seq)
		}
		c.verifies(t)
	}},
	{"an entry that is committed late is sealed late, whatever its time", func(t *testing.T, c *Clinic) {
		c.settled(t)
		slow := Entry(c.Who)
		slow.At = stored(When.Add(-time.Hour))
		var quick []uuid.UUID
		overtake := func() {
			quick = idsOf(c.note(t, 2, When))
			same(t, quick, c.seal(t, 10), nil)
		}
		if c.Dialect == "sqlite" { // its one writer lets nobody overtake
			overtake()
		}
		err := c.DB.DB.Write(t.Context(), c.Who, func(tx care.Tx) error {
			tx.Note(slow)
			client := c.NewClient("P-1")
			_, err := tx.InsertClient(t.Context(), c.Who, client)
			if c.Dialect != "sqlite" {
				overtake()
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		same(t, []uuid.UUID{slow.ID}, c.seal(t, 10), nil)
		c.verifies(t, append(quick, slow.ID)...)
	}},
	{"sealing that is broken off seals nothing", func(t *testing.T, c *Clinic) {
		begin := c.settled(t)
		entries := c.note(t, 3, When)
		ctx, cancel := context.WithCancel(t.Context())
		n, err := c.Seal(ctx, c.Who.Clinic, 10, func(head audit.Head, list []audit.Entry) ([]audit.Sealed, audit.Head) {
			cancel()
			return head.Link(list, When)
		})
		if err == nil || n != 0 {
			t.Errorf("%d sealed, %v", n, err)
		}
		same(t, begin, c.head(t), nil)
		same(t, idsOf(entries), c.seal(t, 10), nil)
		c.verifies(t, idsOf(entries)...)
	}},
	{"each clinic has a chain of its own", func(t *testing.T, c *Clinic) {
		other := c.Database.Clinic(t)
		c.settled(t)
		theirs := other.settled(t)
		mine := c.note(t, 2, When)
		if got := other.seal(t, 10); len(got) != 0 {
			t.Errorf("another clinic's sealer took %d entries", len(got))
		}
		same(t, theirs, other.head(t), nil)
		same(t, idsOf(mine), c.seal(t, 10), nil)
		c.verifies(t, idsOf(mine)...)
		other.verifies(t)
		clinics, err := c.Clinics(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		known := map[uuid.UUID]int{}
		for _, id := range clinics {
			known[id]++
		}
		if known[c.Who.Clinic] != 1 || known[other.Who.Clinic] != 1 {
			t.Errorf("the clinics are %v", clinics)
		}
	}},
	{"the head of a chain without entries is number 0, and the oldest that waits is told", func(t *testing.T, c *Clinic) {
		same(t, audit.Head{Clinic: c.Who.Clinic}, c.head(t), nil)
		c.settled(t)
		oldest, err := c.OldestUnsealed(t.Context(), c.Who.Clinic)
		same(t, (*time.Time)(nil), oldest, err)
		c.note(t, 1, When)
		c.note(t, 2, When.Add(-time.Hour))
		want := stored(When.Add(-time.Hour))
		oldest, err = c.OldestUnsealed(t.Context(), c.Who.Clinic)
		same(t, &want, oldest, err)
		if report, _ := c.chain(t); report.Unsealed != 3 || report.OldestUnsealed == nil || !report.OldestUnsealed.Equal(want) {
			t.Errorf("%d wait, the oldest since %v", report.Unsealed, report.OldestUnsealed)
		}
	}},
	{"a checkpoint stays as it was first stored, and the last is the highest", func(t *testing.T, c *Clinic) {
		if seq, _, err := c.LastCheckpoint(t.Context(), c.Who.Clinic); seq != 0 || err != nil {
			t.Errorf("the last of none is %d, %v", seq, err)
		}
		for _, p := range []struct {
			seq  int64
			at   time.Time
			note string
		}{{7, When, "seven"}, {3, When.Add(time.Hour), "three"}, {7, When.Add(2 * time.Hour), "another seven"}} {
			if err := c.PutCheckpoint(t.Context(), c.Who.Clinic, p.seq, p.at, p.note); err != nil {
				t.Fatal(err)
			}
		}
		seq, at, err := c.LastCheckpoint(t.Context(), c.Who.Clinic)
		if err != nil || seq != 7 || !at.Equal(stored(When)) {
			t.Errorf("the last is %d of %v, %v", seq, at, err)
		}
		err = c.Chain(t.Context(), c.Who.Clinic, func(ch store.Chain) error {
			same(t, []string{"three", "seven"}, ch.Checkpoints, nil)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}},
	{"a chain is read as it was at one moment, however long it is", func(t *testing.T, c *Clinic) {
		c.settled(t)
		c.note(t, 1100, When)
		c.seal(t, 5000)
		want := c.head(t)
		err := c.Chain(t.Context(), c.Who.Clinic, func(ch store.Chain) error {
			c.note(t, 2, When)
			c.seal(t, 10)
			c.note(t, 1, When)
			v := audit.NewVerifier(c.Who.Clinic, ch.Checkpoints, nil)
			if err := v.AddAll(ch.Entries); err != nil {
				return err
			}
			report := v.Finish(&ch.Head, ch.Unsealed, ch.Oldest)
			if !report.OK() || report.Entries != want.Seq || report.Unsealed != 0 {
				t.Errorf("%d entries of %d, %d wait, faults %+v", report.Entries, want.Seq, report.Unsealed, report.Faults)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if report, _ := c.chain(t); report.Entries != want.Seq+2 || report.Unsealed != 1 {
			t.Errorf("afterwards %d entries, %d wait", report.Entries, report.Unsealed)
		}
	}},
	{"an entry is read as it was written, with the clients that it concerns", func(t *testing.T, c *Clinic) {
		c.settled(t)
		one, several := Entry(c.Who), Entry(c.Who)
		one.Address, one.Request, one.Target, one.TargetID, one.Client = "2001:db8::7", "r-1", "client", NewID(), NewID()
		one.Outcome, one.Details.Reason, one.Details.Note = audit.Refused, "why \"<é>", map[string]string{"b": "2", "a": "1"}
		one.Details.Changes = audit.Diff(nil, []audit.Field{{Name: "status", Value: "active"}, {Name: "name", Value: "x", Private: true}})
		several = several.WithClients([]uuid.UUID{NewID(), NewID(), NewID()})
		several.At = one.At.Add(time.Second)
		c.commit(t, one, several)
		c.seal(t, 10)
		report, all := c.chain(t)
		if !report.OK() {
			t.Fatalf("%+v", report.Faults)
		}
		same(t, []audit.Entry{one, several}, []audit.Entry{all[len(all)-2].Entry, all[len(all)-1].Entry}, nil)
	}},
}
