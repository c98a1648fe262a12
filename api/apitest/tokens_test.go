package apitest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// mint gives a client's phone its token.
func mint(s *apitest.Server, key, client string, body object) object {
	return s.As(key, "POST", "/v1/clients/"+client+"/tokens", body).Want(http.StatusCreated).JSON()
}

// ofClients are the routes that a client's token opens; every other answers 403.
var ofClients = map[string]int{
	"GET /v1/instruments":                        200,
	"GET /v1/instruments/{instrument}":           200,
	"POST /v1/instruments/{instrument}/score":    200,
	"GET /v1/clients/{client_id}/trajectory":     200,
	"GET /v1/clients/{client_id}/trajectory.svg": 200,
	"GET /v1/clients/{client_id}/trajectory.png": 200,
	"GET /v1/clients/{client_id}/trajectories":   200,
	"GET /v1/clients/{client_id}/due-forms":      200,
	"POST /v1/clients/{client_id}/assessments":   201,
	"POST /v1/assessments/batch":                 200,
}

func TestAClientsTokenOpensTheirOwnFormsAndTrajectoriesAndNothingElse(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		own, neighbour, elsewhere := withMore(s, s.Clinic, settle(s, s.Clinic)), settleAs(s, s.Clinic, "P-2"), settle(s, s.Other)
		nobody := own
		nobody.client = newID()
		token := mint(s, s.Clinic.Key[auth.App], own.client, object{})["token"].(string)
		if !strings.HasPrefix(token, "ptc_") {
			t.Errorf("the token looks like %.8s", token)
		}
		asked := 0
		for _, route := range apiRoutes(t, s) {
			want, open := ofClients[route]
			if !open {
				want = http.StatusForbidden
			}
			method, path := address(route, own)
			r := s.As(token, method, path, fresh(may[route].body, own), "If-Match", `"1"`)
			if r.Status != want {
				t.Errorf("%s: %d instead of %d: %s", route, r.Status, want, r.Body)
			}
			if !open || !strings.Contains(route, "{client_id}") {
				continue
			}
			asked++
			var answers []string
			for _, strange := range []ids{nobody, neighbour, elsewhere} {
				method, path := address(route, strange)
				r := s.As(token, method, path, fresh(may[route].body, strange)).Want(http.StatusNotFound)
				answers = append(answers, requestID.ReplaceAllString(string(r.Body), ""))
			}
			if len(slices.Compact(answers)) != 1 {
				t.Errorf("%s: clients can be told apart: %q", route, answers)
			}
		}
		if asked < 3 {
			t.Errorf("only %d routes name a client", asked)
		}
	})
}

func TestAClientsTokenRecordsFormsOfThatClientFilledInByThemselves(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		own, neighbour, elsewhere := settle(s, s.Clinic), settleAs(s, s.Clinic, "P-2"), settle(s, s.Other)
		token := mint(s, s.Clinic.Key[auth.App], own.client, object{})["token"].(string)
		form := with(baseline(), "timing", "follow_up")
		var items []object
		for _, client := range []string{own.client, neighbour.client, elsewhere.client, newID()} {
			items = append(items, with(form, "client_id", client))
		}
		items = append(items, with(form, "client_id", own.client, "mode", "clinician"),
			with(form, "client_id", own.client, "timing", "after", "session_id", own.session),
			with(form, "client_id", own.client, "timing", "after", "session_id", neighbour.session),
			with(form, "client_id", own.client, "id", neighbour.assessment))
		var out struct {
			Results []struct {
				Status  int
				Problem object
			}
		}
		s.As(token, "POST", "/v1/assessments/batch", object{"items": items}).Want(http.StatusOK).Decode(&out)
		var got []int
		for _, r := range out.Results {
			got = append(got, r.Status)
		}
		same(t, "statuses", []int{201, 404, 404, 404, 422, 201, 422, 409}, got)
		for i := range 3 {
			delete(out.Results[i+1].Problem, "request_id")
		}
		same(t, "a neighbour and somebody elsewhere", out.Results[3], out.Results[1])
		same(t, "somebody elsewhere and nobody", out.Results[3], out.Results[2])

		path := "/v1/clients/" + own.client + "/assessments"
		s.As(token, "POST", path, with(form, "mode", "self", "completed_at", "2026-03-02T09:00:00Z")).Want(http.StatusCreated)
		for _, mode := range []string{"clinician", "import"} {
			doc := problemOf(t, s.As(token, "POST", path, with(form, "mode", mode)).Want(http.StatusUnprocessableEntity))
			if len(doc.Errors) != 1 || doc.Errors[0].Pointer != "/mode" {
				t.Errorf("mode %s: %+v", mode, doc.Errors)
			}
		}
		if n := len(listed(s.Do("GET", "/v1/clients/"+neighbour.client+"/assessments", nil).Want(http.StatusOK))); n != 1 {
			t.Errorf("the neighbour has %d assessments", n)
		}
		r := s.As(token, "GET", "/v1/clients/"+own.client+"/trajectory?instrument=phq-9&course_id="+neighbour.course, nil)
		if r.Status != http.StatusUnprocessableEntity {
			t.Errorf("a neighbour's course: %d", r.Status)
		}
	})
}

func TestAClientsTokenEndsWithItsTimeItsRevocationAndItsKey(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		n := settle(s, s.Clinic)
		path := "/v1/clients/" + n.client + "/trajectories"
		key := func() (id, secret string) {
			made := s.Do("POST", "/v1/keys", object{"name": "app", "role": "app"}).Want(http.StatusCreated).JSON()
			return made["id"].(string), made["secret"].(string)
		}
		texts := map[string]bool{}
		ends := func(says string, life int, end func(token object, keyID string)) {
			t.Helper()
			keyID, secret := key()
			token := mint(s, secret, n.client, object{"expires_in_seconds": life})
			use := token["token"].(string)
			s.As(use, "GET", path, nil).Want(http.StatusOK)
			end(token, keyID)
			r := s.As(use, "GET", path, nil)
			if r.Status != http.StatusUnauthorized {
				t.Errorf("%s: %d", says, r.Status)
			}
			texts[problemOf(t, r).Detail] = true
			s.Clock.Set(today)
		}
		ends("at its end", 60, func(object, string) { s.Clock.Set(today.Add(time.Minute)) })
		ends("revoked", 3600, func(token object, _ string) {
			for range 2 {
				s.Do("DELETE", "/v1/tokens/"+token["id"].(string), nil).Want(http.StatusNoContent)
			}
		})
		ends("its key revoked", 3600, func(_ object, keyID string) {
			s.Do("DELETE", "/v1/keys/"+keyID, nil).Want(http.StatusNoContent)
		})
		ends("its key rotated, and the overlap over", 3600, func(_ object, keyID string) {
			s.Do("POST", "/v1/keys/"+keyID+"/rotation", object{"overlap_seconds": 0}).Want(http.StatusCreated)
		})
		ends("its client erased", 3600, func(object, string) {
			write(t, s, "UPDATE clients SET erased_at = "+now(s)+" WHERE id = '"+n.client+"'")
		})
		if len(texts) != 1 {
			t.Errorf("the refusals can be told apart: %v", texts)
		}
	})
}

func TestWhenATokenIsNotMinted(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		n, other := settle(s, s.Clinic), settle(s, s.Other)
		path := "/v1/clients/" + n.client + "/tokens"
		key := s.Clinic.Key[auth.App]
		for _, body := range []string{`{"expires_in_seconds":0}`, `{"expires_in_seconds":-5}`, `{"expires_in_seconds":86401}`, `{"expires_in_seconds":9223372036854775807}`, `{"expires_in_seconds":1.5}`} {
			doc := problemOf(t, s.As(key, "POST", path, body).Want(http.StatusUnprocessableEntity))
			if len(doc.Errors) != 1 || doc.Errors[0].Pointer != "/expires_in_seconds" {
				t.Errorf("%s: %+v", body, doc.Errors)
			}
		}
		made := mint(s, key, n.client, object{})
		same(t, "the end of one that names none", "2026-06-01T13:00:00Z", made["expires_at"])
		same(t, "the end of the longest", "2026-06-02T12:00:00Z", mint(s, key, n.client, object{"expires_in_seconds": 86400})["expires_at"])
		for _, strange := range []string{other.client, newID(), "x"} {
			s.As(key, "POST", "/v1/clients/"+strange+"/tokens", object{}).Want(http.StatusNotFound)
			s.As(key, "GET", "/v1/clients/"+strange+"/tokens", nil).Want(http.StatusNotFound)
		}
		narrow := s.Do("POST", "/v1/keys", object{"name": "k", "role": "app", "scopes": []string{"tokens:mint", "instruments:read"}}).Want(http.StatusCreated).JSON()
		doc := problemOf(t, s.As(narrow["secret"].(string), "POST", path, object{}).Want(http.StatusForbidden))
		if !strings.Contains(doc.Detail, "assessments:write") {
			t.Errorf("a token for more than the key may: %s", doc.Detail)
		}

		all := listed(s.As(key, "GET", path, nil).Want(http.StatusOK))
		if len(all) != 3 || strings.Contains(string(s.As(key, "GET", path, nil).Body), made["token"].(string)[:20]) {
			t.Errorf("the list: %v", all)
		}

		consent := func(status string) {
			write(t, s, "INSERT INTO consents (clinic_id, client_id, id, scope, status, at, text_version, recorded_at, recorded_by) SELECT clinic_id, id, '"+
				newID()+"', 'care', '"+status+"', "+now(s)+", '', "+now(s)+", id FROM clients WHERE id = '"+n.client+"'")
		}
		consent("withdrawn")
		doc = problemOf(t, s.As(key, "POST", path, object{}).Want(http.StatusConflict))
		if len(doc.Errors) != 1 || doc.Errors[0].Code != "consent_withdrawn" {
			t.Errorf("%+v", doc.Errors)
		}
		s.Clock.Set(today.Add(time.Second))
		consent("granted")
		s.As(key, "POST", path, object{}).Want(http.StatusCreated)
		write(t, s, "UPDATE clients SET merged_into = id WHERE id = '"+n.client+"'")
		s.As(key, "POST", path, object{}).Want(http.StatusConflict)
		write(t, s, "UPDATE clients SET erased_at = "+now(s)+" WHERE id = '"+n.client+"'")
		s.As(key, "POST", path, object{}).Want(http.StatusGone)
	})
}
