package web

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
)

// What stands for an answer that is none. Neither is ever 0.
const (
	declined = "declined" // asked, and the client would not say
	skipped  = "skipped"  // no answer, and the page is told so
)

// answerField is the field of an item.
func answerField(item string) string { return "answers." + item }

// A question is one item of a questionnaire as a page asks it.
type question struct {
	Field   string // its name in the form
	Number  int    // as the page counts
	Text    string // in the questionnaire's language; where its wording is not free, the item's id
	Options []choice
	OnlyOf  []string // the sexes of whom it is asked, in the page's language; none: of everybody
	After   int      // the number of the question whose answer may leave this out; 0: none does
	Missing bool     // it is one of those that the page asks about
	item    instrument.Item
}

// choice is one answer of a question.
type choice struct{ Value, Text string }

// askedOf reports whether an item is asked of a client of a sex. Where the sex
// is not known to be another, it is.
func askedOf(item instrument.Item, sex instrument.Sex) bool {
	return len(item.AskedOf) == 0 || sex != instrument.Female && sex != instrument.Male || slices.Contains(item.AskedOf, sex)
}

// questions are the items of a questionnaire for a client. An item that is not
// asked of their sex is there only where the form has an answer to it.
func (t tongue) questions(def *instrument.Definition, sex instrument.Sex, f form) []question {
	var out []question
	numbers := map[string]int{}
	for _, item := range def.Items {
		if !askedOf(item, sex) && f.Value(answerField(item.ID)) == "" {
			continue
		}
		q := question{Field: answerField(item.ID), Number: len(out) + 1, Text: item.Text, item: item}
		if q.Text == "" {
			q.Text = item.ID
		}
		numbers[item.ID] = q.Number
		if def.Gate != nil && slices.Contains(def.Gate.Skips, item.ID) {
			q.After = numbers[def.Gate.Item]
		}
		for _, s := range item.AskedOf {
			q.OnlyOf = append(q.OnlyOf, t.T(sexWord(s)))
		}
		for _, o := range def.Options(item) {
			q.Options = append(q.Options, choice{Value: strconv.Itoa(o.Value), Text: o.Text})
		}
		out = append(out, q)
	}
	return out
}

func sexWord(s instrument.Sex) string {
	for _, o := range sexes {
		if o.Value == string(s) {
			return o.Label
		}
	}
	return string(s)
}

// singleDigits reports whether every answer is written with one digit, so that
// a whole form can be typed as a row of them.
func singleDigits(questions []question) bool {
	for _, q := range questions {
		for _, o := range q.Options {
			if len(o.Value) != 1 {
				return false
			}
		}
	}
	return len(questions) > 1
}

// spread takes answers that were typed in a row over to the questions: a digit
// for each, - for none, x for one that was declined. What is not scored may be
// left out at the end.
func (r *reading) spread(questions []question) {
	row := []rune(strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) || c == ',' || c == ';' {
			return -1
		}
		return unicode.ToLower(c)
	}, r.v.typed("in_order")))
	if len(row) == 0 {
		return
	}
	needed := len(questions)
	for needed > 0 && questions[needed-1].item.Unscored {
		needed--
	}
	if len(row) < needed || len(row) > len(questions) {
		r.wrong("in_order", fault.Detail{Code: "wrong_count", Message: "These are not as many answers as there are questions. Type - for one without an answer."})
		return
	}
	sent := r.v.Request().PostForm
	for i, c := range row {
		value := rowValue(c)
		if typed := sent.Get(questions[i].Field); typed != "" && typed != value {
			r.wrong("in_order", fault.Detail{Code: "contradiction", Message: "The row says otherwise than an answer below. Empty one of them."})
			return
		}
	}
	for i, c := range row {
		sent.Set(questions[i].Field, rowValue(c))
	}
	sent.Del("in_order")
}

// rowValue is what one character of a row of answers says.
func rowValue(c rune) string {
	switch c {
	case '-':
		return skipped
	case 'x':
		return declined
	}
	return string(c)
}

// answers reads the questions' fields.
func (r *reading) answers(questions []question) (answers instrument.Answers, refused []string) {
	answers = instrument.Answers{}
	for _, q := range questions {
		switch typed := r.v.typed(q.Field); typed {
		case "", skipped:
		case declined:
			refused = append(refused, q.item.ID)
		default:
			n, err := strconv.Atoi(typed)
			if err != nil {
				r.wrong(q.Field, fault.Detail{Code: "not_an_option", Message: "The answer is not one of the item's options."})
				continue
			}
			answers[q.item.ID] = &n
		}
	}
	return answers, refused
}

// doubts are what a page asks about before it stores a form: it is stored as
// it is only when somebody says so.
type doubts struct {
	Missing       []question // nothing is said of them, and they count
	Contradicting []question // they have answers, and the answer before says that they were not asked
}

// doubtful finds what is to be asked about.
func doubtful(def *instrument.Definition, questions []question, answers instrument.Answers, typed func(string) string) *doubts {
	var out doubts
	for _, q := range questions {
		switch gated := isGated(def, q.item.ID, answers); {
		case gated && counts(def, q.item, answers):
			out.Contradicting = append(out.Contradicting, q)
		case !gated && typed(q.Field) == "" && (!q.item.Unscored || !q.item.Optional):
			out.Missing = append(out.Missing, q)
		}
	}
	if len(out.Missing)+len(out.Contradicting) == 0 {
		return nil
	}
	return &out
}

// isGated reports whether the answers say that an item was not asked.
func isGated(def *instrument.Definition, item string, answers instrument.Answers) bool {
	if def.Gate == nil || !slices.Contains(def.Gate.Skips, item) {
		return false
	}
	first := answers[def.Gate.Item]
	return first != nil && *first == def.Gate.Equals
}

// counts reports whether an item has an answer that says more than nothing.
func counts(def *instrument.Definition, item instrument.Item, answers instrument.Answers) bool {
	given := answers[item.ID]
	return given != nil && slices.ContainsFunc(def.Options(item), func(o instrument.Option) bool { return o.Value == *given && o.Points() != 0 })
}

// comparedAnswers are the questions as fields in which two people's work can
// differ.
func (t tongue) comparedAnswers(questions []question) []compared {
	var out []compared
	for _, q := range questions {
		words := []option{
			{Value: "", Label: t.T("Nothing said")}, {Value: skipped, Label: t.T("No answer")}, {Value: declined, Label: t.T("Declined")},
		}
		for _, o := range q.Options {
			words = append(words, option{Value: o.Value, Label: strings.TrimSpace(o.Value + " " + o.Text)})
		}
		out = append(out, compared{Field: q.Field, Label: strconv.Itoa(q.Number) + ". " + q.Text, Words: words})
	}
	return out
}

// windows words the spans of time that instruments ask about.
var windows = []option{
	{Value: "P1D", Label: "the last 24 hours"},
	{Value: "P7D", Label: "the last 7 days"},
	{Value: "P14D", Label: "the last 2 weeks"},
	{Value: "P28D", Label: "the last 4 weeks"},
	{Value: "P1M", Label: "the last month"},
	{Value: "P12M", Label: "the last 12 months"},
	{Value: "since_last_session", Label: "the time since the last session"},
}

// window words a span of time; one that a clinic's own instrument names stands
// as it is written there.
func (t tongue) window(name string) string {
	for _, o := range windows {
		if o.Value == name {
			return t.T(o.Label)
		}
	}
	return name
}
