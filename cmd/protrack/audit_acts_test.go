package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
)

// done is what the audit trail should say of the requests that were sent: how
// often each action by the request's id.
type done struct {
	mu      sync.Mutex
	actions map[string]map[string]int
}

func (d *done) add(request, actions string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.actions[request] = map[string]int{}
	for _, action := range strings.Fields(actions) {
		d.actions[request][action]++
	}
}

// keyring is one key of each kind that the acts need.
type keyring struct{ admin, app, researcher string }

// perform sends n requests of all kinds by 16 writers at once.
func perform(t *testing.T, base string, keys keyring, seed uint64, n int, book *done) {
	t.Helper()
	var next atomic.Int64
	var all sync.WaitGroup
	for i := range 16 {
		a := &actor{t: t, base: base, keys: keys, book: book, random: rand.New(rand.NewPCG(seed, uint64(i))), http: newClient()}
		all.Go(func() {
			defer a.http.CloseIdleConnections()
			for next.Add(1) <= int64(n) && !t.Failed() {
				a.act()
			}
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

// actor is a writer with a client of its own.
type actor struct {
	t       *testing.T
	base    string
	keys    keyring
	book    *done
	random  *rand.Rand
	http    *http.Client
	client  string
	version int // of the client
	form    string
	edition int // of the form
	acts    int
}

func (a *actor) act() {
	a.acts++
	switch {
	case a.client == "" || a.acts%40 == 0:
		a.admit()
	case a.form == "":
		a.fillIn()
	default:
		acts := []func(){
			a.fillIn, a.fillIn, a.update, a.amend, a.retract, a.again,
			func() { a.get("client.read", "/v1/clients/"+a.client) },
			func() { a.get("client.list", "/v1/clients?limit=5") },
			func() { a.get("assessment.read", "/v1/assessments/"+a.form) },
			func() { a.get("assessment.list", "/v1/clients/"+a.client+"/assessments") },
			func() { a.get("assessment.history", "/v1/assessments/"+a.form+"/versions") },
			func() { a.get("trajectory.read", "/v1/clients/"+a.client+"/trajectory?instrument=phq-9") },
			func() { a.get("caseload.read", "/v1/caseload?limit=3") },
			a.denied, a.nothing,
		}
		acts[a.random.IntN(len(acts))]()
	}
}

func (a *actor) admit() {
	a.client, a.form, a.version = newRandomID(a.random), "", 1
	a.send("client.create", a.keys.admin, http.StatusCreated, "POST", "/v1/clients", map[string]any{"id": a.client, "reference": a.client}, 0)
}

// again repeats the client's creation, as a front end does that got no answer.
func (a *actor) again() {
	if a.version == 1 {
		a.send("client.read", a.keys.admin, http.StatusOK, "POST", "/v1/clients", map[string]any{"id": a.client, "reference": a.client}, 0)
		return
	}
	a.get("client.read", "/v1/clients/"+a.client)
}

func (a *actor) update() {
	// A patch is put on what was read before.
	a.send("client.read client.update", a.keys.admin, http.StatusOK, "PATCH", "/v1/clients/"+a.client, map[string]any{"display_name": fmt.Sprint("A. ", a.acts)}, a.version)
	a.version++
}

func (a *actor) fillIn() {
	a.form, a.edition = newRandomID(a.random), 1
	a.send("assessment.create", a.keys.app, http.StatusCreated, "POST", "/v1/clients/"+a.client+"/assessments", map[string]any{
		"id": a.form, "instrument": "phq-9", "timing": "baseline", "completed_at": "2026-03-01T09:00:00Z", "total": a.random.IntN(28),
	}, 0)
}

func (a *actor) amend() {
	a.send("assessment.read assessment.amend", a.keys.admin, http.StatusOK, "PUT", "/v1/assessments/"+a.form,
		map[string]any{"total": a.acts % 28, "reason": "Read out wrongly."}, a.edition)
	a.edition++
}

func (a *actor) retract() {
	a.send("assessment.retract assessment.read", a.keys.admin, http.StatusOK, "POST", "/v1/assessments/"+a.form+"/retraction", map[string]any{"reason": "Another's."}, 0)
	a.form = ""
}

// denied asks for what the role does not allow.
func (a *actor) denied() {
	key, path := a.keys.researcher, "/v1/clients/"+a.client
	if a.random.IntN(2) == 0 {
		key, path = a.keys.app, "/v1/caseload"
	}
	a.send("permission.refused", key, http.StatusForbidden, "GET", path, nil, 0)
}

// nothing asks for what is not there, or changes what was changed meanwhile.
func (a *actor) nothing() {
	if a.random.IntN(2) == 0 {
		a.send("", a.keys.admin, http.StatusNotFound, "GET", "/v1/clients/"+newRandomID(a.random), nil, 0)
		return
	}
	a.send("client.read", a.keys.admin, http.StatusPreconditionFailed, "PATCH", "/v1/clients/"+a.client, map[string]any{"display_name": "late"}, a.version+1)
}

func (a *actor) get(action, path string) {
	a.send(action, a.keys.admin, http.StatusOK, "GET", path, nil, 0)
}

// send sends one request under an id of its own, and books what its entries
// should say.
func (a *actor) send(actions, key string, status int, method, path string, body any, version int) {
	var payload bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&payload).Encode(body); err != nil {
			a.t.Error(err)
		}
	}
	req, err := http.NewRequestWithContext(context.Background(), method, a.base+path, &payload)
	if err != nil {
		a.t.Error(err)
		return
	}
	request := newRandomID(a.random)
	req.Header.Set("X-Request-Id", request)
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	if method == http.MethodPatch {
		req.Header.Set("Content-Type", "application/merge-patch+json")
	}
	if version > 0 {
		req.Header.Set("If-Match", strconv.Quote(strconv.Itoa(version)))
	}
	res, err := a.http.Do(req)
	if err != nil {
		a.t.Error(err)
		return
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != status || res.Header.Get("X-Request-Id") != request {
		a.t.Errorf("%s %s answers %d: %s %v", method, path, res.StatusCode, answer, err)
		return
	}
	a.book.add(request, actions)
}

func newRandomID(random *rand.Rand) string {
	var id uuid.UUID
	for i := range id {
		id[i] = byte(random.UintN(256))
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // version 4
	return id.String()
}
