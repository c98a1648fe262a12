//go:build unix

package storetest

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/store"
)

// sessionsAt gives a database's browser sessions with a clock that a test sets
// through the pointer.
func sessionsAt(c *Clinic) (*store.WebSessions, *time.Time) {
	now := time.Now()
	return &store.WebSessions{DB: c.Database.DB.DB, Now: func() time.Time { return now }}, &now
}

// holds fails the test unless a session's data is as it should be; "" is none.
func holds(t *testing.T, s *store.WebSessions, token, want string) {
	t.Helper()
	data, found, err := s.FindCtx(t.Context(), token)
	if err != nil || found != (want != "") || string(data) != want {
		t.Errorf("found %v: %q, %v instead of %q", found, data, err, want)
	}
}

// keep stores a session for an hour.
func keep(t *testing.T, s *store.WebSessions, token, data string) {
	t.Helper()
	if err := s.CommitCtx(t.Context(), token, []byte(data), s.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
}

var browsers = []promise{
	{"a browser's session is found until it expires, and can be changed until then", func(t *testing.T, c *Clinic) {
		s, now := sessionsAt(c)
		token := uuid.NewString()
		holds(t, s, token, "")
		keep(t, s, token, "one")
		keep(t, s, token, "two")
		holds(t, s, token, "two")
		holds(t, s, token[:35], "")
		*now = now.Add(time.Hour)
		holds(t, s, token, "")
		keep(t, s, token, "three")
		holds(t, s, token, "")
	}},
	{"a browser's session that was ended stays ended, whatever was under way", func(t *testing.T, c *Clinic) {
		s, now := sessionsAt(c)
		token, other := uuid.NewString(), uuid.NewString()
		keep(t, s, token, "one")
		keep(t, s, other, "another")
		if err := s.DeleteCtx(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		holds(t, s, token, "")
		*now = now.Add(-time.Second)
		keep(t, s, token, "one and a half") // of a request that read its clock before, and waited
		holds(t, s, token, "")
		*now = now.Add(time.Second + time.Minute)
		keep(t, s, token, "two") // of a request that had found it before
		if err := s.DropExpired(t.Context()); err != nil {
			t.Fatal(err)
		}
		keep(t, s, token, "three")
		holds(t, s, token, "")
		holds(t, s, other, "another")
		if err := s.DeleteCtx(t.Context(), uuid.NewString()); err != nil {
			t.Errorf("ending what is not there: %v", err)
		}
	}},
	{"browsers' sessions that ended long ago are removed", func(t *testing.T, c *Clinic) {
		s, now := sessionsAt(c)
		*now = now.Add(-3 * time.Hour) // the database itself tells what has expired
		ended, live := uuid.NewString(), uuid.NewString()
		keep(t, s, ended, "one")
		*now = now.Add(3 * time.Hour)
		keep(t, s, live, "two")
		rows := func() int { return len(c.Database.Rows(t, c.Database.Raw(t), "web_sessions", "true")) }
		before := rows()
		if err := s.DropExpired(t.Context()); err != nil {
			t.Fatal(err)
		}
		if after := rows(); after >= before {
			t.Errorf("%d rows before, %d after", before, after)
		}
		holds(t, s, live, "two")
	}},
}
