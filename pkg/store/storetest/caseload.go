//go:build unix

package storetest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
)

// caseloadValue is what a case is sorted by; nil where it has no such value.
func caseloadValue(sort care.CaseloadSort, x care.Case) *float64 {
	if x.Progress == nil {
		return nil
	}
	switch sort {
	case care.ByChange:
		return x.Progress.Change
	case care.ByPercentChange:
		return x.Progress.PercentChange
	case care.ByLatestTotal:
		return x.Progress.LatestTotal
	case care.ByLastAt:
		return new(float64(x.Progress.LastAt.UnixMicro()))
	}
	return nil
}

// caseloadOrder is the order promised: by value, nothing last, ties by id.
func caseloadOrder(q care.CaseloadQuery) func(a, b care.Case) int {
	sign := 1
	if q.Descending {
		sign = -1
	}
	return func(a, b care.Case) int {
		if q.Sort == care.ByReference {
			return sign * cmp.Compare(a.Client.Reference, b.Client.Reference)
		}
		x, y := caseloadValue(q.Sort, a), caseloadValue(q.Sort, b)
		byID := slices.Compare(a.Client.ID[:], b.Client.ID[:])
		switch {
		case x == nil && y == nil:
			return byID
		case x == nil:
			return 1
		case y == nil:
			return -1
		}
		return cmp.Or(sign*cmp.Compare(*x, *y), byID)
	}
}

// positionOf is where the next page goes on, as a front end is told.
func positionOf(sort care.CaseloadSort, x care.Case) care.Position {
	p := care.Position{Text: string(x.Client.Reference), ID: x.Client.ID}
	if x.Progress != nil && sort == care.ByLastAt {
		p.Time = x.Progress.LastAt
	} else if sort != care.ByReference {
		p.Number = caseloadValue(sort, x)
	}
	return p
}

var caseloads = []promise{
	{"the caseload comes in each order, with each status, on every page", func(t *testing.T, c *Clinic) {
		all := c.caseload(t)
		statuses := []string{"", care.NotMeasured, "improved", "no_change", "insufficient_data", "relapsed"}
		for _, sort := range []care.CaseloadSort{care.ByReference, care.ByChange, care.ByPercentChange, care.ByLatestTotal, care.ByLastAt} {
			for _, descending := range []bool{false, true} {
				for _, status := range statuses {
					q := care.CaseloadQuery{Instrument: "gad-7", Status: status, Sort: sort, Descending: descending}
					var want []uuid.UUID
					for _, x := range slices.SortedFunc(slices.Values(all), caseloadOrder(q)) {
						measured := x.Progress != nil
						if status == "" || status == care.NotMeasured && !measured || measured && x.Progress.Status == status {
							want = append(want, x.Client.ID)
						}
					}
					t.Run(fmt.Sprintf("%s descending %t status %q", sort, descending, status), func(t *testing.T) {
						paged(t, want, func(x care.Case) uuid.UUID { return x.Client.ID },
							func(x care.Case) care.Position { return positionOf(sort, x) },
							func(p care.Page) ([]care.Case, error) { return c.Caseload(t.Context(), c.Who, q, p) })
					})
				}
			}
		}
		for _, x := range all {
			page := care.Page{Limit: len(all)}
			got, err := c.Caseload(t.Context(), c.Who, care.CaseloadQuery{Instrument: "gad-7", Sort: care.ByReference}, page)
			i := slices.IndexFunc(got, func(y care.Case) bool { return y.Client.ID == x.Client.ID })
			if err != nil || i < 0 {
				t.Fatalf("a case is missing (%v)", err)
			}
			same(t, x, got[i], nil)
		}
	}},
	{"the caseload is searched by reference and name, whatever their case and accents", func(t *testing.T, c *Clinic) {
		for reference, name := range map[string]string{
			"P-1": "José Álvarez", "P-2": "Jose\u0301 Nuñez", "P-10": "Zoë O'Brien", "Q%1": "Straße_x", "Q\\_2": "STRASSE", "É-3": "", "Ж-4": "Анна",
		} {
			client := c.NewClient(reference)
			client.DisplayName, client.RecordedAt = "before", stored(When)
			c.Insert(t, client)
			client.DisplayName, client.Revision = care.Private(name), Next(client.Revision, stored(When.Add(time.Hour)))
			c.Revise(t, client)
		}
		for search, want := range map[string][]string{
			"p-1": {"P-1", "P-10"}, "JOSE": {"P-1", "P-2"}, "josé": {"P-1", "P-2"}, "nunez": {"P-2"}, "o'b": {"P-10"}, "%": {"Q%1"}, "_": {"Q%1", "Q\\_2"},
			"\\": {"Q\\_2"}, "strasse": {"Q%1", "Q\\_2"}, "e-3": {"É-3"}, "АННА": {"Ж-4"}, "before": nil, "nobody": nil, "1": {"P-1", "P-10", "Q%1"},
		} {
			for _, sort := range []care.CaseloadSort{care.ByReference, care.ByChange} {
				var got []string
				for page := (care.Page{Limit: 1}); ; {
					cases, err := c.Caseload(t.Context(), c.Who, care.CaseloadQuery{Instrument: "gad-7", Sort: sort, Search: search}, page)
					if err != nil {
						t.Fatal(err)
					}
					if len(cases) == 0 {
						break
					}
					got = append(got, string(cases[0].Client.Reference))
					page.After = positionOf(sort, cases[0])
				}
				slices.Sort(got)
				if !slices.Equal(got, want) {
					t.Errorf("%q by %s: %q, not %q", search, sort, got, want)
				}
			}
		}
	}},
	{"the last dose is the last that has begun, as the sessions stand", func(t *testing.T, c *Clinic) {
		treated, planned, talked := c.NewClient("P-1"), c.NewClient("P-2"), c.NewClient("P-3")
		c.Insert(t, treated, planned, talked)
		dose := func(client care.Client, kind care.SessionKind, at time.Time) care.Session {
			ses := c.NewSession(client.ID, at)
			ses.Kind = kind
			c.Insert(t, ses)
			return ses
		}
		first, second := stored(When), stored(When.Add(time.Hour))
		moved := dose(treated, care.Dosing, second.Add(time.Minute))
		dose(treated, care.Dosing, first)
		dose(treated, care.Integration, second.Add(time.Second))
		dose(planned, care.Dosing, second.Add(time.Microsecond))
		dose(talked, care.Preparation, first)
		ids := []uuid.UUID{treated.ID, planned.ID, talked.ID, NewID()}
		got, err := c.LastDoses(t.Context(), c.Who, ids, second)
		same(t, map[uuid.UUID]time.Time{treated.ID: first}, got, err)
		moved.StartedAt, moved.Revision = second, Next(moved.Revision, stored(When.Add(time.Hour)))
		c.Revise(t, moved)
		got, err = c.LastDoses(t.Context(), c.Who, ids, second)
		same(t, map[uuid.UUID]time.Time{treated.ID: second}, got, err)
		got, err = c.LastDoses(t.Context(), c.Who, ids, first.Add(-time.Microsecond))
		same(t, map[uuid.UUID]time.Time{}, got, err)
	}},
	{"the sessions of a span are those that start in it, as they stand", func(t *testing.T, c *Clinic) {
		client := c.NewClient("P-1")
		c.Insert(t, client)
		from, to := stored(When), stored(When.Add(time.Hour))
		var inside []care.Session
		for _, at := range []time.Time{to, from.Add(-time.Microsecond), to.Add(-time.Microsecond), from} {
			ses := c.NewSession(client.ID, at)
			ses.RecordedAt = stored(ses.RecordedAt)
			c.Insert(t, ses)
			if !at.Before(from) && at.Before(to) {
				inside = append([]care.Session{ses}, inside...)
			}
		}
		gone := c.NewSession(client.ID, from)
		c.Insert(t, gone)
		gone.StartedAt, gone.Revision = to, Next(gone.Revision, to)
		c.Revise(t, gone)
		got, err := c.SessionsBetween(t.Context(), c.Who, from, to)
		same(t, inside, got, err)
	}},
}

// caseload stores clients in every state: not measured, measured without a
// score, with equal and with negative values, with progress on another
// instrument only, in more than one version.
func (c *Clinic) caseload(t testing.TB) []care.Case {
	t.Helper()
	third := 1.0 / 3
	states := []*care.Progress{
		nil,
		{Status: "insufficient_data", LastAt: When},
		{Status: "improved", LastAt: When, Change: new(-10.0), PercentChange: new(-50.0), LatestTotal: new(10.0)},
		{Status: "improved", LastAt: When.Add(time.Microsecond), Change: new(-10.0), PercentChange: new(-100 * third), LatestTotal: new(20.0)},
		{Status: "no_change", LastAt: When.Add(-time.Hour), Change: new(0.0), PercentChange: new(0.0), LatestTotal: new(0.0)},
		{Status: "no_change", LastAt: When, Change: new(0.1 + 0.2), PercentChange: new(third), LatestTotal: new(third)},
		{Status: "insufficient_data", LastAt: When, Change: new(0.0), LatestTotal: new(7.0)}, // baseline 0: no percentage
	}
	var out []care.Case
	var rows []care.Progress
	var ids []uuid.UUID
	for i, reference := range references[len(references)-14:] {
		client := c.NewClient(reference)
		client.RecordedAt = stored(When)
		c.Insert(t, client)
		if i%5 == 0 { // the caseload shows the current version only
			client.DisplayName, client.Revision = "second version", Next(client.Revision, stored(When.Add(time.Hour)))
			c.Revise(t, client)
		}
		x := care.Case{Client: client}
		if p := states[i%len(states)]; p != nil {
			row := *p
			row.ClientID, row.Instrument, row.Points, row.LastAt = client.ID, "gad-7", 1, stored(p.LastAt)
			rows = append(rows, row)
			x.Progress = &row
		} else {
			rows = append(rows, NewProgress(client.ID, "phq-9"))
		}
		out, ids = append(out, x), append(ids, client.ID)
	}
	c.Write(t, func(ctx context.Context, tx care.Tx) error { return tx.PutProgress(ctx, c.Who, ids, nil, rows) })
	return out
}
