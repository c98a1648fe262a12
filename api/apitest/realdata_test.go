package apitest_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// realData reads a file of real answers; they lie beside the repository and
// are not copied into it.
func realData(t *testing.T, name string) [][]string {
	t.Helper()
	file, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", name))
	if err != nil {
		t.Skipf("no real data: %v", err)
	}
	defer func() { _ = file.Close() }()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

// chosen makes an id from a name, the same on every run and every database.
func chosen(name string) uuid.UUID {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("realdata/"+name))
}

// items reads the answers of consecutive cells, which go by prefix1, prefix2, ...
func items(t *testing.T, prefix string, cells []string) (answers map[string]int, total int) {
	t.Helper()
	answers = map[string]int{}
	for i, cell := range cells {
		v, err := strconv.Atoi(cell)
		if err != nil {
			t.Fatal(err)
		}
		answers[prefix+strconv.Itoa(i+1)] = v
		total += v
	}
	return answers, total
}

// sample validates one answer of so many against the OpenAPI document: all of
// them would take longer than everything else.
const sample = 20

// each calls the handler for every request, in several goroutines and without
// a network; every sample-th goes over HTTP and is held against the document.
func each(t *testing.T, s *apitest.Server, n int, request func(i int) (method, path string, body any), answer func(i, status int, body []byte)) {
	t.Helper()
	work := make(chan int)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for i := range work {
				method, path, body := request(i)
				if i%sample == 0 {
					res, err := s.Try(s.Clinic.Key[auth.Admin], method, path, body)
					if err != nil {
						t.Error(err)
						continue
					}
					answer(i, res.Status, res.Body)
					continue
				}
				payload, err := json.Marshal(body)
				if err != nil {
					t.Error(err)
					continue
				}
				req := httptest.NewRequest(method, path, bytes.NewReader(payload))
				req.Header.Set("Authorization", "Bearer "+s.Clinic.Key[auth.Admin])
				req.Header.Set("Content-Type", "application/json")
				res := httptest.NewRecorder()
				s.Handler.ServeHTTP(res, req)
				answer(i, res.Code, res.Body.Bytes())
			}
		})
	}
	for i := range n {
		work <- i
	}
	close(work)
	group.Wait()
}

// store sends items in batches of at most 1,000 and returns how each was answered.
func store(t *testing.T, s *apitest.Server, items []map[string]any) []int {
	t.Helper()
	var statuses []int
	for len(items) > 0 {
		n := min(1000, len(items))
		var answer struct{ Results []struct{ Status int } }
		s.Do("POST", "/v1/assessments/batch", map[string]any{"items": items[:n]}).Want(http.StatusOK).Decode(&answer)
		for _, r := range answer.Results {
			statuses = append(statuses, r.Status)
		}
		items = items[n:]
	}
	return statuses
}

// admit creates a client of a chosen id.
func admit(t *testing.T, s *apitest.Server, names []string) {
	t.Helper()
	each(t, s, len(names), func(i int) (string, string, any) {
		return "POST", "/v1/clients", map[string]any{"id": chosen(names[i]), "reference": names[i]}
	}, created(t))
}

func created(t *testing.T) func(i, status int, body []byte) {
	return func(_, status int, body []byte) {
		if status != http.StatusCreated {
			t.Errorf("%d %s", status, body)
		}
	}
}

// moments gives n, mean and sample standard deviation with four places.
func moments(x []float64) string {
	mean, squares := 0.0, 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		squares += (v - mean) * (v - mean)
	}
	return fmt.Sprintf("%d %.4f (%.4f)", len(x), mean, math.Sqrt(squares/float64(len(x)-1)))
}

// day is the time of the synthetic sessions of these people.
var day = time.Date(2026, 3, 10, 15, 0, 0, 0, time.UTC)
