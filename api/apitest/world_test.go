package apitest_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// today is the server's day in tests that depend on it.
var today = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// object is a JSON object that is about to be sent.
type object = map[string]any

// with is a copy of an object with members replaced; drop takes one away.
func with(base object, pairs ...any) object {
	out := make(object, len(base))
	for k, v := range base {
		out[k] = v
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if name := pairs[i].(string); pairs[i+1] == drop {
			delete(out, name)
		} else {
			out[name] = pairs[i+1]
		}
	}
	return out
}

// drop stands for "without this member".
const drop = dropped("absent")

type dropped string

// raw is JSON as it stands, such as 1e400.
func raw(s string) json.RawMessage { return json.RawMessage(s) }

// phq9 gives nine answers of the PHQ-9.
func phq9(items ...int) object {
	out := object{}
	for i, v := range items {
		out[fmt.Sprint("phq9_", i+1)] = v
	}
	return out
}

// baseline is a good assessment that belongs to no session.
func baseline() object {
	return object{
		"instrument": "phq-9", "timing": "baseline", "completed_at": "2026-03-01T09:00:00Z",
		"answers": phq9(2, 2, 2, 1, 1, 2, 1, 0, 0),
	}
}

// dosing is a good session with a medicine.
func dosing() object {
	return object{
		"kind": "dosing", "started_at": "2026-03-10T15:00:00Z",
		"medicine": object{"substance": "ketamine", "route": "intramuscular", "dose_mg": 70},
	}
}

// ids names one thing of each kind that a clinic has.
type ids struct{ client, course, session, assessment, key, correction, token, account, cohort, snapshot, webhook, doomed, delivery, alert, acknowledged, actioned, merged, duplicate string }

// settle gives a clinic one client with one thing of each kind.
func settle(s *apitest.Server, clinic apitest.Clinic) ids { return settleAs(s, clinic, "P-1") }

// settleAs is settle for a clinic that has clients already.
func settleAs(s *apitest.Server, clinic apitest.Clinic, reference string) ids {
	key := clinic.Key[auth.Admin]
	post := func(path string, body object) string {
		return s.As(key, "POST", path, body).Want(http.StatusCreated).JSON()["id"].(string)
	}
	var n ids
	// Two webhooks are all that a clinic has here: one that stays, and one that is
	// removed by whoever tries that.
	known := listed(s.As(key, "GET", "/v1/webhooks", nil).Want(http.StatusOK))
	for _, id := range []*string{&n.webhook, &n.doomed} {
		if len(known) > 0 {
			*id, known = known[0]["id"].(string), known[1:]
		} else {
			*id = post("/v1/webhooks", object{"url": s.Receiver})
		}
	}
	n.client = post("/v1/clients", object{"reference": reference, "display_name": "Ada", "birth_year": 1985, "time_zone": "America/Denver"})
	n.course = post("/v1/clients/"+n.client+"/courses", object{"indication": "depression", "started_on": "2026-03-02", "goals": "sleep"})
	n.session = post("/v1/clients/"+n.client+"/sessions", with(dosing(), "course_id", n.course))
	n.assessment = post("/v1/clients/"+n.client+"/assessments", baseline())
	n.key = post("/v1/keys", object{"name": "tablet", "role": "app"})
	n.correction = post("/v1/clients/"+n.client+"/corrections", object{"target": "client", "request": "My name is Adah"})
	s.As(key, "PUT", "/v1/clients/"+n.client+"/team/"+n.key, object{}).Want(http.StatusOK)
	n.token = post("/v1/clients/"+n.client+"/tokens", object{})
	n.account = post("/v1/accounts", object{"email": newID() + "@clinic.example", "name": "Ada", "role": "clinician"})
	n.cohort = post("/v1/cohorts", object{"name": newID(), "filter": object{}})
	n.snapshot = post("/v1/snapshots", object{"name": newID()})
	for { // what happened is on its way
		if made, err := s.DB.Relay(context.Background(), clinic.Who.Clinic, s.Clock.Now(), 500, uuid.New); err != nil || made == 0 {
			break
		}
	}
	n.delivery = listed(s.As(key, "GET", "/v1/webhooks/"+n.webhook+"/deliveries?limit=1", nil).Want(http.StatusOK))[0]["id"].(string)
	return n
}

// withMore gives a client what few tests ask for: a duplicate that is merged, and
// one that is still to be, and alerts that came some of their way.
func withMore(s *apitest.Server, clinic apitest.Clinic, n ids) ids {
	key := clinic.Key[auth.Admin]
	for _, id := range []*string{&n.merged, &n.duplicate} {
		*id = s.As(key, "POST", "/v1/clients", object{"reference": newID()}).Want(http.StatusCreated).JSON()["id"].(string)
	}
	s.As(key, "POST", "/v1/clients/"+n.client+"/merge", object{"duplicate_id": n.merged, "reason": "registered twice"}).Want(http.StatusCreated)
	form := object{"instrument": "gad-7", "timing": "follow_up", "completed_at": "2026-03-02T09:00:00Z", "total": 21}
	for steps, id := range []*string{&n.alert, &n.acknowledged, &n.actioned} {
		s.As(key, "POST", "/v1/clients/"+n.client+"/assessments", form).Want(http.StatusCreated)
		*id = listed(s.As(key, "GET", "/v1/alerts?client_id="+n.client, nil).Want(http.StatusOK))[0]["id"].(string)
		if steps > 0 {
			s.As(key, "POST", "/v1/alerts/"+*id+"/acknowledgement", nil).Want(http.StatusOK)
		}
		if steps > 1 {
			s.As(key, "POST", "/v1/alerts/"+*id+"/disposition", object{"disposition": "spoke_to_client"}).Want(http.StatusOK)
		}
	}
	return n
}

// fill puts ids for {client}, {other.client} and the like.
func fill(own, other ids) *strings.Replacer {
	pairs := []string{"{unknown}", "01890000-0000-7000-8000-00000000dead"}
	for prefix, n := range map[string]ids{"": own, "other.": other} {
		for name, id := range map[string]string{
			"client": n.client, "course": n.course, "session": n.session, "assessment": n.assessment, "key": n.key,
			"cohort": n.cohort, "snapshot": n.snapshot, "webhook": n.webhook, "delivery": n.delivery, "alert": n.alert, "correction": n.correction, "token": n.token, "account": n.account, "merged": n.merged, "duplicate": n.duplicate,
		} {
			pairs = append(pairs, "{"+prefix+name+"}", id)
		}
	}
	return strings.NewReplacer(pairs...)
}

// behind opens the server's database beside the server.
func behind(t testing.TB, s *apitest.Server) *sql.DB {
	t.Helper()
	driver, url := "pgx", s.Database
	if path, isFile := strings.CutPrefix(s.Database, "sqlite://"); isFile {
		driver, url = "sqlite3", "file:"+path+"?_pragma=busy_timeout(10000)&_pragma=query_only(1)"
	}
	db, err := sql.Open(driver, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// tables are all that hold a clinic's data.
var tables = []string{
	"clinics", "api_keys", "clients", "client_versions", "courses", "course_versions", "sessions", "session_versions",
	"assessments", "assessment_versions", "progress", "instrument_settings", "erasures",
	"consents", "corrections", "care_team", "merges",
	"client_tokens", "accounts", "recovery_codes",
	"projects", "cohorts", "snapshots", "snapshot_members", "releases", "outlines", "webhooks", "deliveries",
	"alerts", "alert_steps", "alert_settings", "contacts", "message_settings", "messages",
}

// dump reads every row of every table.
func dump(t testing.TB, db *sql.DB) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, table := range tables {
		rows, err := db.Query("SELECT * FROM " + table)
		if err != nil {
			t.Fatal(err)
		}
		out[table] = read(t, rows)
	}
	return out
}

func read(t testing.TB, rows *sql.Rows) []string {
	t.Helper()
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	out := []string{}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprint(values...))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

// count counts rows.
func count(t testing.TB, db *sql.DB, query string) int {
	t.Helper()
	var n int
	if err := db.QueryRow(query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// same fails the test where two things differ.
func same(t testing.TB, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (- is what was expected):\n%s", what, diff)
	}
}

// listed are the elements of a list's page.
func listed(r *apitest.Response) []object {
	var page struct{ Items []object }
	r.Decode(&page)
	return page.Items
}

// newID is an id as a front end chooses it.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

// within fails the test unless a JSON object has these members with these
// values; it may have others.
func within(t testing.TB, at string, want object, got any) {
	t.Helper()
	members, _ := got.(object)
	for name, value := range want {
		if diff := cmp.Diff(value, members[name]); diff != "" {
			t.Errorf("%s%s (- is what was expected):\n%s", at, name, diff)
		}
	}
}

// write changes the database behind the server's back.
func write(t testing.TB, s *apitest.Server, statement string) {
	t.Helper()
	driver, url := "pgx", s.Database
	if s.Path != "" {
		driver, url = "sqlite3", "file:"+s.Path+"?_pragma=busy_timeout(10000)"
	}
	db, err := sql.Open(driver, url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// now is the server's time as SQL of its database.
func now(s *apitest.Server) string {
	if s.Path != "" {
		return strconv.FormatInt(s.Clock.Now().UnixMicro(), 10)
	}
	return "'" + s.Clock.Now().UTC().Format(time.RFC3339Nano) + "'"
}
