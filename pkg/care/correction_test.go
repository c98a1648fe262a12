//go:build unix

package care_test

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/store/storetest"
)

func (c clinic) correction(t testing.TB, client uuid.UUID) care.Correction {
	t.Helper()
	out, _, err := c.Care.RequestCorrection(t.Context(), c.Who, care.Correction{ClientID: client, Target: care.TargetOther, Request: "I said so."})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestACorrectionIsOfTheClientsOwn(t *testing.T) {
	eachTwo(t, func(t *testing.T, c, there clinic) {
		s, sibling, foreign := newStanding(t, c), newStanding(t, c), newStanding(t, there)
		for name, x := range map[string]struct {
			target care.CorrectionTarget
			id     *uuid.UUID
			kind   fault.Kind
		}{
			"the client":                 {care.TargetClient, nil, ""},
			"the client by id":           {care.TargetClient, &s.client.ID, ""},
			"another client":             {care.TargetClient, &sibling.client.ID, fault.Invalid},
			"a course":                   {care.TargetCourse, &s.course.ID, ""},
			"a sibling's course":         {care.TargetCourse, &sibling.course.ID, fault.Invalid},
			"courses":                    {care.TargetCourse, nil, ""},
			"a session":                  {care.TargetSession, &s.session.ID, ""},
			"a sibling's session":        {care.TargetSession, &sibling.session.ID, fault.Invalid},
			"an assessment":              {care.TargetAssessment, &s.assessment.ID, ""},
			"a sibling's assessment":     {care.TargetAssessment, &sibling.assessment.ID, fault.Invalid},
			"another clinic's":           {care.TargetAssessment, &foreign.assessment.ID, fault.Invalid},
			"an unknown one":             {care.TargetAssessment, new(storetest.NewID()), fault.Invalid},
			"a session as an assessment": {care.TargetAssessment, &s.session.ID, fault.Invalid},
			"something else":             {care.TargetOther, nil, ""},
			"something else by id":       {care.TargetOther, &s.session.ID, fault.Invalid},
			"nothing that there is":      {"key", nil, fault.Invalid},
		} {
			_, _, err := c.Care.RequestCorrection(t.Context(), c.Who, care.Correction{ClientID: s.client.ID, Target: x.target, TargetID: x.id, Request: "x"})
			if fault.KindOf(err) != x.kind || x.kind == "" && err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, _, err := c.Care.RequestCorrection(t.Context(), c.Who, care.Correction{ClientID: s.client.ID, Target: care.TargetClient, Request: " \n"}); !fault.Is(err, fault.Invalid) {
			t.Errorf("an empty request: %v", err)
		}
	})
}

func TestACorrectionIsAskedForAndDecidedOnce(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		x := c.client(t, "A")
		asked := c.correction(t, x.ID)
		if _, err := c.Care.DecideCorrection(t.Context(), c.Who, asked.ID, care.CorrectionOpen, ""); !fault.Is(err, fault.Invalid) {
			t.Errorf("no decision: %v", err)
		}
		decided, err := c.Care.DecideCorrection(t.Context(), c.Who, asked.ID, care.CorrectionRefused, "misheard")
		if err != nil || decided.Status != care.CorrectionRefused || decided.DecidedAt == nil || *decided.DecidedBy != c.Who.Actor {
			t.Fatalf("%+v, %v", decided, err)
		}
		before := c.dump(t)
		again, err := c.Care.DecideCorrection(t.Context(), c.Who, asked.ID, care.CorrectionRefused, "misheard")
		if d := cmp.Diff(decided, again); d != "" || err != nil {
			t.Errorf("the same again: %v\n%s", err, d)
		}
		for status, note := range map[care.CorrectionStatus]care.Private{care.CorrectionAccepted: "misheard", care.CorrectionRefused: "other"} {
			if _, err := c.Care.DecideCorrection(t.Context(), c.Who, asked.ID, status, note); !fault.Is(err, fault.Conflict) {
				t.Errorf("%s: %v", status, err)
			}
		}
		// A phone that never saw the answer asks once more, and is told what became of it.
		repeat, outcome, err := c.Care.RequestCorrection(t.Context(), c.Who, care.Correction{ID: asked.ID, ClientID: x.ID, Target: asked.Target, Request: asked.Request})
		if d := cmp.Diff(decided, repeat); d != "" || err != nil || outcome != care.Known {
			t.Errorf("outcome %d, %v\n%s", outcome, err, d)
		}
		asked.Request = "something else"
		if _, _, err := c.Care.RequestCorrection(t.Context(), c.Who, asked); !fault.Is(err, fault.Conflict) {
			t.Errorf("other content: %v", err)
		}
		c.unchanged(t, before)
		if _, err := c.Care.DecideCorrection(t.Context(), c.Who, storetest.NewID(), care.CorrectionAccepted, ""); !fault.Is(err, fault.NotFound) {
			t.Errorf("an unknown request: %v", err)
		}
	})
}

func TestOfDecisionsAtOnceOneStands(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		asked := c.correction(t, c.client(t, "A").ID)
		var wg sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			wg.Go(func() {
				status := []care.CorrectionStatus{care.CorrectionAccepted, care.CorrectionRefused}[i%2]
				_, errs[i] = c.Care.DecideCorrection(t.Context(), c.Who, asked.ID, status, "")
			})
		}
		wg.Wait()
		conflicts := 0
		for _, err := range errs {
			if fault.Is(err, fault.Conflict) {
				conflicts++
			} else if err != nil {
				t.Error(err)
			}
		}
		if conflicts != 4 {
			t.Errorf("%d of 4 that decided otherwise were refused", conflicts)
		}
		var n int
		if err := c.raw.QueryRow("SELECT count(*) FROM audit_entries WHERE action = 'correction.decide'").Scan(&n); err != nil || n != 1 {
			t.Errorf("%d decisions are told, %v", n, err)
		}
	})
}
