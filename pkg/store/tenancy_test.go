//go:build unix

package store_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/mail"
	"github.com/protrack/protrack/pkg/research"
	"github.com/protrack/protrack/pkg/store/storetest"
	"github.com/protrack/protrack/pkg/webhook"
)

// victim is a clinic with one of everything.
type victim struct {
	*storetest.Clinic
	client     care.Client
	course     care.Course
	session    care.Session
	assessment care.Assessment
	key        auth.Key
	consent    care.Consent
	correction care.Correction
	erased     care.Client
	spare      care.Client // to be erased by its own clinic
	token      auth.Token
	account    auth.Account
	merge      care.Merge
	webhook    webhook.Webhook
	doomed     webhook.Webhook // to be removed
	delivery   uuid.UUID
	alert      care.Alert
	message    mail.Message
	studied
}

func newVictim(t *testing.T, d *storetest.Database) victim {
	c := d.Clinic(t)
	v := victim{Clinic: c, client: c.NewClient("P-1")}
	v.course, v.session = c.NewCourse(v.client.ID, "2026-01-01"), c.NewSession(v.client.ID, storetest.When)
	v.assessment = c.NewAssessment(v.client.ID, storetest.When, 7)
	v.assessment.SessionID = &v.session.ID
	v.key = auth.Key{ID: storetest.NewID(), Name: "k", Role: auth.App, CreatedAt: storetest.When}
	v.consent, v.correction = c.NewConsent(v.client.ID, storetest.When), c.NewCorrection(v.client.ID, storetest.When)
	v.erased, v.spare = c.NewClient("P-2"), c.NewClient("P-3")
	duplicate := c.NewClient("P-4")
	v.merge = care.Merge{ID: storetest.NewID(), Survivor: v.client.ID, Duplicate: duplicate.ID, MergedAt: storetest.When}
	c.Insert(t, v.client, v.course, v.session, v.assessment, v.consent, v.correction, c.NewMembership(v.client.ID, c.Who.Actor, storetest.When), v.erased, v.spare, duplicate)
	if err := c.CreateKey(t.Context(), c.Who, v.key, []byte(v.key.ID.String())); err != nil {
		t.Fatal(err)
	}
	v.token = auth.Token{ID: storetest.NewID(), Client: v.client.ID, MintedBy: v.key.ID, CreatedAt: storetest.When, ExpiresAt: storetest.When}
	v.account = auth.Account{ID: storetest.NewID(), Email: "a@x.example", Issuer: "https://idp.example", Subject: "s", Name: "A", Role: auth.Owner, Epoch: 1, CreatedAt: storetest.When}
	err := errors.Join(
		c.CreateToken(t.Context(), c.Who, v.token, []byte(v.token.ID.String())),
		c.CreateAccount(t.Context(), c.Who, v.account, auth.Proofs{Password: "hash"}),
		c.PutRecoveryCodes(t.Context(), c.Who, v.account.ID, [][]byte{[]byte("code")}))
	if err != nil {
		t.Fatal(err)
	}
	v.message = v.post(t)
	c.Write(t, func(ctx context.Context, tx care.Tx) error {
		_, err := tx.PutClinicSettings(ctx, c.Who, care.ClinicSettings{CareTeams: true, SmallestCell: 7})
		return errors.Join(err,
			tx.PutProgress(ctx, c.Who, []uuid.UUID{v.client.ID}, nil, []care.Progress{storetest.NewProgress(v.client.ID, "gad-7")}),
			tx.PutSetting(ctx, c.Who, care.Setting{Instrument: "gad-7", UpdatedAt: storetest.When}))
	})
	c.Write(t, func(ctx context.Context, tx care.Tx) error {
		e := storetest.Entry(c.Who)
		e.Client = v.client.ID
		tx.Note(e)
		v.alert = storetest.NewAlert(v.client.ID, v.assessment.ID)
		_, chosen := tx.PutAlertSettings(ctx, c.Who, care.AlertSettings{Chain: care.DefaultChain(), Off: []string{"not_on_track"}})
		if err := errors.Join(chosen, tx.PutAlerts(ctx, c.Who, []care.Alert{v.alert}, []care.AlertStep{storetest.NewAlertStep(v.alert, 1)})); err != nil {
			return err
		}
		tx.Emit(care.Event{ID: storetest.NewID(), Type: care.ClientChanged, At: storetest.When, Client: v.client.ID})
		if err := tx.InsertMerge(ctx, c.Who, v.merge); err != nil {
			return err
		}
		_, err := tx.Erase(ctx, c.Who, []uuid.UUID{v.erased.ID}, care.Erasure{ErasedAt: storetest.When, Reason: care.LegalOrder})
		return err
	})
	v.webhook = webhook.Webhook{ID: storetest.NewID(), URL: "https://hooks.example.org", Secret: webhook.NewSecret(), Version: 1, CreatedAt: storetest.When, UpdatedAt: storetest.When}
	v.doomed = v.webhook
	v.doomed.ID = storetest.NewID()
	err = c.Arrange(t.Context(), c.Who, func(tx webhook.Tx) error {
		tx.Note(storetest.Entry(c.Who))
		_, err := tx.InsertWebhook(t.Context(), c.Who, v.webhook)
		_, also := tx.InsertWebhook(t.Context(), c.Who, v.doomed)
		return errors.Join(err, also)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Relay(t.Context(), c.Who.Clinic, storetest.When, 100, func() uuid.UUID { v.delivery = storetest.NewID(); return v.delivery }); err != nil {
		t.Fatal(err)
	}
	if err := c.Look(t.Context(), c.Who, func(r webhook.Reader) error {
		all, err := r.Deliveries(t.Context(), c.Who, v.webhook.ID, "", 0, 1)
		v.delivery = all[0].ID
		return err
	}); err != nil {
		t.Fatal(err)
	}
	v.studied = v.study(t)
	return v
}

// What a method may answer to who asks with another clinic's ids.
const (
	notFound   = "not found"
	empty      = "nothing"
	staleThere = "stale"         // its own clinic has no such version
	refused    = "an error"      // the database refuses: a row cannot point into another clinic
	ownNow     = "stored of own" // the same id may stand in two clinics
)

// everything is what the transactions of care, auth and research offer together.
type everything interface {
	care.Tx
	auth.Tx
	research.Tx
	webhook.Tx
}

// An attempt calls one method with the victim's ids, in who's name.
type attempt struct {
	answer string
	call   func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error)
}

var page = care.Page{Limit: 100}

// attempts has every method of the interfaces; TestNoMethodIsForgotten sees to it.
var attempts = map[string]attempt{
	"Client": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Client(ctx, who, v.client.ID)
	}},
	"ClientHistory": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		a, b, err := db.ClientHistory(ctx, who, v.client.ID)
		return []care.Client{a, b}, err
	}},
	"Clients": {empty, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		return db.Clients(ctx, who, page)
	}},
	"Course": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Course(ctx, who, v.course.ID)
	}},
	"CourseHistory": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		a, b, err := db.CourseHistory(ctx, who, v.course.ID)
		return []care.Course{a, b}, err
	}},
	"Courses": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Courses(ctx, who, v.client.ID, page)
	}},
	"CoursesAt": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.CoursesAt(ctx, who, v.client.ID, new(storetest.When.Add(time.Hour)))
	}},
	"Session": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Session(ctx, who, v.session.ID)
	}},
	"SessionHistory": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		a, b, err := db.SessionHistory(ctx, who, v.session.ID)
		return []care.Session{a, b}, err
	}},
	"Sessions": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Sessions(ctx, who, v.client.ID, nil)
	}},
	"SessionsOf": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.SessionsOf(ctx, who, []uuid.UUID{v.client.ID})
	}},
	"SessionsBetween": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.SessionsBetween(ctx, who, v.session.StartedAt, v.session.StartedAt.Add(time.Hour))
	}},
	"LastDoses": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.LastDoses(ctx, who, []uuid.UUID{v.client.ID}, v.session.StartedAt)
	}},
	"ClientsOf": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.ClientsOf(ctx, who, []uuid.UUID{v.client.ID})
	}},
	"SessionPoints": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.SessionPoints(ctx, who, []uuid.UUID{v.client.ID}, []uuid.UUID{v.session.ID})
	}},
	"ProgressOf": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.ProgressOf(ctx, who, []uuid.UUID{v.client.ID})
	}},
	"SessionClients": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.SessionClients(ctx, who, []uuid.UUID{v.session.ID})
	}},
	"Assessment": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Assessment(ctx, who, v.assessment.ID)
	}},
	"AssessmentHistories": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.AssessmentHistories(ctx, who, []uuid.UUID{v.assessment.ID})
	}},
	"Assessments": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Assessments(ctx, who, v.client.ID, care.AssessmentFilter{SessionID: &v.session.ID, Retracted: true}, page)
	}},
	"AssessmentVersions": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.AssessmentVersions(ctx, who, v.assessment.ID, page)
	}},
	"Points": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Points(ctx, who, []uuid.UUID{v.client.ID}, nil, new(storetest.When.Add(time.Hour)))
	}},
	"Settings": {empty, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		return db.Settings(ctx, who)
	}},
	"Caseload": {empty, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		return db.Caseload(ctx, who, care.CaseloadQuery{Instrument: "gad-7", Sort: care.ByLastAt}, page)
	}},
	"LockClients": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return nil, db.LockClients(ctx, who, []uuid.UUID{v.client.ID})
	}},
	"LockedClients": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.LockedClients(ctx, who, []uuid.UUID{v.client.ID})
	}},
	"ClientIDs": {empty, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		return db.ClientIDs(ctx, who, uuid.Nil, 100)
	}},
	"InsertClient": {ownNow, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.InsertClient(ctx, who, v.client)
	}},
	"InsertCourse": {refused, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.InsertCourse(ctx, who, v.NewCourse(v.client.ID, "2026-01-01"))
	}},
	"InsertSession": {refused, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.InsertSession(ctx, who, v.NewSession(v.client.ID, storetest.When))
	}},
	"InsertAssessments": {refused, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.InsertAssessments(ctx, who, []care.Assessment{v.NewAssessment(v.client.ID, storetest.When, 1)})
	}},
	"ReviseClient": {staleThere, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		v.client.Revision = storetest.Next(v.client.Revision, storetest.When.Add(time.Hour))
		return nil, db.ReviseClient(ctx, who, v.client)
	}},
	"ReviseCourse": {staleThere, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		v.course.Revision = storetest.Next(v.course.Revision, storetest.When.Add(time.Hour))
		return nil, db.ReviseCourse(ctx, who, v.course)
	}},
	"ReviseSession": {staleThere, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		v.session.Revision = storetest.Next(v.session.Revision, storetest.When.Add(time.Hour))
		return nil, db.ReviseSession(ctx, who, v.session)
	}},
	"ReviseAssessment": {staleThere, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		v.assessment.Revision = storetest.Next(v.assessment.Revision, storetest.When.Add(time.Hour))
		return nil, db.ReviseAssessment(ctx, who, v.assessment)
	}},
	"PutProgress": {refused, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return nil, db.PutProgress(ctx, who, []uuid.UUID{v.client.ID}, nil, []care.Progress{storetest.NewProgress(v.client.ID, "gad-7")})
	}},
	"PutSetting": {ownNow, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		return nil, db.PutSetting(ctx, who, care.Setting{Instrument: "gad-7", ChangeRules: "mine", UpdatedAt: storetest.When})
	}},
	"Keys": {ownNow, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		keys, err := db.Keys(ctx, who, uuid.Nil, 100)
		for _, k := range keys {
			if k.Clinic != who.Clinic {
				err = errors.New("another clinic's key") // unlike any that is expected
			}
		}
		return nil, err
	}},
	"Key": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Key(ctx, who, v.key.ID)
	}},
	"CreateKey": {ownNow, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		v.key.Clinic = v.Who.Clinic // of no consequence
		return nil, db.CreateKey(ctx, who, v.key, []byte(storetest.NewID().String()))
	}},
	"EndKey": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		v.key.RevokedAt = new(storetest.When)
		return nil, db.EndKey(ctx, who, v.key)
	}},
	"JoinTeamsOf": {ownNow, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return nil, db.JoinTeamsOf(ctx, who, v.Who.Actor, v.key.ID, storetest.When)
	}},
	"PutMembership": {refused, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return nil, db.PutMembership(ctx, who, care.Membership{ClientID: v.client.ID, Member: who.Actor, Kind: care.Assigned, Since: storetest.When})
	}},
	"Consent": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Consent(ctx, who, v.consent.ID)
	}},
	"ConsentList": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.ConsentList(ctx, who, v.client.ID, page)
	}},
	"Consents": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Consents(ctx, who, []uuid.UUID{v.client.ID}, storetest.When.Add(time.Hour))
	}},
	"InsertConsent": {refused, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.InsertConsent(ctx, who, v.NewConsent(v.client.ID, storetest.When))
	}},
	"Team": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Team(ctx, who, v.client.ID)
	}},
	"HasMember": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.HasMember(ctx, who, v.key.ID)
	}},
	"ClinicSettings": {empty, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		set, err := db.ClinicSettings(ctx, who)
		if set == (care.ClinicSettings{SmallestCell: care.DefaultSmallestCell}) {
			return nil, err // what a new clinic has
		}
		return set, err
	}},
	"Events": {empty, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		return db.Events(ctx, who, 0, nil, 100)
	}},
	"EventHead": {empty, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		return db.EventHead(ctx, who)
	}},
	"Webhook": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Webhook(ctx, who, v.webhook.ID)
	}},
	"HoldWebhook": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.HoldWebhook(ctx, who, v.webhook.ID)
	}},
	"Webhooks": {empty, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		return db.Webhooks(ctx, who, uuid.Nil, 100)
	}},
	"Deliveries": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Deliveries(ctx, who, v.webhook.ID, "", 0, 100)
	}},
	"EventAt": {ownNow, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		_, err := db.EventAt(ctx, who, storetest.When)
		return nil, err
	}},
	"InsertWebhook": {ownNow, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		v.webhook.ID = storetest.NewID()
		return db.InsertWebhook(ctx, who, v.webhook)
	}},
	"PutWebhook": {staleThere, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		v.webhook.Version++
		return nil, db.PutWebhook(ctx, who, v.webhook)
	}},
	"RequeueDelivery": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.RequeueDelivery(ctx, who, v.webhook.ID, v.delivery, storetest.When)
	}},
	"RemoveWebhook": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return nil, db.RemoveWebhook(ctx, who, v.doomed.ID)
	}},
	"PutClinicSettings": {ownNow, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		return db.PutClinicSettings(ctx, who, care.ClinicSettings{SmallestCell: 9})
	}},
}

func init() {
	maps.Copy(attempts, attemptsOnRights)
	maps.Copy(attempts, attemptsOnAlerts)
	maps.Copy(attempts, attemptsOnResearch)
	maps.Copy(attempts, attemptsOnMessages)
}

// attemptsOnRights are those on what a client may ask for.
var attemptsOnRights = map[string]attempt{
	"Person": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Person(ctx, who, v.client.ID)
	}},
	"Entries": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Entries(ctx, who, care.EntryFilter{Clients: []uuid.UUID{v.client.ID}}, page)
	}},
	"RecordOf": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.RecordOf(ctx, who, v.client.ID)
	}},
	"Erasure": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Erasure(ctx, who, v.erased.ID)
	}},
	"Merge": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Merge(ctx, who, v.merge.ID)
	}},
	"Merges": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Merges(ctx, who, v.client.ID, page)
	}},
	"EndMerge": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		v.merge.UndoneAt = new(storetest.When)
		return nil, db.EndMerge(ctx, who, v.merge)
	}},
	"InsertMerge": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return nil, db.InsertMerge(ctx, who, care.Merge{ID: storetest.NewID(), Survivor: v.client.ID, Duplicate: v.merge.Duplicate, MergedAt: storetest.When})
	}},
	"Erase": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Erase(ctx, who, []uuid.UUID{v.spare.ID}, care.Erasure{ErasedAt: storetest.When, Reason: care.LegalOrder})
	}},
	"Subject": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		if s, err := db.Subject(ctx, who, v.client.ID, storetest.When); err != nil {
			return s, err
		}
		return "somebody", nil // of whom nothing speaks against a token
	}},
	"CreateToken": {refused, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		v.token.ID = storetest.NewID()
		return nil, db.CreateToken(ctx, who, v.token, []byte(v.token.ID.String()))
	}},
	"Tokens": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Tokens(ctx, who, v.client.ID, uuid.Nil, 100)
	}},
	"Token": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Token(ctx, who, v.token.ID)
	}},
	"RevokeToken": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		v.token.RevokedAt = new(storetest.When)
		return nil, db.RevokeToken(ctx, who, v.token)
	}},
	"HoldAccounts": {ownNow, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		return nil, db.HoldAccounts(ctx, who)
	}},
	"Accounts": {empty, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		return db.Accounts(ctx, who, uuid.Nil, 100)
	}},
	"Owners": {empty, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		return db.Owners(ctx, who)
	}},
	"Account": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		a, _, err := db.Account(ctx, who, v.account.ID)
		return a, err
	}},
	"AccountByEmail": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		a, _, err := db.AccountByEmail(ctx, who, v.account.EmailKey())
		return a, err
	}},
	"AccountBySubject": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		a, _, err := db.AccountBySubject(ctx, who, v.account.Issuer, v.account.Subject)
		return a, err
	}},
	"CreateAccount": {ownNow, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		v.account.ID, v.account.Email = storetest.NewID(), auth.Personal(storetest.NewID().String()+"@x.example")
		v.account.Subject = v.account.ID.String()
		return nil, db.CreateAccount(ctx, who, v.account, auth.Proofs{})
	}},
	"PutAccount": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		v.account.Name = "mine"
		return nil, db.PutAccount(ctx, who, v.account, auth.Proofs{Password: "mine"})
	}},
	"PutRecoveryCodes": {refused, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return nil, db.PutRecoveryCodes(ctx, who, v.account.ID, [][]byte{[]byte("code")}) // as it was, for TakeRecoveryCode
	}},
	"TakeRecoveryCode": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.TakeRecoveryCode(ctx, who, v.account.ID, []byte("code"))
	}},
	"Guess": {ownNow, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		return nil, db.Guess(ctx, who, auth.GuessedAt{Account: "a", Address: "192.0.2.1"}, func(pair, _ *auth.Guesses) error {
			pair.Failures++
			return nil
		})
	}},
}

// withoutPrincipal lists the methods that find out who is asking, Write and its
// like, which have promises of their own, and Settle, which reads nothing.
var withoutPrincipal = []string{
	"KeyByHash", "KeyUsed", "TokenByHash", "AccountNow", "AccountOfSubject", "ClinicBySlug", "FoundClinic",
	"AccountNames", // opens a transaction of its own: storetest asks it as another clinic
	"Read", "Write", "Manage", "Note", "Emit", "Tell", "Look", "Arrange", "Scrub", "Study", "Conduct", "Settle",
}

func TestNoMethodIsForgotten(t *testing.T) {
	known := map[string]bool{}
	for _, name := range withoutPrincipal {
		known[name] = true
	}
	for _, face := range []reflect.Type{
		reflect.TypeFor[care.Store](), reflect.TypeFor[care.Tx](), reflect.TypeFor[auth.Store](), reflect.TypeFor[auth.Tx](),
		reflect.TypeFor[research.Store](), reflect.TypeFor[research.Tx](), reflect.TypeFor[webhook.Store](), reflect.TypeFor[webhook.Tx](),
	} {
		for i := range face.NumMethod() {
			name := face.Method(i).Name
			if _, tried := attempts[name]; !tried && !known[name] {
				t.Errorf("%v.%s is called as no other clinic: add it to attempts", face, name)
			}
			known[name] = true
		}
	}
	for name := range attempts {
		if !known[name] {
			t.Errorf("%s is a method no more", name)
		}
	}
}

// inside runs an attempt in a transaction, which is rolled back if it fails.
func (a attempt) inside(t *testing.T, d *storetest.Database, as auth.Principal, who auth.Principal, v victim) (got any, err error) {
	t.Helper()
	err = d.Write(t.Context(), as, func(tx care.Tx) error {
		both, ok := tx.(everything)
		if !ok {
			return fmt.Errorf("%T does not hold the keys", tx)
		}
		got, err = a.call(t.Context(), both, who, v)
		return err
	})
	return got, err
}

func isNothing(v any) bool {
	if v == nil {
		return true
	}
	switch x := reflect.ValueOf(v); x.Kind() {
	case reflect.Slice, reflect.Map:
		for _, e := range x.Seq2() {
			if x.Kind() == reflect.Slice && !e.IsZero() || x.Kind() == reflect.Map {
				return false
			}
		}
		return true
	default:
		return x.IsZero()
	}
}

func TestAnotherClinicSeesAndChangesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		raw := d.Raw(t)
		for name, a := range attempts {
			t.Run(name, func(t *testing.T) {
				// The control: the clinic itself gets what it asks for.
				own := newVictim(t, d)
				if got, err := a.inside(t, d, own.Who, own.Who, own); a.answer == notFound || a.answer == empty {
					if err != nil || isNothing(got) && got != nil {
						t.Fatalf("its own clinic gets %v, %v", got, err)
					}
				}
				v := newVictim(t, d)
				before := d.Dump(t, raw, v.Who.Clinic)
				thief := d.Clinic(t)
				got, err := a.inside(t, d, thief.Who, thief.Who, v)
				switch a.answer {
				case notFound:
					if !fault.Is(err, fault.NotFound) || !isNothing(got) {
						t.Errorf("got %v, %v", got, err)
					}
				case empty:
					if err != nil || !isNothing(got) {
						t.Errorf("got %v, %v", got, err)
					}
				case staleThere:
					if !fault.Is(err, fault.Stale) {
						t.Errorf("got %v", err)
					}
				case refused:
					if err == nil {
						t.Error("no error")
					}
				case ownNow:
					if err != nil {
						t.Error(err)
					}
				}
				if diff := cmp.Diff(before, d.Dump(t, raw, v.Who.Clinic)); diff != "" {
					t.Errorf("it changed:\n%s", diff)
				}
			})
		}
	})
}

func TestWhoIsOfNoClinicGetsAnErrorAndNoData(t *testing.T) {
	storetest.Each(t, func(t *testing.T, d *storetest.Database) {
		raw := d.Raw(t)
		v := newVictim(t, d)
		before := d.Dump(t, raw, v.Who.Clinic)
		nobody := auth.As(uuid.Nil, v.Who.Actor, auth.ByKey, auth.Admin)
		for name, a := range attempts {
			t.Run(name, func(t *testing.T) {
				for where, try := range map[string]func() (any, error){
					"on its own":       func() (any, error) { return a.call(t.Context(), d.DB.DB, nobody, v) },
					"in a transaction": func() (any, error) { return a.inside(t, d, v.Who, nobody, v) },
				} {
					if got, err := try(); !fault.Is(err, fault.Unauthenticated) || !isNothing(got) {
						t.Errorf("%s: got %v, %v", where, got, err)
					}
				}
				if diff := cmp.Diff(before, d.Dump(t, raw, v.Who.Clinic)); diff != "" {
					t.Errorf("it changed:\n%s", diff)
				}
				if strays := d.Dump(t, raw, uuid.Nil); len(strays) > 0 {
					t.Errorf("stored for no clinic: %v", strays)
				}
			})
		}
	})
}
