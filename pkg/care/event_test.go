//go:build unix

package care_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// events are all events of the clinic behind a place.
func (c clinic) events(t testing.TB, after int64) []care.Event {
	t.Helper()
	page, err := c.Care.Events(t.Context(), c.Who, care.EventQuery{After: &after, Limit: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	return page.Events
}

func TestEachChangeOfARecordIsToldByItsIDs(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		client := c.client(t, "P-1")
		_, err := c.Care.UpdateClient(t.Context(), c.Who, care.Client{ID: client.ID, Reference: "P-2", DisplayName: "Secret Name"}, 1)
		must(t, err)
		ses := c.session(t, care.Session{ClientID: client.ID, Kind: care.Integration, StartedAt: day(5)})
		ses.StartedAt = day(6)
		_, err = c.Care.UpdateSession(t.Context(), c.Who, ses, 1)
		must(t, err)
		a := c.record(t, gad7(client.ID, day(4), 2))[0]
		c.recorded(t, a) // again: it is known, and nothing happens
		again := gad7(client.ID, day(4), 1)
		again.ID, again.Reason = a.ID, "a slip"
		_, err = c.Care.Amend(t.Context(), c.Who, again, 1)
		must(t, err)
		for range 2 {
			_, err = c.Care.Retract(t.Context(), c.Who, a.ID, "another's", nil)
			must(t, err)
		}
		form, held := map[string]string{"assessment_id": a.ID.String(), "instrument": "gad-7"}, map[string]string{"session_id": ses.ID.String(), "kind": "integration"}
		version := func(n string) map[string]string {
			out := maps.Clone(form)
			out["version"] = n
			return out
		}
		type told struct {
			Seq  int64
			Type care.EventType
			Data map[string]string
		}
		want := []told{
			{1, care.ClientRecorded, nil}, {2, care.ClientChanged, nil}, {3, care.SessionRecorded, held}, {4, care.SessionChanged, held},
			{5, care.AssessmentRecorded, form}, {6, care.AssessmentAmended, version("2")}, {7, care.AssessmentRetracted, version("3")},
		}
		var got []told
		for _, e := range c.events(t, 0) {
			if e.Client != client.ID || e.ID == uuid.Nil {
				t.Errorf("%s is of %v, with the id %v", e.Type, e.Client, e.ID)
			}
			got = append(got, told{e.Seq, e.Type, e.Data})
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("what was told (-want +got):\n%s", d)
		}
		_, err = c.Care.EraseClient(t.Context(), c.Who, client.ID, care.ClientRequest)
		must(t, err)
		left := c.events(t, 0)
		if len(left) != 1 || left[0].Type != care.ClientErased || left[0].Seq != 8 || left[0].Client != client.ID {
			t.Errorf("after the erasure there is %v", left)
		}
	})
}

func TestAnEventIsStoredWithItsChangeOrNotAtAll(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		client := c.client(t, "P-1")
		before := len(c.events(t, 0))
		errChanged := errors.New("changed my mind")
		err := c.DB.DB.Write(t.Context(), c.Who, func(tx care.Tx) error {
			tx.Emit(care.Event{ID: uuid.New(), Type: care.ClientChanged, At: day(1), Client: client.ID})
			return errChanged
		})
		if !errors.Is(err, errChanged) || len(c.events(t, 0)) != before {
			t.Errorf("%v, and %d events", err, len(c.events(t, 0)))
		}
	})
}

// TestWhoReadsOnMissesNothing reads while many write at once, each event as soon
// as it is there, and never looks back.
func TestWhoReadsOnMissesNothing(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		const writers, times = 8, 25
		clients := make([]uuid.UUID, writers)
		for i := range clients {
			clients[i] = c.client(t, uuid.NewString()).ID
		}
		after := int64(writers)
		ctx, stop := context.WithCancel(t.Context())
		var read, wrote sync.WaitGroup
		var seen []care.Event
		look := func() {
			page, err := c.Care.Events(t.Context(), c.Who, care.EventQuery{After: &after, Limit: 7})
			if err != nil {
				t.Error(err)
				return
			}
			seen, after = append(seen, page.Events...), page.Next
		}
		read.Go(func() {
			for ctx.Err() == nil {
				look()
				time.Sleep(time.Millisecond)
			}
		})
		for _, client := range clients {
			wrote.Go(func() {
				for i := range times {
					for { // the database may ask to come again
						if out, err := c.Care.RecordAssessments(t.Context(), c.Who, []care.Assessment{gad7(client, day(i), 1)}); err == nil && out[0].Err == nil {
							break
						}
					}
				}
			})
		}
		wrote.Wait()
		stop()
		read.Wait()
		for range writers * times {
			look()
		}
		for i, e := range seen {
			if e.Seq != int64(writers+i+1) {
				t.Fatalf("the event %d comes at place %d", e.Seq, i)
			}
		}
		if len(seen) != writers*times {
			t.Errorf("%d of %d events were seen", len(seen), writers*times)
		}
	})
}

func TestEventsAreThoseOfWhoMaySeeTheClient(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		mine, others := c.client(t, "P-1"), c.client(t, "P-2")
		who := auth.As(c.Who.Clinic, uuid.New(), auth.ByKey, auth.Clinician)
		who.Reach, who.At = auth.AssignedClients, time.Now()
		page := func(q care.EventQuery) care.EventPage {
			t.Helper()
			q.Limit = 100
			out, err := c.Care.Events(t.Context(), who, q)
			must(t, err)
			return out
		}
		from := int64(0)
		if got := page(care.EventQuery{After: &from}); len(got.Events) != 0 || got.Next != 2 {
			t.Errorf("who is assigned to nobody sees %v", got)
		}
		who.Reach, who.Client = auth.OneClient, mine.ID
		if got := page(care.EventQuery{After: &from}); len(got.Events) != 1 || got.Events[0].Client != mine.ID || got.Next != 2 {
			t.Errorf("who may see one sees %v, and not that of %v alone", got, others.ID)
		}
		if got := page(care.EventQuery{After: &from, Types: []care.EventType{care.SessionRecorded}}); len(got.Events) != 0 || got.Next != 2 {
			t.Errorf("of another type there are %v", got)
		}
		if got := page(care.EventQuery{}); len(got.Events) != 0 || got.Next != 2 || got.Unknown {
			t.Errorf("from now on there are %v", got)
		}
		ahead := int64(99)
		if got := page(care.EventQuery{After: &ahead}); !got.Unknown || got.Next != 2 {
			t.Errorf("a place that is none of the clinic's is answered with %v", got)
		}
		nobody := auth.As(c.Who.Clinic, uuid.New(), auth.ByKey, auth.Researcher)
		if _, err := c.Care.Events(t.Context(), nobody, care.EventQuery{After: &from, Limit: 1}); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a researcher: %v", err)
		}
	})
}

func TestEveryTypeOfEventIsListed(t *testing.T) {
	source, err := os.ReadFile("event.go")
	must(t, err)
	var written []string
	for _, found := range regexp.MustCompile(`EventType += "([a-z_]+\.[a-z_]+)"`).FindAllStringSubmatch(string(source), -1) {
		written = append(written, found[1])
	}
	var listed []string
	for _, e := range care.EventTypes() {
		listed = append(listed, string(e))
	}
	slices.Sort(written)
	slices.Sort(listed)
	if d := cmp.Diff(written, listed); d != "" || len(listed) == 0 || strings.Contains(strings.Join(listed, ""), " ") {
		t.Errorf("types that are written down and not listed:\n%s", d)
	}
}
