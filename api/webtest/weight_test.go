package webtest_test

import (
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/demo"
)

// heaviest is how many bytes a page may have with all that it loads, as they
// are sent, of a browser that has kept nothing.
const heaviest = 150_000

// A cost is what a page costs who opens it.
type cost struct {
	Bytes      int     // with all that it loads
	Shift      float64 // how far what was shown moved, cumulative
	Paint      float64 // milliseconds until something is seen
	P99        float64 // milliseconds of an answer
	statements int
}

// costOf opens a page without a cache, and asks for it again and again.
func (c *chromium) costOf(s *apitest.Server, path string, times int) cost {
	c.t.Helper()
	s.Count.Take()
	c.open(path)
	statements := len(s.Count.Take())
	c.shows(http.StatusOK)
	out := ask[cost](c, fmt.Sprintf(`(async () => {
		const shifts = await new Promise(done => {
			const seen = [];
			new PerformanceObserver(list => seen.push(...list.getEntries())).observe({type: "layout-shift", buffered: true});
			setTimeout(() => done(seen), 300);
		});
		const loaded = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
		const paint = performance.getEntriesByName("first-contentful-paint")[0];
		const took = [];
		for (let i = 0; i < %d; i++) {
			const begin = performance.now();
			await (await fetch(location.href, {cache: "no-store"})).text();
			took.push(performance.now() - begin);
		}
		took.sort((a, b) => a - b);
		return {
			Bytes: loaded.reduce((sum, e) => sum + e.transferSize, 0), Shift: shifts.reduce((sum, e) => sum + e.value, 0),
			Paint: paint ? paint.startTime : 0, P99: took[Math.min(took.length - 1, Math.floor(took.length * .99))],
		};
	})()`, times))
	out.statements = statements
	return out
}

// crowd is a clinic of so many clients, of whom one has 120 assessments.
func crowd(t *testing.T, clients int) (*chromium, *apitest.Server, string) {
	t.Helper()
	s, seeded, client := apitest.SQLite(t).Unlimited(), 0, ""
	for stories := range demo.Performances(1, 0, time.Now()) {
		done, err := demo.Seed(t.Context(), s.Care, s.Clinic.Who, stories)
		if err != nil {
			t.Fatal(err)
		}
		if client == "" {
			client = "/clients/" + demo.Showcase(stories).Client.ID.String()
		}
		if seeded += done.Clients; seeded >= clients {
			break
		}
	}
	for i := range 120 {
		s.Do("POST", "/v1"+client+"/assessments", object{
			"instrument": "gad-7", "timing": "follow_up", "completed_at": time.Now().AddDate(0, 0, -i-1).UTC().Format(time.RFC3339), "total": i % 21,
		}).Want(http.StatusCreated)
	}
	apitest.Hire(t, s, somebody("rosa", auth.Clinician))
	c := openChromium(t, s.URL)
	c.enterAt("here", somebody("rosa", auth.Clinician))
	if _, err := chromedp.Call(c.ctx, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true}); err != nil {
		t.Fatal(err)
	}
	return c, s, client
}

// TestAPageWeighsTheSameInABigClinic compares a clinic of ten thousand clients
// with one of sixty; without PROTRACK_TEST_LONG=1 the first has three times as
// many. Times depend on the machine and are told, not judged.
func TestAPageWeighsTheSameInABigClinic(t *testing.T) {
	t.Parallel()
	many, times := 180, 10
	if os.Getenv("PROTRACK_TEST_LONG") == "1" {
		many, times = 10_000, 500
	}
	few, fewServer, client := crowd(t, 60)
	crowded, server, same := crowd(t, many)
	if client != same {
		t.Fatalf("%s and %s are not the same client", client, same)
	}
	for _, path := range []string{"/clients", client} {
		a, b := few.costOf(fewServer, path, times), crowded.costOf(server, path, times)
		t.Logf("%s: %d bytes, %d statements, first paint %.0f ms, 99 of 100 answers within %.1f ms, %.2f times those of few clients",
			path, b.Bytes, b.statements, b.Paint, b.P99, b.P99/a.P99)
		if b.Bytes < 5000 || b.Bytes > heaviest {
			t.Errorf("%s: %d bytes", path, b.Bytes)
		}
		if b.Shift != 0 {
			t.Errorf("%s: what is shown moves by %g", path, b.Shift)
		}
		if a.statements != b.statements || b.statements == 0 {
			t.Errorf("%s: %d statements for many clients, %d for few", path, b.statements, a.statements)
		}
	}
}
