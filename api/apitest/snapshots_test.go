package apitest_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/research"
)

// snapshot freezes and gives the path of its package.
func snapshot(s *apitest.Server, body object) string {
	made := s.Do("POST", "/v1/snapshots", body).Want(http.StatusCreated)
	if want := "/v1/snapshots/" + made.JSON()["id"].(string); made.Header.Get("Location") != want {
		panic("Location " + made.Header.Get("Location"))
	}
	return made.Header.Get("Location") + "/package"
}

func verifiers(t testing.TB, s *apitest.Server) []note.Verifier {
	t.Helper()
	keys, err := audit.Verifiers(s.SigningKey)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// member is a file of a package.
func member(t testing.TB, file []byte, name string) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestASnapshotIsTheSameBytesUntilSomebodyWithdraws(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		clients := studied(s, 6)
		path := snapshot(s, object{"name": "first"})
		first := whole(t, s.Do("GET", path, nil))
		m, err := research.VerifyPackage(bytes.NewReader(first), int64(len(first)), verifiers(t, s)...)
		if err != nil || m.Rows != 12 || m.People.Included != 6 || len(m.Withdrawn) != 0 {
			t.Fatalf("%+v, %v", m, err)
		}

		listed := s.Do("GET", "/v1/clients/"+clients[0]+"/assessments", nil).Want(http.StatusOK).JSON()["items"].([]any)
		amended := listed[0].(map[string]any)
		one := s.Do("GET", "/v1/assessments/"+amended["id"].(string), nil).Want(http.StatusOK)
		s.Do("PUT", "/v1/assessments/"+amended["id"].(string), object{
			"instrument": "phq-9", "timing": amended["timing"], "session_id": amended["session_id"], "completed_at": amended["completed_at"],
			"answers": phq9(0, 0, 0, 0, 0, 0, 0, 0, 0), "reason": "typed wrongly",
		}, "If-Match", one.Header.Get("ETag")).Want(http.StatusOK)
		s.Do("POST", "/v1/clients/"+clients[1]+"/assessments", object{
			"instrument": "gad-7", "timing": "follow_up", "completed_at": "2026-03-20T09:00:00Z",
			"answers": object{"gad7_1": 1, "gad7_2": 1, "gad7_3": 1, "gad7_4": 1, "gad7_5": 1, "gad7_6": 1, "gad7_7": 1},
		}).Want(http.StatusCreated)
		retracted := listed[1].(map[string]any)["id"].(string)
		two := s.Do("GET", "/v1/assessments/"+retracted, nil).Want(http.StatusOK)
		s.Do("POST", "/v1/assessments/"+retracted+"/retraction", object{"reason": "of somebody else"}, "If-Match", two.Header.Get("ETag")).Want(http.StatusOK)
		s.Do("POST", "/v1/clients/"+clients[5]+"/merge", object{"duplicate_id": clients[4], "reason": "the same person"})
		studied2 := s.Do("POST", "/v1/clients", object{"reference": "LATE"}).Want(http.StatusCreated).JSON()["id"].(string)
		agree(s, studied2, "granted", "2026-03-01T09:00:00Z")
		if again := whole(t, s.Do("GET", path, nil)); !bytes.Equal(first, again) {
			t.Fatal("after amendments and new answers the snapshot is another")
		}

		agree(s, clients[2], "withdrawn", s.Clock.Now().Format(time.RFC3339))
		left := whole(t, s.Do("GET", path, nil))
		m, err = research.VerifyPackage(bytes.NewReader(left), int64(len(left)), verifiers(t, s)...)
		if err != nil || m.Rows != 10 || m.People.Included != 5 || len(m.Withdrawn) != 1 {
			t.Fatalf("%d rows, %d people, withdrawn %v, %v", m.Rows, m.People.Included, m.Withdrawn, err)
		}
		gone := m.Withdrawn[0]
		if !bytes.Contains(member(t, first, "data.csv"), []byte(gone)) || bytes.Contains(member(t, left, "data.csv"), []byte(gone)) {
			t.Error("the data does not show who withdrew")
		}
		for line := range bytes.Lines(member(t, first, "data.csv")) {
			if in := bytes.Contains(member(t, left, "data.csv"), line); in == bytes.Contains(line, []byte(gone)) {
				t.Errorf("a row of somebody else changed: %s", line)
			}
		}
		s.Do("POST", "/v1/clients/"+clients[3]+"/erasure", object{"reason": "client_request"}).Want(http.StatusOK)
		left = whole(t, s.Do("GET", path, nil))
		m, err = research.VerifyPackage(bytes.NewReader(left), int64(len(left)), verifiers(t, s)...)
		if err != nil || len(m.Withdrawn) != 2 || !slices.Contains(m.Withdrawn, gone) {
			t.Fatalf("after an erasure: withdrawn %v, %v", m.Withdrawn, err)
		}
	})
}

func TestASnapshotOfNobodyStaysOneOfNobody(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		n := settle(s, s.Clinic) // of a client who has agreed to nothing
		path := "/v1/snapshots/" + n.snapshot + "/package"
		first := whole(t, s.Do("GET", path, nil))
		agree(s, n.client, "granted", "2026-03-01T09:00:00Z")
		if again := whole(t, s.Do("GET", path, nil)); !bytes.Equal(first, again) {
			t.Error("after somebody agreed the snapshot is another")
		}
		m, err := research.VerifyPackage(bytes.NewReader(first), int64(len(first)), verifiers(t, s)...)
		if err != nil || m.Rows != 0 || m.People.Included != 0 {
			t.Errorf("%d rows, %d people, %v", m.Rows, m.People.Included, err)
		}
		// The control: the next one holds who agreed.
		next := whole(t, s.Do("GET", snapshot(s, object{"name": "next"}), nil))
		if m, err = research.VerifyPackage(bytes.NewReader(next), int64(len(next)), verifiers(t, s)...); err != nil || m.Rows != 1 {
			t.Errorf("the next one: %d rows, %v", m.Rows, err)
		}
	})
}

func TestOneFlippedByteOfASnapshotIsFound(t *testing.T) {
	s := apitest.SQLite(t)
	studied(s, 2)
	file := whole(t, s.Do("GET", snapshot(s, object{"name": "first", "format": "ndjson"}), nil))
	keys := verifiers(t, s)
	verify := func(b []byte) error {
		_, err := research.VerifyPackage(bytes.NewReader(b), int64(len(b)), keys...)
		return err
	}
	if err := verify(file); err != nil {
		t.Fatal(err) // the control
	}
	step := max(1, len(file)/400)
	for i := range file {
		if i%step != 0 && i < len(file)-600 { // every byte of the end, where the seal is
			continue
		}
		for _, bit := range []byte{1, 1 << 5} {
			bad := slices.Clone(file)
			bad[i] ^= bit
			if verify(bad) == nil {
				t.Fatalf("byte %d of %d: bit %d was flipped and not found", i, len(file), bit)
			}
		}
	}
	for _, n := range []int{0, 1, 511, len(file) - 1} {
		if verify(file[:n]) == nil {
			t.Errorf("%d bytes of %d are taken for the whole", n, len(file))
		}
	}
	other, err := audit.Verifiers(apitest.SQLite(t).SigningKey)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := research.VerifyPackage(bytes.NewReader(file), int64(len(file)), other...); err == nil {
		t.Error("another server's key vouches for it")
	}
}

func TestASnapshotIsTakenOnceAndByWhoMay(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		studied(s, 1)
		body := object{"id": uuid.NewString(), "name": "spring", "project": "p", "instruments": []string{"phq-9"}, "from": "2026-01-01T00:00:00+01:00"}
		s.Do("POST", "/v1/snapshots", body).Want(http.StatusCreated)
		s.Do("POST", "/v1/snapshots", body).Want(http.StatusOK)
		body["project"] = "q"
		s.Do("POST", "/v1/snapshots", body).Want(http.StatusConflict)
		s.Do("POST", "/v1/snapshots", object{"name": "spring"}).Want(http.StatusConflict)
		s.Do("POST", "/v1/snapshots", object{"name": "Spring!", "instruments": []string{"phq-99"}, "shape": "tall"}).Want(http.StatusUnprocessableEntity)
		researcher := s.Clinic.Key[auth.Researcher]
		s.As(researcher, "POST", "/v1/snapshots", object{"name": "mine", "profile": "identified"}).Want(http.StatusForbidden)
		limited := snapshot(s, object{"name": "limited", "profile": "limited"})
		s.As(researcher, "GET", limited, nil).Want(http.StatusForbidden)
		s.As(researcher, "GET", snapshot(s, object{"name": "open"}), nil).Want(http.StatusOK)
		if n := len(s.Do("GET", "/v1/snapshots", nil).Want(http.StatusOK).JSON()["items"].([]any)); n != 3 {
			t.Errorf("%d snapshots are listed", n)
		}
	})
}

// TestASnapshotTakenWhileTheClinicWritesIsTheSameLater: what was recorded
// before the moment and committed after it may not come in afterwards.
func TestASnapshotTakenWhileTheClinicWritesIsTheSameLater(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		clients := studied(s, 4)
		stop, wrote := make(chan struct{}), make(chan struct{})
		var writers sync.WaitGroup
		for i := range 4 {
			writers.Go(func() {
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					default:
					}
					s.Do("POST", "/v1/clients/"+clients[i]+"/assessments", object{
						"instrument": "phq-9", "timing": "follow_up", "completed_at": time.Date(2026, 3, 12, 0, 0, n, i, time.UTC),
						"answers": phq9(1, 1, 1, 1, 1, 1, 1, 1, 0),
					}).Want(http.StatusCreated)
					select {
					case wrote <- struct{}{}:
					case <-stop:
					}
				}
			})
		}
		pulled := map[string][]byte{}
		for i := range 5 {
			for range len(clients) + 1 { // of one of them, this is the next form
				<-wrote
			}
			path := snapshot(s, object{"name": fmt.Sprint("while-", i)})
			pulled[path] = whole(t, s.Do("GET", path, nil))
		}
		close(stop)
		writers.Wait()
		rows := map[int64]bool{}
		for path, before := range pulled {
			if !bytes.Equal(before, whole(t, s.Do("GET", path, nil))) {
				t.Errorf("%s is another than it was", path)
			}
			var m struct {
				Rows int64 `json:"rows"`
			}
			if err := json.Unmarshal(member(t, before, "manifest.json"), &m); err != nil {
				t.Fatal(err)
			}
			rows[m.Rows] = true
		}
		if len(rows) < 2 {
			t.Error("nothing was written meanwhile: this shows nothing")
		}
	})
}

// TestASnapshotIsAskedForAsAnExportIs: what one refuses the other refuses, and
// what is left open is the same in both.
func TestASnapshotIsAskedForAsAnExportIs(t *testing.T) {
	s := apitest.SQLite(t)
	studied(s, 2)
	for i, c := range []struct {
		query string
		body  object
		want  int
	}{
		{"profile=limited&dates=days", object{"profile": "limited", "dates": "days"}, http.StatusUnprocessableEntity},
		{"format=parquet&dialect=excel", object{"format": "parquet", "dialect": "excel"}, http.StatusUnprocessableEntity},
		{"format=dta&values=labels", object{"format": "dta", "values": "labels"}, http.StatusUnprocessableEntity},
		{"format=ndjson&na=NA", object{"format": "ndjson", "na": "NA"}, http.StatusUnprocessableEntity},
		{"", object{"instruments": []string{"phq-9", "gad-7", "phq-9"}}, http.StatusCreated},
	} {
		c.body["name"] = fmt.Sprint("asked-", i)
		if got := s.Do("POST", "/v1/snapshots", c.body); got.Status != c.want {
			t.Errorf("snapshot of %v: %d %s", c.body, got.Status, got.Body)
		}
		if got := s.Do("GET", exportCSV+"?"+c.query, nil); (got.Status == http.StatusOK) != (c.want == http.StatusCreated) {
			t.Errorf("export of %s: %d", c.query, got.Status)
		}
	}
	id := uuid.New()
	s.Do("POST", "/v1/snapshots", object{"id": id, "name": "filled"}).Want(http.StatusCreated)
	s.Do("POST", "/v1/snapshots", object{
		"id": id, "name": "filled", "table": "assessments", "shape": "assessment", "format": "csv", "profile": "deidentified", "project": "default", "dates": "shifted",
	}).Want(http.StatusOK)
}
