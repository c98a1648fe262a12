package file

import (
	"bytes"
	"math"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/api/mw"
	"github.com/protrack/protrack/api/question"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/research"
)

// A Desk hands out the files of the record, within the limits of the server.
type Desk struct {
	Research *research.Service
	Limits   *mw.Limits
	Version  string        // of the program, for the files that it writes
	Patience time.Duration // that a reader of a file has for each piece; 0: a minute
}

// Table answers with a table of the record, as the query asks.
func (d *Desk) Table(c echo.Context, who auth.Principal, table research.Table, q *question.Reader) error {
	request := Asked(q, table)
	request.Format = question.Choice(q, "format", "", export.Formats()...)
	if err := q.Err(); err != nil {
		return err
	}
	done, err := d.Limits.Exporting(who.Clinic.String(), who.Actor.String())
	if err != nil {
		return err
	}
	defer done()
	x, err := d.Research.Prepare(c.Request().Context(), who, request)
	if err != nil {
		return err
	}
	return d.send(c, x)
}

// Package answers with the package of a snapshot.
func (d *Desk) Package(c echo.Context, who auth.Principal, snapshot uuid.UUID) error {
	done, err := d.Limits.Exporting(who.Clinic.String(), who.Actor.String())
	if err != nil {
		return err
	}
	defer done()
	x, err := d.Research.Pull(c.Request().Context(), who, snapshot)
	if err != nil {
		return err
	}
	return d.send(c, x)
}

// Freeze takes a snapshot, and gives the answer all the time that this takes:
// the whole export is read before the first byte of it.
func (d *Desk) Freeze(c echo.Context, who auth.Principal, id uuid.UUID, name string, r research.Request) (research.Snapshot, care.Outcome, error) {
	done, err := d.Limits.Exporting(who.Clinic.String(), who.Actor.String())
	if err != nil {
		return research.Snapshot{}, care.Refused, err
	}
	defer done()
	if err := unhurried(c); err != nil {
		return research.Snapshot{}, care.Refused, err
	}
	return d.Research.TakeSnapshot(c.Request().Context(), who, id, name, r, d.program())
}

// send answers with an export. Its rows are sent as they are read, from one
// snapshot of the record.
func (d *Desk) send(c echo.Context, x *research.Export) error {
	out, err := d.begin(c, x.FileName(), x.ContentType(), packable(x.Request))
	if err != nil {
		return err
	}
	for name, t := range map[string]time.Time{"Protrack-Generated-At": x.GeneratedAt, "Protrack-As-Of": x.Until()} {
		out.to.headers.Set(name, t.Format(time.RFC3339Nano))
	}
	ctx := c.Request().Context()
	var rows int64
	err = d.Research.Read(ctx, x, func(t export.Table) (err error) {
		rows, err = d.Research.Write(ctx, out, x, t, d.program())
		return err
	})
	if err != nil {
		return err
	}
	return out.end(rows)
}

func (d *Desk) program() string { return "protrack " + d.Version }

// packable reports whether a file gets smaller on its way: the others are
// packed already.
func packable(r research.Request) bool {
	return !r.Package && r.Format != export.Parquet && r.Format != export.XLSX
}

// Asked reads what an export is to hold and how it is written, but for
// its format: that of a codebook is another.
func Asked(q *question.Reader, table research.Table) research.Request {
	return research.Request{
		Table: table, Shape: question.Choice(q, "shape", "", research.Shapes()...), Profile: question.Choice(q, "profile", "", research.Profiles()...),
		Project: q.Text("project", ""), Instruments: q.Words("instrument"),
		From: q.Time("from"), To: q.Time("to"),
		Course: q.ID("course_id"), Session: q.Number("session", 1, math.MaxInt32), Cohort: q.ID("cohort"),
		Timing:       question.Choice(q, "timing", "", care.Timings()...),
		ChangedSince: q.Time("changed_since"), AsOf: q.Time("as_of"), Dates: question.Choice(q, "dates", "", research.ShiftedDates, research.DaysOnly),
		NA: question.Choice(q, "na", "", "NA"), Labels: question.Choice(q, "values", "codes", "codes", "labels") == "labels",
		Dialect: question.Choice(q, "dialect", "", export.Research, export.Excel),
		Package: q.Flag("package"),
	}
}

// Codebook answers with what the columns of a table mean. One that needs no rows
// for that waits for nobody.
func (d *Desk) Codebook(c echo.Context, who auth.Principal, q *question.Reader) error {
	format := question.Choice(q, "format", export.CodebookCSV, export.CodebookCSV, export.CodebookJSON, export.CodebookREDCap)
	request := Asked(q, question.Choice(q, "table", research.Assessments, research.Tables()...))
	if err := q.Err(); err != nil {
		return err
	}
	if !request.Light() {
		done, err := d.Limits.Exporting(who.Clinic.String(), who.Actor.String())
		if err != nil {
			return err
		}
		defer done()
	}
	table, err := d.Research.Columns(c.Request().Context(), who, request)
	if err != nil {
		return err
	}
	var book bytes.Buffer
	if err := export.Codebook(&book, format, table); err != nil {
		return err
	}
	kind, ending := "text/csv; charset=utf-8; header=present", ".csv"
	if format == export.CodebookJSON {
		kind, ending = echo.MIMEApplicationJSON, ".json"
	}
	c.Response().Header().Set(echo.HeaderContentDisposition, `attachment; filename="codebook-`+string(request.Table)+ending+`"`)
	return c.Blob(http.StatusOK, kind, book.Bytes())
}
