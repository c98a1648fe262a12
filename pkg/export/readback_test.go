package export_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/protrack/protrack/pkg/export"
)

// interpreter is a program that runs the scripts of a package.
type interpreter struct {
	path string
	args []string // before the code
}

// rscript finds R. Without it the test is skipped, or fails where CI=true.
func rscript(t *testing.T) interpreter {
	t.Helper()
	r := interpreter{path: "Rscript", args: []string{"--vanilla", "-e"}}
	r.need(t, `stopifnot(requireNamespace("haven"), requireNamespace("jsonlite"))`)
	return r
}

// python finds Python, as rscript does R.
func python(t *testing.T) interpreter {
	t.Helper()
	p := interpreter{path: os.Getenv("PROTRACK_TEST_PYTHON"), args: []string{"-c"}}
	if p.path == "" {
		p.path = "python3"
	}
	p.need(t, "import pandas, pyarrow; assert int(pandas.__version__.split('.')[0]) >= 2")
	return p
}

func (i interpreter) need(t *testing.T, code string) {
	t.Helper()
	if out, err := i.command(t, code).CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not here with all it needs: %v\n%s", i.path, err, out)
		}
		t.Skipf("%s is not here with all it needs: %v", i.path, err)
	}
}

// can says whether a package is here that few have.
func (i interpreter) can(t *testing.T, library string) bool {
	code := "stopifnot(requireNamespace('" + library + "'))"
	if i.args[0] == "-c" {
		code = "import " + library
	}
	return library == "" || i.command(t, code).Run() == nil
}

func (i interpreter) command(t *testing.T, code string) *exec.Cmd {
	return exec.CommandContext(t.Context(), i.path, append(i.args[:len(i.args):len(i.args)], code)...)
}

// output runs a script in a folder, and gives what it says.
func (i interpreter) output(t *testing.T, dir, script string, args ...string) []byte {
	t.Helper()
	path, err := filepath.Abs(script)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), i.path, append([]string{path}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "LANG=C", "TZ=America/New_York") // where people's machines differ
	out, err := cmd.Output()
	if err != nil {
		stderr := ""
		if e, ok := err.(*exec.ExitError); ok { //nolint:errorlint // Output returns it as it is
			stderr = string(e.Stderr)
		}
		t.Fatalf("%s: %v\n%s", script, err, stderr)
	}
	return out
}

// unpack puts the files of a package in a folder.
func unpack(t *testing.T, p export.Package) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range unzip(t, pack(t, p)) {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// found is what a script of a package finds in its data.
type found struct {
	Rows     int
	Names    []string
	Client   []string
	Answers  []*string
	Levels   int
	Severity []*string
	Total    float64
	Dose     []*float64
	Remitted []*bool
	Taken    []*string // seconds since 1970
	Born     []*string
	Steps    []*float64
	Remark   []string
	Title    string
	Classes  []string
	Tags     []*string // why an answer is missing, where the format says it
}

// sampleFound is what the scripts should find in the sample.
func sampleFound(classes ...string) found {
	return found{
		Rows:     3,
		Names:    []string{"client", "phq9_1", "phq9_2", "total", "severity", "dose", "remitted", "taken_at", "born_on", "steps", "remark"},
		Client:   []string{"P-001", "P-002", "P-003"},
		Answers:  []*string{new("Not at all"), new("Nearly every day"), nil},
		Levels:   4,
		Severity: []*string{new("Minimal"), new("Schwer | sévère"), nil},
		Total:    27,
		Dose:     []*float64{new(0.1), new(-2.5e-9), nil},
		Remitted: []*bool{new(false), new(true), nil},
		Taken:    []*string{new("1769851800.000000"), new("1769990399.123456"), nil},
		Born:     []*string{new("1931-07-04"), nil, nil},
		Steps:    []*float64{new(3e9), nil, new(-1.0)},
		Remark:   []string{"=1+1", "said \"naïve\", then\nleft", "NA"},
		Title:    `Little interest or pleasure, "anhedonia"`,
		Classes:  classes,
		Tags:     []*string{nil, nil, nil},
	}
}

// reading is a package that is read back, and how it is special.
type reading struct {
	name    string
	format  export.Format
	options export.Options
	r, py   string // the package of R and of Python that it needs and few have
	special func(*found)
}

// needs is what a reading needs that few have.
func (r reading) needs(i interpreter) string {
	if i.args[0] == "-c" {
		return r.py
	}
	return r.r
}

var readings = []reading{
	{name: "csv", format: export.CSV, special: guardedRemark},
	{name: "csv with labels", format: export.CSV, options: export.Options{Labels: true}, special: guardedRemark},
	{name: "csv for spreadsheets", format: export.CSV, options: export.Options{Dialect: export.Excel}, special: guardedRemark},
	{name: "spss", format: export.SPSS, special: func(f *found) {
		guardedRemark(f)
		f.Remark[1] = `said "naïve", then left`
	}},
	{name: "ndjson", format: export.NDJSON, special: func(*found) {}},
	{name: "ndjson with labels", format: export.NDJSON, options: export.Options{Labels: true}, special: func(*found) {}},
	{name: "parquet", format: export.Parquet, r: "arrow", special: func(*found) {}},
	{name: "dta", format: export.Stata, special: func(f *found) { f.Tags[2] = new("b") }},
	{name: "xlsx", format: export.XLSX, r: "readxl", py: "openpyxl", special: milliseconds},
	{name: "xlsx with labels", format: export.XLSX, options: export.Options{Labels: true}, r: "readxl", py: "openpyxl", special: milliseconds},
}

func guardedRemark(f *found) { f.Remark[0] = "'=1+1" }

// milliseconds are what spreadsheets hold of a time.
func milliseconds(f *found) { f.Taken[1] = new("1769990399.123000") }

// readBack packs the sample in each way that i can read, runs the scripts of
// the packages and compares what they find with what want says of the way.
func (i interpreter) readBack(t *testing.T, script string, want func(reading) found) {
	t.Helper()
	var able []reading
	var folders []string
	for _, way := range readings {
		if i.can(t, way.needs(i)) {
			able = append(able, way)
			folders = append(folders, unpack(t, packageOf(way.format, way.options)))
			continue
		}
		t.Logf("%s is not read here: there is no %s", way.name, way.needs(i))
	}
	// A table without rows is read last.
	empty := packageOf(export.CSV, export.Options{})
	empty.Table.Rows = rowsOf()
	for _, format := range []export.Format{export.CSV, export.NDJSON, export.Stata} {
		empty.Format = format
		folders = append(folders, unpack(t, empty))
	}
	var got []found
	if err := json.Unmarshal(i.output(t, ".", script, folders...), &got); err != nil {
		t.Fatal(err)
	}
	for n, way := range able {
		if diff := cmp.Diff(want(way), got[n], cmpopts.EquateApprox(1e-12, 0)); diff != "" {
			t.Errorf("%s: %s", way.name, diff)
		}
	}
	for _, f := range got[len(able):] {
		if f.Rows != 0 || !slices.Equal(f.Names, got[0].Names) {
			t.Errorf("a table without rows has %d, and the columns %q", f.Rows, f.Names)
		}
	}
}

func TestRReadsAPackageWithTypesAndLabels(t *testing.T) {
	rscript(t).readBack(t, "testdata/check.R", func(way reading) found {
		want := sampleFound("character", "factor", "factor", "integer", "factor", "numeric", "logical", "POSIXct", "Date", "numeric", "character")
		if way.format == export.Stata {
			want.Classes = []string{"character", "haven_labelled", "haven_labelled", "numeric", "factor", "numeric", "numeric", "POSIXct", "Date", "numeric", "character"}
		}
		way.special(&want)
		return want
	})
}

func TestPythonReadsAPackageWithTypesAndLabels(t *testing.T) {
	python(t).readBack(t, "testdata/check.py", func(way reading) found {
		want := sampleFound("string", "category", "category", "Int64", "category", "float64", "boolean", "datetime64", "datetime64", "Int64", "string")
		way.special(&want)
		if way.format == export.Stata {
			milliseconds(&want) // pandas cuts what is finer
		}
		return want
	})
}

// Rows that go on in a second sheet are read as those of the first, also where
// a column holds nothing in the first.
func TestAWorkbookOfTwoSheetsIsReadAsOneTable(t *testing.T) {
	if os.Getenv("PROTRACK_TEST_LONG") != "1" {
		t.Skip("a million rows are read by slow programs: PROTRACK_TEST_LONG=1")
	}
	const rows = 1<<20 + 1
	table := export.Table{Name: "two", Columns: []export.Column{{Name: "n", Kind: export.Integer}, {Name: "taken_at", Kind: export.Moment}}}
	table.Rows = func(yield func([]export.Cell, error) bool) {
		for n := range rows {
			row := []export.Cell{export.IntCell(n), export.None}
			if n == rows-1 {
				row[1] = export.MomentCell(january)
			}
			if !yield(row, nil) {
				return
			}
		}
	}
	dir := unpack(t, export.Package{Table: table, Format: export.XLSX})
	want := fmt.Sprintf("%d %d %d", rows, rows-1, january.Unix())
	for _, i := range []struct {
		interpreter
		library, code string
	}{
		{rscript(t), "readxl", `source("read.R"); cat("\nfound", nrow(data), max(data$n), as.numeric(max(data$taken_at, na.rm = TRUE)))`},
		{python(t), "openpyxl", `import runpy; d = runpy.run_path("read.py")["data"]; print("found", len(d), d["n"].max(), int(d["taken_at"].max().timestamp()))`},
	} {
		if !i.can(t, i.library) {
			t.Logf("there is no %s here", i.library)
			continue
		}
		cmd := i.command(t, i.code)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if _, got, _ := strings.Cut(strings.TrimSpace(string(out)), "found "); got != want || err != nil {
			t.Errorf("%s finds %q, %v; want %q", i.library, got, err, want)
		}
	}
}

func TestDuckDBFindsTheSameSumsInEachFormat(t *testing.T) {
	p := python(t)
	if !p.can(t, "duckdb") {
		if os.Getenv("CI") == "true" {
			t.Fatal("there is no DuckDB here")
		}
		t.Skip("there is no DuckDB here")
	}
	const rows = 20_000
	table := synthetic(rows, 8)
	answered, total, amount := 0, int64(0), 0.0
	for cells := range table.Rows {
		if cells[1].Missing == export.Present {
			answered++
		}
		if cells[2].Missing == export.Present {
			total += cells[2].Int
		}
		if cells[3].Missing == export.Present {
			amount += cells[3].Real
		}
	}
	dir := t.TempDir()
	files := []string{"data.csv", "data.ndjson", "data.parquet"}
	for i, f := range []export.Format{export.CSV, export.NDJSON, export.Parquet} {
		if err := os.WriteFile(filepath.Join(dir, files[i]), write(t, f, table, export.Options{}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var got [][]any
	if err := json.Unmarshal(p.output(t, dir, "testdata/sums.py", files...), &got); err != nil {
		t.Fatal(err)
	}
	want := []any{float64(rows), float64(answered), float64(total), amount, got[0][4], float64(rows / 20)}
	for i, sums := range got {
		if diff := cmp.Diff(want, sums); diff != "" {
			t.Errorf("%s: %s", files[i], diff)
		}
	}
}

// Negative control: a script that finds another number is seen.
func TestAnotherNumberIsSeen(t *testing.T) {
	p := packageOf(export.CSV, export.Options{})
	p.Table.Rows = func(yield func([]export.Cell, error) bool) {
		for cells := range sample().Rows {
			cells[3] = export.IntCell(1)
			if !yield(cells, nil) {
				return
			}
		}
	}
	var got []found
	out := python(t).output(t, ".", "testdata/check.py", unpack(t, p))
	if err := json.Unmarshal(out, &got); err != nil || got[0].Total == 27 {
		t.Errorf("it finds %+v, %v", got, err)
	}
}
