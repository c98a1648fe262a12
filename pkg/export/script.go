package export

import (
	"bytes"
	"embed"
	"fmt"
	"strings"
	"text/template"
)

//go:embed scripts
var scriptFiles embed.FS

// scripts are the programs that read a package. A text of a table goes into
// them through quote alone, so that it stays a text.
var scripts = template.Must(template.New("").
	Funcs(template.FuncMap{"quote": quote}).
	ParseFS(scriptFiles, "scripts/*.tmpl"))

// scriptData is what a script knows of the data.
type scriptData struct {
	File    string
	Format  Format
	NA      string
	Columns []scriptColumn
}

// scriptColumn is a column as a script sees it. Codes are those in the file:
// where it holds labels, these stand for themselves.
type scriptColumn struct {
	Name, Label, Kind string
	Codes             []Code
}

// script writes a program that reads the package's data with types and labels.
func (p Package) script(name string) ([]byte, error) {
	o := p.options()
	d := scriptData{File: p.dataName(), Format: p.dataFormat(), NA: o.NA}
	for _, c := range p.Table.Columns {
		s := scriptColumn{Name: c.Name, Label: oneLine(c.Label), Kind: c.Kind.String()}
		switch {
		case o.Labels && d.Format.labelled() && len(c.Codes) > 0:
			s.Kind = Text.String()
			for _, label := range c.labelTexts() {
				s.Codes = append(s.Codes, Code{label, label})
			}
		case c.Kind != Boolean: // true and false need no labels
			s.Codes = c.Codes
		}
		d.Columns = append(d.Columns, s)
	}
	var b bytes.Buffer
	err := scripts.ExecuteTemplate(&b, name, d)
	return b.Bytes(), err
}

// quote writes a text as both R and Python read it, wherever they run: all but
// plain ASCII becomes an escape.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range clean(s) {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r >= ' ' && r <= '~':
			b.WriteRune(r)
		case r <= 0xFFFF:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
