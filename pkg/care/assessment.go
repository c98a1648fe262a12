package care

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
)

// Timing is when an assessment was taken, seen from the treatment.
type Timing string

// The timings. Before and After need the session they belong to.
const (
	AtBaseline Timing = "baseline"
	BeforeIt   Timing = "before"
	AfterIt    Timing = "after"
	AtFollowUp Timing = "follow_up"
)

// Timings lists every timing.
func Timings() []Timing { return []Timing{AtBaseline, BeforeIt, AfterIt, AtFollowUp} }

// Mode is who filled the form in.
type Mode string

// The modes.
const (
	BySelf      Mode = "self"
	ByClinician Mode = "clinician"
	ByImport    Mode = "import"
)

// Assessment is one instrument answered once, in one of its versions.
type Assessment struct {
	ID                uuid.UUID
	ClientID          uuid.UUID
	Instrument        string
	InstrumentVersion string // set when scored
	Timing            Timing
	SessionID         *uuid.UUID
	CompletedAt       time.Time
	Answers           instrument.Answers       // nil where only a total is known
	Declined          []string                 // items asked and declined, sorted
	Total             *float64                 // a total from elsewhere, instead of answers
	MissingPolicy     instrument.MissingPolicy // empty: complete
	RecallWindow      string                   // empty: the instrument's own
	Mode              Mode                     // empty: self

	Score     instrument.Score // set by the service, kept with the version
	Retracted bool
	Reason    Private // why it was amended or retracted
	Revision
}

// repeats reports whether a says what the stored one says. What a leaves to
// its default was settled when the stored one was: a default that has changed
// since makes a retry no other content.
func (a Assessment) repeats(stored Assessment) bool {
	return a.sameForm(stored) && a.ID == stored.ID && a.ClientID == stored.ClientID &&
		a.Instrument == stored.Instrument && a.Timing == stored.Timing && equal(a.SessionID, stored.SessionID) &&
		stamp(a.CompletedAt).Equal(stored.CompletedAt) &&
		(a.RecallWindow == "" || a.RecallWindow == stored.RecallWindow) && (a.Mode == "" || a.Mode == stored.Mode)
}

// sameForm reports whether a scores as the stored one: the same answers, or
// the same total, read by the same policy. A null answer is none.
func (a Assessment) sameForm(stored Assessment) bool {
	return sameAnswers(a.Answers, stored.Answers) && equal(a.Total, stored.Total) &&
		slices.Equal(slices.Sorted(slices.Values(a.Declined)), slices.Sorted(slices.Values(stored.Declined))) &&
		(a.MissingPolicy == "" || a.MissingPolicy == stored.MissingPolicy)
}

// fields are what the audit trail may tell of a change: that answers changed,
// never to what.
func (a Assessment) fields() []audit.Field {
	session := ""
	if a.SessionID != nil {
		session = a.SessionID.String()
	}
	total := ""
	if a.Total != nil {
		total = fmt.Sprint(*a.Total)
	}
	answers := ""
	if a.Answers != nil {
		text, _ := json.Marshal(map[string]*int(a.Answers)) // numbers always encode, in the order of their names
		answers = string(text)
	}
	return []audit.Field{
		{Name: "instrument", Value: a.Instrument},
		{Name: "timing", Value: string(a.Timing)},
		{Name: "session_id", Value: session},
		{Name: "completed_at", Value: a.CompletedAt.Format(time.RFC3339Nano)},
		{Name: "answers", Value: answers, Private: true},
		{Name: "declined", Value: strings.Join(a.Declined, " "), Private: true},
		{Name: "total", Value: total, Private: true},
		{Name: "missing_policy", Value: string(a.MissingPolicy)},
		{Name: "recall_window", Value: a.RecallWindow},
		{Name: "mode", Value: string(a.Mode)},
		{Name: "retracted", Value: strconv.FormatBool(a.Retracted)},
		{Name: "reason", Value: string(a.Reason), Private: true},
	}
}

func sameAnswers(a, b instrument.Answers) bool {
	for _, pair := range [][2]instrument.Answers{{a, b}, {b, a}} {
		for id, v := range pair[0] {
			if v != nil && !equal(v, pair[1][id]) {
				return false
			}
		}
	}
	return true
}

func equal[T comparable](a, b *T) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// History is an assessment as it is now and as it was first stored.
type History struct{ Current, Original Assessment }

// clockSkew is how far a device's clock may be ahead of the server's.
const clockSkew = 24 * time.Hour

// prepare normalises an assessment, checks it against its instrument and
// fills in the rule-independent defaults. It lists every fault, stores
// nothing and asks no database.
func (s *Service) prepare(a Assessment) (Assessment, *instrument.Definition, []fault.Detail) {
	var f faults
	a.CompletedAt = stamp(a.CompletedAt)
	if a.CompletedAt.Before(earliest) || a.CompletedAt.After(s.Now().Add(clockSkew)) {
		f.add("/completed_at", "implausible_time", "The time of completion lies in the future or before 1990.")
	}
	switch needs := a.Timing == BeforeIt || a.Timing == AfterIt; {
	case needs && a.SessionID == nil:
		f.add("/session_id", "required", "An assessment before or after a session names the session.")
	case !slices.Contains(Timings(), a.Timing):
		f.add("/timing", "unknown_timing", "The timing is baseline, before, after or follow_up.")
	}
	if a.Mode == "" {
		a.Mode = BySelf
	}
	if a.MissingPolicy == "" {
		a.MissingPolicy = instrument.Complete
	}
	if !slices.Contains([]Mode{BySelf, ByClinician, ByImport}, a.Mode) {
		f.add("/mode", "unknown_mode", "The mode is self, clinician or import.")
	}
	def, err := s.Instruments.Get(a.Instrument)
	if err != nil {
		f.add("/instrument", "unknown_instrument", "This clinic has no such instrument.")
		return a, nil, f
	}
	if a.Total == nil || a.Answers != nil {
		a.Answers = answered(a.Answers, def)
	}
	if a.RecallWindow == "" {
		a.RecallWindow = def.RecallWindow()
	}
	if !def.AllowsRecall(a.RecallWindow) {
		f.add("/recall_window", "unknown_window", "The instrument is not used with this recall window.")
	}
	return a, def, f
}

// answered drops the items without an answer: null and absent are the same. An
// item that the instrument does not have stays, for scoring to refuse.
func answered(in instrument.Answers, def *instrument.Definition) instrument.Answers {
	out := make(instrument.Answers, len(in))
	for id, v := range in {
		if v != nil || !slices.ContainsFunc(def.Items, func(item instrument.Item) bool { return item.ID == id }) {
			out[id] = v
		}
	}
	return out
}

// score scores a prepared assessment for a respondent of the given sex.
func (s *Service) score(a *Assessment, def *instrument.Definition, sex instrument.Sex, set Settings) []fault.Detail {
	score, err := def.Score(instrument.Input{
		Answers: a.Answers, Declined: a.Declined, Total: a.Total,
		Policy: a.MissingPolicy, Sex: sex, Cutpoints: set.cutpoints(def),
	})
	if err != nil {
		return detailsOf(err)
	}
	a.Score, a.InstrumentVersion = score, score.InstrumentVersion
	a.Declined = slices.Sorted(slices.Values(a.Declined))
	return nil
}

// CheckAssessment lists what is wrong with an assessment that can be known
// without the record, so that a caller can report it with faults of shape.
func (s *Service) CheckAssessment(a Assessment) []fault.Detail {
	a, def, details := s.prepare(a)
	if def == nil {
		return details
	}
	return append(details, s.score(&a, def, instrument.Unknown, nil)...)
}

// Assessment returns the current version of an assessment of the clinic.
func (s *Service) Assessment(ctx context.Context, who auth.Principal, id uuid.UUID) (Assessment, error) {
	if err := s.require(ctx, who, auth.ReadAssessments); err != nil {
		return Assessment{}, err
	}
	return read(ctx, s, who, func(r Reader) (Assessment, error) {
		a, err := r.Assessment(ctx, who, id)
		r.Note(s.did(who, "assessment.read", "assessment", id, a.ClientID))
		return a, err
	})
}

// AssessmentFilter narrows a list of assessments. Empty fields do not.
type AssessmentFilter struct {
	Instrument string
	SessionID  *uuid.UUID
	Timing     Timing
	Retracted  bool // list the retracted ones too
}

// Assessments lists a client's assessments by time of completion; NotFound
// for an unknown client.
func (s *Service) Assessments(ctx context.Context, who auth.Principal, client uuid.UUID, filter AssessmentFilter, page Page) ([]Assessment, error) {
	if err := s.require(ctx, who, auth.ReadAssessments); err != nil {
		return nil, err
	}
	return read(ctx, s, who, func(r Reader) ([]Assessment, error) {
		if _, err := r.Client(ctx, who, client); err != nil {
			return nil, err
		}
		r.Note(s.did(who, "assessment.list", "client", client, client))
		return r.Assessments(ctx, who, client, filter, page)
	})
}

// AssessmentVersions lists every version of an assessment, the first one
// first, behind the version page.After.Number.
func (s *Service) AssessmentVersions(ctx context.Context, who auth.Principal, id uuid.UUID, page Page) ([]Assessment, error) {
	if err := s.require(ctx, who, auth.ReadAssessments); err != nil {
		return nil, err
	}
	return read(ctx, s, who, func(r Reader) ([]Assessment, error) {
		versions, err := r.AssessmentVersions(ctx, who, id, page)
		if err == nil && len(versions) > 0 {
			r.Note(s.did(who, "assessment.history", "assessment", id, versions[0].ClientID))
		}
		return versions, err
	})
}

// MayAmend is MayRecord for amendments.
func (s *Service) MayAmend(ctx context.Context, who auth.Principal) error {
	return s.require(ctx, who, auth.AmendAssessments)
}

// Amend replaces the content of an assessment whose current version is
// expected, and keeps the old one. The client and the instrument stay.
// It answers Stale for another version and Conflict for a retracted one.
func (s *Service) Amend(ctx context.Context, who auth.Principal, a Assessment, expected int) (Assessment, error) {
	if err := s.require(ctx, who, auth.AmendAssessments); err != nil {
		return Assessment{}, err
	}
	a, def, details := s.prepare(a)
	details = append(details, checkReason(a.Reason)...)
	return s.revise(ctx, who, a.ID, func(tx Tx, current Assessment) (Assessment, error) {
		if err := checkVersion(current.Revision, expected); err != nil {
			return Assessment{}, err
		}
		if current.Retracted {
			return Assessment{}, fault.New(fault.Conflict, "The assessment was retracted; it cannot be amended.")
		}
		if a.Instrument != current.Instrument {
			return Assessment{}, fault.InvalidIf(append(details, immutableInstrument))
		}
		if def == nil {
			return Assessment{}, fault.InvalidIf(details)
		}
		a.ClientID = current.ClientID
		sex, set, err := s.scoringContext(ctx, who, tx, a)
		if err != nil {
			return Assessment{}, err
		}
		if a.sameForm(current) {
			// The answers stand, and so does what they scored, by the rule of their day.
			a.Score, a.InstrumentVersion, a.Declined = current.Score, current.InstrumentVersion, current.Declined
			return a, fault.InvalidIf(details)
		}
		return a, fault.InvalidIf(append(slices.Clip(details), s.score(&a, def, sex, set)...))
	})
}

// Retract marks an assessment as not to be counted, with a reason, and keeps
// what it said. Retracting again changes nothing. Where expected is given it
// must be the current version.
func (s *Service) Retract(ctx context.Context, who auth.Principal, id uuid.UUID, reason Private, expected *int) (Assessment, error) {
	if err := s.require(ctx, who, auth.AmendAssessments); err != nil {
		return Assessment{}, err
	}
	if err := fault.InvalidIf(checkReason(reason)); err != nil {
		return Assessment{}, err
	}
	return s.revise(ctx, who, id, func(_ Tx, current Assessment) (Assessment, error) {
		if current.Retracted {
			return current, nil
		}
		if expected != nil {
			if err := checkVersion(current.Revision, *expected); err != nil {
				return Assessment{}, err
			}
		}
		current.Retracted, current.Reason = true, reason
		return current, nil
	})
}

func checkReason(reason Private) []fault.Detail {
	if strings.TrimSpace(string(reason)) != "" {
		return nil
	}
	return []fault.Detail{{Pointer: "/reason", Code: "required", Message: "A reason is needed and is kept."}}
}

// revise stores the version that change makes of the current one, and moves
// the client's progress, in one transaction. A change that changes nothing
// stores nothing.
func (s *Service) revise(ctx context.Context, who auth.Principal, id uuid.UUID,
	change func(Tx, Assessment) (Assessment, error),
) (Assessment, error) {
	found, err := read(ctx, s, who, func(r Reader) (Assessment, error) { return r.Assessment(ctx, who, id) })
	if err != nil {
		return Assessment{}, err
	}
	var out Assessment
	err = s.Store.Write(ctx, who, func(tx Tx) error {
		if err := tx.LockClients(ctx, who, []uuid.UUID{found.ClientID}); err != nil {
			return err
		}
		current, err := tx.Assessment(ctx, who, id)
		if err != nil {
			return err
		}
		if out, err = change(tx, current); err != nil {
			return err
		}
		// Who retracts is shown what, also where it is retracted already.
		seen := func() { tx.Note(s.did(who, "assessment.read", "assessment", id, out.ClientID)) }
		if out.Retracted && current.Retracted {
			seen()
			return nil
		}
		out.Revision = s.next(who, current.Revision)
		changes := audit.Diff(current.fields(), out.fields())
		if out.Retracted {
			tx.Note(s.did(who, "assessment.retract", "assessment", id, out.ClientID, changes...))
			seen()
		} else {
			tx.Note(s.did(who, "assessment.amend", "assessment", id, out.ClientID, changes...))
		}
		if err := tx.ReviseAssessment(ctx, who, out); err != nil {
			return err
		}
		tx.Emit(s.revised(out))
		set, err := tx.Settings(ctx, who)
		if err != nil {
			return err
		}
		m, err := s.moveProgressBy(ctx, who, tx, set, []uuid.UUID{out.ClientID}, []string{out.Instrument})
		if err != nil {
			return err
		}
		return s.reconsider(ctx, who, tx, set, out, m)
	})
	if err != nil {
		return Assessment{}, err
	}
	return out, nil
}

// revised is the event of a version of an assessment that is not its first.
func (s *Service) revised(a Assessment) Event {
	kind := AssessmentAmended
	if a.Retracted {
		kind = AssessmentRetracted
	}
	return s.happened(kind, a.ClientID, map[string]string{
		"assessment_id": a.ID.String(), "instrument": a.Instrument, "version": strconv.Itoa(a.Version),
	})
}

// scoringContext reads what scoring needs to know of the record, and makes
// sure that the session is the client's.
func (s *Service) scoringContext(ctx context.Context, who auth.Principal, tx Tx, a Assessment) (instrument.Sex, Settings, error) {
	client, err := tx.Client(ctx, who, a.ClientID)
	if err != nil {
		return "", nil, err
	}
	set, err := tx.Settings(ctx, who)
	if err != nil {
		return "", nil, err
	}
	if a.SessionID != nil {
		ses, err := tx.Session(ctx, who, *a.SessionID)
		if fault.Is(err, fault.NotFound) || err == nil && ses.ClientID != a.ClientID {
			return "", nil, fault.InvalidIf([]fault.Detail{unknownSession})
		}
		if err != nil {
			return "", nil, err
		}
	}
	return client.Sex, set, nil
}

var immutableInstrument = fault.Detail{Pointer: "/instrument", Code: "immutable", Message: "An amendment keeps the instrument; retract this one and record another."}

var unknownSession = fault.Detail{Pointer: "/session_id", Code: "unknown_session", Message: "This client has no such session."}
