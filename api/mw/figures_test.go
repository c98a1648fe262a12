package mw_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/protrack/protrack/api/mw"
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
