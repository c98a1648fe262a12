package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

type sessionRow struct {
	Revision
	ClientID    uuid.UUID
	CourseID    *uuid.UUID
	Kind        string
	Number      *int
	StartedAt   instant
	EndedAt     *instant
	Substance   *string
	Route       *string
	DoseMg      *float64
	DoseMgPerKg *float64
}

func sessionFromRow(r sessionRow) care.Session {
	s := care.Session{
		ID: r.ID, ClientID: r.ClientID, CourseID: r.CourseID, Kind: care.SessionKind(r.Kind), Number: r.Number,
		StartedAt: r.StartedAt.Time, EndedAt: timePtr(r.EndedAt), Revision: r.toCare(),
	}
	if r.Substance != nil && r.Route != nil && r.DoseMg != nil {
		s.Medicine = &care.Medicine{
			Substance: *r.Substance, Route: care.Route(*r.Route), DoseMG: *r.DoseMg, DoseMGPerKG: r.DoseMgPerKg,
		}
	}
	return s
}

func rowFromSession(clinic uuid.UUID, s care.Session) *sessionRow {
	r := &sessionRow{
		Revision: revisionRow(clinic, s.ID, s.Revision), ClientID: s.ClientID, CourseID: s.CourseID,
		Kind: string(s.Kind), Number: s.Number, StartedAt: at(s.StartedAt), EndedAt: atPtr(s.EndedAt),
	}
	if m := s.Medicine; m != nil {
		route := string(m.Route)
		r.Substance, r.Route, r.DoseMg, r.DoseMgPerKg = &m.Substance, &route, &m.DoseMG, m.DoseMGPerKG
	}
	return r
}

// Session reads the current version of a session.
func (d *DB) Session(ctx context.Context, who auth.Principal, id uuid.UUID) (care.Session, error) {
	row, err := one[sessionRow](d.of(ctx, who, "session_versions").Where("id = ?", id).Where(current), "session")
	return sessionFromRow(row), err
}

// SessionHistory reads the current version of a session and its first.
func (d *DB) SessionHistory(ctx context.Context, who auth.Principal, id uuid.UUID) (now, original care.Session, err error) {
	n, o, err := history[sessionRow](d.of(ctx, who, "session_versions").Where("id = ?", id), "session")
	return sessionFromRow(n), sessionFromRow(o), err
}

// Sessions reads all of a client's sessions as they were known at a time.
func (d *DB) Sessions(ctx context.Context, who auth.Principal, client uuid.UUID, t *time.Time) ([]care.Session, error) {
	query, _ := d.ofPeople(ctx, who, "session_versions", client)
	rows, err := all[sessionRow](asOf(query, t).Order("started_at, id"), "sessions")
	return convert(rows, sessionFromRow), err
}

// SessionsOf reads all current sessions of several people.
func (d *DB) SessionsOf(ctx context.Context, who auth.Principal, clients []uuid.UUID) ([]care.Session, error) {
	query, same := d.ofPeople(ctx, who, "session_versions", clients...)
	rows, err := all[sessionRow](query.Where(current).Order("client_id, started_at, id"), "sessions")
	out := convert(rows, sessionFromRow)
	if same.unite(len(out), func(i int) *uuid.UUID { return &out[i].ClientID }) {
		slices.SortStableFunc(out, func(a, b care.Session) int {
			return cmp.Or(compareIDs(a.ClientID, b.ClientID), a.StartedAt.Compare(b.StartedAt), compareIDs(a.ID, b.ID))
		})
	}
	return out, err
}

// SessionsBetween reads the clinic's current sessions that start within a span.
func (d *DB) SessionsBetween(ctx context.Context, who auth.Principal, from, to time.Time) ([]care.Session, error) {
	query := d.of(ctx, who, "session_versions").Where("started_at >= ? AND started_at < ?", at(from), at(to)).Where(current)
	rows, err := all[sessionRow](query.Order("started_at, id"), "sessions")
	if err != nil {
		return nil, err
	}
	out := convert(rows, sessionFromRow)
	same, err := d.peopleOf(ctx, who, convert(out, func(s care.Session) uuid.UUID { return s.ClientID })...)
	same.unite(len(out), func(i int) *uuid.UUID { return &out[i].ClientID })
	return out, err
}

// doseRow is when a client's last dosing session began.
type doseRow struct {
	ClientID uuid.UUID
	Began    instant
}

// LastDoses reads when the last dosing session of each client began, of those
// that had begun at a time. An index holds all that is read.
func (d *DB) LastDoses(ctx context.Context, who auth.Principal, clients []uuid.UUID, t time.Time) (map[uuid.UUID]time.Time, error) {
	query, same := d.ofPeople(ctx, who, "session_versions", clients...)
	query = query.Select("client_id, MAX(started_at) AS began").
		Where("kind = 'dosing' AND started_at <= ?", at(t)).Where(current).Group("client_id")
	rows, err := all[doseRow](query, "doses")
	last := make(map[uuid.UUID]time.Time, len(rows)) // by person
	for _, r := range rows {
		if person := same.person(r.ClientID); r.Began.After(last[person]) {
			last[person] = r.Began.Time
		}
	}
	out := make(map[uuid.UUID]time.Time, len(clients))
	for _, client := range clients {
		if began, dosed := last[same.person(client)]; dosed {
			out[client] = began
		}
	}
	return out, err
}

// SessionClients says whose the sessions are.
func (d *DB) SessionClients(ctx context.Context, who auth.Principal, ids []uuid.UUID) (map[uuid.UUID]uuid.UUID, error) {
	out := make(map[uuid.UUID]uuid.UUID, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	rows, err := all[identity](d.of(ctx, who, "sessions").Select("id", "client_id").Where("id IN ?", ids), "sessions")
	for _, r := range rows {
		if r.ClientID != nil {
			out[r.ID] = *r.ClientID
		}
	}
	return out, err
}

// InsertSession stores a session's first version.
func (d *DB) InsertSession(ctx context.Context, who auth.Principal, s care.Session) (bool, error) {
	d.touch(s.ClientID)
	id := identity{ClinicID: who.Clinic, ClientID: &s.ClientID, ID: s.ID}
	return d.insertFirst(ctx, who, "session", id, rowFromSession(who.Clinic, s))
}

// ReviseSession stores a session's next version.
func (d *DB) ReviseSession(ctx context.Context, who auth.Principal, s care.Session) error {
	d.touch(s.ClientID)
	return d.revise(ctx, who, "session", s.ID, s.Revision, rowFromSession(who.Clinic, s))
}
