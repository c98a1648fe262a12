//go:build unix

package research_test

import (
	"context"
	"io"
	"iter"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/research"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// memory is a record in memory, so that a benchmark measures the tables and
// not a database.
type memory struct {
	research.Tx
	people    []research.Person
	histories []research.History
}

func (m *memory) Study(_ context.Context, _ auth.Principal, fn func(research.Reader) error) error {
	return fn(m)
}

func (m *memory) Conduct(_ context.Context, _ auth.Principal, fn func(research.Tx) error) error {
	return fn(m)
}

func (m *memory) Settle(context.Context, auth.Principal) error { return nil }

func (m *memory) People(context.Context, auth.Principal, *time.Time) ([]research.Person, error) {
	return m.people, nil
}

func (m *memory) Histories(context.Context, auth.Principal, []research.Person, research.HistoryQuery) iter.Seq2[research.History, error] {
	return func(yield func(research.History, error) bool) {
		for _, h := range m.histories {
			if !yield(h, nil) {
				return
			}
		}
	}
}

func (m *memory) Project(context.Context, auth.Principal, string) (research.Project, error) {
	return research.Project{Name: "default", Secret: newSecret()}, nil
}

func (m *memory) Settings(context.Context, auth.Principal) (care.Settings, error) { return nil, nil }

func (m *memory) ClinicSettings(context.Context, auth.Principal) (care.ClinicSettings, error) {
	return care.ClinicSettings{SmallestCell: 5}, nil
}

// newMemory is a clinic of people with 4 sessions and 40 forms each.
func newMemory(people int) *memory {
	m := &memory{}
	for range people {
		h := research.History{Person: research.Person{ID: storetest.NewID()}, Client: care.Client{Sex: instrument.Female}, Enrolled: day(0)}
		h.Person.Records = []uuid.UUID{h.Person.ID}
		h.Person.Said = []care.Consents{{{Scope: care.ForResearch, Status: care.Granted}}}
		for i := range 4 {
			h.Sessions = append(h.Sessions, care.Session{ID: storetest.NewID(), Kind: care.Dosing, StartedAt: day(7 * i), Place: i + 1})
		}
		for i := range 40 {
			f := research.Form{
				ID: storetest.NewID(), Instrument: "phq-9", InstrumentVersion: "1.0.0", Timing: care.BeforeIt, CompletedAt: day(i),
				SessionID: &h.Sessions[i%4].ID, Total: new(9.0), Severity: new("mild"), RecallWindow: "P14D", Mode: care.BySelf, ItemsAnswered: new(9),
			}
			for _, id := range []string{"phq9_1", "phq9_2", "phq9_3", "phq9_4", "phq9_5", "phq9_6", "phq9_7", "phq9_8", "phq9_9", "phq9_difficulty"} {
				f.Answers = append(f.Answers, research.Answer{Item: id, Value: new(1)})
			}
			h.Forms = append(h.Forms, f)
		}
		m.people, m.histories = append(m.people, h.Person), append(m.histories, h)
	}
	return m
}

// Note is for nobody: what a benchmark reads is noted nowhere.
func (m *memory) Note(...audit.Entry) {}

// BenchmarkTables writes each table as CSV from a record in memory.
func BenchmarkTables(b *testing.B) {
	s := &research.Service{
		Store: newMemory(500), Instruments: instrument.Embedded(), Now: time.Now, NewID: storetest.NewID, NewSecret: newSecret,
		Log: slog.New(slog.DiscardHandler),
	}
	who := auth.As(storetest.NewID(), storetest.NewID(), auth.ByKey, auth.Researcher)
	for _, r := range laid {
		if r.Profile = research.Deidentified; r.Table != research.Sessions {
			r.Instruments = []string{"phq-9", "gad-7", "pcl-5"}
		}
		b.Run(string(r.Table)+string(r.Shape), func(b *testing.B) {
			rows := int64(0)
			for b.Loop() {
				x, err := s.Prepare(b.Context(), who, r)
				if err != nil {
					b.Fatal(err)
				}
				err = s.Read(b.Context(), x, func(t export.Table) error {
					n, err := export.Write(b.Context(), io.Discard, export.CSV, t, export.Options{})
					rows += n
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
