package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"
)

// counted is a handler that knows how many requests it is answering.
type counted struct {
	http.Handler
	underWay atomic.Int64
}

// ServeHTTP answers one request.
func (h *counted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.underWay.Add(1)
	defer h.underWay.Add(-1)
	h.Handler.ServeHTTP(w, r)
}

// unwinding is how long requests that were cut off may take to notice: their
// transactions are rolled back, and their lines are in the log.
const unwinding = 5 * time.Second

// drain takes no more connections and lets the requests under way finish. Those
// that take longer than within lose their connection, so that no file looks
// whole; that is no error of the server's.
func drain(ctx context.Context, server *http.Server, requests *counted, within time.Duration, log *slog.Logger) error {
	end, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	err := server.Shutdown(end)
	if errors.Is(err, context.DeadlineExceeded) {
		cut := requests.underWay.Load()
		err = server.Close()
		log.Warn("requests were cut off", "count", cut, "after", within.String())
		for stop := time.Now().Add(unwinding); requests.underWay.Load() > 0 && time.Now().Before(stop); {
			time.Sleep(10 * time.Millisecond)
		}
	}
	if err != nil {
		return fmt.Errorf("drain: %w", err)
	}
	return nil
}
