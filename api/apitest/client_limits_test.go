package apitest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// asked sends n requests with one credential after the other and counts those
// that were answered with a status.
func asked(s *apitest.Server, n, status int, credentials ...string) (count int) {
	for i := range n {
		if s.As(credentials[i%len(credentials)], "GET", "/v1/instruments", nil).Status == status {
			count++
		}
	}
	return count
}

func TestAClientsPhonesShareALimitThatTheClinicDoesNot(t *testing.T) {
	s := apitest.SQLite(t)
	s.Clock.Set(today)
	own, neighbour := settle(s, s.Clinic), settleAs(s, s.Clinic, "P-2")
	app := s.Clinic.Key[auth.App]
	phone := func(client string) string { return mint(s, app, client, object{})["token"].(string) }
	first, second, other := phone(own.client), phone(own.client), phone(neighbour.client)
	if n := asked(s, 150, http.StatusOK, first, second); n != 120 {
		t.Errorf("%d requests of two phones at once were answered", n)
	}
	refused := s.As(phone(own.client), "GET", "/v1/instruments", nil).Want(http.StatusTooManyRequests)
	same(t, "the limit", `"client";q=120;w=60`, refused.Header.Get("RateLimit-Policy"))
	if n := asked(s, 5, http.StatusOK, other); n != 5 {
		t.Errorf("a neighbour's phone was answered %d times of 5", n)
	}
	if n := asked(s, 300, http.StatusOK, app); n != 300 {
		t.Errorf("the clinic's key was answered %d times of 300", n)
	}
	s.Clock.Set(today.Add(30 * time.Second))
	if n := asked(s, 100, http.StatusOK, second, first); n != 60 {
		t.Errorf("%d more in half a minute", n)
	}
}

func TestARevokedKeyIsLimitedByItself(t *testing.T) {
	s := apitest.SQLite(t)
	s.Clock.Set(today)
	made := s.Do("POST", "/v1/keys", object{"name": "tablet", "role": "app"}).Want(http.StatusCreated).JSON()
	revoked, clinic := made["secret"].(string), s.Clinic.Key[auth.App]
	// Both were good a moment ago.
	if asked(s, 4, http.StatusOK, revoked, clinic) != 4 {
		t.Fatal("the keys are not good")
	}
	s.Do("DELETE", "/v1/keys/"+made["id"].(string), nil).Want(http.StatusNoContent)
	if n := asked(s, 100, http.StatusUnauthorized, revoked); n != 100 {
		t.Errorf("%d of a hundred were looked up", n)
	}
	if n := asked(s, 100, http.StatusUnauthorized, revoked); n != 20 {
		t.Errorf("%d of another hundred were looked up", n)
	}
	s.As(revoked, "GET", "/v1/instruments", nil).Want(http.StatusTooManyRequests)
	if n := asked(s, 10, http.StatusOK, clinic); n != 10 { // the control: a good one from the same address
		t.Errorf("the clinic's key was answered %d times of 10", n)
	}
	s.Clock.Set(today.Add(time.Minute))
	if n := asked(s, 100, http.StatusUnauthorized, revoked); n != 100 {
		t.Errorf("%d of a hundred were looked up a minute later", n)
	}
}
