package apitest_test

import (
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/api/problem"
	"github.com/protrack/protrack/pkg/auth"
)

// bad is a request that must be refused and must change nothing.
type bad struct {
	name    string
	ask     string // "POST /v1/clients"; {client}, {other.client} and {unknown} stand for ids
	body    any    // string, []byte, object or func() io.Reader
	status  int
	faults  []string // "pointer code" of each fault, in any order; nil: none
	headers []string
	role    auth.Role // empty: admin
}

// TestWhatIsMalformedIsRefusedAndChangesNothing sends each request to both
// databases and holds the answer, and every table, against what it should be.
func TestWhatIsMalformedIsRefusedAndChangesNothing(t *testing.T) {
	cases := slices.Concat(unreadable, unpackable, misshapen, meaningless, conflicting, misaddressed, unasked, aboutPeople, aboutRights, aboutResearch)
	if len(cases) < 90 {
		t.Errorf("%d cases, where at least 90 are promised", len(cases))
	}
	names := map[string]bool{}
	for _, c := range cases {
		if names[c.name] {
			t.Errorf("two cases are called %q", c.name)
		}
		names[c.name] = true
	}
	t.Logf("%d cases", len(cases))
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		put := fill(settle(s, s.Clinic), settle(s, s.Other))
		s.Do("POST", "/v1/clients", object{"reference": "P-2"}).Want(http.StatusCreated)
		for _, key := range s.Clinic.Key { // when it was last used is known now, and the clock stands
			s.As(key, "GET", "/v1/instruments", nil).Want(http.StatusOK)
		}
		db := behind(t, s)
		before := dump(t, db)
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) { c.run(t, s.In(t), put, db, before) })
		}
		// The control: what is right does change the database, and the dump sees it.
		s.Do("POST", put.Replace("/v1/clients/{client}/assessments"), baseline()).Want(http.StatusCreated)
		for _, table := range []string{"assessments", "assessment_versions", "progress"} {
			if cmp.Equal(before[table], dump(t, db)[table]) {
				t.Errorf("a change of %s is not seen", table)
			}
		}
	})
}

func (c bad) run(t *testing.T, s *apitest.Server, put *strings.Replacer, db *sql.DB, before map[string][]string) {
	method, path, _ := strings.Cut(put.Replace(c.ask), " ")
	key := s.Clinic.Key[auth.Admin]
	if c.role != "" {
		key = s.Clinic.Key[c.role]
	}
	headers := slices.Clone(c.headers)
	for i := range headers {
		headers[i] = put.Replace(headers[i])
	}
	body, sent := c.payload(t, put)
	r := s.As(key, method, path, body, headers...)
	if r.Status != c.status {
		t.Errorf("status %d instead of %d: %s", r.Status, c.status, r.Body)
	}
	doc := problemOf(t, r)
	got := []string{}
	for _, e := range doc.Errors {
		got = append(got, e.Pointer+" "+e.Code)
		if e.Detail == "" {
			t.Errorf("%s has no words", e.Pointer)
		}
		if e.In == "query" && c.body != nil {
			t.Errorf("%s is in no query", e.Pointer)
		}
	}
	slices.Sort(got)
	want := append([]string{}, c.faults...)
	slices.Sort(want)
	same(t, "faults", want, got)
	saysNothing(t, r, sent)
	for table, rows := range dump(t, db) {
		if diff := cmp.Diff(before[table], rows); diff != "" {
			t.Errorf("it changed %s:\n%s", table, diff)
			before[table] = rows // the next case is not to blame
		}
	}
}

// payload gives the body to send, and its text where it is one.
func (c bad) payload(t *testing.T, put *strings.Replacer) (any, string) {
	switch b := c.body.(type) {
	case nil:
		return nil, ""
	case string:
		return put.Replace(b), put.Replace(b)
	case []byte:
		return b, ""
	case func() io.Reader:
		return b(), ""
	}
	text, err := json.Marshal(c.body)
	if err != nil {
		t.Fatal(err)
	}
	return put.Replace(string(text)), put.Replace(string(text))
}

// reporter is a test, or one run of a property.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
}

// problemOf reads a problem document and holds it to RFC 9457 and the contract.
func problemOf(t reporter, r *apitest.Response) problem.Document {
	t.Helper()
	var doc problem.Document
	if got := r.Header.Get("Content-Type"); got != problem.MediaType {
		t.Errorf("the content type is %q: %s", got, r.Body)
		return doc
	}
	r.Decode(&doc)
	if doc.Type == "" || doc.Title == "" || doc.Detail == "" || doc.RequestID == "" {
		t.Errorf("a member is missing: %s", r.Body)
	}
	if doc.Status != r.Status || doc.RequestID != r.Header.Get("X-Request-Id") {
		t.Errorf("the document is not the answer's: %s", r.Body)
	}
	if needs := r.Status == http.StatusUnauthorized; needs != (r.Header.Get("WWW-Authenticate") != "") {
		t.Errorf("%d with WWW-Authenticate %q", r.Status, r.Header.Get("WWW-Authenticate"))
	}
	if needs := r.Status == http.StatusMethodNotAllowed; needs != (r.Header.Get("Allow") != "") {
		t.Errorf("%d with Allow %q", r.Status, r.Header.Get("Allow"))
	}
	return doc
}

// inside is what only our side should know.
var inside = regexp.MustCompile(`(?i)\b(sql|sqlite|sqlstate|postgres|pgx|gorm|ncruces|select|insert|update|constraint|panic|goroutine|` +
	`uuid\.UUID|time\.Time|\*?(rest|care|auth|instrument|store|jsontext|json)\.[A-Z]\w+|Go (struct|value)|runtime|strconv|unmarshal)\b`)

// saysNothing fails the test where a problem tells of our insides or repeats
// a text that was sent.
func saysNothing(t reporter, r *apitest.Response, sent string) {
	t.Helper()
	if found := inside.FindString(string(r.Body)); found != "" {
		t.Errorf("the problem says %q: %s", found, r.Body)
	}
	for _, word := range canary.FindAllString(sent, -1) {
		if strings.Contains(string(r.Body), word) {
			t.Errorf("the problem repeats %q: %s", word, r.Body)
		}
	}
}

// canary is how values look that must not come back.
var canary = regexp.MustCompile(`canary-\w+`)
