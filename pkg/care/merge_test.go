//go:build unix

package care_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

func (c clinic) merge(t testing.TB, survivor, duplicate uuid.UUID) care.Merge {
	t.Helper()
	m, outcome, err := c.Care.MergeClients(t.Context(), c.Who, care.Merge{Survivor: survivor, Duplicate: duplicate, Reason: "the same person"})
	if err != nil || outcome != care.Created {
		t.Fatal(outcome, err)
	}
	return m
}

// seen is all that is read of some clients, and the clinic's lists.
func (c clinic) seen(t testing.TB, clients ...uuid.UUID) map[string]any {
	t.Helper()
	out := map[string]any{"progress": c.Progress(t, c.raw)}
	page := care.Page{Limit: 1000}
	keep := func(name string, v any, err error) {
		t.Helper()
		must(t, err)
		out[name] = v
	}
	v, err := c.Care.Clients(t.Context(), c.Who, page)
	keep("clients", v, err)
	for _, sort := range []care.CaseloadSort{care.ByReference, care.ByChange, care.ByLastAt} {
		v, err := c.Care.Caseload(t.Context(), c.Who, care.CaseloadQuery{Instrument: "gad-7", Sort: sort}, page)
		keep("caseload "+string(sort), v, err)
	}
	for i, id := range clients {
		name := func(what string) string { return fmt.Sprintf("%s of %d", what, i) }
		client, err := c.Care.Client(t.Context(), c.Who, id)
		keep(name("client"), client, err)
		courses, err := c.Care.Courses(t.Context(), c.Who, id, page)
		keep(name("courses"), courses, err)
		sessions, err := c.Care.Sessions(t.Context(), c.Who, id, page)
		keep(name("sessions"), sessions, err)
		assessments, err := c.Care.Assessments(t.Context(), c.Who, id, care.AssessmentFilter{Retracted: true}, page)
		keep(name("assessments"), assessments, err)
		trajectories, err := c.Care.Trajectories(t.Context(), c.Who, id, care.TrajectoryQuery{})
		keep(name("trajectories"), trajectories, err)
	}
	return out
}

// lived gives a client a random history; what it gives is returned, so that
// another can be given the same.
func (c clinic) lived(t testing.TB, random *rand.Rand, client uuid.UUID) (sessions []care.Session, forms []care.Assessment) {
	t.Helper()
	for i := range random.IntN(4) {
		sessions = append(sessions, c.session(t, care.Session{ClientID: client, Kind: care.Dosing, StartedAt: day(10 * (i + 1)).Add(time.Duration(random.IntN(3600)) * time.Second)}))
	}
	for range 1 + random.IntN(6) {
		a := gad7(client, day(random.IntN(60)-20).Add(time.Duration(random.IntN(86400))*time.Second), random.IntN(4))
		if len(sessions) > 0 && random.IntN(2) == 0 {
			a.SessionID, a.Timing = &sessions[random.IntN(len(sessions))].ID, care.BeforeIt
		}
		forms = append(forms, c.record(t, a)...)
	}
	return sessions, forms
}

// live gives a client what others have lived.
func (c clinic) live(t testing.TB, client uuid.UUID, sessions []care.Session, forms []care.Assessment) {
	t.Helper()
	own := map[uuid.UUID]uuid.UUID{}
	for _, s := range sessions {
		own[s.ID] = c.session(t, care.Session{ClientID: client, Kind: s.Kind, StartedAt: s.StartedAt}).ID
	}
	for _, f := range forms {
		a := gad7(client, f.CompletedAt, 0)
		a.Answers, a.Timing = f.Answers, f.Timing
		if f.SessionID != nil {
			a.SessionID = new(own[*f.SessionID])
		}
		c.record(t, a)
	}
}

// TestMergedRecordsReadAsOneAndApartAgainAsBefore lets two records live at
// random. Merged, they give the trajectory and the progress of one client who
// lived both; undone, everything reads as before.
func TestMergedRecordsReadAsOneAndApartAgainAsBefore(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		random := rand.New(rand.NewPCG(7, 11))
		for range 8 {
			a, b := c.client(t, uuid.NewString()), c.client(t, uuid.NewString())
			sessionsA, formsA := c.lived(t, random, a.ID)
			sessionsB, formsB := c.lived(t, random, b.ID)
			before := c.seen(t, a.ID, b.ID)
			c.merge(t, a.ID, b.ID)
			both := c.client(t, uuid.NewString())
			c.live(t, both.ID, append(sessionsA, sessionsB...), append(formsA, formsB...))
			one, whole := c.progress(t, a.ID, "gad-7"), c.progress(t, both.ID, "gad-7")
			for _, p := range []*care.Progress{one, whole} {
				p.ClientID, p.BaselineID, p.LatestID, p.BestID = uuid.Nil, nil, nil, nil
			}
			if d := cmp.Diff(whole, one); d != "" {
				t.Errorf("the progress of one who lived both (-) is not that of the merged record (+):\n%s", d)
			}
			merged, err := c.Care.Trajectories(t.Context(), c.Who, a.ID, care.TrajectoryQuery{Instrument: "gad-7"})
			must(t, err)
			if n := len(merged[0].Points); n != len(formsA)+len(formsB) {
				t.Errorf("%d points of %d and %d", n, len(formsA), len(formsB))
			}
			for _, row := range c.Progress(t, c.raw) {
				if strings.Contains(row, b.ID.String()) {
					t.Errorf("the duplicate has progress of its own: %s", row)
				}
			}
			c.sound(t)
			_, err = c.Care.EraseClient(t.Context(), c.Who, both.ID, care.RecordedByMistake)
			must(t, err)
			must(t, c.Care.UndoMerge(t.Context(), c.Who, a.ID, b.ID))
			if d := cmp.Diff(before, c.seen(t, a.ID, b.ID)); d != "" {
				t.Errorf("undone, it reads otherwise (-before +after):\n%s", d)
			}
		}
	})
}

func TestAnOfflinePhoneMayGoOnSendingForTheDuplicate(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		survivor, duplicate := c.client(t, "P-1"), c.client(t, "P-2")
		c.record(t, gad7(survivor.ID, day(1), 3))
		before := gad7(duplicate.ID, day(2), 2)
		c.record(t, before)
		c.merge(t, survivor.ID, duplicate.ID)
		late := gad7(duplicate.ID, day(3), 0)
		c.record(t, late)
		if again := c.recorded(t, before, late); again[0].Outcome != care.Known || again[1].Outcome != care.Known {
			t.Errorf("sent again: %v", again)
		}
		p := c.progress(t, survivor.ID, "gad-7")
		if p.Points != 3 || *p.LatestID != late.ID {
			t.Errorf("the survivor's progress: %+v", p)
		}
		shown, err := c.Care.Client(t.Context(), c.Who, duplicate.ID)
		if err != nil || shown.MergedInto == nil || *shown.MergedInto != survivor.ID || shown.Reference != "P-2" {
			t.Errorf("the duplicate reads %+v, %v", shown, err)
		}
		if _, outcome, err := c.Care.CreateClient(t.Context(), c.Who, duplicate); outcome != care.Known {
			t.Errorf("the duplicate sent again: %v, %v", outcome, err)
		}
		clients, err := c.Care.Clients(t.Context(), c.Who, care.Page{Limit: 10})
		if err != nil || len(clients) != 1 || clients[0].ID != survivor.ID {
			t.Errorf("the list: %v, %v", clients, err)
		}
		record, err := c.Care.Record(t.Context(), c.Who, survivor.ID, care.RecordJSON)
		if err != nil || len(record.Assessments) != 3 || len(record.Clients) != 2 || len(record.Merges) != 1 {
			t.Errorf("the record holds %d assessments of %d clients, %v", len(record.Assessments), len(record.Clients), err)
		}
		phone := auth.As(c.Who.Clinic, uuid.New(), auth.ByToken, auth.Client)
		phone.Reach, phone.Client = auth.OneClient, duplicate.ID
		own, err := c.Care.Trajectories(t.Context(), phone, duplicate.ID, care.TrajectoryQuery{Instrument: "gad-7"})
		if err != nil || len(own[0].Points) != 3 {
			t.Errorf("the client's own phone sees %v, %v", own, err)
		}
		if _, err := c.Care.RecordAssessments(t.Context(), phone, []care.Assessment{gad7(duplicate.ID, day(4), 1)}); err != nil {
			t.Error(err)
		}
		if p := c.progress(t, survivor.ID, "gad-7"); p.Points != 4 {
			t.Errorf("what the phone sent moves the survivor's progress to %d points", p.Points)
		}
		c.sound(t)
	})
}

func TestWhoMaySeeOneRecordOfAPersonMaySeeThePerson(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		survivor, duplicate, stranger := c.client(t, "P-1"), c.client(t, "P-2"), c.client(t, "P-3")
		for _, id := range []uuid.UUID{survivor.ID, duplicate.ID, stranger.ID} {
			c.record(t, gad7(id, day(1), 1))
		}
		nurse := auth.As(c.Who.Clinic, uuid.New(), auth.ByKey, auth.Clinician)
		nurse.Reach, nurse.At = auth.AssignedClients, c.Clock.Now()
		must(t, c.DB.Write(t.Context(), c.Who, func(tx care.Tx) error {
			return tx.PutMembership(t.Context(), c.Who, care.Membership{ClientID: duplicate.ID, Member: nurse.Actor, Kind: care.Assigned, Since: nurse.At, AddedBy: c.Who.Actor})
		}))
		sees := func(id uuid.UUID) int {
			t.Helper()
			found, err := c.Care.Trajectories(t.Context(), nurse, id, care.TrajectoryQuery{Instrument: "gad-7"})
			if fault.Is(err, fault.NotFound) {
				return 0
			}
			must(t, err)
			return len(found[0].Points)
		}
		if apart := [3]int{sees(survivor.ID), sees(duplicate.ID), sees(stranger.ID)}; apart != [3]int{0, 1, 0} {
			t.Errorf("apart, the nurse sees %v points", apart)
		}
		c.merge(t, survivor.ID, duplicate.ID)
		if merged := [3]int{sees(survivor.ID), sees(duplicate.ID), sees(stranger.ID)}; merged != [3]int{2, 2, 0} {
			t.Errorf("merged, the nurse sees %v points", merged)
		}
		cases, err := c.Care.Caseload(t.Context(), nurse, care.CaseloadQuery{Instrument: "gad-7"}, care.Page{Limit: 10})
		if err != nil || len(cases) != 1 || cases[0].Client.ID != survivor.ID || cases[0].Progress.Points != 2 {
			t.Errorf("the nurse's caseload: %v, %v", cases, err)
		}
	})
}

func TestWhatCannotBeUndoneLinkByLinkIsNotMerged(t *testing.T) {
	eachTwo(t, func(t *testing.T, here, there clinic) {
		a, b, d, erased := here.client(t, "A"), here.client(t, "B"), here.client(t, "D"), here.client(t, "E")
		_, err := here.Care.EraseClient(t.Context(), here.Who, erased.ID, care.LegalOrder)
		must(t, err)
		m := here.merge(t, a.ID, b.ID)
		before := here.dump(t)
		for what, x := range map[string]struct {
			survivor, duplicate uuid.UUID
			want                fault.Kind
		}{
			"into itself":                   {a.ID, a.ID, fault.Invalid},
			"merged already":                {d.ID, b.ID, fault.Conflict},
			"merged already, into the same": {a.ID, b.ID, fault.Conflict},
			"into one that is a duplicate":  {b.ID, d.ID, fault.Conflict},
			"one that has duplicates":       {d.ID, a.ID, fault.Conflict},
			"an erased one":                 {a.ID, erased.ID, fault.Conflict},
			"into an erased one":            {erased.ID, d.ID, fault.Gone},
			"an unknown one":                {a.ID, uuid.New(), fault.Invalid},
			"another clinic's":              {a.ID, there.client(t, "A").ID, fault.Invalid},
			"into another clinic's":         {there.client(t, "B").ID, d.ID, fault.NotFound},
			"both of which nobody has":      {uuid.New(), uuid.New(), fault.NotFound},
		} {
			_, _, err := here.Care.MergeClients(t.Context(), here.Who, care.Merge{Survivor: x.survivor, Duplicate: x.duplicate, Reason: "x"})
			if !fault.Is(err, x.want) {
				t.Errorf("%s: %v", what, err)
			}
		}
		again, outcome, err := here.Care.MergeClients(t.Context(), here.Who, m)
		if d := cmp.Diff(m, again); err != nil || outcome != care.Known || d != "" {
			t.Errorf("sent again: %v, %v\n%s", outcome, err, d)
		}
		other := m
		other.Reason = "another"
		if _, _, err := here.Care.MergeClients(t.Context(), here.Who, other); !fault.Is(err, fault.Conflict) {
			t.Errorf("the same id with another reason: %v", err)
		}
		if _, err := here.Care.EraseClient(t.Context(), here.Who, b.ID, care.LegalOrder); !fault.Is(err, fault.Conflict) {
			t.Errorf("the erasure of a duplicate alone: %v", err)
		}
		if err := here.Care.UndoMerge(t.Context(), here.Who, a.ID, d.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("undone without a merge: %v", err)
		}
		if err := there.Care.UndoMerge(t.Context(), there.Who, a.ID, b.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("undone by another clinic: %v", err)
		}
		here.unchanged(t, before)
		for range 2 {
			must(t, here.Care.UndoMerge(t.Context(), here.Who, a.ID, b.ID))
		}
		here.merge(t, b.ID, a.ID) // and the other way round
		erasure, err := here.Care.EraseClient(t.Context(), here.Who, b.ID, care.ClientRequest)
		if err != nil || erasure.Removed["client_versions"] != 2 || erasure.Removed["merges"] != 2 {
			t.Errorf("the erasure of both: %v, %v", erasure.Removed, err)
		}
		for _, id := range []uuid.UUID{a.ID, b.ID} {
			if _, err := here.Care.Client(t.Context(), here.Who, id); !fault.Is(err, fault.Gone) {
				t.Errorf("after the erasure of both: %v", err)
			}
		}
	})
}

func TestMergesMeetWritersAndTheProgressHolds(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		a, b := c.client(t, "A"), c.client(t, "B")
		var wg sync.WaitGroup
		for _, client := range []uuid.UUID{a.ID, b.ID, a.ID, b.ID} {
			wg.Go(func() {
				for i := range 15 {
					if _, err := c.Care.RecordAssessments(t.Context(), c.Who, []care.Assessment{gad7(client, day(i), i%4)}); err != nil && !fault.Is(err, fault.Unavailable) {
						t.Error(err)
					}
				}
			})
		}
		for range 6 {
			c.merge(t, a.ID, b.ID)
			must(t, c.Care.UndoMerge(t.Context(), c.Who, a.ID, b.ID))
		}
		c.merge(t, a.ID, b.ID)
		wg.Wait()
		c.sound(t)
	})
}

func TestWhoWaitedForAMergeKnowsWhoIsWhom(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		a, b := c.client(t, "A"), c.client(t, "B")
		noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		did := func(action string) audit.Entry {
			e := c.Who.Did(action, "client", a.ID)
			e.ID, e.At, e.Client = uuid.New(), noon, a.ID
			return e
		}
		merging := make(chan struct{})
		waited := make(chan error)
		go func() {
			<-merging
			waited <- c.Care.Store.Write(t.Context(), c.Who, func(tx care.Tx) error {
				if err := tx.LockClients(t.Context(), c.Who, []uuid.UUID{a.ID}); err != nil {
					return err
				}
				person, err := tx.Person(t.Context(), c.Who, a.ID)
				if len(person) != 2 {
					t.Errorf("whoever waited found %d records of the person", len(person))
				}
				tx.Note(did("client.update"))
				return err
			})
		}()
		err := c.Care.Store.Write(t.Context(), c.Who, func(tx care.Tx) error {
			if err := tx.LockClients(t.Context(), c.Who, []uuid.UUID{a.ID, b.ID}); err != nil {
				return err
			}
			close(merging)
			time.Sleep(100 * time.Millisecond) // the other comes to its lock, and waits
			tx.Note(did("client.merge"))
			return tx.InsertMerge(t.Context(), c.Who, care.Merge{
				ID: uuid.New(), Survivor: a.ID, Duplicate: b.ID, Reason: "the same person", MergedAt: noon, MergedBy: c.Who.Actor,
			})
		})
		must(t, err)
		must(t, <-waited)
	})
}
