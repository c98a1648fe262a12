package research

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/fault"
)

// Table is what an export is of.
type Table string

// The tables.
const (
	Assessments  Table = "assessments"
	Sessions     Table = "sessions"
	Clients      Table = "clients"
	Trajectories Table = "trajectories"
)

// Tables lists every table.
func Tables() []Table { return []Table{Assessments, Sessions, Clients, Trajectories} }

// Shape is how assessments are laid out.
type Shape string

// The shapes.
const (
	Long       Shape = "long"       // one row an item
	Assessment Shape = "assessment" // one row an assessment
	Wide       Shape = "wide"       // one row a client, columns by instrument and time-point
)

// Shapes lists every shape.
func Shapes() []Shape { return []Shape{Assessment, Long, Wide} }

// Request asks for an export. It is stored with a snapshot, so that the same
// can be asked for again; hence the tags.
type Request struct {
	Table       Table         `json:"table"`
	Shape       Shape         `json:"shape,omitempty"` // assessments only
	Format      export.Format `json:"format"`
	Profile     Profile       `json:"profile"`
	Project     string        `json:"project"`
	Instruments []string      `json:"instruments,omitempty"` // empty: all that the clinic has answers to

	// What is left out. Zero values leave nothing out.
	From    *time.Time  `json:"from,omitempty"` // completed then or later
	To      *time.Time  `json:"to,omitempty"`   // completed before then
	Course  *uuid.UUID  `json:"course_id,omitempty"`
	Session *int        `json:"session,omitempty"` // number of the session
	Timing  care.Timing `json:"timing,omitempty"`
	Cohort  *uuid.UUID  `json:"cohort,omitempty"`

	ChangedSince *time.Time `json:"changed_since,omitempty"` // people of whom anything was recorded then or later
	AsOf         *time.Time `json:"as_of,omitempty"`         // what was known then; nil is now

	Dates   DateMode       `json:"dates,omitempty"`
	Dialect export.Dialect `json:"dialect,omitempty"`
	NA      string         `json:"na,omitempty"` // how a missing value is written in CSV
	Labels  bool           `json:"labels,omitempty"`
	Package bool           `json:"package,omitempty"`
}

// check lists what is wrong with a request that can be known without the record.
func (s *Service) check(r Request) error {
	var f []fault.Detail
	add := func(name, code, message string) {
		f = append(f, fault.Detail{Pointer: "/" + name, In: "query", Code: code, Message: message})
	}
	if !slices.Contains(Tables(), r.Table) {
		return fault.New(fault.NotFound, "There is no such table.")
	}
	if r.Shape != "" && r.Table != Assessments {
		add("shape", "not_of_this_table", "Assessments alone have a shape.")
	}
	for _, id := range r.Instruments {
		if _, err := s.Instruments.Get(id); err != nil {
			add("instrument", "unknown_instrument", "GET /v1/instruments lists the instruments.")
		}
	}
	if !projectName.MatchString(r.Project) {
		f = append(f, errProjectName.Details...)
	}
	if r.AsOf != nil && r.AsOf.After(s.Now()) {
		add("as_of", "in_the_future", "What will be known later cannot be exported now.")
	}
	return fault.InvalidIf(f)
}
