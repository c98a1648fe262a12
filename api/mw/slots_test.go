package mw_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/protrack/protrack/api/mw"
)

func TestASlotIsFreeAgainWhenItsHolderIsDone(t *testing.T) {
	slots := mw.NewSlots(2, 3)
	take := func(key string, want bool) func() {
		t.Helper()
		done, ok := slots.Take(key)
		if ok != want {
			t.Fatalf("a slot of %s: %v", key, ok)
		}
		return done
	}
	first, second := take("here", true), take("here", true)
	take("here", false)
	third := take("elsewhere", true)
	take("elsewhere", false) // its own are free, and none in all
	first()
	first() // once more frees nothing that is another's
	fourth := take("elsewhere", true)
	take("here", false)
	for _, done := range []func(){second, third, fourth} {
		done()
	}
	take("here", true)
	take("here", true)
	take("elsewhere", true)
	take("elsewhere", false)
}

func TestNoMoreThanTheSlotsAreTakenAtOnce(t *testing.T) {
	slots := mw.NewSlots(2, 3)
	var under, most atomic.Int64
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for range 500 {
				done, ok := slots.Take([]string{"a", "b", "c"}[i%3])
				if !ok {
					continue
				}
				now := under.Add(1)
				for {
					seen := most.Load()
					if now <= seen || most.CompareAndSwap(seen, now) {
						break
					}
				}
				under.Add(-1)
				done()
			}
		})
	}
	group.Wait()
	if most.Load() > 3 {
		t.Errorf("%d at once", most.Load())
	}
	for _, key := range []string{"a", "a", "b"} {
		if _, ok := slots.Take(key); !ok {
			t.Errorf("a slot of %s was not given back", key)
		}
	}
}
