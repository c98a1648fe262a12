package audit_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"

	"github.com/protrack/protrack/pkg/audit"
)

var errAway = errors.New("the database is away")

// mustVerify checks all chains of the ledger, and that nothing was lost.
func mustVerify(t *testing.T, m *memory, clinic uuid.UUID, entries int64) {
	t.Helper()
	m.with(clinic, func(b *book) {
		v := audit.NewVerifier(clinic, b.checkpoints, nil)
		if err := v.AddAll(stream(b.chain)); err != nil {
			t.Fatal(err)
		}
		if r := v.Finish(&b.head, len(b.unsealed), nil); !r.OK() || r.Entries != entries || r.Unsealed != 0 || r.Checkpoints != len(b.checkpoints) {
			t.Errorf("clinic %s: %+v", clinic, r)
		}
	})
}

func TestAPassSealsAllThereIs(t *testing.T) {
	m := ledger(clinic, other)
	m.write(clinic, entries(1234)...)
	m.write(other, entries(500)...)
	s := &audit.Sealer{Ledger: m, Now: func() time.Time { return start.Add(time.Hour) }}
	if err := s.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustVerify(t, m, clinic, 1234)
	mustVerify(t, m, other, 500)
	m.with(clinic, func(b *book) {
		if diff := cmp.Diff([]int{500, 500, 234}, b.sizes); diff != "" {
			t.Error(diff)
		}
		if !b.head.At.Equal(start.Add(time.Hour)) {
			t.Errorf("the head is of %s", b.head.At)
		}
	})
	m.write(clinic, entry(1235))
	if err := s.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustVerify(t, m, clinic, 1235)
}

func TestSealersShareALedger(t *testing.T) {
	m := ledger(clinic, other)
	var work sync.WaitGroup
	for w := range 8 {
		work.Go(func() {
			for n := range 200 {
				m.write(clinic, entry(1+w*200+n))
				m.write(other, entry(1+w*200+n))
			}
		})
		work.Go(func() {
			s := &audit.Sealer{Ledger: m}
			for range 50 {
				if err := s.Pass(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	work.Wait()
	if err := (&audit.Sealer{Ledger: m}).Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustVerify(t, m, clinic, 1600)
	mustVerify(t, m, other, 1600)
}

// Two sealers at once, on a ledger that locks the head and on one that does
// not: that the second goes wrong shows that the first is put to the test.
func TestTwoSealersAtOnceNeedTheLockOfTheHead(t *testing.T) {
	for _, unlocked := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			m := ledger(clinic)
			m.write(clinic, entries(3)...)
			m.with(clinic, func(b *book) { b.slow, b.unlocked = time.Second, unlocked })
			var both sync.WaitGroup
			for range 2 {
				both.Go(func() {
					if err := (&audit.Sealer{Ledger: m}).Pass(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			both.Wait()
			m.with(clinic, func(b *book) {
				if r := verify(b.chain, &b.head, nil); r.OK() == unlocked {
					t.Errorf("unlocked %t: %+v", unlocked, r)
				}
			})
		})
	}
}

func TestAClinicThatFailsDoesNotKeepTheOthersFromBeingSealed(t *testing.T) {
	for name, fail := range map[string]func(*book){
		"it cannot be sealed":      func(b *book) { b.sealing = errAway },
		"it cannot be looked at":   func(b *book) { b.looking = errAway },
		"it takes for ever":        func(b *book) { b.slow = time.Hour },
		"nothing fails (control)":  func(*book) {},
		"it fails, and is mended ": func(b *book) { b.sealing = errAway },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := ledger(clinic, other)
				m.write(clinic, entries(3)...)
				m.write(other, entries(3)...)
				m.with(clinic, fail)
				s := &audit.Sealer{Ledger: m}
				err := s.Pass(t.Context())
				mustVerify(t, m, other, 3)
				if control := strings.Contains(name, "control"); control != (err == nil) {
					t.Fatalf("the pass gave %v", err)
				}
				if _, sick := s.Health(); (sick == nil) != (err == nil) {
					t.Errorf("the pass gave %v, and health is %v", err, sick)
				}
				m.with(clinic, func(b *book) { b.sealing, b.looking, b.slow = nil, nil, 0 })
				if err := s.Pass(t.Context()); err != nil {
					t.Fatal(err)
				}
				mustVerify(t, m, clinic, 3)
				if _, sick := s.Health(); sick != nil {
					t.Errorf("mended, and health is %v", sick)
				}
			})
		})
	}
}

func TestHealthIsTheAgeOfWhatMayNotBeSealed(t *testing.T) {
	now := start
	m := ledger(clinic, other)
	s := &audit.Sealer{Ledger: m, Now: func() time.Time { return now }}
	if lag, err := s.Health(); err == nil {
		t.Errorf("before the first pass: %s and no error", lag)
	}
	step := func(name string, want time.Duration, fails bool) {
		t.Helper()
		_ = s.Pass(t.Context())
		lag, err := s.Health()
		if lag != want || (err != nil) != fails {
			t.Errorf("%s: %s, %v; want %s", name, lag, err, want)
		}
	}
	step("nothing to do", 0, false)

	e := entry(1)
	e.At = now.Add(-time.Second)
	m.write(clinic, e)
	m.with(clinic, func(b *book) { b.sealing = errAway })
	step("one entry cannot be sealed", time.Second, true)
	now = now.Add(time.Minute)
	step("a minute later", 61*time.Second, true)
	m.with(clinic, func(b *book) { b.looking = errAway })
	now = now.Add(time.Minute)
	step("nor looked at", 121*time.Second, true)
	m.with(clinic, func(b *book) { b.sealing, b.looking = nil, nil })
	step("mended", 0, false)

	now = now.Add(time.Minute)
	if lag, err := s.Health(); lag != time.Minute || err != nil {
		t.Errorf("no pass for a minute: %s, %v", lag, err)
	}
	m.listing = errAway
	step("the clinics cannot be listed", time.Minute, true)
	m.listing = nil
	e.At = now.Add(time.Hour)
	m.write(clinic, e)
	m.with(clinic, func(b *book) { b.sealing = errAway })
	step("an entry from the future", 0, true)
}

func TestAFailureIsLoggedWhenItBeginsAndWhenItEnds(t *testing.T) {
	var log bytes.Buffer
	m := ledger(clinic, other)
	m.write(clinic, entry(1))
	s := &audit.Sealer{Ledger: m, Log: slog.New(slog.NewTextHandler(&log, nil))}
	pass := func(sealing error) {
		m.with(clinic, func(b *book) { b.sealing = sealing })
		for range 5 {
			_ = s.Pass(t.Context())
		}
	}
	pass(errAway)
	pass(nil)
	m.write(clinic, entry(2))
	pass(errAway)
	var got []string
	for line := range strings.Lines(log.String()) {
		_, line, _ = strings.Cut(line, " ")
		got = append(got, line)
	}
	const failed = "level=ERROR msg=\"audit sealer failed\" chore=seal clinic=01920000-0000-7000-8000-00000000c11c error=\"the database is away\"\n"
	const works = "level=INFO msg=\"audit sealer works again\" chore=seal clinic=01920000-0000-7000-8000-00000000c11c\n"
	if diff := cmp.Diff([]string{failed, works, failed}, got); diff != "" {
		t.Error(diff)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	log.Reset()
	if err := s.Pass(ended); err == nil {
		t.Error("a pass without time was no failure")
	}
	if log.Len() > 0 {
		t.Errorf("a pass that was broken off is logged: %s", log.String())
	}
}

func TestRunSealsWithinASecondAndOnceMoreAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signer, _, _ := key(t)
		m := ledger(clinic)
		var place elsewhere
		s := &audit.Sealer{Ledger: m, Signer: signer, Publish: place.publish}
		ctx, end := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); s.Run(ctx) }()
		synctest.Wait() // for the turns at the start
		for n := range 10 {
			m.write(clinic, entry(n+1))
			time.Sleep(time.Second)
			mustVerify(t, m, clinic, int64(n+1))
		}
		signed := func(want ...int64) {
			t.Helper()
			m.with(clinic, func(b *book) {
				if diff := cmp.Diff(want, b.signed); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff(b.checkpoints, place.kept()); diff != "" {
					t.Errorf("published are others than stored: %s", diff)
				}
			})
		}
		signed()
		time.Sleep(time.Minute)
		signed(10)
		time.Sleep(10 * time.Minute) // nothing happens: nothing is signed
		signed(10)
		m.write(clinic, entries(13)[10:]...)
		end()
		<-done
		mustVerify(t, m, clinic, 13)
		signed(10, 13)
	})
}

func TestTheLastPassHasItsOwnTimeAndNotMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := ledger(clinic)
		m.write(clinic, entry(1))
		m.with(clinic, func(b *book) { b.slow = time.Hour })
		ctx, end := context.WithCancel(t.Context())
		end()
		began := time.Now()
		(&audit.Sealer{Ledger: m}).Run(ctx)
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

func TestACheckpointThatCannotBeKeptIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signer, known, _ := key(t)
		m := ledger(clinic)
		var place elsewhere
		s := &audit.Sealer{Ledger: m, Signer: signer, Publish: place.publish}
		ctx, end := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); s.Run(ctx) }()
		synctest.Wait() // for the turns at the start
		want := func(name string, stored, there []int64) {
			t.Helper()
			m.with(clinic, func(b *book) {
				if diff := cmp.Diff(stored, b.signed); diff != "" {
					t.Errorf("%s: stored: %s", name, diff)
				}
			})
			var kept []int64
			for _, text := range place.kept() {
				c, err := audit.OpenCheckpoint(text, []note.Verifier{known})
				if err != nil {
					t.Error(err)
				}
				kept = append(kept, c.Seq)
			}
			if diff := cmp.Diff(there, kept); diff != "" {
				t.Errorf("%s: elsewhere: %s", name, diff)
			}
		}
		place.set(errAway, 0)
		m.write(clinic, entry(1))
		time.Sleep(61 * time.Second)
		want("the other place is away", []int64{1}, nil)
		place.set(nil, 0)
		time.Sleep(time.Minute)
		want("it is back", []int64{1}, []int64{1})

		m.with(clinic, func(b *book) { b.storing = errAway })
		m.write(clinic, entry(2))
		time.Sleep(time.Minute)
		want("it cannot be stored", []int64{1}, []int64{1})
		m.with(clinic, func(b *book) { b.storing = nil })
		time.Sleep(time.Minute)
		want("it can", []int64{1, 2}, []int64{1, 2})

		place.set(nil, time.Hour)
		m.write(clinic, entry(3))
		time.Sleep(time.Minute)
		m.write(clinic, entry(4))
		time.Sleep(time.Second)
		m.with(clinic, func(b *book) { // sealed, however slow the other place is
			if b.head.Seq != 4 {
				t.Errorf("the chain ends at %d", b.head.Seq)
			}
		})
		end()
		<-done
		want("the other place is slow", []int64{1, 2, 3, 4}, []int64{1, 2})
	})
}

func TestAStartPublishesWhatMayNotHaveBeen(t *testing.T) {
	signer, _, _ := key(t)
	m := ledger(clinic, other) // the other has no entry, and gets no checkpoint
	m.write(clinic, entries(3)...)
	published := 0
	publish := func(context.Context, string) error { published++; return nil }
	for range 3 { // three processes, one after the other
		s := &audit.Sealer{Ledger: m, Signer: signer, Publish: publish}
		for range 3 {
			if err := errors.Join(s.Pass(t.Context()), s.Checkpoint(t.Context())); err != nil {
				t.Fatal(err)
			}
		}
	}
	m.with(clinic, func(b *book) {
		if !slices.Equal(b.signed, []int64{3}) || published != 3 {
			t.Errorf("stored %v, published %d times", b.signed, published)
		}
	})
}

func TestAChainThatIsSetBackIsNotSigned(t *testing.T) {
	signer, _, _ := key(t)
	m := ledger(clinic)
	m.write(clinic, entries(3)...)
	s := &audit.Sealer{Ledger: m, Signer: signer, Publish: func(context.Context, string) error { return nil }}
	if err := errors.Join(s.Pass(t.Context()), s.Checkpoint(t.Context())); err != nil {
		t.Fatal(err)
	}
	m.with(clinic, func(b *book) { // an old backup, with its checkpoints
		b.chain = b.chain[:2]
		b.head, b.signed, b.checkpoints = audit.Head{Clinic: clinic, Seq: 2, Hash: b.chain[1].Hash}, nil, nil
	})
	if err := s.Checkpoint(t.Context()); err == nil || !strings.Contains(err.Error(), "ends at entry 2, and was at 3") {
		t.Errorf("got %v", err)
	}
	m.with(clinic, func(b *book) {
		if len(b.signed) > 0 {
			t.Errorf("signed %v", b.signed)
		}
	})
}

func TestWithoutASignerNothingIsSigned(t *testing.T) {
	m := ledger(clinic)
	m.listing = errAway
	if err := (&audit.Sealer{Ledger: m}).Checkpoint(t.Context()); err != nil {
		t.Error(err)
	}
	signer, _, _ := key(t)
	if err := (&audit.Sealer{Ledger: m, Signer: signer}).Checkpoint(t.Context()); !errors.Is(err, errAway) {
		t.Errorf("with one: %v", err)
	}
}
