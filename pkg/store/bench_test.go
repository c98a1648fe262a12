//go:build unix

package store_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/store"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// durably gives each benchmark databases that sync what they acknowledge.
func durably(b *testing.B, run func(b *testing.B, c *storetest.Clinic)) {
	b.Run("sqlite", func(b *testing.B) { run(b, storetest.SQLite(b).Clinic(b)) })
	b.Run("postgres", func(b *testing.B) {
		d := storetest.Open(b, storetest.PostgresServer(b, true).Database(b))
		if _, err := d.Migrate(context.Background()); err != nil {
			b.Fatal(err)
		}
		run(b, d.Clinic(b))
	})
}

// The same acts of the service, by eight callers at once: with their entries,
// and on a store that forgets these. The two take turns, so that whatever else
// the machine does weighs on both. ratio is with over without.
func BenchmarkWhatEntriesCost(b *testing.B) {
	durably(b, func(b *testing.B, c *storetest.Clinic) {
		without := *c.Care
		without.Store = store.Unnoted{DB: c.DB.DB}
		client, _, err := c.Care.CreateClient(context.Background(), c.Who, care.Client{Reference: "P-1"})
		if err != nil {
			b.Fatal(err)
		}
		acts := map[string]func(*care.Service) error{
			"read": func(s *care.Service) error {
				_, err := s.Client(context.Background(), c.Who, client.ID)
				return err
			},
			"write": func(s *care.Service) error {
				_, _, err := s.CreateClient(context.Background(), c.Who, care.Client{Reference: care.Private(storetest.NewID().String())})
				return err
			},
		}
		for name, act := range acts {
			b.Run(name, func(b *testing.B) {
				const turn = 40
				var took [2]time.Duration
				acted := 0
				for b.Loop() {
					for i, s := range []*care.Service{c.Care, &without} {
						took[i] += together(b, turn, func() error { return act(s) })
					}
					acted += turn
				}
				b.ReportMetric(float64(acted)/took[0].Seconds(), "with/s")
				b.ReportMetric(float64(acted)/took[1].Seconds(), "without/s")
				b.ReportMetric(took[1].Seconds()/took[0].Seconds(), "ratio")
			})
		}
	})
}

// together runs f n times by eight callers, and says how long it took.
func together(b *testing.B, n int, f func() error) time.Duration {
	var next atomic.Int64
	var all sync.WaitGroup
	begin := time.Now()
	for range 8 {
		all.Go(func() {
			for next.Add(1) <= int64(n) {
				if err := f(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	return time.Since(begin)
}

// How many entries a second are put into the chain, and are checked.
func BenchmarkTheChain(b *testing.B) {
	durably(b, func(b *testing.B, c *storetest.Clinic) {
		var sealing, verifying time.Duration
		sealed, verified := 0, int64(0)
		sealer := &audit.Sealer{Ledger: c.DB.DB}
		for b.Loop() {
			const entries = 2000
			err := c.DB.DB.Write(context.Background(), c.Who, func(tx care.Tx) error {
				for range entries {
					e := c.Who.Did("client.read", "client", uuid.New())
					e.ID, e.At, e.Address, e.Request = storetest.NewID(), c.Clock.Now(), "192.0.2.7", storetest.NewID().String()
					tx.Note(e)
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
			begin := time.Now()
			if err := sealer.Pass(context.Background()); err != nil {
				b.Fatal(err)
			}
			sealing += time.Since(begin)
			sealed += entries
			begin = time.Now()
			verified += verify(b, c)
			verifying += time.Since(begin)
		}
		b.ReportMetric(float64(sealed)/sealing.Seconds(), "sealed/s")
		b.ReportMetric(float64(verified)/verifying.Seconds(), "verified/s")
	})
}

func verify(b *testing.B, c *storetest.Clinic) (entries int64) {
	b.Helper()
	err := c.Chain(context.Background(), c.Who.Clinic, func(chain store.Chain) error {
		v := audit.NewVerifier(c.Who.Clinic, chain.Checkpoints, nil)
		if err := v.AddAll(chain.Entries); err != nil {
			return err
		}
		r := v.Finish(&chain.Head, chain.Unsealed, chain.Oldest)
		if !r.OK() {
			return fmt.Errorf("faults: %+v", r.Faults)
		}
		entries = r.Entries
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return entries
}
