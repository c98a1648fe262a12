package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/store"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// crew is how many writers write at once.
const crew = 8

// crash is one run of the harness: writers, a server that is killed under
// them, and what they know.
type crash struct {
	t        *testing.T
	database string
	postgres *storetest.Server // nil: SQLite, or nothing to kill
	random   *rand.Rand
	book     *ledger
	server   *process
	servers  []*process   // all there have been
	base     atomic.Value // where the writers write
	front    func(server string) string
	least    int           // acknowledgements before a kill, at the least
	started  time.Duration // the longest start of a server
}

func newCrash(t *testing.T, database string, postgres *storetest.Server) *crash {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return &crash{
		t: t, database: database, postgres: postgres, book: newLedger(), least: 200,
		random: rand.New(rand.NewPCG(seed, 0)), front: func(server string) string { return server },
	}
}

// start starts the server and sends the writers there.
func (c *crash) start() {
	c.t.Helper()
	program(c.t) // built before the watch runs
	begun := time.Now()
	c.server = serve(c.t, c.database, withKey)
	c.servers = append(c.servers, c.server)
	c.started = max(c.started, time.Since(begun))
	c.base.Store(c.front(c.server.url()))
}

// round lets the writers write for a random time and then ends the server, its
// database's server, or both.
func (c *crash) round(n int) {
	c.t.Helper()
	c.await(c.book.acks() + c.least + c.random.IntN(2*c.least))
	time.Sleep(time.Duration(c.random.IntN(20_000)) * time.Microsecond)
	what := 0 // the server
	if c.postgres != nil {
		what = n % 3
	}
	if what > 0 {
		if err := c.postgres.Kill(); err != nil {
			c.t.Fatal(err)
		}
	}
	if what != 1 {
		c.server.kill()
	}
	if what > 0 {
		time.Sleep(time.Duration(100+c.random.IntN(400)) * time.Millisecond)
		if err := c.postgres.Restart(); err != nil {
			c.t.Fatal(err)
		}
	}
	if what != 1 {
		c.start()
	}
	c.await(c.book.acks() + 1) // it has recovered by itself
}

// await waits until so many assessments are acknowledged, as long as there are
// any more from time to time.
func (c *crash) await(acks int) {
	c.t.Helper()
	const silence = 30 * time.Second
	last, since := c.book.acks(), time.Now()
	for last < acks {
		time.Sleep(time.Millisecond)
		if now := c.book.acks(); now > last {
			last, since = now, time.Now()
		}
		if time.Since(since) > silence {
			c.t.Fatalf("no acknowledgement in %s after %d: %s", silence, last, c.server.err.tail())
		}
	}
}

// failures are the errors that the servers logged and did not answer with "try
// again".
func (c *crash) failures() string {
	var b strings.Builder
	for _, s := range c.servers {
		for line := range strings.Lines(s.err.String()) {
			if strings.Contains(line, `"msg":"failed"`) && !strings.Contains(line, "try again") {
				b.WriteString(line)
			}
		}
	}
	return b.String()
}

func TestNothingAcknowledgedIsLostWhenTheServerIsKilled(t *testing.T) {
	rounds, least := 3, 200
	if long() {
		rounds, least = 20, 1000
	}
	databases(t, func(t *testing.T, database string, postgres *storetest.Server) {
		c := newCrash(t, database, postgres)
		c.least = least
		c.start()
		stop := writers(crew, c.random.Uint64(), &c.base, c.book)
		t.Cleanup(func() { c.book.over.Store(true); stop() })
		for n := range rounds {
			c.round(n)
		}
		stop()
		got := judge(t, c.server.url(), c.book)
		c.server.terminate()
		c.server.code(20 * time.Second)
		if d := cmp.Diff(verdict{}, got); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
		if len(c.book.refused) > 0 {
			t.Errorf("%d answers that no writer should get, such as %s\n%s", len(c.book.refused), c.book.refused[0], c.failures())
		}
		if d := cmp.Diff(c.book.counts(), rows(t, database)); d != "" {
			t.Errorf("rows -sent +stored:\n%s", d)
		}
		opensDurably(t, database)
		t.Logf("%d rounds: %d acknowledged, %d clients, %d requests, %d without an answer, %d found stored when sent again, answers %v, longest gap %s, longest start %s",
			rounds, c.book.acks(), len(c.book.clients), c.book.requests, c.book.doubts, c.book.known, c.book.answers,
			c.book.longestGap.Round(time.Millisecond), c.started.Round(time.Millisecond))
	})
}

// opensDurably opens the database as the server does. A killed process leaves
// its writes in the page cache, so that killing proves nothing of a power cut:
// that takes synchronous=FULL, which the store reads back on every connection
// of SQLite and refuses to go without.
func opensDurably(t *testing.T, database string) {
	t.Helper()
	var log bytes.Buffer
	db, err := store.Open(t.Context(), store.Config{URL: database, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if strings.Contains(log.String(), "power cut") {
		t.Errorf("the database is not durable: %s", log.String())
	}
}

// The control: a harness that cannot find a loss proves nothing.
func TestAServerThatAcknowledgesTooEarlyIsFoundOut(t *testing.T) {
	t.Parallel()
	c := newCrash(t, "sqlite://"+filepath.Join(t.TempDir(), "protrack.db"), nil)
	liar := newLiar(t)
	c.front = liar.before
	c.start()
	stop := writers(crew, c.random.Uint64(), &c.base, c.book)
	t.Cleanup(func() { c.book.over.Store(true); stop() })
	c.round(0)
	stop()
	liar.server.Close() // it forwards the rest
	got := judge(t, c.server.url(), c.book)
	if got.Lost == 0 {
		t.Errorf("of %d acknowledged by a liar none is missing: the harness finds nothing", c.book.acks())
	}
	if got.Lost == c.book.acks() {
		t.Errorf("all of %d are missing: the liar forwards nothing, which is too easy to find", got.Lost)
	}
	t.Logf("%d acknowledged by a liar: %+v", c.book.acks(), got)
}

// liar is a proxy that acknowledges first and forwards then, once.
type liar struct {
	server *httptest.Server
	to     atomic.Value // string
	http   *http.Client
}

func newLiar(t *testing.T) *liar {
	t.Helper()
	l := &liar{http: newClient()}
	l.server = httptest.NewServer(l)
	t.Cleanup(l.server.Close)
	return l
}

func (l *liar) before(server string) string { l.to.Store(server); return l.server.URL }

func (l *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	status, answer := lie(body)
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	w.WriteHeader(status)
	_, _ = w.Write(answer)
	_ = http.NewResponseController(w).Flush()
	req, err := http.NewRequest(r.Method, fmt.Sprint(l.to.Load(), r.URL.Path), bytes.NewReader(body))
	if err != nil {
		return
	}
	req.Header = r.Header.Clone()
	if res, err := l.http.Do(req); err == nil { // a failure is what nobody hears of
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
	}
}

// lie is the answer to a request that has not been carried out.
func lie(request []byte) (status int, answer []byte) {
	var said struct {
		ID    uuid.UUID
		Items []struct{ ID uuid.UUID }
	}
	_ = json.Unmarshal(request, &said)
	if len(said.Items) == 0 {
		answer, _ = json.Marshal(map[string]any{"id": said.ID})
		return http.StatusCreated, answer
	}
	var results []map[string]any
	for _, item := range said.Items {
		results = append(results, map[string]any{"id": item.ID, "status": http.StatusCreated})
	}
	answer, _ = json.Marshal(map[string]any{"results": results})
	return http.StatusOK, answer
}
