package research

import (
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
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

// action is how the audit trail names an export of the table.
func (t Table) action() string { return string(t) + ".export" }

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
	// Times are compared as the export shows them: where it moves dates, a filter
	// by true ones would tell them.
	From    *time.Time  `json:"from,omitempty"`      // completed, or a session started, then or later
	To      *time.Time  `json:"to,omitempty"`        // before then
	Course  *uuid.UUID  `json:"course_id,omitempty"` // of the record: for who is shown ids
	Session *int        `json:"session,omitempty"`   // number of the session
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

// filled is the request with what is left open filled in: nobody else does that,
// so that two requests for the same are the same. Whoever does not say how much
// may be known gets the least.
func (r Request) filled() Request {
	r.Table, r.Format, r.Profile = cmp.Or(r.Table, Assessments), cmp.Or(r.Format, export.CSV), cmp.Or(r.Profile, Deidentified)
	r.Instruments = slices.Compact(slices.Sorted(slices.Values(r.Instruments)))

	for _, t := range []**time.Time{&r.From, &r.To, &r.ChangedSince, &r.AsOf} {
		*t = stampPtr(*t)
	}
	if r.Profile == Deidentified {
		r.Dates = cmp.Or(r.Dates, ShiftedDates)
	}
	if r.Table == Assessments {
		r.Shape = cmp.Or(r.Shape, Assessment)
	}
	if r.Profile != Identified {
		r.Project = cmp.Or(r.Project, DefaultProject)
	}
	return r
}

// permissions are what a request asks for. Whoever is not to see true dates does
// not choose the time of which the record is read either: by halving the times
// one finds when each row came.
func (r Request) permissions() []auth.Permission {
	need := []auth.Permission{r.Profile.permission()}
	if r.Profile == Deidentified && r.AsOf != nil {
		need = append(need, auth.ExportLimited)
	}
	return need
}

// byForm reports whether single assessments can be asked for.
func (r Request) byForm() bool { return r.Table == Assessments && r.Shape != Wide }

// categorised reports whether the table has columns of categories.
func (r Request) categorised() bool { return r.Table != Trajectories && !r.byForm() }

// requestFaults gathers what is wrong with a request.
type requestFaults []fault.Detail

func (f *requestFaults) add(holds bool, name, code, message string) {
	if holds {
		*f = append(*f, fault.Detail{Pointer: "/" + name, In: "query", Code: code, Message: message})
	}
}

// check lists what is wrong with a request, filled in, that can be known without the record.
func (s *Service) check(r Request) error {
	if !slices.Contains(Tables(), r.Table) {
		return fault.New(fault.NotFound, "There is no such table.")
	}
	var f requestFaults
	f.add(r.Shape != "" && r.Table != Assessments, "shape", "not_of_this_table", "Assessments alone have a shape.")
	f.add(r.Shape != "" && !slices.Contains(Shapes(), r.Shape), "shape", "unknown_shape", "The shape is assessment, long or wide.")
	f.add(!slices.Contains([]DateMode{"", ShiftedDates, DaysOnly}, r.Dates), "dates", "unknown_mode", "Dates are shifted, or days.")
	for _, id := range r.Instruments {
		_, err := s.Instruments.Get(id)
		f.add(err != nil, "instrument", "unknown_instrument", "GET /v1/instruments lists the instruments.")
	}
	if r.Project != "" && !projectName.MatchString(r.Project) {
		f = append(f, errProjectName.Details...)
	}
	now := s.Now()
	f.add(r.AsOf != nil && r.AsOf.After(now), "as_of", "in_the_future", "What will be known later cannot be exported now.")
	f.add(r.ChangedSince != nil && r.ChangedSince.After(now), "changed_since", "in_the_future", "Nothing has changed since then yet.")
	f.add(r.Profile != Deidentified && r.Dates != "", "dates", "not_of_this_profile", "Only a de-identified export moves times or leaves them out.")
	r.checkFormat(&f)
	r.checkFilters(&f)
	return fault.InvalidIf(f)
}

// checkFormat lists the choices that the format knows nothing of: they would be
// passed over.
func (r Request) checkFormat(f *requestFaults) {
	for _, c := range []struct {
		name    string
		asked   bool
		formats []export.Format
	}{
		{"dialect", r.Dialect != "", []export.Format{export.CSV}},
		{"na", r.NA != "", []export.Format{export.CSV, export.XLSX}},
		{"values", r.Labels, []export.Format{export.CSV, export.NDJSON, export.XLSX}},
	} {
		f.add(c.asked && !slices.Contains(c.formats, r.Format), c.name, "not_of_this_format", "The format knows no such choice.")
	}
}

// checkFilters lists what is wrong with what a request leaves out. A filter that
// a table cannot heed is a fault: nobody must take a whole table for a part.
func (r Request) checkFilters(f *requestFaults) {
	const notHere = "This table cannot be asked for in that part."
	rows := r.byForm() || r.Table == Sessions
	f.add(r.From != nil && !rows, "from", "not_of_this_table", notHere)
	f.add(r.To != nil && !rows, "to", "not_of_this_table", notHere)
	f.add(r.Course != nil && !rows, "course_id", "not_of_this_table", notHere)
	f.add(r.Session != nil && !rows, "session", "not_of_this_table", notHere)
	f.add(r.Timing != "" && !r.byForm(), "timing", "not_of_this_table", notHere)
	f.add(len(r.Instruments) > 0 && r.Table == Sessions, "instrument", "not_of_this_table", notHere)

	f.add(r.From != nil && r.To != nil && !r.From.Before(*r.To), "to", "before_start", "The time ends before it starts.")
	f.add(r.Session != nil && *r.Session < 1, "session", "out_of_range", "Sessions are numbered from 1.")
	f.add(r.Timing != "" && !slices.Contains(care.Timings(), r.Timing), "timing", "unknown_timing", "The timing is baseline, before, after or follow_up.")

	const hidden = "This profile hides what is asked for."
	f.add(r.Course != nil && r.Profile != Identified, "course_id", "hidden_by_profile", hidden)
	f.add((r.From != nil || r.To != nil) && r.Profile == Deidentified && r.Dates == DaysOnly, "from", "hidden_by_profile", hidden)
}
