//go:build unix

package storetest

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// acts are changes of every kind, of a clinic that has one of each record. All
// of them are calls of the store itself, which notes nothing by itself.
func (c *Clinic) acts(standing []any) map[string]func(ctx context.Context, note func(note)) error {
	client, _ := standing[0].(care.Client)
	write := func(fn func(ctx context.Context, tx care.Tx) error) func(context.Context, func(note)) error {
		return func(ctx context.Context, with func(note)) error {
			return c.DB.DB.Write(ctx, c.Who, func(tx care.Tx) error {
				with(tx)
				return fn(ctx, tx)
			})
		}
	}
	manage := func(fn func(ctx context.Context, tx auth.Tx) error) func(context.Context, func(note)) error {
		return func(ctx context.Context, with func(note)) error {
			return c.DB.DB.Manage(ctx, c.Who, func(tx auth.Tx) error {
				with(tx)
				return fn(ctx, tx)
			})
		}
	}
	out := map[string]func(context.Context, func(note)) error{
		"progress": write(func(ctx context.Context, tx care.Tx) error {
			return tx.PutProgress(ctx, c.Who, []uuid.UUID{client.ID}, nil, []care.Progress{NewProgress(client.ID, "gad-7")})
		}),
		"a setting": write(func(ctx context.Context, tx care.Tx) error {
			return tx.PutSetting(ctx, c.Who, care.Setting{Instrument: "gad-7", UpdatedAt: When})
		}),
		"a membership": write(func(ctx context.Context, tx care.Tx) error {
			return tx.PutMembership(ctx, c.Who, care.Membership{ClientID: client.ID, Member: c.Who.Actor, Kind: care.Assigned, Since: When, AddedBy: c.Who.Actor})
		}),
		"a key": manage(func(ctx context.Context, tx auth.Tx) error {
			k, hash := newKey()
			return tx.CreateKey(ctx, c.Who, k, hash)
		}),
		"the end of a key": manage(func(ctx context.Context, tx auth.Tx) error {
			return tx.EndKey(ctx, c.Who, auth.Key{ID: c.Who.Actor, ExpiresAt: new(When)})
		}),
	}
	for i, noun := range []string{"client", "course", "session", "assessment"} {
		fresh := c.oneOfEach("P-new " + noun)[:i+1]
		out["a new "+noun] = write(func(ctx context.Context, tx care.Tx) error {
			for _, r := range fresh {
				if _, err := c.insert(ctx, tx, r); err != nil {
					return err
				}
			}
			return nil
		})
		out["a changed "+noun] = write(func(ctx context.Context, tx care.Tx) error {
			return c.revise(ctx, tx, changed(standing[i], When.Add(time.Hour)))
		})
	}
	return out
}

// note is what can be told of an act.
type note interface{ Note(...audit.Entry) }

func silence(note) {}

// told gives the clinic's entries after the first so many.
func (c *Clinic) told(t testing.TB, raw *sql.DB, since int) []audit.Entry {
	t.Helper()
	return c.Trail(t, raw, c.Who.Clinic)[since:]
}

// entries makes n entries of the clinic, the last of which concerns two clients.
func (c *Clinic) entries(n int) []audit.Entry {
	out := make([]audit.Entry, n)
	for i := range out {
		out[i] = Entry(c.Who)
		out[i].Details.Reason, out[i].Target, out[i].TargetID, out[i].Client = "because", "thing", NewID(), NewID()
	}
	last := &out[n-1]
	last.Client = uuid.Nil
	*last = last.WithClients([]uuid.UUID{NewID(), NewID()})
	return out
}

// sameEntries compares what was noted with what is stored, which has no time.
func sameEntries(t *testing.T, want, got []audit.Entry) {
	t.Helper()
	for i := range want {
		want[i].At = time.Time{}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the audit trail (-noted +stored):\n%s", diff)
	}
}

var notes = []promise{
	{"a change that nobody notes is refused and leaves nothing, whatever it is", func(t *testing.T, c *Clinic) {
		raw, standing := c.Raw(t), c.oneOfEach("P-1")
		c.Insert(t, standing...)
		for name, act := range c.acts(standing) {
			before, since := c.Dump(t, raw, c.Who.Clinic), len(c.told(t, raw, 0))
			if err := act(t.Context(), silence); err == nil {
				t.Errorf("%s: it was stored", name)
			}
			same(t, before, c.Dump(t, raw, c.Who.Clinic), nil)
			if got := c.told(t, raw, since); len(got) != 0 {
				t.Errorf("%s: %v", name, got)
			}
		}
		// The control: the same with a note is stored.
		for name, act := range c.acts(standing) {
			before, since := c.Dump(t, raw, c.Who.Clinic), len(c.told(t, raw, 0))
			noted := c.entries(1)
			if err := act(t.Context(), func(n note) { n.Note(noted...) }); err != nil {
				t.Errorf("%s, with a note: %v", name, err)
			}
			if cmp.Equal(before, c.Dump(t, raw, c.Who.Clinic)) {
				t.Errorf("%s, with a note: it stored nothing", name)
			}
			sameEntries(t, noted, c.told(t, raw, since))
		}
	}},
	{"what changes nothing needs no note", func(t *testing.T, c *Clinic) {
		client := c.NewClient("P-1")
		c.Insert(t, client)
		err := c.DB.DB.Write(t.Context(), c.Who, func(tx care.Tx) error {
			stored, err := tx.InsertClient(t.Context(), c.Who, client)
			if stored {
				t.Error("the id was in use, and it was stored")
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}},
	{"what a transaction notes is stored with it, once, however often it is run", func(t *testing.T, c *Clinic) {
		raw := c.Raw(t)
		since, runs := len(c.told(t, raw, 0)), 0
		noted := c.entries(3)
		err := c.DB.DB.Write(t.Context(), c.Who, func(tx care.Tx) error {
			tx.Note(noted[0])
			if runs++; runs < 3 {
				return c.met()
			}
			tx.Note(noted[1:]...)
			return nil
		})
		if err != nil || runs != 3 {
			t.Errorf("%d runs, %v", runs, err)
		}
		sameEntries(t, noted, c.told(t, raw, since))
	}},
	{"what a transaction that fails has noted is not stored", func(t *testing.T, c *Clinic) {
		raw := c.Raw(t)
		since := len(c.told(t, raw, 0))
		write := c.DB.DB.Write(t.Context(), c.Who, func(tx care.Tx) error { tx.Note(c.entries(2)...); return errOnPurpose })
		read := c.DB.DB.Read(t.Context(), c.Who, func(r care.Reader) error { r.Note(c.entries(2)...); return errOnPurpose })
		manage := c.DB.DB.Manage(t.Context(), c.Who, func(tx auth.Tx) error { tx.Note(c.entries(2)...); return errOnPurpose })
		for what, err := range map[string]error{"write": write, "read": read, "manage": manage} {
			if !errors.Is(err, errOnPurpose) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if got := c.told(t, raw, since); len(got) != 0 {
			t.Errorf("%v", got)
		}
	}},
	{"what a reading notes is stored before it returns", func(t *testing.T, c *Clinic) {
		raw := c.Raw(t)
		client := c.NewClient("P-1")
		c.Insert(t, client)
		since, noted := len(c.told(t, raw, 0)), c.entries(2)
		err := c.DB.DB.Read(t.Context(), c.Who, func(r care.Reader) error {
			r.Note(noted...)
			_, err := r.Client(t.Context(), c.Who, client.ID)
			return err
		})
		if err != nil {
			t.Error(err)
		}
		sameEntries(t, noted, c.told(t, raw, since))
	}},
	{"where the audit trail takes no entry, nothing is done and nothing is read", func(t *testing.T, c *Clinic) {
		raw, standing := c.Raw(t), c.oneOfEach("P-1")
		c.Insert(t, standing...)
		for _, table := range []string{"audit_entries", "audit_subjects"} {
			acts := c.acts(standing)
			acts["a reading"] = func(ctx context.Context, with func(note)) error {
				return c.DB.DB.Read(ctx, c.Who, func(r care.Reader) error { with(r); return nil })
			}
			founding := auth.Clinic{ID: NewID(), Slug: "slug-" + NewID().String(), CreatedAt: When}
			acts["a founding"] = func(ctx context.Context, with func(note)) error {
				k, hash := newKey()
				k.Clinic = founding.ID
				entry := Entry(auth.System(founding.ID))
				entry = entry.WithClients([]uuid.UUID{NewID()})
				_, err := c.FoundClinic(ctx, founding, k, hash, entry)
				return err
			}
			before, since := c.Dump(t, raw, c.Who.Clinic), len(c.told(t, raw, 0))
			mend := c.Refuse(t, raw, "INSERT", table)
			for name, act := range acts {
				if err := act(t.Context(), func(n note) { n.Note(c.entries(1)...) }); err == nil {
					t.Errorf("%s, without %s: it was done", name, table)
				}
			}
			if err := c.DB.DB.Read(t.Context(), c.Who, func(care.Reader) error { return nil }); err != nil {
				t.Errorf("what is not noted, without %s: %v", table, err)
			}
			mend()
			same(t, before, c.Dump(t, raw, c.Who.Clinic), nil)
			if got := c.told(t, raw, since); len(got) != 0 {
				t.Errorf("without %s: %v", table, got)
			}
			if _, err := c.ClinicBySlug(t.Context(), founding.Slug); !fault.Is(err, fault.NotFound) {
				t.Errorf("without %s, a clinic was founded: %v", table, err)
			}
			if err := acts["a reading"](t.Context(), func(n note) { n.Note(c.entries(1)...) }); err != nil {
				t.Errorf("after the mending of %s: %v", table, err)
			}
		}
	}},
	{"a reading sees one state of the record, whatever is stored meanwhile", func(t *testing.T, c *Clinic) {
		one, two := c.NewClient("P-1"), c.NewClient("P-2")
		c.Insert(t, one)
		list := func(r care.Reader) []care.Client {
			clients, err := r.Clients(t.Context(), c.Who, care.Page{Limit: 9})
			if err != nil {
				t.Error(err)
			}
			return clients
		}
		err := c.DB.DB.Read(t.Context(), c.Who, func(r care.Reader) error {
			before := list(r)
			c.Insert(t, two)
			c.Revise(t, changed(one, When.Add(time.Hour)))
			same(t, before, list(r), nil)
			_, err := r.Client(t.Context(), c.Who, two.ID)
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("what came meanwhile: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		// The control: the next reading sees both.
		if after, err := c.Clients(t.Context(), c.Who, care.Page{Limit: 9}); err != nil || len(after) != 2 {
			t.Errorf("%d clients afterwards, %v", len(after), err)
		}
	}},
}
