package web

import (
	"net/url"

	"github.com/google/uuid"

	"github.com/protrack/protrack/api/file"
	query "github.com/protrack/protrack/api/question"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/research"
)

const exportsPath = "/exports"

// The choices of an export. Where the first has no value, it is what the service
// does unless asked for another.
var (
	tableChoices = []option{
		{Value: string(research.Assessments), Label: "Questionnaires"}, {Value: string(research.Sessions), Label: "Sessions"},
		{Value: string(research.Clients), Label: "Clients"}, {Value: string(research.Trajectories), Label: "Standings: baseline, latest, change"},
	}
	shapeChoices = []option{
		{Value: "", Label: "A row for each questionnaire"},
		{Value: string(research.Long), Label: "A row for each answer"}, {Value: string(research.Wide), Label: "A row for each client"},
	}
	formatChoices = []option{
		{Value: string(export.CSV), Label: "CSV"}, {Value: string(export.XLSX), Label: "Excel"}, {Value: string(export.Stata), Label: "Stata"},
		{Value: string(export.SPSS), Label: "SPSS"}, {Value: string(export.Parquet), Label: "Parquet"}, {Value: string(export.NDJSON), Label: "JSON, a line for each row"},
	}
	dateChoices = []option{
		{Value: "", Label: "As the profile has them"},
		{Value: string(research.ShiftedDates), Label: "Moved, by as much for all of one client"}, {Value: string(research.DaysOnly), Label: "Days since the first dose only"},
	}
	dialectChoices = []option{
		{Value: "", Label: "For statistics"}, {Value: string(export.Excel), Label: "For spreadsheets: text that could be a formula is made harmless"},
	}
	valueChoices   = []option{{Value: "", Label: "Numbers"}, {Value: "labels", Label: "Words"}}
	packageChoices = []option{{Value: "", Label: "The file alone"}, {Value: "true", Label: "A ZIP with codebook, scripts and manifest"}}
	bookChoices    = []option{
		{Value: string(export.CodebookCSV), Label: "CSV"}, {Value: string(export.CodebookJSON), Label: "JSON"}, {Value: string(export.CodebookREDCap), Label: "REDCap"},
	}
)

// profileChoices are how much of who people are leaves the clinic, the least
// first.
var profileChoices = []struct {
	option
	need auth.Permission
}{
	{option{Value: string(research.Deidentified), Label: "De-identified: pseudonyms, moved dates, nothing rare"}, auth.ExportDeidentified},
	{option{Value: string(research.Limited), Label: "Limited: pseudonyms, true dates"}, auth.ExportLimited},
	{option{Value: string(research.Identified), Label: "Identified: names and free text too"}, auth.ExportIdentified},
}

// exportChoices are what the forms of exports and of snapshots offer.
type exportChoices struct {
	Tables, Shapes, Formats, Profiles, Dates, Dialects, Values, Packages, Books, Instruments, Cohorts []option
}

// exportsData is the page of exports.
type exportsData struct {
	Choices         exportChoices
	MaySee, MayTake bool // snapshots
	Snapshots       []snapshotRow
	First, Next     string
}

// choices fills in what the forms offer.
func (v *visit) exportChoices() (exportChoices, error) {
	out := exportChoices{
		Tables: tableChoices, Shapes: shapeChoices, Formats: formatChoices, Dates: dateChoices, Dialects: dialectChoices, Values: valueChoices,
		Packages: packageChoices, Books: bookChoices,
	}
	for _, p := range profileChoices {
		if v.who.May(p.need) {
			out.Profiles = append(out.Profiles, p.option)
		}
	}
	defs, err := v.site.Care.InstrumentDefinitions(v.ctx(), v.who)
	if err != nil {
		return out, err
	}
	for _, d := range defs {
		out.Instruments = append(out.Instruments, option{Value: d.ID, Label: d.Title, Chosen: v.sent().Has("instrument", d.ID)})
	}
	if v.who.May(auth.ReadCohorts) {
		out.Cohorts, err = cohortChoices(v)
	}
	return out, err
}

// exportsView is the page of exports, with the clinic's snapshots.
func (v *visit) exportsView() (view, error) {
	if len(v.exportRights()) == 0 {
		return view{}, v.who.Require(auth.ExportDeidentified)
	}
	data := exportsData{MaySee: v.who.May(auth.ReadSnapshots), MayTake: v.who.May(auth.TakeSnapshots)}
	var err error
	if data.Choices, err = v.exportChoices(); err != nil {
		return view{}, err
	}
	if data.MaySee {
		err = data.list(v)
	}
	return view{Title: "Exports", Data: data}, err
}

// exportRights are the profiles that somebody may export.
func (v *visit) exportRights() (out []auth.Permission) {
	for _, p := range profileChoices {
		if v.who.May(p.need) {
			out = append(out, p.need)
		}
	}
	return out
}

// exports shows the form of an export, and the snapshots.
func (s *Site) exports(v *visit) error {
	page, err := v.exportsView()
	if err != nil {
		return err
	}
	page.Form = formOf("table", string(research.Assessments), "format", string(export.CSV), "profile", string(research.Deidentified))
	return v.render("exports", page)
}

// exportAsked is what the form asks of the API's own question, and the table.
func (v *visit) exportAsked(but ...string) (url.Values, research.Table) {
	asked := dated(given(v.sent().values), "from", "to", "changed_since", "as_of")
	table := research.Table(asked.Get("table"))
	for _, field := range append(but, "form_token", "table") {
		asked.Del(field)
	}
	return asked, table
}

// exportFile answers with the table that the form asks for.
func (s *Site) exportFile(v *visit) error {
	asked, table := v.exportAsked("book")
	return v.orForm(v.hand(func() error { return s.Files.Table(v.Context, v.who, table, query.Of(asked)) }))
}

// codebook answers with what the columns of that table mean.
func (s *Site) codebook(v *visit) error {
	asked, table := v.exportAsked("book")
	asked.Set("format", v.typed("book"))
	asked.Set("table", string(table))
	return v.orForm(v.hand(func() error { return s.Files.Codebook(v.Context, v.who, query.Of(asked)) }))
}

// orForm shows the form of exports again with why there is no file. What has
// been begun to be sent cannot be taken back.
func (v *visit) orForm(err error) error {
	if err == nil || v.Response().Committed {
		return err
	}
	page, failed := v.exportsView()
	if failed != nil {
		return failed
	}
	page.Form = v.sent()
	return v.again("exports", page, err)
}

// request is the export that the form of a snapshot asks for.
func (v *visit) snapshotAsked() (research.Request, error) {
	asked, table := v.exportAsked("id", "name")
	q := query.Of(asked)
	r := file.Asked(q, table)
	r.Format = query.Choice(q, "format", "", export.Formats()...)
	return r, q.Err()
}

// snapshotID is the snapshot that the path names.
func (v *visit) snapshotID() (uuid.UUID, error) { return v.pathID("snapshot_id") }
