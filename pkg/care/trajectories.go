package care

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/trajectory"
)

// TrajectoryQuery asks for the course of one client's symptoms.
type TrajectoryQuery struct {
	Instrument   string     // empty: every instrument that the client has
	CourseID     *uuid.UUID // only what belongs to this course
	AsOf         *time.Time // what was known then; nil is now
	RecallWindow string     // only assessments with this window; empty: all
	ChangeRules  string     // a change rule set; empty: the clinic's choice
	Options      trajectory.Options
}

// Trajectory is one client's trajectory on one instrument.
type Trajectory struct {
	ClientID      uuid.UUID
	Title         string     // of the instrument
	AsOf          *time.Time // as asked
	RecallWindows []string   // those that are compared here
	Details       map[uuid.UUID]PointDetail
	TimeZone      string // of the client; may be empty
	// Meetings are the sessions of the trajectory with what was given in them,
	// for who may read sessions; nil for others.
	Meetings []Session
	trajectory.Trajectory
}

// PointDetail is what a point carries besides its total.
type PointDetail struct {
	InstrumentVersion string // totals of different versions may not compare
	RecallWindow      string
	Prorated          bool
	Flags             []instrument.Flag
}

// Trajectories returns one trajectory for each instrument asked for that the
// client has points of; where one instrument is named, exactly one, with no
// points if the client has none. NotFound for an unknown client; Invalid for
// an unknown instrument, course or rule set. The number of statements does
// not depend on the history.
func (s *Service) Trajectories(ctx context.Context, who auth.Principal, client uuid.UUID, q TrajectoryQuery) ([]Trajectory, error) {
	if err := s.require(ctx, who, auth.ReadTrajectories); err != nil {
		return nil, err
	}
	return read(ctx, s, who, func(r Reader) ([]Trajectory, error) {
		of, err := r.Client(ctx, who, client)
		if err != nil {
			return nil, err
		}
		r.Note(s.did(who, "trajectory.read", "client", client, client))
		out, err := s.trajectories(ctx, who, r, client, q)
		for i := range out {
			out[i].TimeZone = of.TimeZone
		}
		return out, err
	})
}

func (s *Service) trajectories(ctx context.Context, who auth.Principal, r Reader, client uuid.UUID, q TrajectoryQuery) ([]Trajectory, error) {
	instruments, err := s.asked(q)
	if err != nil {
		return nil, err
	}
	points, sessions, err := s.history(ctx, who, r, client, q, instruments)
	if err != nil {
		return nil, err
	}
	set, err := r.Settings(ctx, who)
	if err != nil {
		return nil, err
	}
	by := map[string][]Point{}
	for _, p := range points {
		if q.RecallWindow == "" || p.RecallWindow == q.RecallWindow {
			by[p.Instrument] = append(by[p.Instrument], p)
		}
	}
	if q.Instrument == "" {
		for id := range by {
			instruments = append(instruments, id)
		}
		slices.Sort(instruments)
	}
	out := make([]Trajectory, 0, len(instruments))
	for _, id := range instruments {
		name := q.ChangeRules
		if name == "" {
			name = set[id].ChangeRules
		}
		series, rules := s.series(id, by[id], sessions, name)
		t := s.trajectory(client, q, by[id], trajectory.Compute(series, rules, q.Options))
		if who.May(auth.ReadCare) {
			t.Meetings = Place(sessions)
		}
		out = append(out, t)
	}
	return out, nil
}

// asked checks the names in a query.
func (s *Service) asked(q TrajectoryQuery) ([]string, error) {
	if _, err := trajectory.ParseWindow(q.RecallWindow); err != nil && q.RecallWindow != "" {
		return nil, fault.InvalidIf([]fault.Detail{{
			Pointer: "/recall_window", In: "query", Code: "unknown_window", Message: "The recall window is a span such as P14D or P1M, or since_last_session.",
		}})
	}
	if q.Instrument == "" {
		return nil, nil
	}
	def, err := s.Instruments.Get(q.Instrument)
	if err != nil {
		return nil, errUnknownInstrumentParameter
	}
	if q.ChangeRules != "" {
		if _, found := def.Change(q.ChangeRules); !found {
			return nil, fault.InvalidIf([]fault.Detail{{
				Pointer: "/rules", In: "query", Code: "unknown_rules", Message: "The instrument has no such change rule set.",
			}})
		}
	}
	return []string{q.Instrument}, nil
}

var errUnknownInstrumentParameter = fault.New(fault.Invalid, "There is no such instrument.",
	fault.Detail{Pointer: "/instrument", In: "query", Code: "unknown_instrument", Message: "GET /v1/instruments lists the instruments."})

var errUnknownCourseParameter = fault.New(fault.Invalid, "The course is not one of this client's.",
	fault.Detail{Pointer: "/course_id", In: "query", Code: "unknown_course", Message: "This client has no such course."})

// history reads the points and the sessions that a query is about.
func (s *Service) history(ctx context.Context, who auth.Principal, r Reader, client uuid.UUID, q TrajectoryQuery, instruments []string) ([]Point, []Session, error) {
	asOf := stampPtr(q.AsOf)
	points, err := r.Points(ctx, who, []uuid.UUID{client}, instruments, asOf)
	if err != nil {
		return nil, nil, err
	}
	sessions, err := r.Sessions(ctx, who, client, asOf)
	if err != nil {
		return nil, nil, err
	}
	// A session that is only planned has changed nothing yet, and is no first dose.
	now := s.Now()
	if asOf != nil {
		now = *asOf
	}
	sessions = slices.DeleteFunc(sessions, func(ses Session) bool { return ses.StartedAt.After(now) })
	if q.CourseID == nil {
		return points, sessions, nil
	}
	courses, err := r.CoursesAt(ctx, who, client, asOf)
	if err != nil {
		return nil, nil, err
	}
	if !slices.ContainsFunc(courses, func(c Course) bool { return c.ID == *q.CourseID }) {
		return nil, nil, errUnknownCourseParameter
	}
	points, sessions = within(*q.CourseID, courses, points, sessions)
	return points, sessions, nil
}

// within keeps what belongs to a course. A session that names no course
// belongs to the course at its time; an assessment belongs to its session's
// course, and without a session to the course at its own time.
func within(course uuid.UUID, courses []Course, points []Point, sessions []Session) ([]Point, []Session) {
	inCourse := map[uuid.UUID]bool{}
	var keptSessions []Session
	for _, ses := range Place(sessions) {
		of, found := courseAt(courses, ses.StartedAt, false)
		if ses.CourseID != nil {
			of, found = *ses.CourseID, true
		}
		if found && of == course {
			inCourse[ses.ID] = true
			keptSessions = append(keptSessions, ses)
		}
	}
	var kept []Point
	for _, p := range points {
		if p.SessionID != nil {
			if inCourse[*p.SessionID] {
				kept = append(kept, p)
			}
			continue
		}
		if id, found := courseAt(courses, p.CompletedAt, p.Timing == AtBaseline); found && id == course {
			kept = append(kept, p)
		}
	}
	return kept, keptSessions
}

// series is SeriesOf by the instruments of the service.
func (s *Service) series(id string, points []Point, sessions []Session, ruleSet string) (trajectory.Series, trajectory.Rules) {
	def, err := s.Instruments.Get(id)
	if err != nil {
		def = nil
	}
	series, rules := SeriesOf(def, points, sessions, ruleSet)
	series.Instrument = id
	return series, rules
}

// SeriesOf turns one client's record on one instrument into what the pure
// package computes from, with the change rules of a set, or the instrument's
// default (see instrument.Definition.ChangeOrDefault); the result names the set
// that was used. Without a definition there are no rules.
func SeriesOf(def *instrument.Definition, points []Point, sessions []Session, ruleSet string) (trajectory.Series, trajectory.Rules) {
	var out trajectory.Series
	var rules trajectory.Rules
	if def != nil {
		out.Instrument, out.Direction = def.ID, trajectory.Direction(def.Direction)
		if set, found := def.ChangeOrDefault(ruleSet); found {
			rules = RulesOf(set)
		}
	}
	for _, p := range points {
		// A stored window was checked when it was stored; one that cannot be
		// read any more has an unknown overlap, not a wrong one.
		window, _ := trajectory.ParseWindow(p.RecallWindow)
		out.Assessments = append(out.Assessments, trajectory.Assessment{
			ID: p.ID, SessionID: p.SessionID, Timing: trajectory.Timing(p.Timing),
			At: p.CompletedAt, Total: p.Total, Severity: p.Severity, Window: window,
		})
	}
	for _, ses := range Place(sessions) {
		out.Sessions = append(out.Sessions, trajectory.Session{
			ID: ses.ID, CourseID: ses.CourseID, Number: ses.Place, Kind: string(ses.Kind), StartedAt: ses.StartedAt,
		})
	}
	return out, rules
}

// RulesOf are the rules of a set as trajectories and figures use them.
func RulesOf(set instrument.ChangeRules) trajectory.Rules {
	out := trajectory.Rules{
		Set: set.ID, Version: set.Version, Source: set.Source,
		ReliableChange: set.ReliableChange, MinimalImportantDifference: set.MinimalImportantDifference,
		Caseness: set.Caseness, RecoveredAtMost: set.RecoveredAtMost, RemissionBelow: set.RemissionBelow,
		ResponsePercent: set.ResponsePercent, PartialPercent: set.PartialPercent,
	}
	if jt := set.JacobsonTruax; jt != nil {
		out.SD, out.Reliability, out.ReliabilityKind = &jt.SD, &jt.Reliability, jt.ReliabilityKind
	}
	return out
}

func (s *Service) trajectory(client uuid.UUID, q TrajectoryQuery, points []Point, tr trajectory.Trajectory) Trajectory {
	out := Trajectory{ClientID: client, AsOf: q.AsOf, Trajectory: tr, Details: make(map[uuid.UUID]PointDetail, len(points))}
	if def, err := s.Instruments.Get(tr.Instrument); err == nil {
		out.Title = def.Title
	}
	for _, p := range points {
		out.Details[p.ID] = PointDetail{
			InstrumentVersion: p.InstrumentVersion, RecallWindow: p.RecallWindow, Prorated: p.Prorated, Flags: p.Flags,
		}
		if !slices.Contains(out.RecallWindows, p.RecallWindow) {
			out.RecallWindows = append(out.RecallWindows, p.RecallWindow)
		}
	}
	slices.Sort(out.RecallWindows)
	return out
}
