package cohort

import (
	"fmt"
	"time"

	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/trajectory"
)

// MeasuresQuery asks for the quality measures of depression care. They are of
// the PHQ-9, and of the person: the scores of later courses count too.
type MeasuresQuery struct {
	// From and To bound the days of the index event, To excluded; zero: no bound.
	From, To time.Time
	// WithinDays is half the width of the windows at 6 and 12 months: 60, or 30
	// as the older definition has it; 0 means 60.
	WithinDays int
}

// PHQ9 is the instrument of the measures, and these are their numbers (HEDIS
// DRR-E; CMS159 and Minnesota Community Measurement, which agree on them).
const (
	PHQ9           = "phq-9"
	indexAbove     = 9 // points: a total greater than this is an index event
	remissionBelow = 5
	responseOf     = 50 // percent of the index total
)

// measureRules judge a score against the index score.
var measureRules = trajectory.Rules{
	Set: "hedis-drr-e", Version: "1", RemissionBelow: new(float64(remissionBelow)), ResponsePercent: new(float64(responseOf)),
	Source: "HEDIS DRR-E; CMS159; MNCM",
}

// definition is a measure: the window after the index event in which the most
// recent score counts.
type definition struct {
	id, title string
	// The window is the days from, to; or the months, and the query's days on
	// either side.
	from, to, months int
	response         bool // a response is part of the measure
	words, source    string
}

// definitions are the measures, those that matter most first.
var definitions = []definition{
	{
		id: "hedis-drr-e", title: "Depression Remission or Response (HEDIS DRR-E)", from: 120, to: 240, response: true,
		words:  "the most recent PHQ-9 120 to 240 days after the first above 9",
		source: "HEDIS DRR-E: index PHQ-9 > 9, follow-up 120-240 days, most recent score, remission < 5, response >= 50 %",
	},
	{
		id: "cms159", title: "Depression Remission at Twelve Months (CMS159, MNCM)", months: 12,
		words:  "the most recent PHQ-9 within %d days of 12 months after the first above 9",
		source: "CMS159 and MNCM: index PHQ-9 > 9, remission < 5 at 12 months +-60 days (earlier +-30)",
	},
	{
		id: "mncm-6-months", title: "Depression Remission at Six Months (MNCM)", months: 6,
		words:  "the most recent PHQ-9 within %d days of 6 months after the first above 9",
		source: "MNCM: index PHQ-9 > 9, remission < 5 at 6 months +-60 days",
	},
}

// notExcluded says what the figures cannot know.
const notExcluded = "The measures' exclusions (bipolar disorder, personality disorder, psychosis, hospice, nursing home, death) " +
	"and their limits of age and diagnosis are not recorded here and not applied. " +
	"Who has no score in the window counts as neither in remission nor responding, as the measures have it."

// window gives the first and the last instant of the window.
func (d definition) window(index time.Time, within int) (from, to time.Time) {
	if d.months == 0 {
		return index.AddDate(0, 0, d.from), index.AddDate(0, 0, d.to)
	}
	middle := index.AddDate(0, d.months, 0)
	return middle.AddDate(0, 0, -within), middle.AddDate(0, 0, within)
}

// Measures are the quality measures of the same people.
type Measures struct {
	Enrolled Count
	Index    Count // people with an index event
	Measures []Measure
	Words    string // what holds for all of them

	fates []tally[followed]     // by measure; all people are in each
	there []witnesses[followed] // by measure, with the index score and the latest in the window
	shows []shown               // the numbers of each measure that are shown
}

// Measure is one quality measure. All rates are of those with an index event
// whose window has closed: of the others nobody can say yet.
type Measure struct {
	ID, Title string
	NotClosed Count // people with an index event whose window is still open
	FollowUp  Rate  // with a score in the window
	Remission Rate
	Response  *Rate // nil where it is no part of the measure
	Words     string
	Source    string
}

// followed is what a measure looks at in a person.
type followed struct {
	index                          bool // there is an index event
	closed                         int  // a bit for each definition, up to this one, whose window has closed
	scored, remission, hasResponse bool
}

// Compute gives the measures. A half-width other than 60 and 30 is a
// fault.Invalid, and so is a period that ends before it begins.
func (q MeasuresQuery) Compute(cases Cases) (Measures, error) {
	if q.WithinDays == 0 {
		q.WithinDays = 60
	}
	if q.WithinDays != 60 && q.WithinDays != 30 {
		return Measures{}, fault.New(fault.Invalid, "The window is 60 or 30 days on either side.")
	}
	if !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To) {
		return Measures{}, fault.New(fault.Invalid, "The measurement period must end after it begins.")
	}
	m := Measures{Words: notExcluded, fates: make([]tally[followed], len(definitions)),
		there: make([]witnesses[followed], len(definitions)), shows: make([]shown, len(definitions)),
	}
	for i := range definitions {
		m.fates[i] = tally[followed]{}
	}
	for c, err := range cases {
		if err != nil {
			return Measures{}, err
		}
		index, ok := q.index(c)
		if !ok {
			for i, fates := range m.fates {
				fates[followed{}]++
				m.there[i].add(followed{}, c, Score{}, Score{})
			}
			continue
		}
		q.count(c, index, &m)
	}
	for i, d := range definitions {
		words := d.words
		if d.months > 0 {
			words = fmt.Sprintf(d.words, q.WithinDays)
		}
		m.Measures = append(m.Measures, Measure{ID: d.id, Title: d.title, Words: "Of each person, " + words + ".", Source: d.source})
		m.fill(i, nil)
	}
	m.fillHead(nil)
	return m, nil
}

// index is the first total above 9 in the period.
func (q MeasuresQuery) index(c Case) (Score, bool) {
	for _, s := range c.ever(PHQ9) {
		if s.Total != nil && *s.Total > indexAbove &&
			(q.From.IsZero() || !s.At.Before(q.From)) && (q.To.IsZero() || s.At.Before(q.To)) {
			return s, true
		}
	}
	return Score{}, false
}

// count follows a person from the index event.
func (q MeasuresQuery) count(c Case, index Score, m *Measures) {
	f := followed{index: true}
	for i, d := range definitions {
		from, to := d.window(index.At, q.WithinDays)
		f.scored, f.remission, f.hasResponse = false, false, false
		var latest Score
		if !c.Until.Before(to) {
			f.closed |= 1 << i
			for _, s := range c.ever(PHQ9) {
				if s.Total != nil && !s.At.Before(from) && !s.At.After(to) {
					latest, f.scored = s, true
				}
			}
		}
		if f.scored {
			v := measureRules.Judge(trajectory.LowerIsBetter, *index.Total, *latest.Total)
			f.remission = v.Remission != nil && *v.Remission
			f.hasResponse = v.Response != nil && *v.Response == trajectory.ResponseFull
		}
		m.fates[i][f]++
		m.there[i].add(f, c, index, latest)
	}
}

// Bases lists what the numbers that are shown were computed from.
func (m Measures) Bases() []Basis {
	head := shown{countIndex: m.Index != nil, countEnrolled: m.Enrolled != nil}
	out := m.there[0].heads(PHQ9, head, measuresHead()...)
	for i := range definitions {
		out = append(out, m.there[i].heads(PHQ9, m.shows[i], followedCounts(i)...)...)
	}
	return out
}
