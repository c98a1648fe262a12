//go:build unix

package research_test

import (
	"crypto/rand"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/research"
	"github.com/protrack/protrack/pkg/store/storetest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// study is a clinic whose record serves research.
type study struct {
	*storetest.Clinic
	Research *research.Service
}

func newStudy(t testing.TB, d *storetest.Database) study {
	t.Helper()
	c := d.Clinic(t)
	return study{c, &research.Service{
		Store: d.DB.DB, Instruments: c.Care.Instruments, Now: c.Clock.Now, NewID: storetest.NewID, NewSecret: newSecret,
		Log: slog.New(slog.DiscardHandler),
	}}
}

func newSecret() []byte {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // it never fails
	return secret
}

// each runs a test on a new clinic in each database.
func each(t *testing.T, test func(t *testing.T, c study)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, d *storetest.Database) { test(t, newStudy(t, d)) })
}

// sequences sets how many cases rapid tries, unless the caller says so.
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

// day is n days after the first of January 2026, each day at another second.
func day(n int) time.Time {
	return time.Date(2026, 1, 1+n, 9, 0, 0, 0, time.UTC).Add(time.Duration(n) * 61 * time.Second)
}

// fataler is a test, or one case of rapid.
type fataler interface {
	Helper()
	Fatal(args ...any)
}

// person stores a client who agrees to research.
func (c study) person(t fataler, p care.Client) care.Client {
	t.Helper()
	if p.Reference == "" {
		p.Reference = care.Private("P-" + storetest.NewID().String())
	}
	out, _, err := c.Care.CreateClient(ctx, c.Who, p)
	if err != nil {
		t.Fatal(err)
	}
	c.says(t, out.ID, care.Granted)
	return out
}

// says records what a client says to research, now.
func (c study) says(t fataler, client uuid.UUID, status care.ConsentStatus) {
	t.Helper()
	_, _, err := c.Care.RecordConsent(ctx, c.Who, care.Consent{ClientID: client, Scope: care.ForResearch, Status: status, At: c.Clock.Now()})
	if err != nil {
		t.Fatal(err)
	}
}

func (c study) course(t fataler, course care.Course) care.Course {
	t.Helper()
	out, _, err := c.Care.CreateCourse(ctx, c.Who, course)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (c study) session(t fataler, ses care.Session) care.Session {
	t.Helper()
	out, _, err := c.Care.CreateSession(ctx, c.Who, ses)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (c study) record(t fataler, as ...care.Assessment) []care.Assessment {
	t.Helper()
	out := make([]care.Assessment, len(as))
	recorded, err := c.Care.RecordAssessments(ctx, c.Who, as)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range recorded {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
		out[i] = r.Assessment
	}
	return out
}

// form is an assessment with one value for every item of its instrument.
func form(client uuid.UUID, id string, at time.Time, value int) care.Assessment {
	def, err := instrument.Embedded().Get(id)
	if err != nil {
		panic(err)
	}
	a := care.Assessment{
		ID: storetest.NewID(), ClientID: client, Instrument: id, Timing: care.AtFollowUp, CompletedAt: at, Answers: instrument.Answers{},
	}
	for _, item := range def.Items {
		a.Answers[item.ID] = new(value)
	}
	return a
}

// of makes an assessment one before or after a session.
func of(a care.Assessment, ses care.Session, timing care.Timing) care.Assessment {
	a.SessionID, a.Timing = &ses.ID, timing
	return a
}

// file is a table that was read whole.
type file struct {
	*research.Export
	export.Table
	rows [][]export.Cell
}

// read prepares and reads an export.
func (c study) read(t fataler, r research.Request) file {
	t.Helper()
	out, err := c.try(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (c study) try(r research.Request) (file, error) {
	if r.Table == "" {
		r.Table = research.Assessments
	}
	if r.Profile == "" {
		r.Profile = research.Identified
	}
	x, err := c.Research.Prepare(ctx, c.Who, r)
	if err != nil {
		return file{}, err
	}
	return c.finish(x)
}

// finish reads an export that was prepared.
func (c study) finish(x *research.Export) (file, error) {
	out := file{Export: x}
	err := c.Research.Read(ctx, x, func(table export.Table) error {
		out.Table = table
		for row, err := range table.Rows {
			if err != nil {
				return err
			}
			out.rows = append(out.rows, append([]export.Cell(nil), row...))
		}
		return table.Check()
	})
	return out, err
}

func (f file) names() []string {
	out := make([]string, len(f.Columns))
	for i, c := range f.Columns {
		out[i] = c.Name
	}
	return out
}

// column is the place of a column; -1: there is none.
func (f file) column(name string) int {
	for i, c := range f.Columns {
		if c.Name == name {
			return i
		}
	}
	return -1
}

// texts gives the named columns of every row, by one blank apart. What is missing is its
// reason in brackets.
func (f file) texts(names ...string) []string {
	out := make([]string, len(f.rows))
	for i, row := range f.rows {
		var line []string
		for _, n := range names {
			at := f.column(n)
			line = append(line, cellText(f.Columns[at], row[at]))
		}
		out[i] = strings.Join(line, " ")
	}
	return out
}

func cellText(c export.Column, cell export.Cell) string {
	switch {
	case cell.Missing != export.Present:
		return "[" + cell.Missing.String() + "]"
	case c.Kind == export.Text:
		return cell.Text
	case c.Kind == export.Real:
		return strconv.FormatFloat(cell.Real, 'f', -1, 64)
	case c.Kind == export.Moment:
		return cell.Time(c.Kind).Format(time.RFC3339Nano)
	}
	return strconv.FormatInt(cell.Int, 10)
}
