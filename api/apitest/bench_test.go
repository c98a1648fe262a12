package apitest_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// The benchmarks ask the whole handler for what front ends ask most, and then
// send the statements that it sent by the bare driver: the same text, the same
// pools and pragmas, every row read. bare-ratio is requests a second over bare
// rounds a second: 1 would be a server that costs nothing but its SQL.
//
// PostgreSQL runs with fsync off in tests, so its writes are not those of a
// clinic's server; SQLite syncs each of them.

func BenchmarkATrajectoryIsRead(b *testing.B) {
	onBoth(b, func(b *testing.B, s *apitest.Server) {
		w := newBench(b, s)
		path := func(i int64) string {
			return "/v1/clients/" + w.clients[i%crowdSize] + "/trajectory?instrument=phq-9"
		}
		statements := w.capture(http.MethodGet, path(0), nil)
		w.compare(b, func(i int64) { w.ask(http.MethodGet, path(i), nil, http.StatusOK) },
			func(i int64) error { return w.send(w.read, statements, w.clients[i%crowdSize]) })
	})
}

func BenchmarkAnAssessmentIsWritten(b *testing.B) {
	onBoth(b, func(b *testing.B, s *apitest.Server) {
		w := newBench(b, s)
		path := func(i int64) string { return "/v1/clients/" + w.clients[i%crowdSize] + "/assessments" }
		statements := w.capture(http.MethodPost, path(0), baseline())
		w.compare(b, func(i int64) { w.ask(http.MethodPost, path(i), baseline(), http.StatusCreated) },
			func(i int64) error {
				client := w.clients[crowdSize+i%crowdSize] // others, for histories grow
				if err := w.send(w.read, statements[:2], client); err != nil {
					return err
				}
				tx, err := w.write.Begin()
				if err != nil {
					return err
				}
				if err := w.send(tx, statements[2:], client); err != nil {
					_ = tx.Rollback()
					return err
				}
				return tx.Commit()
			})
		// One to capture, and one a round on either side: else they did not do the same.
		if rows := count(b, w.read, "SELECT count(*) FROM assessment_versions"); rows != 2*crowdSize*history+1+2*b.N {
			b.Errorf("%d rows are stored", rows)
		}
	})
}

func onBoth(b *testing.B, run func(b *testing.B, s *apitest.Server)) {
	b.Run("sqlite", func(b *testing.B) { run(b, apitest.SQLite(b)) })
	b.Run("postgres", func(b *testing.B) { run(b, apitest.Postgres(b)) })
}

const (
	crowdSize = 100 // clients on either side of a comparison
	history   = 12  // assessments that each has
	workers   = 8   // requests at a time
)

type bench struct {
	t           testing.TB
	s           *apitest.Server
	key         string
	clients     []string
	read, write *sql.DB
	templates   map[string]map[string]any // table to a row of it
}

func newBench(b *testing.B, s *apitest.Server) *bench {
	s.Clock.Set(today)
	w := &bench{t: b, s: s, key: s.Clinic.Key[auth.App], templates: map[string]map[string]any{}}
	var items []object
	for i := range 2 * crowdSize {
		id := s.Do("POST", "/v1/clients", object{"reference": fmt.Sprint("bench ", i)}).Want(http.StatusCreated).JSON()["id"].(string)
		w.clients = append(w.clients, id)
		for day := range 4 {
			s.Do("POST", "/v1/clients/"+id+"/sessions", with(dosing(), "started_at", today.AddDate(0, 0, -7*day))).Want(http.StatusCreated)
		}
		for n := range history {
			items = append(items, with(baseline(), "client_id", id, "completed_at", today.AddDate(0, 0, -3*n)))
		}
	}
	for len(items) > 0 {
		n := min(len(items), 1000)
		s.Do("POST", "/v1/assessments/batch", object{"items": items[:n]}).Want(http.StatusOK)
		items = items[n:]
	}
	w.read, w.write = pools(b, s)
	return w
}

// pools opens the database as pkg/store does.
func pools(b *testing.B, s *apitest.Server) (read, write *sql.DB) {
	open := func(driver, url string, size int) *sql.DB {
		db, err := sql.Open(driver, url)
		if err != nil {
			b.Fatal(err)
		}
		db.SetMaxOpenConns(size)
		db.SetMaxIdleConns(size)
		b.Cleanup(func() { _ = db.Close() })
		return db
	}
	path, isFile := strings.CutPrefix(s.Database, "sqlite://")
	if !isFile {
		db := open("pgx", s.Database, 16)
		return db, db
	}
	url := "file:" + path + "?_timefmt=unixepoch_micro&_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)&_pragma=synchronous(full)" +
		"&_pragma=foreign_keys(on)&_pragma=trusted_schema(off)&_pragma=secure_delete(on)&_pragma=recursive_triggers(on)"
	return open("sqlite3", url+"&_pragma=query_only(on)", 4), open("sqlite3", url+"&_txlock=immediate", 1)
}

// compare measures both and reports them side by side.
func (w *bench) compare(b *testing.B, request func(int64), bare func(int64) error) {
	b.ReportAllocs()
	b.ResetTimer()
	served := together(b.N, request)
	b.StopTimer()
	sent := together(b.N, func(i int64) {
		if err := bare(i); err != nil {
			b.Error(err)
		}
	})
	perSecond := float64(b.N) / served.Seconds()
	b.ReportMetric(perSecond, "req/s")
	b.ReportMetric(float64(b.N)/sent.Seconds(), "bare/s")
	b.ReportMetric(sent.Seconds()/served.Seconds(), "bare-ratio")
}

// together runs f n times, by some workers, and says how long it took.
func together(n int, f func(int64)) time.Duration {
	var next atomic.Int64
	var all sync.WaitGroup
	begin := time.Now()
	for range workers {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				f(i)
			}
		})
	}
	all.Wait()
	return time.Since(begin)
}

func (w *bench) ask(method, path string, body any, status int) {
	var payload bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&payload).Encode(body); err != nil {
			w.t.Error(err)
		}
	}
	r := httptest.NewRequestWithContext(context.Background(), method, path, &payload)
	r.Header.Set("Authorization", "Bearer "+w.key)
	r.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	w.s.Handler.ServeHTTP(answer, r)
	if answer.Code != status {
		w.t.Errorf("%d: %s", answer.Code, answer.Body)
	}
}

// statement is one that the server sent: its text, and the column that each
// placeholder stands for.
type statement struct {
	text, table string
	columns     []string
	reads       bool
}

var (
	tableOf  = regexp.MustCompile("(?:FROM|INTO|UPDATE) [`\"](\\w+)[`\"]")
	insertOf = regexp.MustCompile(`^INSERT INTO .*? \(([^)]*)\) VALUES`)
	columnOf = regexp.MustCompile("[`\"]?(\\w+)[`\"]? (?:=|IN|LIMIT)? ?\\(?(?:\\?|\\$\\d+)")
	numbered = regexp.MustCompile(`\$(\d+)\$`)
)

// capture sends a request and keeps its statements.
func (w *bench) capture(method, path string, body any) []statement {
	w.s.Count.Take()
	status := http.StatusOK
	if method == http.MethodPost {
		status = http.StatusCreated
	}
	w.ask(method, path, body, status)
	var out []statement
	for _, text := range w.s.Count.Take() {
		text = numbered.ReplaceAllString(text, "$$$1")
		st := statement{text: text, table: tableOf.FindStringSubmatch(text)[1], reads: strings.HasPrefix(text, "SELECT") || strings.Contains(text, "RETURNING")}
		if columns := insertOf.FindStringSubmatch(text); columns != nil {
			st.columns = strings.Split(strings.NewReplacer("`", "", `"`, "").Replace(columns[1]), ",")
		} else {
			for _, m := range columnOf.FindAllStringSubmatch(text, -1) {
				st.columns = append(st.columns, m[1])
			}
		}
		w.template(st.table)
		out = append(out, st)
	}
	return out
}

// template keeps the newest row of a table, to be inserted again.
func (w *bench) template(table string) {
	order := "1"
	if table == "assessment_versions" {
		order = "recorded_at DESC, id DESC"
	}
	rows, err := w.read.Query("SELECT * FROM " + table + " ORDER BY " + order + " LIMIT 1")
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, _ := rows.Columns()
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	row := map[string]any{}
	if rows.Next() {
		if err := rows.Scan(into...); err != nil {
			w.t.Fatal(err)
		}
	}
	for i, name := range columns {
		row[name] = values[i]
	}
	w.templates[table] = row
}

type sender interface {
	Query(query string, args ...any) (*sql.Rows, error)
	Exec(query string, args ...any) (sql.Result, error)
}

// send sends statements as they were, for another client and with a new id.
func (w *bench) send(db sender, statements []statement, client string) error {
	id := newID() // one for the statements of a round
	for _, st := range statements {
		args := make([]any, len(st.columns))
		for i, column := range st.columns {
			args[i] = w.value(st.table, column, client, id)
		}
		if !st.reads {
			if _, err := db.Exec(st.text, args...); err != nil {
				return fmt.Errorf("%s: %w", st.text, err)
			}
			continue
		}
		if err := drain(db, st.text, args); err != nil {
			return fmt.Errorf("%s: %w", st.text, err)
		}
	}
	return nil
}

func drain(db sender, text string, args []any) error {
	rows, err := db.Query(text, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values := make([]any, len(columns))
	for i := range values {
		values[i] = new(any)
	}
	for rows.Next() {
		if err := rows.Scan(values...); err != nil {
			return err
		}
	}
	return rows.Err()
}

// value is what a placeholder for a column of a table was bound to.
func (w *bench) value(table, column, client, id string) any {
	switch column {
	case "hash":
		return auth.Secret(w.key).Hash()
	case "clinic_id":
		return w.s.Clinic.Who.Clinic.String()
	case "client_id":
		return client
	case "id":
		if table == "clients" || table == "client_versions" {
			return client
		}
		return id
	case "LIMIT":
		return 1
	case "retracted":
		return false
	case "instrument":
		return "phq-9"
	}
	return w.templates[table][column]
}
