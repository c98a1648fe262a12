package web_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/api/mw"
	"github.com/protrack/protrack/api/web"
)

// brokenStore answers as fn says, and finds nothing.
type brokenStore struct {
	web.Store
	find, commit func() error
}

func (b brokenStore) FindCtx(context.Context, string) ([]byte, bool, error) {
	return nil, false, b.find()
}

func (b brokenStore) CommitCtx(context.Context, string, []byte, time.Time) error { return b.commit() }

// ask opens the page to sign in of a site on a store, as a browser that was
// there before.
func ask(t *testing.T, store web.Store) (*http.Response, string, string) {
	t.Helper()
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	e := echo.New()
	e.Use(mw.RequestID(uuid.New), mw.Headers())
	site := &web.Site{Limits: mw.DefaultLimits(time.Now), Clinic: "here", Now: time.Now, Log: logger}
	site.Open(store).Routes(e, web.Through{})
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/login", nil)
	r.AddCookie(&http.Cookie{Name: "__Host-protrack", Value: "before"})
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w.Result(), w.Body.String(), log.String()
}

func TestABrokenStoreOfSessionsIsAPageThatSaysSo(t *testing.T) {
	works := func() error { return nil }
	fails := func() error { return errors.New("the disk is on fire") }
	panics := func() error { panic("the disk is gone") }
	for what, store := range map[string]brokenStore{
		"finding fails": {find: fails, commit: works}, "finding panics": {find: panics, commit: works},
		"keeping fails": {find: works, commit: fails}, "keeping panics": {find: works, commit: panics},
	} {
		r, page, log := ask(t, store)
		if r.StatusCode != http.StatusInternalServerError || strings.Count(page, "<!doctype html>") != 1 || strings.Contains(page, "disk") {
			t.Errorf("%s: %d %s", what, r.StatusCode, page)
		}
		if id := r.Header.Get("X-Request-Id"); !strings.Contains(page, id) || !strings.Contains(log, id) || !strings.Contains(log, "level=ERROR") {
			t.Errorf("%s: request %s: %s", what, id, log)
		}
		if r.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: the browser is told of a session", what)
		}
		if diff := cmp.Diff([]string{"no-store"}, r.Header.Values("Cache-Control")); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	// The control: a store that works.
	r, page, log := ask(t, brokenStore{find: works, commit: works})
	if r.StatusCode != http.StatusOK || !strings.Contains(page, "Password") || log != "" || len(r.Header.Values("Set-Cookie")) != 1 {
		t.Errorf("%d %v %s %s", r.StatusCode, r.Header, page, log)
	}
}
