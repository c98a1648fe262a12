package apitest_test

import (
	"context"
	"crypto/tls"
	"database/sql"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/api"
	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/research"
)

// vast is a store in which every client is there over and over, so that a file
// is as long as a test wants it. Every time round is read from the database.
type vast struct {
	research.Store
	rounds int
	copies int                   // of each client in a round, as other people; 0: one, as it is
	hurdle func(round int) error // nil: there is none
}

func (v vast) Study(ctx context.Context, who auth.Principal, fn func(research.Reader) error) error {
	return v.Store.Study(ctx, who, func(r research.Reader) error { return fn(vastReader{r, v}) })
}

type vastReader struct {
	research.Reader
	of vast
}

func (v vastReader) Histories(ctx context.Context, who auth.Principal, people []research.Person, q research.HistoryQuery) iter.Seq2[research.History, error] {
	return func(yield func(research.History, error) bool) {
		for round := range v.of.rounds {
			if v.of.hurdle != nil {
				if err := v.of.hurdle(round); err != nil {
					yield(research.History{}, err)
					return
				}
			}
			for h, err := range v.Reader.Histories(ctx, who, people, q) {
				for n := range max(1, v.of.copies) {
					if v.of.copies > 0 {
						h = another(h, round*v.of.copies+n)
					}
					if !yield(h, err) || err != nil {
						return
					}
				}
			}
		}
	}
}

// another is the n-th person with the same history: what is repeated word for
// word would be packed to nothing.
func another(h research.History, n int) research.History {
	anew := func(id uuid.UUID) uuid.UUID { return uuid.NewSHA1(id, strconv.AppendInt(nil, int64(n), 10)) }
	h.Person.ID, h.Client.ID = anew(h.Person.ID), anew(h.Client.ID)
	h.Forms = slices.Clone(h.Forms)
	for i := range h.Forms {
		h.Forms[i].ID = anew(h.Forms[i].ID)
	}
	return h
}

// endless is more rounds than any test waits for.
const endless = 1_000_000

// roundRows is how many rows a round of what widely gives has: about 40 kB.
const roundRows = 2 * 5 * 20

// widely is a vast store of a clinic that was studied. There is no end of it,
// unless it is given one.
func widely(s *apitest.Server) vast {
	studied(s, 5)
	return vast{Store: s.DB, rounds: endless, copies: 20}
}

// openQueries says whether the database is at work for the server: a
// transaction on PostgreSQL, a snapshot on SQLite.
func openQueries(t testing.TB, s *apitest.Server, db *sql.DB) bool {
	t.Helper()
	if s.Path == "" {
		return count(t, db, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
			AND backend_type = 'client backend' AND state <> 'idle'`) > 0
	}
	// Whoever reads keeps what is written since from leaving the log.
	if _, err := db.Exec("PRAGMA user_version = 1"); err != nil {
		return true // the server writes
	}
	var busy, frames, done int
	if err := db.QueryRow("PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &done); err != nil {
		t.Fatal(err)
	}
	return busy != 0
}

// probe opens the database for openQueries.
func probe(t testing.TB, s *apitest.Server) *sql.DB {
	t.Helper()
	if s.Path == "" {
		return behind(t, s)
	}
	db, err := sql.Open("sqlite3", "file:"+s.Path+"?_pragma=busy_timeout(0)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// soon waits until something is so, and fails the test where it does not become so.
func soon(t testing.TB, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !so(); {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// askFor sends a request for a file on a connection of its own.
func askFor(t testing.TB, s *apitest.Server, url, query string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.(*net.TCPConn).SetReadBuffer(socketBuffer)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "GET %s?%s HTTP/1.1\r\nHost: protrack\r\nAuthorization: Bearer %s\r\n\r\n", exportCSV, query, s.Clinic.Key[auth.Admin])
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// readOn reads so many bytes of an answer.
func readOn(t testing.TB, conn net.Conn, n int64) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second))
	if _, err := io.CopyN(io.Discard, conn, n); err != nil {
		t.Fatal(err)
	}
}

// impatient is the server as it is run, with times that a test can wait for,
// and HTTP/2.
func impatient(t testing.TB, s *apitest.Server) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(s.Handler)
	configured := api.Server("", s.Handler, s.Research.Log)
	configured.ReadTimeout, configured.WriteTimeout = 300*time.Millisecond, 300*time.Millisecond
	server.Config = configured
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// clientOf is a client of one version of HTTP.
type clientOf struct {
	version string
	*http.Client
}

// clientsOf gives clients of both versions of HTTP, the older one first.
func clientsOf(t testing.TB, server *httptest.Server) []clientOf {
	t.Helper()
	pool := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	var out []clientOf
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		protocols := new(http.Protocols)
		protocols.SetHTTP1(version == "HTTP/1.1")
		protocols.SetHTTP2(version == "HTTP/2.0")
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, Protocols: protocols}
		t.Cleanup(transport.CloseIdleConnections)
		out = append(out, clientOf{version, &http.Client{Transport: transport}})
	}
	return out
}

// fetch asks for a file as Go programs do, who unpack gzip without being told.
func fetch(t testing.TB, client *http.Client, s *apitest.Server, url string) (*http.Response, []byte, error) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.Clinic.Key[auth.Admin])
	r, err := client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = r.Body.Close() }()
	body, err := io.ReadAll(r.Body)
	return r, body, err
}

// curlPath is where the program is that most scripts use; empty: nowhere.
func curlPath(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("curl")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("curl is needed here: ", err)
		}
		t.Log("curl is not installed: ", err)
		return ""
	}
	return path
}

// curlOf is a run of curl that asks for a file, and fails unless it comes whole.
func curlOf(path, url, key string, more ...string) *exec.Cmd {
	cmd := exec.Command(path, append(more, "--silent", "--fail", "--max-time", "60", "--config", "-", url)...)
	cmd.Stdin = strings.NewReader(`header = "Authorization: Bearer ` + key + `"`)
	return cmd
}

// curl asks for a file, plain and packed.
func curl(t testing.TB, s *apitest.Server, query string, want bool) {
	t.Helper()
	path := curlPath(t)
	if path == "" {
		return
	}
	for _, more := range [][]string{nil, {"--compressed"}} {
		if err := curlOf(path, s.URL+exportCSV+"?"+query, s.Clinic.Key[auth.Admin], append(more, "--output", os.DevNull)...).Run(); (err == nil) != want {
			t.Errorf("curl %v of %s: %v", more, query, err)
		}
	}
}
