package store

import (
	"bytes"
	"errors"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"

	"github.com/protrack/protrack/pkg/research"
)

var errNotAnswers = errors.New("stored answers are not an object of numbers")

// readAnswers reads the stored answers token by token: there are many, and
// their few item names are shared.
func (s *formScan) readAnswers(f *research.Form) error {
	if s.answers == nil {
		f.TotalOnly = true
		return nil
	}
	f.Answers = make([]research.Answer, 0, answersAtOnce)
	s.buffer.Reset()
	s.buffer.Write(s.answers)
	s.decoder.Reset(&s.buffer)
	if t, err := s.decoder.ReadToken(); err != nil || t.Kind() != '{' {
		return errors.Join(errNotAnswers, err)
	}
	for s.decoder.PeekKind() != '}' {
		name, err := s.decoder.ReadValue()
		if err != nil {
			return err
		}
		answer := research.Answer{Item: s.text(bytes.Trim(name, `"`))}
		value, err := s.decoder.ReadValue()
		if err != nil {
			return err
		}
		if value.Kind() != 'n' {
			n, err := strconv.Atoi(string(value))
			if err != nil {
				return errors.Join(errNotAnswers, err)
			}
			answer.Value = new(n)
		}
		if answer.Item == item9 {
			f.Item9 = answer.Value
		}
		f.Answers = append(f.Answers, answer)
	}
	if !s.query.Answers {
		f.Answers = nil
	}
	return nil
}

// answersAtOnce is the length of the longest common questionnaire.
const answersAtOnce = 20

// item9 is the PHQ-9's question about suicidal thoughts.
const item9 = "phq9_9"

// readScore reads what a score says besides its total.
func (s *formScan) readScore(f *research.Form) error {
	var doc struct {
		ItemsAnswered *int                `json:"items_answered"`
		Subscales     map[string]*float64 `json:"subscales"`
	}
	if err := json.Unmarshal(s.score, &doc); err != nil {
		return err
	}
	f.ItemsAnswered, f.Subscales = doc.ItemsAnswered, doc.Subscales
	if len(s.declined) <= len("null") { // null or []
		return nil
	}
	if err := json.Unmarshal(s.declined, &f.Declined); err != nil {
		return err
	}
	slices.Sort(f.Declined)
	return nil
}
