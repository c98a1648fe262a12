package rest

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/instrument"
)

//go:embed record.html
var recordTemplate string

//go:embed record.css
var recordStyle string

// recordPolicy lets the page have its own style, by its hash, and nothing else.
var recordPolicy = "default-src 'none'; style-src '" + styleHash(recordStyle) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func styleHash(style string) string {
	sum := sha256.Sum256([]byte(style))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

var recordHTML = template.Must(template.New("record").Parse(recordTemplate))

// recordPage is a record as one page that can be read and printed: no script,
// nothing from elsewhere.
func recordPage(r care.Record) ([]byte, error) {
	zone, err := time.LoadLocation(r.Client.TimeZone)
	if err != nil {
		zone = time.UTC
	}
	p := page{RecordPackage: packageFromCare(r), Now: clientFromCare(r.Client), record: r, zone: zone}
	var out bytes.Buffer
	if err := recordHTML.Execute(&out, p); err != nil {
		return nil, fmt.Errorf("write the page of a record: %w", err)
	}
	return out.Bytes(), nil
}

// page is what the template is given.
type page struct {
	RecordPackage
	Now    Client
	record care.Record
	zone   *time.Location
}

// Style is the page's one style sheet.
func (p page) Style() template.CSS { return template.CSS(recordStyle) } //nolint:gosec // embedded, and the same for everybody

// Zone names the zone of the times on the page.
func (p page) Zone() string { return p.zone.String() }

// When is a time in the client's zone, with the distance from UTC; empty for none.
func (p page) When(t any) string {
	const layout = "2006-01-02 15:04 -07:00"
	switch v := t.(type) {
	case time.Time:
		return v.In(p.zone).Format(layout)
	case *time.Time:
		if v != nil {
			return v.In(p.zone).Format(layout)
		}
	}
	return ""
}

// Words turns a code into words.
func (page) Words(code string) string { return strings.ReplaceAll(code, "_", " ") }

// Title is an assessment's instrument by the name that people know.
func (p page) Title(a Assessment) string {
	if def := p.questionnaire(a); def != nil {
		return def.Title
	}
	return a.Instrument
}

func (p page) questionnaire(a Assessment) *care.Questionnaire {
	return p.record.Instruments[a.Instrument][a.InstrumentVersion]
}

// pageAnswer is one question and what was answered.
type pageAnswer struct{ Item, Question, Answer string }

// Answers lists the questions of an assessment with the answers in words.
func (p page) Answers(a Assessment) []pageAnswer {
	def := p.questionnaire(a)
	if def == nil || a.Answers == nil {
		return nil
	}
	declined := map[string]bool{}
	for _, id := range a.Declined {
		declined[id] = true
	}
	out := make([]pageAnswer, len(def.Items))
	for i, item := range def.Items {
		out[i] = pageAnswer{Item: item.ID, Question: item.Text, Answer: answerText(def.Options(item), a.Answers[item.ID], declined[item.ID])}
	}
	return out
}

func answerText(options []instrument.Option, value *int, declined bool) string {
	switch {
	case value == nil && declined:
		return "declined"
	case value == nil:
		return "not answered"
	}
	for _, o := range options {
		if o.Value == *value && o.Text != "" {
			return o.Text + " (" + strconv.Itoa(*value) + ")"
		}
	}
	return strconv.Itoa(*value)
}

// Score is a total in words, with its band.
func (page) Score(a Assessment) string {
	if a.Score.Total == nil {
		return "no total"
	}
	out := strconv.FormatFloat(*a.Score.Total, 'f', -1, 64)
	if a.Score.Severity != nil {
		out += ", " + strings.ReplaceAll(*a.Score.Severity, "_", " ")
	}
	return out
}
