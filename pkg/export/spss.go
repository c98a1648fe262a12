package export

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
)

// SPSSData is the name of the CSV file that an SPSS program reads.
const SPSSData = "data.csv"

// The limits of SPSS, in bytes.
const (
	spssText       = 32767
	spssLabel      = 255
	spssValueLabel = 120
)

// writeSPSS writes the program that reads SPSSData: the table as CSV for
// research, with codes, with nothing for what is missing and with a space for
// each line break. The rows are read
// once, for the widths of the texts.
func writeSPSS(ctx context.Context, w io.Writer, t Table, _ Options) (int64, error) {
	rows, extents, err := t.measure(ctx)
	if err != nil {
		return 0, err
	}
	_, err = w.Write(spssProgram(t, extents))
	return rows, err
}

// spssOptions are those that the program expects of the CSV that it reads.
func (o Options) spssOptions() Options {
	o.Dialect, o.NA, o.Labels, o.flat = Research, "", false, true
	return o
}

// spssProgram is the program's text.
func spssProgram(t Table, extents []extent) []byte {
	var b bytes.Buffer
	say := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	say("* Encoding: UTF-8.\n* Run this in the folder that %s is in.\n\n", SPSSData)
	say("PRESERVE.\nSET DECIMAL=DOT.\n\nGET DATA\n  /TYPE=TXT\n  /FILE=%s\n  /ENCODING='UTF8'\n", spssQuoted(SPSSData, spssLabel))
	say("  /ARRANGEMENT=DELIMITED\n  /DELCASE=LINE\n  /DELIMITERS=\",\"\n  /QUALIFIER='\"'\n  /FIRSTCASE=2\n  /VARIABLES=")
	for i, c := range t.Columns {
		say("\n    %s %s", c.Name, c.spssInput(extents[i]))
	}
	say(".\n\nRESTORE.\n")
	spssMoments(say, t)

	say("\nFILE LABEL %s.\n\nVARIABLE LABELS", spssQuoted(t.Title, 64))
	for _, c := range t.Columns {
		say("\n  %s %s", c.Name, spssQuoted(c.Label, spssLabel))
	}
	say(".\n")
	spssValues(say, t)
	say("\nVARIABLE LEVEL")
	for _, c := range t.Columns {
		say("\n  %s (%s)", c.Name, c.spssLevel())
	}
	say(".\n\nEXECUTE.\n")
	return b.Bytes()
}

// spssQuoted is a text between quotation marks, in so many bytes at most.
func spssQuoted(s string, most int) string {
	return `"` + strings.ReplaceAll(cut(oneLine(s), most), `"`, `""`) + `"`
}

// spssMomentWidth is how wide a time is: 2026-01-31T09:30:00.123456Z.
const spssMomentWidth = 27

// spssInput is how a column is read.
func (c Column) spssInput(e extent) string {
	switch c.Kind {
	case Integer:
		return "F12.0"
	case Real:
		return "F16.4"
	case Boolean:
		return "F1.0"
	case Moment:
		return fmt.Sprintf("A%d", spssMomentWidth)
	case Day:
		return "SDATE10"
	}
	return fmt.Sprintf("A%d", min(spssText, max(1, e.width+1))) // an apostrophe may stand before it
}

func (c Column) spssLevel() string {
	switch {
	case c.Kind == Text || c.Kind == Boolean:
		return "NOMINAL"
	case len(c.Codes) > 0:
		return "ORDINAL"
	}
	return "SCALE"
}

// spssMoments makes times of texts: SPSS reads no ISO 8601 with its T and Z.
func spssMoments(say func(string, ...any), t Table) {
	const text = "iso_8601_"
	found := false
	for i, c := range t.Columns {
		if c.Kind != Moment {
			continue
		}
		found = true
		from := fmt.Sprintf("%s%d", text, i+1)
		say("\nRENAME VARIABLES (%s=%s).\n", c.Name, from)
		say("COMPUTE %s=NUMBER(SUBSTR(%s,1,10),SDATE10)", c.Name, from)
		say("+NUMBER(SUBSTR(%s,12,2),F2.0)*3600", from)
		say("+NUMBER(SUBSTR(%s,15,2),F2.0)*60\n  ", from)
		say("+NUMBER(REPLACE(SUBSTR(%s,18),\"Z\",\"\"),F9.0).\n", from)
		say("FORMATS %s (DATETIME20).\n", c.Name)
	}
	if !found {
		return
	}
	say("\nMATCH FILES FILE=*\n  /KEEP=")
	for _, c := range t.Columns {
		say("\n    %s", c.Name)
	}
	say(".\n")
}

// spssValues writes what the codes mean.
func spssValues(say func(string, ...any), t Table) {
	command := "\nVALUE LABELS"
	for _, c := range t.Columns {
		if len(c.Codes) == 0 {
			continue
		}
		say("%s\n  %s", command, c.Name)
		command = "\n  /"
		for _, code := range c.Codes {
			value := code.Value
			if c.Kind == Text {
				value = spssQuoted(value, spssValueLabel)
			}
			say("\n    %s %s", value, spssQuoted(code.Label, spssValueLabel))
		}
	}
	if command == "\n  /" {
		say(".\n")
	}
}
