package research

import (
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
)

// codebookRead is the act of asking how many columns the people of an export
// have.
const codebookRead = "codebook.read"

// exported is the entry of an export: of the time that the export is of, by which
// it is known when the next increment is asked for.
func (s *Service) exported(x *Export) audit.Entry {
	e := s.entry(x.who.Did(x.Request.Table.action(), "", uuid.Nil)).WithClients(records(x.People))
	e.At, e.Details.Note = x.GeneratedAt, x.sent.note()
	return e
}

// described is the entry of a codebook whose columns depend on people.
func (s *Service) described(x *Export) audit.Entry {
	e := s.entry(x.who.Did(codebookRead, "", uuid.Nil)).WithClients(records(x.People))
	e.Details.Note = x.sent.note()
	return e
}

// snapshotEntry is an entry about a snapshot, with what was asked for when it
// was taken.
func (s *Service) snapshotEntry(who auth.Principal, action string, snap Snapshot) audit.Entry {
	e := s.entry(who.Did(action, "snapshot", snap.ID))
	asked := snap.Frozen.Asked
	asked.Package = true // a snapshot is nothing else
	e.Details.Note = asked.note()
	return e
}

// note is what an entry tells of a request: what was to be had in which form, and
// the names of the filters. Their values may say who somebody is; the cohort's id
// and the time that was asked about do not.
func (r Request) note() map[string]string {
	out := map[string]string{
		"table": string(r.Table), "shape": string(r.Shape), "format": string(r.Format), "package": strconv.FormatBool(r.Package),
		"profile": string(r.Profile), "project": r.Project, "dates": string(r.Dates), "filters": strings.Join(r.filters(), " "),
	}
	if r.Cohort != nil {
		out["cohort"] = r.Cohort.String()
	}
	if r.AsOf != nil {
		out["as_of"] = r.AsOf.Format(time.RFC3339Nano)
	}
	maps.DeleteFunc(out, func(_, value string) bool { return value == "" })
	return out
}

// filters are the parameters that leave something out, and were set.
func (r Request) filters() []string {
	var out []string
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"instrument", len(r.Instruments) > 0}, {"from", r.From != nil}, {"to", r.To != nil}, {"course_id", r.Course != nil},
		{"session", r.Session != nil}, {"timing", r.Timing != ""}, {"cohort", r.Cohort != nil},
		{"changed_since", r.ChangedSince != nil}, {"as_of", r.AsOf != nil},
	} {
		if f.set {
			out = append(out, f.name)
		}
	}
	return out
}
