//go:build unix

package research_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/demo"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/research"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// The benchmarks read a clinic of invented clients: a new one of 2,000 and one
// of 20,000 assessments, or those in PROTRACK_BENCH_DATABASE, the URLs of
// databases that "protrack seed" has filled, with blanks between them.

// ward is a clinic that is measured.
type ward struct {
	url         string
	who         auth.Principal
	svc         *research.Service
	assessments int
}

// wards runs a benchmark on each clinic.
func wards(b *testing.B, run func(b *testing.B, w *ward)) {
	if urls := strings.Fields(os.Getenv("PROTRACK_BENCH_DATABASE")); len(urls) > 0 {
		for _, url := range urls {
			dialect, _, _ := strings.Cut(url, ":")
			d := storetest.Open(b, url)
			w := newWard(b, d, "default")
			b.Run(fmt.Sprintf("%s-%d", dialect, w.assessments), func(b *testing.B) { run(b, w) })
		}
		return
	}
	for dialect, open := range map[string]func(testing.TB) *storetest.Database{"sqlite": storetest.SQLite, "postgres": storetest.PostgreSQL} {
		for _, size := range []int{2_000, 20_000} {
			b.Run(fmt.Sprintf("%s-%d", dialect, size), func(b *testing.B) {
				d := open(b)
				fill(b, d, size)
				run(b, newWard(b, d, "bench"))
			})
		}
	}
}

// fill founds a clinic and seeds it.
func fill(b *testing.B, d *storetest.Database, assessments int) {
	b.Helper()
	ctx, log := context.Background(), slog.New(slog.DiscardHandler)
	keys := &auth.Service{Store: d.DB.DB, Now: time.Now, NewID: storetest.NewID, Log: log}
	if _, _, err := keys.Found(ctx, "bench", ""); err != nil {
		b.Fatal(err)
	}
	who, err := keys.Operator(ctx, "bench")
	if err != nil {
		b.Fatal(err)
	}
	svc := &care.Service{Store: d.DB.DB, Instruments: instrument.Embedded(), Now: time.Now, NewID: storetest.NewID, Log: log}
	for stories := range demo.Performances(1, 0, time.Now()) {
		done, err := demo.Seed(ctx, svc, who, stories)
		if err != nil {
			b.Fatal(err)
		}
		if assessments -= done.Assessments; assessments <= 0 {
			return
		}
	}
}

func newWard(b *testing.B, d *storetest.Database, clinic string) *ward {
	b.Helper()
	log := slog.New(slog.DiscardHandler)
	keys := &auth.Service{Store: d.DB.DB, Now: time.Now, NewID: storetest.NewID, Log: log}
	who, err := keys.Operator(context.Background(), clinic)
	if err != nil {
		b.Fatal(err)
	}
	w := &ward{url: d.URL, who: who, svc: &research.Service{
		Store: d.DB.DB, Instruments: instrument.Embedded(), Now: time.Now, NewID: uuid.New, Log: log,
		NewSecret: func() []byte { return []byte("the benchmark's own project, 32b.") },
	}}
	err = d.Raw(b).QueryRowContext(context.Background(), "SELECT count(*) FROM assessments").Scan(&w.assessments)
	if err != nil {
		b.Fatal(err)
	}
	return w
}

// BenchmarkFigures asks for figures of the whole clinic.
func BenchmarkFigures(b *testing.B) {
	q := research.FigureQuery{Population: research.OfClinic, AllCells: true}
	figures := map[string]func(context.Context, *ward) error{
		"change": func(ctx context.Context, w *ward) error {
			_, _, err := w.svc.Change(ctx, w.who, q, cohort.ChangeQuery{Comparison: cohort.Comparison{
				Instrument: "phq-9", From: cohort.TimePoint{Kind: cohort.AtBaseline}, To: cohort.TimePoint{Kind: cohort.AtLast},
			}}, "")
			return err
		},
		"flow": func(ctx context.Context, w *ward) error {
			_, _, err := w.svc.Flow(ctx, w.who, q, cohort.FlowQuery{Instrument: "phq-9"})
			return err
		},
		"survival": func(ctx context.Context, w *ward) error {
			_, _, err := w.svc.Survival(ctx, w.who, q, cohort.SurvivalQuery{Instrument: "phq-9", Event: cohort.EventResponse})
			return err
		},
	}
	wards(b, func(b *testing.B, w *ward) {
		for name, figure := range figures {
			b.Run(name, func(b *testing.B) {
				for b.Loop() {
					if err := figure(b.Context(), w); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	})
}

// BenchmarkExports writes the de-identified assessments in each format. With
// PostgreSQL it has the server copy the same columns to CSV by itself in the
// same run: of-copy is our rows a second as a share of the server's.
func BenchmarkExports(b *testing.B) {
	wards(b, func(b *testing.B, w *ward) {
		for _, format := range export.Formats() {
			b.Run(string(format), func(b *testing.B) {
				var rows, copied int64
				var copying time.Duration
				for b.Loop() {
					n, table := w.export(b, format)
					rows += n
					if format == export.CSV && strings.HasPrefix(w.url, "postgres") {
						b.StopTimer()
						begin := time.Now()
						copied += w.copy(b, table)
						copying += time.Since(begin)
						b.StartTimer()
					}
				}
				rate := float64(rows) / b.Elapsed().Seconds()
				b.ReportMetric(rate, "rows/s")
				if copying > 0 {
					b.ReportMetric(float64(copied)/copying.Seconds(), "copy-rows/s")
					b.ReportMetric(rate/(float64(copied)/copying.Seconds()), "of-copy")
				}
			})
		}
	})
}

func (w *ward) export(b *testing.B, format export.Format) (rows int64, table export.Table) {
	b.Helper()
	ctx := b.Context()
	x, err := w.svc.Prepare(ctx, w.who, research.Request{
		Table: research.Assessments, Format: format, Profile: research.Deidentified, Project: "benchmark", Dates: research.ShiftedDates,
	})
	if err != nil {
		b.Fatal(err)
	}
	err = w.svc.Read(ctx, x, func(t export.Table) (err error) {
		table = t
		rows, err = export.Write(ctx, io.Discard, format, t, export.Options{})
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return rows, table
}

// sources say where the columns of the assessments table are in the record;
// those of items and subscales are in the answers and the score.
var sources = map[string]string{
	"assessment_id": "a.id", "client": "a.client_id", "course": "s.course_id", "session": "a.session_id", "session_number": "s.number",
	"session_kind": "s.kind", "timing": "a.timing", "instrument": "a.instrument", "instrument_version": "a.instrument_version",
	"completed_at": "a.completed_at", "days_from_first_dose": "extract(epoch FROM a.completed_at - d.first) / 86400",
	"total": "a.total", "severity": "a.severity", "prorated": "a.prorated", "items_answered": "a.score ->> 'items_answered'",
}

// copy has PostgreSQL write the same columns of all assessments.
func (w *ward) copy(b *testing.B, table export.Table) int64 {
	b.Helper()
	columns := make([]string, len(table.Columns))
	for i, c := range table.Columns {
		source, found := sources[c.Name]
		switch {
		case found:
		case c.Instrument != "":
			source = "a.answers ->> '" + c.Name + "'"
		default:
			source = "a.score -> 'subscales' ->> '" + c.Name + "'"
		}
		columns[i] = source + ` AS "` + c.Name + `"`
	}
	conn, err := pgx.Connect(b.Context(), w.url)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(b.Context(), "SELECT set_config('protrack.clinic', $1, false)", w.who.Clinic.String()); err != nil {
		b.Fatal(err)
	}
	tag, err := conn.PgConn().CopyTo(b.Context(), io.Discard, fmt.Sprintf(`COPY (SELECT %s FROM assessment_versions a
		LEFT JOIN session_versions s ON s.clinic_id = a.clinic_id AND s.id = a.session_id AND s.superseded_at IS NULL
		LEFT JOIN (SELECT client_id, min(started_at) AS first FROM session_versions WHERE kind = 'dosing' AND superseded_at IS NULL GROUP BY 1) d
			ON d.client_id = a.client_id
		WHERE a.clinic_id = '%s' AND a.superseded_at IS NULL AND NOT a.retracted) TO STDOUT (FORMAT csv, HEADER)`,
		strings.Join(columns, ", "), w.who.Clinic))
	if err != nil {
		b.Fatal(err)
	}
	return tag.RowsAffected()
}
