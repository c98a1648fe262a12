//go:build unix

package research_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/parquet-go/parquet-go"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/research"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// marked is a clinic whose clients are marked wherever they can be.
type marked struct {
	study
	texts []string    // the marks
	ids   []uuid.UUID // of everything that was stored
	times []time.Time // when something happened
}

// zones are time zones that no other text holds the names of.
var zones = []string{"Antarctica/Troll", "Pacific/Marquesas", "Asia/Ust-Nera"}

func newMarked(t *testing.T, d *storetest.Database) *marked {
	t.Helper()
	m := &marked{study: newStudy(t, d), texts: slices.Clone(zones)}
	m.ids = append(m.ids, m.Who.Clinic, m.Who.Actor)
	for i := range 6 {
		m.add(t, i)
	}
	return m
}

func (m *marked) mark(what string, i int) string {
	text := fmt.Sprintf("MARK%s%dß", what, i)
	m.texts = append(m.texts, text)
	return text
}

func (m *marked) at(n, hour int) time.Time {
	t := day(n).Add(time.Duration(hour)*time.Hour + time.Duration(len(m.times))*time.Second)
	m.times = append(m.times, t)
	return t
}

// add records a client of whom every text is marked, and the indication and the
// substance are nobody else's.
func (m *marked) add(t *testing.T, i int) {
	p := m.person(t, care.Client{
		Reference: care.Private(m.mark("REF", i)), DisplayName: care.Private(m.mark("NAME", i)), BirthYear: new(1930 + 2*i),
		Sex: instrument.Female, TimeZone: zones[i%len(zones)],
	})
	course := m.course(t, care.Course{ClientID: p.ID, Indication: m.mark("WHY", i), Goals: care.Private(m.mark("GOAL", i)), StartedOn: "2026-01-03"})
	ses := m.session(t, care.Session{
		ClientID: p.ID, CourseID: &course.ID, Kind: care.Dosing, StartedAt: m.at(5+i, 0),
		Medicine: &care.Medicine{Substance: m.mark("WITH", i), Route: care.Oral, DoseMG: 100},
	})
	as := m.record(t, of(form(p.ID, "phq-9", m.at(5+i, -1), 2), ses, care.BeforeIt), form(p.ID, "phq-9", m.at(20+i, 1), i%4), form(p.ID, "gad-7", m.at(21+i, 1), 1))
	amended := form(p.ID, "gad-7", m.at(21+i, 2), 2)
	amended.ID, amended.Reason = as[2].ID, care.Private(m.mark("AMENDED", i))
	if _, err := m.Care.Amend(ctx, m.Who, amended, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Care.Retract(ctx, m.Who, as[1].ID, care.Private(m.mark("RETRACTED", i)), nil); err != nil {
		t.Fatal(err)
	}
	_, _, err := m.Care.RequestCorrection(ctx, m.Who, care.Correction{ClientID: p.ID, Target: care.TargetClient, Request: care.Private(m.mark("REQUEST", i))})
	if err != nil {
		t.Fatal(err)
	}
	m.ids = append(m.ids, p.ID, course.ID, ses.ID, as[0].ID, as[1].ID, as[2].ID)
}

// spellings are the ways in which an id can be written.
func spellings(id uuid.UUID) []string {
	plain := hex.EncodeToString(id[:])
	return []string{
		id.String(), strings.ToUpper(id.String()), plain, strings.ToUpper(plain), string(id[:]),
		base64.StdEncoding.EncodeToString(id[:])[:21], base64.URLEncoding.EncodeToString(id[:])[:21],
	}
}

// secrets is everything that must not be in a file that hides who somebody is.
func (m *marked) secrets() []string {
	out := slices.Clone(m.texts)
	for _, text := range m.texts { // however they are folded
		out = append(out, strings.ToLower(text))
	}
	for _, id := range m.ids {
		out = append(out, spellings(id)...)
	}
	return out
}

// written writes an export as a server would, and gives all that can be read in
// the file: what is packed in it as well.
func (m *marked) written(t *testing.T, r research.Request) string {
	t.Helper()
	x, err := m.Research.Prepare(ctx, m.Who, r)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	err = m.Research.Read(ctx, x, func(table export.Table) error {
		_, err := m.Research.Write(ctx, &b, x, table, "protrack test")
		return err
	})
	if err != nil {
		t.Fatalf("%s as %s: %v", r.Table, r.Format, err)
	}
	return unpacked(t, b.Bytes())
}

func unpacked(t *testing.T, file []byte) string {
	t.Helper()
	out := string(file)
	switch {
	case bytes.HasPrefix(file, []byte("PK")):
		z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			out += f.Name + f.Comment + unpacked(t, content)
		}
	case bytes.HasPrefix(file, []byte("PAR1")):
		out += parquetText(t, file)
	}
	return out
}

// parquetText is what a Parquet file holds: its values and its metadata.
func parquetText(t *testing.T, file []byte) string {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, kv := range f.Metadata().KeyValueMetadata {
		fmt.Fprintln(&out, kv.Key, kv.Value)
	}
	for _, group := range f.RowGroups() {
		rows := group.Rows()
		buf := make([]parquet.Row, 16)
		for err == nil {
			var n int
			n, err = rows.ReadRows(buf)
			for _, row := range buf[:n] {
				for _, v := range row {
					fmt.Fprintln(&out, v.String())
				}
			}
		}
		if !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		err = rows.Close()
	}
	return out.String()
}

// TestNoFileTellsWhoSomebodyIs looks for everything that names a client in the
// bytes of every table, format and package.
func TestNoFileTellsWhoSomebodyIs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		m := newMarked(t, d)
		secrets := m.secrets()
		for _, r := range laid {
			for _, r.Format = range export.Formats() {
				for _, r.Package = range []bool{false, true} {
					r.Labels = r.Package && slices.Contains([]export.Format{export.CSV, export.NDJSON, export.XLSX}, r.Format)
					if r.ChangedSince = nil; r.Package {
						r.ChangedSince = new(day(0)) // everything; with what was retracted
					}
					for _, r.Profile = range []research.Profile{research.Limited, research.Deidentified} {
						file := m.written(t, r)
						for _, s := range secrets {
							if strings.Contains(file, s) {
								t.Errorf("%s %s as %s (package: %v), %s, holds %q", r.Table, r.Shape, r.Format, r.Package, r.Profile, s)
							}
						}
					}
				}
			}
		}
	})
}

// TestAnIdentifiedFileHoldsTheMarks shows that the search above would find them.
func TestAnIdentifiedFileHoldsTheMarks(t *testing.T) {
	m := newMarked(t, storetest.SQLite(t))
	for _, format := range export.Formats() {
		if format == export.SPSS {
			continue // a program, which holds no data
		}
		for _, packed := range []bool{false, true} {
			file := m.written(t, research.Request{Table: research.Clients, Format: format, Package: packed, Profile: research.Identified})
			for _, mark := range []string{"MARKREF3ß", "MARKNAME0ß", "MARKGOAL5ß", "MARKWHY1ß", "Pacific/Marquesas", m.ids[2].String()} {
				if !strings.Contains(file, mark) {
					t.Errorf("%s (package: %v) lacks %s", format, packed, mark)
				}
			}
		}
	}
}

// TestNoTrueDateIsInADeidentifiedFile compares every time that is shown with
// every true one.
func TestNoTrueDateIsInADeidentifiedFile(t *testing.T) {
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		m := newMarked(t, d)
		trueTimes := map[string]bool{"2026-01-03T00:00:00Z": true}
		for _, at := range m.times {
			trueTimes[at.Format(time.RFC3339Nano)] = true
		}
		shown := func(r research.Request) (n, found int) {
			f := m.read(t, r)
			for _, row := range f.rows {
				for i, c := range f.Columns {
					if c.Kind == export.Moment && row[i].Missing == export.Present {
						if n++; trueTimes[cellText(c, row[i])] {
							found++
						}
					}
				}
			}
			return n, found
		}
		for _, r := range laid {
			r.Profile = research.Deidentified
			if _, found := shown(r); found > 0 {
				t.Errorf("%s %s: %d true times", r.Table, r.Shape, found)
			}
			if r.Dates = research.DaysOnly; r.Table == research.Clients {
				if n, _ := shown(r); n > 0 {
					t.Errorf("%s: %d times in an export of days", r.Table, n)
				}
			}
		}
		if n, found := shown(research.Request{Table: research.Sessions, Profile: research.Limited}); n != 6 || found != 6 {
			t.Errorf("of %d limited times %d are true", n, found)
		}
	})
}

func TestIntervalsAreKeptAndPseudonymsAreTheProjects(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		for i := range 8 {
			p := c.person(t, care.Client{})
			c.record(t, form(p.ID, "gad-7", day(i), 1), form(p.ID, "gad-7", day(2*i+3).Add(time.Microsecond), 1))
		}
		moved := c.read(t, research.Request{Profile: research.Deidentified})
		limited := c.read(t, research.Request{Profile: research.Limited})
		again := c.read(t, research.Request{Profile: research.Deidentified, Table: research.Clients})
		if d := cmp.Diff(limited.texts("assessment_id", "client"), moved.texts("assessment_id", "client")); d != "" {
			t.Fatalf("pseudonyms of one project (-limited +deidentified):\n%s", d)
		}
		if d := cmp.Diff(again.texts("client"), slices.Compact(moved.texts("client"))); d != "" {
			t.Errorf("pseudonyms of two tables (-clients +assessments):\n%s", d)
		}
		shifts := map[string]time.Duration{}
		at, client := moved.column("completed_at"), moved.texts("client")
		for i, row := range moved.rows {
			shift := time.Duration(row[at].Int-limited.rows[i][at].Int) * time.Microsecond
			if before, known := shifts[client[i]]; known && before != shift {
				t.Errorf("two times of a client are moved by %s and %s", before, shift)
			}
			if shifts[client[i]] = shift; shift == 0 || shift%(24*time.Hour) != 0 || shift.Abs() > 365*24*time.Hour {
				t.Errorf("moved by %s", shift)
			}
		}
		other := c.read(t, research.Request{Profile: research.Limited, Project: "another"})
		for _, id := range slices.Concat(limited.texts("client"), limited.texts("assessment_id")) {
			if slices.Contains(other.texts("client"), id) || slices.Contains(other.texts("assessment_id"), id) {
				t.Errorf("%s is in two projects", id)
			}
		}
	})
}

// TestDatesAreMovedAlikeInEveryProject: by another constant in each, enough
// projects would give the true date away.
func TestDatesAreMovedAlikeInEveryProject(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		for i := range 8 {
			c.record(t, form(c.person(t, care.Client{}).ID, "gad-7", day(i), 1))
		}
		times := func(project string) []string {
			out := c.read(t, research.Request{Profile: research.Deidentified, Project: project}).texts("completed_at")
			slices.Sort(out)
			return out
		}
		if d := cmp.Diff(times("one"), times("two")); d != "" {
			t.Errorf("times in two projects (-one +two):\n%s", d)
		}
		if _, err := c.try(research.Request{Profile: research.Deidentified, Project: "_dates"}); !fault.Is(err, fault.Invalid) {
			t.Errorf("the key of dates names people: %v", err)
		}
	})
}

func TestAProjectsSecretIsNotPrinted(t *testing.T) {
	p := research.Project{Name: "one", Secret: research.Secret("MARKSECRET")}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{fmt.Sprint(p), fmt.Sprintf("%+v %#v %s %q", p, p, p.Secret, p.Secret), slog.AnyValue(p.Secret).Resolve().String(), string(text)} {
		if strings.Contains(shown, "MARK") || strings.Contains(shown, hex.EncodeToString([]byte("MARK"))) || strings.Contains(shown, "77, 65") {
			t.Errorf("printed: %s", shown)
		}
	}
}

// TestTheOrderOfRowsIsNotThatOfComing compares it with the order of ids, which
// tell when each client came.
func TestTheOrderOfRowsIsNotThatOfComing(t *testing.T) {
	c := newStudy(t, storetest.SQLite(t))
	for i := range 12 {
		c.person(t, care.Client{BirthYear: new(1940 + i)})
	}
	order := func(r research.Request) []string {
		r.Table = research.Clients
		return c.read(t, r).texts("birth_year")
	}
	came := order(research.Request{})
	if !slices.IsSorted(came) {
		t.Errorf("identified: %v", came)
	}
	one, two := order(research.Request{Profile: research.Limited, Project: "one"}), order(research.Request{Profile: research.Limited, Project: "two"})
	if slices.Equal(one, came) || slices.Equal(two, came) || slices.Equal(one, two) {
		t.Errorf("came %v\none %v\ntwo %v", came, one, two)
	}
}

func TestAgesOver89AreOne(t *testing.T) {
	c := newStudy(t, storetest.SQLite(t))
	for _, year := range []int{1920, 1935, 1936, 1937} {
		p := c.person(t, care.Client{BirthYear: &year})
		c.session(t, care.Session{ClientID: p.ID, Kind: care.Dosing, StartedAt: day(3)})
	}
	for profile, want := range map[research.Profile]string{
		research.Deidentified: "89 90 90 90", research.Limited: "106 89 90 91",
	} {
		for _, r := range []research.Request{{Table: research.Clients}, {Shape: research.Wide}} {
			r.Profile = profile
			got := c.read(t, r).texts("age_at_first_dose")
			if slices.Sort(got); strings.Join(got, " ") != want {
				t.Errorf("%s: %v, want %s", profile, got, want)
			}
		}
	}
}

// ill stores clients with an indication, each with a session of a route.
func ill(t *testing.T, c study, n int, indication string, route care.Route) {
	t.Helper()
	for range n {
		p := c.person(t, care.Client{Sex: instrument.Female})
		course := c.course(t, care.Course{ClientID: p.ID, Indication: indication, StartedOn: "2026-01-03"})
		c.session(t, care.Session{
			ClientID: p.ID, CourseID: &course.ID, Kind: care.Dosing, StartedAt: day(5), Medicine: &care.Medicine{Substance: "Ketamine", Route: route, DoseMG: 1},
		})
	}
}

// tally counts the values of a column.
func (f file) tally(name string) map[string]int {
	out := map[string]int{}
	for _, text := range f.texts(name) {
		out[text]++
	}
	return out
}

func TestRareValuesAreMerged(t *testing.T) {
	each(t, func(t *testing.T, c study) {
		ill(t, c, 5, "Major  Depression", care.Oral)
		ill(t, c, 2, "major depression", care.Oral)
		ill(t, c, 5, "PTSD", care.Intranasal)
		ill(t, c, 1, "Anorexia", care.Intravenous)
		c.person(t, care.Client{Sex: instrument.Male})
		for _, tc := range []struct {
			profile                                research.Profile
			indications, routes, sexes, substances map[string]int
		}{
			// The one of the rarest would be found among other alone: the next rarest goes too.
			{research.Deidentified, map[string]int{"major depression": 7, "other": 6}, map[string]int{"oral": 7, "other": 6}, map[string]int{"other": 14}, map[string]int{"ketamine": 13}},
			{research.Limited, map[string]int{"major depression": 7, "other": 6}, map[string]int{"oral": 7, "intranasal": 5, "intravenous": 1},
				map[string]int{"female": 13, "male": 1}, map[string]int{"ketamine": 13}},
			{research.Identified, map[string]int{"Major  Depression": 5, "major depression": 2, "PTSD": 5, "Anorexia": 1}, map[string]int{"oral": 7, "intranasal": 5, "intravenous": 1},
				map[string]int{"female": 13, "male": 1}, map[string]int{"Ketamine": 13}},
		} {
			sessions := c.read(t, research.Request{Table: research.Sessions, Profile: tc.profile})
			clients := c.read(t, research.Request{Table: research.Clients, Profile: tc.profile})
			for what, got := range map[string][2]map[string]int{
				"indications": {tc.indications, sessions.tally("indication")}, "routes": {tc.routes, sessions.tally("route")},
				"sexes": {tc.sexes, clients.tally("sex")}, "substances": {tc.substances, sessions.tally("substance")},
			} {
				if d := cmp.Diff(got[0], got[1]); d != "" {
					t.Errorf("%s, %s (-want +got):\n%s", tc.profile, what, d)
				}
			}
		}
		if _, err := c.Care.ChooseClinicSettings(ctx, c.Who, care.ClinicSettings{SmallestCell: 8}); err != nil {
			t.Fatal(err)
		}
		f := c.read(t, research.Request{Table: research.Sessions, Profile: research.Deidentified})
		if d := cmp.Diff(map[string]int{"other": 13}, f.tally("indication")); d != "" {
			t.Errorf("where cells are of eight people (-want +got):\n%s", d)
		}
	})
}
