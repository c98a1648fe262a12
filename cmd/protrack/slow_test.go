package main_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// Half a header is what an attacker sends to hold a connection for nothing.
func TestSlowHeadersAreCutOffAndHoldNobodyUp(t *testing.T) {
	t.Parallel()
	s := serve(t, "sqlite://"+filepath.Join(t.TempDir(), "p.db"), withKey)
	many := 100
	if long() {
		many = 1000
	}
	begun := time.Now()
	cut := make(chan time.Duration, many)
	for range many {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url(), "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := io.WriteString(conn, "POST /v1/clients HTTP/1.1\r\nHost: protrack\r\nX-Slow: "); err != nil {
			t.Fatal(err)
		}
		go func() {
			defer func() { cut <- time.Since(begun) }()
			for stop := time.Now().Add(20 * time.Second); time.Now().Before(stop); {
				_, _ = io.WriteString(conn, "a") // a little at a time must not buy more
				_ = conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
				if _, err := conn.Read(make([]byte, 1)); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
					return
				}
			}
		}()
	}
	client := newClient()
	defer client.CloseIdleConnections()
	var worst time.Duration
	var last time.Duration
	for n := 0; n < many; {
		asked := time.Now()
		status, answer, err := ask(client, adminKey, http.MethodPost, s.url()+"/v1/clients", map[string]any{"reference": uuid.NewString()})
		if err != nil || status != http.StatusCreated {
			t.Fatalf("meanwhile: %d %s %v", status, answer, err)
		}
		worst = max(worst, time.Since(asked))
		select {
		case last = <-cut:
			n++
		case <-time.After(10 * time.Millisecond):
		}
	}
	if last < 4*time.Second || last > 8*time.Second || worst > 2*time.Second {
		t.Errorf("the last was cut after %s, the longest other request took %s", last, worst)
	}
	t.Logf("%d connections cut after at most %s; the longest other request took %s", many, last, worst)
}
