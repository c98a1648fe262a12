package export

import (
	"cmp"
	"strings"
)

// The shape of a Frictionless data package, version 2: https://datapackage.org
type (
	dataPackage struct {
		Schema    string         `json:"$schema"`
		Name      string         `json:"name"`
		Title     string         `json:"title,omitzero"`
		Created   string         `json:"created,omitzero"`
		Resources []dataResource `json:"resources"`
	}
	dataResource struct {
		Name      string       `json:"name"`
		Type      string       `json:"type"`
		Path      string       `json:"path"`
		Title     string       `json:"title,omitzero"`
		Format    string       `json:"format"`
		MediaType string       `json:"mediatype"`
		Encoding  string       `json:"encoding,omitzero"`
		Bytes     int64        `json:"bytes"`
		Hash      string       `json:"hash"`
		Dialect   *dataDialect `json:"dialect,omitzero"`
		Schema    dataSchema   `json:"schema"`
	}
	dataDialect struct {
		Delimiter      string `json:"delimiter"`
		LineTerminator string `json:"lineTerminator"`
		QuoteChar      string `json:"quoteChar"`
		DoubleQuote    bool   `json:"doubleQuote"`
		Header         bool   `json:"header"`
	}
	dataSchema struct {
		Fields        []dataField `json:"fields"`
		MissingValues []string    `json:"missingValues"`
	}
	dataField struct {
		Name        string           `json:"name"`
		Type        string           `json:"type"`
		Title       string           `json:"title,omitzero"`
		Description string           `json:"description,omitzero"`
		Unit        string           `json:"unit,omitzero"`
		TrueValues  []string         `json:"trueValues,omitempty"`
		FalseValues []string         `json:"falseValues,omitempty"`
		Constraints *dataConstraints `json:"constraints,omitzero"`
		Categories  any              `json:"categories,omitzero"`
	}
	dataConstraints struct {
		Minimum *float64 `json:"minimum,omitzero"`
		Maximum *float64 `json:"maximum,omitzero"`
	}
)

// dataPackageJSON describes the data file of a package.
func dataPackageJSON(t Table, format Format, o Options, data File) ([]byte, error) {
	resource := dataResource{
		Name: t.Name, Type: "table", Path: data.Name, Title: t.Title,
		Format: string(format), MediaType: format.ContentType(), Bytes: data.Bytes, Hash: "sha256:" + data.SHA256,
		Schema: dataSchema{MissingValues: []string{""}},
	}
	resource.MediaType, _, _ = strings.Cut(resource.MediaType, ";")
	if o.NA != "" && (format == CSV || format == XLSX) {
		resource.Schema.MissingValues = []string{o.NA}
	}
	if format == CSV {
		end := "\n"
		if o.Dialect == Excel {
			end = "\r\n"
		}
		resource.Dialect = &dataDialect{",", end, `"`, true, true}
	}
	if format == CSV || format == NDJSON {
		resource.Encoding = "utf-8"
	}
	for _, c := range t.Columns {
		resource.Schema.Fields = append(resource.Schema.Fields, c.dataField(format, o.Labels))
	}
	p := dataPackage{
		Schema: "https://datapackage.org/profiles/2.0/datapackage.json",
		Name:   strings.ReplaceAll(t.Name, "_", "-"), Title: t.Title, Resources: []dataResource{resource},
	}
	if !o.Made.IsZero() {
		p.Created = string(appendMoment(nil, o.Made.UnixMicro()))
	}
	b, err := marshal(p)
	return append(b, '\n'), err
}

// dataField describes a column. A file with labels holds texts in place of codes.
func (c Column) dataField(format Format, labels bool) dataField {
	f := dataField{Name: c.Name, Type: c.Kind.String(), Title: c.Label, Description: c.provenance(), Unit: c.Unit}
	if c.Kind == Text {
		f.Type = "string"
	}
	labels = labels && format.labelled() && len(c.Codes) > 0
	switch {
	case labels:
		f.Type = "string"
		f.Categories = c.labelTexts()
	case len(c.Codes) > 0 && c.Kind != Boolean:
		categories := make([]bookCode, len(c.Codes))
		for i, code := range c.Codes {
			categories[i] = bookCode{c.codeValue(code), code.Label}
		}
		f.Categories = categories
	case c.Kind == Boolean && format == CSV:
		f.TrueValues, f.FalseValues = []string{"1"}, []string{"0"}
	}
	if !labels && (c.Kind == Integer || c.Kind == Real) && cmp.Or(c.Min, c.Max) != nil {
		f.Constraints = &dataConstraints{c.Min, c.Max}
	}
	return f
}

// labelled says whether files of the format can hold labels in place of codes.
func (f Format) labelled() bool { return f == CSV || f == NDJSON || f == XLSX }

// labelTexts are the labels of a column's codes, each once.
func (c Column) labelTexts() []string {
	var texts []string
	seen := map[string]bool{}
	for _, code := range c.Codes {
		if !seen[code.Label] {
			seen[code.Label] = true
			texts = append(texts, code.Label)
		}
	}
	return texts
}
