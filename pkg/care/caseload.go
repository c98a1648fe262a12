package care

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
)

// Case is one client in the caseload.
type Case struct {
	Client   Client
	Progress *Progress // nil: never assessed with the instrument

	LastDoseAt        *time.Time // when the last dosing session began that has begun; nil: none has
	OpenAlerts        int        // that nobody acknowledged
	DaysSinceLastDose *int       // days of the calendar in the client's zone: 0 is today
}

// NotMeasured is the caseload status of a client without progress.
const NotMeasured = "not_measured"

// CaseloadSort is what the caseload is ordered by.
type CaseloadSort string

// The orders. Clients without the value come last.
const (
	ByReference     CaseloadSort = "reference"
	ByChange        CaseloadSort = "change"
	ByPercentChange CaseloadSort = "percent_change"
	ByLatestTotal   CaseloadSort = "latest"
	ByLastAt        CaseloadSort = "last_at"
)

// CaseloadQuery asks for the caseload.
type CaseloadQuery struct {
	Instrument string
	Status     string // empty: any; else a trajectory summary or NotMeasured
	Search     string // a part of the reference or of the name, whatever its case and accents; empty: all
	Sort       CaseloadSort
	Descending bool
}

// Position is where a case stands in the order that is asked for.
func (q CaseloadQuery) Position(c Case) Position {
	at := Position{ID: c.Client.ID, Text: string(c.Client.Reference)}
	p := c.Progress
	if p == nil {
		return at
	}
	switch q.Sort {
	case ByChange:
		at.Number = p.Change
	case ByPercentChange:
		at.Number = p.PercentChange
	case ByLatestTotal:
		at.Number = p.LatestTotal
	case ByLastAt:
		at.Time = p.LastAt
	case ByReference:
	}
	return at
}

// Caseload lists the clinic's clients with their progress on an instrument.
func (s *Service) Caseload(ctx context.Context, who auth.Principal, query CaseloadQuery, page Page) ([]Case, error) {
	if err := s.require(ctx, who, auth.ReadCaseload); err != nil {
		return nil, err
	}
	if _, err := s.Instruments.Get(query.Instrument); err != nil {
		return nil, errUnknownInstrumentParameter
	}
	query.Search = strings.TrimSpace(query.Search)
	return read(ctx, s, who, func(r Reader) ([]Case, error) {
		cases, err := r.Caseload(ctx, who, query, page)
		clients := idsOf(cases, func(c Case) uuid.UUID { return c.Client.ID })
		r.Note(s.saw(who, "caseload.read", clients))
		if err != nil {
			return nil, err
		}
		now := s.Now()
		doses, err := r.LastDoses(ctx, who, clients, now)
		if err != nil {
			return nil, err
		}
		open, err := r.OpenAlertsOf(ctx, who, clients)
		for i := range cases {
			c := &cases[i]
			c.OpenAlerts = open[c.Client.ID]
			if at, dosed := doses[c.Client.ID]; dosed {
				c.LastDoseAt, c.DaysSinceLastDose = &at, new(daysBetween(at, now, c.Client.Zone()))
			}
		}
		return cases, err
	})
}

// daysBetween counts days of the calendar from one time to another: an evening
// and the morning after it are a day apart.
func daysBetween(from, to time.Time, zone *time.Location) int {
	const day = 24 * time.Hour
	noon := func(t time.Time) time.Time {
		y, m, d := t.In(zone).Date()
		return time.Date(y, m, d, 12, 0, 0, 0, time.UTC) // a zone's own days may be 23 hours long
	}
	return int(noon(to).Sub(noon(from)) / day)
}
