//go:build unix

package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/pressly/goose/v3"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/seal"
	"github.com/protrack/protrack/pkg/store"
	"github.com/protrack/protrack/pkg/store/storetest"
)

func newKeys(t testing.TB) *seal.Keys {
	t.Helper()
	keys, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func rotated(t testing.TB, keys *seal.Keys) *seal.Keys {
	t.Helper()
	again, err := keys.Rotated()
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func TestEveryPromiseOfAStoreHoldsForEncryptedNames(t *testing.T) {
	keys := rotated(t, newKeys(t))
	storetest.Each(t, func(t *testing.T, d *storetest.Database) { storetest.Exercise(t, d.With(t, keys)) })
}

// The canaries are what a thief of the database looks for.
const (
	canaryReference = "MRN-canary-7741"
	canaryName      = "Wilhelmina Canary"
	canaryFormer    = "Canary Formerly"
	canarySecret    = "the canary key of a project, 32b"
)

// named stores a client who had another name before.
func named(t testing.TB, c *storetest.Clinic) care.Client {
	t.Helper()
	client := c.NewClient(canaryReference)
	client.DisplayName = canaryFormer
	c.Insert(t, client)
	client.DisplayName, client.Revision = canaryName, storetest.Next(client.Revision, storetest.When.Add(1e9))
	c.Revise(t, client)
	return client
}

// files are where a plain name is found on the disk.
var files = map[string]string{"sqlite": "protrack.db-wal", "postgres": "file of client_versions"}

// whereFound says where the database, its files included, holds a canary.
func whereFound(t testing.TB, d *storetest.Database, raw *sql.DB) (where []string) {
	t.Helper()
	holds := func(place string, content []byte) {
		for _, canary := range []string{canaryReference, canaryName, canaryFormer, canarySecret} {
			if bytes.Contains(content, []byte(canary)) {
				where = append(where, place+" holds "+canary)
			}
		}
	}
	for _, table := range d.Tables(t, raw) {
		holds(table, []byte(strings.Join(d.Rows(t, raw, table, "1 = 1"), "\n")))
	}
	if path, ok := strings.CutPrefix(d.URL, "sqlite://"); ok {
		files, err := filepath.Glob(path + "*")
		if err != nil || len(files) == 0 {
			t.Fatalf("no files, %v", err)
		}
		for _, name := range files {
			content, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			holds(filepath.Base(name), content)
		}
		return where
	}
	if _, err := raw.ExecContext(t.Context(), "CHECKPOINT"); err != nil {
		t.Fatal(err)
	}
	rows, err := raw.QueryContext(t.Context(), `SELECT relname, pg_read_binary_file(pg_relation_filepath(oid)) FROM pg_class
		WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		var content []byte
		if err := rows.Scan(&name, &content); err != nil {
			t.Fatal(err)
		}
		holds("file of "+name, content)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return where
}

func TestAnEncryptedDatabaseHoldsNoName(t *testing.T) {
	storetest.Each(t, func(t *testing.T, plain *storetest.Database) {
		raw := plain.Raw(t)
		d := plain.With(t, newKeys(t))
		c := d.Clinic(t)
		client := named(t, c)
		if where := whereFound(t, d, raw); len(where) > 0 {
			t.Errorf("%v", where)
		}
		now, original, err := d.ClientHistory(t.Context(), c.Who, client.ID)
		if err != nil || now.DisplayName != canaryName || original.DisplayName != canaryFormer || now.Reference != canaryReference {
			t.Errorf("what was stored is not what is read: %v", err)
		}
		// Who searches as this test does finds what is not encrypted.
		named(t, plain.Clinic(t))
		where := whereFound(t, plain, raw)
		for _, place := range []string{"client_versions holds " + canaryName, files[plain.Dialect] + " holds " + canaryName} {
			if !slices.Contains(where, place) {
				t.Errorf("a plain database is not found out: not %q, but %v", place, where)
			}
		}
	})
}

func TestEncryptingAPlainDatabaseLeavesNothingOfTheNames(t *testing.T) {
	storetest.Each(t, func(t *testing.T, plain *storetest.Database) {
		raw := plain.Raw(t)
		c := plain.Clinic(t)
		client := named(t, c)
		for i := range 40 { // so that pages are split
			c.Insert(t, c.NewClient(fmt.Sprint(canaryReference, "-", i)))
		}
		d := plain.With(t, newKeys(t))
		if changed := encrypt(t, d, c); changed != 42 {
			t.Errorf("%d versions were encrypted", changed)
		}
		if err := d.CompactFields(t.Context()); err != nil {
			t.Fatal(err)
		}
		if where := whereFound(t, d, raw); len(where) > 0 {
			t.Errorf("%v", where)
		}
		if got, err := d.Client(t.Context(), c.Who, client.ID); err != nil || got.DisplayName != canaryName {
			t.Errorf("it is not read: %v", err)
		}
		entries := d.Rows(t, raw, "audit_entries", "action = 'fields.encrypt'")
		if len(entries) != 1 || !strings.Contains(entries[0], `{"count":42}`) {
			t.Errorf("the audit trail has %v", entries)
		}
		stillGuarded(t, raw)
	})
}

// stillGuarded: the trigger that keeps stored versions is in its place.
func stillGuarded(t testing.TB, raw *sql.DB) {
	t.Helper()
	if _, err := raw.ExecContext(t.Context(), "UPDATE client_versions SET reference = 'x'"); err == nil || !strings.Contains(err.Error(), "a stored version does not change") {
		t.Errorf("a stored version can be changed: %v", err)
	}
}

func encrypt(t testing.TB, d *storetest.Database, c *storetest.Clinic) int {
	t.Helper()
	entry := storetest.Entry(c.Who)
	entry.Action = "fields.encrypt"
	changed, err := d.EncryptFields(t.Context(), c.Who, entry)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

// uses are the counts of one clinic's versions by key.
func uses(t testing.TB, d *storetest.Database, c *storetest.Clinic) map[uint32]int {
	t.Helper()
	all, err := d.FieldUses(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := map[uint32]int{}
	for _, u := range all {
		if u.Clinic.ID == c.Who.Clinic {
			out[u.Key] += u.Versions
		}
	}
	return out
}

// record is every client of a clinic with all that is private.
func record(t testing.TB, d *storetest.Database, c *storetest.Clinic) map[uuid.UUID]string {
	t.Helper()
	clients, err := d.Clients(t.Context(), c.Who, care.Page{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	out := map[uuid.UUID]string{}
	for _, x := range clients {
		out[x.ID] = string(x.Reference) + " " + string(x.DisplayName)
	}
	return out
}

// Whatever the state of the names, each step from plain to encrypted, to
// another key and back, leaves all of them readable and no reference twice.
func TestReferencesStayUniqueAndNamesReadableWhileKeysChange(t *testing.T) {
	storetest.Each(t, func(t *testing.T, plain *storetest.Database) {
		c := plain.Clinic(t)
		other := plain.Clinic(t)
		first := newKeys(t)
		second := rotated(t, first)
		named(t, other)
		want := map[uuid.UUID]string{}
		step := func(what string, keys *seal.Keys, wantUses map[uint32]int, do func(d *storetest.Database)) {
			t.Helper()
			d := plain.With(t, keys)
			if err := d.CheckFields(t.Context()); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			if do != nil {
				do(d)
			}
			if diff := cmp.Diff(wantUses, uses(t, d, c)); diff != "" {
				t.Errorf("%s: keys in use\n%s", what, diff)
			}
			here := *c
			here.Database = d
			for _, taken := range want {
				twiceRefused(t, what, &here, strings.Fields(taken)[0])
			}
			if diff := cmp.Diff(want, record(t, d, c)); diff != "" {
				t.Errorf("%s: clients\n%s", what, diff)
			}
		}
		insert := func(reference string) func(d *storetest.Database) {
			return func(d *storetest.Database) {
				here := *c
				here.Database = d
				client := c.NewClient(reference)
				client.DisplayName = "N"
				here.Insert(t, client)
				want[client.ID] = reference + " N"
			}
		}
		one, two := first.Primary(), second.Primary()
		step("plain", nil, map[uint32]int{0: 1}, insert("P-1"))
		step("turned on", first, map[uint32]int{0: 1, one: 1}, insert("P-2"))
		step("encrypted", first, map[uint32]int{one: 2}, func(d *storetest.Database) { encrypt(t, d, c) })
		step("rotated", second, map[uint32]int{one: 2, two: 1}, insert("P-3"))
		step("encrypted again", second, map[uint32]int{two: 3}, func(d *storetest.Database) { encrypt(t, d, c) })
		retired, err := second.Retired()
		if err != nil {
			t.Fatal(err)
		}
		step("the old key retired", retired, map[uint32]int{two: 4}, insert("P-4"))
		step("decrypted", retired, map[uint32]int{0: 4}, func(d *storetest.Database) {
			if n, err := d.DecryptFields(t.Context(), c.Who, storetest.Entry(c.Who)); err != nil || n != 4 {
				t.Errorf("%d, %v", n, err)
			}
		})
		step("turned off", nil, map[uint32]int{0: 5}, insert("P-5"))
		if diff := cmp.Diff(map[uint32]int{0: 2}, uses(t, plain, other)); diff != "" {
			t.Errorf("another clinic was changed:\n%s", diff)
		}
	})
}

// twiceRefused tries to give a second client a reference, at once and later.
func twiceRefused(t testing.TB, what string, c *storetest.Clinic, reference string) {
	t.Helper()
	second := c.NewClient(reference)
	for name, err := range map[string]error{
		"a new client": c.DB.Write(t.Context(), c.Who, func(tx care.Tx) error {
			_, err := tx.InsertClient(t.Context(), c.Who, second)
			return err
		}),
		"a client that had another": c.DB.Write(t.Context(), c.Who, func(tx care.Tx) error {
			second.Reference = "fresh"
			if _, err := tx.InsertClient(t.Context(), c.Who, second); err != nil {
				return err
			}
			second.Reference, second.Revision = care.Private(reference), storetest.Next(second.Revision, storetest.When.Add(1e9))
			return tx.ReviseClient(t.Context(), c.Who, second)
		}),
	} {
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("%s: %s gets a reference that is taken: %v", what, name, err)
		}
	}
}

func TestAnInterruptedEncryptionChangesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, plain *storetest.Database) {
		c := plain.Clinic(t)
		want := map[uuid.UUID]string{}
		for i := range 20 {
			client := c.NewClient(fmt.Sprint("P-", i))
			c.Insert(t, client)
			want[client.ID] = fmt.Sprint("P-", i, " ")
		}
		d := plain.With(t, newKeys(t))
		ctx, cancel := context.WithCancel(t.Context())
		updates := 0
		d.Statements.Hook(func(sql string) {
			if strings.HasPrefix(sql, "UPDATE") && strings.Contains(sql, "client_versions") {
				if updates++; updates == 10 {
					cancel()
				}
			}
		})
		if _, err := d.EncryptFields(ctx, c.Who, storetest.Entry(c.Who)); err == nil || updates < 10 {
			t.Fatalf("it was not interrupted: %d updates, %v", updates, err)
		}
		d.Statements.Hook(nil)
		for what, db := range map[string]*storetest.Database{"with": d, "without": plain} {
			if diff := cmp.Diff(want, record(t, db, c)); diff != "" {
				t.Errorf("%s keys:\n%s", what, diff)
			}
		}
		stillGuarded(t, plain.Raw(t))
		if changed := encrypt(t, d, c); changed != 20 {
			t.Errorf("%d versions were encrypted afterwards", changed)
		}
		if diff := cmp.Diff(want, record(t, d, c)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestNamesThatTheKeysDoNotOpenAreRefusedAndNeverShown(t *testing.T) {
	storetest.Each(t, func(t *testing.T, plain *storetest.Database) {
		keys := newKeys(t)
		right := plain.With(t, keys)
		if err := plain.CheckFields(t.Context()); err != nil {
			t.Errorf("an empty database: %v", err)
		}
		c := right.Clinic(t)
		client := named(t, c)
		if err := right.CheckFields(t.Context()); err != nil {
			t.Errorf("the right keys: %v", err)
		}
		for what, d := range map[string]*storetest.Database{"no": plain, "other": plain.With(t, newKeys(t))} {
			if err := d.CheckFields(t.Context()); !fault.Is(err, fault.Unavailable) {
				t.Errorf("%s keys: %v", what, err)
			}
			one, err := d.Client(t.Context(), c.Who, client.ID)
			neverShown(t, what+" keys, a client", one.Reference+one.DisplayName, err)
			now, original, err := d.ClientHistory(t.Context(), c.Who, client.ID)
			neverShown(t, what+" keys, a history", now.DisplayName+original.DisplayName, err)
			list, err := d.Clients(t.Context(), c.Who, care.Page{Limit: 10})
			neverShown(t, what+" keys, clients", care.Private(strings.Repeat("x", len(list))), err)
			caseload, err := d.Caseload(t.Context(), c.Who, care.CaseloadQuery{Instrument: "gad-7", Sort: care.ByReference}, care.Page{Limit: 10})
			neverShown(t, what+" keys, the caseload", care.Private(strings.Repeat("x", len(caseload))), err)
			if _, err := d.DecryptFields(t.Context(), c.Who, storetest.Entry(c.Who)); err == nil {
				t.Errorf("%s keys: it was decrypted", what)
			}
		}
	})
}

// neverShown: who lacks the key sees neither the name nor what is stored.
func neverShown(t testing.TB, what string, shown care.Private, err error) {
	t.Helper()
	if err == nil || shown != "" {
		t.Errorf("%s: something is shown, and the error is %v", what, err)
	}
	if err != nil && (strings.Contains(err.Error(), seal.Prefix) || strings.Contains(err.Error(), "anary")) {
		t.Errorf("%s: the error quotes what is stored", what)
	}
}

func TestTwoClientsOfOneReferenceAreNotEncryptedIntoOne(t *testing.T) {
	storetest.Each(t, func(t *testing.T, plain *storetest.Database) {
		c := plain.Clinic(t)
		d := plain.With(t, newKeys(t))
		here := *c
		here.Database = d
		here.Insert(t, c.NewClient("P-1"))
		c.Insert(t, c.NewClient("P-1")) // by a server that was forgotten, without keys
		_, err := d.EncryptFields(t.Context(), c.Who, storetest.Entry(c.Who))
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("%v", err)
		}
		stillGuarded(t, plain.Raw(t))
	})
}

func TestADatabaseOfTheFirstReleaseCanBeEncrypted(t *testing.T) {
	eachEmpty(t, func(t *testing.T, url string) {
		d := storetest.Open(t, url)
		raw := d.Raw(t)
		dialect := goose.DialectSQLite3
		if d.Dialect == "postgres" {
			dialect = goose.DialectPostgres
		}
		old, err := goose.NewProvider(dialect, raw, sources(t, d.Dialect))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := old.UpTo(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		clinic, client := uuid.New(), uuid.New()
		when := "'2025-03-04T10:00:00Z'"
		if d.Dialect == "sqlite" {
			when = "1741082400000000"
		}
		for _, statement := range []string{
			"INSERT INTO clinics (id, slug, created_at) VALUES ('%[1]s', 'default', %[3]s)",
			"INSERT INTO clients (clinic_id, id) VALUES ('%[1]s', '%[2]s')",
			"INSERT INTO client_versions (clinic_id, id, version, reference, display_name, sex, time_zone, recorded_at, recorded_by) " +
				"VALUES ('%[1]s', '%[2]s', 1, '" + canaryReference + "', '" + canaryName + "', '', '', %[3]s, '%[1]s')",
		} {
			if _, err := raw.ExecContext(t.Context(), fmt.Sprintf(statement, clinic, client, when)); err != nil {
				t.Fatal(err)
			}
		}
		keys := newKeys(t)
		now := d.With(t, keys)
		if _, err := now.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		c := &storetest.Clinic{Database: now, Who: auth.As(clinic, clinic, auth.ByOperator, auth.Owner)}
		want := map[uuid.UUID]string{client: canaryReference + " " + canaryName}
		if diff := cmp.Diff(want, record(t, now, c)); diff != "" {
			t.Errorf("before it is encrypted:\n%s", diff)
		}
		if changed := encrypt(t, now, c); changed != 1 {
			t.Errorf("%d versions were encrypted", changed)
		}
		if err := now.CompactFields(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, record(t, now, c)); diff != "" {
			t.Errorf("encrypted:\n%s", diff)
		}
		if where := whereFound(t, now, raw); len(where) > 0 {
			t.Errorf("%v", where)
		}
	})
}

func TestTheKeysOfADatabaseAreNotPrinted(t *testing.T) {
	keys := newKeys(t)
	text, err := keys.Text()
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%s", "%#v"} {
		if printed := fmt.Sprintf(format, store.Config{FieldKeys: keys}); !strings.Contains(printed, "***") || strings.Contains(printed, text) {
			t.Errorf("%s prints %s", format, printed)
		}
	}
}
