package apitest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// TestWhatIsUnusualAndRightIsAccepted is the control of the malformed cases:
// the refusals there are not for want of anything that stands here.
func TestWhatIsUnusualAndRightIsAccepted(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		put := fill(settle(s, s.Clinic), settle(s, s.Other))
		for _, c := range []struct {
			name, ask string
			body      any
			status    int
			headers   []string
		}{
			{"a body that is packed", postClient, pack(`{"reference":"packed"}`), 201, []string{"Content-Encoding", "gzip"}},
			{"a body in UTF-8 that says so", postClient, `{"reference":"ütf"}`, 201, []string{"Content-Type", `application/json; charset="UTF-8"`}},
			{"white space all round", postClient, " \r\n\t{ \"reference\" : \"white\" } \n", 201, nil},
			{"an escaped member", postClient, `{"\u0072eference":"escaped"}`, 201, nil},
			{"a surrogate pair", postClient, `{"reference":"pair \ud83d\ude00"}`, 201, nil},
			{"an upper-case id", postClient, `{"id":"01890000-0000-7000-8000-00000000ABCD","reference":"upper"}`, 201, nil},
			{"the same id in lower case is a retry", postClient, `{"id":"01890000-0000-7000-8000-00000000abcd","reference":"upper"}`, 200, nil},
			{"an upper-case id in the path", "GET /v1/clients/01890000-0000-7000-8000-00000000ABCD", nil, 200, nil},
			{"another clinic's client's id is free here", postClient, `{"id":"{other.client}","reference":"theirs"}`, 201, nil},
			{"another clinic's reference is free here", postClient, `{"reference":"P-1 elsewhere"}`, 201, nil},
			{"nulls for what may be absent", postClient, `{"id":null,"reference":"nulls","birth_year":null,"sex":null,"time_zone":null}`, 201, nil},
			{"a merge patch that says so", patchClient, `{"sex":"female"}`, 200, []string{"Content-Type", "application/merge-patch+json", "If-Match", `"1"`}},
			{"a weak ETag", patchClient, `{"sex":"male"}`, 200, []string{"If-Match", `W/"2"`}},
			{"an id in a patch that is the path's", patchClient, `{"id":"{client}","sex":"other"}`, 200, []string{"If-Match", `"3"`}},
			{"an answer with a decimal point", postScore, `{"answers":{"phq9_1":1.0}}`, 422, nil},
			{"nulls among the answers", postScore, `{"answers":{"phq9_1":1,"phq9_2":null}}`, 200, nil},
			{"a time with an offset", postSession, `{"kind":"preparation","started_at":"2026-03-03T10:00:00.123456789+05:45"}`, 201, nil},
			{"a session that is planned", postSession, `{"kind":"dosing","started_at":"2027-03-03T10:00:00Z"}`, 201, nil},
			{"a form of a device whose clock is ahead", postAssessment, with(baseline(), "completed_at", "2026-06-02T11:00:00Z"), 201, nil},
			{"a key in lower case", "GET /v1/clients", nil, 200, []string{"Authorization", "bearer " + s.Clinic.Key[auth.Admin]}},
			{"parameters that are empty", "GET /v1/clients?limit=&cursor=", nil, 200, nil},
			{"a limit of 200", "GET /v1/clients?limit=200", nil, 200, nil},
			{"as_of before anything", "GET /v1/clients/{client}/trajectory?instrument=phq-9&as_of=0001-01-01T00:00:00Z", nil, 200, nil},
			{"as_of behind the last year in UTC", "GET /v1/clients/{client}/trajectory?instrument=phq-9&as_of=9999-12-31T23:59:59-10:00", nil, 200, nil},
		} {
			t.Run(c.name, func(t *testing.T) {
				method, path, _ := strings.Cut(put.Replace(c.ask), " ")
				body := c.body
				if text, isText := body.(string); isText {
					body = put.Replace(text)
				}
				s.In(t).Do(method, path, body, c.headers...).Want(c.status)
			})
		}
	})
}

// TestABadItemOfABatchSpoilsNoOther sends good and bad items by turns.
func TestABadItemOfABatchSpoilsNoOther(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		n := settle(s, s.Clinic)
		put := fill(n, settle(s, s.Other))
		form := `"instrument":"phq-9","timing":"baseline","completed_at":"2026-03-01T09:00:00Z"`
		good := `{"client_id":"{client}",` + form + `,"total":10}`
		bad := []struct {
			item   string
			status int
			faults []string
		}{
			{`null`, 400, nil},
			{`[]`, 400, nil},
			{`"x"`, 400, nil},
			{`{}`, 422, []string{"/client_id required", "/instrument required", "/timing required", "/completed_at required"}},
			{`{"client_id":"{client}",` + form + `,"total":10,"nick":1}`, 400, []string{"/nick unknown_field"}},
			{`{"client_id":"{client}",` + form + `,"total":10,"total":11}`, 400, []string{"/total duplicate_field"}},
			{`{"client_id":"{client}",` + form + `,"answers":{"phq9_1":0,"phq9_1":3}}`, 400, []string{"/answers/phq9_1 duplicate_field"}},
			{`{"client_id":"{client}",` + form + `,"answers":{"phq9_1":"0","phq9_2":9}}`, 422, []string{"/answers/phq9_1 wrong_type", "/answers/phq9_2 not_an_option"}},
			{`{"client_id":"{unknown}",` + form + `,"total":10}`, 404, []string{"/client_id unknown_client"}},
			{`{"client_id":"{other.client}",` + form + `,"total":10}`, 404, []string{"/client_id unknown_client"}},
			{`{"client_id":"{{client}}",` + form + `,"total":10}`, 422, []string{"/client_id wrong_type"}},
			{`{"client_id":"{client}","session_id":"{other.session}",` + form + `,"total":10}`, 422, []string{"/session_id unknown_session"}},
			{`{"client_id":"{client}","id":"{assessment}",` + form + `,"total":10}`, 409, []string{"/id id_taken"}},
		}
		items := []string{good}
		for _, b := range bad {
			items = append(items, b.item, good)
		}
		var got struct {
			Results []struct {
				Index, Status int
				ID            *string
				Problem       *struct {
					Status int
					Errors []struct{ Pointer, Code string }
				}
			}
		}
		s.Do("POST", "/v1/assessments/batch", put.Replace(`{"items":[`+strings.Join(items, ",")+`]}`)).Want(http.StatusOK).Decode(&got)
		if len(got.Results) != len(items) {
			t.Fatalf("%d results for %d items", len(got.Results), len(items))
		}
		for i, r := range got.Results {
			if i%2 == 0 {
				if r.Status != http.StatusCreated || r.Index != i || r.ID == nil || r.Problem != nil {
					t.Errorf("good item %d: %+v", i, r)
				}
				continue
			}
			want := bad[i/2]
			if r.Status != want.status || r.Problem == nil || r.Problem.Status != want.status {
				t.Errorf("%s: %+v instead of %d", want.item, r, want.status)
				continue
			}
			var faults []string
			for _, e := range r.Problem.Errors {
				faults = append(faults, e.Pointer+" "+e.Code)
			}
			slices.Sort(faults)
			slices.Sort(want.faults)
			same(t, want.item, want.faults, faults)
		}
		list := s.Do("GET", "/v1/clients/"+n.client+"/assessments?limit=200", nil).Want(http.StatusOK)
		if stored := len(listed(list)); stored != 1+len(bad)+1 {
			t.Errorf("%d assessments are stored, where %d were good", stored, 1+len(bad)+1)
		}
	})
}
