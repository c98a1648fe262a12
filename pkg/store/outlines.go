package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/research"
)

// An outline is what research needs of one record, as it stands now, packed into
// a few rows: one for the record (part ''), and one for the forms of each
// instrument. A whole clinic is then tens of thousands of rows instead of a
// million. Outlines are written anew in the transaction that changes what
// they tell of. A record without a part '' has no outline, and is itself read.

type outlineRow struct {
	ClinicID uuid.UUID
	ClientID uuid.UUID
	Part     string
	Data     []byte
}

// thePerson is the part that is no instrument's.
const thePerson = ""

// touched says of which records a transaction changed what: the instruments,
// or all of it where nil.
type touched map[uuid.UUID]map[string]bool

// touch notes that a record changed.
func (d *DB) touch(client uuid.UUID) {
	if d.touched != nil {
		d.touched[client] = nil
	}
}

// touchForms notes that a record's forms of an instrument changed.
func (d *DB) touchForms(client uuid.UUID, instrument string) {
	if d.touched == nil {
		return
	}
	of, known := d.touched[client]
	if known && of == nil {
		return // all of it
	}
	if of == nil {
		of = map[string]bool{}
		d.touched[client] = of
	}
	of[instrument] = true
}

// outline writes the outlines of what the transaction has changed.
func (d *DB) outline(ctx context.Context, clinic uuid.UUID) error {
	var whole []uuid.UUID
	some := map[string][]uuid.UUID{} // by instrument
	for _, client := range slices.SortedFunc(maps.Keys(d.touched), compareIDs) {
		of := d.touched[client]
		if of == nil {
			whole = append(whole, client)
		}
		for instrument := range of {
			some[instrument] = append(some[instrument], client)
		}
	}
	clear(d.touched)
	if len(whole) > 0 {
		if err := d.outlineOf(ctx, clinic, whole, ""); err != nil {
			return err
		}
	}
	for _, instrument := range slices.Sorted(maps.Keys(some)) {
		if err := d.outlineOf(ctx, clinic, some[instrument], instrument); err != nil {
			return err
		}
	}
	return nil
}

// outlineOf writes the outlines of records: of one instrument, or all.
func (d *DB) outlineOf(ctx context.Context, clinic uuid.UUID, records []uuid.UUID, instrument string) error {
	who := auth.System(clinic)
	for some := range slices.Chunk(records, chunk) {
		c := newChunk(convert(some, func(id uuid.UUID) research.Person { return research.Person{ID: id, Records: []uuid.UUID{id}} }))
		var rows []outlineRow
		if instrument != "" {
			if err := d.fillForms(ctx, who, c, research.HistoryQuery{Answers: true, Instruments: []string{instrument}}); err != nil {
				return err
			}
			c.sort()
			for _, h := range c.histories {
				rows = append(rows, outlineRow{clinic, h.Person.ID, instrument, packForms(h.Forms)})
			}
		} else {
			if err := d.fillVersions(ctx, who, c, research.HistoryQuery{Answers: true}); err != nil {
				return err
			}
			c.sort()
			for _, h := range c.histories {
				rows = append(rows, outlinesOf(clinic, h)...)
			}
			// What is written anew as a whole may have fewer parts than before.
			if err := d.ofChunk(ctx, who, "outlines", "client_id", c).Delete(&identity{}).Error; err != nil {
				return fmt.Errorf("remove outlines: %w", err)
			}
		}
		if err := d.putOutlines(ctx, who, rows); err != nil {
			return err
		}
	}
	return nil
}

// outlinesOf are all parts of a record.
func outlinesOf(clinic uuid.UUID, h research.History) []outlineRow {
	if h.Client.ID == uuid.Nil {
		return nil
	}
	rows := []outlineRow{{clinic, h.Person.ID, thePerson, packPerson(h)}}
	for forms := h.Forms; len(forms) > 0; {
		n := 1
		for n < len(forms) && forms[n].Instrument == forms[0].Instrument {
			n++
		}
		rows = append(rows, outlineRow{clinic, h.Person.ID, forms[0].Instrument, packForms(forms[:n])})
		forms = forms[n:]
	}
	return rows
}

func (d *DB) putOutlines(ctx context.Context, who auth.Principal, rows []outlineRow) error {
	if len(rows) == 0 {
		return nil
	}
	err := d.trying(ctx, who, "outlines").Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "clinic_id"}, {Name: "client_id"}, {Name: "part"}},
		DoUpdates: clause.AssignmentColumns([]string{"data"}),
	}).CreateInBatches(&rows, chunk).Error
	if err != nil {
		return fmt.Errorf("store outlines: %w", err)
	}
	return nil
}

// outlined reports whether outlines tell all that a query asks for.
func outlined(q research.HistoryQuery) bool {
	return q.AsOf == nil && !q.Names && !q.Retracted
}

// fillOutlines reads a chunk from its outlines; false where a record lacks one
// that can be read.
func (d *DB) fillOutlines(ctx context.Context, who auth.Principal, c *chunkOf, q research.HistoryQuery, u *unpacker) (bool, error) {
	query := d.ofChunk(ctx, who, "outlines", "client_id", c).Select("client_id, part, data")
	switch {
	case q.SkipForms:
		query = query.Where("part = ?", thePerson)
	case len(q.Instruments) > 0:
		query = query.Where("part IN ?", append([]string{thePerson}, q.Instruments...))
	}
	found, legible := 0, true
	var record uuid.UUID
	var part, data sql.RawBytes
	into := []any{&record, &part, &data}
	err := scanRows(query, "outlines", func(rows *sql.Rows) error {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		u.open(data, outlineFormat)
		if len(part) == 0 {
			found++
			u.person(record, c.of(record))
		} else {
			u.forms(u.share(part), q, c.of(record))
		}
		legible = legible && u.err == nil // what another version of the program wrote may not be
		return nil
	})
	return legible && found == c.standing(), err
}
