package apitest_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// studied gives a clinic clients who agree to research, each with two PHQ-9
// about one session, and one who was never asked.
func studied(s *apitest.Server, n int) (clients []string) {
	post := func(path string, body object) string {
		return s.Do("POST", path, body).Want(http.StatusCreated).JSON()["id"].(string)
	}
	for i := range n + 1 {
		client := post("/v1/clients", object{"reference": fmt.Sprint("P-", i), "birth_year": 1985})
		session := post("/v1/clients/"+client+"/sessions", dosing())
		for j, timing := range []string{"before", "after"} {
			post("/v1/clients/"+client+"/assessments", object{
				"instrument": "phq-9", "timing": timing, "session_id": session,
				"completed_at": time.Date(2026, 3, 10, 9+12*j, i%60, 0, 0, time.UTC), "answers": phq9(2, i%4, 2, 1, 1, 2, 1, 0, 0),
			})
		}
		if i == n {
			break // the last one was never asked
		}
		agree(s, client, "granted", "2026-03-01T09:00:00Z")
		clients = append(clients, client)
	}
	return clients
}

// agree records what a client says of research.
func agree(s *apitest.Server, client, status, at string) {
	s.Do("POST", "/v1/clients/"+client+"/consents", object{"scope": "research", "status": status, "at": at, "text_version": "1"}).Want(http.StatusCreated)
}

// whole is a file that came to its end, unpacked. The test fails where the
// trailers say that it is another.
func whole(t testing.TB, r *apitest.Response) []byte {
	t.Helper()
	r.Want(http.StatusOK)
	var file []byte
	var err error
	switch coding := r.Header.Get("Content-Encoding"); coding {
	case "":
		file = r.Body
	case "gzip":
		var z *gzip.Reader
		if z, err = gzip.NewReader(bytes.NewReader(r.Body)); err == nil {
			file, err = io.ReadAll(z)
		}
	case "zstd":
		var z *zstd.Decoder
		if z, err = zstd.NewReader(bytes.NewReader(r.Body)); err == nil {
			file, err = io.ReadAll(z)
		}
	default:
		t.Fatalf("coding %q", coding)
	}
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(file); r.Trailer.Get("Protrack-SHA256") != hex.EncodeToString(sum[:]) {
		t.Errorf("the trailer has the sum %q, and the file %x", r.Trailer.Get("Protrack-SHA256"), sum)
	}
	return file
}

// records reads CSV; the first line is the header.
func records(t testing.TB, file []byte) [][]string {
	t.Helper()
	lines, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	if err != nil || len(lines) == 0 {
		t.Fatalf("%v in %.200q", err, file)
	}
	return lines
}

const exportCSV = "/v1/exports/assessments"

func TestAFileComesWholeInEveryFormatAndCoding(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		studied(s, 3)
		for format, kind := range map[string]string{
			"csv": "text/csv; charset=utf-8; header=present", "ndjson": "application/x-ndjson", "parquet": "application/vnd.apache.parquet",
			"dta": "application/x-stata-dta", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "sps": "text/plain; charset=utf-8",
		} {
			var plain []byte
			for _, coding := range []string{"", "gzip", "zstd"} {
				for _, pack := range []bool{false, true} {
					r := s.Do("GET", exportCSV+"?format="+format+"&package="+strconv.FormatBool(pack), nil, "Accept-Encoding", coding)
					file := whole(t, r)
					what := fmt.Sprintf("%s, coding %q, package %v", format, coding, pack)
					if got := r.Trailer.Get("Protrack-Rows"); got != "6" {
						t.Errorf("%s: %q rows", what, got)
					}
					name, want, packs := "assessments-assessment-2026-06-01."+format, kind, format != "parquet" && format != "xlsx"
					if pack {
						name, want, packs = "assessments-assessment-2026-06-01.zip", "application/zip", false
					}
					same(t, what+": headers", []string{want, `attachment; filename="` + name + `"`, "no-store", "", strconv.FormatBool(packs && coding != "")},
						[]string{
							r.Header.Get("Content-Type"), r.Header.Get("Content-Disposition"), r.Header.Get("Cache-Control"),
							r.Header.Get("Content-Length"), strconv.FormatBool(r.Header.Get("Content-Encoding") != ""),
						})
					if slices.Contains(r.Header.Values("Vary"), "Accept-Encoding") != packs {
						t.Errorf("%s: Vary %q", what, r.Header.Values("Vary"))
					}
					if pack {
						continue
					}
					if plain == nil {
						plain = file
					}
					if !bytes.Equal(plain, file) {
						t.Errorf("%s: another file than without", what)
					}
				}
			}
		}
	})
}

func TestAPackageHoldsAManifestOfItsFiles(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		clients := studied(s, 3)
		agree(s, clients[0], "withdrawn", "2026-04-01T09:00:00Z")
		file := whole(t, s.Do("GET", exportCSV+"?package=true&instrument=phq-9&project=sleep", nil))
		files := unzipped(t, file)
		var manifest object
		if err := json.Unmarshal(files["manifest.json"], &manifest); err != nil {
			t.Fatal(err)
		}
		within(t, "manifest ", object{
			"format": "protrack-export", "version": 1.0, "program": "protrack test", "profile": "deidentified", "rows": 4.0,
			"generated_at": "2026-06-01T12:00:00Z", "as_of": "2026-06-01T12:00:00Z",
			"people":      object{"included": 2.0, "left_out": object{"no_consent": 1.0, "withdrawn": 1.0, "erased": 0.0}},
			"instruments": []any{object{"id": "phq-9", "version": s.Do("GET", "/v1/instruments/phq-9", nil).JSON()["version"]}},
		}, manifest)
		within(t, "request ", object{"table": "assessments", "shape": "assessment", "format": "csv", "project": "sleep", "dates": "shifted"}, manifest["request"])
		listed := manifest["files"].([]any)
		for _, f := range listed {
			f := f.(object)
			content := files[f["name"].(string)]
			sum := sha256.Sum256(content)
			same(t, "file "+f["name"].(string), object{"name": f["name"], "bytes": float64(len(content)), "sha256": hex.EncodeToString(sum[:])}, f)
		}
		if len(listed) < 7 || len(listed)+2 != len(files) { // the manifest and the sums are not in it
			t.Errorf("%d files, of which the manifest lists %d", len(files), len(listed))
		}
		if again := whole(t, s.Do("GET", exportCSV+"?package=true&instrument=phq-9&project=sleep", nil)); !bytes.Equal(file, again) {
			t.Error("the same package is other bytes")
		}
		for _, secret := range append(clients, "P-0", s.Clinic.Slug+`"`, s.Clinic.Who.Clinic.String()) {
			if bytes.Contains(bytes.Join([][]byte{files["manifest.json"], files["README.txt"]}, nil), []byte(secret)) {
				t.Errorf("the manifest or the README names %q", secret)
			}
		}
	})
}

func unzipped(t testing.TB, file []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if out[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestWhatAnExportDoesNotKnowIsRefusedAndNamed(t *testing.T) {
	s := apitest.SQLite(t)
	studied(s, 1)
	for query, want := range map[string][]string{
		"format=pdf&shape=tall&profile=aggregate&timing=often&dates=none&dialect=sas&na=-99&values=words&package=yes": {
			"/format", "/shape", "/profile", "/timing", "/dates", "/dialect", "/na", "/values", "/package",
		},
		"from=yesterday&to=2026&changed_since=x&as_of=now&course_id=1&cohort=2&session=0": {"/from", "/to", "/changed_since", "/as_of", "/course_id", "/cohort", "/session"},
		"session=1.5":                         {"/session"},
		"session=99999999999999999999":        {"/session"},
		"instruments=phq-9&shpae=long":        {"/instruments", "/shpae"},
		"format=csv&format=ndjson":            {"/format"},
		"format=ndjson&dialect=excel&na=NA":   {"/dialect", "/na"},
		"format=dta&values=labels":            {"/values"},
		"profile=limited&dates=days":          {"/dates"},
		"instrument=phq-9,bdi&project=A%2F..": {"/instrument", "/project"},
		"as_of=2999-01-01T00:00:00Z":          {"/as_of"},
	} {
		r := s.Do("GET", exportCSV+"?"+query, nil).Want(http.StatusUnprocessableEntity)
		var got []string
		for _, e := range problemOf(t, r).Errors {
			if e.In != "query" {
				t.Errorf("%s: %v", query, e)
			}
			got = append(got, e.Pointer)
		}
		slices.Sort(got)
		slices.Sort(want)
		same(t, query, want, got)
		for _, h := range []string{"Content-Disposition", "Trailer", "Content-Encoding"} {
			if r.Header.Get(h) != "" {
				t.Errorf("%s: a problem with %s", query, h)
			}
		}
	}
	problemOf(t, s.Do("GET", "/v1/exports/answers", nil).Want(http.StatusNotFound))
	problemOf(t, s.Do("POST", exportCSV, object{}).Want(http.StatusMethodNotAllowed))
}

func TestTheChoicesOfAFileAreKept(t *testing.T) {
	s := apitest.SQLite(t)
	s.Clock.Set(today)
	studied(s, 2)
	for query, want := range map[string]string{
		"dialect=excel": "\uFEFFassessment_id,",
		"na=NA":         ",NA,",
		"values=labels": "More than half the days",
	} {
		if file := whole(t, s.Do("GET", exportCSV+"?"+query, nil)); !strings.Contains(string(file), want) {
			t.Errorf("%s: no %q in %.300q", query, want, file)
		}
	}
	column := func(query, name string) bool {
		return slices.Contains(records(t, whole(t, s.Do("GET", exportCSV+"?"+query, nil)))[0], name)
	}
	if !column("dates=shifted", "completed_at") || column("dates=days", "completed_at") {
		t.Error("dates=days has times, or dates=shifted has none")
	}
	if !column("instrument=gad-7,phq-9", "gad7_1") || !column("instrument=gad-7&instrument=phq-9", "phq9_1") || column("instrument=gad-7", "phq9_1") {
		t.Error("the columns are not those of the instruments")
	}
}

func TestTheCodebookHasTheColumnsOfTheExport(t *testing.T) {
	s := apitest.SQLite(t)
	s.Clock.Set(today)
	studied(s, 2)
	before := count(t, behind(t, s), "SELECT count(*) FROM audit_entries")
	researcher := s.Clinic.Key[auth.Researcher]
	for _, query := range []string{"", "dates=days", "instrument=phq-9,gad-7"} {
		var names []string
		for _, line := range records(t, s.As(researcher, "GET", "/v1/exports/codebook?"+query, nil).Want(http.StatusOK).Body)[1:] {
			names = append(names, line[1])
		}
		same(t, "columns with "+query, records(t, whole(t, s.As(researcher, "GET", exportCSV+"?"+query, nil)))[0], names)
	}
	if after := count(t, behind(t, s), "SELECT count(*) FROM audit_entries WHERE action LIKE '%codebook%'"); after != 0 || before == 0 {
		t.Errorf("a codebook is no disclosure: %d entries, %d before", after, before)
	}
	r := s.As(researcher, "GET", "/v1/exports/codebook?format=json", nil).Want(http.StatusOK)
	if book := r.JSON(); len(book["tables"].([]any)) != 1 || r.Header.Get("Content-Disposition") != `attachment; filename="codebook-assessments.json"` {
		t.Errorf("%v %q", book, r.Header.Get("Content-Disposition"))
	}
	redcap := records(t, s.As(researcher, "GET", "/v1/exports/codebook?format=redcap", nil).Want(http.StatusOK).Body)
	if len(redcap[0]) != 18 || redcap[0][0] != "Variable / Field Name" {
		t.Errorf("a REDCap dictionary begins with %q", redcap[0])
	}
	problemOf(t, s.As(researcher, "GET", "/v1/exports/codebook?format=pdf&table=answers&colour=red", nil).Want(http.StatusUnprocessableEntity))
	problemOf(t, s.As(researcher, "GET", "/v1/exports/codebook?profile=identified", nil).Want(http.StatusForbidden))
}
