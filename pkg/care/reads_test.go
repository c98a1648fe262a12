//go:build unix

package care_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/care"
)

// Its answer shows the whole form, as often as it is asked.
func TestRetractingWhatIsRetractedAlreadyIsARead(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		client := c.client(t, "P-1")
		a := c.record(t, gad7(client.ID, day(1), 1))[0]
		did := func(do func() error) (actions []string) {
			t.Helper()
			since := len(c.trail(t))
			if err := do(); err != nil {
				t.Fatal(err)
			}
			for _, e := range c.trail(t)[since:] {
				actions = append(actions, e.Action)
				if e.Client != client.ID || e.TargetID != a.ID || e.Target != "assessment" || e.Outcome != audit.Done {
					t.Errorf("%s of %s %v, client %v", e.Action, e.Target, e.TargetID, e.Client)
				}
			}
			return sorted(actions)
		}
		retract := func() error {
			out, err := c.Care.Retract(t.Context(), c.Who, a.ID, "another's", nil)
			if err == nil && len(out.Answers) != 7 {
				t.Errorf("it shows %d answers", len(out.Answers))
			}
			return err
		}
		if d := cmp.Diff([]string{"assessment.read", "assessment.retract"}, did(retract)); d != "" {
			t.Errorf("the first time (-want +got):\n%s", d)
		}
		for range 2 {
			before := c.dump(t)
			if d := cmp.Diff([]string{"assessment.read"}, did(retract)); d != "" {
				t.Errorf("again (-want +got):\n%s", d)
			}
			c.unchanged(t, before)
		}
		shown, err := c.Care.Disclosures(t.Context(), c.Who, client.ID, care.Page{Limit: 100})
		if err != nil || len(shown) != 3 {
			t.Errorf("the client is told of %d occasions, %v", len(shown), err)
		}
	})
}
