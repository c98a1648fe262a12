package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/ncruces/go-sqlite3/driver"
	otp "github.com/pquerna/otp/totp"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/seal"
	"github.com/protrack/protrack/pkg/store"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// Every statement that the services send is planned anew, without values.
// None may have to read a whole table: PostgreSQL is told to avoid that at
// any price, so a sequential scan that is left has no index to use.
func TestEveryStatementIsCoveredByAnIndex(t *testing.T) { coveredByIndexes(t, nil) }

func TestEveryStatementOnEncryptedNamesIsCoveredByAnIndex(t *testing.T) {
	coveredByIndexes(t, rotated(t, newKeys(t)))
}

func coveredByIndexes(t *testing.T, keys *seal.Keys) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "plans.db")
		statements := statementsOfTheServices(t, "sqlite://"+path, keys)
		db := openDriver(t, "sqlite3", "file:"+path)
		check := func(statement string) []string { return sqlitePlan(t, db, statement) }
		if len(check("SELECT id FROM assessment_versions WHERE total = ?")) == 0 {
			t.Fatal("a statement without an index is not noticed")
		}
		for _, s := range statements {
			for _, step := range check(s) {
				t.Errorf("%s\n  in %s", step, s)
			}
		}
	})
	t.Run("postgres", func(t *testing.T) {
		url := storetest.Postgres(t)
		statements := statementsOfTheServices(t, url, keys)
		db := openDriver(t, "pgx", url)
		if len(postgresPlan(t, db, "SELECT id FROM assessment_versions WHERE total = $1")) == 0 {
			t.Fatal("a statement without an index is not noticed")
		}
		for _, s := range statements {
			for _, step := range postgresPlan(t, db, s) {
				t.Errorf("%s\n  in %s", step, s)
			}
		}
	})
}

func openDriver(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// placeholder is how GORM writes a parameter of PostgreSQL in its log.
var placeholder = regexp.MustCompile(`\$(\d+)\$`)

// statementsOfTheServices uses every service method once and returns the
// distinct statements that were sent.
func statementsOfTheServices(t *testing.T, url string, field *seal.Keys) []string {
	t.Helper()
	ctx := context.Background()
	var mu sync.Mutex
	seen := map[string]bool{}
	db, err := store.Open(ctx, store.Config{URL: url, FieldKeys: field, Log: slog.New(slog.DiscardHandler), Trace: func(s string) {
		mu.Lock()
		defer mu.Unlock()
		seen[placeholder.ReplaceAllString(s, "$$$1")] = true
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	seen = map[string]bool{}
	newID := func() uuid.UUID { return uuid.Must(uuid.NewV7()) }
	keys := &auth.Service{Store: db, Now: time.Now, NewID: newID, Log: slog.New(slog.DiscardHandler), Passwords: auth.NewHasher(2)}
	svc := &care.Service{Store: db, Instruments: instrument.Embedded(), Now: time.Now, NewID: newID, Log: slog.New(slog.DiscardHandler)}
	who, client := useEverything(ctx, t, svc, keys)
	useResearch(ctx, t, db, who, client)
	useLedger(ctx, t, db)
	var out []string
	for s := range seen {
		if !strings.HasPrefix(s, "INSERT") {
			out = append(out, s)
		}
	}
	slices.Sort(out)
	if len(out) < 25 {
		t.Fatalf("only %d statements were seen", len(out))
	}
	return out
}

// useEverything says who used it, and a client that there is.
func useEverything(ctx context.Context, t *testing.T, svc *care.Service, keys *auth.Service) (auth.Principal, uuid.UUID) {
	t.Helper()
	_, secret, err := keys.Found(ctx, "plans", "")
	must(t, err)
	who, err := keys.Authenticate(ctx, secret, auth.Origin{})
	must(t, err)
	key, _, err := keys.CreateKey(ctx, who, auth.NewKey{Name: "k", Role: auth.App})
	must(t, err)
	_, err = keys.Keys(ctx, who, uuid.Nil, 10)
	must(t, err)
	_, _, err = keys.RotateKey(ctx, who, key.ID, nil)
	must(t, err)
	must(t, keys.RevokeKey(ctx, who, key.ID))
	_, err = keys.Operator(ctx, "plans")
	must(t, err)
	usePeople(ctx, t, keys, secret)

	client, _, err := svc.CreateClient(ctx, who, care.Client{Reference: "P-1"})
	must(t, err)
	_, _, err = svc.CreateClient(ctx, who, client)
	must(t, err)
	client, err = svc.UpdateClient(ctx, who, client, 1)
	must(t, err)
	after := care.Page{Limit: 10, After: care.Position{Text: "A", Time: time.Now(), Number: new(1.0), ID: client.ID}}
	course, _, err := svc.CreateCourse(ctx, who, care.Course{ClientID: client.ID, Indication: "depression", StartedOn: "2026-01-02"})
	must(t, err)
	_, err = svc.UpdateCourse(ctx, who, course, 1)
	must(t, err)
	session, _, err := svc.CreateSession(ctx, who, care.Session{
		ClientID: client.ID, CourseID: &course.ID, Kind: care.Dosing, StartedAt: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC),
	})
	must(t, err)
	_, err = svc.UpdateSession(ctx, who, session, 1)
	must(t, err)
	recorded, err := svc.RecordAssessments(ctx, who, []care.Assessment{{
		ClientID: client.ID, Instrument: "phq-9", Timing: care.BeforeIt, SessionID: &session.ID,
		CompletedAt: session.StartedAt, Total: new(14.0),
	}})
	must(t, err)
	a := recorded[0].Assessment
	a.Reason = "again"
	a, err = svc.Amend(ctx, who, a, 1)
	must(t, err)
	_, err = svc.AssessmentVersions(ctx, who, a.ID, after)
	must(t, err)
	_, err = svc.Retract(ctx, who, a.ID, "wrong", nil)
	must(t, err)
	_, err = svc.ChooseSetting(ctx, who, care.Setting{Instrument: "phq-9"})
	must(t, err)
	must(t, svc.RebuildProgress(ctx, who))
	exerciseRights(ctx, t, svc, who, client.ID)
	readEverything(ctx, t, svc, who, after, course, session, a)
	useRights(ctx, t, svc, who, after, client.ID)
	useTokens(ctx, t, keys, who, client.ID)
	return who, client.ID
}

// useRights is useEverything for consents, corrections, care teams and due forms.
func useRights(ctx context.Context, t *testing.T, svc *care.Service, who auth.Principal, after care.Page, client uuid.UUID) {
	t.Helper()
	consent := care.Consent{ID: uuid.New(), ClientID: client, Scope: care.ForResearch, Status: care.Granted, At: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)}
	correction := care.Correction{ID: uuid.New(), ClientID: client, Target: care.TargetOther, Request: "x"}
	for range 2 {
		_, _, err := svc.RecordConsent(ctx, who, consent)
		must(t, err)
		_, _, err = svc.RequestCorrection(ctx, who, correction)
		must(t, err)
	}
	for range 2 {
		_, err := svc.DecideCorrection(ctx, who, correction.ID, care.CorrectionRefused, "")
		must(t, err)
	}
	for _, page := range []care.Page{{Limit: 10}, after} {
		_, err := svc.Consents(ctx, who, client, page)
		must(t, err)
		_, err = svc.Corrections(ctx, who, client, page)
		must(t, err)
	}
	_, err := svc.Assign(ctx, who, client, who.Actor, nil)
	must(t, err)
	must(t, svc.Dismiss(ctx, who, client, who.Actor))
	_, err = svc.ChooseClinicSettings(ctx, who, care.ClinicSettings{CareTeams: true})
	must(t, err)
	_, err = svc.ClinicSettings(ctx, who)
	must(t, err)
	who.Reach = auth.AssignedClients
	_, err = svc.BreakGlass(ctx, who, client, care.ForCover, "")
	must(t, err)
	_, err = svc.Team(ctx, who, client, true)
	must(t, err)
	_, err = svc.DueForms(ctx, who, client)
	must(t, err)
	_, err = svc.Clients(ctx, who, care.Page{Limit: 10})
	must(t, err)
	_, err = svc.Caseload(ctx, who, care.CaseloadQuery{Instrument: "phq-9", Sort: care.ByChange}, care.Page{Limit: 10})
	must(t, err)
	_, err = svc.Today(ctx, who, nil, care.Page{Limit: 10})
	must(t, err)
}

// exerciseRights does what a client may ask for, to the end.
func exerciseRights(ctx context.Context, t *testing.T, svc *care.Service, who auth.Principal, client uuid.UUID) {
	t.Helper()
	for _, page := range []care.Page{{Limit: 10}, {Limit: 10, After: care.Position{Time: time.Now(), ID: client}}} {
		_, err := svc.Disclosures(ctx, who, client, page)
		must(t, err)
		for _, filter := range []care.EntryFilter{
			{}, {Clients: []uuid.UUID{client}}, {Actor: &who.Actor}, {Action: "client.read", Outcome: "done", From: new(time.Now()), To: new(time.Now())},
		} {
			_, err := svc.Audit(ctx, who, filter, page)
			must(t, err)
		}
	}
	_, err := svc.Record(ctx, who, client, care.RecordZIP)
	must(t, err)
	spare, _, err := svc.CreateClient(ctx, who, care.Client{Reference: "P-spare"})
	must(t, err)
	merge, _, err := svc.MergeClients(ctx, who, care.Merge{Survivor: client, Duplicate: spare.ID, Reason: "twice"})
	must(t, err)
	for _, page := range []care.Page{{Limit: 10}, {Limit: 10, After: care.Position{Time: time.Now(), ID: merge.ID}}} {
		_, err = svc.Merges(ctx, who, client, page)
		must(t, err)
	}
	must(t, svc.UndoMerge(ctx, who, client, spare.ID))
	for range 2 {
		_, err = svc.EraseClient(ctx, who, spare.ID, care.LegalOrder)
		must(t, err)
	}
}

// usePeople uses everything about accounts, and useTokens about tokens.
func usePeople(ctx context.Context, t *testing.T, keys *auth.Service, secret auth.Secret) {
	t.Helper()
	const email, password = "a@x.example", "nine purple gates at dusk"
	first, err := keys.SetUp(ctx, "plans", secret, auth.NewAccount{Email: email, Name: "A", Password: password}, auth.Origin{})
	must(t, err)
	who, _, err := keys.SignIn(ctx, "plans", email, password, "", auth.Origin{})
	must(t, err)
	_, err = keys.PrincipalOf(ctx, who.Clinic, first.ID, first.Epoch, auth.Origin{})
	must(t, err)
	second, _, err := keys.CreateAccount(ctx, who, auth.NewAccount{Email: "b@x.example", Name: "B", Role: auth.Owner})
	must(t, err)
	_, err = keys.UpdateAccount(ctx, who, second.ID, auth.AccountChange{Disabled: new(true)})
	must(t, err)
	_, err = keys.ResetPassword(ctx, who, second.ID)
	must(t, err)
	_, err = keys.Accounts(ctx, who, uuid.Nil, 10)
	must(t, err)
	_, err = keys.Account(ctx, who, second.ID)
	must(t, err)
	identity := auth.Identity{Issuer: "https://idp.example", Subject: "s", Grants: []auth.Grant{{Clinic: "plans", Role: auth.Clinician}}}
	_, _, err = keys.PrincipalOfIdentity(ctx, identity, "", auth.Origin{})
	must(t, err)
	totp, _, err := keys.EnrolTOTP(ctx, who)
	must(t, err)
	code, err := otp.GenerateCode(string(totp), time.Now())
	must(t, err)
	recovery, err := keys.ConfirmTOTP(ctx, who, auth.Secret(code))
	must(t, err)
	_, _, err = keys.SignIn(ctx, "plans", email, password, recovery[0], auth.Origin{Address: "192.0.2.9"})
	must(t, err)
}

func useTokens(ctx context.Context, t *testing.T, keys *auth.Service, who auth.Principal, client uuid.UUID) {
	t.Helper()
	token, secret, err := keys.MintToken(ctx, who, client, nil)
	must(t, err)
	_, err = keys.Authenticate(ctx, secret, auth.Origin{})
	must(t, err)
	_, err = keys.Tokens(ctx, who, client, uuid.Nil, 10)
	must(t, err)
	must(t, keys.RevokeToken(ctx, who, token.ID))
}

func readEverything(ctx context.Context, t *testing.T, svc *care.Service, who auth.Principal, after care.Page, course care.Course, session care.Session, a care.Assessment) {
	t.Helper()
	for _, page := range []care.Page{{Limit: 10}, after} {
		_, err := svc.Clients(ctx, who, page)
		must(t, err)
		coursePage := page
		coursePage.After.Text = "2026-01-01"
		_, err = svc.Courses(ctx, who, a.ClientID, coursePage)
		must(t, err)
		_, err = svc.Sessions(ctx, who, a.ClientID, page)
		must(t, err)
		for _, filter := range []care.AssessmentFilter{{}, {Instrument: "phq-9", SessionID: &session.ID, Timing: care.BeforeIt, Retracted: true}} {
			_, err = svc.Assessments(ctx, who, a.ClientID, filter, page)
			must(t, err)
		}
		for _, status := range []string{"", "response", care.NotMeasured} {
			for _, sort := range []care.CaseloadSort{care.ByReference, care.ByChange, care.ByLastAt} {
				for _, search := range []string{"", "p"} {
					_, err = svc.Caseload(ctx, who, care.CaseloadQuery{Instrument: "phq-9", Status: status, Sort: sort, Search: search}, page)
					must(t, err)
				}
			}
		}
	}
	for _, day := range []*care.Date{nil, new(care.Date("2026-01-05"))} {
		_, err := svc.Today(ctx, who, day, care.Page{Limit: 10})
		must(t, err)
	}
	for _, asOf := range []*time.Time{nil, new(time.Now())} {
		for _, name := range []string{"", "phq-9"} {
			_, err := svc.Trajectories(ctx, who, a.ClientID, care.TrajectoryQuery{Instrument: name, CourseID: &course.ID, AsOf: asOf})
			must(t, err)
		}
	}
}

// useLedger seals what the services noted, and reads it.
func useLedger(ctx context.Context, t *testing.T, db *store.DB) {
	t.Helper()
	clinics, err := db.Clinics(ctx)
	must(t, err)
	_, err = db.Seal(ctx, clinics[0], 10, func(head audit.Head, entries []audit.Entry) ([]audit.Sealed, audit.Head) {
		return head.Link(entries, time.Now())
	})
	must(t, err)
	must(t, db.PutCheckpoint(ctx, clinics[0], 1, time.Now(), "note"))
	_, _, err = db.LastCheckpoint(ctx, clinics[0])
	must(t, err)
	must(t, db.Chain(ctx, clinics[0], func(c store.Chain) error {
		for _, err := range c.Entries {
			must(t, err)
		}
		return nil
	}))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sqlitePlan lists the steps of a statement's plan that read a whole table.
func sqlitePlan(t *testing.T, db *sql.DB, statement string) []string {
	t.Helper()
	return slices.DeleteFunc(sqliteSteps(t, db, statement), func(step string) bool {
		return !strings.HasPrefix(step, "SCAN ") || strings.Contains(step, "INDEX")
	})
}

// sqliteSteps are the steps of a statement's plan.
func sqliteSteps(t *testing.T, db *sql.DB, statement string) []string {
	t.Helper()
	// The driver wants a value for each parameter; the plan does not.
	args := make([]any, strings.Count(statement, "?"))
	rows, err := db.Query("EXPLAIN QUERY PLAN "+statement, args...)
	if err != nil {
		t.Fatalf("%v: %s", err, statement)
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var id, parent, unused int
		var step string
		must(t, rows.Scan(&id, &parent, &unused, &step))
		out = append(out, step)
	}
	must(t, rows.Err())
	return out
}

// postgresPlan lists the steps of a statement's generic plan that read a
// whole table.
func postgresPlan(t *testing.T, db *sql.DB, statement string) []string {
	t.Helper()
	return slices.DeleteFunc(postgresSteps(t, db, statement), func(step string) bool { return !strings.Contains(step, "Seq Scan") })
}

// postgresSteps are the steps of a statement's generic plan, where whole tables
// are to be avoided.
func postgresSteps(t *testing.T, db *sql.DB, statement string) []string {
	t.Helper()
	for _, set := range []string{"SET enable_seqscan = off", "SET plan_cache_mode = force_generic_plan"} {
		_, err := db.Exec(set)
		must(t, err)
	}
	if _, err := db.Exec("PREPARE plan AS " + statement); err != nil {
		t.Fatalf("%v: %s", err, statement)
	}
	highest := 0
	for _, m := range regexp.MustCompile(`\$(\d+)`).FindAllStringSubmatch(statement, -1) {
		var n int
		_, err := fmt.Sscan(m[1], &n)
		must(t, err)
		highest = max(highest, n)
	}
	execute := "EXPLAIN EXECUTE plan"
	if highest > 0 {
		execute += "(" + strings.TrimSuffix(strings.Repeat("NULL, ", highest), ", ") + ")"
	}
	rows, err := db.Query(execute)
	if err != nil {
		t.Fatalf("%v: %s", err, statement)
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var step string
		must(t, rows.Scan(&step))
		out = append(out, step)
	}
	must(t, rows.Err())
	must(t, rows.Close())
	_, err = db.Exec("DEALLOCATE plan")
	must(t, err)
	return out
}
