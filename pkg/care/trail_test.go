//go:build unix

package care_test

import (
	"maps"
	"regexp"
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
)

// What an entry is about: one of the records that stand, a new one, or none.
const (
	ofNone         = ""
	ofClient       = "client"
	ofCourse       = "course"
	ofSession      = "session"
	ofAssessment   = "assessment"
	ofNew          = "new"
	ofClinic       = "clinic"
	ofCorrection   = "correction"
	ofAlert        = "alert"
	ofAcknowledged = "acknowledged alert"
	ofActioned     = "actioned alert"
	ofMember       = "member"
	ofSpare        = "spare"
	ofDuplicate    = "duplicate"
	ofMerged       = "merged"
)

// told is the entry that a deed leaves.
type told struct {
	action  string
	target  string // the kind of thing
	of      string // which thing
	client  string // ofClient, ofNew, or none
	listed  bool   // it names several clients
	changes []audit.Change
}

// changed is a field whose values are told, set one that had none before,
// hidden one whose name alone is told.
func changed(field, before, after string) audit.Change {
	return audit.Change{Field: field, Before: &before, After: &after}
}

func set(field, value string) audit.Change { return audit.Change{Field: field, After: &value} }

func hidden(field string) audit.Change { return audit.Change{Field: field} }

// tells is what each deed leaves in the audit trail. Those that read and change
// nothing of a client are in silent.
var tells = map[string]told{
	"CreateClient":  {"client.create", "client", ofNew, ofNew, false, []audit.Change{hidden("reference")}},
	"Client":        {"client.read", "client", ofClient, ofClient, false, nil},
	"Clients":       {"client.list", "", ofNone, ofNone, true, nil},
	"UpdateClient":  {"client.update", "client", ofClient, ofClient, false, []audit.Change{hidden("display_name")}},
	"CreateCourse":  {"course.create", "course", ofNew, ofClient, false, []audit.Change{hidden("indication"), set("started_on", "2026-02-01")}},
	"Course":        {"course.read", "course", ofCourse, ofClient, false, nil},
	"Courses":       {"course.list", "client", ofClient, ofClient, false, nil},
	"UpdateCourse":  {"course.update", "course", ofCourse, ofClient, false, []audit.Change{hidden("goals")}},
	"CreateSession": {"session.create", "session", ofNew, ofClient, false, []audit.Change{set("kind", "integration"), set("started_at", "2026-01-10T12:00:00Z")}},
	"Session":       {"session.read", "session", ofSession, ofClient, false, nil},
	"Sessions":      {"session.list", "client", ofClient, ofClient, false, nil},
	"UpdateSession": {"session.update", "session", ofSession, ofClient, false, []audit.Change{changed("started_at", "2026-01-06T12:00:00Z", "2026-01-07T12:00:00Z")}},
	"RecordAssessments": {"assessment.create", "assessment", ofNew, ofClient, false, []audit.Change{
		set("instrument", "gad-7"), set("timing", "follow_up"), set("completed_at", "2026-01-09T12:00:00Z"), hidden("answers"),
		set("missing_policy", "complete"), set("recall_window", "P14D"), set("mode", "self"), set("retracted", "false"),
	}},
	"Assessment":          {"assessment.read", "assessment", ofAssessment, ofClient, false, nil},
	"Assessments":         {"assessment.list", "client", ofClient, ofClient, false, nil},
	"AssessmentVersions":  {"assessment.history", "assessment", ofAssessment, ofClient, false, nil},
	"Amend":               {"assessment.amend", "assessment", ofAssessment, ofClient, false, []audit.Change{hidden("answers"), hidden("reason")}},
	"Retract":             {"assessment.retract", "assessment", ofAssessment, ofClient, false, []audit.Change{changed("retracted", "false", "true"), hidden("reason")}},
	"Trajectories":        {"trajectory.read", "client", ofClient, ofClient, false, nil},
	"Caseload":            {"caseload.read", "", ofNone, ofNone, true, nil},
	"Alerts":              {"alert.list", "", ofNone, ofNone, true, nil},
	"AlertList":           {"alert.list", "", ofNone, ofNone, true, nil},
	"Alert":               {"alert.read", "alert", ofAlert, ofClient, false, nil},
	"Acknowledge":         {"alert.acknowledge", "alert", ofAlert, ofClient, false, nil},
	"Dispose":             {"alert.action", "alert", ofAcknowledged, ofClient, false, nil},
	"CloseAlert":          {"alert.close", "alert", ofActioned, ofClient, false, nil},
	"ChooseAlertSettings": {"alerts.choose", "clinic", ofClinic, ofNone, false, nil}, // what it has chosen before
	"Events":              {"event.list", "", ofNone, ofNone, true, nil},
	"Today":               {"agenda.read", "", ofNone, ofNone, true, nil},
	"ChooseSetting":       {"setting.choose", "instrument", ofNone, ofNone, false, []audit.Change{changed("change_rules", "", "bischoff-2020")}},
	"RebuildProgress":     {"progress.rebuild", "", ofNone, ofNone, false, nil},
	"Contact":             {"contact.read", "client", ofClient, ofClient, false, nil},
	"PutContact":          {"contact.update", "client", ofClient, ofClient, false, []audit.Change{hidden("email")}},
	"Messages":            {"message.list", "client", ofClient, ofClient, false, nil},

	"RecordConsent": {"consent.create", "consent", ofNew, ofClient, false, []audit.Change{
		set("scope", "research"), set("status", "granted"), set("at", "2026-01-04T12:00:00Z"),
	}},
	"Consents":              {"consent.list", "client", ofClient, ofClient, false, nil},
	"Consented":             {"consent.read", "client", ofClient, ofClient, false, nil},
	"RequestCorrection":     {"correction.create", "correction", ofNew, ofClient, false, nil},
	"Corrections":           {"correction.list", "client", ofClient, ofClient, false, nil},
	"DecideCorrection":      {"correction.decide", "correction", ofCorrection, ofClient, false, []audit.Change{changed("status", "open", "accepted")}},
	"Team":                  {"care_team.read", "client", ofClient, ofClient, false, nil},
	"Assign":                {"care_team.assign", "member", ofMember, ofClient, false, nil}, // who is in it already
	"Dismiss":               {"care_team.dismiss", "member", ofMember, ofClient, false, nil},
	"ChooseClinicSettings":  {"clinic.choose", "clinic", ofClinic, ofNone, false, nil},   // what it has chosen before
	"ChooseMessageSettings": {"messages.choose", "clinic", ofClinic, ofNone, false, nil}, // the defaults again
	"DueForms":              {"due_form.list", "client", ofClient, ofClient, false, nil},
	"Audit":                 {"audit.read", "", ofNone, ofClient, false, nil},
	"NoteExport":            {"audit.export", "", ofNone, ofNone, false, nil},
	"Disclosures":           {"disclosure.list", "client", ofClient, ofClient, false, nil},
	"Record":                {"record.download", "client", ofClient, ofClient, false, nil},
	"EraseClient":           {"client.erase", "client", ofSpare, ofSpare, false, nil},
	"MergeClients":          {"client.merge", "client", ofDuplicate, ofClient, false, nil},
	"UndoMerge":             {"client.unmerge", "client", ofMerged, ofClient, false, nil},
	"Merges":                {"merge.list", "client", ofClient, ofClient, false, nil},
}

// tellsToo is the second entry of those that concern two clients, or show what
// they change.
var tellsToo = map[string]told{
	"Retract":      {"assessment.read", "assessment", ofAssessment, ofClient, false, nil},
	"MergeClients": {"client.merge", "client", ofClient, ofDuplicate, false, nil},
	"UndoMerge":    {"client.unmerge", "client", ofClient, ofMerged, false, nil},
}

// details adds what else an entry of an action tells.
var details = map[string]func(e *audit.Entry, got audit.Entry, s standing){
	"correction.create": func(e *audit.Entry, _ audit.Entry, s standing) {
		e.Details.Changes = []audit.Change{set("target", "session"), set("target_id", s.session.ID.String()), hidden("request"), set("status", "open")}
	},
	"care_team.dismiss": func(e *audit.Entry, got audit.Entry, _ standing) {
		until := ""
		if len(got.Details.Changes) == 1 && got.Details.Changes[0].After != nil {
			until = *got.Details.Changes[0].After
		}
		if at, err := time.Parse(time.RFC3339Nano, until); err != nil || at.IsZero() {
			until = "a time"
		}
		e.Details.Changes = []audit.Change{changed("until", "", until)}
	},
	"audit.read":      func(e *audit.Entry, _ audit.Entry, _ standing) { e.Details.Count = new(one.Limit) },
	"record.download": func(e *audit.Entry, _ audit.Entry, _ standing) { e.Details.Note = map[string]string{"format": "json"} },
	"client.erase":    func(e *audit.Entry, _ audit.Entry, _ standing) { e.Details.Reason = string(care.ClientRequest) },
	"setting.choose": func(e *audit.Entry, got audit.Entry, _ standing) {
		e.Details.Note = map[string]string{"instrument": got.Details.Note["instrument"]}
	},
}

// silent are the deeds that touch no client's record and change nothing: what
// instruments there are and how one scores, what the clinic chose, whether one
// may record, and an access that is not needed.
var silent = []string{
	"InstrumentDefinitions", "InstrumentDefinition", "Score", "Settings", "ClinicSettings", "MayRecord", "MayAmend", "BreakGlass",
	"OpenAlerts", "AlertSettings", "MessageSettings", // a number, and what the clinic chose
}

func TestEveryDeedTellsOrIsKnownToBeSilent(t *testing.T) {
	want := slices.Sorted(maps.Keys(deeds))
	got := slices.Sorted(slices.Values(append(slices.Collect(maps.Keys(tells)), silent...)))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("deeds (-) and what they tell (+):\n%s", diff)
	}
}

// asked is the clinic's admin with a request of a known origin.
func (c clinic) asked() auth.Principal {
	who := c.Who
	who.Origin = auth.Origin{Address: "192.0.2.7", Request: "request-1"}
	return who
}

func TestEachDeedLeavesItsOwnEntryAndNoPrivateWord(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		who := c.asked()
		for name, d := range deeds {
			t.Run(name, func(t *testing.T) {
				s := newStanding(t, c)
				before := c.trail(t)
				if err := d.do(t.Context(), c.Care, who, s); err != nil {
					t.Fatal(err)
				}
				left := c.trail(t)[len(before):]
				want, tells := tells[name]
				if !tells {
					if len(left) != 0 {
						t.Errorf("it was to be silent: %+v", left)
					}
					return
				}
				wanted := []told{want}
				if too, two := tellsToo[name]; two {
					wanted = append(wanted, too)
				}
				if len(left) != len(wanted) {
					t.Fatalf("%d entries: %+v", len(left), left)
				}
				for i, want := range wanted {
					c.holds(t, want, left[i], who, s)
				}
				c.keepsStill(t, left, s)
			})
		}
	})
}

// holds compares an entry with what a deed is to tell.
func (c clinic) holds(t *testing.T, want told, got audit.Entry, who auth.Principal, s standing) {
	t.Helper()
	ids := map[string]uuid.UUID{
		ofClient: s.client.ID, ofCourse: s.course.ID, ofSession: s.session.ID, ofAssessment: s.assessment.ID, ofNew: got.TargetID,
		ofClinic: c.Who.Clinic, ofCorrection: s.correction.ID, ofAlert: s.alert, ofAcknowledged: s.acknowledged, ofActioned: s.actioned, ofMember: s.member, ofSpare: s.spare.ID, ofDuplicate: s.duplicate.ID, ofMerged: s.merged.ID,
	}
	if want.of == ofNew && (got.TargetID == uuid.Nil || slices.Contains([]uuid.UUID{s.client.ID, s.course.ID, s.session.ID, s.assessment.ID}, got.TargetID)) {
		t.Errorf("the new thing is %v", got.TargetID)
	}
	e := who.Did(want.action, want.target, ids[want.of])
	e.ID, e.Client, e.Details.Changes = got.ID, ids[want.client], want.changes
	if more, has := details[want.action]; has {
		more(&e, got, s)
	}
	if want.listed {
		e = e.WithClients(got.Clients)
		if aPage := want.action != "agenda.read"; aPage && len(got.Clients) != one.Limit || !slices.Contains(got.Clients, s.client.ID) && !aPage {
			t.Errorf("%d clients are named, of a page of %d", len(got.Clients), one.Limit)
		}
		for _, id := range got.Clients {
			if rows := c.Rows(t, c.raw, "clients", "id = '"+id.String()+"'"); len(rows) != 1 {
				t.Errorf("%v is no client", id)
			}
		}
	}
	if diff := cmp.Diff(e, got); diff != "" {
		t.Errorf("the entry (-want +got):\n%s", diff)
	}
}

// keepsStill fails the test where something private of the clients is in the
// rows of the entries, in whatever column.
func (c clinic) keepsStill(t *testing.T, entries []audit.Entry, s standing) {
	t.Helper()
	private := []string{
		string(s.client.Reference), "canary", "gad7_", "misread", "another client's", `"x"`, "depression", `"new"`, "total", "score",
	}
	for _, e := range entries {
		for _, row := range c.Rows(t, c.raw, "audit_entries", "id = '"+e.ID.String()+"'") {
			for _, word := range private {
				if strings.Contains(row, word) {
					t.Errorf("the entry holds %q: %s", word, row)
				}
			}
		}
	}
}

func TestEveryPrivateFieldOfARecordIsToldByNameAlone(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		who, ctx := c.asked(), t.Context()
		since := len(c.trail(t))
		client, _, err := c.Care.CreateClient(ctx, who, care.Client{
			Reference: "canary-reference", DisplayName: "canary-name", BirthYear: new(1904), Sex: "female", TimeZone: "Pacific/Chatham",
		})
		if err != nil {
			t.Fatal(err)
		}
		course, _, err := c.Care.CreateCourse(ctx, who, care.Course{ClientID: client.ID, Indication: "canary-indication", StartedOn: "2026-01-01", Goals: "canary-goals"})
		if err != nil {
			t.Fatal(err)
		}
		session := care.Session{
			ClientID: client.ID, CourseID: &course.ID, Kind: care.Dosing, StartedAt: day(5),
			Medicine: &care.Medicine{Substance: "canary-substance", Route: care.Oral, DoseMG: 31415.926},
		}
		if _, _, err := c.Care.CreateSession(ctx, who, session); err != nil {
			t.Fatal(err)
		}
		form := gad7(client.ID, day(4), 3)
		c.record(t, form)
		total := care.Assessment{ClientID: client.ID, Instrument: "gad-7", Timing: care.AtFollowUp, CompletedAt: day(6), Total: new(20.0)}
		c.record(t, total)
		form.Reason, form.Answers["gad7_1"] = "canary-reason", new(0)
		if _, err := c.Care.Amend(ctx, who, form, 1); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Care.Retract(ctx, who, form.ID, "canary-retraction", nil); err != nil {
			t.Fatal(err)
		}
		left := c.trail(t)[since:]
		if len(left) != 8 { // what is retracted is shown as well
			t.Errorf("%d entries", len(left))
		}
		names := map[string]bool{}
		for _, e := range left {
			for _, change := range e.Details.Changes {
				if change.Before == nil && change.After == nil {
					names[change.Field] = true
				}
			}
			for _, row := range c.Rows(t, c.raw, "audit_entries", "id = '"+e.ID.String()+"'") {
				for _, word := range []string{"canary", "1904", "female", "Chatham", "31415", "oral", "gad7_", `"20"`, `"after":"21"`} {
					if strings.Contains(anyID.ReplaceAllString(row, ""), word) {
						t.Errorf("the entry holds %q: %s", word, row)
					}
				}
			}
		}
		// The control: their names are told, so that the values were there to tell.
		want := []string{"answers", "birth_year", "display_name", "goals", "indication", "medicine", "reason", "reference", "sex", "time_zone", "total"}
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(names))); diff != "" {
			t.Errorf("fields whose names alone are told (-want +got):\n%s", diff)
		}
	})
}

func TestWhatIsToldAgainToWhoCreatesItTwiceIsARead(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		s := newStanding(t, c)
		who := c.asked()
		for name, x := range map[string]struct {
			want  told
			again func() (care.Outcome, error)
		}{
			"a client": {told{"client.read", "client", ofClient, ofClient, false, nil}, func() (care.Outcome, error) {
				_, outcome, err := c.Care.CreateClient(t.Context(), who, s.client)
				return outcome, err
			}},
			"a course": {told{"course.read", "course", ofCourse, ofClient, false, nil}, func() (care.Outcome, error) {
				_, outcome, err := c.Care.CreateCourse(t.Context(), who, s.course)
				return outcome, err
			}},
			"a session": {told{"session.read", "session", ofSession, ofClient, false, nil}, func() (care.Outcome, error) {
				_, outcome, err := c.Care.CreateSession(t.Context(), who, s.session)
				return outcome, err
			}},
			"an assessment": {told{"assessment.read", "assessment", ofAssessment, ofClient, false, nil}, func() (care.Outcome, error) {
				out, err := c.Care.RecordAssessments(t.Context(), who, []care.Assessment{s.assessment})
				return out[0].Outcome, err
			}},
		} {
			since := len(c.trail(t))
			if outcome, err := x.again(); outcome != care.Known || err != nil {
				t.Errorf("%s: outcome %d, %v", name, outcome, err)
			}
			left := c.trail(t)[since:]
			if len(left) != 1 {
				t.Errorf("%s: %d entries: %+v", name, len(left), left)
				continue
			}
			c.holds(t, x.want, left[0], who, s)
		}
	})
}

func TestWithoutTheAuditTrailNoDeedSucceeds(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		for name, d := range deeds {
			t.Run(name, func(t *testing.T) {
				s := newStanding(t, c)
				before, since := c.dump(t), len(c.trail(t))
				mend := c.Refuse(t, c.raw, "INSERT", "audit_entries")
				err := d.do(t.Context(), c.Care, c.Who, s)
				nobody := d.do(t.Context(), c.Care, auth.As(c.Who.Clinic, c.Who.Actor, auth.ByKey, "none"), s)
				mend()
				switch told := !slices.Contains(silent, name); {
				case told && err == nil:
					t.Error("it was done")
				case told && fault.KindOf(err) != "" && !fault.Is(err, fault.Unavailable):
					t.Errorf("it is the caller's fault: %v", err)
				case !told && err != nil:
					t.Errorf("there was nothing to tell: %v", err)
				}
				if !fault.Is(nobody, fault.Forbidden) {
					t.Errorf("a refusal that cannot be told is none: %v", nobody)
				}
				c.unchanged(t, before)
				if left := c.trail(t)[since:]; len(left) != 0 {
					t.Errorf("%+v", left)
				}
				// The control: with the audit trail it succeeds.
				if err := d.do(t.Context(), c.Care, c.Who, s); err != nil {
					t.Errorf("mended: %v", err)
				}
			})
		}
	})
}

func TestWithoutTheAuditTrailNoGlassIsBroken(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		c.careTeams(t)
		who := c.clinician(t)()
		client := c.client(t, "P-1")
		before := c.dump(t)
		mend := c.Refuse(t, c.raw, "INSERT", "audit_entries")
		_, err := c.Care.BreakGlass(t.Context(), who, client.ID, care.ForEmergency, "")
		mend()
		if err == nil || fault.KindOf(err) != "" {
			t.Errorf("an access that cannot be told: %v", err)
		}
		c.unchanged(t, before)
		if _, err := c.Care.BreakGlass(t.Context(), who, client.ID, care.ForEmergency, ""); err != nil { // the control
			t.Errorf("mended: %v", err)
		}
	})
}

func TestWhatIsNotThereLeavesNoEntryOfARead(t *testing.T) {
	eachTwo(t, func(t *testing.T, here, there clinic) {
		s := newStanding(t, here)
		for name, want := range tells {
			if want.of == ofNone || want.of == ofNew || want.of == ofClinic {
				continue
			}
			since := len(there.trail(t))
			if err := deeds[name].do(t.Context(), there.Care, there.Who, s); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
			if left := there.trail(t)[since:]; len(left) != 0 {
				t.Errorf("%s of another clinic's leaves %+v", name, left)
			}
		}
	})
}

// anyID is an id, whose digits may be any.
var anyID = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
