package web

import (
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
)

// versionRow is an assessment as it was stored once.
type versionRow struct {
	Number    int
	Current   bool
	At        time.Time // when it was stored, in the client's zone
	By        string    // empty: somebody without an account here
	Reason    string    // why; empty: it is the first
	Retracted bool
	Total     *float64
	Changes   []difference // from the version before
}

// mostVersions bounds the versions that a page shows; the latest are shown.
const mostVersions = 100

// versions lists how an assessment was stored, the latest first, and what each
// version changed.
func (v *visit) versions(sh *sheet) ([]versionRow, error) {
	after := max(0, float64(sh.stored.Version-mostVersions))
	all, err := v.site.Care.AssessmentVersions(v.ctx(), v.who, sh.stored.ID, care.Page{After: care.Position{Number: &after}, Limit: mostVersions})
	if err != nil {
		return nil, err
	}
	ids := make([]uuid.UUID, len(all))
	for i, a := range all {
		ids[i] = a.RecordedBy
	}
	names, err := v.site.Keys.NamesOf(v.ctx(), v.who, ids)
	if err != nil {
		return nil, err
	}
	out := make([]versionRow, len(all))
	for i, a := range all {
		row := versionRow{
			Number: a.Version, Current: a.SupersededAt == nil, At: a.RecordedAt.In(sh.client.Zone()), By: string(names[a.RecordedBy]),
			Reason: string(a.Reason), Retracted: a.Retracted, Total: a.Score.Total,
		}
		if i > 0 {
			row.Changes = sh.changes(v.tongue(), all[i-1], a)
		}
		out[len(all)-1-i] = row
	}
	return out, nil
}

// changes are the fields in which two versions differ, in words.
func (sh *sheet) changes(t tongue, before, after care.Assessment) []difference {
	earlier, later := *sh, *sh
	earlier.stored, later.stored = &before, &after
	was, is := earlier.form(), later.form()
	var out []difference
	for _, f := range sh.compared(t, was, is) {
		if a, b := was.Value(f.Field), is.Value(f.Field); a != b {
			out = append(out, difference{Label: f.Label, Shown: f.word(a), Now: f.word(b)})
		}
	}
	return out
}
