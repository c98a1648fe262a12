//go:build unix

package care_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// busy is a front end among many: it records, repeats, amends and retracts
// what it and the others recorded, for the same few clients.
type busy struct {
	clinic
	clients  []care.Client
	sessions []care.Session
	mu       sync.Mutex
	known    []care.Assessment // as sent
}

func (b *busy) pick(r *rand.Rand) (care.Assessment, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.known) == 0 {
		return care.Assessment{}, false
	}
	return b.known[r.IntN(len(b.known))], true
}

// step does one thing; what others may have done first is no fault.
func (b *busy) step(ctx context.Context, r *rand.Rand) error {
	a, some := b.pick(r)
	switch n := r.IntN(10); {
	case n < 4 || !some:
		var batch []care.Assessment
		for range 1 + r.IntN(3) {
			i := r.IntN(len(b.clients))
			x := gad7(b.clients[i].ID, day(r.IntN(60)-60), r.IntN(4))
			if r.IntN(2) == 0 {
				x.SessionID, x.Timing = &b.sessions[i].ID, care.BeforeIt
			}
			if r.IntN(3) == 0 {
				x.Instrument, x.Answers, x.Total = "phq-9", nil, new(float64(r.IntN(28)))
			}
			batch = append(batch, x)
		}
		out, err := b.Care.RecordAssessments(ctx, b.Who, batch)
		for i := range out {
			if out[i].Outcome != care.Created {
				err = errors.Join(err, fmt.Errorf("outcome %d: %w", out[i].Outcome, out[i].Err))
			}
		}
		b.mu.Lock()
		b.known = append(b.known, batch...)
		b.mu.Unlock()
		return err
	case n < 6:
		out, err := b.Care.RecordAssessments(ctx, b.Who, []care.Assessment{a})
		if err == nil && out[0].Outcome != care.Known {
			return fmt.Errorf("a repetition: outcome %d, %w", out[0].Outcome, out[0].Err)
		}
		return err
	case n < 8:
		now, err := b.Care.Assessment(ctx, b.Who, a.ID)
		if err != nil {
			return err
		}
		a.CompletedAt, a.Reason = day(r.IntN(60)-60), "amended"
		if _, err := b.Care.Amend(ctx, b.Who, a, now.Version); !fault.Is(err, fault.Stale) && !fault.Is(err, fault.Conflict) {
			return err
		}
		return nil
	case n < 9:
		_, err := b.Care.Retract(ctx, b.Who, a.ID, "retracted", nil)
		return err
	}
	i := r.IntN(len(b.sessions))
	s, err := b.Care.Session(ctx, b.Who, b.sessions[i].ID)
	if err != nil {
		return err
	}
	s.StartedAt = day(r.IntN(60) - 60)
	if _, err := b.Care.UpdateSession(ctx, b.Who, s, s.Version); !fault.Is(err, fault.Stale) {
		return err
	}
	return nil
}

func TestWhatHoldsAlwaysHoldsWithManyAtWork(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		b := &busy{clinic: c}
		for i := range 3 {
			client := c.client(t, fmt.Sprint("P-", i))
			b.clients = append(b.clients, client)
			b.sessions = append(b.sessions, c.session(t, care.Session{ClientID: client.ID, Kind: care.Dosing, StartedAt: day(-30)}))
		}
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		ctx := t.Context()
		var all sync.WaitGroup
		for worker := range 16 {
			all.Go(func() {
				r := rand.New(rand.NewPCG(seed, uint64(worker)))
				for range storetest.Size(8, 400) {
					if err := b.step(ctx, r); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		rules := []string{"", "bischoff-2020", "ny-cocm"}
		all.Go(func() { // and somebody chooses, meanwhile
			for i := range storetest.Size(6, 100) {
				set := care.Setting{Instrument: "gad-7", ChangeRules: rules[i%len(rules)]}
				if _, err := c.Care.ChooseSetting(ctx, c.Who, set); err != nil {
					t.Error(err)
				}
			}
		})
		all.Go(func() { // and new clients come in
			for i := range storetest.Size(6, 100) {
				client, _, err := c.Care.CreateClient(ctx, c.Who, care.Client{Reference: care.Private(fmt.Sprint("new ", i))})
				if err == nil {
					_, err = c.Care.RecordAssessments(ctx, c.Who, []care.Assessment{gad7(client.ID, day(0), 3), gad7(client.ID, day(1), 1)})
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
		all.Wait()
		c.sound(t)
	})
}

func TestOneFormSentManyTimesAtOnceIsStoredOnce(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		for i := range storetest.Size(3, 100) {
			client := c.client(t, fmt.Sprint("P-", i))
			form := gad7(client.ID, day(1), 2)
			outcomes := make([]care.Recorded, 20)
			var all sync.WaitGroup
			for n := range outcomes {
				all.Go(func() {
					out, err := c.Care.RecordAssessments(t.Context(), c.Who, []care.Assessment{form})
					if err != nil {
						t.Error(err)
						return
					}
					outcomes[n] = out[0]
				})
			}
			all.Wait()
			created := 0
			for _, r := range outcomes {
				if r.Outcome == care.Created {
					created++
				} else if r.Outcome != care.Known {
					t.Errorf("outcome %d, %v", r.Outcome, r.Err)
				}
			}
			if created != 1 {
				t.Errorf("created %d times", created)
			}
			if p := c.progress(t, client.ID, "gad-7"); p == nil || p.Points != 1 {
				t.Errorf("progress: %+v", p)
			}
		}
		c.sound(t)
	})
}

// The control of every test that ends in sound: each breach is seen.
func TestABreachOfWhatAlwaysHoldsIsSeen(t *testing.T) {
	for what, breach := range map[string]string{
		"a score that the answers do not have": "UPDATE assessment_versions SET score = replace(score, '\"total\":7', '\"total\":3') WHERE version = 2 AND clinic_id = '%s'",
		"a total that is not the score's":      "UPDATE assessment_versions SET total = 3 WHERE version = 2 AND clinic_id = '%s'",
		"progress that is behind":              "UPDATE progress SET points = points + 1 WHERE clinic_id = '%s'",
		"progress that is missing":             "DELETE FROM progress WHERE clinic_id = '%s'",
		"a version that is missing":            "DELETE FROM assessment_versions WHERE version = 1 AND clinic_id = '%s'",
		"no current version":                   "UPDATE assessment_versions SET superseded_at = recorded_at WHERE version = 2 AND clinic_id = '%s'",
		"a gap between versions":               "UPDATE client_versions SET superseded_at = superseded_at + 1 WHERE version = 1 AND clinic_id = '%s'",
		"an identity without a version":        "INSERT INTO assessments SELECT clinic_id, client_id, 'x' FROM assessments WHERE clinic_id = '%s'",
	} {
		t.Run(what, func(t *testing.T) {
			c := newClinic(t, storetest.SQLite(t))
			client := c.client(t, "P-1")
			a := c.record(t, gad7(client.ID, day(1), 2))[0]
			next := gad7(client.ID, day(2), 1)
			next.ID = a.ID
			c.amend(t, next, 1)
			client.Reference = "P-2"
			if _, err := c.Care.UpdateClient(t.Context(), c.Who, client, 1); err != nil {
				t.Fatal(err)
			}
			c.sound(t)
			for _, table := range []string{"assessment", "client"} { // out of the way of the breach
				for _, trigger := range []string{"kept", "once"} {
					if _, err := c.raw.ExecContext(t.Context(), "DROP TRIGGER "+table+"_versions_"+trigger); err != nil {
						t.Fatal(err)
					}
				}
			}
			if _, err := c.raw.ExecContext(t.Context(), fmt.Sprintf(breach, c.Who.Clinic)); err != nil {
				t.Fatal(err)
			}
			if len(c.Breaches(t, c.raw)) == 0 {
				t.Error("it is not seen")
			}
		})
	}
}
