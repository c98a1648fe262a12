package research

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/protrack/protrack/pkg/export"
)

// Manifest says what a package holds: what was asked for, what it was made of,
// who was left out, and the sum of every file. It names neither a client nor
// the clinic.
type Manifest struct {
	Format      string               `json:"format"`  // manifestFormat
	Version     int                  `json:"version"` // of the manifest's own form
	Program     string               `json:"program"` // that wrote the package
	Profile     Profile              `json:"profile"`
	Request     Request              `json:"request"`
	GeneratedAt time.Time            `json:"generated_at"`
	AsOf        time.Time            `json:"as_of"` // up to when the record was known
	Instruments []ManifestInstrument `json:"instruments"`
	People      ManifestPeople       `json:"people"`
	Rows        int64                `json:"rows"`
	Withdrawn   []string             `json:"withdrawn,omitempty"` // of a snapshot or an increment: who has left it since, by pseudonym
	Snapshot    string               `json:"snapshot,omitempty"`  // its name
	Files       []export.File        `json:"files"`

	// Differs is of a snapshot that nobody has left, and whose package is not the one that
	// was handed out first: nothing but the program can be why.
	Differs *Difference `json:"differs_from_first,omitempty"`
}

// Difference says how the package of a snapshot is not what was handed out
// first.
type Difference struct {
	FirstProgram string   `json:"first_program"` // that wrote the first one; Manifest.Program wrote this one
	Files        []string `json:"files"`         // that one of the two has not, or with another SHA-256; none: the manifest alone is another
}

// ManifestInstrument is a questionnaire by whose definition columns were made.
type ManifestInstrument struct {
	ID      string `json:"id"`
	Version string `json:"version"`
}

// ManifestPeople counts people: clients, where records that were merged are one.
type ManifestPeople struct {
	Included int     `json:"included"`
	LeftOut  LeftOut `json:"left_out"`
}

const (
	manifestFormat  = "protrack-export"
	manifestVersion = 1
)

// Manifest is that of an export whose rows were read, given the files that
// were made of it and the program that made them.
func (s *Service) Manifest(x *Export, program string, files []export.File) (Manifest, error) {
	m := Manifest{
		Format: manifestFormat, Version: manifestVersion, Program: program,
		Profile: x.Request.Profile, Request: x.Request, GeneratedAt: x.GeneratedAt, AsOf: x.Until(),
		People: ManifestPeople{Included: len(x.People), LeftOut: x.LeftOut}, Rows: x.rows, Files: files, Withdrawn: x.Withdrawn,
	}
	if x.snapshot != nil {
		m.Snapshot = x.snapshot.Name
	}
	for _, id := range x.Request.Instruments {
		m.Instruments = append(m.Instruments, ManifestInstrument{id, x.Terms.Versions[id]})
	}
	return m, nil
}

// JSON is the manifest as it is written and signed: the same manifest gives
// the same bytes.
func (m Manifest) JSON() ([]byte, error) {
	b, err := json.Marshal(m, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return nil, fmt.Errorf("write manifest: %w", err)
	}
	return append(b, '\n'), nil
}

// Package is an export's table with all that one needs to read it.
func (s *Service) Package(x *Export, t export.Table, program string) export.Package {
	return export.Package{
		Table: t, Format: x.Request.Format, Options: x.options(program),
		Modified: x.GeneratedAt.Truncate(time.Second), Readme: x.readme(t),
		Manifest: func(files []export.File) ([]byte, error) {
			m, err := s.Manifest(x, program, files)
			if err != nil {
				return nil, err
			}
			return m.JSON()
		},
	}
}

// Write writes the table of an export to w as its request says: as a file, or
// as a package. It says how many rows its data has. Errors are those of
// export.Write.
func (s *Service) Write(ctx context.Context, w io.Writer, x *Export, t export.Table, program string) (int64, error) {
	switch {
	case x.snapshot != nil:
		return export.WritePackage(ctx, w, s.snapshotPackage(ctx, x, t, program))
	case x.Request.Package:
		return export.WritePackage(ctx, w, s.Package(x, t, program))
	}
	return export.Write(ctx, w, x.Request.Format, t, x.options(program))
}

func (x *Export) options(program string) export.Options {
	return export.Options{
		Dialect: x.Request.Dialect, NA: x.Request.NA, Labels: x.Request.Labels, Program: program, Made: x.GeneratedAt,
	}
}

// FileName is the name of the file or package. It says nothing of a client:
// names of files are seen by many.
func (x *Export) FileName() string {
	if x.snapshot != nil {
		return x.snapshot.Name + ".zip"
	}
	parts := []string{string(x.Request.Table)}
	if x.Request.Shape != "" {
		parts = append(parts, string(x.Request.Shape))
	}
	name := strings.Join(append(parts, x.GeneratedAt.Format(time.DateOnly)), "-")
	if x.Request.Package {
		return name + ".zip"
	}
	return name + x.Request.Format.Extension()
}

// ContentType is the media type of the file or package.
func (x *Export) ContentType() string {
	if x.Request.Package {
		return "application/zip"
	}
	return x.Request.Format.ContentType()
}

// counted counts the rows that are handed on. Rows are read twice for some
// formats: those of the last time count.
func (x *Export) counted(rows export.Rows) export.Rows {
	return func(yield func([]export.Cell, error) bool) {
		x.rows = 0
		for cells, err := range rows {
			if err == nil {
				x.rows++
			}
			if !yield(cells, err) {
				return
			}
		}
	}
}

// readme tells people what a package is.
func (x *Export) readme(t export.Table) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", t.Title)
	fmt.Fprintf(&b, "Profile        %s: %s\n", x.Request.Profile, x.Request.Profile.meaning())
	fmt.Fprintf(&b, "Generated at   %s\n", x.GeneratedAt.Format(time.RFC3339))
	fmt.Fprintf(&b, "As known at    %s\n", x.Until().Format(time.RFC3339))
	fmt.Fprintf(&b, "Instruments    %s\n", strings.Join(x.Request.Instruments, ", "))
	fmt.Fprintf(&b, "People         %d\n\n", len(x.People))
	fmt.Fprintf(&b, "Left out, whatever the data would hold of them: %d people of whom nothing is\n", x.LeftOut.NoConsent)
	fmt.Fprintf(&b, "known of what they say to research, %d who refused or have withdrawn, and %d\n", x.LeftOut.Withdrawn, x.LeftOut.Erased)
	b.WriteString("whose record was erased.\n\n" + readmeFiles)
	return b.String()
}

// readmeFiles explains the files of a package.
const readmeFiles = `codebook.csv, codebook.json   what each column means
datapackage.json              the same for programs (Frictionless)
read.R, read.py               read the data with its types and labels
manifest.json                 what was asked for, and the sum of every file
SHA256SUMS                    sha256sum -c SHA256SUMS

An answer of 0 is 0. What is missing is empty, or NA, and never 0.
This is health data: keep it where nobody else can read it.
`
