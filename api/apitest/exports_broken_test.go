package apitest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

func TestACallerWhoStopsReadingIsGivenUp(t *testing.T) {
	apitest.EachWith(t, apitest.Options{Patience: 300 * time.Millisecond}, func(t *testing.T, s *apitest.Server) {
		s.Research.Store = widely(s)
		db, server := probe(t, s), narrow(t, s)
		before := runtime.NumGoroutine()
		conn := askFor(t, s, server.URL, "format=csv")
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

func TestALongFileOutlastsTheTimesOfTheServerAndEndsWithItsSum(t *testing.T) {
	t.Parallel()
	s := apitest.SQLite(t)
	studied(s, 5)
	// Each round takes a fifth of what the server gives a whole request.
	s.Research.Store = vast{Store: s.DB, rounds: 20, hurdle: func(int) error { time.Sleep(60 * time.Millisecond); return nil }}
	server := impatient(t, s)
	for _, client := range clientsOf(t, server) {
		version := client.version
		for _, query := range []string{"format=csv", "format=ndjson&package=true"} {
			begin := time.Now()
			r, body, err := fetch(t, client.Client, s, server.URL+exportCSV+"?"+query)
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

// A breakdown is what may befall a file when half of its rounds are over.
type breakdown struct {
	what   string
	hurdle func() error
}

// breakdowns are those of a server's database.
func breakdowns(t testing.TB, s *apitest.Server) []breakdown {
	t.Helper()
	out := []breakdown{{"the store fails", func() error { return errMidway }}}
	if s.Path == "" {
		killer := behind(t, s)
		out = append(out, breakdown{"the database's process dies", func() error {
			count(t, killer, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
				WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'idle in transaction'`)
			return nil
		}})
	}
	return out
}

func TestAFileThatBreaksOffNeverLooksWhole(t *testing.T) {
	t.Parallel()
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		long := widely(s.Unlimited())
		long.rounds = 40
		server, db := impatient(t, s), probe(t, s)
		clients := clientsOf(t, server)
		for _, b := range breakdowns(t, s) {
			broken := long
			broken.hurdle = func(round int) error {
				if round == long.rounds/2 {
					return b.hurdle()
				}
				return nil
			}
			s.Research.Store = broken
			for _, query := range []string{"format=csv", "format=ndjson", "format=parquet", "format=csv&package=true"} {
				for _, client := range clients {
					breaksOff(t, s, client, server.URL, query, b.what)
				}
				curl(t, s, query, false)
			}
			soon(t, "no query is open after "+b.what, func() bool { return !openQueries(t, s, db) })
		}
		// The log says that an answer was cut off, and why.
		why := regexp.MustCompile(`"failed","request_id":"([^"]+)".*` + errMidway.Error()).FindStringSubmatch(s.Log.String())
		if why == nil || !strings.Contains(s.Log.String(), `"answer cut off","request_id":"`+why[1]+`","route":"/v1/exports/:table","bytes":`) {
			t.Errorf("the log does not say why: %v", why)
		}
		s.Research.Store = long // the control: without a hurdle they are whole
		for _, client := range clients {
			if _, _, err := fetch(t, client.Client, s, server.URL+exportCSV); err != nil {
				t.Error(err)
			}
		}
		curl(t, s, "format=csv", true)
	})
}

// breaksOff asks for a file that breaks off. Where less than the first piece had
// come by then, nothing was sent, and the fault is told.
func breaksOff(t *testing.T, s *apitest.Server, client clientOf, url, query, what string) {
	t.Helper()
	r, body, err := fetch(t, client.Client, s, url+exportCSV+"?"+query)
	if err != nil {
		return
	}
	if query == "format=csv" {
		t.Errorf("%s, %s: it was to break midway, and answers %d", what, client.version, r.StatusCode)
	}
	if r.StatusCode < http.StatusInternalServerError || r.Trailer.Get("Protrack-SHA256") != "" {
		t.Errorf("%s, %s, %s: %d, and %d bytes that look whole", what, client.version, query, r.StatusCode, len(body))
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
		s.Research.Store = widely(s)
		db := probe(t, s)
		server := impatient(t, s)
		result := make(chan error, 1)
		var got atomic.Int64
		go func() {
			req, _ := http.NewRequest(http.MethodGet, server.URL+exportCSV, nil)
			req.Header.Set("Authorization", "Bearer "+s.Clinic.Key[auth.Admin])
			r, err := clientsOf(t, server)[0].Do(req)
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
	apitest.EachWith(t, apitest.Options{Patience: 400 * time.Millisecond}, func(t *testing.T, s *apitest.Server) {
		s.Research.Store = widely(s)
		conn := askFor(t, s, narrow(t, s).URL, "format=csv")
		begun := time.Now()
		for { // 640 KiB a second, where 2,400 are asked for
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
		db := probe(t, s)
		plain := s.Research.Store
		s.Research.Store = widely(s)
		conn := askFor(t, s, narrow(t, s).URL, "format=csv")
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
