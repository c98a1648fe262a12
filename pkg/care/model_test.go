//go:build unix

package care_test

import (
	"database/sql"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// sequences sets how many sequences rapid tries, unless the caller says so.
func sequences(t *testing.T, n int) {
	t.Helper()
	for _, arg := range os.Args {
		if strings.Contains(arg, "rapid.checks") {
			return
		}
	}
	was := flag.Lookup("rapid.checks").Value.String()
	if err := flag.Set("rapid.checks", fmt.Sprint(n)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = flag.Set("rapid.checks", was) })
}

// machine drives a clinic and a model of it, a map, side by side.
type machine struct {
	clinic
	clients  []care.Client
	sessions []care.Session
	ids      []uuid.UUID                   // of assessments, in the order of their creation
	sent     map[uuid.UUID]care.Assessment // as first sent
	model    map[uuid.UUID]*modelled       // as it should be
	past     []func(rt *rapid.T)           // what was known at earlier times
}

// modelled is an assessment as the model has it.
type modelled struct {
	client    uuid.UUID
	version   int
	total     float64
	at        time.Time
	retracted bool
}

func newMachine(t *testing.T, d *storetest.Database, raw *sql.DB) *machine {
	m := &machine{clinic: clinic{d.Clinic(t), raw}, sent: map[uuid.UUID]care.Assessment{}, model: map[uuid.UUID]*modelled{}}
	for i := range 2 {
		client := m.client(t, fmt.Sprint("P-", i))
		m.clients = append(m.clients, client)
		m.sessions = append(m.sessions, m.session(t, care.Session{ClientID: client.ID, Kind: care.Dosing, StartedAt: day(10)}))
	}
	return m
}

func (m *machine) form(rt *rapid.T) care.Assessment {
	i := rapid.IntRange(0, len(m.clients)-1).Draw(rt, "client")
	a := gad7(m.clients[i].ID, day(rapid.IntRange(0, 20).Draw(rt, "day")), rapid.IntRange(0, 3).Draw(rt, "value"))
	if rapid.Bool().Draw(rt, "in session") {
		a.SessionID, a.Timing = &m.sessions[i].ID, rapid.SampledFrom([]care.Timing{care.BeforeIt, care.AfterIt}).Draw(rt, "timing")
	}
	return a
}

// send records assessments. What fails here must fail rapid's own test, or
// the sequence would not be shrunk.
func (m *machine) send(rt *rapid.T, as ...care.Assessment) []care.Recorded {
	out, err := m.Care.RecordAssessments(rt.Context(), m.Who, as)
	if err != nil {
		rt.Fatal(err)
	}
	return out
}

// known draws an assessment of the model.
func (m *machine) known(rt *rapid.T) (uuid.UUID, *modelled) {
	if len(m.ids) == 0 {
		rt.Skip("nothing is stored yet")
	}
	id := rapid.SampledFrom(m.ids).Draw(rt, "assessment")
	return id, m.model[id]
}

func total(a care.Assessment) float64 {
	sum := 0
	for _, v := range a.Answers {
		sum += *v
	}
	return float64(sum)
}

func (m *machine) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"create":        m.create,
		"retry":         m.retry,
		"reuse an id":   m.reuse,
		"amend":         m.amendOne,
		"retract":       m.retract,
		"move session":  m.moveSession,
		"patch client":  m.patchClient,
		"choose rules":  m.choose,
		"remember":      m.remember,
		"check the lot": m.check,
		"":              func(*rapid.T) {},
	}
}

func (m *machine) create(rt *rapid.T) {
	var batch []care.Assessment
	for range rapid.IntRange(1, 3).Draw(rt, "batch") {
		batch = append(batch, m.form(rt))
	}
	for i, r := range m.send(rt, batch...) {
		if r.Outcome != care.Created {
			rt.Fatalf("outcome %d, %v", r.Outcome, r.Err)
		}
		a := batch[i]
		m.ids = append(m.ids, a.ID)
		m.sent[a.ID], m.model[a.ID] = a, &modelled{client: a.ClientID, version: 1, total: total(a), at: a.CompletedAt}
	}
}

func (m *machine) retry(rt *rapid.T) {
	id, x := m.known(rt)
	m.Clock.Set(m.Clock.Now().AddDate(0, 0, rapid.SampledFrom([]int{0, 30}).Draw(rt, "days later")))
	got := m.send(rt, m.sent[id])[0]
	if got.Outcome != care.Known || got.Assessment.Version != x.version || got.Assessment.Retracted != x.retracted || *got.Assessment.Score.Total != x.total {
		rt.Fatalf("a retry: outcome %d, %v, %+v; the model has %+v", got.Outcome, got.Err, got.Assessment.Revision, x)
	}
}

func (m *machine) reuse(rt *rapid.T) {
	id, _ := m.known(rt)
	a := m.form(rt)
	a.ID, a.CompletedAt = id, day(30) // unlike any other
	if got := m.send(rt, a)[0]; !fault.Is(got.Err, fault.Conflict) {
		rt.Fatalf("an id with other content: outcome %d, %v", got.Outcome, got.Err)
	}
}

func (m *machine) amendOne(rt *rapid.T) {
	id, x := m.known(rt)
	a := gad7(x.client, day(rapid.IntRange(0, 20).Draw(rt, "day")), rapid.IntRange(0, 3).Draw(rt, "value"))
	a.ID, a.Reason = id, "amended"
	expected := x.version + rapid.SampledFrom([]int{0, 0, 0, -1, 1}).Draw(rt, "off by")
	got, err := m.Care.Amend(rt.Context(), m.Who, a, expected)
	switch {
	case expected != x.version:
		if !fault.Is(err, fault.Stale) {
			rt.Fatalf("version %d of %d: %v", expected, x.version, err)
		}
	case x.retracted:
		if !fault.Is(err, fault.Conflict) {
			rt.Fatalf("a retracted one: %v", err)
		}
	default:
		if err != nil || got.Version != x.version+1 {
			rt.Fatalf("%+v, %v", got.Revision, err)
		}
		x.version, x.total, x.at = got.Version, total(a), a.CompletedAt
	}
}

func (m *machine) retract(rt *rapid.T) {
	id, x := m.known(rt)
	got, err := m.Care.Retract(rt.Context(), m.Who, id, "retracted", nil)
	if !x.retracted {
		x.retracted, x.version = true, x.version+1
	}
	if err != nil || got.Version != x.version || !got.Retracted {
		rt.Fatalf("%+v, %v", got.Revision, err)
	}
}

func (m *machine) moveSession(rt *rapid.T) {
	i := rapid.IntRange(0, len(m.sessions)-1).Draw(rt, "session")
	s := m.sessions[i]
	s.StartedAt = day(rapid.IntRange(0, 20).Draw(rt, "to"))
	got, err := m.Care.UpdateSession(rt.Context(), m.Who, s, s.Version)
	if err != nil {
		rt.Fatal(err)
	}
	m.sessions[i] = got
}

func (m *machine) patchClient(rt *rapid.T) {
	i := rapid.IntRange(0, len(m.clients)-1).Draw(rt, "client")
	x := m.clients[i]
	x.Sex = rapid.SampledFrom([]instrument.Sex{"", instrument.Female, instrument.Male}).Draw(rt, "sex")
	got, err := m.Care.UpdateClient(rt.Context(), m.Who, x, x.Version)
	if err != nil {
		rt.Fatal(err)
	}
	m.clients[i] = got
}

func (m *machine) choose(rt *rapid.T) {
	rules := rapid.SampledFrom([]string{"", "nhs-tt", "bischoff-2020", "ny-cocm"}).Draw(rt, "rules")
	if _, err := m.Care.ChooseSetting(rt.Context(), m.Who, care.Setting{Instrument: "gad-7", ChangeRules: rules}); err != nil {
		rt.Fatal(err)
	}
}

// expected gives the totals of a client that stand in the model, by time.
func (m *machine) expected(client uuid.UUID) []string {
	var out []string
	for id, x := range m.model {
		if x.client == client && !x.retracted {
			out = append(out, fmt.Sprintf("%s %v %s", x.at.Format(time.RFC3339), x.total, id))
		}
	}
	return sorted(out)
}

func (m *machine) read(rt *rapid.T, client uuid.UUID, asOf *time.Time) []string {
	got, err := m.Care.Trajectories(rt.Context(), m.Who, client, care.TrajectoryQuery{Instrument: "gad-7", AsOf: asOf})
	if err != nil || len(got) != 1 {
		rt.Fatalf("%d trajectories, %v", len(got), err)
	}
	var out []string
	for _, p := range got[0].Points {
		out = append(out, fmt.Sprintf("%s %v %s", p.At.Format(time.RFC3339), *p.Total, p.AssessmentID))
	}
	return sorted(out)
}

// remember keeps what is known now, to be asked for again at the end.
func (m *machine) remember(*rapid.T) {
	at := m.Clock.Now()
	for _, client := range m.clients {
		want := m.expected(client.ID)
		m.past = append(m.past, func(rt *rapid.T) {
			if d := cmp.Diff(want, m.read(rt, client.ID, &at)); d != "" {
				rt.Fatalf("as of %v (-model +read):\n%s", at, d)
			}
		})
	}
}

func (m *machine) check(rt *rapid.T) {
	for _, client := range m.clients {
		if d := cmp.Diff(m.expected(client.ID), m.read(rt, client.ID, nil)); d != "" {
			rt.Fatalf("(-model +read):\n%s", d)
		}
	}
}

func TestAnySequenceOfChangesLeavesWhatAMapWouldHold(t *testing.T) {
	for name, open := range map[string]func(testing.TB) *storetest.Database{"sqlite": storetest.SQLite, "postgres": storetest.PostgreSQL} {
		t.Run(name, func(t *testing.T) {
			sequences(t, storetest.Size(30, 2000))
			d := open(t)
			raw := d.Raw(t)
			rapid.Check(t, func(rt *rapid.T) {
				m := newMachine(t, d, raw)
				rt.Repeat(m.actions())
				m.check(rt)
				for _, ask := range m.past {
					ask(rt)
				}
				if b := m.Breaches(t, m.raw); len(b) > 0 {
					rt.Fatalf("%v", b)
				}
			})
		})
	}
}
