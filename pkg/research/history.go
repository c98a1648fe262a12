package research

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
)

// Person is one person whom the clinic knows.
type Person struct {
	ID      uuid.UUID   // of the record that stands for the person
	Records []uuid.UUID // all records of the person, ID first
	Erased  bool        // the record was erased since
	Gone    *time.Time  // when it was erased; nil: it was not
	// Said is what was said of research up to now, by everybody whom any of the
	// records belongs to today: records may have been merged since, or set apart.
	Said []care.Consents
}

// Agreed reports whether everybody whom the person's records belong to has
// agreed to research and not withdrawn, at a time, and whether anything was
// known of it by then.
func (p Person) Agreed(at time.Time) (agreed, known bool) {
	agreed = len(p.Said) > 0
	for _, said := range p.Said {
		a, k := said.Stands(care.ForResearch, at)
		agreed, known = agreed && a, known || k
	}
	return agreed, known
}

func (p Person) erasedSince(t time.Time) bool { return p.Gone != nil && !p.Gone.Before(t) }

// said reports whether anything was said that is so.
func (p Person) said(so func(care.Consent) bool) bool {
	return slices.ContainsFunc(p.Said, func(all care.Consents) bool { return slices.ContainsFunc(all, so) })
}

// HistoryQuery says what to read of people.
type HistoryQuery struct {
	Instruments []string   // empty: all
	AsOf        *time.Time // what was known then; nil is now
	Answers     bool       // with answers, subscales and what the score says besides its total
	Item9       bool       // with the answer to phq9_9
	Names       bool       // with references, names and goals
	Retracted   bool       // with assessments that were retracted
	SkipForms   bool       // without any assessments
}

// History is what is known of one person. Of revisions it has the version and
// when that was recorded. Sessions are placed and in order of
// time, those that are only planned as well; forms are in order of instrument,
// completion and id.
type History struct {
	Person   Person
	Client   care.Client // Reference and DisplayName are empty unless asked for
	Enrolled time.Time   // when the clinic recorded the client first
	Courses  []care.Course
	Sessions []care.Session
	Forms    []Form
}

// Form is one assessment as research reads it.
type Form struct {
	ID                uuid.UUID
	Version           int
	Instrument        string
	InstrumentVersion string
	Timing            care.Timing
	SessionID         *uuid.UUID
	CompletedAt       time.Time
	RecallWindow      string
	Mode              care.Mode
	RecordedAt        time.Time
	Retracted         bool

	Total    *float64
	Severity *string
	Prorated bool

	Item9 *int // where asked for

	// The rest only where answers were asked for.
	TotalOnly     bool // a total from elsewhere: its answers are not known
	Answers       []Answer
	Declined      []string
	ItemsAnswered *int
	Subscales     map[string]*float64
}

// Answer is the answer to one item; nil: it was asked and has none.
type Answer struct {
	Item  string
	Value *int
}

// Answer finds the answer to an item; false where the form has no such item.
func (f Form) Answer(item string) (*int, bool) {
	for i := range f.Answers {
		if f.Answers[i].Item == item {
			return f.Answers[i].Value, true
		}
	}
	return nil, false
}

// Changes says which records something was recorded of during a time.
type Changes struct {
	Forms  map[uuid.UUID]bool // an assessment
	Others map[uuid.UUID]bool // the client, a course, a session, or which record stands for the person
	Merged []uuid.UUID        // records that another stands for since then
}
