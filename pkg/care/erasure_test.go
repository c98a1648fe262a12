//go:build unix

package care_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/mail"
	"github.com/protrack/protrack/pkg/store/storetest"
	"github.com/protrack/protrack/pkg/webhook"
)

// told is a record full of words that stand nowhere else, each of them what a
// search looks for.
type confided struct {
	client   care.Client
	canaries []string
}

// onItsWay has all that happened so far be on its way to a webhook.
func onItsWay(t *testing.T, c clinic) {
	t.Helper()
	must(t, c.Arrange(t.Context(), c.Who, func(tx webhook.Tx) error {
		tx.Note(storetest.Entry(c.Who))
		_, err := tx.InsertWebhook(t.Context(), c.Who, webhook.Webhook{ID: storetest.NewID(), URL: "https://hooks.example.org", Version: 1})
		return err
	}))
	n, err := c.Relay(t.Context(), c.Who.Clinic, day(1), 10_000, storetest.NewID)
	must(t, err)
	if n == 0 {
		t.Error("nothing is on its way")
	}
}

// tell makes a record that has rows in every table of a client's data, with
// another client's rows between them, so that pages are shared.
func tell(t *testing.T, c clinic) confided {
	t.Helper()
	var out confided
	canary := func(what string) care.Private {
		text := "canary-" + what + "-" + uuid.NewString()
		out.canaries = append(out.canaries, text)
		return care.Private(text)
	}
	ctx := t.Context()
	var err error
	out.client, _, err = c.Care.CreateClient(ctx, c.Who, care.Client{Reference: canary("reference"), DisplayName: canary("name")})
	must(t, err)
	changed := out.client
	changed.Reference, changed.DisplayName = canary("reference"), canary("name")
	_, err = c.Care.UpdateClient(ctx, c.Who, changed, 1)
	must(t, err)
	neighbour := c.client(t, uuid.NewString())
	course, _, err := c.Care.CreateCourse(ctx, c.Who, care.Course{
		ClientID: out.client.ID, Indication: string(canary("indication")), StartedOn: "2026-01-01", Goals: canary("goals"),
	})
	must(t, err)
	session := c.session(t, care.Session{
		ClientID: out.client.ID, CourseID: &course.ID, Kind: care.Dosing, StartedAt: day(5),
		Medicine: &care.Medicine{Substance: string(canary("substance")), Route: care.Oral, DoseMG: 70},
	})
	for i := range 120 {
		a := answersOf(out.client.ID, i, 0)
		a.SessionID, a.Timing = &session.ID, care.BeforeIt
		stored := c.record(t, a, answersOf(neighbour.ID, i, 4))[0]
		if i%3 == 0 {
			again := answersOf(out.client.ID, i+7, 0)
			again.ID, again.Reason = stored.ID, canary("reason")
			_, err = c.Care.Amend(ctx, c.Who, again, 1)
			must(t, err)
		}
		if i%10 == 0 {
			_, err = c.Care.Retract(ctx, c.Who, stored.ID, canary("retraction"), nil)
			must(t, err)
		}
	}
	onItsWay(t, c)
	_, err = c.Care.PutContact(ctx, c.Who, care.Contact{ClientID: out.client.ID, Email: mail.Address(canary("email") + "@client.test")})
	must(t, err)
	waits := storetest.NewMessage(out.client.ID, day(9))
	waits.Link = mail.Address("https://clinic.test/q/" + canary("link"))
	c.Write(t, func(ctx context.Context, tx care.Tx) error { return tx.Post(ctx, c.Who, waits) })
	for _, insert := range rightsRows(t, c, out.client.ID, neighbour.ID, func(what string) string { return string(canary(what)) }) {
		_, err := c.raw.ExecContext(ctx, insert)
		if err != nil {
			t.Fatalf("%v: %s", err, insert)
		}
	}
	for _, column := range []string{"answers", "score"} {
		out.canaries = append(out.canaries, c.column(t, "assessment_versions", column, "client_id = '"+out.client.ID.String()+"' AND version = 1")...)
	}
	return out
}

// answersOf is a PCL-5 whose first items are the digits of n, and all others
// the same: so neither the answers nor the score are those of a form with
// other others.
func answersOf(client uuid.UUID, n, others int) care.Assessment {
	a := gad7(client, day(n), 0)
	a.Instrument, a.Answers = "pcl-5", instrument.Answers{}
	for i := range 20 {
		a.Answers[fmt.Sprintf("pcl5_%d", i+1)] = &others
		if i < 4 {
			a.Answers[fmt.Sprintf("pcl5_%d", i+1)] = new(n % 5)
			n /= 5
		}
	}
	return a
}

// rightsRows are rows of the tables that no method of this package writes.
func rightsRows(t testing.TB, c clinic, client, neighbour uuid.UUID, canary func(string) string) []string {
	when := "'2026-01-02T03:04:05Z'"
	if c.Dialect == "sqlite" {
		when = "1767323045000000"
	}
	blob := func(text string) string {
		if c.Dialect == "sqlite" {
			return "CAST('" + text + "' AS BLOB)"
		}
		return "'" + text + "'"
	}
	insert := func(table, columns string, values ...string) string {
		for i, v := range values {
			if v != when && !strings.HasPrefix(v, "CAST") && !strings.HasPrefix(v, "'") {
				values[i] = "'" + v + "'"
			}
		}
		return fmt.Sprintf("INSERT INTO %s (clinic_id, %s) VALUES ('%s', %s)", table, columns, c.Who.Clinic, strings.Join(values, ", "))
	}
	id, actor, token := client.String(), c.Who.Actor.String(), uuid.NewString()
	noted, said := uuid.NewString(), c.column(t, "assessments", "id", "client_id = '"+id+"'")[0]
	return []string{
		insert("alerts", "id, client_id, assessment_id, subject_id, rule, level, status, raised_at, opened_at, answered_at, received_at, withdrawn, tier, steps",
			noted, id, said, said, "x", "low", "closed", when, when, when, when, "0", "0", "1"),
		insert("alert_steps", "alert_id, n, client_id, at, deed, level, status, tier, disposition, note", noted, "1", id, when, "actioned", "low", "actioned", "0", "referred", canary("alert")),
		insert("consents", "client_id, id, scope, status, at, text_version, recorded_at, recorded_by", id, uuid.NewString(), "care", "granted", when, canary("consent"), when, actor),
		insert("corrections", "client_id, id, target, request, status, note, requested_at, requested_by", id, uuid.NewString(), "client", canary("request"), "open", canary("note"), when, actor),
		insert("client_tokens", "client_id, id, hash, minted_by, created_at, expires_at", id, token, blob(canary("token")), actor, when, when),
		insert("care_team", "client_id, member, kind, since, reason, note, added_by", id, actor, "break_glass", when, "other", canary("team"), actor),
		insert("merges", "id, survivor, duplicate, reason, merged_at, merged_by", uuid.NewString(), neighbour.String(), id, canary("merge"), when, actor),
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// column reads one column as text.
func (c clinic) column(t testing.TB, table, column, where string) []string {
	t.Helper()
	rows, err := c.raw.Query(fmt.Sprintf("SELECT CAST(%s AS text) FROM %s WHERE %s", column, table, where))
	must(t, err)
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var text string
		must(t, rows.Scan(&text))
		out = append(out, text)
	}
	must(t, rows.Err())
	return out
}

// everywhere is all that a database holds, by place: each table, and the bytes
// of SQLite's files.
func (c clinic) everywhere(t testing.TB) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, table := range c.Tables(t, c.raw) {
		out[table] = strings.Join(c.Rows(t, c.raw, table, "1 = 1"), "\n")
	}
	if path, isFile := strings.CutPrefix(c.URL, "sqlite://"); isFile {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			b, err := os.ReadFile(path + suffix)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			out["file"+suffix] = string(b)
		}
	}
	return out
}

// holding lists the canaries that are found, and where.
func (told confided) holding(places map[string]string) (found []string) {
	for _, canary := range told.canaries {
		for place, text := range places {
			if strings.Contains(text, canary) {
				found = append(found, place+": "+canary)
			}
		}
	}
	slices.Sort(found)
	return found
}

func TestAfterAnErasureASearchOfTheWholeDatabaseFindsNothing(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		var log bytes.Buffer
		c.Care.Log = slog.New(slog.NewJSONHandler(&log, nil))
		told := tell(t, c)
		before := c.everywhere(t)
		for _, canary := range told.canaries { // the control: the search finds what is there
			one := told
			one.canaries = []string{canary}
			if len(one.holding(before)) == 0 {
				t.Errorf("the search does not find %s before the erasure", canary)
			}
		}
		trail := c.Rows(t, c.raw, "audit_entries", "1 = 1")
		erasure, err := c.Care.EraseClient(t.Context(), c.Who, told.client.ID, care.ClientRequest)
		must(t, err)
		if found := told.holding(c.everywhere(t)); len(found) > 0 {
			t.Errorf("%d found after the erasure, for example %.300s", len(found), found[0])
		}
		if found := told.holding(map[string]string{"log": log.String()}); len(found) > 0 {
			t.Errorf("in the log: %v", found)
		}
		for _, row := range trail {
			if after := c.Rows(t, c.raw, "audit_entries", "1 = 1"); !slices.Contains(after, row) {
				t.Fatalf("an entry of the audit trail changed: %s", row)
			}
		}
		for table, n := range erasure.Removed {
			if n == 0 {
				t.Errorf("nothing of %s was removed: the test does not show that it is", table)
			}
		}
		c.sound(t)
	})
}

// TestEveryTableOfAClientsDataIsErased holds the schema against what an
// erasure removes: a table that a later issue adds is not forgotten.
func TestEveryTableOfAClientsDataIsErased(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		client := c.client(t, "P-1")
		erasure, err := c.Care.EraseClient(t.Context(), c.Who, client.ID, care.RetentionEnded)
		must(t, err)
		stays := []string{"clients", "erasures", "audit_entries", "audit_subjects", "snapshot_members"}
		of := 0
		for _, table := range c.Tables(t, c.raw) {
			names, err := c.raw.Query("SELECT * FROM " + table + " WHERE 1 = 0")
			must(t, err)
			columns, err := names.Columns()
			must(t, err)
			must(t, names.Close())
			ofClients := slices.Contains(columns, "client_id") || slices.Contains(columns, "survivor") || table == "client_versions"
			if _, removed := erasure.Removed[table]; ofClients != removed && !slices.Contains(stays, table) {
				t.Errorf("%s has a client: %t, is erased: %t", table, ofClients, removed)
			}
			if ofClients {
				of++
			}
		}
		if of < 14 {
			t.Errorf("only %d tables have clients", of)
		}
	})
}

func TestWhatWasErasedIsGoneAndStaysGone(t *testing.T) {
	eachTwo(t, func(t *testing.T, here, there clinic) {
		s := newStanding(t, here)
		must(t, here.Care.UndoMerge(t.Context(), here.Who, s.client.ID, s.merged.ID))
		first, err := here.Care.EraseClient(t.Context(), here.Who, s.client.ID, care.LegalOrder)
		must(t, err)
		before := here.dump(t)
		for name, d := range deeds {
			answers := []fault.Kind{fault.Gone, fault.NotFound} // what was below the client is unknown now
			switch name {
			case "InstrumentDefinitions", "InstrumentDefinition", "Score", "CreateClient", "Clients", "Caseload", "Today", "Settings",
				"ChooseSetting", "RebuildProgress", "MayRecord", "MayAmend", "ClinicSettings", "ChooseClinicSettings", "Audit", "NoteExport", "Events", "OpenAlerts", "AlertList", "AlertSettings", "ChooseAlertSettings", "Disclosures", "EraseClient", "RecordAssessments", "MessageSettings", "ChooseMessageSettings":
				continue
			case "Client", "UpdateClient", "Contact", "PutContact", "Messages", "Courses", "CreateCourse", "Sessions", "CreateSession", "Assessments", "Trajectories", "Record", "MergeClients", "UndoMerge", "Merges":
				answers = answers[:1]
			}
			if err := d.do(t.Context(), here.Care, here.Who, s); !slices.Contains(answers, fault.KindOf(err)) {
				t.Errorf("%s: %v", name, err)
			}
			if err := d.do(t.Context(), there.Care, there.Who, s); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s of another clinic: %v", name, err)
			}
		}
		neighbour := here.client(t, "P-neighbour")
		recorded := here.recorded(t, gad7(s.client.ID, day(8), 1), gad7(neighbour.ID, day(8), 1))
		if !fault.Is(recorded[0].Err, fault.Gone) || recorded[1].Outcome != care.Created {
			t.Errorf("in a batch: %v, %v", recorded[0].Err, recorded[1].Err)
		}
		if _, _, err := here.Care.CreateClient(t.Context(), here.Who, s.client); !fault.Is(err, fault.Gone) {
			t.Errorf("the id is given again: %v", err)
		}
		if _, _, err := here.Care.CreateClient(t.Context(), here.Who, care.Client{Reference: s.client.Reference}); err != nil {
			t.Errorf("the reference is not free: %v", err)
		}
		again, err := here.Care.EraseClient(t.Context(), here.Who, s.client.ID, care.ClientRequest)
		if d := cmp.Diff(first, again); err != nil || d != "" {
			t.Errorf("asked again: %v\n%s", err, d)
		}
		shown, err := here.Care.Disclosures(t.Context(), here.Who, s.client.ID, care.Page{Limit: 100})
		if err != nil || len(shown) == 0 {
			t.Errorf("the disclosures do not outlive the record: %d, %v", len(shown), err)
		}
		if _, err := there.Care.EraseClient(t.Context(), there.Who, s.client.ID, care.ClientRequest); !fault.Is(err, fault.NotFound) {
			t.Errorf("another clinic: %v", err)
		}
		for _, row := range before {
			if strings.Contains(row, s.client.ID.String()) && !strings.HasPrefix(row, "clients:") && !strings.HasPrefix(row, "erasures:") && !strings.Contains(row, "client.erased") {
				t.Errorf("a row stays: %s", row)
			}
		}
	})
}

func TestAnErasureMeetsWritersAndLeavesNothingBehind(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		s := newStanding(t, c)
		var wg sync.WaitGroup
		gone := make(chan error, 1000)
		for range 8 {
			wg.Go(func() {
				for i := range 20 {
					out, err := c.Care.RecordAssessments(t.Context(), c.Who, []care.Assessment{gad7(s.client.ID, day(i), i%4)})
					if err == nil {
						err = out[0].Err
					}
					gone <- err
				}
			})
		}
		<-gone // one of them is stored or about to be
		_, err := c.Care.EraseClient(t.Context(), c.Who, s.client.ID, care.ClientRequest)
		must(t, err)
		wg.Wait()
		close(gone)
		refused := 0
		for err := range gone {
			switch {
			case fault.Is(err, fault.Gone):
				refused++
			case err != nil && !fault.Is(err, fault.Unavailable):
				t.Error(err)
			}
		}
		if refused == 0 {
			t.Error("no writer came after the erasure: the test shows nothing")
		}
		for _, row := range c.dump(t) {
			if strings.Contains(row, s.client.ID.String()) && !strings.HasPrefix(row, "clients:") && !strings.HasPrefix(row, "erasures:") && !strings.Contains(row, "client.erased") {
				t.Errorf("a row stays: %s", row)
			}
		}
	})
}

// TestAReaderThatHoldsTheLogIsTold erases while a reader has the database as
// it was: SQLite cannot empty its log then, and the answer says so.
func TestAReaderThatHoldsTheLogIsTold(t *testing.T) {
	c := newClinic(t, storetest.SQLite(t))
	told := tell(t, c)
	inFiles := func(e care.Erasure) bool {
		return slices.ContainsFunc(e.Kept, func(k care.Kept) bool { return k.What == "database_files" })
	}
	errDone := errors.New("done")
	err := c.DB.DB.Read(context.Background(), c.Who, func(r care.Reader) error {
		if _, err := r.Client(t.Context(), c.Who, told.client.ID); err != nil {
			return err
		}
		e, err := c.Care.EraseClient(t.Context(), c.Who, told.client.ID, care.ClientRequest)
		must(t, err)
		if !inFiles(e) || len(told.holding(c.everywhere(t))) == 0 {
			t.Errorf("the reader keeps no trace, or is not told: %v", e.Kept)
		}
		return errDone
	})
	if !errors.Is(err, errDone) {
		t.Fatal(err)
	}
	e, err := c.Care.EraseClient(t.Context(), c.Who, told.client.ID, care.ClientRequest)
	if found := told.holding(c.everywhere(t)); err != nil || inFiles(e) || len(found) > 0 {
		t.Errorf("asked again: %v, %v, %d found", err, e.Kept, len(found))
	}
}

func TestAnErasureHasOneOfFourReasons(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		client := c.client(t, "P-1")
		before := c.dump(t)
		for _, reason := range []care.ErasureReason{"", "he asked", "Client_request"} {
			if _, err := c.Care.EraseClient(t.Context(), c.Who, client.ID, reason); !fault.Is(err, fault.Invalid) {
				t.Errorf("%q: %v", reason, err)
			}
		}
		if _, err := c.Care.EraseClient(t.Context(), auth.As(c.Who.Clinic, c.Who.Actor, auth.ByKey, auth.Clinician), client.ID, care.LegalOrder); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a clinician: %v", err)
		}
		c.unchanged(t, before)
	})
}
