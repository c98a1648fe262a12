//go:build unix

package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/research"
	"github.com/protrack/protrack/pkg/seal"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// founded stores a project whose secret a thief would look for.
func founded(t testing.TB, d *storetest.Database, c *storetest.Clinic, name string) {
	t.Helper()
	p := research.Project{Name: name, Secret: research.Secret(canarySecret), CreatedAt: storetest.When, CreatedBy: c.Who.Actor}
	err := d.DB.DB.Conduct(t.Context(), c.Who, func(tx research.Tx) error {
		_, err := tx.InsertProject(t.Context(), c.Who, p)
		tx.Note(storetest.Entry(c.Who))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// secret reads the secret of a project, of which nothing may show with an error.
func secret(t testing.TB, d *storetest.Database, c *storetest.Clinic, name string) (string, error) {
	t.Helper()
	var p research.Project
	err := d.DB.DB.Study(t.Context(), c.Who, func(r research.Reader) (err error) {
		p, err = r.Project(t.Context(), c.Who, name)
		return err
	})
	if err != nil && (len(p.Secret) > 0 || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), seal.Prefix)) {
		t.Errorf("the secret of %s shows, with %v", name, err)
	}
	return string(p.Secret), err
}

// projectUses counts one clinic's projects by key.
func projectUses(t testing.TB, d *storetest.Database, c *storetest.Clinic) map[uint32]int {
	t.Helper()
	all, err := d.FieldUses(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := map[uint32]int{}
	for _, u := range all {
		if u.Clinic.ID == c.Who.Clinic {
			out[u.Key] += u.Projects
		}
	}
	return out
}

// A secret that changed would give everybody another pseudonym.
func TestAProjectsSecretStaysTheSameWhileKeysChange(t *testing.T) {
	storetest.Each(t, func(t *testing.T, plain *storetest.Database) {
		c, other := plain.Clinic(t), plain.Clinic(t)
		founded(t, plain, other, "sleep")
		first := newKeys(t)
		second := rotated(t, first)
		retired, err := second.Retired()
		if err != nil {
			t.Fatal(err)
		}
		one, two := first.Primary(), second.Primary()
		var names []string
		step := func(what string, keys *seal.Keys, want map[uint32]int, do func(*storetest.Database)) {
			t.Helper()
			d := plain.With(t, keys)
			do(d)
			if diff := cmp.Diff(want, projectUses(t, d, c)); diff != "" {
				t.Errorf("%s: keys in use\n%s", what, diff)
			}
			for _, name := range names {
				if got, err := secret(t, d, c, name); got != canarySecret || err != nil {
					t.Errorf("%s: the secret of %s is another, %v", what, name, err)
				}
			}
			if err := d.CheckFields(t.Context()); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		found := func(name string) func(*storetest.Database) {
			return func(d *storetest.Database) { founded(t, d, c, name); names = append(names, name) }
		}
		encrypted := func(d *storetest.Database) { encrypt(t, d, c) }
		step("plain", nil, map[uint32]int{0: 1}, found("a"))
		step("turned on", first, map[uint32]int{0: 1, one: 1}, found("b"))
		step("encrypted", first, map[uint32]int{one: 2}, encrypted)
		step("rotated", second, map[uint32]int{one: 2, two: 1}, found("c"))
		step("encrypted again", second, map[uint32]int{two: 3}, encrypted)
		step("the old key retired", retired, map[uint32]int{two: 3}, func(d *storetest.Database) {
			if n := encrypt(t, d, c); n != 0 {
				t.Errorf("%d projects were encrypted that were so already", n)
			}
		})
		step("decrypted", retired, map[uint32]int{0: 3}, func(d *storetest.Database) {
			if n, err := d.DecryptFields(t.Context(), c.Who, storetest.Entry(c.Who)); err != nil || n != 3 {
				t.Errorf("%d, %v", n, err)
			}
		})
		step("turned off", nil, map[uint32]int{0: 4}, found("d"))
		if diff := cmp.Diff(map[uint32]int{0: 1}, projectUses(t, plain, other)); diff != "" {
			t.Errorf("another clinic was changed:\n%s", diff)
		}
	})
}

func TestEncryptingAPlainDatabaseLeavesNoSecretOfAProject(t *testing.T) {
	storetest.Each(t, func(t *testing.T, plain *storetest.Database) {
		raw := plain.Raw(t)
		c := plain.Clinic(t)
		founded(t, plain, c, "sleep")
		// Who searches as this test does finds what is not encrypted.
		if where := whereFound(t, plain, raw); !slices.Contains(where, "projects holds "+canarySecret) || len(where) < 2 {
			t.Errorf("a plain database is not found out, but in %v", where)
		}
		d := plain.With(t, newKeys(t))
		if changed := encrypt(t, d, c); changed != 1 {
			t.Errorf("%d projects were encrypted", changed)
		}
		if err := d.CompactFields(t.Context()); err != nil {
			t.Fatal(err)
		}
		founded(t, d, c, "founded with keys")
		if where := whereFound(t, d, raw); len(where) > 0 {
			t.Errorf("%v", where)
		}
		if _, err := raw.ExecContext(t.Context(), "UPDATE projects SET name = 'x'"); err == nil || !strings.Contains(err.Error(), "does not change") {
			t.Errorf("a project can be changed: %v", err)
		}
	})
}

func TestAProjectsSecretOpensWithItsKeysAtItsPlaceAlone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, plain *storetest.Database) {
		keys := newKeys(t)
		right := plain.With(t, keys)
		c, other := right.Clinic(t), right.Clinic(t)
		founded(t, right, c, "sleep")
		for what, d := range map[string]*storetest.Database{"no": plain, "other": plain.With(t, newKeys(t))} {
			if err := d.CheckFields(t.Context()); !fault.Is(err, fault.Unavailable) {
				t.Errorf("%s keys: %v", what, err)
			}
			if _, err := secret(t, d, c, "sleep"); err == nil {
				t.Errorf("%s keys: the secret is read", what)
			}
			if _, err := d.DecryptFields(t.Context(), c.Who, storetest.Entry(c.Who)); err == nil {
				t.Errorf("%s keys: it was decrypted", what)
			}
		}
		raw := plain.Raw(t)
		for _, to := range []struct {
			clinic *storetest.Clinic
			name   string
		}{{c, "dreams"}, {other, "sleep"}} {
			move := fmt.Sprintf("INSERT INTO projects SELECT '%s', '%s', secret, created_at, created_by FROM projects WHERE clinic_id = '%s' AND name = 'sleep'",
				to.clinic.Who.Clinic, to.name, c.Who.Clinic)
			if _, err := raw.ExecContext(t.Context(), move); err != nil {
				t.Fatal(err)
			}
			if _, err := secret(t, right, to.clinic, to.name); err == nil {
				t.Errorf("moved to %s, it opens", to.name)
			}
		}
		if got, err := secret(t, right, c, "sleep"); got != canarySecret || err != nil {
			t.Errorf("at its own place it does not: %v", err)
		}
	})
}
