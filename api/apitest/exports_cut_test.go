package apitest_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/protrack/protrack/api"
	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/api/mw"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/research"
)

// vast is a store in which every client is there over and over, so that a file
// is as long as a test wants it. Every time round is read from the database.
type vast struct {
	research.Store
	rounds int
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
				if !yield(h, err) || err != nil {
					return
				}
			}
		}
	}
}

// endless is more rounds than any test waits for.
const endless = 1_000_000

// studiedWidely is studied with so many clients that a round is about 40 kB.
func studiedWidely(s *apitest.Server) { studied(s, 100) }

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
func askFor(t testing.TB, s *apitest.Server, query string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
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

func TestACallerWhoGoesAwayLeavesNoQueryOpen(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		studiedWidely(s)
		s.Unlimited().Research.Store = vast{Store: s.DB, rounds: endless}
		// The next may ask before the last one's slot is free, and none must be lost.
		const cuts = 20
		s.Limits.Exports, s.Limits.Exporters = mw.NewSlots(cuts, cuts), mw.NewSlots(cuts, cuts)
		db := probe(t, s)
		random := rand.New(rand.NewPCG(1, 2))
		formats := []struct {
			query string
			most  int64 // bytes that are read before the cut; of what repeats itself, packed, none comes soon
		}{{"csv", 2 << 20}, {"ndjson&values=labels", 3 << 20}, {"csv&package=true", 1}, {"csv&na=NA", 1 << 17}, {"parquet", 1}}
		soon(t, "no query is open before the first", func() bool { return !openQueries(t, s, db) })
		http.DefaultClient.CloseIdleConnections()
		before := runtime.NumGoroutine()
		for i := range cuts {
			format := formats[i%len(formats)]
			conn := askFor(t, s, "format="+format.query)
			at := random.Int64N(format.most)
			readOn(t, conn, at)
			if i%4 != 0 { // some are cut before there is a query
				soon(t, "a query is open while the file is read", func() bool { return openQueries(t, s, db) }) // the control
			}
			if i%3 == 2 {
				_ = conn.(*net.TCPConn).SetLinger(0) // with a reset, as a machine that crashed
			}
			if err := conn.Close(); err != nil {
				t.Fatal(err)
			}
			soon(t, fmt.Sprintf("no query is open after a cut at byte %d", at), func() bool { return !openQueries(t, s, db) })
		}
		soon(t, "as many goroutines as before", func() bool { return runtime.NumGoroutine() <= before })
		for range cuts {
			if _, err := s.Limits.Exporting(s.Clinic.Who.Clinic.String(), s.Clinic.Who.Actor.String()); err != nil {
				t.Fatal("a slot was lost")
			}
		}
		s.Do("GET", exportCSV, nil).Want(http.StatusTooManyRequests) // the control: these are the slots
	})
}

func TestACallerWhoStopsReadingIsGivenUp(t *testing.T) {
	apitest.EachWith(t, apitest.Options{Patience: 300 * time.Millisecond}, func(t *testing.T, s *apitest.Server) {
		studiedWidely(s)
		s.Research.Store = vast{Store: s.DB, rounds: endless}
		db := probe(t, s)
		before := runtime.NumGoroutine()
		conn := askFor(t, s, "format=csv")
		readOn(t, conn, 1<<20)
		soon(t, "a query is open while the file is read", func() bool { return openQueries(t, s, db) })
		soon(t, "no query is open when nobody reads", func() bool { return !openQueries(t, s, db) })
		r, err := http.ReadResponse(bufio.NewReader(io.MultiReader(strings.NewReader("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), conn)), nil)
		if err == nil {
			_, err = io.Copy(io.Discard, r.Body)
		}
		if err == nil {
			t.Error("what was read later looks whole")
		}
		_ = conn.Close()
		soon(t, "as many goroutines as before", func() bool { return runtime.NumGoroutine() <= before })
	})
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

// clientsOf gives clients of both versions of HTTP.
func clientsOf(t testing.TB, server *httptest.Server) map[string]*http.Client {
	t.Helper()
	pool := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	out := map[string]*http.Client{}
	for version, two := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		protocols := new(http.Protocols)
		protocols.SetHTTP1(!two)
		protocols.SetHTTP2(two)
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, Protocols: protocols}
		t.Cleanup(transport.CloseIdleConnections)
		out[version] = &http.Client{Transport: transport}
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

func TestALongFileOutlastsTheTimesOfTheServerAndEndsWithItsSum(t *testing.T) {
	t.Parallel()
	s := apitest.SQLite(t)
	studied(s, 5)
	// Each round takes a fifth of what the server gives a whole request.
	s.Research.Store = vast{Store: s.DB, rounds: 20, hurdle: func(int) error { time.Sleep(60 * time.Millisecond); return nil }}
	server := impatient(t, s)
	for version, client := range clientsOf(t, server) {
		for _, query := range []string{"format=csv", "format=ndjson&package=true"} {
			begin := time.Now()
			r, body, err := fetch(t, client, s, server.URL+exportCSV+"?"+query)
			if err != nil || r.StatusCode != http.StatusOK || r.Proto != version {
				t.Errorf("%s, %s: %v %v", version, query, r, err)
				continue
			}
			if time.Since(begin) < time.Second {
				t.Errorf("%s, %s: it took no longer than the server gives", version, query)
			}
			got := &apitest.Response{Status: r.StatusCode, Header: http.Header{}, Trailer: r.Trailer, Body: body}
			whole(t, got)
			if rows := r.Trailer.Get("Protrack-Rows"); rows != "200" {
				t.Errorf("%s, %s: %q rows", version, query, rows)
			}
		}
	}
}

var errMidway = errors.New("the disk is gone")

func TestAFileThatBreaksOffNeverLooksWhole(t *testing.T) {
	t.Parallel()
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		studiedWidely(s)
		s.Unlimited()
		server := impatient(t, s)
		db := probe(t, s)
		breaks := map[string]func(round int) error{
			"the store fails": func(round int) error {
				if round == 20 {
					return errMidway
				}
				return nil
			},
		}
		if s.Path == "" {
			killer := behind(t, s)
			breaks["the database's process dies"] = func(round int) error {
				if round == 20 {
					count(t, killer, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
						WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'idle in transaction'`)
				}
				return nil
			}
		}
		for what, hurdle := range breaks {
			s.Research.Store = vast{Store: s.DB, rounds: 40, hurdle: hurdle}
			for _, query := range []string{"format=csv", "format=ndjson", "format=parquet", "format=csv&package=true"} {
				for version, client := range clientsOf(t, server) {
					r, body, err := fetch(t, client, s, server.URL+exportCSV+"?"+query)
					if err != nil {
						continue
					}
					if query == "format=csv" {
						t.Errorf("%s, %s: it was to break midway, and answers %d", what, version, r.StatusCode)
					}
					// What fits into the first piece is not sent, and the fault is told.
					if r.StatusCode < http.StatusInternalServerError || r.Trailer.Get("Protrack-SHA256") != "" {
						t.Errorf("%s, %s, %s: %d, and %d bytes that look whole", what, version, query, r.StatusCode, len(body))
					}
				}
				curl(t, s, query, false)
			}
			soon(t, "no query is open after "+what, func() bool { return !openQueries(t, s, db) })
		}
		// The log says that an answer was cut off, and why.
		cut := regexp.MustCompile(`"answer cut off","request_id":"([^"]+)","route":"/v1/exports/:table","bytes":[1-9]`).FindStringSubmatch(s.Log.String())
		if cut == nil || !regexp.MustCompile(`"failed","request_id":"`+cut[1]+`".*`+errMidway.Error()).MatchString(s.Log.String()) {
			t.Errorf("the log does not say why: %v", cut)
		}
		s.Research.Store = vast{Store: s.DB, rounds: 40} // the control: without a hurdle they are whole
		for _, client := range clientsOf(t, server) {
			if _, _, err := fetch(t, client, s, server.URL+exportCSV); err != nil {
				t.Error(err)
			}
		}
		curl(t, s, "format=csv", true)
	})
}

// curl asks for a file with the program that most scripts use.
func curl(t testing.TB, s *apitest.Server, query string, want bool) {
	t.Helper()
	path, err := exec.LookPath("curl")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("curl is needed here: ", err)
		}
		t.Log("curl is not installed: ", err)
		return
	}
	for _, more := range [][]string{nil, {"--compressed"}} {
		cmd := exec.Command(path, append(more, "--silent", "--fail", "--output", "/dev/null", "--config", "-", s.URL+exportCSV+"?"+query)...)
		cmd.Stdin = strings.NewReader(`header = "Authorization: Bearer ` + s.Clinic.Key[auth.Admin] + `"`)
		if err := cmd.Run(); (err == nil) != want {
			t.Errorf("curl %v of %s: %v", more, query, err)
		}
	}
}

func TestAFaultBeforeTheFirstByteIsAProblem(t *testing.T) {
	s := apitest.SQLite(t)
	studied(s, 3)
	s.Research.Store = vast{Store: s.DB, rounds: 2, hurdle: func(round int) error {
		if round == 1 {
			return errMidway
		}
		return nil
	}}
	for _, query := range []string{"", "?format=parquet", "?format=xlsx", "?package=true", "?format=dta"} {
		r := s.Breaking().Do("GET", exportCSV+query, nil, "Accept-Encoding", "gzip").Want(http.StatusInternalServerError)
		problemOf(t, r)
		for _, h := range []string{"Content-Disposition", "Content-Encoding", "Trailer"} {
			if r.Header.Get(h) != "" {
				t.Errorf("%s: a problem with %s %q", query, h, r.Header.Get(h))
			}
		}
	}
	// A choice of the format's own, found when it is written.
	s.Research.Store = s.DB
	r := s.Do("GET", exportCSV+"?format=csv", nil)
	whole(t, r)
}

func TestHTTPWithoutChunksGetsNoFile(t *testing.T) {
	s := apitest.SQLite(t)
	studied(s, 1)
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.0\r\nAuthorization: Bearer %s\r\n\r\n", exportCSV, s.Clinic.Key[auth.Admin]); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	problemOf(t, apitest.ReadAll(t, r).Want(http.StatusBadRequest))
}

func TestAShutdownCutsAFileThatTakesLonger(t *testing.T) {
	t.Parallel()
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		studiedWidely(s)
		s.Research.Store = vast{Store: s.DB, rounds: endless}
		db := probe(t, s)
		server := impatient(t, s)
		result := make(chan error, 1)
		var got atomic.Int64
		go func() {
			req, _ := http.NewRequest(http.MethodGet, server.URL+exportCSV, nil)
			req.Header.Set("Authorization", "Bearer "+s.Clinic.Key[auth.Admin])
			r, err := clientsOf(t, server)["HTTP/1.1"].Do(req)
			if err == nil {
				_, err = io.Copy(io.Discard, io.TeeReader(r.Body, counted{&got}))
			}
			result <- err
		}()
		soon(t, "a megabyte has come", func() bool { return got.Load() > 1<<20 })
		end, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		defer cancel()
		if err := server.Config.Shutdown(end); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a shutdown with a file under way: %v", err)
		}
		_ = server.Config.Close()
		if err := <-result; err == nil {
			t.Error("what was cut looks whole")
		}
		soon(t, "no query is open", func() bool { return !openQueries(t, s, db) })
	})
}

type counted struct{ n *atomic.Int64 }

func (c counted) Write(p []byte) (int, error) { c.n.Add(int64(len(p))); return len(p), nil }

func TestAClinicHasTwoFilesUnderWayAtATime(t *testing.T) {
	s := apitest.SQLite(t)
	studied(s, 2)
	halt := make(chan struct{})
	release := sync.OnceFunc(func() { close(halt) })
	defer release()
	var under atomic.Int64
	s.Research.Store = vast{Store: s.DB, rounds: 1, hurdle: func(int) error { under.Add(1); <-halt; return nil }}
	var group sync.WaitGroup
	refused := func(role auth.Role, why string) {
		t.Helper()
		r := s.As(s.Clinic.Key[role], "GET", exportCSV, nil).Want(http.StatusTooManyRequests)
		if !strings.Contains(problemOf(t, r).Detail, why) {
			t.Errorf("%s: %s", role, r.Body)
		}
		if r.Header.Get("Retry-After") != "10" {
			t.Errorf("Retry-After %q", r.Header.Get("Retry-After"))
		}
	}
	for i, role := range []auth.Role{auth.Researcher, auth.Admin} {
		group.Go(func() {
			if r, err := s.Try(s.Clinic.Key[role], "GET", exportCSV, nil); err != nil || r.Status != http.StatusOK {
				t.Error(r, err)
			}
		})
		soon(t, "one more is under way", func() bool { return under.Load() == int64(i+1) })
		refused(role, "Your last export") // of whoever reads one, also where the clinic may have another
	}
	refused(auth.Owner, "Too many exports")
	s.Do("GET", "/v1/exports/codebook", nil).Want(http.StatusOK) // takes no slot
	// Another clinic's slots are its own.
	group.Go(func() {
		if r, err := s.Try(s.Other.Key[auth.Admin], "GET", exportCSV, nil); err != nil || r.Status != http.StatusOK {
			t.Error(r, err)
		}
	})
	soon(t, "another clinic's is under way", func() bool { return under.Load() == 3 })
	release()
	group.Wait()
	whole(t, s.Do("GET", exportCSV, nil))
}

// TestACallerWhoTrickles takes each piece in time, and all of them too slowly.
func TestACallerWhoTricklesIsGivenUp(t *testing.T) {
	apitest.EachWith(t, apitest.Options{Patience: time.Second}, func(t *testing.T, s *apitest.Server) {
		studiedWidely(s)
		s.Research.Store = vast{Store: s.DB, rounds: endless}
		conn := askFor(t, s, "format=csv")
		begun := time.Now()
		for { // 640 KiB a second, where 960 are asked for
			_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second))
			if _, err := io.CopyN(io.Discard, conn, 64<<10); err != nil {
				return
			}
			if time.Since(begun) > 60*time.Second {
				t.Fatal("is still being served")
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
}

// TestOneWhoAsksReadsOneFile leaves the clinic's other place to others.
func TestOneWhoAsksReadsOneFile(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		studiedWidely(s)
		db := probe(t, s)
		plain := s.Research.Store
		s.Research.Store = vast{Store: s.DB, rounds: endless}
		conn := askFor(t, s, "format=csv")
		readOn(t, conn, 1<<16)
		s.Research.Store = plain
		s.Do("GET", exportCSV, nil).Want(http.StatusTooManyRequests)
		s.Do("GET", "/v1/exports/codebook?shape=wide", nil).Want(http.StatusTooManyRequests)
		s.As(s.Clinic.Key[auth.Researcher], "GET", exportCSV, nil).Want(http.StatusOK)
		_ = conn.Close()
		soon(t, "no query is open", func() bool { return !openQueries(t, s, db) })
		soon(t, "the next is served", func() bool { return s.Do("GET", exportCSV, nil).Status == http.StatusOK })
	})
}
