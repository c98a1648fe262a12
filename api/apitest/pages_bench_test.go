package apitest_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/demo"
)

// How many clients the two clinics of the benchmark have, at least. Each of the
// demo's has some thirty questionnaires.
const (
	fewClients  = 100
	manyClients = 10_000
)

// BenchmarkAPageOfClients asks a clinic of a hundred clients and one of ten
// thousand for the same pages, in turns, so that whatever else the machine does
// weighs on both. Times are in milliseconds of the whole handler, as a browser
// without a cache asks; ratio is many over few.
func BenchmarkAPageOfClients(b *testing.B) {
	for name, start := range map[string]func(testing.TB) *apitest.Server{"sqlite": apitest.SQLite, "postgres": apitest.Postgres} {
		b.Run(name, func(b *testing.B) {
			few, many := ward(b, start(b), fewClients), ward(b, start(b), manyClients)
			for page, path := range map[string]string{
				"first": "/clients", "change": "/clients?sort=-change", "status": "/clients?status=response&sort=-last_at", "search": "/clients?search=ann",
				"today": "/today?day=" + demoDay().Format(time.DateOnly),
			} {
				b.Run(page, func(b *testing.B) { comparePages(b, few, many, path) })
			}
		})
	}
}

// demoDay is a working day on which clients of the demo have sessions.
func demoDay() time.Time {
	now := time.Now().UTC()
	return now.AddDate(0, 0, -int((now.Weekday()+6)%7)-7)
}

// ward is a browser in a clinic of so many clients.
func ward(b *testing.B, s *apitest.Server, clients int) *browser {
	b.Helper()
	seeded := 0
	for stories := range demo.Performances(1, 0, time.Now()) {
		done, err := demo.Seed(context.Background(), s.Care, s.Clinic.Who, stories)
		if err != nil {
			b.Fatal(err)
		}
		if seeded += done.Clients; seeded >= clients {
			break
		}
	}
	operator, err := s.Keys.Operator(context.Background(), s.Clinic.Slug)
	if err != nil {
		b.Fatal(err)
	}
	if _, _, err := s.Keys.CreateAccount(context.Background(), operator, ada); err != nil {
		b.Fatal(err)
	}
	s.Unlimited()
	at := browse(s, atHome)
	goesTo(b, at.signIn(b, auth.NewAccount{Email: ada.Email, Password: ada.Password}), "/")
	return at
}

// heaviest is how many bytes a page may have that nothing packs.
const heaviest = 150 << 10

func comparePages(b *testing.B, few, many *browser, path string) {
	took := map[*browser][]float64{}
	weight := 0
	for b.Loop() {
		for _, at := range []*browser{few, many} {
			begin := time.Now()
			page := at.get(b, path).Want(http.StatusOK)
			took[at] = append(took[at], float64(time.Since(begin).Microseconds())/1000)
			weight = max(weight, len(page.Body))
		}
	}
	if weight > heaviest {
		b.Errorf("%d bytes", weight)
	}
	for _, times := range took {
		slices.Sort(times)
	}
	b.ReportMetric(quantile(took[few], .5), "few-p50-ms")
	b.ReportMetric(quantile(took[many], .5), "many-p50-ms")
	b.ReportMetric(quantile(took[many], .99), "many-p99-ms")
	b.ReportMetric(quantile(took[many], .5)/quantile(took[few], .5), "ratio")
	b.ReportMetric(float64(weight)/1024, "kB")
}

// quantile is a quantile of sorted values, the next one above.
func quantile(sorted []float64, q float64) float64 {
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
