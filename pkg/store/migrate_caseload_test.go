//go:build unix

package store_test

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/pressly/goose/v3"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// beforeCaseload is the schema whose read model had no recent totals.
const beforeCaseload = 3

// A migration gives each row what the program writes into it, so that nobody has
// to recompute anything. On PostgreSQL row-level security binds who migrates.
func TestOldRowsOfTheCaseloadGetTheTotalsOfARebuild(t *testing.T) {
	for name, open := range map[string]func(*testing.T) *storetest.Database{
		"sqlite":   func(t *testing.T) *storetest.Database { return storetest.SQLite(t) },
		"postgres": func(t *testing.T) *storetest.Database { return storetest.PostgreSQL(t) },
		"postgres of an owner who is bound": func(t *testing.T) *storetest.Database {
			d := newCluster(t, "CREATE ROLE tenant LOGIN", "ALTER SCHEMA public OWNER TO tenant").open(t, "tenant", "")
			migrate(t, d)
			return d
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			clinics := []*storetest.Clinic{d.Clinic(t), d.Clinic(t)}
			recent := func() (out []map[string][]care.Scored) {
				for _, c := range clinics {
					out = append(out, recentOf(t, c))
				}
				return out
			}
			for _, c := range clinics {
				liveThrough(t, c)
			}
			want := recent()
			if n := len(want[0]["P-1 phq-9"]); n != care.RecentTotals {
				t.Fatalf("%d totals are kept", n)
			}
			dialect := goose.DialectSQLite3
			if d.Dialect == "postgres" {
				dialect = goose.DialectPostgres
			}
			down, err := goose.NewProvider(dialect, d.Raw(t), sources(t, d.Dialect))
			must(t, err)
			_, err = down.DownTo(t.Context(), beforeCaseload)
			must(t, err)
			migrate(t, d)
			if diff := cmp.Diff(want, recent()); diff != "" {
				t.Errorf("(-written by the program +by the migration):\n%s", diff)
			}
			for _, c := range clinics {
				must(t, c.Care.RebuildProgress(t.Context(), c.Who))
			}
			if diff := cmp.Diff(want, recent()); diff != "" {
				t.Errorf("(-before a rebuild +after):\n%s", diff)
			}
		})
	}
}

// recentOf reads the recent totals of each client and instrument.
func recentOf(t *testing.T, c *storetest.Clinic) map[string][]care.Scored {
	t.Helper()
	out := map[string][]care.Scored{}
	for _, name := range []string{"phq-9", "who-5"} {
		cases, err := c.Caseload(t.Context(), c.Who, care.CaseloadQuery{Instrument: name, Sort: care.ByReference}, care.Page{Limit: 10})
		must(t, err)
		for _, x := range cases {
			if x.Progress != nil {
				out[string(x.Client.Reference)+" "+name] = x.Progress.Recent
			}
		}
	}
	return out
}

// liveThrough stores clients with many forms, with ties of time, totals of many
// digits, forms without a total, retracted ones, and a merged record.
func liveThrough(t *testing.T, c *storetest.Clinic) {
	t.Helper()
	random := rand.New(rand.NewPCG(3, 5))
	client := func(reference string, forms int) uuid.UUID {
		x := c.NewClient(reference)
		ses := c.NewSession(x.ID, storetest.When)
		c.Insert(t, x, ses)
		for i := range forms {
			a := c.NewAssessment(x.ID, storetest.When.AddDate(0, 0, i/6), random.Float64()*27)
			a.ID, a.Instrument, a.SessionID = uuid.New(), []string{"phq-9", "who-5"}[i%4/3], &ses.ID
			a.Timing = []care.Timing{care.AfterIt, care.BeforeIt, care.AtFollowUp, care.AtBaseline}[random.IntN(4)]
			if i%5 == 0 {
				a.Score.Total = nil
			}
			a.Retracted = i%7 == 0
			c.Insert(t, a)
		}
		return x.ID
	}
	client("P-1", 60)
	client("P-2", 9)
	client("P-3", 1)
	survivor, duplicate := client("P-4", 20), client("P-5", 20)
	_, _, err := c.Care.MergeClients(t.Context(), c.Who, care.Merge{Survivor: survivor, Duplicate: duplicate, Reason: "twice"})
	must(t, err)
	must(t, c.Care.RebuildProgress(t.Context(), c.Who))
	if n := len(recentOf(t, c)["P-4 phq-9"]); n < 15 {
		t.Fatalf("%d totals of a person who was there twice", n)
	}
}
