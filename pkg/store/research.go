package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

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

type projectRow struct {
	ClinicID  uuid.UUID
	Name      string
	Secret    []byte
	CreatedAt instant
	CreatedBy uuid.UUID
}

// Project finds a project by its name.
func (d *DB) Project(ctx context.Context, who auth.Principal, name string) (research.Project, error) {
	row, err := one[projectRow](d.of(ctx, who, "projects").Where("name = ?", name), "project")
	return research.Project{Name: row.Name, Secret: row.Secret, CreatedAt: row.CreatedAt.Time, CreatedBy: row.CreatedBy}, err
}

// InsertProject stores a project unless there is one of this name.
func (d *DB) InsertProject(ctx context.Context, who auth.Principal, p research.Project) (bool, error) {
	insert := d.trying(ctx, who, "projects").Clauses(clause.OnConflict{DoNothing: true}).Create(&projectRow{
		ClinicID: who.Clinic, Name: p.Name, Secret: p.Secret, CreatedAt: at(p.CreatedAt), CreatedBy: p.CreatedBy,
	})
	if insert.Error != nil {
		return false, fmt.Errorf("insert project: %w", insert.Error)
	}
	if insert.RowsAffected == 0 {
		return false, nil
	}
	d.change()
	return true, nil
}

// InstrumentsInUse lists the instruments that the clinic has answers to.
func (d *DB) InstrumentsInUse(ctx context.Context, who auth.Principal) ([]string, error) {
	var out []string
	err := d.of(ctx, who, "progress").Distinct("instrument").Order("instrument").Pluck("instrument", &out).Error
	if err != nil {
		return nil, fmt.Errorf("read instruments: %w", err)
	}
	return out, nil
}

// People reads everybody whom the clinic knew at a time, and what they have said.
func (d *DB) People(ctx context.Context, who auth.Principal, t *time.Time) ([]research.Person, error) {
	out, err := d.Known(ctx, who, t)
	if err != nil {
		return nil, err
	}
	place := make(map[uuid.UUID]int, len(out))
	for i, p := range out {
		for _, id := range p.Records {
			place[id] = i
		}
	}
	err = d.said(ctx, who, func(client uuid.UUID, c care.Consent) {
		if i, found := place[client]; found {
			out[i].Said = append(out[i].Said, c)
		}
	})
	return out, err
}

// Known reads everybody whom the clinic knew at a time.
func (d *DB) Known(ctx context.Context, who auth.Principal, t *time.Time) ([]research.Person, error) {
	var known []standingRow
	err := scanRows(d.of(ctx, who, "clients").Select("id, merged_into, erased_at").Order("id"), "clients", func(rows *sql.Rows) error {
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
		return nil, err
	}
	heads, err := d.headsAt(ctx, who, known, t)
	if err != nil {
		return nil, err
	}
	return united(known, heads), nil
}

// united are the people of records, of which heads says the person where it is
// another record's.
func united(known []standingRow, heads map[uuid.UUID]uuid.UUID) []research.Person {
	out, ids := make([]research.Person, 0, len(known)), make([]uuid.UUID, 0, len(known))
	place := make(map[uuid.UUID]int, len(heads)) // of those who have several
	for _, head := range heads {
		place[head] = -1
	}
	for _, r := range known {
		if heads[r.ID] != uuid.Nil {
			continue
		}
		if _, several := place[r.ID]; several {
			place[r.ID] = len(out)
		}
		ids = append(ids, r.ID)
		records := ids[len(ids)-1:]
		out = append(out, research.Person{ID: r.ID, Records: records[:1:1], Erased: r.ErasedAt != nil, Gone: timePtr(r.ErasedAt)})
	}
	for _, r := range known {
		if head := heads[r.ID]; head != uuid.Nil {
			p := &out[place[head]]
			p.Records = append(p.Records, r.ID)
		}
	}
	return out
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

// scanRows hands each row of a query to scan.
func scanRows(query *gorm.DB, what string, scan func(*sql.Rows) error) (err error) {
	rows, err := query.Rows()
	if err != nil {
		return fmt.Errorf("read %s: %w", what, err)
	}
	defer func() {
		if e := rows.Close(); err == nil && e != nil {
			err = fmt.Errorf("read %s: %w", what, e)
		}
	}()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("read %s: %w", what, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read %s: %w", what, err)
	}
	return nil
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
