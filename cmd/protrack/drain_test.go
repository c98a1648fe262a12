package main_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/store/storetest"
)

// slowPost sends a request of which the rest is sent by calling finish.
func slowPost(t *testing.T, base, path, body string) (finish func() (*http.Response, error)) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	half := len(body) / 2
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: protrack\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		path, adminKey, len(body), body[:half])
	if err != nil {
		t.Fatal(err)
	}
	return func() (*http.Response, error) {
		if _, err := io.WriteString(conn, body[half:]); err != nil {
			return nil, err
		}
		return http.ReadResponse(bufio.NewReader(conn), nil)
	}
}

// traffic creates clients, one request after the other, in several goroutines.
type traffic struct {
	base   string
	halted atomic.Bool // the load balancer sends nobody here any more
	mu     sync.Mutex
	stored map[uuid.UUID]bool // acknowledged
	failed map[uuid.UUID]error
	group  sync.WaitGroup
}

func newTraffic(base string, heedsReadiness bool) *traffic {
	d := &traffic{base: base, stored: map[uuid.UUID]bool{}, failed: map[uuid.UUID]error{}}
	for range 4 {
		d.group.Go(func() {
			client := newClient()
			defer client.CloseIdleConnections()
			for !d.halted.Load() {
				if d.one(client) != nil && !heedsReadiness {
					return // it is gone
				}
			}
		})
	}
	return d
}

func (d *traffic) one(client *http.Client) error {
	id := uuid.New()
	status, answer, err := ask(client, adminKey, http.MethodPost, d.base+"/v1/clients", map[string]any{"id": id, "reference": id.String()})
	if err == nil && status != http.StatusCreated {
		err = fmt.Errorf("%d %s", status, answer)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		d.failed[id] = err
	} else {
		d.stored[id] = true
	}
	return err
}

func (d *traffic) stop() { d.halted.Store(true); d.group.Wait() }

// away waits until the server is not ready, as a load balancer would.
func away(t *testing.T, base string) {
	t.Helper()
	client := newClient()
	defer client.CloseIdleConnections()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		status, answer, err := ask(client, "", http.MethodGet, base+"/readyz", nil)
		switch {
		case err != nil:
			t.Fatalf("a load balancer never heard that the server was going: %v", err)
		case status == http.StatusServiceUnavailable && strings.Contains(string(answer), "shutting down"):
			return
		case time.Now().After(deadline):
			t.Fatalf("readyz answers %d %s", status, answer)
		}
	}
}

func TestASignalToEndLosesNoRequestBehindALoadBalancer(t *testing.T) {
	times := 1
	if long() {
		times = 20
	}
	databases(t, func(t *testing.T, database string, _ *storetest.Server) {
		requests := 0
		for range times {
			s := serve(t, database, withKey, "--drain-delay", "600ms")
			load := newTraffic(s.url(), true)
			id := uuid.New()
			finish := slowPost(t, s.url(), "/v1/clients", fmt.Sprintf(`{"id": %q, "reference": "slow-%s"}`, id, id))
			time.Sleep(200 * time.Millisecond)
			begun := time.Now()
			s.terminate()
			away(t, s.url())
			load.stop()
			time.Sleep(800 * time.Millisecond) // the delay is over, and it takes no more connections
			if _, err := net.Dial("tcp", strings.TrimPrefix(s.url(), "http://")); err == nil {
				t.Error("a draining server takes new connections")
			}
			res, err := finish()
			if err != nil {
				t.Fatalf("the slow request was cut off: %v", err)
			}
			if res.StatusCode != http.StatusCreated {
				t.Errorf("the slow request got %s", res.Status)
			}
			if code := s.code(15 * time.Second); code != 0 || !strings.Contains(s.err.String(), `"msg":"stopped"`) {
				t.Errorf("exit code %d: %s", code, s.err.String())
			}
			if took := time.Since(begun); took > 15*time.Second {
				t.Errorf("it took %s", took)
			}
			for _, err := range load.failed {
				t.Errorf("a request failed: %v", err)
			}
			requests += len(load.stored)
			load.stored[id] = true
			held(t, database, load)
		}
		t.Logf("%d times: %d requests, none lost", times, requests)
	})
}

// held looks whether what was acknowledged is there, and what failed is not: a
// request that was carried out was also answered.
func held(t *testing.T, database string, load *traffic) {
	t.Helper()
	s := serve(t, database, withKey)
	there := map[uuid.UUID]bool{}
	for _, c := range list[struct{ ID uuid.UUID }](t, s.url(), adminKey, "/v1/clients") {
		there[c.ID] = true
	}
	for id := range load.stored {
		if !there[id] {
			t.Errorf("%s was acknowledged and is lost", id)
		}
	}
	for id, err := range load.failed {
		if there[id] {
			t.Errorf("%s was carried out and not answered: %v", id, err)
		}
	}
	s.terminate()
	if code := s.code(15 * time.Second); code != 0 {
		t.Errorf("exit code %d: %s", code, s.err.String())
	}
}

// Nobody has told these callers to stay away. They may find the door shut, but
// what was let in is answered.
func TestASignalToEndAnswersWhatWasTakenIn(t *testing.T) {
	times := 2
	if long() {
		times = 20
	}
	databases(t, func(t *testing.T, database string, _ *storetest.Server) {
		for range times {
			s := serve(t, database, withKey)
			load := newTraffic(s.url(), false)
			time.Sleep(150 * time.Millisecond)
			s.terminate()
			if code := s.code(15 * time.Second); code != 0 {
				t.Errorf("exit code %d: %s", code, s.err.String())
			}
			load.stop()
			for _, err := range load.failed {
				var network *net.OpError
				if !errors.As(err, &network) && !errors.Is(err, io.EOF) && !strings.Contains(err.Error(), "server closed idle connection") {
					t.Errorf("an answer to fail by: %v", err)
				}
			}
			t.Logf("%d answered, %d turned away", len(load.stored), len(load.failed))
			held(t, database, load)
		}
	})
}

func TestARequestThatTakesTooLongDoesNotKeepTheServer(t *testing.T) {
	t.Parallel()
	s := serve(t, "sqlite://"+filepath.Join(t.TempDir(), "p.db"), withKey, "--drain-time", "300ms")
	finish := slowPost(t, s.url(), "/v1/clients", `{"reference": "never finished"}`)
	time.Sleep(100 * time.Millisecond)
	s.terminate()
	if code := s.code(5 * time.Second); code != 0 {
		t.Errorf("exit code %d: %s", code, s.err.String())
	}
	if got := cutOff(t, s); got != 1 {
		t.Errorf("%d requests were cut off", got)
	}
	if answer, err := finish(); err == nil {
		t.Errorf("it was answered: %s", answer.Status)
	}
}

// cutOff is how many requests the server's log says that it cut off; -1 where
// it says nothing of it.
func cutOff(t *testing.T, s *process) int {
	t.Helper()
	count, told := -1, 0
	for line := range strings.Lines(s.err.String()) {
		var entry struct {
			Msg   string
			Count int
		}
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "requests were cut off" {
			count, told = entry.Count, told+1
		}
	}
	if told > 1 {
		t.Errorf("the log says it %d times", told)
	}
	return count
}

// download asks for the whole clinic, as a reader whose machine holds little of
// what it has not yet taken, and gives the answer once it has begun.
func download(t *testing.T, s *process, key string) *http.Response {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{
		DisableCompression: true, // or there is little to send
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			if err == nil {
				err = conn.(*net.TCPConn).SetReadBuffer(64 << 10)
			}
			return conn, err
		},
	}}
	t.Cleanup(client.CloseIdleConnections)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url()+"/v1/exports/assessments?shape=long&format=ndjson&profile=identified", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	answer, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = answer.Body.Close() })
	if _, err := io.ReadFull(answer.Body, make([]byte, 1000)); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s, %v", answer.Status, err)
	}
	return answer
}

// drains waits until the server takes no more connections.
func drains(t *testing.T, s *process) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url(), "http://"))
		if err != nil {
			return
		}
		_ = conn.Close()
	}
	t.Fatal("a draining server takes new connections")
}

func TestAnExportUnderWayIsFinishedOrCutWhenTheServerEnds(t *testing.T) {
	t.Parallel()
	database := "sqlite://" + filepath.Join(t.TempDir(), "p.db")
	key := seedClinic(t, database)
	whole := int64(0)
	t.Run("in time it is whole", func(t *testing.T) {
		s := serve(t, database, nil, "--drain-time", "30s")
		answer := download(t, s, key)
		s.terminate()
		drains(t, s)
		rest, err := io.Copy(io.Discard, answer.Body)
		if err != nil || answer.Trailer.Get("Protrack-Rows") == "" {
			t.Errorf("after %d bytes: %v, trailers %v", rest, err, answer.Trailer)
		}
		whole = 1000 + rest
		if code := s.code(20 * time.Second); code != 0 || cutOff(t, s) != -1 {
			t.Errorf("exit code %d: %s", code, s.err.tail())
		}
	})
	t.Run("a slow one is an error to its reader", func(t *testing.T) {
		s := serve(t, database, nil, "--drain-time", "300ms")
		answer := download(t, s, key)
		s.terminate()
		if code := s.code(20 * time.Second); code != 0 || cutOff(t, s) != 1 || !strings.Contains(s.err.String(), `"msg":"stopped"`) {
			t.Errorf("exit code %d: %s", code, s.err.tail())
		}
		rest, err := io.Copy(io.Discard, answer.Body)
		if err == nil || 1000+rest >= whole || answer.Trailer.Get("Protrack-Rows") != "" {
			t.Errorf("after %d of %d bytes: %v, trailers %v", 1000+rest, whole, err, answer.Trailer)
		}
		t.Logf("%d of %d bytes, then %v", 1000+rest, whole, err)
	})
}
