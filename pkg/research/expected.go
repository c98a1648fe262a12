package research

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/fault"
)

// Tracked is how a client does beside others like them.
type Tracked struct {
	Client uuid.UUID
	cohort.Track
}

// Tracking says of whom it is told how they do beside others. It shows single
// clients' records, and so is for who may read the caseload, and leaves an entry
// that names them.
type Tracking struct {
	Worse  bool       // everybody who does worse than most
	Client *uuid.UUID // this client, however they do
}

// Expected tells which change the clinic's own clients have had by the same
// session, from a like baseline, and how some of them do beside the others.
func (s *Service) Expected(ctx context.Context, who auth.Principal, q FigureQuery, c cohort.ExpectedQuery, t Tracking) (cohort.Expected, []Tracked, Frame, error) {
	q.Name, q.Instruments = "expected", []string{c.Instrument}
	q.Choice = Choice{What: c}
	if c.Least != 0 {
		q.Choice.Other = "least"
	}
	if t.Worse || t.Client != nil {
		if err := s.require(ctx, who, auth.ReadCaseload); err != nil {
			return cohort.Expected{}, nil, Frame{}, err
		}
	}
	var told []Tracked
	expected, frame, err := figure(ctx, s, who, q, func(f *Frame, cases cohort.Cases) (cohort.Expected, error) {
		c.Direction = s.direction(c.Instrument)
		var client *one
		if t.Client != nil {
			var err error
			if client, err = f.one(*t.Client); err != nil {
				return cohort.Expected{}, err
			}
			cases = client.among(cases)
		}
		bands, err := c.Compute(cases)
		if err != nil {
			return cohort.Expected{}, err
		}
		switch {
		case client != nil:
			told = []Tracked{{Client: client.id, Track: client.track(bands)}}
			e := s.entry(who.Did("off_track.read", "client", client.id))
			e.Client = client.id
			f.notes = append(f.notes, e)
		case t.Worse:
			told = worse(bands)
			f.notes = append(f.notes, s.entry(who.Did("off_track.list", "client", uuid.Nil).WithClients(clientsOf(told))))
		}
		return bands, nil
	})
	if err != nil {
		return cohort.Expected{}, nil, frame, err
	}
	return expected, told, frame, nil
}

// one is a client whom a figure looks at beside all others.
type one struct {
	id    uuid.UUID
	found *cohort.Case // nil: not among those whom the figure is about
}

// one finds the person to whom a record belongs.
func (f *Frame) one(client uuid.UUID) (*one, error) {
	for _, p := range f.about {
		if slices.Contains(p.Records, client) {
			return &one{id: p.ID}, nil
		}
	}
	return nil, errUnknownClient
}

var errUnknownClient = fault.New(fault.Invalid, "The figure is not about this client.",

	fault.Detail{Pointer: "/client_id", In: "query", Code: "unknown_client", Message: "Name a client whom you may see, of the population of the figure."})

// among passes the people on, and keeps the one.
func (o *one) among(cases cohort.Cases) cohort.Cases {
	return func(yield func(cohort.Case, error) bool) {
		for c, err := range cases {
			if err == nil && c.Person == o.id {
				o.found = &c
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

func (o *one) track(bands cohort.Expected) cohort.Track {
	if o.found == nil {
		return cohort.Track{Status: cohort.TrackNotJudged, Words: "The client is not in the cohort."}
	}
	return cohort.OffTrack(bands, *o.found)
}

// worse lists who does worse than most.
func worse(bands cohort.Expected) []Tracked {
	out := []Tracked{}
	for person, t := range bands.Tracks() {
		if t.Status == cohort.TrackOff || t.Status == cohort.TrackWatch {
			out = append(out, Tracked{Client: person, Track: t})
		}
	}
	return out
}

func clientsOf(told []Tracked) []uuid.UUID {
	ids := make([]uuid.UUID, len(told))
	for i, t := range told {
		ids[i] = t.Client
	}
	return ids
}
