package care

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
)

// Record is everything that is kept about a client, in all versions, in the
// order in which it was recorded. Where records were merged it is that of the
// person.
type Record struct {
	GeneratedAt time.Time
	Client      Client // as it stands now

	Clients     []Client // every version; of merged records, theirs too
	Courses     []Course
	Sessions    []Session
	Assessments []Assessment
	Consents    []Consent
	Corrections []Correction
	Alerts      []Alert
	AlertSteps  []AlertStep
	Team        []Membership
	Tokens      []RecordedToken
	Merges      []Merge

	Disclosures []Disclosure                         // the newest first
	Instruments map[string]map[string]*Questionnaire // id, version: the wording of what was answered
}

// Questionnaire is the instrument that an assessment was answered with.
type Questionnaire = instrument.Definition

// RecordedToken is a token of the client's own front end. What it consists of
// is kept nowhere.
type RecordedToken struct {
	ID        uuid.UUID
	ClientID  uuid.UUID
	MintedBy  uuid.UUID
	CreatedAt time.Time
	ExpiresAt time.Time
	RevokedAt *time.Time
}

// RecordFormat is the form in which a record is handed out.
type RecordFormat string

// The formats.
const (
	RecordJSON RecordFormat = "json" // for programs
	RecordHTML RecordFormat = "html" // one page, for people
	RecordZIP  RecordFormat = "zip"  // both
)

// Record returns everything that is kept about a client, to be handed out in a
// format; NotFound for an unknown client, Gone for one whose record was erased.
// The number of statements does not depend on the history.
func (s *Service) Record(ctx context.Context, who auth.Principal, client uuid.UUID, format RecordFormat) (Record, error) {
	if err := s.require(ctx, who, auth.ReadRecord); err != nil {
		return Record{}, err
	}
	return read(ctx, s, who, func(r Reader) (Record, error) {
		record, err := r.RecordOf(ctx, who, client)
		if err != nil {
			return Record{}, err
		}
		if record.Disclosures, err = disclosures(ctx, who, r, client, Page{Limit: -1}); err != nil {
			return Record{}, err
		}
		e := s.did(who, "record.download", "client", client, client)
		e.Details.Note = map[string]string{"format": string(format)}
		r.Note(e)
		record.GeneratedAt = stamp(s.Now())
		if record.Client, err = standingVersion(record.Clients, client); err != nil {
			return Record{}, err
		}
		record.Sessions = placeVersions(record.Sessions)
		record.Instruments = s.questionnaires(record.Assessments)
		return record, nil
	})
}

func standingVersion(versions []Client, client uuid.UUID) (Client, error) {
	i := slices.IndexFunc(versions, func(c Client) bool { return c.ID == client && c.SupersededAt == nil })
	if i < 0 {
		return Client{}, fault.New(fault.NotFound, "There is no such client.")
	}
	return versions[i], nil
}

// placeVersions numbers every version of a session as the one that stands.
func placeVersions(versions []Session) []Session {
	places := map[uuid.UUID]int{}
	for _, ses := range Place(slices.DeleteFunc(slices.Clone(versions), func(ses Session) bool { return ses.SupersededAt != nil })) {
		places[ses.ID] = ses.Place
	}
	out := slices.Clone(versions)
	for i := range out {
		out[i].Place = places[out[i].ID]
		if out[i].Number != nil {
			out[i].Place = *out[i].Number
		}
	}
	return out
}

// questionnaires finds the wording of what was answered. A version that this
// program does not have any more is left out: the items keep their ids.
func (s *Service) questionnaires(assessments []Assessment) map[string]map[string]*Questionnaire {
	out := map[string]map[string]*Questionnaire{}
	for _, a := range assessments {
		def, err := s.Instruments.GetVersion(a.Instrument, a.InstrumentVersion)
		if err != nil {
			continue
		}
		if out[a.Instrument] == nil {
			out[a.Instrument] = map[string]*Questionnaire{}
		}
		out[a.Instrument][a.InstrumentVersion] = def
	}
	return out
}
