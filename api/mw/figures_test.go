package mw_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protrack/protrack/api/mw"
	"github.com/protrack/protrack/pkg/fault"
)

func TestAThirdFigureWaitsForItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := mw.NewLimits(10, time.Now)
		var ends []func()
		for range 2 {
			done, err := l.Figuring(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			ends = append(ends, done)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := l.Figuring(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("a third beside two: %v", err)
		}
		time.AfterFunc(time.Second, ends[0])
		began := time.Now()
		done, err := l.Figuring(t.Context())
		if err != nil || time.Since(began) != time.Second {
			t.Fatalf("admitted after %v, %v", time.Since(began), err)
		}
		done()
		ends[1]()
	})
}

func TestPicturesAreDrawnTwoAtATimeAndNobodyWaitsForMoreThanEight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := mw.NewLimits(10, time.Now)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		ends, waited := make(chan func(), 8), make(chan error, 8)
		for range 8 {
			go func() {
				done, err := l.Drawing(ctx, "greedy")
				if err == nil {
					ends <- done
				}
				waited <- err
			}()
		}
		synctest.Wait()
		if len(waited) != 2 {
			t.Fatalf("%d are drawn at once", len(waited))
		}
		if _, err := l.Drawing(ctx, "greedy"); !fault.Is(err, fault.RateLimited) {
			t.Fatalf("a ninth of one actor: %v", err)
		}
		(<-ends)()
		synctest.Wait()
		if len(waited) != 3 {
			t.Fatalf("after one was done, %d", len(waited))
		}
		cancel()
		synctest.Wait()
		failed := 0
		for range 8 {
			if err := <-waited; errors.Is(err, context.Canceled) {
				failed++
			}
		}
		if failed != 5 {
			t.Errorf("%d of five were given up with their requests", failed)
		}
		(<-ends)()
		(<-ends)()
		for range 2 { // who gave up holds nothing
			if _, err := l.Drawing(t.Context(), "greedy"); err != nil {
				t.Error(err)
			}
		}
	})
}
