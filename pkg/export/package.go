package export

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/protrack/protrack/pkg/fault"
)

// File is a file of a package.
type File struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // in hexadecimal digits
}

// The files of every package besides its data and its README.txt. Those that
// are made of the sums of others come last.
const (
	ManifestFile  = "manifest.json"
	SignatureFile = "manifest.sig"
	SumsFile      = "SHA256SUMS" // as sha256sum -c reads it
)

// Package is a table with all that one needs to read it: its data, what the
// columns mean, programs that read it, and the sums of all files.
type Package struct {
	Table    Table
	Format   Format // of the data; for SPSS this is CSV with a program for SPSS
	Options  Options
	Modified time.Time // of all files, in whole seconds; the clock is not asked
	Readme   string    // what this is, of when it is, and who was left out

	// Manifest makes manifest.json, given the files before it; nil: there is none.
	Manifest func([]File) ([]byte, error)
	// Sign makes manifest.sig of manifest.json; nil: there is none.
	Sign func(manifest []byte) ([]byte, error)

	// Stored leaves all files uncompressed, so that the bytes do not depend on the
	// version of a compressor.
	Stored bool
	// Seal vouches for the whole file: it is given the SHA-256 of all but the
	// ZIP's comment, and what it makes becomes that comment. nil: there is none.
	Seal func(sum []byte) (string, error)
}

// WritePackage writes a package as a ZIP, and says how many rows its data has.
// The same package gives the same bytes. The data is neither kept in memory nor
// written elsewhere; errors are those of Write.
func WritePackage(ctx context.Context, w io.Writer, p Package) (int64, error) {
	if err := p.Table.Check(); err != nil {
		return 0, err
	}
	var closing func() error
	if p.Seal != nil {
		s := &sealer{out: NewSum(w), seal: p.Seal}
		w, closing = s, s.close
	}
	z := &packer{zip: newZip(w), modified: p.Modified, stored: p.Stored}
	if p.Seal != nil {
		if err := z.zip.SetComment(blank); err != nil {
			return 0, fmt.Errorf("write package: %w", err)
		}
	}
	rows, err := p.data(ctx, z)
	if err != nil {
		return rows, err
	}
	for _, add := range []func(*packer) error{p.describe, p.vouch} {
		if err := add(z); err != nil {
			return rows, err
		}
	}
	if err := z.zip.Close(); err != nil {
		return rows, fmt.Errorf("write package: %w", err)
	}
	if closing != nil {
		return rows, closing()
	}
	return rows, nil
}

// packer adds files to a ZIP and keeps their sums.
type packer struct {
	zip      *zip.Writer
	modified time.Time
	stored   bool
	files    []File
}

// add adds a file that write writes. A file that is compressed already is stored.
func (z *packer) add(name string, method uint16, write func(io.Writer) error) error {
	if z.stored {
		method = zip.Store
	}
	w, err := z.zip.CreateHeader(&zip.FileHeader{Name: name, Method: method, Modified: z.modified.UTC()})
	if err != nil {
		return fmt.Errorf("add %s: %w", name, err)
	}
	sum := NewSum(w)
	if err := write(sum); err != nil {
		return fmt.Errorf("add %s: %w", name, err)
	}
	z.files = append(z.files, File{Name: name, Bytes: sum.Bytes(), SHA256: sum.SHA256()})
	return nil
}

// text adds a file that is at hand.
func (z *packer) text(name string, content []byte) error {
	return z.add(name, zip.Deflate, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// dataFormat is the format of the data file.
func (p Package) dataFormat() Format {
	if p.Format == SPSS {
		return CSV
	}
	return p.Format
}

// dataName is the name of the data file.
func (p Package) dataName() string { return "data" + p.dataFormat().Extension() }

// options are those of the data file.
func (p Package) options() Options {
	if p.Format == SPSS {
		return p.Options.spssOptions()
	}
	return p.Options
}

// data adds the data, first of all: what it cannot hold is found before
// anything was written.
func (p Package) data(ctx context.Context, z *packer) (rows int64, err error) {
	var program bytes.Buffer
	if p.Format == SPSS {
		if _, err := Write(ctx, &program, SPSS, p.Table, p.Options); err != nil {
			return 0, err
		}
	}
	method := zip.Deflate
	if p.Format == Parquet || p.Format == XLSX {
		method = zip.Store
	}
	err = z.add(p.dataName(), method, func(w io.Writer) error {
		rows, err = Write(ctx, w, p.dataFormat(), p.Table, p.options())
		return err
	})
	if err == nil && p.Format == SPSS {
		err = z.text("read.sps", program.Bytes())
	}
	return rows, err
}

// describe adds what explains the data.
func (p Package) describe(z *packer) error {
	about, err := dataPackageJSON(p.Table, p.dataFormat(), p.options(), z.files[0])
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name  string
		write func() ([]byte, error)
	}{
		{"codebook.csv", p.codebook(CodebookCSV)},
		{"codebook.json", p.codebook(CodebookJSON)},
		{"datapackage.json", func() ([]byte, error) { return about, nil }},
		{"README.txt", func() ([]byte, error) { return []byte(p.Readme), nil }},
		{"read.R", func() ([]byte, error) { return p.script("read.R.tmpl") }},
		{"read.py", func() ([]byte, error) { return p.script("read.py.tmpl") }},
	} {
		content, err := f.write()
		if err != nil {
			return fmt.Errorf("make %s: %w", f.name, err)
		}
		if err := z.text(f.name, content); err != nil {
			return err
		}
	}
	return nil
}

func (p Package) codebook(format CodebookFormat) func() ([]byte, error) {
	return func() ([]byte, error) {
		var b bytes.Buffer
		err := Codebook(&b, format, p.Table)
		return b.Bytes(), err
	}
}

// vouch adds the manifest, its signature and the sums.
func (p Package) vouch(z *packer) error {
	if p.Manifest == nil && p.Sign != nil {
		return fault.New(fault.Invalid, "There is no manifest to sign.")
	}
	if p.Manifest != nil {
		manifest, err := p.Manifest(z.files)
		if err != nil {
			return fmt.Errorf("make %s: %w", ManifestFile, err)
		}
		if err := z.text(ManifestFile, manifest); err != nil {
			return err
		}
		if p.Sign != nil {
			signature, err := p.Sign(manifest)
			if err != nil {
				return fmt.Errorf("make %s: %w", SignatureFile, err)
			}
			if err := z.text(SignatureFile, signature); err != nil {
				return err
			}
		}
	}
	var sums bytes.Buffer
	for _, f := range z.files {
		fmt.Fprintf(&sums, "%s  %s\n", f.SHA256, f.Name)
	}
	return z.text(SumsFile, sums.Bytes())
}
