//go:build unix

package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// paged walks through a list page by page, for several sizes of page, and
// compares the ids with those expected: a row twice or lost shows.
func paged[T any](t testing.TB, want []uuid.UUID, id func(T) uuid.UUID, position func(T) care.Position, list func(care.Page) ([]T, error)) {
	t.Helper()
	for _, limit := range []int{1, 2, 3, len(want), len(want) + 1} {
		if limit == 0 {
			continue
		}
		var got []uuid.UUID
		for page := (care.Page{Limit: limit}); ; {
			rows, err := list(page)
			if err != nil {
				t.Fatalf("pages of %d: %v", limit, err)
			}
			for _, r := range rows {
				got = append(got, id(r))
			}
			if len(rows) > limit || len(got) > len(want) {
				t.Fatalf("pages of %d: %d rows in one, %d in all instead of %d", limit, len(rows), len(got), len(want))
			}
			if len(rows) == 0 {
				break
			}
			page.After = position(rows[len(rows)-1])
		}
		if !slices.Equal(got, want) {
			t.Errorf("pages of %d:\n got %v\nwant %v", limit, got, want)
		}
	}
}

// references are hard to sort alike: by language, by case, by number.
var references = []string{
	"", " ", "!", "-1", "10", "9", "A", "Ab", "B", "P-0010", "P-10", "P-9", "Z", "_", "a", "ab", "b", "e\u0301", "ss", "z", "~",
	"É", "ß", "é", "ñ", "Ж", "\u200bhidden", "日本", "\ufb01", "😀",
}

var lists = []promise{
	{"clients come by the bytes of their reference, on every page", func(t *testing.T, c *Clinic) {
		var want []uuid.UUID
		sorted := slices.Sorted(slices.Values(references[1:])) // Go compares bytes
		byReference := map[string]uuid.UUID{}
		for _, reference := range references[1:] {
			client := c.NewClient(reference)
			byReference[reference] = client.ID
			c.Insert(t, client)
		}
		for _, reference := range sorted {
			want = append(want, byReference[reference])
		}
		// A version that no longer stands is in no list.
		moved := c.NewClient("M was here")
		c.Insert(t, moved)
		moved.Reference, moved.Revision = care.Private(sorted[len(sorted)-1]+"z"), Next(moved.Revision, When.Add(time.Hour))
		c.Revise(t, moved)
		want = append(want, moved.ID)
		paged(t, want, func(x care.Client) uuid.UUID { return x.ID },
			func(x care.Client) care.Position { return care.Position{Text: string(x.Reference), ID: x.ID} },
			func(p care.Page) ([]care.Client, error) { return c.Clients(t.Context(), c.Who, p) })
	}},
	{"the ids of clients come in their order, on every page", func(t *testing.T, c *Clinic) {
		var want []uuid.UUID
		for i := range 7 {
			client := c.NewClient(fmt.Sprint("P-", 9-i))
			client.ID = uuid.New() // at random
			c.Insert(t, client)
			want = append(want, client.ID)
		}
		slices.SortFunc(want, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
		c.Write(t, func(ctx context.Context, tx care.Tx) error {
			paged(t, want, func(id uuid.UUID) uuid.UUID { return id }, func(id uuid.UUID) care.Position { return care.Position{ID: id} },
				func(p care.Page) ([]uuid.UUID, error) { return tx.ClientIDs(ctx, c.Who, p.After.ID, p.Limit) })
			return nil
		})
	}},
	{"a client's courses come by start and id, ties included", func(t *testing.T, c *Clinic) {
		client, other := c.NewClient("P-1"), c.NewClient("P-2")
		c.Insert(t, client, other, c.NewCourse(other.ID, "2024-01-01"))
		var want []uuid.UUID
		for _, start := range []care.Date{"0999-05-05", "2023-12-31", "2024-02-29", "2024-02-29", "2024-02-29", "2024-03-01"} {
			course := c.NewCourse(client.ID, start)
			c.Insert(t, course)
			want = append(want, course.ID)
		}
		paged(t, want, func(x care.Course) uuid.UUID { return x.ID },
			func(x care.Course) care.Position { return care.Position{Text: string(x.StartedOn), ID: x.ID} },
			func(p care.Page) ([]care.Course, error) { return c.Courses(t.Context(), c.Who, client.ID, p) })
	}},
	{"a client's assessments come by completion and id, ties included, as filtered", func(t *testing.T, c *Clinic) {
		client, other := c.NewClient("P-1"), c.NewClient("P-2")
		session := c.NewSession(client.ID, When)
		c.Insert(t, client, other, session, c.NewAssessment(other.ID, When, 1))
		var everything, standing, before, phq []uuid.UUID
		for i := range 9 {
			a := c.NewAssessment(client.ID, When.Add(time.Duration(i/3)*time.Microsecond), float64(i))
			if i%2 == 0 {
				a.Timing, a.SessionID = care.BeforeIt, &session.ID
			}
			if i%4 == 3 {
				a.Instrument = "phq-9"
			}
			c.Insert(t, a)
			everything = append(everything, a.ID)
			if i == 4 {
				a.Retracted, a.Revision = true, Next(a.Revision, When.Add(time.Hour))
				c.Revise(t, a)
				continue
			}
			standing = append(standing, a.ID)
			if i%2 == 0 {
				before = append(before, a.ID)
			}
			if i%4 == 3 {
				phq = append(phq, a.ID)
			}
		}
		for _, f := range []struct {
			filter care.AssessmentFilter
			want   []uuid.UUID
		}{
			{care.AssessmentFilter{}, standing},
			{care.AssessmentFilter{Retracted: true}, everything},
			{care.AssessmentFilter{Timing: care.BeforeIt}, before},
			{care.AssessmentFilter{SessionID: &session.ID}, before},
			{care.AssessmentFilter{Instrument: "phq-9"}, phq},
			{care.AssessmentFilter{Instrument: "phq-9", Timing: care.BeforeIt}, nil},
			{care.AssessmentFilter{SessionID: new(uuid.Nil)}, nil},
		} {
			paged(t, f.want, func(x care.Assessment) uuid.UUID { return x.ID },
				func(x care.Assessment) care.Position { return care.Position{Time: x.CompletedAt, ID: x.ID} },
				func(p care.Page) ([]care.Assessment, error) {
					return c.Assessments(t.Context(), c.Who, client.ID, f.filter, p)
				})
		}
	}},
	{"an assessment's versions come in order, and only an unknown assessment is not found", func(t *testing.T, c *Clinic) {
		client := c.NewClient("P-1")
		a := c.NewAssessment(client.ID, When, 1)
		c.Insert(t, client, a)
		var want []uuid.UUID
		want = append(want, a.ID)
		for i := range 4 {
			a.Revision = Next(a.Revision, When.Add(time.Duration(i+1)*time.Hour))
			c.Revise(t, a)
			want = append(want, a.ID)
		}
		seen := 0
		paged(t, want, func(x care.Assessment) uuid.UUID { return x.ID },
			func(x care.Assessment) care.Position { return care.Position{Number: new(float64(x.Version))} },
			func(p care.Page) ([]care.Assessment, error) {
				if p.After.Number == nil {
					seen = 0
				}
				rows, err := c.AssessmentVersions(t.Context(), c.Who, a.ID, p)
				for _, r := range rows {
					if seen++; r.Version != seen {
						t.Errorf("version %d comes in place %d", r.Version, seen)
					}
				}
				return rows, err
			})
		if _, err := c.AssessmentVersions(t.Context(), c.Who, NewID(), care.Page{Limit: 5}); !fault.Is(err, fault.NotFound) {
			t.Errorf("an unknown assessment: %v", err)
		}
	}},
	{"what does not exist is not found, or an empty list", func(t *testing.T, c *Clinic) {
		ctx, id := t.Context(), NewID()
		_, e1 := c.Client(ctx, c.Who, id)
		_, _, e2 := c.ClientHistory(ctx, c.Who, id)
		_, e3 := c.Course(ctx, c.Who, id)
		_, _, e4 := c.CourseHistory(ctx, c.Who, id)
		_, e5 := c.Session(ctx, c.Who, id)
		_, _, e6 := c.SessionHistory(ctx, c.Who, id)
		_, e7 := c.Assessment(ctx, c.Who, id)
		_, e8 := c.Key(ctx, c.Who, id)
		for i, err := range []error{e1, e2, e3, e4, e5, e6, e7, e8} {
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("%d: %v", i, err)
			}
		}
		points, err := c.Points(ctx, c.Who, []uuid.UUID{id}, nil, nil)
		if err != nil || len(points) != 0 {
			t.Errorf("points: %v, %v", points, err)
		}
		known, err := c.AssessmentHistories(ctx, c.Who, []uuid.UUID{id})
		if err != nil || len(known) != 0 {
			t.Errorf("histories: %v, %v", known, err)
		}
		if none, err := c.AssessmentHistories(ctx, c.Who, nil); err != nil || len(none) != 0 {
			t.Errorf("histories of nothing: %v, %v", none, err)
		}
		settings, err := c.Settings(ctx, c.Who)
		if err != nil || len(settings) != 0 {
			t.Errorf("settings: %v, %v", settings, err)
		}
		cases, err := c.Caseload(ctx, c.Who, care.CaseloadQuery{Instrument: "gad-7"}, care.Page{Limit: 5})
		if err != nil || len(cases) != 0 {
			t.Errorf("caseload: %v, %v", cases, err)
		}
	}},
	{"keys come by id, on every page", func(t *testing.T, c *Clinic) {
		want := []uuid.UUID{c.Who.Actor}
		for i := range 5 {
			k := auth.Key{ID: NewID(), Name: fmt.Sprint("key ", i), Role: auth.App, Hint: "ptk_x", CreatedAt: When}
			if err := c.CreateKey(t.Context(), c.Who, k, []byte(NewID().String())); err != nil {
				t.Fatal(err)
			}
			want = append(want, k.ID)
		}
		paged(t, want, func(k auth.Key) uuid.UUID { return k.ID }, func(k auth.Key) care.Position { return care.Position{ID: k.ID} },
			func(p care.Page) ([]auth.Key, error) { return c.Keys(t.Context(), c.Who, p.After.ID, p.Limit) })
	}},
}
