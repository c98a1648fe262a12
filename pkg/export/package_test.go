package export_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/fault"
)

// packageOf is a package of the sample.
func packageOf(format export.Format, o export.Options) export.Package {
	return export.Package{
		Table: sample(), Format: format, Options: o, Modified: january, Readme: "Three clients.\n",
		Manifest: func(files []export.File) ([]byte, error) { return json.Marshal(files) },
		Sign: func(manifest []byte) ([]byte, error) {
			return []byte(fmt.Sprintf("signed %d bytes", len(manifest))), nil
		},
	}
}

func pack(t *testing.T, p export.Package) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := export.WritePackage(t.Context(), &b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAPackageHoldsAllThatOneNeeds(t *testing.T) {
	explained := []string{
		"codebook.csv", "codebook.json", "datapackage.json", "README.txt", "read.R", "read.py",
		"manifest.json", "manifest.sig", "SHA256SUMS",
	}
	tests := map[export.Format][]string{
		export.CSV: {"data.csv"}, export.NDJSON: {"data.ndjson"}, export.Parquet: {"data.parquet"},
		export.Stata: {"data.dta"}, export.XLSX: {"data.xlsx"}, export.SPSS: {"data.csv", "read.sps"},
	}
	for format, data := range tests {
		t.Run(string(format), func(t *testing.T) {
			b := pack(t, packageOf(format, export.Options{}))
			z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, f := range z.File {
				names = append(names, f.Name)
				if !f.Modified.Equal(january) {
					t.Errorf("%s was modified at %s", f.Name, f.Modified)
				}
			}
			if diff := cmp.Diff(slices.Concat(data, explained), names); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheSumsOfAPackageAreThoseOfItsFiles(t *testing.T) {
	files := unzip(t, pack(t, packageOf(export.CSV, export.Options{})))
	sums := map[string]string{}
	for line := range strings.Lines(string(files[export.SumsFile])) {
		sum, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		sums[name] = sum
	}
	var manifest []export.File
	if err := json.Unmarshal(files[export.ManifestFile], &manifest); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		if name == export.SumsFile {
			continue
		}
		sum := sha256.Sum256(content)
		if got := sums[name]; got != hex.EncodeToString(sum[:]) {
			t.Errorf("the sum of %s is %q", name, got)
		}
	}
	if len(sums) != len(files)-1 || len(manifest) != len(files)-3 {
		t.Errorf("there are %d sums, %d files in the manifest and %d files", len(sums), len(manifest), len(files))
	}
	if data := manifest[0]; data.Name != "data.csv" || data.Bytes != int64(len(files["data.csv"])) || data.SHA256 != sums["data.csv"] {
		t.Errorf("the manifest says %+v of the data", data)
	}
	if want := fmt.Sprintf("signed %d bytes", len(files[export.ManifestFile])); string(files[export.SignatureFile]) != want {
		t.Errorf("the signature is %q", files[export.SignatureFile])
	}
}

func TestAPackageIsTheSameEachTime(t *testing.T) {
	for _, format := range export.Formats() {
		p := packageOf(format, export.Options{Program: "protrack 1.0.0", Made: january})
		first := pack(t, p)
		for range 5 {
			if !bytes.Equal(first, pack(t, p)) {
				t.Errorf("a package of %s is another the second time", format)
			}
		}
		p.Modified = p.Modified.Add(time.Hour)
		if bytes.Equal(first, pack(t, p)) {
			t.Errorf("a package of %s that was modified later is the same", format)
		}
	}
}

func TestAPackageIsAsItWas(t *testing.T) {
	scripts := unzip(t, pack(t, packageOf(export.CSV, export.Options{}))) // those of other formats are run
	golden(t, "read.R", scripts["read.R"])
	golden(t, "read.py", scripts["read.py"])
	files := unzip(t, pack(t, packageOf(export.CSV, export.Options{Made: january})))
	golden(t, "datapackage.json", files["datapackage.json"])
	labelled := unzip(t, pack(t, packageOf(export.CSV, export.Options{Labels: true, NA: "NA", Dialect: export.Excel})))
	golden(t, "datapackage-labels.json", labelled["datapackage.json"])
}

func TestWhatBreaksInAPackageIsSeen(t *testing.T) {
	broken := errors.New("the key is away")
	good := packageOf(export.CSV, export.Options{})
	whole := len(pack(t, good))
	for name, change := range map[string]func(*export.Package){
		"the manifest":  func(p *export.Package) { p.Manifest = func([]export.File) ([]byte, error) { return nil, broken } },
		"the signature": func(p *export.Package) { p.Sign = func([]byte) ([]byte, error) { return nil, broken } },
		"the rows": func(p *export.Package) {
			p.Table.Rows = func(yield func([]export.Cell, error) bool) { yield(nil, broken) }
		},
	} {
		p := packageOf(export.CSV, export.Options{})
		change(&p)
		var b bytes.Buffer
		if _, err := export.WritePackage(t.Context(), &b, p); !errors.Is(err, broken) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len())); err == nil {
			t.Errorf("%s: what was written looks whole", name)
		}
	}
	for _, room := range []int{0, whole / 2, whole - 1} {
		if _, err := export.WritePackage(t.Context(), &tooFull{room}, good); !errors.Is(err, errFull) {
			t.Errorf("in %d of %d bytes it is %v", room, whole, err)
		}
	}
	unsigned := good
	unsigned.Manifest = nil
	if _, err := export.WritePackage(t.Context(), io.Discard, unsigned); !fault.Is(err, fault.Invalid) {
		t.Errorf("a signature of nothing is %v", err)
	}
	named := good
	named.Table.Name = "No Name"
	if _, err := export.WritePackage(t.Context(), io.Discard, named); err == nil {
		t.Error("a table that no program reads is written")
	}
}

func TestWhatAFormatCannotHoldIsSaidBeforeAPackageBegins(t *testing.T) {
	for _, tt := range []struct {
		format export.Format
		length int
	}{{export.Stata, 2046}, {export.XLSX, 32768}} {
		p := packageOf(tt.format, export.Options{})
		p.Table = one(export.Column{Kind: export.Text}, export.TextCell(strings.Repeat("x", tt.length)))
		var b bytes.Buffer
		if _, err := export.WritePackage(t.Context(), &b, p); !fault.Is(err, fault.Invalid) || b.Len() > 0 {
			t.Errorf("%s: %v, after %d bytes", tt.format, err, b.Len())
		}
	}
}

func TestTheDataForSPSSHasNoLineBreaksInARow(t *testing.T) {
	p := packageOf(export.SPSS, export.Options{NA: "NA", Labels: true, Dialect: export.Excel})
	files := unzip(t, pack(t, p))
	lines := strings.Split(string(files[export.SPSSData]), "\n")
	if len(lines) != 5 || !strings.HasSuffix(lines[2], `,"said ""naïve"", then left"`) || lines[3] != "P-003,,,,,,,,,-1,NA" {
		t.Errorf("the data is %q", lines)
	}
}
