package mw_test

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/protrack/protrack/api/mw"
)

// clock is a time that a test moves.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time       { return time.Unix(1_800_000_000, c.at.Load()) }
func (c *clock) pass(d time.Duration) { c.at.Add(int64(d)) }
func (c *clock) since() time.Duration { return time.Duration(c.at.Load()) }
func limiter(c *clock, perSecond float64, burst int) *mw.Limiter {
	return mw.NewLimiter(mw.Limit{PerSecond: perSecond, Burst: burst}, c.now)
}

func TestABucketIsAsDeepAsItsBurstAndFillsAtItsRate(t *testing.T) {
	for _, limit := range []mw.Limit{{PerSecond: 50, Burst: 200}, {PerSecond: 0.5, Burst: 30}, {PerSecond: 10.0 / 60, Burst: 10}, {PerSecond: 1.0 / 3, Burst: 1}} {
		var c clock
		l := mw.NewLimiter(limit, c.now)
		for range limit.Burst {
			if wait, ok := l.Allow("a"); !ok || wait != 0 {
				t.Fatalf("%+v: refused within the burst, wait %s", limit, wait)
			}
		}
		for n := range 100 {
			wait, ok := l.Allow("a")
			if ok {
				t.Fatalf("%+v: %d more than the burst passed after %s", limit, n+1, c.since())
			}
			if each := time.Duration(float64(time.Second) / limit.PerSecond); wait <= 0 || wait > each {
				t.Fatalf("%+v: the wait is %s where one comes every %s", limit, wait, each)
			}
			c.pass(wait / 2)
			if _, ok := l.Check("a"); ok {
				t.Fatalf("%+v: passed before the time that was told", limit)
			}
			c.pass(wait - wait/2)
			if _, ok := l.Check("a"); !ok {
				t.Fatalf("%+v: checked and refused after the time that was told", limit)
			}
			if _, ok := l.Allow("a"); !ok {
				t.Fatalf("%+v: refused after the time that was told", limit)
			}
		}
		if _, ok := l.Allow("b"); !ok {
			t.Errorf("%+v: another key was refused", limit)
		}
		c.pass(24 * time.Hour)
		passed := 0
		for range 10 * limit.Burst {
			if _, ok := l.Allow("a"); ok {
				passed++
			}
		}
		if passed != limit.Burst {
			t.Errorf("%+v: %d passed after a quiet day", limit, passed)
		}
	}
}

func TestACheckTakesNothing(t *testing.T) {
	var c clock
	l := limiter(&c, 1, 1)
	for range 10 {
		if wait, ok := l.Check("a"); !ok || wait != 0 {
			t.Fatal("a check took what was there")
		}
	}
	if _, ok := l.Allow("a"); !ok {
		t.Error("nothing is left after checks")
	}
	if wait, ok := l.Check("a"); ok || wait != time.Second {
		t.Errorf("an empty bucket: %s %t", wait, ok)
	}
}

// TestWhatWasCheckedAtOnceIsPaidForLater: a thousand that are looked up at the
// same time are all checked before one is counted. The debt is one burst at
// most, so that a machine that never stops does not shut its address for days.
func TestWhatWasCheckedAtOnceIsPaidForLater(t *testing.T) {
	var c clock
	l := limiter(&c, 0.5, 30)
	for range 1000 {
		l.Count("a")
	}
	if wait, ok := l.Check("a"); ok || wait != (30+1)*2*time.Second {
		t.Errorf("after a thousand: %t, wait %s", ok, wait)
	}
	c.pass(30 * 2 * time.Second)
	if _, ok := l.Check("a"); ok {
		t.Error("passed before the debt was paid")
	}
	c.pass(2 * time.Second)
	if _, ok := l.Check("a"); !ok {
		t.Error("refused after the debt was paid")
	}
}

func TestALimiterRemembersAHundredThousandKeysInBoundedMemory(t *testing.T) {
	var c clock
	l := limiter(&c, 1.0/3600, 1)
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	for i := range 1_000_000 {
		if _, ok := l.Allow(fmt.Sprintf("key %d", i)); !ok {
			t.Fatalf("key %d was refused at its first", i)
		}
		if i%1000 == 0 { // asking about others pushes nobody out
			l.Check(fmt.Sprintf("other %d", i))
		}
	}
	grown := heap() - before
	t.Logf("a million keys take %d MB", grown>>20)
	if grown > 50<<20 {
		t.Errorf("a million keys take %d MB", grown>>20)
	}
	for _, i := range []int{900_000, 950_000, 999_999} {
		if _, ok := l.Check(fmt.Sprintf("key %d", i)); ok {
			t.Errorf("key %d, among the last hundred thousand, is forgotten", i)
		}
	}
	for _, i := range []int{0, 500_000, 899_999} {
		if _, ok := l.Check(fmt.Sprintf("key %d", i)); !ok {
			t.Errorf("key %d, before the last hundred thousand, is remembered", i)
		}
	}
}

func TestAKeyThatIsStillUsedIsNotForgotten(t *testing.T) {
	var c clock
	l := limiter(&c, 1.0/3600, 1)
	l.Allow("guesser")
	for i := range 250_000 {
		l.Allow(fmt.Sprintf("key %d", i))
		if i%50_000 == 0 {
			if _, ok := l.Check("guesser"); ok {
				t.Fatalf("forgotten after %d others", i)
			}
		}
	}
}

func TestManyAtOnceGetNoMoreThanOne(t *testing.T) {
	for round := range 20 {
		var c clock
		l := limiter(&c, 1, 50)
		var passed atomic.Int64
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				for range 100 {
					if _, ok := l.Allow("same"); ok {
						passed.Add(1)
					}
					l.Check("same")
					l.Count("other")
				}
			})
		}
		all.Wait()
		if passed.Load() != 50 {
			t.Fatalf("round %d: %d passed instead of 50", round, passed.Load())
		}
		// A debt of one burst, and of what the others had begun to count.
		if wait, _ := l.Check("other"); wait < (50+1)*time.Second || wait > (50+1+15)*time.Second {
			t.Fatalf("round %d: the debt of 1600 is %s", round, wait)
		}
	}
}

func TestThoseWhoComeFirstTogetherShareABucket(t *testing.T) {
	var c clock
	l := limiter(&c, 1, 1)
	const keys = 20_000
	passed := make([]atomic.Int64, keys)
	var all sync.WaitGroup
	for range 4 { // in step, so that each key is new to all of them
		all.Go(func() {
			for i := range passed {
				if _, ok := l.Allow(fmt.Sprint(i)); ok {
					passed[i].Add(1)
				}
			}
		})
	}
	all.Wait()
	for i := range passed {
		if n := passed[i].Load(); n != 1 {
			t.Fatalf("%d passed where one may", n)
		}
	}
}

func TestALimitOfNothingIsAMistakeOfTheProgram(t *testing.T) {
	for _, limit := range []mw.Limit{{}, {PerSecond: 1}, {Burst: 1}, {PerSecond: -1, Burst: 1}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v makes a limiter", limit)
				}
			}()
			mw.NewLimiter(limit, time.Now)
		}()
	}
}

func BenchmarkAllow(b *testing.B) {
	l := mw.NewLimiter(mw.Limit{PerSecond: 50, Burst: 200}, time.Now)
	keys := make([]string, 1<<14)
	for i := range keys {
		keys[i] = fmt.Sprintf("key %d", i)
	}
	var next atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			l.Allow(keys[next.Add(1)%int64(len(keys))])
		}
	})
}
