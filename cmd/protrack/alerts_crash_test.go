package main_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/protrack/protrack/pkg/store/storetest"
)

// receiver takes what is sent to a webhook, and refuses half of it at first.
type receiver struct {
	server *httptest.Server
	secret *standardwebhooks.Webhook

	mu      sync.Mutex
	refused map[string]bool
	raised  map[uuid.UUID][]uuid.UUID // assessments by client, in the order in which their alerts first came
	seen    map[uuid.UUID]bool        // assessments whose alert came
	forged  int
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{refused: map[string]bool{}, raised: map[uuid.UUID][]uuid.UUID{}, seen: map[uuid.UUID]bool{}}
	r.server = httptest.NewServer(r)
	t.Cleanup(r.server.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	id := req.Header.Get("Webhook-Id")
	switch half := sha256.Sum256([]byte(id)); {
	case err != nil || r.secret == nil:
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	case half[0]%2 == 0 && !r.refused[id]:
		r.refused[id] = true
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	case r.secret.Verify(body, req.Header) != nil:
		r.forged++
	}
	var event struct {
		Data struct {
			ClientID     uuid.UUID `json:"client_id"`
			AssessmentID uuid.UUID `json:"assessment_id"`
			Rule         string    `json:"rule"`
		}
	}
	if err := json.Unmarshal(body, &event); err != nil {
		r.forged++
	}
	if of := event.Data; of.Rule == "item9_endorsed" && !r.seen[of.AssessmentID] {
		r.seen[of.AssessmentID] = true
		r.raised[of.ClientID] = append(r.raised[of.ClientID], of.AssessmentID)
	}
	w.WriteHeader(http.StatusNoContent)
}

// heard is how many alerts have come.
func (r *receiver) heard() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.seen)
}

// siege is servers on one database that are killed while answers come in.
type siege struct {
	t        *testing.T
	database string
	mu       sync.Mutex
	servers  []*process
	acked    map[uuid.UUID][]uuid.UUID // by client, in the order in which they were sent
	total    int
}

func (s *siege) serve() *process {
	return launchServer(s.t, s.database, withKey, "--webhook-http", "--webhook-networks", "127.0.0.0/8")
}

// any is the address of one of the servers that are up.
func (s *siege) any() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.servers[rand.IntN(len(s.servers))].at
}

// kill ends one of the servers as a crash does, and starts another.
func (s *siege) kill() {
	s.mu.Lock()
	k := rand.IntN(len(s.servers))
	down := s.servers[k]
	s.mu.Unlock()
	down.kill()
	up := s.serve()
	up.url()
	s.mu.Lock()
	s.servers[k] = up
	s.mu.Unlock()
}

func (s *siege) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total
}

// insist sends until it is answered with success.
func (s *siege) insist(client *http.Client, method, path string, body any) []byte {
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		status, answer, err := ask(client, adminKey, method, s.any()+path, body)
		if err == nil && status < 300 {
			return answer
		}
		if err == nil && status < 500 && status != http.StatusTooManyRequests || time.Since(begun) > 2*time.Minute {
			s.t.Errorf("%s %s: %d %s %v", method, path, status, answer, err)
			return nil
		}
	}
}

// write sends forms of one client, one after the other, with item 9 above 0.
func (s *siege) write(n int) {
	client, id := newClient(), uuid.Must(uuid.NewV7())
	s.insist(client, "POST", "/v1/clients", map[string]any{"id": id, "reference": id.String()})
	for i := range n {
		answers := map[string]int{"phq9_9": 1 + i%3}
		for item := range 8 {
			answers[fmt.Sprint("phq9_", item+1)] = 0
		}
		form := uuid.Must(uuid.NewV7())
		s.insist(client, "POST", "/v1/clients/"+id.String()+"/assessments", map[string]any{
			"id": form, "instrument": "phq-9", "timing": "follow_up", "answers": answers,
			"completed_at": time.Now().Add(-time.Hour).Add(time.Duration(i) * time.Second).UTC().Format(time.RFC3339),
		})
		s.mu.Lock()
		s.acked[id] = append(s.acked[id], form)
		s.total++
		s.mu.Unlock()
	}
}

// alerts counts the alerts of item 9 that a client has, by assessment.
func (s *siege) alerts(id uuid.UUID) map[uuid.UUID]int {
	out := map[uuid.UUID]int{}
	for cursor := ""; ; {
		var page struct {
			Items []struct {
				AssessmentID uuid.UUID `json:"assessment_id"`
				Rule         string
			}
			NextCursor string `json:"next_cursor"`
		}
		if err := json.Unmarshal(s.insist(newClient(), "GET", "/v1/alerts?limit=200&client_id="+id.String()+cursor, nil), &page); err != nil {
			s.t.Fatal(err)
		}
		for _, a := range page.Items {
			if a.Rule == "item9_endorsed" {
				out[a.AssessmentID]++
			}
		}
		if page.NextCursor == "" {
			return out
		}
		cursor = "&cursor=" + page.NextCursor
	}
}

// TestNoAlertIsLostWhileServersAreKilled: every answer above 0 that was
// acknowledged has exactly one alert, and its event reaches a receiver that
// refuses half of what comes, at least once and in order for its client.
func TestNoAlertIsLostWhileServersAreKilled(t *testing.T) {
	clients, forms, kills := 12, 4, 3
	if long() {
		clients, forms, kills = 100, 20, 20
	}
	databases(t, func(t *testing.T, database string, postgres *storetest.Server) {
		s := &siege{t: t, database: database, acked: map[uuid.UUID][]uuid.UUID{}}
		s.servers = []*process{s.serve()}
		s.servers[0].url()
		for postgres != nil && len(s.servers) < 3 {
			s.servers = append(s.servers, s.serve())
			s.servers[len(s.servers)-1].url()
		}
		r := newReceiver(t)
		var made struct{ Secret string }
		if err := json.Unmarshal(s.insist(newClient(), "POST", "/v1/webhooks", map[string]any{"url": r.server.URL, "types": []string{"alert.raised"}}), &made); err != nil {
			t.Fatal(err)
		}
		secret, err := standardwebhooks.NewWebhook(made.Secret)
		if err != nil {
			t.Fatal(err)
		}
		r.mu.Lock()
		r.secret = secret
		r.mu.Unlock()
		var writing sync.WaitGroup
		for range clients {
			writing.Go(func() { s.write(forms) })
		}
		for k := range kills {
			for s.count() < clients*forms*(k+1)/(kills+1) && !t.Failed() {
				time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
			}
			s.kill()
		}
		writing.Wait()
		for begun := time.Now(); r.heard() < clients*forms && time.Since(begun) < 5*time.Minute; {
			time.Sleep(100 * time.Millisecond)
		}
		s.judge(r)
		t.Logf("%d answers, %d kills, %d servers, %d refused at first", s.count(), kills, len(s.servers), len(r.refused))
	})
}

// judge compares what was acknowledged with what is stored and what came.
func (s *siege) judge(r *receiver) {
	s.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.forged > 0 || len(r.refused) == 0 {
		s.t.Errorf("%d messages do not verify, %d were refused", r.forged, len(r.refused))
	}
	for client, sent := range s.acked {
		stored := s.alerts(client)
		if len(stored) != len(sent) {
			s.t.Errorf("%d answers of a client have alerts, of %d", len(stored), len(sent))
		}
		for i, form := range sent {
			if stored[form] != 1 {
				s.t.Errorf("answer %d has %d alerts", i, stored[form])
			}
			if i >= len(r.raised[client]) || r.raised[client][i] != form {
				s.t.Errorf("the alert of answer %d of %d is not the one that came as number %d of %d", i, len(sent), i, len(r.raised[client]))
				break
			}
		}
	}
}
