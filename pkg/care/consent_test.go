//go:build unix

package care_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/store/storetest"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

func (c clinic) consent(t testing.TB, in care.Consent) care.Consent {
	t.Helper()
	out, _, err := c.Care.RecordConsent(t.Context(), c.Who, in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// said makes what a client said of research on a day, recorded on another.
func said(status care.ConsentStatus, at, recorded time.Time) care.Consent {
	return care.Consent{Scope: care.ForResearch, Status: status, At: at, RecordedAt: recorded}
}

func TestWhatStandsIsWhatWasSaidLastBefore(t *testing.T) {
	for name, c := range map[string]struct {
		said           care.Consents
		at             time.Time
		granted, known bool
	}{
		"nothing was said":                   {nil, day(9), false, false},
		"granted":                            {care.Consents{said(care.Granted, day(1), day(1))}, day(1), true, true},
		"granted later than asked":           {care.Consents{said(care.Granted, day(2), day(2))}, day(2).Add(-1), false, false},
		"withdrawn":                          {care.Consents{said(care.Granted, day(1), day(1)), said(care.Withdrawn, day(2), day(2))}, day(3), false, true},
		"withdrawn later than asked":         {care.Consents{said(care.Granted, day(1), day(1)), said(care.Withdrawn, day(4), day(4))}, day(3), true, true},
		"granted again":                      {care.Consents{said(care.Withdrawn, day(2), day(2)), said(care.Granted, day(3), day(3)), said(care.Granted, day(1), day(1))}, day(3), true, true},
		"a withdrawal recorded afterwards":   {care.Consents{said(care.Granted, day(1), day(1)), said(care.Withdrawn, day(2), day(8))}, day(3), false, true},
		"an earlier word recorded later":     {care.Consents{said(care.Withdrawn, day(2), day(2)), said(care.Granted, day(1), day(8))}, day(9), false, true},
		"the same time, recorded in turn":    {care.Consents{said(care.Withdrawn, day(1), day(2)), said(care.Granted, day(1), day(3))}, day(9), true, true},
		"the same time to the last":          {care.Consents{said(care.Withdrawn, day(1), day(1)), said(care.Granted, day(1), day(1))}, day(9), false, true},
		"dated ahead by a fast clock":        {care.Consents{said(care.Withdrawn, day(1).Add(time.Minute), day(1))}, day(1), false, true},
		"a fast clock, and then a right one": {care.Consents{said(care.Granted, day(1).Add(time.Minute), day(1)), said(care.Withdrawn, day(1).Add(time.Second), day(1).Add(time.Second))}, day(2), false, true},
		"of another scope":                   {care.Consents{{Scope: care.ForContact, Status: care.Granted, At: day(1), RecordedAt: day(1)}}, day(2), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 { // in either order
				if granted, known := c.said.Stands(care.ForResearch, c.at); granted != c.granted || known != c.known {
					t.Errorf("granted %t, known %t", granted, known)
				}
				slices.Reverse(c.said)
			}
		})
	}
}

func TestConsentIsEvaluatedAtTheTimeOfUse(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		x := c.client(t, "A")
		now := c.Clock.Now()
		consented := func(want bool) {
			t.Helper()
			if got, err := c.Care.Consented(t.Context(), c.Who, x.ID, care.ForResearch); err != nil || got != want {
				t.Errorf("consented: %t, %v", got, err)
			}
		}
		consented(false)
		c.consent(t, care.Consent{ClientID: x.ID, Scope: care.ForResearch, Status: care.Granted, At: now.Add(-time.Hour)})
		consented(true)
		withdrawal := c.consent(t, care.Consent{ClientID: x.ID, Scope: care.ForResearch, Status: care.Withdrawn, At: now, TextVersion: "2"})
		consented(false)
		c.consent(t, care.Consent{ClientID: x.ID, Scope: care.ForContact, Status: care.Granted, At: now})
		consented(false)
		page, err := c.Care.Consents(t.Context(), c.Who, x.ID, care.Page{Limit: 10})
		if err != nil || len(page.Items) != 3 || len(page.Standing) != 2 {
			t.Fatalf("%d consents, %d stand, %v", len(page.Items), len(page.Standing), err)
		}
		if d := cmp.Diff(withdrawal, page.Standing[care.ForResearch]); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		if _, err := c.Care.Consented(t.Context(), c.Who, storetest.NewID(), care.ForResearch); !fault.Is(err, fault.NotFound) {
			t.Errorf("an unknown client: %v", err)
		}
	})
}

func TestAConsentIsRecordedOnceAndWithinReason(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		x := c.client(t, "A")
		c.Clock.Set(day(100))
		first := c.consent(t, care.Consent{ClientID: x.ID, Scope: care.ForCare, Status: care.Granted, At: day(99).Add(123), TextVersion: "1"})
		for name, try := range map[string]struct {
			change  func(*care.Consent)
			outcome care.Outcome
			kind    fault.Kind
		}{
			"the same":           {func(*care.Consent) {}, care.Known, ""},
			"another status":     {func(s *care.Consent) { s.Status = care.Withdrawn }, care.Refused, fault.Conflict},
			"another scope":      {func(s *care.Consent) { s.Scope = care.ForContact }, care.Refused, fault.Conflict},
			"another time":       {func(s *care.Consent) { s.At = day(98) }, care.Refused, fault.Conflict},
			"another text":       {func(s *care.Consent) { s.TextVersion = "2" }, care.Refused, fault.Conflict},
			"five minutes ahead": {func(s *care.Consent) { s.ID, s.At = storetest.NewID(), day(100).Add(5*time.Minute) }, care.Created, ""},
			"an hour ahead":      {func(s *care.Consent) { s.ID, s.At = storetest.NewID(), day(100).Add(time.Hour) }, care.Refused, fault.Invalid},
			"before 1990":        {func(s *care.Consent) { s.At = time.Date(1989, 12, 31, 23, 0, 0, 0, time.UTC) }, care.Refused, fault.Invalid},
			"no scope":           {func(s *care.Consent) { s.Scope = "everything" }, care.Refused, fault.Invalid},
			"no status":          {func(s *care.Consent) { s.Status = "" }, care.Refused, fault.Invalid},
			"an unknown client":  {func(s *care.Consent) { s.ID, s.ClientID = storetest.NewID(), storetest.NewID() }, care.Refused, fault.NotFound},
		} {
			in := first
			try.change(&in)
			out, outcome, err := c.Care.RecordConsent(t.Context(), c.Who, in)
			if outcome != try.outcome || fault.KindOf(err) != try.kind || try.kind == "" && err != nil {
				t.Errorf("%s: outcome %d, %v", name, outcome, err)
			}
			if try.outcome == care.Known {
				if d := cmp.Diff(first, out); d != "" {
					t.Errorf("%s (-stored +answered):\n%s", name, d)
				}
			}
		}
	})
}

func TestAConsentIsNotChangedByAnything(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		x := c.client(t, "A")
		c.consent(t, care.Consent{ClientID: x.ID, Scope: care.ForCare, Status: care.Granted, At: day(1)})
		_, err := c.raw.Exec("UPDATE consents SET status = 'withdrawn'")
		if err == nil || !contains(err.Error(), "does not change") {
			t.Errorf("an update: %v", err)
		}
	})
}
