package main_test

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// form is an assessment as it is sent, and as it has to be found again.
type form struct {
	ID          uuid.UUID      `json:"id"`
	ClientID    uuid.UUID      `json:"client_id"`
	Instrument  string         `json:"instrument"`
	Timing      string         `json:"timing"`
	SessionID   *uuid.UUID     `json:"session_id"`
	CompletedAt time.Time      `json:"completed_at"`
	Answers     map[string]int `json:"answers"`
}

// total is what the server has to make of it.
func (f form) total() float64 {
	sum := 0
	for _, v := range f.Answers {
		sum += v
	}
	return float64(sum)
}

// ledger is what the writers know: what they sent, and what was acknowledged.
type ledger struct {
	mu       sync.Mutex
	sent     map[uuid.UUID]form
	acked    map[uuid.UUID]bool
	clients  map[uuid.UUID]string    // sent, with their references
	sessions map[uuid.UUID]uuid.UUID // sent, with their clients
	created  map[uuid.UUID]bool      // clients and sessions that were acknowledged

	over atomic.Bool // the test has ended: nothing needs an answer any more

	requests, doubts, known int         // sent; without an answer; 200 to what had been stored before
	answers                 map[int]int // by status
	refused                 []string    // answers that no writer should get
	lastAck                 time.Time
	longestGap              time.Duration // between two acknowledgements
}

func newLedger() *ledger {
	return &ledger{
		sent: map[uuid.UUID]form{}, acked: map[uuid.UUID]bool{}, clients: map[uuid.UUID]string{},
		sessions: map[uuid.UUID]uuid.UUID{}, created: map[uuid.UUID]bool{}, answers: map[int]int{},
	}
}

// send notes a request before it leaves.
func (l *ledger) send(o operation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range o.forms {
		l.sent[f.ID] = f
	}
	switch o.kind {
	case ofClient:
		l.clients[o.id] = o.reference
	case ofSession:
		l.sessions[o.id] = o.client
	case ofForm, ofBatch:
	}
}

// answer notes what came of a request: a status, or none.
func (l *ledger) answer(status int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests++
	if err != nil {
		l.doubts++
		return
	}
	l.answers[status]++
}

// ack notes an acknowledgement of an id.
func (l *ledger) ack(o operation, id uuid.UUID, status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if status == http.StatusOK {
		l.known++
	}
	now := time.Now()
	if !l.lastAck.IsZero() {
		l.longestGap = max(l.longestGap, now.Sub(l.lastAck))
	}
	l.lastAck = now
	if o.kind == ofClient || o.kind == ofSession {
		l.created[id] = true
		return
	}
	l.acked[id] = true
}

// refuse notes an answer that the server should not have given.
func (l *ledger) refuse(status int, answer []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused = append(l.refused, fmt.Sprintf("%d %.300s", status, answer))
}

// acks counts the acknowledged assessments so far.
func (l *ledger) acks() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked)
}
