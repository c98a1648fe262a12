package main_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/protrack/protrack/pkg/store/storetest"
)

// adminKey is the first key of the databases of these tests.
const adminKey = "not-a-secret-but-long-enough-for-a-key"

// withKey is the environment that sets it.
var withKey = []string{"PROTRACK_ADMIN_KEY=" + adminKey}

// databases gives each test an empty one of both kinds, on a server of its own
// where the test is to kill it.
func databases(t *testing.T, test func(t *testing.T, url string, postgres *storetest.Server)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, "sqlite://"+filepath.Join(t.TempDir(), "protrack.db"), nil)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		server := storetest.PostgresServer(t, true)
		test(t, server.Database(t), server)
	})
}

// newClient makes a caller with connections of its own.
func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Second}, Timeout: time.Minute}
}

// ask sends one request and reads the answer to its end.
func ask(client *http.Client, key, method, url string, body any) (int, []byte, error) {
	var payload []byte
	if body != nil {
		var err error
		if payload, err = json.Marshal(body); err != nil {
			return 0, nil, err
		}
	}
	req, err := http.NewRequestWithContext(context.Background(), method, url, bytes.NewReader(payload))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	res, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	return res.StatusCode, answer, err
}

// get reads a resource of a server that must have it.
func get(t testing.TB, base, key, path string, into any) {
	t.Helper()
	status, answer, err := ask(http.DefaultClient, key, http.MethodGet, base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if status != http.StatusOK {
		t.Fatalf("GET %s answers %d: %s", path, status, answer)
	}
	if err := json.Unmarshal(answer, into); err != nil {
		t.Fatalf("%v in %s", err, answer)
	}
}

// list reads every page of a list.
func list[T any](t testing.TB, base, key, path string) []T {
	t.Helper()
	sign := "?"
	if strings.Contains(path, "?") {
		sign = "&"
	}
	var all []T
	for cursor := ""; ; {
		var page struct {
			Items []T    `json:"items"`
			Next  string `json:"next_cursor"`
		}
		get(t, base, key, path+sign+"limit=200"+cursor, &page)
		all = append(all, page.Items...)
		if page.Next == "" {
			return all
		}
		cursor = "&cursor=" + page.Next
	}
}

// behind opens a database behind the program's back.
func behind(t *testing.T, url string) *sql.DB {
	t.Helper()
	driver, source := "pgx", url
	if path, ok := strings.CutPrefix(url, "sqlite://"); ok {
		driver, source = "sqlite3", "file:"+path
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}
