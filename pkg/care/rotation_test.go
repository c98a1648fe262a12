//go:build unix

package care_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/store/storetest"
)

func TestARotatedKeySeesTheClientsThatTheOldOneSaw(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		c.careTeams(t)
		keys := &auth.Service{Store: c.DB.DB, Now: c.Clock.Now, NewID: storetest.NewID, Log: slog.New(slog.DiscardHandler)}
		old, oldSecret, err := keys.CreateKey(t.Context(), c.Who, auth.NewKey{Name: "k", Role: auth.Clinician})
		must(t, err)
		mine, until, dismissed := c.client(t, "mine"), c.client(t, "until"), c.client(t, "dismissed")
		c.client(t, "another's")
		end := c.Clock.Now().Add(time.Hour)
		c.assign(t, mine.ID, old.ID)
		c.assign(t, dismissed.ID, old.ID)
		_, err = c.Care.Assign(t.Context(), c.Who, until.ID, old.ID, &end)
		must(t, err)
		must(t, c.Care.Dismiss(t.Context(), c.Who, dismissed.ID, old.ID))
		sees := func(secret auth.Secret) []string {
			t.Helper()
			who, err := keys.Authenticate(t.Context(), secret, auth.Origin{})
			must(t, err)
			listed, _ := c.references(t, who)
			return sorted(listed)
		}
		want := []string{"mine", "until"}
		if d := cmp.Diff(want, sees(oldSecret)); d != "" {
			t.Fatalf("before (-want +got):\n%s", d)
		}
		next, newSecret, err := keys.RotateKey(t.Context(), c.Who, old.ID, nil)
		must(t, err)
		if d := cmp.Diff(want, sees(newSecret)); d != "" {
			t.Errorf("the new key (-want +got):\n%s", d)
		}
		if d := cmp.Diff(want, sees(oldSecret)); d != "" {
			t.Errorf("the old key, as long as it overlaps (-want +got):\n%s", d)
		}
		// The control: a key that nothing was rotated to sees nobody.
		if listed, _ := c.references(t, c.clinician(t)()); len(listed) != 0 {
			t.Errorf("a new key sees %v", listed)
		}
		c.Clock.Set(end.Add(time.Second))
		if d := cmp.Diff([]string{"mine"}, sees(newSecret)); d != "" {
			t.Errorf("once a membership has ended (-want +got):\n%s", d)
		}
		must(t, c.Care.Dismiss(t.Context(), c.Who, mine.ID, next.ID))
		if seen := sees(newSecret); len(seen) != 0 {
			t.Errorf("dismissed, it sees %v", seen)
		}
	})
}
