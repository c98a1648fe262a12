//go:build unix

package store_test

import (
	"database/sql"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"github.com/protrack/protrack/migrations"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/store"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// eachEmpty runs a test on an empty database of each kind.
func eachEmpty(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, storetest.SQLiteURL(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, storetest.Postgres(t)) })
}

func sources(t *testing.T, dialect string) fs.FS {
	t.Helper()
	files, err := fs.Sub(migrations.Files, dialect)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestBothDatabasesHaveTheSameMigrations(t *testing.T) {
	names := map[string][]string{}
	for _, dialect := range []string{"sqlite", "postgres"} {
		entries, err := fs.ReadDir(sources(t, dialect), ".")
		if err != nil || len(entries) == 0 {
			t.Fatalf("%d migrations, %v", len(entries), err)
		}
		for _, e := range entries {
			names[dialect] = append(names[dialect], e.Name())
			text, err := fs.ReadFile(sources(t, dialect), e.Name())
			if err != nil || !strings.Contains(string(text), "+goose Down") {
				t.Errorf("%s/%s has no way back (%v)", dialect, e.Name(), err)
			}
		}
	}
	if diff := cmp.Diff(names["sqlite"], names["postgres"]); diff != "" {
		t.Error(diff)
	}
}

// outline is the whole schema, as the database itself tells it.
func outline(t *testing.T, d *storetest.Database, raw *sql.DB) []string {
	t.Helper()
	if d.Dialect == "sqlite" {
		return d.Rows(t, raw, "(SELECT type, name, sql FROM sqlite_schema)", "name NOT LIKE '%goose%'")
	}
	out := d.Rows(t, raw, "(SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public') AS x", "tablename NOT LIKE '%goose%'")
	out = append(out, d.Rows(t, raw, "(SELECT table_name, column_name, data_type, collation_name, is_nullable FROM information_schema.columns WHERE table_schema = 'public') AS x", "table_name NOT LIKE '%goose%'")...)
	out = append(out, d.Rows(t, raw, "(SELECT conrelid::regclass::text AS of, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace) AS x", "of NOT LIKE '%goose%'")...)
	out = append(out, d.Rows(t, raw, "(SELECT tgrelid::regclass::text AS of, tgname FROM pg_trigger WHERE NOT tgisinternal) AS x", "true")...)
	return append(out, d.Rows(t, raw, "(SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace) AS x", "true")...)
}

func TestAMigrationGoesUpAndDownAndUpAgain(t *testing.T) {
	eachEmpty(t, func(t *testing.T, url string) {
		d := storetest.Open(t, url)
		raw := d.Raw(t)
		if err := d.CheckSchema(t.Context()); !fault.Is(err, fault.Unavailable) {
			t.Errorf("an empty database is in order: %v", err)
		}
		empty := outline(t, d, raw)
		if _, err := d.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		full := outline(t, d, raw)
		if len(full) < len(empty)+20 {
			t.Fatalf("the outline is too short to compare: %d lines", len(full))
		}
		dialect := goose.DialectSQLite3
		if d.Dialect == "postgres" {
			dialect = goose.DialectPostgres
		}
		down, err := goose.NewProvider(dialect, raw, sources(t, d.Dialect))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := down.DownTo(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(empty, outline(t, d, raw)); diff != "" {
			t.Errorf("the way back leaves:\n%s", diff)
		}
		if _, err := d.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(full, outline(t, d, raw)); diff != "" {
			t.Errorf("up again is another schema:\n%s", diff)
		}
		newVictim(t, d) // and it can be used
	})
}

func TestServersThatMigrateAtOnceAllSucceed(t *testing.T) {
	eachEmpty(t, func(t *testing.T, url string) {
		const servers = 6
		errs := make([]error, servers)
		schemas := make([]store.Schema, servers)
		var all sync.WaitGroup
		for i := range servers {
			all.Go(func() {
				d := storetest.Open(t, url) // as each server does
				schemas[i], errs[i] = d.Migrate(t.Context())
			})
		}
		all.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		d := storetest.Open(t, url)
		raw := d.Raw(t)
		entries, err := fs.ReadDir(sources(t, d.Dialect), ".")
		if err != nil {
			t.Fatal(err)
		}
		if ran := d.Rows(t, raw, "goose_db_version", "version_id > 0"); len(ran) != len(entries) {
			t.Errorf("%d migrations ran %d times: %v", len(entries), len(ran), ran)
		}
		for i, s := range schemas {
			if !s.Current() || s.Database == 0 {
				t.Errorf("server %d found schema %+v", i, s)
			}
		}
		if err := d.CheckSchema(t.Context()); err != nil {
			t.Error(err)
		}
		newVictim(t, d)
	})
}

func TestMigratingASchemaThatIsUpToDateChangesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		raw := d.Raw(t)
		v := newVictim(t, d)
		before := append(outline(t, d, raw), d.Dump(t, raw, v.Who.Clinic)...)
		versions := d.Rows(t, raw, "goose_db_version", "1 = 1")
		for range 2 {
			s, err := d.Migrate(t.Context())
			if err != nil || !s.Current() {
				t.Fatalf("%+v, %v", s, err)
			}
		}
		if err := d.CheckSchema(t.Context()); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(before, append(outline(t, d, raw), d.Dump(t, raw, v.Who.Clinic)...)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(versions, d.Rows(t, raw, "goose_db_version", "1 = 1")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestASchemaNewerThanTheProgramIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		raw := d.Raw(t)
		yes := "true"
		if d.Dialect == "sqlite" {
			yes = "1"
		}
		if _, err := raw.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, "+yes+")"); err != nil {
			t.Fatal(err)
		}
		before := outline(t, d, raw)
		_, err := d.Migrate(t.Context())
		for what, err := range map[string]error{"Migrate": err, "CheckSchema": d.CheckSchema(t.Context())} {
			if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "99999") {
				t.Errorf("%s: %v", what, err)
			}
		}
		if s, err := d.Schema(t.Context()); err != nil || s.Current() || s.Database != 99999 {
			t.Errorf("schema %+v, %v", s, err)
		}
		if diff := cmp.Diff(before, outline(t, d, raw)); diff != "" {
			t.Error(diff)
		}
	})
}
