package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/research"
)

// Study runs fn on one snapshot of the clinic's record, for as long as fn
// takes: an export is written from within. It leaves no entry.
func (d *DB) Study(ctx context.Context, who auth.Principal, fn func(research.Reader) error) error {
	if who.Clinic == uuid.Nil {
		return errNoClinic
	}
	return d.inClinic(ctx, who.Clinic, func(tx *DB) error { return fn(tx) })
}

// Conduct is Write for research.
func (d *DB) Conduct(ctx context.Context, who auth.Principal, fn func(research.Tx) error) error {
	return d.transaction(ctx, who.Clinic, func(tx *DB) error { return fn(tx) })
}

// InstrumentsInUse lists the instruments that any of these clients has answered.
func (d *DB) InstrumentsInUse(ctx context.Context, who auth.Principal, clients map[uuid.UUID]bool) ([]string, error) {
	return answered(d.of(ctx, who, "progress"), clients)
}

// answered are the instruments of rows of these clients.
func answered(query *gorm.DB, clients map[uuid.UUID]bool) ([]string, error) {
	found := map[string]bool{}
	err := scanRows(query.Distinct("instrument", "client_id"), "instruments", func(rows *sql.Rows) error {
		var instrument sql.RawBytes
		var client uuid.UUID
		if err := rows.Scan(&instrument, &client); err != nil {
			return err
		}
		if clients[client] {
			found[string(instrument)] = true
		}
		return nil
	})
	return slices.Sorted(maps.Keys(found)), err
}

// ExportedAt looks for one of these acts at a time.
func (d *DB) ExportedAt(ctx context.Context, who auth.Principal, t time.Time, actions []string) (bool, error) {
	var n int64
	query := d.of(ctx, who, "audit_entries").Where("at = ? AND action IN ? AND outcome = ?", at(t), actions, string(audit.Done))
	if err := query.Limit(1).Count(&n).Error; err != nil {
		return false, fmt.Errorf("read audit entries: %w", err)
	}
	return n > 0, nil
}

// HandedOut finds clients in the entries of exports. The trail outlives them.
func (d *DB) HandedOut(ctx context.Context, who auth.Principal, clients []uuid.UUID) (map[uuid.UUID]bool, error) {
	out := map[uuid.UUID]bool{}
	for some := range slices.Chunk(clients, chunk) {
		var found []uuid.UUID
		query := d.of(ctx, who, "audit_subjects").Where("client_id IN ?", some).
			Where("entry_id IN (SELECT e.id FROM audit_entries e WHERE e.clinic_id = ? AND e.action LIKE '%.export')", who.Clinic)
		if err := query.Distinct("client_id").Pluck("client_id", &found).Error; err != nil {
			return nil, fmt.Errorf("read exports: %w", err)
		}
		for _, id := range found {
			out[id] = true
		}
	}
	return out, nil
}

// People reads everybody whom the clinic knew at a time, and what they have said.
func (d *DB) People(ctx context.Context, who auth.Principal, t *time.Time) ([]research.Person, error) {
	known, out, err := d.known(ctx, who, t)
	if err != nil {
		return nil, err
	}
	return out, d.speak(ctx, who, known, out)
}

// Known reads everybody whom the clinic knew at a time.
func (d *DB) Known(ctx context.Context, who auth.Principal, t *time.Time) ([]research.Person, error) {
	_, out, err := d.known(ctx, who, t)
	return out, err
}

// known reads every record of the clinic, and the people of those that there
// were at a time.
func (d *DB) known(ctx context.Context, who auth.Principal, t *time.Time) (known []standingRow, people []research.Person, err error) {
	err = scanRows(d.of(ctx, who, "clients").Select("id, merged_into, erased_at").Order("id"), "clients", func(rows *sql.Rows) error {
		var id uuid.UUID
		var into uuid.NullUUID
		var erased *instant
		if err := rows.Scan(&id, &into, &erased); err != nil {
			return err
		}
		r := standingRow{ID: id, ErasedAt: erased}
		if into.Valid {
			r.MergedInto = &into.UUID
		}
		known = append(known, r)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	heads, err := d.headsAt(ctx, who, known, t)
	if err != nil {
		return nil, nil, err
	}
	later, err := d.cameAfter(ctx, who, t)
	if err != nil {
		return nil, nil, err
	}
	people = make([]research.Person, 0, len(known))
	place := make(map[uuid.UUID]int, len(known))
	for _, r := range known {
		if heads[r.ID] == uuid.Nil && !later[r.ID] {
			place[r.ID] = len(people)
			people = append(people, research.Person{ID: r.ID, Records: []uuid.UUID{r.ID}, Erased: r.ErasedAt != nil, Gone: timePtr(r.ErasedAt)})
		}
	}
	for _, r := range known {
		if head := heads[r.ID]; head != uuid.Nil {
			p := &people[place[head]]
			p.Records = append(p.Records, r.ID)
		}
	}
	return known, people, nil
}

// speak adds what was said of research for people: by whoever a record belongs
// to today, also where that was somebody else at the time they are of.
func (d *DB) speak(ctx context.Context, who auth.Principal, known []standingRow, people []research.Person) error {
	today := make(map[uuid.UUID]uuid.UUID, len(known))
	for _, r := range known {
		if today[r.ID] = r.ID; r.MergedInto != nil {
			today[r.ID] = *r.MergedInto
		}
	}
	said := make(map[uuid.UUID]care.Consents, len(known))
	err := d.said(ctx, who, func(client uuid.UUID, c care.Consent) { said[today[client]] = append(said[today[client]], c) })
	if err != nil {
		return err
	}
	for i := range people {
		var spoken []uuid.UUID
		for _, record := range people[i].Records {
			if head := today[record]; !slices.Contains(spoken, head) {
				spoken = append(spoken, head)
				people[i].Said = append(people[i].Said, said[head])
			}
		}
	}
	return nil
}

// said reads what everybody has said of research. There is much of it, so it is
// scanned without the help of reflection, and only what decides who agrees.
func (d *DB) said(ctx context.Context, who auth.Principal, each func(client uuid.UUID, c care.Consent)) (err error) {
	query := d.of(ctx, who, "consents").Where("scope = ?", string(care.ForResearch))
	return scanRows(query.Select("client_id, id, status, at, recorded_at"), "consents", func(rows *sql.Rows) error {
		var client, id uuid.UUID
		var status sql.RawBytes
		var said, recorded instant
		if err := rows.Scan(&client, &id, &status, &said, &recorded); err != nil {
			return err
		}
		c := care.Consent{ID: id, ClientID: client, Scope: care.ForResearch, Status: care.Withdrawn, At: said.Time, RecordedAt: recorded.Time}
		if string(status) == string(care.Granted) {
			c.Status = care.Granted
		}
		each(client, c)
		return nil
	})
}

// scanRows hands each row of a query to scan. GORM reads no rows here, and so
// does not say either what an error on the way means.
func scanRows(query *gorm.DB, what string, scan func(*sql.Rows) error) (err error) {
	defer func() {
		if err == nil {
			return
		}
		if says, ok := query.Dialector.(gorm.ErrorTranslator); ok {
			err = says.Translate(err)
		}
		err = fmt.Errorf("read %s: %w", what, err)
	}()
	rows, err := query.Rows()
	if err != nil {
		return err
	}
	defer func() {
		if e := rows.Close(); err == nil {
			err = e
		}
	}()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// cameAfter says which records were first stored after a time. Of who was erased
// since that is not known: they count as known then.
func (d *DB) cameAfter(ctx context.Context, who auth.Principal, t *time.Time) (map[uuid.UUID]bool, error) {
	if t == nil {
		return nil, nil
	}
	var ids []uuid.UUID
	err := d.of(ctx, who, "client_versions").Where("version = 1 AND recorded_at > ?", at(*t)).Pluck("id", &ids).Error
	if err != nil {
		return nil, fmt.Errorf("read who came later: %w", err)
	}
	later := make(map[uuid.UUID]bool, len(ids))
	for _, id := range ids {
		later[id] = true
	}
	return later, nil
}

// headsAt says of the records that were duplicates at a time which record
// stood for their person. Merges are told by the record where it is about now,
// and by their history where it is about then.
func (d *DB) headsAt(ctx context.Context, who auth.Principal, known []standingRow, t *time.Time) (map[uuid.UUID]uuid.UUID, error) {
	heads := map[uuid.UUID]uuid.UUID{}
	if t == nil {
		for _, r := range known {
			if r.MergedInto != nil {
				heads[r.ID] = *r.MergedInto
			}
		}
		return heads, nil
	}
	query := d.of(ctx, who, "merges").Where("merged_at <= ? AND (undone_at IS NULL OR undone_at > ?)", at(*t), at(*t)).Order("merged_at, id")
	merges, err := all[mergeRow](query, "merges")
	if err != nil {
		return nil, err
	}
	for _, m := range merges {
		heads[m.Duplicate] = m.Survivor
	}
	return heads, nil
}
