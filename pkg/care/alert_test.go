//go:build unix

package care_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/alert"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// phq9 is a form whose items 1 to 8 are 0 and whose item 9 is as given: -1 is
// silence, -2 was declined.
func phq9(client uuid.UUID, at time.Time, item9 int) care.Assessment {
	a := care.Assessment{
		ID: storetest.NewID(), ClientID: client, Instrument: "phq-9", Timing: care.AtFollowUp, CompletedAt: at, Answers: instrument.Answers{},
	}
	for i := range 8 {
		a.Answers[fmt.Sprintf("phq9_%d", i+1)] = new(0)
	}
	switch item9 {
	case -1:
	case -2:
		a.Declined = []string{"phq9_9"}
	default:
		a.Answers["phq9_9"] = &item9
	}
	return a
}

// alerts are all alerts of a client, the oldest first.
func (c clinic) alerts(t testing.TB, client uuid.UUID) []care.Alert {
	t.Helper()
	out, err := c.Care.Alerts(t.Context(), c.Who, care.AlertFilter{Client: &client}, care.Page{Limit: 1000})
	must(t, err)
	slices.Reverse(out)
	return out
}

// alert is an alert with its history.
func (c clinic) alert(t testing.TB, id uuid.UUID) care.AlertWithHistory {
	t.Helper()
	out, err := c.Care.Alert(t.Context(), c.Who, id)
	must(t, err)
	return out
}

// handled is an alert of a client that came some steps of the way.
func (c clinic) handled(t testing.TB, client uuid.UUID, steps int) uuid.UUID {
	t.Helper()
	form := c.record(t, gad7(client, day(3), 3))[0]
	all := c.alerts(t, client)
	k := slices.IndexFunc(all, func(a care.Alert) bool { return *a.AssessmentID == form.ID && a.Rule == "severe_anxiety" })
	if k < 0 {
		t.Fatalf("no alert among %v", all)
	}
	if steps > 0 {
		_, err := c.Care.Acknowledge(t.Context(), c.Who, all[k].ID)
		must(t, err)
	}
	if steps > 1 {
		_, err := c.Care.Dispose(t.Context(), c.Who, all[k].ID, care.SpokeToClient, "")
		must(t, err)
	}
	return all[k].ID
}

// brief is what of an alert a test compares.
type brief struct {
	Rule   string
	Level  alert.Level
	Status care.AlertStatus
}

func outlined(alerts []care.Alert) []brief {
	var out []brief
	for _, a := range alerts {
		out = append(out, brief{a.Rule, a.Level, a.Status})
	}
	return out
}

func deedsOf(a care.AlertWithHistory) []care.AlertDeed {
	var out []care.AlertDeed
	for _, s := range a.History {
		out = append(out, s.Deed)
	}
	return out
}

func TestAnAnswerRaisesItsAlertWhenItIsStored(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		for name, x := range map[string]struct {
			item9 int
			want  []brief
		}{
			"0":        {0, nil},
			"1":        {1, []brief{{"item9_endorsed", alert.Moderate, care.AlertOpen}}},
			"2":        {2, []brief{{"item9_endorsed", alert.High, care.AlertOpen}}},
			"3":        {3, []brief{{"item9_endorsed", alert.Critical, care.AlertOpen}}},
			"declined": {-2, []brief{{"item9_declined", alert.Moderate, care.AlertOpen}}},
			"silence":  {-1, []brief{{"item9_missing", alert.Moderate, care.AlertOpen}}},
		} {
			client := c.client(t, uuid.NewString()).ID
			form := c.record(t, phq9(client, day(140), x.item9))[0] // eleven days before it comes in
			got := c.alerts(t, client)
			if d := cmp.Diff(x.want, outlined(got)); d != "" {
				t.Errorf("%s (-want +got):\n%s", name, d)
			}
			for _, a := range got {
				if *a.AssessmentID != form.ID || !a.AnsweredAt.Equal(form.CompletedAt) || !a.ReceivedAt.Equal(form.RecordedAt) {
					t.Errorf("%s: %+v is not of %+v", name, a, form)
				}
				if a.NextAt == nil || !a.NextAt.Equal(a.RaisedAt.Add(5*time.Minute)) {
					t.Errorf("%s: raised at %v, it is told to others at %v", name, a.RaisedAt, a.NextAt)
				}
			}
			c.recorded(t, form) // a retry
			if again := c.alerts(t, client); len(again) != len(got) {
				t.Errorf("%s: %d alerts after a retry", name, len(again))
			}
		}
	})
}

func TestAnOldAnswerIsRaisedAndWakesNobody(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		client := c.client(t, "P-1").ID
		c.record(t, phq9(client, day(0), 3)) // five months before it comes in
		got := c.alerts(t, client)
		if len(got) != 1 || got[0].NextAt != nil || got[0].Status != care.AlertOpen {
			t.Errorf("%+v", got)
		}
	})
}

func TestARepeatHidesNoRise(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		client := c.client(t, "P-1").ID
		forms := c.record(t, phq9(client, day(141), 1), phq9(client, day(142), 1), phq9(client, day(143), 2), phq9(client, day(144), 0), phq9(client, day(145), 2))
		repeats := map[uuid.UUID][]string{}
		for _, a := range c.alerts(t, client) {
			text := a.Rule
			if a.RepeatOf != nil {
				text += " again"
			}
			repeats[*a.AssessmentID] = append(repeats[*a.AssessmentID], text)
		}
		for i, want := range [][]string{
			{"item9_endorsed"}, {"item9_endorsed again"}, {"item9_endorsed", "item9_higher"}, nil, {"item9_endorsed", "item9_higher"},
		} {
			got := slices.Sorted(slices.Values(repeats[forms[i].ID]))
			if !slices.Equal(got, want) {
				t.Errorf("form %d: %v, not %v", i, got, want)
			}
		}
		first := c.alerts(t, client)[0]
		_, err := c.Care.Acknowledge(t.Context(), c.Who, first.ID)
		must(t, err)
		for _, a := range c.alerts(t, client) {
			goesAlong := a.ID == first.ID || a.RepeatOf != nil && *a.RepeatOf == first.ID
			if goesAlong != (a.Status == care.AlertAcknowledged) || goesAlong != (a.NextAt == nil) {
				t.Errorf("after the acknowledgement of the first: %+v", a)
			}
		}
	})
}

func TestAnAmendedAnswerChangesItsAlertForAllToSee(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		client := c.client(t, "P-1").ID
		form := c.record(t, phq9(client, day(145), 1))[0]
		one := c.alerts(t, client)[0]
		version := 1
		amend := func(item9 int) care.AlertWithHistory {
			next := phq9(client, form.CompletedAt, item9)
			next.ID, next.Reason = form.ID, "misread"
			c.amend(t, next, version)
			version++
			return c.alert(t, one.ID)
		}
		_, err := c.Care.Acknowledge(t.Context(), c.Who, one.ID)
		must(t, err)
		if a := amend(3); a.Status != care.AlertOpen || a.Level != alert.Critical || a.NextAt == nil || !a.OpenedAt.After(a.RaisedAt) {
			t.Errorf("a rise opens the alert again: %+v", a)
		}
		if a := amend(2); a.Status != care.AlertOpen || a.Level != alert.High || a.Withdrawn {
			t.Errorf("a fall changes the level: %+v", a)
		}
		if a := amend(0); a.Status != care.AlertOpen || !a.Withdrawn || a.Level != alert.High {
			t.Errorf("what the answer says no more stays to be closed by a person: %+v", a)
		}
		if a := amend(1); a.Withdrawn || a.Level != alert.Moderate {
			t.Errorf("and is found again: %+v", a)
		}
		_, err = c.Care.Retract(t.Context(), c.Who, form.ID, "another's", nil)
		must(t, err)
		a := c.alert(t, one.ID)
		want := []care.AlertDeed{
			care.WasRaised, care.WasAcknowledged, care.WasChanged, care.WasChanged, care.WasWithdrawn, care.WasChanged, care.WasWithdrawn,
		}
		if d := cmp.Diff(want, deedsOf(a)); d != "" || a.Status != care.AlertOpen {
			t.Errorf("%s, and it is %s", d, a.Status)
		}
		if n := len(c.alerts(t, client)); n != 1 {
			t.Errorf("%d alerts of one answer", n)
		}
	})
}

func TestAnAlertGoesItsWayInOrder(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		client := c.client(t, "P-1").ID
		c.record(t, phq9(client, day(145), 2))
		id := c.alerts(t, client)[0].ID
		ctx, other := t.Context(), c.clinician(t)()
		acknowledge := func() (care.AlertWithHistory, error) { return c.Care.Acknowledge(ctx, c.Who, id) }
		dispose := func() (care.AlertWithHistory, error) {
			return c.Care.Dispose(ctx, c.Who, id, care.SafetyPlan, "a note")
		}
		closing := func() (care.AlertWithHistory, error) { return c.Care.CloseAlert(ctx, c.Who, id) }
		conflict := func(_ care.AlertWithHistory, err error) {
			t.Helper()
			if !fault.Is(err, fault.Conflict) {
				t.Error(err)
			}
		}
		conflict(dispose())
		conflict(closing())
		for _, do := range []func() (care.AlertWithHistory, error){acknowledge, dispose, closing} {
			first, err := do()
			must(t, err)
			again, err := do()
			must(t, err)
			if d := cmp.Diff(first, again, cmp.Comparer(func(a, b care.Private) bool { return a == b })); d != "" {
				t.Errorf("a retry (-first +again):\n%s", d)
			}
		}
		conflict(c.Care.Acknowledge(ctx, other, id))
		conflict(c.Care.Dispose(ctx, c.Who, id, care.Referred, ""))
		a := c.alert(t, id)
		want := []care.AlertDeed{care.WasRaised, care.WasAcknowledged, care.WasActioned, care.WasClosed}
		if d := cmp.Diff(want, deedsOf(a)); d != "" {
			t.Error(d)
		}
		if step := a.History[2]; step.By != c.Who.Actor || step.Disposition != care.SafetyPlan || step.Note != "a note" {
			t.Errorf("%+v", step)
		}
		if _, err := c.Care.Dispose(ctx, c.Who, id, "shrug", ""); !fault.Is(err, fault.Invalid) {
			t.Error(err)
		}
	})
}

// TestNoAnswerAboveZeroIsWithoutAnAlert takes forms in by every way there is.
func TestNoAnswerAboveZeroIsWithoutAnAlert(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		pool := []uuid.UUID{c.client(t, "P-1").ID, c.client(t, "P-2").ID, c.client(t, "P-3").ID}
		now := map[uuid.UUID]int{} // item 9 of each form, as it is now
		var batch []care.Assessment
		for i := range 60 {
			a := phq9(pool[i%len(pool)], day(i*37%150), i*7%6-2)
			if i%5 == 0 {
				a.Mode = care.ByImport
			}
			now[a.ID], batch = i*7%6-2, append(batch, a)
		}
		c.record(t, batch[:20]...)
		for _, a := range batch[20:] {
			c.record(t, a)
		}
		for i, a := range batch {
			if i%4 != 0 {
				continue
			}
			next := phq9(a.ClientID, a.CompletedAt, i%4+i%3)
			next.ID, next.Reason, now[a.ID] = a.ID, "misread", i%4+i%3
			c.amend(t, next, 1)
		}
		found := map[uuid.UUID]bool{}
		for _, client := range pool {
			for _, a := range c.alerts(t, client) {
				if a.Rule == "item9_endorsed" && !a.Withdrawn {
					found[*a.AssessmentID] = true
				}
			}
		}
		above := 0
		for id, item9 := range now {
			if item9 >= 1 {
				above++
			}
			if (item9 >= 1) != found[id] {
				t.Errorf("item 9 of %v is %d; an alert: %v", id, item9, found[id])
			}
		}
		if above < 10 {
			t.Fatalf("only %d forms above 0 show little", above)
		}
	})
}

// Acknowledgements and escalations that meet: whoever acknowledges and is told
// so has ended the clock.
func TestNothingIsEscalatedAfterAnAcknowledgement(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		client := c.client(t, "P-1").ID
		for i := range storetest.Size(5, 30) {
			c.Clock.Set(day(200 + i))
			form := c.record(t, phq9(client, day(200+i), 3))[0]
			all := c.alerts(t, client)
			k := slices.IndexFunc(all, func(a care.Alert) bool { return *a.AssessmentID == form.ID })
			c.Clock.Set(day(200 + i).Add(6 * time.Minute))
			done := make(chan error, 3)
			for range 3 { // as many servers
				go func() { _, err := c.Care.Escalate(context.Background(), c.Who.Clinic); done <- err }()
			}
			_, err := c.Care.Acknowledge(t.Context(), c.Who, all[k].ID)
			must(t, err)
			for range 3 {
				must(t, <-done)
			}
			deeds := deedsOf(c.alert(t, all[k].ID))
			if deeds[len(deeds)-1] != care.WasAcknowledged || len(deeds) > 3 {
				t.Fatalf("%v", deeds)
			}
		}
	})
}
