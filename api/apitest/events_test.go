package apitest_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// listener reads a stream of events.
type listener struct {
	t      testing.TB
	Status int
	events chan [3]string // id, event, data
	close  func()
}

// listen opens a stream, as a browser or a program would.
func listen(t testing.TB, s *apitest.Server, key, query string, headers ...string) *listener {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/v1/events"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Accept-Encoding", "gzip")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	l := &listener{t: t, Status: res.StatusCode, events: make(chan [3]string, 1000), close: cancel}
	t.Cleanup(cancel)
	if res.StatusCode == http.StatusOK && (res.Header.Get("Content-Type") != "text/event-stream" || res.Header.Get("Content-Encoding") != "") {
		t.Errorf("the stream is sent as %v", res.Header)
	}
	go func() {
		defer close(l.events)
		defer func() { _ = res.Body.Close() }()
		var e [3]string
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			line := lines.Text()
			for i, field := range []string{"id: ", "event: ", "data: "} {
				if rest, found := strings.CutPrefix(line, field); found {
					e[i] = rest
				}
			}
			if line == "" && e[2] != "" {
				l.events <- e
				e = [3]string{}
			}
		}
	}()
	return l
}

// next is the next event; all zero once the stream has ended.
func (l *listener) next() [3]string {
	l.t.Helper()
	select {
	case e := <-l.events:
		return e
	case <-time.After(10 * time.Second):
		l.t.Fatal("nothing came within 10 s")
	}
	return [3]string{}
}

func TestWhatHappensIsHeardAsItHappensAndOnceOnly(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		key := s.Clinic.Key[auth.Clinician]
		live := listen(t, s, key, "")
		time.Sleep(100 * time.Millisecond) // it is listening
		n := settle(s, s.Clinic)
		settle(s, s.Other)
		var types []string
		var last [3]string
		for range 3 {
			last = live.next()
			types = append(types, last[1])
			if !strings.Contains(last[2], `"client_id":"`+n.client+`"`) {
				t.Errorf("an event of another client: %s", last[2])
			}
		}
		same(t, "the types", []string{"client.recorded", "session.recorded", "assessment.recorded"}, types)
		for _, secret := range []string{"Ada", "phq9_1", "total", "sleep"} {
			if strings.Contains(last[2], secret) {
				t.Errorf("an event tells %q: %s", secret, last[2])
			}
		}
		for what, again := range map[string]*listener{
			"Last-Event-ID": listen(t, s, key, "?follow=false", "Last-Event-ID", "2"),
			"after":         listen(t, s, key, "?follow=false&after=2"),
			"both":          listen(t, s, key, "?follow=false&after=0", "Last-Event-ID", "2"),
			"a type":        listen(t, s, key, "?follow=false&after=0&types=assessment.recorded,client.erased"),
		} {
			if got := again.next(); got != last {
				t.Errorf("who comes back with %s hears (-want +got):\n%s", what, cmp.Diff(last, got))
			}
			if end := again.next(); end != [3]string{} {
				t.Errorf("and then %v", end)
			}
		}
	})
}

func TestAPlaceThatIsNoneOfTheClinicsIsAnsweredAndNotPassedOver(t *testing.T) {
	s := apitest.SQLite(t)
	settle(s, s.Clinic)
	for _, place := range []string{"99", "-1", "x", "99999999999999999999"} {
		got := listen(t, s, s.Clinic.Key[auth.Admin], "?follow=false", "Last-Event-ID", place).next()
		want := [3]string{"3", "stream.reset", `{"reason":"unknown_event","next":3}`}
		if got != want {
			t.Errorf("%q is answered with %v", place, got)
		}
	}
	for _, query := range []string{"?after=x", "?after=-1", "?types=assessment.recorded,alert", "?follow=perhaps", "?before=1"} {
		s.Do("GET", "/v1/events"+query, nil).Want(http.StatusUnprocessableEntity)
	}
}

func TestAStreamEndsWithItsCredential(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		key := s.Do("POST", "/v1/keys", object{"name": "board", "role": "clinician"}).Want(http.StatusCreated).JSON()
		live := listen(t, s, key["secret"].(string), "")
		time.Sleep(100 * time.Millisecond)
		s.Do("DELETE", "/v1/keys/"+key["id"].(string), nil).Want(http.StatusNoContent)
		begun := time.Now()
		if got := live.next(); got[1] != "stream.end" || got[2] != `{"reason":"credential_ended"}` {
			t.Errorf("%v", got)
		}
		if end := live.next(); end != [3]string{} || time.Since(begun) > 5*time.Second {
			t.Errorf("%v after %v", end, time.Since(begun))
		}
	})
}

func TestStreamsEndWhenTheServerStopsAndTooManyAreRefused(t *testing.T) {
	stopping := make(chan struct{})
	s := apitest.SQLiteWith(t, apitest.Options{Stopping: stopping})
	key := s.Clinic.Key[auth.Clinician]
	var open []*listener
	for i := range 11 {
		l := listen(t, s, key, "")
		if want := map[bool]int{true: http.StatusOK, false: http.StatusTooManyRequests}[i < 10]; l.Status != want {
			t.Errorf("stream %d: %d", i+1, l.Status)
		}
		open = append(open, l)
	}
	if other := listen(t, s, s.Clinic.Key[auth.Admin], ""); other.Status != http.StatusOK {
		t.Errorf("another key is refused as well: %d", other.Status)
	}
	open[0].close()
	open[1].close()
	time.Sleep(time.Second)
	if l := listen(t, s, key, ""); l.Status != http.StatusOK {
		t.Errorf("a place that is free again is not given: %d", l.Status)
	}
	begun := time.Now()
	close(stopping)
	if got := open[2].next(); got[1] != "stream.end" || time.Since(begun) > time.Second {
		t.Errorf("%v after %v", got, time.Since(begun))
	}
	s.As(key, "GET", "/v1/events", nil).Want(http.StatusTooManyRequests)
}

func TestAStreamOfManyEventsIsReadInOrder(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		clients, _ := storm(s, 3, 0)
		var items []object
		for i := range 500 {
			items = append(items, object{
				"client_id": clients[i%3], "instrument": "gad-7", "timing": "follow_up", "completed_at": today.Add(-time.Duration(i) * time.Hour), "total": 5,
			})
		}
		s.Clock.Set(today)
		s.Do("POST", "/v1/assessments/batch", object{"items": items}).Want(http.StatusOK)
		l := listen(t, s, s.Clinic.Key[auth.Admin], "?follow=false&after=0")
		for i := range 503 {
			if e := l.next(); e[0] != fmt.Sprint(i+1) {
				t.Fatalf("event %d is %v", i+1, e)
			}
		}
		if end := l.next(); end != [3]string{} {
			t.Errorf("and then %v", end)
		}
	})
}
