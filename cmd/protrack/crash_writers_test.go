package main_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// operation is one request that a writer sends until it is acknowledged.
type operation struct {
	kind       kind
	path       string
	body       any
	id, client uuid.UUID // of a client or a session
	reference  string
	forms      []form
}

type kind int

const (
	ofClient kind = iota
	ofSession
	ofForm
	ofBatch
)

// formsPerClient is after how many assessments a writer takes a new client.
const formsPerClient = 30

// writer sends one request after the other, each until it is acknowledged.
// What it sends, it sends again with the same ids.
type writer struct {
	name    int
	base    *atomic.Value // string: where the server is at the moment
	book    *ledger
	random  *rand.Rand
	http    *http.Client
	queue   []operation
	client  uuid.UUID
	session uuid.UUID
	taken   int // forms of this client
	count   int // clients so far
}

// writers starts n of them; stop lets each finish what it is at.
func writers(n int, seed uint64, base *atomic.Value, book *ledger) (stop func()) {
	var group sync.WaitGroup
	end := make(chan struct{})
	for i := range n {
		w := &writer{name: i, base: base, book: book, random: rand.New(rand.NewPCG(seed, uint64(i))), http: newClient()}
		group.Go(func() {
			defer w.http.CloseIdleConnections()
			for {
				select {
				case <-end:
					return
				default:
					w.deliver(w.next())
				}
			}
		})
	}
	return sync.OnceFunc(func() { close(end); group.Wait() })
}

// next decides what to send.
func (w *writer) next() operation {
	if len(w.queue) == 0 && (w.client == uuid.Nil || w.taken >= formsPerClient) {
		w.queue = w.admit()
	}
	if len(w.queue) > 0 {
		o := w.queue[0]
		w.queue = w.queue[1:]
		return o
	}
	if w.random.IntN(4) > 0 {
		f := w.form()
		path := "/v1/clients/" + f.ClientID.String() + "/assessments"
		body := map[string]any{
			"id": f.ID, "instrument": f.Instrument, "timing": f.Timing, "session_id": f.SessionID,
			"completed_at": f.CompletedAt, "answers": f.Answers,
		}
		return operation{kind: ofForm, path: path, body: body, forms: []form{f}}
	}
	forms := make([]form, 2+w.random.IntN(5))
	for i := range forms {
		forms[i] = w.form()
	}
	return operation{kind: ofBatch, path: "/v1/assessments/batch", body: map[string]any{"items": forms}, forms: forms}
}

// admit makes a new client with one session.
func (w *writer) admit() []operation {
	w.client, w.session, w.taken = w.uuid(), w.uuid(), 0
	w.count++
	reference := fmt.Sprintf("W%d-%04d", w.name, w.count)
	return []operation{
		{kind: ofClient, path: "/v1/clients", id: w.client, reference: reference, body: map[string]any{"id": w.client, "reference": reference}},
		{kind: ofSession, path: "/v1/clients/" + w.client.String() + "/sessions", id: w.session, client: w.client, body: map[string]any{
			"id": w.session, "kind": "dosing", "started_at": "2026-03-10T15:00:00Z",
			"medicine": map[string]any{"substance": "ketamine", "route": "intramuscular", "dose_mg": 70},
		}},
	}
}

func (w *writer) uuid() uuid.UUID {
	var id uuid.UUID
	for i := range id {
		id[i] = byte(w.random.UintN(256))
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // version 4
	return id
}

// form fills one in for the present client.
func (w *writer) form() form {
	f := form{ID: w.uuid(), ClientID: w.client, Instrument: "phq-9", Timing: "follow_up", Answers: map[string]int{}}
	items, prefix := 9, "phq9_"
	if w.random.IntN(3) == 0 {
		f.Instrument, items, prefix = "gad-7", 7, "gad7_"
	}
	for i := range items {
		f.Answers[fmt.Sprint(prefix, i+1)] = w.random.IntN(4)
	}
	if w.random.IntN(3) == 0 {
		f.Timing, f.SessionID = "after", new(w.session)
	}
	f.CompletedAt = time.Date(2026, 3, 10, 16, 0, 0, 0, time.UTC).Add(time.Duration(w.taken) * time.Hour)
	w.taken++
	return f
}

// patience is how long a writer tries before it gives an operation up, which
// the verdict then shows.
const patience = time.Minute

// deliver sends an operation until it is acknowledged. No answer and "try
// again" both mean to try again.
func (w *writer) deliver(o operation) {
	for begun := time.Now(); time.Since(begun) < patience && !w.book.over.Load(); {
		base, _ := w.base.Load().(string)
		w.book.send(o)
		status, answer, err := ask(w.http, adminKey, http.MethodPost, base+o.path, o.body)
		w.book.answer(status, err)
		switch {
		case err != nil, status >= http.StatusInternalServerError:
			if err == nil && status != http.StatusServiceUnavailable {
				w.book.refuse(status, answer)
			}
			time.Sleep(time.Duration(1+w.random.IntN(10)) * time.Millisecond)
		case status == http.StatusOK || status == http.StatusCreated:
			w.acknowledged(o, status, answer)
			return
		default:
			w.book.refuse(status, answer)
			return
		}
	}
	w.book.refuse(0, []byte("no answer in "+patience.String()))
}

// acknowledged reads which ids an answer vouches for.
func (w *writer) acknowledged(o operation, status int, answer []byte) {
	if o.kind != ofBatch {
		var one struct{ ID uuid.UUID }
		if err := json.Unmarshal(answer, &one); err != nil || one.ID != o.id && (len(o.forms) == 0 || one.ID != o.forms[0].ID) {
			w.book.refuse(status, answer)
			return
		}
		w.book.ack(o, one.ID, status)
		return
	}
	var many struct {
		Results []struct {
			ID     uuid.UUID
			Status int
		}
	}
	if err := json.Unmarshal(answer, &many); err != nil || len(many.Results) != len(o.forms) {
		w.book.refuse(status, answer)
		return
	}
	for _, r := range many.Results {
		if r.Status != http.StatusOK && r.Status != http.StatusCreated {
			w.book.refuse(r.Status, answer)
			continue
		}
		w.book.ack(o, r.ID, r.Status)
	}
}
