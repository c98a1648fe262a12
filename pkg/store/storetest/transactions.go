//go:build unix

package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/ncruces/go-sqlite3"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

var errOnPurpose = errors.New("on purpose")

// met is the error by which a database says that two transactions met.
func (d *Database) met() error {
	if d.Dialect == "sqlite" {
		return sqlite3.BUSY
	}
	return &pgconn.PgError{Code: "40001"}
}

var transactions = []promise{
	{"a transaction reads what it wrote, and nobody else does before its end", func(t *testing.T, c *Clinic) {
		records := c.oneOfEach("P-1")
		client := records[0].(care.Client)
		c.Write(t, func(ctx context.Context, tx care.Tx) error {
			for _, r := range records {
				if _, err := c.insert(ctx, tx, r); err != nil {
					return err
				}
				current, _, err := c.history(ctx, tx, r)
				same(t, micro(r), current, err)
			}
			if _, err := c.Client(ctx, c.Who, client.ID); !fault.Is(err, fault.NotFound) {
				t.Errorf("another reader sees it already: %v", err)
			}
			return nil
		})
		if _, err := c.Client(t.Context(), c.Who, client.ID); err != nil {
			t.Errorf("nobody sees it afterwards: %v", err)
		}
	}},
	{"a transaction that fails, panics or is cancelled leaves nothing", func(t *testing.T, c *Clinic) {
		raw := c.Raw(t)
		standing := c.oneOfEach("P-0")
		c.Insert(t, standing...)
		before := c.Dump(t, raw, c.Who.Clinic)
		everything := func(ctx context.Context, tx care.Tx) error {
			for _, r := range append(c.oneOfEach("P-1"), c.oneOfEach("P-2")...) {
				if _, err := c.insert(ctx, tx, r); err != nil {
					return err
				}
			}
			for _, r := range standing {
				if err := c.revise(ctx, tx, changed(r, When.Add(time.Hour))); err != nil {
					return err
				}
			}
			id := standing[0].(care.Client).ID
			return errors.Join(
				tx.PutProgress(ctx, c.Who, []uuid.UUID{id}, nil, []care.Progress{NewProgress(id, "gad-7")}),
				tx.PutSetting(ctx, c.Who, care.Setting{Instrument: "gad-7", UpdatedAt: When}))
		}
		err := c.DB.Write(t.Context(), c.Who, func(tx care.Tx) error {
			return errors.Join(everything(t.Context(), tx), errOnPurpose)
		})
		if !errors.Is(err, errOnPurpose) {
			t.Errorf("the error of the function is %v", err)
		}
		same(t, before, c.Dump(t, raw, c.Who.Clinic), nil)
		func() {
			defer func() { _ = recover() }()
			_ = c.DB.Write(t.Context(), c.Who, func(tx care.Tx) error {
				if err := everything(t.Context(), tx); err != nil {
					t.Error(err)
				}
				panic("on purpose")
			})
		}()
		same(t, before, c.Dump(t, raw, c.Who.Clinic), nil)
		ctx, cancel := context.WithCancel(t.Context())
		if err := c.DB.Write(ctx, c.Who, func(tx care.Tx) error {
			err := everything(ctx, tx)
			cancel()
			return err
		}); err == nil {
			t.Error("a cancelled transaction was committed")
		}
		same(t, before, c.Dump(t, raw, c.Who.Clinic), nil)
		// The control: the same, left to its end, is seen by the same means.
		c.Write(t, everything)
		if after := c.Dump(t, raw, c.Who.Clinic); len(after) <= len(before)+8 {
			t.Errorf("%d rows before and %d after: the comparison sees nothing", len(before), len(after))
		}
	}},
	{"a transaction that met another is run again, and what it stored is stored once", func(t *testing.T, c *Clinic) {
		runs := 0
		client := c.NewClient("P-1")
		err := c.DB.Write(t.Context(), c.Who, func(tx care.Tx) error {
			if inserted, err := tx.InsertClient(t.Context(), c.Who, client); err != nil || !inserted {
				return fmt.Errorf("run %d: inserted %t: %w", runs, inserted, err)
			}
			if runs++; runs < 3 {
				return fmt.Errorf("wrapped: %w", c.met())
			}
			return nil
		})
		if err != nil || runs != 3 {
			t.Errorf("%d runs, %v", runs, err)
		}
		clients, err := c.Clients(t.Context(), c.Who, care.Page{Limit: 5})
		if err != nil || len(clients) != 1 {
			t.Errorf("%d clients, %v", len(clients), err)
		}
	}},
	{"a transaction is run a few times and no more, and once for any other error", func(t *testing.T, c *Clinic) {
		for _, x := range []struct {
			err         error
			least, most int
		}{{c.met(), 2, 10}, {errOnPurpose, 1, 1}, {fault.New(fault.Stale, "x"), 1, 1}} {
			runs := 0
			err := c.DB.Write(t.Context(), c.Who, func(care.Tx) error { runs++; return x.err })
			if !errors.Is(err, x.err) || runs < x.least || runs > x.most {
				t.Errorf("%d runs for %v: %v", runs, x.err, err)
			}
		}
	}},
	{"to lock a client that the clinic lacks is not found, and locks of known ones hold", func(t *testing.T, c *Clinic) {
		client, strange := c.NewClient("P-1"), c.Database.Clinic(t)
		foreign := strange.NewClient("P-1")
		c.Insert(t, client)
		strange.Insert(t, foreign)
		c.Write(t, func(ctx context.Context, tx care.Tx) error {
			for _, ids := range [][]uuid.UUID{{NewID()}, {client.ID, NewID()}, {foreign.ID}, {client.ID, foreign.ID}} {
				if err := tx.LockClients(ctx, c.Who, ids); !fault.Is(err, fault.NotFound) {
					t.Errorf("lock %d: %v", len(ids), err)
				}
			}
			found, err := tx.LockedClients(ctx, c.Who, []uuid.UUID{client.ID, NewID(), foreign.ID})
			want := micro(client).(care.Client)
			same(t, map[uuid.UUID]care.Client{client.ID: want}, found, err)
			none, err := tx.LockedClients(ctx, c.Who, nil)
			same(t, map[uuid.UUID]care.Client{}, none, err)
			return tx.LockClients(ctx, c.Who, []uuid.UUID{client.ID})
		})
	}},
	{"progress is replaced for the clients and instruments named, and for no others", func(t *testing.T, c *Clinic) {
		one, two := c.NewClient("P-1"), c.NewClient("P-2")
		c.Insert(t, one, two)
		put := func(clients []uuid.UUID, instruments []string, rows ...care.Progress) {
			c.Write(t, func(ctx context.Context, tx care.Tx) error {
				return tx.PutProgress(ctx, c.Who, clients, instruments, rows)
			})
		}
		count := func() map[string]int {
			out := map[string]int{}
			for _, instrument := range []string{"gad-7", "phq-9"} {
				cases, err := c.Caseload(t.Context(), c.Who, care.CaseloadQuery{Instrument: instrument}, care.Page{Limit: 9})
				if err != nil {
					t.Fatal(err)
				}
				for _, x := range cases {
					if x.Progress != nil {
						out[string(x.Client.Reference)+" "+instrument] = x.Progress.Points
					}
				}
			}
			return out
		}
		row := func(client care.Client, instrument string, points int) care.Progress {
			p := NewProgress(client.ID, instrument)
			p.Points = points
			return p
		}
		both := []uuid.UUID{one.ID, two.ID}
		put(both, nil, row(one, "gad-7", 1), row(one, "phq-9", 2), row(two, "gad-7", 3), row(two, "phq-9", 4))
		put([]uuid.UUID{one.ID}, []string{"gad-7"}, row(one, "gad-7", 5))
		same(t, map[string]int{"P-1 gad-7": 5, "P-1 phq-9": 2, "P-2 gad-7": 3, "P-2 phq-9": 4}, count(), nil)
		put([]uuid.UUID{one.ID}, []string{"phq-9"})
		same(t, map[string]int{"P-1 gad-7": 5, "P-2 gad-7": 3, "P-2 phq-9": 4}, count(), nil)
		put([]uuid.UUID{two.ID}, nil)
		same(t, map[string]int{"P-1 gad-7": 5}, count(), nil)
	}},
	{"settings chosen at once for one instrument all succeed, and one of them stands", func(t *testing.T, c *Clinic) {
		errs := make(chan error, 6)
		for i := range cap(errs) {
			go func() {
				errs <- c.DB.Write(t.Context(), c.Who, func(tx care.Tx) error {
					return tx.PutSetting(t.Context(), c.Who, care.Setting{Instrument: "gad-7", ChangeRules: fmt.Sprint(i), UpdatedAt: When})
				})
			}()
		}
		for range cap(errs) {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		got, err := c.Settings(t.Context(), c.Who)
		if err != nil || len(got) != 1 || got["gad-7"].ChangeRules == "" {
			t.Errorf("%v, %v", got, err)
		}
	}},
	{"no client comes in while a setting is being chosen", func(t *testing.T, c *Clinic) {
		came := make(chan error, 1)
		c.Write(t, func(ctx context.Context, tx care.Tx) error {
			if err := tx.PutSetting(ctx, c.Who, care.Setting{Instrument: "gad-7", UpdatedAt: When}); err != nil {
				return err
			}
			client := c.NewClient("P-1")
			go func() {
				came <- c.DB.Write(ctx, c.Who, func(tx care.Tx) error {
					_, err := tx.InsertClient(ctx, c.Who, client)
					return err
				})
			}()
			select {
			case err := <-came:
				t.Errorf("a client came in: %v", err)
			case <-time.After(100 * time.Millisecond):
			}
			return nil
		})
		if !t.Failed() {
			same(t, nil, <-came, nil)
		}
	}},
	{"who is of no clinic may begin no transaction", func(t *testing.T, c *Clinic) {
		err := c.DB.Write(t.Context(), auth.Principal{Actor: NewID(), Role: auth.Admin}, func(care.Tx) error {
			t.Error("it began")
			return nil
		})
		if !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%v", err)
		}
	}},
}
