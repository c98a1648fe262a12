//go:build unix

package care_test

import (
	"bytes"
	"context"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// standing is a record that every method has something to do with.
type standing struct {
	client                 care.Client
	course                 care.Course
	session                care.Session
	assessment             care.Assessment
	correction             care.Correction
	alert                  uuid.UUID   // an open one
	acknowledged, actioned uuid.UUID   // alerts
	member                 uuid.UUID   // of the client's care team
	spare                  care.Client // to be erased
	duplicate              care.Client // to be merged
	merged                 care.Client // is a duplicate
}

func newStanding(t *testing.T, c clinic) standing {
	var s standing
	s.client = c.client(t, uuid.NewString())
	s.spare = c.client(t, uuid.NewString())
	s.course = c.course(t, s.client.ID, "2026-01-01")
	s.session = c.session(t, care.Session{ClientID: s.client.ID, CourseID: &s.course.ID, Kind: care.Dosing, StartedAt: day(5)})
	s.duplicate, s.merged = c.client(t, uuid.NewString()), c.client(t, uuid.NewString())
	must(t, second(c.Care.MergeClients(t.Context(), c.Who, care.Merge{Survivor: s.client.ID, Duplicate: s.merged.ID, Reason: "twice"})))
	s.assessment = c.record(t, gad7(s.client.ID, day(4), 2))[0]
	s.actioned, s.acknowledged, s.alert = c.handled(t, s.client.ID, 2), c.handled(t, s.client.ID, 1), c.handled(t, s.client.ID, 0)
	s.correction, s.member = c.correction(t, s.client.ID), c.Who.Actor
	c.assign(t, s.client.ID, s.member)
	return s
}

// second drops what a create answers besides its error.
func second[T any](_ T, _ care.Outcome, err error) error { return err }

// A deed is a call of one method, and who may do it: written out here once
// more, so that a change of a grant is seen by whoever makes it.
type deed struct {
	may []auth.Role
	do  func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error
}

var (
	anyone    = []auth.Role{auth.Owner, auth.Admin, auth.Clinician, auth.App, auth.Researcher}
	frontEnds = []auth.Role{auth.Owner, auth.Admin, auth.Clinician, auth.App}
	staff     = []auth.Role{auth.Owner, auth.Admin, auth.Clinician}
	admins    = []auth.Role{auth.Owner, auth.Admin}
	one       = care.Page{Limit: 1}
)

var deeds = map[string]deed{
	"Alerts": {staff, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.Alerts(ctx, who, care.AlertFilter{Client: &s.client.ID}, one)
		return err
	}},
	"AlertList": {staff, func(ctx context.Context, svc *care.Service, who auth.Principal, _ standing) error {
		_, err := svc.AlertList(ctx, who, care.AlertFilter{}, one)
		return err
	}},
	"Alert": {staff, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.Alert(ctx, who, s.alert)
		return err
	}},
	"OpenAlerts": {staff, func(ctx context.Context, svc *care.Service, who auth.Principal, _ standing) error {
		_, err := svc.OpenAlerts(ctx, who)
		return err
	}},
	"Acknowledge": {staff, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.Acknowledge(ctx, who, s.alert)
		return err
	}},
	"Dispose": {staff, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.Dispose(ctx, who, s.acknowledged, care.SpokeToClient, "on the phone")
		return err
	}},
	"CloseAlert": {staff, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.CloseAlert(ctx, who, s.actioned)
		return err
	}},
	"AlertSettings": {staff, func(ctx context.Context, svc *care.Service, who auth.Principal, _ standing) error {
		_, err := svc.AlertSettings(ctx, who)
		return err
	}},
	"ChooseAlertSettings": {admins, func(ctx context.Context, svc *care.Service, who auth.Principal, _ standing) error {
		_, err := svc.ChooseAlertSettings(ctx, who, care.AlertSettings{Chain: care.DefaultChain()})
		return err
	}},
	"Contact": {frontEnds, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.Contact(ctx, who, s.client.ID)
		return err
	}},
	"PutContact": {frontEnds, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.PutContact(ctx, who, care.Contact{ClientID: s.client.ID, Email: "ana@client.test"})
		return err
	}},
	"Messages": {frontEnds, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.Messages(ctx, who, s.client.ID, one)
		return err
	}},
	"MessageSettings": {staff, func(ctx context.Context, svc *care.Service, who auth.Principal, _ standing) error {
		_, err := svc.MessageSettings(ctx, who)
		return err
	}},
	"ChooseMessageSettings": {admins, func(ctx context.Context, svc *care.Service, who auth.Principal, _ standing) error {
		_, err := svc.ChooseMessageSettings(ctx, who, care.DefaultMessageSettings())
		return err
	}},
	"Events": {frontEnds, func(ctx context.Context, svc *care.Service, who auth.Principal, _ standing) error {
		_, err := svc.Events(ctx, who, care.EventQuery{After: new(int64(0)), Limit: 1})
		return err
	}},
	"InstrumentDefinitions": {anyone, func(ctx context.Context, svc *care.Service, who auth.Principal, _ standing) error {
		_, err := svc.InstrumentDefinitions(ctx, who)
		return err
	}},
	"InstrumentDefinition": {anyone, func(ctx context.Context, svc *care.Service, who auth.Principal, _ standing) error {
		_, err := svc.InstrumentDefinition(ctx, who, "gad-7", "")
		return err
	}},
	"Score": {anyone, func(ctx context.Context, svc *care.Service, who auth.Principal, _ standing) error {
		_, err := svc.Score(ctx, who, "gad-7", instrument.Input{Total: new(3.0)})
		return err
	}},
	"CreateClient": {frontEnds, func(ctx context.Context, svc *care.Service, who auth.Principal, _ standing) error {
		_, _, err := svc.CreateClient(ctx, who, care.Client{Reference: care.Private(uuid.NewString())})
		return err
	}},
	"Client": {frontEnds, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.Client(ctx, who, s.client.ID)
		return err
	}},
	"Clients": {frontEnds, func(ctx context.Context, svc *care.Service, who auth.Principal, _ standing) error {
		_, err := svc.Clients(ctx, who, one)
		return err
	}},
	"UpdateClient": {frontEnds, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		s.client.DisplayName = "new"
		_, err := svc.UpdateClient(ctx, who, s.client, 1)
		return err
	}},
	"CreateCourse": {frontEnds, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, _, err := svc.CreateCourse(ctx, who, care.Course{ClientID: s.client.ID, Indication: "x", StartedOn: "2026-02-01"})
		return err
	}},
	"Course": {frontEnds, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.Course(ctx, who, s.course.ID)
		return err
	}},
	"Courses": {frontEnds, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.Courses(ctx, who, s.client.ID, one)
		return err
	}},
	"UpdateCourse": {frontEnds, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		s.course.Goals = "new"
		_, err := svc.UpdateCourse(ctx, who, s.course, 1)
		return err
	}},
	"CreateSession": {frontEnds, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, _, err := svc.CreateSession(ctx, who, care.Session{ClientID: s.client.ID, Kind: care.Integration, StartedAt: day(9)})
		return err
	}},
	"Session": {frontEnds, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.Session(ctx, who, s.session.ID)
		return err
	}},
	"Sessions": {frontEnds, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.Sessions(ctx, who, s.client.ID, one)
		return err
	}},
	"UpdateSession": {frontEnds, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		s.session.StartedAt = day(6)
		_, err := svc.UpdateSession(ctx, who, s.session, 1)
		return err
	}},
	"MayRecord": {frontEnds, func(ctx context.Context, svc *care.Service, who auth.Principal, _ standing) error {
		return svc.MayRecord(ctx, who)
	}},
	"RecordAssessments": {frontEnds, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.RecordAssessments(ctx, who, []care.Assessment{gad7(s.client.ID, day(8), 1)})
		return err
	}},
	"Assessment": {frontEnds, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.Assessment(ctx, who, s.assessment.ID)
		return err
	}},
	"Assessments": {frontEnds, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.Assessments(ctx, who, s.client.ID, care.AssessmentFilter{}, one)
		return err
	}},
	"AssessmentVersions": {frontEnds, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.AssessmentVersions(ctx, who, s.assessment.ID, one)
		return err
	}},
	"Amend": {staff, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		a := gad7(s.client.ID, day(4), 3)
		a.ID, a.Reason = s.assessment.ID, "misread"
		_, err := svc.Amend(ctx, who, a, 1)
		return err
	}},
	"MayAmend": {staff, func(ctx context.Context, svc *care.Service, who auth.Principal, _ standing) error {
		return svc.MayAmend(ctx, who)
	}},
	"Retract": {staff, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.Retract(ctx, who, s.assessment.ID, "another client's", nil)
		return err
	}},
	"Trajectories": {frontEnds, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.Trajectories(ctx, who, s.client.ID, care.TrajectoryQuery{})
		return err
	}},
	"Caseload": {staff, func(ctx context.Context, svc *care.Service, who auth.Principal, _ standing) error {
		_, err := svc.Caseload(ctx, who, care.CaseloadQuery{Instrument: "gad-7"}, one)
		return err
	}},
	"Today": {staff, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.Today(ctx, who, new(care.Date(s.session.StartedAt.Format(time.DateOnly))), care.Page{Limit: 1000})
		return err
	}},
	"Settings": {staff, func(ctx context.Context, svc *care.Service, who auth.Principal, _ standing) error {
		_, err := svc.Settings(ctx, who)
		return err
	}},
	"ChooseSetting": {admins, func(ctx context.Context, svc *care.Service, who auth.Principal, _ standing) error {
		_, err := svc.ChooseSetting(ctx, who, care.Setting{Instrument: "gad-7", ChangeRules: "bischoff-2020"})
		return err
	}},
	"RebuildProgress": {admins, func(ctx context.Context, svc *care.Service, who auth.Principal, _ standing) error {
		return svc.RebuildProgress(ctx, who)
	}},
	"RecordConsent": {frontEnds, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, _, err := svc.RecordConsent(ctx, who, care.Consent{ClientID: s.client.ID, Scope: care.ForResearch, Status: care.Granted, At: day(3)})
		return err
	}},
	"Consents": {frontEnds, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.Consents(ctx, who, s.client.ID, one)
		return err
	}},
	"Consented": {frontEnds, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.Consented(ctx, who, s.client.ID, care.ForResearch)
		return err
	}},
	"RequestCorrection": {frontEnds, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, _, err := svc.RequestCorrection(ctx, who, care.Correction{ClientID: s.client.ID, Target: care.TargetSession, TargetID: &s.session.ID, Request: "x"})
		return err
	}},
	"Corrections": {frontEnds, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.Corrections(ctx, who, s.client.ID, one)
		return err
	}},
	"DecideCorrection": {staff, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.DecideCorrection(ctx, who, s.correction.ID, care.CorrectionAccepted, "")
		return err
	}},
	"Team": {staff, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.Team(ctx, who, s.client.ID, false)
		return err
	}},
	"Assign": {admins, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.Assign(ctx, who, s.client.ID, s.member, nil)
		return err
	}},
	"Dismiss": {admins, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		return svc.Dismiss(ctx, who, s.client.ID, s.member)
	}},
	"BreakGlass": {staff, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.BreakGlass(ctx, who, s.client.ID, care.ForEmergency, "")
		if fault.Is(err, fault.Conflict) {
			return nil // it was allowed, and not needed
		}
		return err
	}},
	"ClinicSettings": {staff, func(ctx context.Context, svc *care.Service, who auth.Principal, _ standing) error {
		_, err := svc.ClinicSettings(ctx, who)
		return err
	}},
	"ChooseClinicSettings": {admins, func(ctx context.Context, svc *care.Service, who auth.Principal, _ standing) error {
		_, err := svc.ChooseClinicSettings(ctx, who, care.ClinicSettings{})
		return err
	}},
	"DueForms": {frontEnds, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.DueForms(ctx, who, s.client.ID)
		return err
	}},
}

func init() {
	for name, d := range deedsOfRights {
		deeds[name] = d
	}
}

// deedsOfRights are those of what a client may ask for.
var deedsOfRights = map[string]deed{
	"Audit": {admins, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.Audit(ctx, who, care.EntryFilter{Clients: []uuid.UUID{s.client.ID}}, one)
		return err
	}},
	"NoteExport": {admins, func(ctx context.Context, svc *care.Service, who auth.Principal, _ standing) error {
		return svc.NoteExport(ctx, who)
	}},
	"Disclosures": {staff, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.Disclosures(ctx, who, s.client.ID, one)
		return err
	}},
	"Record": {staff, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.Record(ctx, who, s.client.ID, care.RecordJSON)
		return err
	}},
	"MergeClients": {admins, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		return second(svc.MergeClients(ctx, who, care.Merge{Survivor: s.client.ID, Duplicate: s.duplicate.ID, Reason: "twice"}))
	}},
	"UndoMerge": {admins, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		return svc.UndoMerge(ctx, who, s.client.ID, s.merged.ID)
	}},
	"Merges": {admins, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.Merges(ctx, who, s.client.ID, one)
		return err
	}},
	"EraseClient": {admins, func(ctx context.Context, svc *care.Service, who auth.Principal, s standing) error {
		_, err := svc.EraseClient(ctx, who, s.spare.ID, care.ClientRequest)
		return err
	}},
}

func TestEveryMethodOfTheServiceHasADeed(t *testing.T) {
	service := reflect.TypeFor[*care.Service]()
	principal := reflect.TypeFor[auth.Principal]()
	var named []string
	for i := range service.NumMethod() {
		m := service.Method(i)
		asks := false
		for n := range m.Type.NumIn() {
			asks = asks || m.Type.In(n) == principal
		}
		if !asks { // it touches no record, or else nobody could say whose
			continue
		}
		named = append(named, m.Name)
		if _, known := deeds[m.Name]; !known {
			t.Errorf("who may call %s? add it to deeds", m.Name)
		}
	}
	for name := range deeds {
		if !slices.Contains(named, name) {
			t.Errorf("%s is a method no more", name)
		}
	}
}

func TestWhoMayDoWhat(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		var log bytes.Buffer
		c.Care.Log = slog.New(slog.NewJSONHandler(&log, nil))
		s := newStanding(t, c)
		before := c.dump(t)
		for name, d := range deeds { // first who may not, while there is little to look through
			t.Run(name+" is refused", func(t *testing.T) {
				for _, role := range auth.Roles() {
					if slices.Contains(d.may, role) {
						continue
					}
					who, entries := auth.As(c.Who.Clinic, storetest.NewID(), auth.ByKey, role), len(c.trail(t))
					log.Reset()
					if err := d.do(t.Context(), c.Care, who, s); !fault.Is(err, fault.Forbidden) {
						t.Errorf("%s: %v", role, err)
					}
					if !strings.Contains(log.String(), who.Actor.String()) || !strings.Contains(log.String(), string(role)) {
						t.Errorf("%s: the log does not know of the refusal: %s", role, log.String())
					}
					c.refusal(t, who, c.trail(t)[entries:])
				}
				c.unchanged(t, before)
			})
		}
		for name, d := range deeds {
			t.Run(name, func(t *testing.T) {
				for _, role := range d.may {
					who := auth.As(c.Who.Clinic, storetest.NewID(), auth.ByKey, role)
					if err := d.do(t.Context(), c.Care, who, newStanding(t, c)); err != nil {
						t.Errorf("%s: %v", role, err)
					}
				}
			})
		}
	})
}

// refusal fails the test unless the entries are that of one refusal.
func (c clinic) refusal(t *testing.T, who auth.Principal, entries []audit.Entry) {
	t.Helper()
	if len(entries) != 1 {
		t.Errorf("%s: a refusal leaves %d entries", who.Role, len(entries))
		return
	}
	e := entries[0]
	lacks := auth.ParseScopes(e.Details.Reason)
	if lacks == 0 || who.Held.Covers(lacks) {
		t.Errorf("%s: refused for want of %q", who.Role, e.Details.Reason)
	}
	want := who.Did("permission.refused", "", uuid.Nil)
	want.ID, want.Outcome, want.Details.Reason = e.ID, audit.Refused, e.Details.Reason
	if diff := cmp.Diff(want, e); diff != "" {
		t.Errorf("the entry of a refusal (-want +got):\n%s", diff)
	}
}

func TestWhoIsNobodyMayDoNothing(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		s := newStanding(t, c)
		before := c.dump(t)
		for name, d := range deeds {
			for what, x := range map[string]struct {
				who  auth.Principal
				want fault.Kind
			}{
				"no principal": {auth.Principal{}, fault.Unauthenticated},
				"no clinic":    {auth.As(uuid.Nil, c.Who.Actor, auth.ByKey, auth.Admin), fault.Unauthenticated},
				"no role":      {auth.Principal{Clinic: c.Who.Clinic, Actor: c.Who.Actor}, fault.Forbidden},
				"unknown role": {auth.Principal{Clinic: c.Who.Clinic, Actor: c.Who.Actor, Role: "Admin"}, fault.Forbidden},
			} {
				if err := d.do(t.Context(), c.Care, x.who, s); !fault.Is(err, x.want) {
					t.Errorf("%s, %s: %v", name, what, err)
				}
			}
		}
		c.unchanged(t, before)
	})
}

func TestAnotherClinicsRecordIsNotFoundByAnyMethod(t *testing.T) {
	// Invalid names a session or a client inside a body; the rest have no ids.
	answers := map[string]fault.Kind{}
	for name := range deeds {
		answers[name] = fault.NotFound
	}
	for _, own := range []string{
		"InstrumentDefinitions", "InstrumentDefinition", "Score", "CreateClient", "Clients", "Caseload", "Today", "Settings", "ChooseSetting", "RebuildProgress",
		"MayRecord", "MayAmend", "ClinicSettings", "ChooseClinicSettings", "Audit", "NoteExport", "Events", "OpenAlerts", "AlertList", "AlertSettings", "ChooseAlertSettings", "MessageSettings", "ChooseMessageSettings",
		"RecordAssessments", // answers each assessment for itself: see the batch's own tests
	} {
		answers[own] = ""
	}
	eachTwo(t, func(t *testing.T, here, there clinic) {
		s := newStanding(t, here)
		before := here.dump(t)
		for name, d := range deeds {
			if err := d.do(t.Context(), there.Care, there.Who, s); fault.KindOf(err) != answers[name] || answers[name] == "" && err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		here.unchanged(t, before)
		there.sound(t)
	})
}
