package webtest_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/demo"
)

// What a page may cost, in a clinic of any size. The bytes are with all that it
// loads, as they are sent, of a browser that has kept nothing.
const (
	heaviest     = 150_000
	mostElements = 2000
)

// long says that the clinics are to be as large as a clinic may become.
func long() bool { return os.Getenv("PROTRACK_TEST_LONG") == "1" }

// A cost is what a page costs who opens it, and what the server had to do.
type cost struct {
	Bytes    int     // with all that it loads
	Shift    float64 // how far what was shown moved, cumulative
	Moved    string  // what moved, and from where to where
	First    float64 // milliseconds until something is seen
	Largest  float64 // milliseconds until the largest part of it is
	Blocked  float64 // milliseconds in which the page did not answer who used it
	Elements int

	Median, P99 float64       // milliseconds until the server answered
	work        time.Duration // of the processor in this process, an answer; nobody else's load is in it
	statements  int
}

// worked is how long the processor has worked for this process.
func worked(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// costOf opens a page without a cache, and asks for it again and again.
func (c *chromium) costOf(s *apitest.Server, path string, times int) cost {
	c.t.Helper()
	c.size(1280, 800)
	s.Count.Take()
	c.open(path)
	statements := len(s.Count.Take())
	c.shows(http.StatusOK)
	before := worked(c.t)
	out := ask[cost](c, timings+fmt.Sprintf(`
		performance.clearResourceTimings();
		performance.setResourceTimingBufferSize(%[1]d + 50);
		for (let i = 0; i < %[1]d; i++) await (await fetch(location.href, {cache: "no-store"})).text();
		const took = performance.getEntriesByType("resource").map(e => e.responseStart - e.requestStart).sort((a, b) => a - b);
		return {...seen, Median: took[took.length >> 1], P99: took[Math.min(took.length - 1, Math.floor(took.length * .99))]};
	})()`, times))
	out.statements, out.work = statements, (worked(c.t)-before)/time.Duration(times)
	return out
}

// timings begins a script that knows what the page that is shown has cost.
const timings = `(async () => {
	const noted = async type => {
		const seen = [];
		new PerformanceObserver(list => seen.push(...list.getEntries())).observe({type, buffered: true});
		await new Promise(done => setTimeout(done, 200));
		return seen;
	};
	const [shifts, largest, tasks] = await Promise.all(["layout-shift", "largest-contentful-paint", "longtask"].map(noted));
	const loaded = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
	const seen = {
		Bytes: loaded.reduce((sum, e) => sum + e.transferSize, 0),
		Shift: shifts.reduce((sum, e) => sum + e.value, 0),
		Moved: shifts.flatMap(e => e.sources).map(s => [s.node?.nodeName, s.node?.className, s.node?.textContent?.trim().slice(0, 30), ...[s.previousRect, s.currentRect].map(r => [r.x, r.y, r.width, r.height].map(Math.round).join(" "))].join(", ")).join("; "),
		First: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
		Largest: largest.at(-1)?.startTime ?? 0,
		Blocked: tasks.reduce((sum, e) => sum + Math.max(0, e.duration - 50), 0),
		Elements: document.getElementsByTagName("*").length,
	};`

// crowd fills a clinic with so many clients of so many assessments each, or as
// the demo has them. It gives one who has 120 at least.
func crowd(t *testing.T, s *apitest.Server, clients, each int) string {
	t.Helper()
	seeded, client := 0, uuid.Nil
	for stories := range demo.Performances(1, 0, time.Now()) {
		if client == uuid.Nil {
			client = demo.Showcase(stories).Client.ID
		}
		for i := range stories {
			if stories[i].Client.ID == client {
				goBack(&stories[i], 120)
			}
			goBack(&stories[i], each)
		}
		done, err := demo.Seed(t.Context(), s.Care, s.Clinic.Who, stories[:min(len(stories), clients-seeded)])
		if err != nil {
			t.Fatal(err)
		}
		s.Count.Take()
		if seeded += done.Clients; seeded >= clients {
			break
		}
	}
	return client.String()
}

// forgetful is a clinician's browser that keeps nothing.
func forgetful(t *testing.T, s *apitest.Server) *chromium {
	t.Helper()
	apitest.Hire(t, s, somebody("rosa", auth.Clinician))
	c := openChromium(t, s.URL)
	c.enterAt("here", somebody("rosa", auth.Clinician))
	if _, err := chromedp.Call(c.ctx, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true}); err != nil {
		t.Fatal(err)
	}
	return c
}

// goBack gives a story forms before its first, as many as there are to be, one
// every other day, which are answered as those that it has.
func goBack(story *demo.Story, forms int) {
	own := story.Assessments
	for i := 0; len(own) > 0 && len(story.Assessments) < forms; i++ {
		form := own[i%len(own)]
		form.ID, form.Timing, form.SessionID = uuid.New(), care.AtFollowUp, nil
		form.CompletedAt = own[0].CompletedAt.AddDate(0, 0, -2*i-2)
		story.Assessments = append(story.Assessments, form)
	}
	slices.SortFunc(story.Assessments, func(a, b care.Assessment) int { return a.CompletedAt.Compare(b.CompletedAt) })
}

// leads gives the path that a link leads to.
func (c *chromium) leads(link string) string {
	c.t.Helper()
	return ask[string](c, fmt.Sprintf("document.querySelector(%q).getAttribute('href')", link))
}

// weighed are the pages of a clinic whose cost may depend on its size.
func weighed(client string) []string {
	now := time.Now().UTC()
	day := now.AddDate(0, 0, -int((now.Weekday()+6)%7)-7) // a working day of the demo
	out := []string{"/clients", "/clients?search=ann", "/clients?search=P-0000", "/today?day=" + day.Format(time.DateOnly)}
	for _, sort := range []string{"change", "-change", "-latest", "latest", "-last_at", "last_at"} {
		out = append(out, "/clients?sort="+sort)
	}
	return append(out, "/clients?status=response", "/clients?status=response&sort=-change", "/clients/"+client, "/clients/"+client+"/report", "/clients/"+client+"/history")
}

// TestAPageWeighsTheSameInABigClinic compares a clinic of many clients with one
// of few. With PROTRACK_TEST_LONG=1 they are ten thousand and a hundred, who
// have 120 assessments each. Times depend on the machine and are told, not
// judged.
func TestAPageWeighsTheSameInABigClinic(t *testing.T) {
	t.Parallel()
	start := map[string]func(testing.TB) *apitest.Server{"sqlite": apitest.SQLite}
	few, many, each, times := 60, 180, 0, 3
	if long() {
		few, many, each, times = 100, 10_000, 120, 200
		start["postgres"] = apitest.Postgres
	}
	for name, start := range start {
		t.Run(name, func(t *testing.T) {
			small, big := start(t).Unlimited(), start(t).Unlimited()
			client := crowd(t, small, few, each)
			if same := crowd(t, big, many, each); client != same {
				t.Fatalf("%s and %s are not the same client", client, same)
			}
			calm, crowded := forgetful(t, small), forgetful(t, big)
			for _, path := range weighed(client) {
				compareCosts(t, path, calm.costOf(small, path, times), crowded.costOf(big, path, times))
			}
			const second = `a[href*="after="]`
			calm.open("/clients")
			crowded.open("/clients")
			compareCosts(t, "the second page", calm.costOf(small, calm.leads(second), times), crowded.costOf(big, crowded.leads(second), times))
			pace(t, crowded, append(weighed(client)[3:5], "/clients", "/clients/"+client, "/clients/"+client+"/report"))
		})
	}
}

// inPieces is how far a page may move that a busy machine shows in pieces: as far
// as on a bad line. Google counts less than 0.1 as good (web.dev, Cumulative
// Layout Shift).
const inPieces = .005

// compareCosts judges what a page costs for many clients, and for few.
func compareCosts(t *testing.T, path string, few, many cost) {
	t.Helper()
	t.Logf("%s: %d bytes, %d elements, %d statements; seen after %.0f ms, its largest part after %.0f ms, blocked for %.0f ms; answered within %.1f ms, 99 of 100 times within %.1f ms, by %.1f ms of work: %.2f, %.2f and %.2f times those of few clients",
		path, many.Bytes, many.Elements, many.statements, many.First, many.Largest, many.Blocked, many.Median, many.P99, many.work.Seconds()*1000,
		many.Median/few.Median, many.P99/few.P99, many.work.Seconds()/few.work.Seconds())
	if many.Bytes < 5000 || many.Bytes > heaviest {
		t.Errorf("%s: %d bytes", path, many.Bytes)
	}
	if many.Shift > inPieces || few.Shift > inPieces {
		t.Errorf("%s: what is shown moves by %g, for few clients by %g: %s; %s", path, many.Shift, few.Shift, many.Moved, few.Moved)
	}
	if many.Elements > mostElements {
		t.Errorf("%s: %d elements", path, many.Elements)
	}
	if few.statements != many.statements || many.statements == 0 {
		t.Errorf("%s: %d statements for many clients, %d for few", path, many.statements, few.statements)
	}
}

// networks are slow ones. The first is that of Lighthouse for phones; over the
// others a page comes in pieces behind its style, and what comes late must move
// nothing.
var networks = []struct {
	name            string
	width, height   int64
	bytes, slowness float64 // a second; how many times slower than this machine the processor is
	styled          bool    // the style is there at once
	shift           float64 // the most that may move: a row may come in two pieces
}{
	{"a slow phone", 412, 823, 1.6e6 / 8, 4, false, 0},
	{"a phone with a bad line", 412, 823, 10e3, 1, true, .005},
	{"a desk with a bad line", 1280, 800, 10e3, 1, true, .005},
}

// pace opens pages over slow networks.
func pace(t *testing.T, c *chromium, paths []string) {
	t.Helper()
	for _, n := range networks {
		c.size(n.width, n.height)
		if _, err := chromedp.Call(c.ctx, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: n.slowness}); err != nil {
			t.Fatal(err)
		}
		rules := []*network.Conditions{{Latency: 150, DownloadThroughput: n.bytes, UploadThroughput: n.bytes / 2}}
		if n.styled {
			rules = slices.Insert(rules, 0, &network.Conditions{URLPattern: c.url + "/assets/*", DownloadThroughput: -1, UploadThroughput: -1})
		}
		if _, err := chromedp.Call(c.ctx, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: rules}); err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			c.open(path)
			c.shows(http.StatusOK)
			seen := ask[cost](c, timings+"return seen})()")
			t.Logf("%s on %s: seen after %.0f ms, its largest part after %.0f ms, blocked for %.0f ms", path, n.name, seen.First, seen.Largest, seen.Blocked)
			if seen.Shift > n.shift {
				t.Errorf("%s on %s: what is shown moves by %g: %s", path, n.name, seen.Shift, seen.Moved)
			}
		}
	}
}
