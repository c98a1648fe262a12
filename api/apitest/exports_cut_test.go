package apitest_test

import (
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/protrack/protrack/api"
	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/api/mw"
	"github.com/protrack/protrack/pkg/auth"
)

const (
	// socketBuffer is what the system keeps of an answer for each side: little, or
	// a whole answer would be under way before its reader has seen a byte.
	socketBuffer = 32 << 10
	// underWay is how much of an answer may have left the server and not come, its
	// own first piece included, in bytes. With more to come it still reads.
	underWay = 224 << 10
)

// narrow is the server as it is run, behind narrow sockets.
func narrow(t testing.TB, s *apitest.Server) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(s.Handler)
	server.Config = api.Server("", s.Handler, s.Research.Log)
	server.Config.ConnState = func(c net.Conn, state http.ConnState) {
		if state == http.StateNew {
			_ = c.(*net.TCPConn).SetWriteBuffer(socketBuffer)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// knife is a proxy for one request. It hands on so many bytes of the answer,
// waits, and cuts the connection on both sides.
type knife struct {
	URL     string
	reached chan int64 // how much was handed on
	cut     chan struct{}
}

// cutAfter puts a knife before a server. With reset the server is told in the
// way of a machine that crashed.
func cutAfter(t testing.TB, server *httptest.Server, limit int64, reset bool) *knife {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	k := &knife{"http://" + listener.Addr().String(), make(chan int64, 1), make(chan struct{})}
	go func() {
		defer func() { _ = listener.Close() }()
		down, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = down.Close() }()
		up, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
		if err != nil {
			return
		}
		defer func() { _ = up.Close() }()
		if reset {
			_ = up.(*net.TCPConn).SetLinger(0)
		}
		_ = up.(*net.TCPConn).SetReadBuffer(socketBuffer)
		go func() { _, _ = io.Copy(up, down) }()
		n, _ := io.CopyN(down, up, limit)
		k.reached <- n
		<-k.cut
	}()
	return k
}

// tool takes a file as people do; an error is what they see of a cut.
type tool struct {
	name string
	take func(url, coding string) (*apitest.Response, error) // no answer where the tool has none to show
}

// toolsOf are Go's own client, and curl where there is one.
func toolsOf(t testing.TB, s *apitest.Server) []tool {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}
	tools := []tool{{"Go", func(url, coding string) (*apitest.Response, error) {
		req, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", "Bearer "+s.Clinic.Key[auth.Admin])
		req.Header.Set("Accept-Encoding", coding)
		r, err := client.Do(req)
		if err != nil {
			return nil, err
		}
		defer func() { _ = r.Body.Close() }()
		body, err := io.ReadAll(r.Body)
		return &apitest.Response{Status: r.StatusCode, Header: r.Header, Trailer: r.Trailer, Body: body}, err
	}}}
	if path := curlPath(t); path != "" {
		file := filepath.Join(t.TempDir(), "file")
		tools = append(tools, tool{"curl", func(url, coding string) (*apitest.Response, error) {
			_ = os.Remove(file)
			err := curlOf(path, url, s.Clinic.Key[auth.Admin], "--output", file, "--header", "Connection: close", "--header", "Accept-Encoding: "+coding).Run()
			// Where the headers are cut curl reports nothing, for none has said yet that
			// there is a body; but then there is no file either.
			if size, missing := os.Stat(file); err == nil && (missing != nil || size.Size() == 0) {
				err = errNoFile
			}
			return nil, err
		}})
	}
	return tools
}

var errNoFile = errors.New("curl has written no file")

// take lets a tool take a file through a knife, which cuts when met has been
// asked. It says how many bytes of the answer there were.
func (k *knife) take(with tool, query, coding string, met func()) (r *apitest.Response, n int64, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		r, err = with.take(k.URL+exportCSV+"?"+query, coding)
	}()
	n = <-k.reached
	met()
	close(k.cut)
	<-done
	return r, n, err
}

// cutting cuts answers of one server.
type cutting struct {
	*apitest.Server
	server *httptest.Server
	db     *sql.DB
	tools  []tool // each in its turn
	cuts   int
	open   int // of them, while a query was open
}

// uncut is the control: the answer is whole, with its rows and its sum. It gives
// the length of the answer in bytes, headers and trailers included.
func (c *cutting) uncut(t *testing.T, query, coding string, rows int) int64 {
	t.Helper()
	r, length, err := cutAfter(t, c.server, math.MaxInt64, false).take(c.tools[0], query, coding, func() {})
	if err != nil {
		t.Fatalf("%s, %s, uncut: %v", query, coding, err)
	}
	whole(t, r)
	same(t, query+", "+coding+": rows", strconv.Itoa(rows), r.Trailer.Get("Protrack-Rows"))
	return length
}

// cut cuts an answer at a byte. Where much is to come a query must be open then,
// and none afterwards.
func (c *cutting) cut(t *testing.T, query, coding string, at, length int64) {
	t.Helper()
	with, reset := c.tools[c.cuts%len(c.tools)], c.cuts%3 == 0
	what := fmt.Sprintf("%s, %s, %s: byte %d of %d", query, coding, with.name, at, length)
	c.cuts++
	_, n, err := cutAfter(t, c.server, at, reset).take(with, query, coding, func() {
		if length-at > underWay {
			c.open++
			soon(t, "a query is open at "+what, func() bool { return openQueries(t, c.Server, c.db) })
		}
	})
	if n != at || err == nil {
		t.Errorf("%s: %d bytes look whole", what, n)
	}
	soon(t, "no query is open after "+what, func() bool { return !openQueries(t, c.Server, c.db) })
}

// TestAnAnswerThatIsCutAnywhereLeavesNoQueryOpenAndLooksCut cuts the answer in
// each format and coding at a random byte of its whole length.
func TestAnAnswerThatIsCutAnywhereLeavesNoQueryOpenAndLooksCut(t *testing.T) {
	formats := []struct {
		query         string
		plain, packed int // rounds that give some hundred thousand bytes; the program for SPSS has no rows
	}{
		{"csv", 10, 40}, {"ndjson", 4, 40}, {"parquet", 40, 40}, {"dta", 10, 40}, {"xlsx", 12, 12}, {"sps", 2, 2}, {"csv&package=true", 40, 40},
	}
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		seed := rand.Uint64()
		t.Logf("the seed is %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		s.Clock.Set(today)
		long := widely(s.Unlimited())
		// The next may ask before the last one's slot is free, and none must be lost.
		const slots = 50
		s.Limits.Exports, s.Limits.Exporters = mw.NewSlots(slots, slots), mw.NewSlots(slots, slots)
		c := &cutting{Server: s, server: narrow(t, s), db: probe(t, s), tools: toolsOf(t, s)}
		soon(t, "no query is open before the first", func() bool { return !openQueries(t, s, c.db) })
		http.DefaultClient.CloseIdleConnections()
		before := runtime.NumGoroutine()
		for _, format := range formats {
			for _, coding := range []string{"identity", "gzip", "zstd"} {
				if long.rounds = format.packed; coding == "identity" {
					long.rounds = format.plain
				}
				s.Research.Store = long
				query := "format=" + format.query
				length := c.uncut(t, query, coding, long.rounds*roundRows)
				if c.cuts == 0 {
					c.cut(t, query, coding, 1, length) // whatever chance brings, one meets an open query
				}
				c.cut(t, query, coding, random.Int64N(length), length)
			}
		}
		if t.Logf("%d cuts, %d of them while a query was open", c.cuts, c.open); c.open == 0 {
			t.Error("no cut met an open query")
		}
		soon(t, "as many goroutines as before", func() bool { return runtime.NumGoroutine() <= before })
		for range slots {
			if _, err := s.Limits.Exporting(s.Clinic.Who.Clinic.String(), s.Clinic.Who.Actor.String()); err != nil {
				t.Fatal("a slot was lost")
			}
		}
		s.Do("GET", exportCSV, nil).Want(http.StatusTooManyRequests) // the control: these are the slots
	})
}
