// Package apitest drives the whole server on a temporary database, SQLite
// and PostgreSQL alike. Every answer is held against the OpenAPI document.
// It is for tests only.
package apitest

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"

	"github.com/protrack/protrack/api"
	"github.com/protrack/protrack/api/mw"
	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/auth/authtest"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/research"
	"github.com/protrack/protrack/pkg/store"
	"github.com/protrack/protrack/pkg/store/storetest"
	"github.com/protrack/protrack/pkg/webhook"
)

// Server is a running server with two clinics, each with a key for every role.
type Server struct {
	URL        string
	Handler    http.Handler
	DB         *store.DB
	Care       *care.Service
	Research   *research.Service
	SigningKey string // public: what snapshots are verified with
	Keys       *auth.Service
	Webhooks   *webhook.Service
	Receiver   string // address of a receiver of webhooks, which takes everything
	Limits     *mw.Limits
	Log        *Buffer  // what the server logged
	Clock      *Clock   // the server's time
	Clinic     Clinic   // the clinic that most tests use
	Other      Clinic   // another one, which must not be seen
	Count      *Counter // SQL statements
	Dialect    string   // "sqlite" or "postgres"
	Path       string   // of the SQLite file

	// Database is the URL of the database, for a test that looks behind the wall.
	Database string
	t        testing.TB
	breaking bool // see Breaking
}

// Breaking is the server for a test that breaks what it stands on: it may answer
// 500, which no document announces.
func (s *Server) Breaking() *Server {
	c := *s
	c.breaking = true
	return &c
}

// Unlimited lifts the limits of requests, for a test that asks for more than
// anybody may. The limits have tests of their own.
func (s *Server) Unlimited() *Server {
	none := mw.NewLimiter(mw.Limit{PerSecond: 1e9, Burst: 1e9}, s.Clock.Now)
	s.Limits.Credential, s.Limits.Client, s.Limits.Stranger, s.Limits.Page = none, none, none, none
	return s
}

// In is the server as a subtest sees it: what fails there fails the subtest.
func (s *Server) In(t testing.TB) *Server {
	c := *s
	c.t = t
	return &c
}

// Clinic is a clinic's keys by role.
type Clinic struct {
	Slug string
	Key  map[auth.Role]string
	Who  auth.Principal // its admin
}

// Each runs a test on a server on SQLite and on one on PostgreSQL.
func Each(t *testing.T, test func(t *testing.T, s *Server)) {
	t.Helper()
	EachWith(t, Options{}, test)
}

// EachWith is Each with other options.
func EachWith(t *testing.T, o Options, test func(t *testing.T, s *Server)) {
	t.Helper()
	for name, start := range map[string]func(testing.TB, Options) *Server{"sqlite": SQLiteWith, "postgres": PostgresWith} {
		t.Run(name, func(t *testing.T) { test(t, start(t, o)) })
	}
}

// SQLite starts a server on a new SQLite file.
func SQLite(t testing.TB) *Server {
	t.Helper()
	return SQLiteWith(t, Options{})
}

// Options change what a server is started with.
type Options struct {
	NoCORS   bool       // no site's pages may call it
	Provider *auth.OIDC // people may sign in there

	Patience time.Duration   // that a reader of a file has; 0: a minute
	Stopping <-chan struct{} // closed when the server is about to stop
}

// SQLiteWith is SQLite with other options.
func SQLiteWith(t testing.TB, o Options) *Server {
	t.Helper()
	path := filepath.Join(t.TempDir(), "protrack.db")
	s := start(t, "sqlite", "sqlite://"+path, o)
	s.Path = path
	return s
}

// Postgres starts a server on a new PostgreSQL database.
func Postgres(t testing.TB) *Server {
	t.Helper()
	return PostgresWith(t, Options{})
}

// PostgresWith is Postgres with other options.
func PostgresWith(t testing.TB, o Options) *Server {
	t.Helper()
	return start(t, "postgres", storetest.PostgresTemplate(t, "apitest", func(url string) error {
		db, err := store.Open(context.Background(), store.Config{URL: url, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			return err
		}
		if _, err := db.Migrate(context.Background()); err != nil {
			return err
		}
		return db.Close()
	}), o)
}

// signer is a key of the server's own, which SigningKey verifies.
func (s *Server) signer() note.Signer {
	private, public, err := audit.NewKey("test")
	if err != nil {
		s.t.Fatal(err)
	}
	signer, err := private.Signer()
	if err != nil {
		s.t.Fatal(err)
	}
	s.SigningKey = public
	return signer
}

// newSecret makes a project's secret.
func newSecret() []byte {
	a, b := uuid.New(), uuid.New()
	return append(a[:], b[:]...)
}

func start(t testing.TB, dialect, url string, o Options) *Server {
	t.Helper()
	ctx := context.Background()
	s := &Server{Log: &Buffer{}, Clock: &Clock{}, Count: &Counter{}, Dialect: dialect, Database: url, t: t}
	log := slog.New(slog.NewJSONHandler(s.Log, nil))
	db, err := store.Open(ctx, store.Config{URL: url, Log: log, Trace: s.Count.Add})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	newID := func() uuid.UUID { return uuid.Must(uuid.NewV7()) }
	s.DB = db
	s.Care = &care.Service{Store: db, Instruments: instrument.Embedded(), Now: s.Clock.Now, NewID: newID, Log: log}
	s.Research = &research.Service{Store: db, Instruments: instrument.Embedded(), Now: s.Clock.Now, NewID: newID, NewSecret: newSecret, Signer: s.signer(), Log: log}
	s.Keys = &auth.Service{Store: db, Now: s.Clock.Now, NewID: newID, Log: log, Passwords: &authtest.Passwords{}}
	s.Webhooks = &webhook.Service{Store: db, Sender: webhook.NewSender(Loopback), Types: eventTypes(), Now: s.Clock.Now, NewID: newID, Log: log}
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	t.Cleanup(receiver.Close)
	s.Receiver = receiver.URL
	s.Limits = mw.NewLimits(mw.DefaultKeyRate, s.Clock.Now)
	s.Clinic, s.Other = s.found("here"), s.found("elsewhere")
	deps := api.Deps{
		Care: s.Care, Research: s.Research, Keys: s.Keys, Webhooks: s.Webhooks, Limits: s.Limits, Provider: o.Provider, Clinic: "here", Now: s.Clock.Now, Log: log,
		Sessions: &store.WebSessions{DB: db, Now: s.Clock.Now}, NewID: newID, Ready: db.Ping, Version: "test", Patience: o.Patience,
		CORSOrigins: []string{"https://app.example"}, Stopping: o.Stopping,
	}
	if o.NoCORS {
		deps.CORSOrigins = nil
	}
	s.Handler = api.New(deps)
	server := httptest.NewServer(s.Handler)
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Loopback lets webhooks go to this machine.
var Loopback = webhook.Rules{HTTP: true, Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}

// eventTypes are those that a webhook may ask for.
func eventTypes() (out []string) {
	for _, kind := range care.EventTypes() {
		out = append(out, string(kind))
	}
	return out
}

func (s *Server) found(slug string) Clinic {
	s.t.Helper()
	ctx := context.Background()
	_, admin, err := s.Keys.Found(ctx, slug, "")
	if err != nil {
		s.t.Fatal(err)
	}
	who, err := s.Keys.Authenticate(ctx, admin, auth.Origin{})
	if err != nil {
		s.t.Fatal(err)
	}
	c := Clinic{Slug: slug, Who: who, Key: map[auth.Role]string{auth.Admin: string(admin)}}
	for _, role := range auth.Roles() {
		if role == auth.Admin {
			continue
		}
		operator, err := s.Keys.Operator(ctx, slug)
		if err != nil {
			s.t.Fatal(err)
		}
		_, secret, err := s.Keys.CreateKey(ctx, operator, auth.NewKey{Name: string(role), Role: role})
		if err != nil {
			s.t.Fatal(err)
		}
		c.Key[role] = string(secret)
	}
	return c
}

// Hire makes an account of the clinic that the forms offer.
func Hire(t testing.TB, s *Server, in auth.NewAccount) auth.Account {
	t.Helper()
	return HireAt(t, s, s.Clinic, in)
}

// HireAt is Hire for one of the server's clinics.
func HireAt(t testing.TB, s *Server, at Clinic, in auth.NewAccount) auth.Account {
	t.Helper()
	operator, err := s.Keys.Operator(t.Context(), at.Slug)
	if err != nil {
		t.Fatal(err)
	}
	a, _, err := s.Keys.CreateAccount(t.Context(), operator, in)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Buffer is a log that can be read while it is written.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write appends to the log.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// String is the log so far.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// Clock is the server's time: the real one until it is set.
type Clock struct {
	mu  sync.Mutex
	set *time.Time
}

// Now is the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.set != nil {
		return *c.set
	}
	return time.Now()
}

// Set stops the clock at a time.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set = &t
}

// Counter counts SQL statements.
type Counter struct {
	mu  sync.Mutex
	sql []string
}

// Add counts one.
func (c *Counter) Add(sql string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sql = append(c.sql, sql)
}

// Take returns the statements since the last call.
func (c *Counter) Take() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.sql
	c.sql = nil
	return out
}
