package main_test

import (
	"context"
	"database/sql"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/protrack/protrack/api"
	"github.com/protrack/protrack/api/mw"
	main "github.com/protrack/protrack/cmd/protrack"
	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// hold keeps every sealer from the head until the function it gives is called.
func hold(t *testing.T, db *sql.DB, dialect string) (release func()) {
	t.Helper()
	conn, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	statements := []string{"BEGIN", "SELECT 1 FROM audit_heads FOR UPDATE"}
	if dialect == "sqlite" {
		statements = []string{"BEGIN IMMEDIATE"} // there is one writer
	}
	for _, s := range statements {
		if _, err := conn.ExecContext(context.Background(), s); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		if _, err := conn.ExecContext(context.Background(), "ROLLBACK"); err != nil {
			t.Error(err)
		}
		_ = conn.Close()
	}
}

// A tail that is not sealed can be cut off unseen: the longer it is, the less
// the server is to be trusted with more.
func TestAnUnsealedTailThatGrowsOldIsNotReady(t *testing.T) {
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		c := d.Clinic(t)
		now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
		sealer := &audit.Sealer{Ledger: d.DB.DB, Now: func() time.Time { return now }}
		handler := api.New(api.Deps{
			Log: slog.New(slog.DiscardHandler), NewID: storetest.NewID, Version: "test", Limits: mw.NewLimits(mw.DefaultKeyRate, time.Now),
			Ready:    func(context.Context) error { return main.Sealed(sealer) },
			Unsealed: func() time.Duration { lag, _ := sealer.Health(); return lag },
		})
		asks := func(path string) (int, string) {
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
			return answer.Code, answer.Body.String()
		}
		want := func(when string, status int, seconds float64) {
			t.Helper()
			got, body := asks("/readyz")
			if got != status || status != http.StatusOK && !strings.Contains(body, "Entries of the audit trail have not been sealed for 1m") {
				t.Errorf("%s /readyz answers %d: %s", when, got, body)
			}
			_, figures := asks("/metrics")
			m := regexp.MustCompile(`(?m)^protrack_audit_unsealed_seconds (\S+)$`).FindStringSubmatch(figures)
			if m == nil {
				t.Fatal("there is no figure")
			}
			if lag, err := strconv.ParseFloat(m[1], 64); err != nil || lag != seconds {
				t.Errorf("%s the tail is %s seconds old and not %v", when, m[1], seconds)
			}
		}
		if err := sealer.Pass(t.Context()); err != nil {
			t.Fatal(err)
		}
		want("When all is sealed", http.StatusOK, 0)

		act := storetest.Entry(c.Who)
		act.At = now
		if err := d.DB.DB.Write(t.Context(), c.Who, func(tx care.Tx) error { tx.Note(act); return nil }); err != nil {
			t.Fatal(err)
		}
		release := hold(t, d.Raw(t), d.Dialect)
		for _, moment := range []struct {
			after  time.Duration
			status int
		}{{time.Second, http.StatusOK}, {time.Minute, http.StatusOK}, {61 * time.Second, http.StatusServiceUnavailable}} {
			now = act.At.Add(moment.after)
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			if err := sealer.Pass(ctx); err == nil {
				t.Error("the sealer was not kept from the head")
			}
			cancel()
			want("After "+moment.after.String(), moment.status, moment.after.Seconds())
		}
		release()
		if err := sealer.Pass(t.Context()); err != nil {
			t.Fatal(err)
		}
		want("When the head is free again", http.StatusOK, 0)
	})
}

// The same in real time, with a server of its own.
func TestAServerThatCannotSealForAMinuteIsNotReady(t *testing.T) {
	if !long() {
		t.Skip("it takes two minutes")
	}
	t.Parallel()
	// On SQLite whoever holds the one writer holds up everything, and is let go.
	server := storetest.PostgresServer(t, false)
	database := server.Database(t)
	s := serve(t, database, append([]string{"PROTRACK_AUDIT_KEY_FILE=" + filepath.Join(t.TempDir(), "audit.key")}, withKey...))
	status := func() int {
		got, _, err := ask(http.DefaultClient, "", "GET", s.url()+"/readyz", nil)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	time.Sleep(2 * time.Second) // the founding is sealed
	release := hold(t, behind(t, database), "postgres")
	if code, answer, err := ask(http.DefaultClient, adminKey, "POST", s.url()+"/v1/clients", map[string]any{"reference": "P-1"}); err != nil || code != http.StatusCreated {
		t.Fatalf("acts go on: %d %s %v", code, answer, err)
	}
	begun := time.Now()
	for status() == http.StatusOK && time.Since(begun) < 2*time.Minute {
		time.Sleep(time.Second)
	}
	if took := time.Since(begun); took < 55*time.Second || took > 80*time.Second {
		t.Errorf("it is ready for %s", took)
	}
	release()
	for begun = time.Now(); status() != http.StatusOK; time.Sleep(100 * time.Millisecond) {
		if time.Since(begun) > 30*time.Second {
			t.Fatal("it is not ready again")
		}
	}
}
