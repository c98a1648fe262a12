//go:build unix

package care_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/store/storetest"
)

func TestABadAssessmentSpoilsNoOtherOfItsBatch(t *testing.T) {
	eachTwo(t, func(t *testing.T, c, elsewhere clinic) {
		one, two := c.client(t, "P-1"), c.client(t, "P-2")
		foreigner := elsewhere.client(t, "P-1")
		mine := c.session(t, care.Session{ClientID: one.ID, Kind: care.Dosing, StartedAt: day(3)})
		others := c.session(t, care.Session{ClientID: two.ID, Kind: care.Dosing, StartedAt: day(3)})
		foreign := elsewhere.session(t, care.Session{ClientID: foreigner.ID, Kind: care.Dosing, StartedAt: day(3)})
		known := c.record(t, gad7(one.ID, day(1), 3))[0]
		knownOther := gad7(one.ID, day(1), 1)
		knownOther.ID = known.ID
		good, alsoGood := gad7(one.ID, day(2), 2), gad7(two.ID, day(2), 0)
		goodAgain := good
		goodOther := gad7(one.ID, day(2), 1)
		goodOther.ID = good.ID
		with := func(change func(a *care.Assessment)) care.Assessment {
			a := gad7(one.ID, day(5), 1)
			change(&a)
			return a
		}
		session := func(id uuid.UUID) func(a *care.Assessment) {
			return func(a *care.Assessment) { a.Timing, a.SessionID = care.BeforeIt, &id }
		}
		cases := []struct {
			says    string
			a       care.Assessment
			outcome care.Outcome
			kind    fault.Kind
			pointer string
		}{
			{"a good one", good, care.Created, "", ""},
			{"an answer out of range", with(func(a *care.Assessment) { a.Answers["gad7_3"] = new(4) }), care.Refused, fault.Invalid, "/answers/gad7_3"},
			{"a negative answer", with(func(a *care.Assessment) { a.Answers["gad7_3"] = new(-1) }), care.Refused, fault.Invalid, "/answers/gad7_3"},
			{"an unknown item", with(func(a *care.Assessment) { a.Answers["gad7_8"] = new(1) }), care.Refused, fault.Invalid, "/answers/gad7_8"},
			{"an unknown instrument", with(func(a *care.Assessment) { a.Instrument = "phq-99" }), care.Refused, fault.Invalid, "/instrument"},
			{"answers and a total", with(func(a *care.Assessment) { a.Total = new(3.0) }), care.Refused, fault.Invalid, "/total"},
			{"before no session", with(func(a *care.Assessment) { a.Timing = care.BeforeIt }), care.Refused, fault.Invalid, "/session_id"},
			{"an unknown timing", with(func(a *care.Assessment) { a.Timing = "during" }), care.Refused, fault.Invalid, "/timing"},
			{"an unknown window", with(func(a *care.Assessment) { a.RecallWindow = "P400D" }), care.Refused, fault.Invalid, "/recall_window"},
			{"the year 1970", with(func(a *care.Assessment) { a.CompletedAt = time.Unix(0, 0) }), care.Refused, fault.Invalid, "/completed_at"},
			{"the year 2099", with(func(a *care.Assessment) { a.CompletedAt = day(0).AddDate(73, 0, 0) }), care.Refused, fault.Invalid, "/completed_at"},
			{"an unknown client", with(func(a *care.Assessment) { a.ClientID = uuid.New() }), care.Refused, fault.NotFound, "/client_id"},
			{"another clinic's client", with(func(a *care.Assessment) { a.ClientID = foreigner.ID }), care.Refused, fault.NotFound, "/client_id"},
			{"the client's own session", with(session(mine.ID)), care.Created, "", ""},
			{"another client's session", with(session(others.ID)), care.Refused, fault.Invalid, "/session_id"},
			{"another clinic's session", with(session(foreign.ID)), care.Refused, fault.Invalid, "/session_id"},
			{"an unknown session", with(session(uuid.New())), care.Refused, fault.Invalid, "/session_id"},
			{"a repetition within the batch", goodAgain, care.Known, "", ""},
			{"the same id with other content within the batch", goodOther, care.Refused, fault.Conflict, "/id"},
			{"one that is stored", known, care.Known, "", ""},
			{"the id of a stored one with other content", knownOther, care.Refused, fault.Conflict, "/id"},
			{"no item answered", with(func(a *care.Assessment) { a.Answers = instrument.Answers{"gad7_1": nil} }), care.Refused, fault.Invalid, "/answers"},
			{"one item answered", with(func(a *care.Assessment) { a.Answers = instrument.Answers{"gad7_1": new(0)} }), care.Created, "", ""},
			{"no id", with(func(a *care.Assessment) { a.ID = uuid.Nil }), care.Created, "", ""},
			{"another client's good one", alsoGood, care.Created, "", ""},
		}
		var batch []care.Assessment
		for _, x := range cases {
			batch = append(batch, x.a)
		}
		out := c.recorded(t, batch...)
		created := 0
		for i, x := range cases {
			got := out[i]
			if got.Outcome != x.outcome || fault.KindOf(got.Err) != x.kind {
				t.Errorf("%s: outcome %d, %v", x.says, got.Outcome, got.Err)
			}
			if x.pointer != "" && (got.Err == nil || !strings.Contains(got.Err.Error(), x.pointer+" ")) {
				t.Errorf("%s: %v does not point to %s", x.says, got.Err, x.pointer)
			}
			if got.Outcome == care.Created {
				created++
				if _, err := c.Care.Assessment(t.Context(), c.Who, got.Assessment.ID); err != nil {
					t.Errorf("%s: not stored: %v", x.says, err)
				}
			}
		}
		if rows := c.Rows(t, c.raw, "assessments", "clinic_id = '"+c.Who.Clinic.String()+"'"); len(rows) != created+1 {
			t.Errorf("%d are stored and %d were created", len(rows)-1, created)
		}
		if rows := c.Rows(t, c.raw, "assessments", "clinic_id = '"+elsewhere.Who.Clinic.String()+"'"); len(rows) != 0 {
			t.Errorf("the other clinic has %v", rows)
		}
		c.sound(t)
	})
}

func TestABatchOfAThousandOfManyClientsIsStoredAndThenKnown(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		var clients []care.Client
		for i := range 25 {
			clients = append(clients, c.client(t, uuid.NewString()[:8]+string(rune('a'+i))))
		}
		batch := make([]care.Assessment, 1000)
		for i := range batch {
			batch[i] = gad7(clients[i%len(clients)].ID, day(i%300-200), i%4)
		}
		for _, r := range c.recorded(t, batch...) {
			if r.Outcome != care.Created {
				t.Fatalf("outcome %d, %v", r.Outcome, r.Err)
			}
		}
		c.sound(t)
		before, entries := c.dump(t), len(c.trail(t))
		slices.Reverse(batch)
		c.Statements.Take()
		for _, r := range c.recorded(t, batch...) {
			if r.Outcome != care.Known {
				t.Fatalf("outcome %d, %v", r.Outcome, r.Err)
			}
		}
		// Where all is known there is nothing to write but that it was read, in
		// one entry for all of them, nor to wait for.
		written := map[string]int{}
		for _, sql := range c.Statements.Take() {
			table, inserts := strings.CutPrefix(strings.ReplaceAll(sql, "`", `"`), `INSERT INTO "`)
			if table, _, _ = strings.Cut(table, `"`); inserts {
				written[table]++
			}
			if !strings.HasPrefix(sql, "SELECT") && !inserts || strings.Contains(sql, "FOR NO KEY UPDATE") {
				t.Errorf("a batch of known ones sends %.80s", sql)
			}
		}
		if diff := cmp.Diff(map[string]int{"audit_entries": 1, "audit_subjects": 1}, written); diff != "" {
			t.Errorf("inserts (-want +got):\n%s", diff)
		}
		c.unchanged(t, before)
		left := c.trail(t)[entries:]
		if len(left) != 1 {
			t.Fatalf("a batch of known ones leaves %d entries", len(left))
		}
		var of []uuid.UUID
		for _, x := range clients {
			of = append(of, x.ID)
		}
		want := c.Who.Did("assessment.list", "", uuid.Nil).WithClients(of)
		want.ID = left[0].ID
		if diff := cmp.Diff(want, left[0]); diff != "" {
			t.Errorf("the entry (-want +got):\n%s", diff)
		}
	})
}

func TestAnEmptyBatchIsAnswered(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		if out := c.recorded(t); len(out) != 0 {
			t.Errorf("%v", out)
		}
	})
}

func TestAnAssessmentIsScoredByTheClinicsCutPoint(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		client := c.client(t, "P-1")
		total := func(at time.Time) care.Assessment {
			return care.Assessment{ID: storetest.NewID(), ClientID: client.ID, Instrument: "gad-7", Timing: care.AtFollowUp, CompletedAt: at, Total: new(8.0)}
		}
		first := c.record(t, total(day(1)))[0]
		if _, err := c.Care.ChooseSetting(t.Context(), c.Who, care.Setting{Instrument: "gad-7", Cutpoints: map[string]float64{"above_cutpoint": 8}}); err != nil {
			t.Fatal(err)
		}
		second := c.record(t, total(day(2)))[0]
		if first.Score.Screens["above_cutpoint"] != false || second.Score.Screens["above_cutpoint"] != true {
			t.Errorf("8 points at a cut-point of 10 and of 8: %v, %v", first.Score.Screens, second.Score.Screens)
		}
		kept, err := c.Care.Assessment(t.Context(), c.Who, first.ID)
		if err != nil || kept.Score.Screens["above_cutpoint"] != false {
			t.Errorf("the stored score moved: %v, %v", kept.Score.Screens, err)
		}
		before := c.dump(t)
		for _, bad := range []care.Setting{
			{Instrument: "gad-7", Cutpoints: map[string]float64{"above_cutpoint": 9}},
			{Instrument: "gad-7", Cutpoints: map[string]float64{"none": 8}},
			{Instrument: "gad-7", ChangeRules: "none"},
		} {
			if _, err := c.Care.ChooseSetting(t.Context(), c.Who, bad); !fault.Is(err, fault.Invalid) {
				t.Errorf("%+v: %v", bad, err)
			}
		}
		if _, err := c.Care.ChooseSetting(t.Context(), c.Who, care.Setting{Instrument: "none"}); !fault.Is(err, fault.NotFound) {
			t.Errorf("%v", err)
		}
		c.unchanged(t, before)
	})
}
