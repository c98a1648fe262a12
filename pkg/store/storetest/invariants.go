//go:build unix

package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/instrument"
)

// broken gives one line for each record of a clinic that breaks the rules of
// versions: exactly one is current, they are numbered without a gap, and each
// ends when the next begins.
const broken = `
SELECT '%[1]s ' || CAST(r.id AS text) || ' has versions ' || CAST(count(v.version) AS text)
FROM %[1]ss r LEFT JOIN %[1]s_versions v ON v.clinic_id = r.clinic_id AND v.id = r.id
WHERE r.clinic_id = '%[2]s'%[3]s GROUP BY r.id
HAVING count(v.version) = 0 OR min(v.version) <> 1 OR max(v.version) <> count(v.version)
  OR sum(CASE WHEN v.superseded_at IS NULL THEN 1 ELSE 0 END) <> 1
UNION ALL
SELECT '%[1]s ' || CAST(v.id AS text) || ' has a gap in time'
FROM %[1]s_versions v LEFT JOIN %[1]s_versions n ON n.clinic_id = v.clinic_id AND n.id = v.id AND n.version = v.version + 1
WHERE v.clinic_id = '%[2]s' AND (v.superseded_at IS NULL AND n.id IS NOT NULL
  OR v.superseded_at IS NOT NULL AND (n.id IS NULL OR n.recorded_at <> v.superseded_at OR v.superseded_at <= v.recorded_at))`

// Breaches names what of a clinic's record breaks the rules that always hold:
// those of versions; that a stored score is the score of the stored answers;
// that progress is what a rebuild makes of the record.
func (c *Clinic) Breaches(t testing.TB, raw *sql.DB) []string {
	t.Helper()
	var out []string
	for _, noun := range []string{"client", "course", "session", "assessment"} {
		stands := ""
		if noun == "client" {
			stands = " AND r.erased_at IS NULL" // of an erased one the id alone is left
		}
		out = append(out, texts(t, raw, fmt.Sprintf(broken, noun, c.Who.Clinic, stands))...)
	}
	for _, id := range c.clientIDs(t) {
		all, err := c.DB.Assessments(context.Background(), c.Who, id, care.AssessmentFilter{Retracted: true}, care.Page{Limit: 100000})
		if err != nil {
			t.Fatal(err)
		}
		points, err := c.DB.Points(context.Background(), c.Who, []uuid.UUID{id}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		totals := map[uuid.UUID]*float64{}
		for _, p := range points {
			totals[p.ID] = p.Total
		}
		for _, a := range all {
			if total, stands := totals[a.ID]; stands == a.Retracted || stands && !cmp.Equal(total, a.Score.Total) {
				out = append(out, fmt.Sprintf("assessment %s stands %t with another total than its score's", a.ID, stands))
			}
			if d := c.rescored(t, a); d != "" {
				out = append(out, fmt.Sprintf("assessment %s scores otherwise:\n%s", a.ID, d))
			}
		}
	}
	before := c.Progress(t, raw)
	if err := c.Care.RebuildProgress(context.Background(), c.Who); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(before, c.Progress(t, raw)); d != "" {
		out = append(out, "progress is not what a rebuild gives (-stored +rebuilt):\n"+d)
	}
	return out
}

// Progress dumps the clinic's read model.
func (c *Clinic) Progress(t testing.TB, raw *sql.DB) []string {
	t.Helper()
	return c.Rows(t, raw, "progress", "clinic_id = '"+c.Who.Clinic.String()+"'")
}

func (c *Clinic) rescored(t testing.TB, a care.Assessment) string {
	t.Helper()
	def, err := c.Care.Instruments.GetVersion(a.Instrument, a.InstrumentVersion)
	if err != nil {
		t.Fatal(err)
	}
	score, err := def.Score(instrument.Input{
		Answers: a.Answers, Declined: a.Declined, Total: a.Total, Policy: a.MissingPolicy, Cutpoints: a.Score.Cutpoints,
	})
	if err != nil {
		return err.Error()
	}
	if len(score.Flags) == 0 {
		score.Flags = nil
	}
	return cmp.Diff([]any{a.Score.Total, a.Score.Severity, a.Score.Flags}, []any{score.Total, score.Severity, score.Flags})
}

func (c *Clinic) clientIDs(t testing.TB) (ids []uuid.UUID) {
	t.Helper()
	c.Write(t, func(ctx context.Context, tx care.Tx) (err error) {
		ids, err = tx.ClientIDs(ctx, c.Who, uuid.Nil, 100000)
		return err
	})
	return ids
}
