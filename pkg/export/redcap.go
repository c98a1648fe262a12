package export

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// redcapHeader is what REDCap takes for a data dictionary, to the letter.
var redcapHeader = []string{
	"Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
	"Choices, Calculations, OR Slider Labels", "Field Note", "Text Validation Type OR Show Slider Number",
	"Text Validation Min", "Text Validation Max", "Identifier?",
	"Branching Logic (Show field only if...)", "Required Field?", "Custom Alignment",
	"Question Number (surveys only)", "Matrix Group Name", "Matrix Ranking?", "Field Annotation",
}

// redcap writes a REDCap data dictionary, a form for each table. REDCap has a
// name once in a project: where tables share a column, the first one has it.
func redcap(w io.Writer, tables []Table) error {
	out := csv.NewWriter(w)
	if err := out.Write(redcapHeader); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, t := range tables {
		matrices := redcapMatrices(t.Columns)
		for i, c := range t.Columns {
			if seen[c.Name] {
				continue
			}
			seen[c.Name] = true
			if err := out.Write(redcapRow(t.Name, c, matrices[i])); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}

// redcapRow is a column as a field of a form.
func redcapRow(form string, c Column, matrix string) []string {
	fieldType, choices, validation := "text", "", ""
	switch {
	case len(c.Codes) > 0:
		fieldType, choices = "radio", redcapChoices(c.Codes)
	case c.Kind == Boolean:
		fieldType = "yesno"
	case c.Kind == Text && c.Free:
		fieldType = "notes"
	default:
		validation = [...]string{"", "integer", "number", "", "datetime_seconds_ymd", "date_ymd"}[c.Kind]
	}
	lowest, highest := "", ""
	if validation == "integer" || validation == "number" {
		lowest, highest = bound(c.Min), bound(c.Max)
	}
	identifies := ""
	if c.Identifies {
		identifies = "y"
	}
	return []string{
		c.Name, form, "", fieldType, oneLine(c.Label), choices, c.Unit, validation, lowest, highest, identifies,
		"", "", "", "", matrix, "", oneLine(c.provenance()),
	}
}

// redcapChoices writes codes as REDCap has them: 0, Not at all | 1, Several days.
func redcapChoices(codes []Code) string {
	choices := make([]string, len(codes))
	for i, code := range codes {
		choices[i] = code.Value + ", " + code.choice()
	}
	return strings.Join(choices, " | ")
}

// choice is the label of a code among others that bars stand between.
func (c Code) choice() string { return strings.ReplaceAll(oneLine(c.Label), "|", "/") }

// redcapMatrices names, by column, the matrix that its field stands in: items of
// one questionnaire with the same answers, one after the other.
func redcapMatrices(columns []Column) []string {
	names, used := make([]string, len(columns)), map[string]int{}
	for i := 0; i < len(columns); {
		end := i + 1
		for end < len(columns) && columns[i].sameAnswers(columns[end]) {
			end++
		}
		if end-i > 1 {
			name := redcapName(columns[i].Instrument)
			if used[name]++; used[name] > 1 {
				name += "_" + strconv.Itoa(used[name])
			}
			for j := i; j < end; j++ {
				names[j] = name
			}
		}
		i = end
	}
	return names
}

// sameAnswers says that two columns are items of one questionnaire with the same answers.
func (c Column) sameAnswers(d Column) bool {
	return c.Instrument != "" && len(c.Codes) > 0 && c.Instrument == d.Instrument && c.Version == d.Version &&
		slices.Equal(c.Codes, d.Codes)
}

// redcapName makes a name of the letters that REDCap takes.
func redcapName(s string) string {
	legal := func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}
	return "m_" + strings.Map(legal, strings.ToLower(s))
}

// provenance says in one line where the values of a column come from, and on
// what terms the wording may be shown.
func (c Column) provenance() string {
	var parts []string
	for _, p := range [...]struct{ what, text string }{
		{"Instrument: ", strings.TrimSpace(c.Instrument + " " + c.Version)}, {"Source: ", c.Source}, {"Licence: ", c.Licence},
	} {
		if p.text != "" {
			parts = append(parts, p.what+p.text)
		}
	}
	return strings.Join(parts, "; ")
}

// oneLine is a text without line breaks and other control characters.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(clean(s), unicode.IsControl), " ")
}
