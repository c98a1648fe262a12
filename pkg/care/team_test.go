//go:build unix

package care_test

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/store/storetest"
)

func (c clinic) assign(t testing.TB, client, member uuid.UUID) {
	t.Helper()
	if _, err := c.Care.Assign(t.Context(), c.Who, client, member, nil); err != nil {
		t.Fatal(err)
	}
}

func (c clinic) careTeams(t testing.TB) {
	t.Helper()
	if _, err := c.Care.ChooseClinicSettings(t.Context(), c.Who, care.ClinicSettings{CareTeams: true}); err != nil {
		t.Fatal(err)
	}
}

// clinician makes a clinician's key and gives what it signs in as, each time anew.
func (c clinic) clinician(t testing.TB) func() auth.Principal {
	t.Helper()
	keys := &auth.Service{Store: c.DB.DB, Now: c.Clock.Now, NewID: storetest.NewID, Log: slog.New(slog.DiscardHandler)}
	_, secret, err := keys.CreateKey(t.Context(), c.Who, auth.NewKey{Name: "clinician", Role: auth.Clinician})
	if err != nil {
		t.Fatal(err)
	}
	return func() auth.Principal {
		who, err := keys.Authenticate(t.Context(), secret, auth.Origin{})
		if err != nil {
			t.Fatal(err)
		}
		return who
	}
}

// references lists whom a principal sees, by reference.
func (c clinic) references(t testing.TB, who auth.Principal) (listed, caseload []string) {
	t.Helper()
	clients, err := c.Care.Clients(t.Context(), who, care.Page{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	cases, err := c.Care.Caseload(t.Context(), who, care.CaseloadQuery{Instrument: "gad-7"}, care.Page{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range clients {
		listed = append(listed, string(x.Reference))
	}
	for _, x := range cases {
		caseload = append(caseload, string(x.Client.Reference))
	}
	return listed, caseload
}

func TestAClientOfOthersIsNotFoundByAnyMethodUntilAssigned(t *testing.T) {
	// These are not about one client, or have a test of their own.
	elsewhere := []string{
		"InstrumentDefinitions", "InstrumentDefinition", "Score", "Settings", "ClinicSettings", "MayRecord", "MayAmend",
		"CreateClient", "Clients", "Caseload", "Today", "Events", "OpenAlerts", "AlertList", "AlertSettings", "RecordAssessments", "BreakGlass", "MessageSettings",
	}
	each(t, func(t *testing.T, c clinic) {
		c.careTeams(t)
		key := c.clinician(t)
		for name, d := range deeds {
			t.Run(name, func(t *testing.T) {
				s, want := newStanding(t, c), fault.NotFound
				switch {
				case !slices.Contains(d.may, auth.Clinician):
					want = fault.Forbidden
				case slices.Contains(elsewhere, name):
					want = ""
				}
				who := key()
				before := c.dump(t)
				if err := d.do(t.Context(), c.Care, who, s); fault.KindOf(err) != want || want == "" && err != nil {
					t.Errorf("a client of others: %v", err)
				}
				if name == "CreateClient" || name == "BreakGlass" {
					return
				}
				c.unchanged(t, before)
				c.assign(t, s.client.ID, who.Actor)
				if err := d.do(t.Context(), c.Care, key(), s); want != fault.Forbidden && err != nil {
					t.Errorf("an assigned client: %v", err)
				}
			})
		}
	})
}

func TestABatchIsAnsweredForEachClientByWhetherTheyAreAssigned(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		c.careTeams(t)
		key := c.clinician(t)
		mine, others := c.client(t, "mine"), c.client(t, "others")
		c.assign(t, mine.ID, key().Actor)
		theirs := c.record(t, gad7(others.ID, day(1), 1))[0]
		stolen := gad7(mine.ID, day(1), 2)
		stolen.ID = theirs.ID // in use, where the clinician cannot see it
		results, err := c.Care.RecordAssessments(t.Context(), key(), []care.Assessment{
			gad7(mine.ID, day(2), 2), gad7(others.ID, day(2), 2), stolen, theirs,
		})
		if err != nil {
			t.Fatal(err)
		}
		var got []fault.Kind
		for _, r := range results {
			if (r.Err == nil) != (r.Outcome == care.Created) {
				t.Errorf("outcome %d with %v", r.Outcome, r.Err)
			}
			got = append(got, fault.KindOf(r.Err))
		}
		if d := cmp.Diff([]fault.Kind{"", fault.NotFound, fault.Conflict, fault.NotFound}, got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		if p := c.progress(t, others.ID, "gad-7"); p.Points != 1 {
			t.Errorf("the client of others has %d assessments", p.Points)
		}
		c.sound(t)
	})
}

func TestAnIDInUseForAClientOfOthersIsInUse(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		c.careTeams(t)
		who := c.clinician(t)()
		s, mine := newStanding(t, c), c.client(t, "mine")
		c.assign(t, mine.ID, who.Actor)
		said := c.consent(t, care.Consent{ClientID: s.client.ID, Scope: care.ForCare, Status: care.Granted, At: day(1)})
		before := c.dump(t)
		for name, create := range map[string]func() error{
			"client": func() error {
				_, _, err := c.Care.CreateClient(t.Context(), who, care.Client{ID: s.client.ID, Reference: "new"})
				return err
			},
			"course": func() error {
				_, _, err := c.Care.CreateCourse(t.Context(), who, care.Course{ID: s.course.ID, ClientID: mine.ID, Indication: "x", StartedOn: "2026-01-01"})
				return err
			},
			"session": func() error {
				_, _, err := c.Care.CreateSession(t.Context(), who, care.Session{ID: s.session.ID, ClientID: mine.ID, Kind: care.Dosing, StartedAt: day(1)})
				return err
			},
			"consent": func() error {
				said.ClientID = mine.ID
				_, _, err := c.Care.RecordConsent(t.Context(), who, said)
				return err
			},
			"correction": func() error {
				_, _, err := c.Care.RequestCorrection(t.Context(), who, care.Correction{ID: s.correction.ID, ClientID: mine.ID, Target: care.TargetOther, Request: "x"})
				return err
			},
		} {
			if err := create(); !fault.Is(err, fault.Conflict) {
				t.Errorf("%s: %v", name, err)
			}
		}
		c.unchanged(t, before)
	})
}

func TestListsHoldWhoIsAssigned(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		key, other := c.clinician(t), c.clinician(t)
		for _, reference := range []string{"A", "B", "C"} {
			x := c.client(t, reference)
			if reference != "C" {
				c.assign(t, x.ID, other().Actor)
			}
			if reference == "B" {
				c.assign(t, x.ID, key().Actor)
			}
		}
		see := func(who auth.Principal, want ...string) {
			t.Helper()
			listed, caseload := c.references(t, who)
			if d := cmp.Diff([][]string{want, want}, [][]string{listed, caseload}); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		}
		see(key(), "A", "B", "C") // teams hold nobody back where the clinic does not say so
		c.careTeams(t)
		see(key(), "B")
		see(other(), "A", "B")
		see(c.clinician(t)())
		see(c.Who, "A", "B", "C")
		if _, _, err := c.Care.CreateClient(t.Context(), key(), care.Client{Reference: "D"}); err != nil {
			t.Fatal(err)
		}
		see(key(), "B", "D")
		see(other(), "A", "B")
	})
}

func TestAMembershipLastsUntilItsEnd(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		c.careTeams(t)
		key, x := c.clinician(t), c.client(t, "A")
		sees := func(want bool, when string) {
			t.Helper()
			_, err := c.Care.Client(t.Context(), key(), x.ID)
			if want && err != nil || !want && !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", when, err)
			}
		}
		now := c.Clock.Now()
		if _, err := c.Care.Assign(t.Context(), c.Who, x.ID, key().Actor, new(now.Add(time.Hour))); err != nil {
			t.Fatal(err)
		}
		sees(true, "until an end")
		c.Clock.Set(now.Add(time.Hour))
		sees(false, "behind it")
		c.assign(t, x.ID, key().Actor)
		sees(true, "assigned again")
		for range 2 { // the second time changes nothing
			if err := c.Care.Dismiss(t.Context(), c.Who, x.ID, key().Actor); err != nil {
				t.Fatal(err)
			}
			sees(false, "dismissed")
		}
		for _, past := range []bool{false, true} {
			team, err := c.Care.Team(t.Context(), c.Who, x.ID, past)
			if want := map[bool]int{true: 2}[past]; err != nil || len(team) != want {
				t.Errorf("past %t: %d members instead of %d, %v", past, len(team), want, err)
			}
		}
		for name, ids := range map[string][2]uuid.UUID{
			"an unknown client": {storetest.NewID(), key().Actor}, "who never was in the team": {x.ID, c.Who.Actor},
		} {
			if err := c.Care.Dismiss(t.Context(), c.Who, ids[0], ids[1]); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := c.Care.Assign(t.Context(), c.Who, x.ID, storetest.NewID(), nil); !fault.Is(err, fault.NotFound) {
			t.Errorf("somebody unknown is assigned: %v", err)
		}
		if _, err := c.Care.Assign(t.Context(), c.Who, x.ID, key().Actor, new(c.Clock.Now())); !fault.Is(err, fault.Invalid) {
			t.Errorf("an end that has passed: %v", err)
		}
	})
}

func TestBreakGlassGivesAccessForAWhileAndLeavesItsReason(t *testing.T) {
	eachTwo(t, func(t *testing.T, c, there clinic) {
		c.careTeams(t)
		key, s := c.clinician(t), newStanding(t, c)
		before := c.dump(t)
		for name, client := range map[string]uuid.UUID{"unknown": storetest.NewID(), "another clinic's": there.client(t, "B").ID} {
			if _, err := c.Care.BreakGlass(t.Context(), key(), client, care.ForEmergency, ""); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for reason, note := range map[care.BreakGlassReason]care.Private{"": "x", "curiosity": "x", care.ForOther: " "} {
			if _, err := c.Care.BreakGlass(t.Context(), key(), s.client.ID, reason, note); !fault.Is(err, fault.Invalid) {
				t.Errorf("%q: %v", reason, err)
			}
		}
		if _, err := c.Care.BreakGlass(t.Context(), c.Who, s.client.ID, care.ForEmergency, ""); !fault.Is(err, fault.Conflict) {
			t.Errorf("who sees everybody: %v", err)
		}
		if len(before) != len(c.dump(t)) {
			t.Error("what was refused was stored")
		}
		const note = "the husband called"
		m, err := c.Care.BreakGlass(t.Context(), key(), s.client.ID, care.ForOther, note)
		if err != nil || m.Until == nil || m.Until.Sub(m.Since) != care.BreakGlassFor {
			t.Fatalf("access %+v, %v", m, err)
		}
		if _, err := c.Care.Trajectories(t.Context(), key(), s.client.ID, care.TrajectoryQuery{}); err != nil {
			t.Errorf("a trajectory: %v", err)
		}
		if r, err := c.Care.RecordAssessments(t.Context(), key(), []care.Assessment{gad7(s.client.ID, day(8), 1)}); err != nil || r[0].Outcome != care.Created {
			t.Errorf("an assessment: %+v, %v", r, err)
		}
		if listed, _ := c.references(t, key()); !slices.Equal(listed, []string{string(s.client.Reference)}) {
			t.Errorf("%d clients are listed", len(listed))
		}
		c.toldOfBreakGlass(t, m, note)

		c.Clock.Set(m.Until.Add(-time.Second))
		second, err := c.Care.BreakGlass(t.Context(), key(), s.client.ID, care.ForCover, "") // anew
		if err != nil {
			t.Fatal(err)
		}
		c.Clock.Set(second.Until.Add(-time.Second))
		if _, err := c.Care.Client(t.Context(), key(), s.client.ID); err != nil {
			t.Errorf("before the end: %v", err)
		}
		c.Clock.Set(*second.Until)
		if _, err := c.Care.Client(t.Context(), key(), s.client.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("behind the end: %v", err)
		}
		team, err := c.Care.Team(t.Context(), c.Who, s.client.ID, true)
		if err != nil || len(team) != 3 || team[1].Note != note {
			t.Errorf("the team forgot why: %d memberships, %v", len(team), err)
		}
		c.assign(t, s.client.ID, key().Actor)
		if _, err := c.Care.BreakGlass(t.Context(), key(), s.client.ID, care.ForCover, ""); !fault.Is(err, fault.Conflict) {
			t.Errorf("who is assigned: %v", err)
		}
	})
}

// toldOfBreakGlass holds the audit trail against an access that was given.
func (c clinic) toldOfBreakGlass(t *testing.T, m care.Membership, note string) {
	t.Helper()
	var outcome, actor, client, details string
	err := c.raw.QueryRow("SELECT outcome, CAST(actor AS text), CAST(client_id AS text), details FROM audit_entries WHERE action = 'care_team.break_glass' AND clinic_id = '"+
		c.Who.Clinic.String()+"'").Scan(&outcome, &actor, &client, &details)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"done", m.Member.String(), m.ClientID.String()}, []string{outcome, actor, client}); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if !contains(details, `"reason":"other"`) || contains(details, note) {
		t.Errorf("the entry tells %s", details)
	}
}

func TestTheChoiceOfCareTeamsIsTold(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		c.careTeams(t)
		var details string
		err := c.raw.QueryRow("SELECT details FROM audit_entries WHERE action = 'clinic.choose' AND clinic_id = '" + c.Who.Clinic.String() + "'").Scan(&details)
		if err != nil || !contains(details, `{"field":"care_teams","before":"false","after":"true"}`) {
			t.Errorf("the entry tells %s, %v", details, err)
		}
	})
}
