//go:build unix

package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// refuses runs a statement that the database itself must refuse, and says why
// it did.
func refuses(t *testing.T, raw *sql.DB, statement string) string {
	t.Helper()
	result, err := raw.ExecContext(t.Context(), statement)
	if err == nil {
		n, _ := result.RowsAffected()
		t.Errorf("accepted, %d rows: %s", n, statement)
		return ""
	}
	return strings.ToLower(err.Error())
}

// accepts runs a statement that the database must accept, and undoes it: the
// control of a refusal.
func accepts(t *testing.T, raw *sql.DB, statement string) {
	t.Helper()
	tx, err := raw.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	result, err := tx.ExecContext(t.Context(), statement)
	if err != nil {
		t.Errorf("refused: %s: %v", statement, err)
		return
	}
	if n, _ := result.RowsAffected(); n == 0 {
		t.Errorf("%d rows: %s", n, statement)
	}
}

func TestAStoredVersionNeverChangesWhateverAsks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		raw := d.Raw(t)
		v := newVictim(t, d)
		for _, r := range []string{"client", "course", "session", "assessment"} {
			table := r + "_versions"
			at := "recorded_at" // any other time will do
			accepts(t, raw, fmt.Sprintf("UPDATE %s SET superseded_at = %s WHERE clinic_id = '%s'", table, at, v.Who.Clinic))
			for _, column := range columns(t, d, raw)[table] {
				if column.name == "superseded_at" {
					continue
				}
				why := refuses(t, raw, fmt.Sprintf("UPDATE %s SET %s = %s WHERE clinic_id = '%s'", table, column.name, column.another(), v.Who.Clinic))
				if !strings.Contains(why, "a stored version does not change") {
					t.Errorf("%s.%s: %s", table, column.name, why)
				}
			}
		}
		before := d.Dump(t, raw, v.Who.Clinic)
		v.assessment.Revision = storetest.Next(v.assessment.Revision, storetest.When)
		v.Revise(t, v.assessment)
		why := refuses(t, raw, fmt.Sprintf("UPDATE assessment_versions SET superseded_at = completed_at WHERE clinic_id = '%s' AND version = 1", v.Who.Clinic))
		if !strings.Contains(why, "once") && !strings.Contains(why, "does not change") {
			t.Errorf("a second end: %s", why)
		}
		refuses(t, raw, fmt.Sprintf("UPDATE assessment_versions SET superseded_at = NULL WHERE clinic_id = '%s' AND version = 1", v.Who.Clinic))
		if after := d.Dump(t, raw, v.Who.Clinic); len(after) != len(before)+1 {
			t.Errorf("%d rows before, %d after an amendment", len(before), len(after))
		}
	})
}

// another is a value that a column does not have.
func (c column) another() string {
	switch c.kind {
	case "number":
		return "COALESCE(" + c.name + ", 0) + 1"
	case "bool":
		return "NOT " + c.name
	case "time":
		return "recorded_at + interval '1 hour'"
	case "date":
		return "'2001-01-01'"
	case "id":
		return "'" + uuid.NewString() + "'"
	case "json":
		return "'{\"other\": 1}'"
	case "blob":
		return "'other'"
	}
	if c.name == "timing" {
		return "'baseline'"
	}
	if c.name == "kind" {
		return "'preparation'"
	}
	return "'import'" // also a mode
}

func TestAChildOfAnotherClinicOrClientIsRefused(t *testing.T) {
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		raw := d.Raw(t)
		here, there := newVictim(t, d), newVictim(t, d)
		second := here.NewClient("P-2") // another client of the same clinic
		here.Insert(t, second)
		clinic := here.Who.Clinic
		identity := "INSERT INTO %s (clinic_id, client_id, id) VALUES ('%s', '%s', '%s')"
		for _, table := range []string{"courses", "sessions", "assessments"} {
			accepts(t, raw, fmt.Sprintf(identity, table, clinic, here.client.ID, uuid.New()))
			refuses(t, raw, fmt.Sprintf(identity, table, clinic, there.client.ID, uuid.New()))
			refuses(t, raw, fmt.Sprintf(identity, table, uuid.New(), here.client.ID, uuid.New()))
		}
		// A copy of a version that differs in one column alone.
		for _, x := range []struct{ table, column, good, bad string }{
			{"client_versions", "clinic_id", clinic.String(), there.Who.Clinic.String()},
			{"course_versions", "client_id", here.client.ID.String(), second.ID.String()},
			{"course_versions", "id", here.course.ID.String(), there.course.ID.String()},
			{"session_versions", "client_id", here.client.ID.String(), second.ID.String()},
			{"session_versions", "course_id", here.course.ID.String(), there.course.ID.String()},
			{"assessment_versions", "client_id", here.client.ID.String(), second.ID.String()},
			{"assessment_versions", "session_id", here.session.ID.String(), there.session.ID.String()},
			{"progress", "client_id", "", there.client.ID.String()},
		} {
			if x.good != "" {
				accepts(t, raw, copyOf(t, d, raw, x.table, clinic, map[string]string{x.column: "'" + x.good + "'"}))
			}
			if why := refuses(t, raw, copyOf(t, d, raw, x.table, clinic, map[string]string{x.column: "'" + x.bad + "'"})); !strings.Contains(why, "foreign key") {
				t.Errorf("%s.%s: %s", x.table, x.column, why)
			}
		}
		foreign := here.NewSession(second.ID, storetest.When)
		here.Insert(t, foreign)
		refuses(t, raw, copyOf(t, d, raw, "assessment_versions", clinic, map[string]string{"session_id": "'" + foreign.ID.String() + "'"}))
	})
}

// copyOf gives a statement that stores a second version like the first one,
// ended, with some columns replaced.
func copyOf(t *testing.T, d *storetest.Database, raw *sql.DB, table string, clinic uuid.UUID, with map[string]string) string {
	t.Helper()
	var names, values []string
	for _, c := range columns(t, d, raw)[table] {
		value := c.name
		switch {
		case with[c.name] != "":
			value = with[c.name]
			if c.kind == "id" && d.Dialect == "postgres" {
				value += "::uuid"
			}
		case c.name == "version":
			value = "2"
		case c.name == "superseded_at":
			value = "recorded_at"
		}
		names, values = append(names, c.name), append(values, value)
	}
	return fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s WHERE clinic_id = '%s'",
		table, strings.Join(names, ", "), strings.Join(values, ", "), table, clinic)
}

func TestTheDatabaseRefusesWhatTheRulesExclude(t *testing.T) {
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		raw := d.Raw(t)
		v := newVictim(t, d)
		clinic := v.Who.Clinic
		for _, x := range []struct{ table, column, bad string }{
			{"client_versions", "version", "0"},
			{"course_versions", "version", "-1"},
			{"session_versions", "version", "0"},
			{"session_versions", "kind", "'party'"},
			{"assessment_versions", "version", "0"},
			{"assessment_versions", "timing", "'during'"},
			{"assessment_versions", "mode", "'guess'"},
			{"assessment_versions", "missing_policy", "'zero'"},
			{"assessment_versions", "answers", "'{}'"}, // beside a given total
			{"api_keys", "role", "'root'"},
		} {
			with := map[string]string{x.column: x.bad}
			if x.table == "api_keys" {
				with["id"] = "'" + uuid.NewString() + "'"
			}
			if why := refuses(t, raw, copyOf(t, d, raw, x.table, clinic, with)); !strings.Contains(why, "check") {
				t.Errorf("%s.%s = %s: %s", x.table, x.column, x.bad, why)
			}
		}
		bare := v.NewAssessment(v.client.ID, storetest.When, 1)
		bare.Timing = care.BeforeIt // a session is needed
		err := v.DB.Write(t.Context(), v.Who, func(tx care.Tx) error {
			_, err := tx.InsertAssessments(t.Context(), v.Who, []care.Assessment{bare})
			return err
		})
		if err == nil {
			t.Error("an assessment before no session was stored")
		}
		for table, all := range columns(t, d, raw) {
			for _, c := range all {
				if !c.nullable && len(d.Rows(t, raw, table, "1 = 1")) > 0 {
					refuses(t, raw, fmt.Sprintf("UPDATE %s SET %s = NULL", table, c.name))
				}
			}
		}
	})
}

// column is a column as both databases describe it.
type column struct {
	name     string
	kind     string
	nullable bool
}

// columns describes all tables in words that are the same for both databases.
func columns(t *testing.T, d *storetest.Database, raw *sql.DB) map[string][]column {
	t.Helper()
	query := "SELECT table_name, column_name, data_type, is_nullable = 'YES' FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"
	if d.Dialect == "sqlite" {
		query = `SELECT m.name, c.name, c.type, c."notnull" = 0 FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY m.name, c.cid`
	}
	kinds := map[string]string{
		"timestamp with time zone": "time", "uuid": "id", "jsonb": "json", "text": "text", "boolean": "bool", "date": "date",
		"integer": "number", "bigint": "number", "double precision": "number", "bytea": "blob", "TEXT": "text", "INTEGER": "number", "REAL": "number", "BLOB": "blob",
	}
	rows, err := raw.QueryContext(context.Background(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	out := map[string][]column{}
	for rows.Next() {
		var table string
		var c column
		if err := rows.Scan(&table, &c.name, &c.kind, &c.nullable); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(table, "goose_") || strings.HasPrefix(table, "sqlite_") {
			continue
		}
		if kinds[c.kind] == "" {
			t.Errorf("%s.%s has type %s, which the other database may not know", table, c.name, c.kind)
		}
		c.kind = kinds[c.kind]
		out[table] = append(out[table], c)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestBothDatabasesHaveTheSameTablesAndColumns(t *testing.T) {
	schemas := map[string]map[string][]column{}
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		schema := columns(t, d, d.Raw(t))
		for _, all := range schema {
			for i := range all {
				// What SQLite keeps as text or a number, for want of more types.
				switch all[i].kind {
				case "id", "json", "date":
					all[i].kind = "text"
				case "time", "bool":
					all[i].kind = "number"
				}
			}
		}
		schemas[d.Dialect] = schema
	})
	if len(schemas) < 2 {
		t.Skip("only one database is here")
	}
	if diff := cmp.Diff(schemas["sqlite"], schemas["postgres"], cmp.AllowUnexported(column{})); diff != "" {
		t.Errorf("SQLite (-) and PostgreSQL (+) differ:\n%s", diff)
	}
	if len(schemas["sqlite"]) < 12 {
		t.Errorf("only %d tables were compared", len(schemas["sqlite"]))
	}
}
