package apitest_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// manyFaults is a body of many items with many faults each.
func manyFaults(items, answers int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"items":[`)
	for i := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"answers":{`)
		for a := range answers {
			if a > 0 {
				b.WriteByte(',')
			}
			b.WriteString(`"i` + strconv.Itoa(a) + `":"x"`)
		}
		b.WriteString(`}}`)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

// Each item names at least one of its faults, and none more than the bound:
// naming all of them would mean to read megabytes thousands of times.
func TestABodyOfFaultsIsAnsweredAndItsFaultsAreBounded(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		body := manyFaults(200, 400)
		var out struct {
			Results []struct {
				Status  int
				Problem struct{ Errors []json.RawMessage }
			}
		}
		s.Do("POST", "/v1/assessments/batch", body).Want(http.StatusOK).Decode(&out)
		if len(out.Results) != 200 {
			t.Fatalf("%d results", len(out.Results))
		}
		for i, r := range out.Results {
			if r.Status != http.StatusUnprocessableEntity || len(r.Problem.Errors) == 0 || len(r.Problem.Errors) > 100 {
				t.Errorf("item %d: status %d, %d errors", i, r.Status, len(r.Problem.Errors))
			}
		}
	})
}

func TestAKeyThatMayNotWriteIsRefusedBeforeItsBatchIsRead(t *testing.T) {
	s := apitest.SQLite(t)
	s.As(s.Clinic.Key[auth.Researcher], "POST", "/v1/assessments/batch", "this is no JSON").Want(http.StatusForbidden)
	if !strings.Contains(s.Log.String(), `"msg":"refused"`) {
		t.Error("the refusal left no trace in the log")
	}
	s.Do("POST", "/v1/assessments/batch", "this is no JSON").Want(http.StatusBadRequest) // the control: a key that may
}

// A gzip file of empty members unpacks to nothing, however long it is.
func TestAnEndlessPackIsCutOff(t *testing.T) {
	s := apitest.SQLite(t)
	var member bytes.Buffer
	if err := gzip.NewWriter(&member).Close(); err != nil {
		t.Fatal(err)
	}
	endless := bytes.Repeat(member.Bytes(), 1<<20/member.Len())
	s.Do("POST", "/v1/clients", endless, "Content-Encoding", "gzip").Want(http.StatusRequestEntityTooLarge)
}

func TestFaultsInAListKeepTheirPlaces(t *testing.T) {
	s := apitest.SQLite(t)
	res := s.Do("POST", "/v1/instruments/phq-9/score", `{"declined":[1,2,"phq9_1",3],"answers":{"phq9_2":"x"}}`).Want(http.StatusUnprocessableEntity)
	for _, pointer := range []string{"/declined/0", "/declined/1", "/declined/3", "/answers/phq9_2"} {
		if !strings.Contains(string(res.Body), `"`+pointer+`"`) {
			t.Errorf("%s is not named: %s", pointer, res.Body)
		}
	}
}

func TestAnUnknownRecallWindowIsNoEmptyTrajectory(t *testing.T) {
	s := apitest.SQLite(t)
	client := s.Do("POST", "/v1/clients", map[string]any{"reference": "P-1"}).Want(http.StatusCreated).JSON()["id"].(string)
	s.Do("GET", "/v1/clients/"+client+"/trajectory?instrument=phq-9&recall_window=zzz", nil).Want(http.StatusUnprocessableEntity)
	s.Do("GET", "/v1/clients/"+client+"/trajectory?instrument=phq-9&recall_window=P14D", nil).Want(http.StatusOK)
}

// An amendment may not drop answers by naming only what was declined.
func TestAnAmendmentCannotEraseTheAnswersUnsaid(t *testing.T) {
	s := apitest.SQLite(t)
	client := s.Do("POST", "/v1/clients", map[string]any{"reference": "P-1"}).Want(http.StatusCreated).JSON()["id"].(string)
	a := s.Do("POST", "/v1/clients/"+client+"/assessments",
		`{"instrument":"phq-2","timing":"baseline","completed_at":"2026-03-01T09:00:00Z","answers":{"phq2_1":2,"phq2_2":1}}`).Want(http.StatusCreated)
	path := "/v1/assessments/" + a.JSON()["id"].(string)
	s.Do("PUT", path, `{"reason":"x","declined":["phq2_2"]}`, "If-Match", `"1"`).Want(http.StatusUnprocessableEntity)
	s.Do("PUT", path, `{"reason":"x","declined":["phq2_2"],"answers":{"phq2_1":2}}`, "If-Match", `"1"`).Want(http.StatusOK)
}

func TestAServerWhoseDatabaseFileIsGoneIsNotReady(t *testing.T) {
	s := apitest.SQLite(t)
	s.Do("GET", "/readyz", nil).Want(http.StatusOK)
	if err := os.Rename(s.Path, s.Path+".gone"); err != nil {
		t.Fatal(err)
	}
	s.Do("GET", "/readyz", nil).Want(http.StatusServiceUnavailable)
}
