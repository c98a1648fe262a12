package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/research"
)

type standingRow struct {
	ID         uuid.UUID
	MergedInto *uuid.UUID
	ErasedAt   *instant
}

func standingFromRow(r standingRow) care.Standing {
	return care.Standing{ID: r.ID, MergedInto: r.MergedInto, ErasedAt: timePtr(r.ErasedAt)}
}

// samePerson holds for the records of the people that clients are: a record
// stands for itself, or for the one that it was merged into. An index has it.
const samePerson = "COALESCE(merged_into, id) IN (SELECT COALESCE(h.merged_into, h.id) FROM clients h WHERE h.clinic_id = ? AND h.id IN (?))"

// notMerged leaves out the records that another stands for.
const notMerged = "NOT IN (SELECT m.id FROM clients m WHERE m.clinic_id = ? AND m.merged_into IS NOT NULL)"

// people are records by id. They are whole: where one record of a person is
// among them, all of that person's are.
type people map[uuid.UUID]care.Standing

// of are those of the people that the clients are.
func (p people) of(clients []uuid.UUID) people {
	heads := map[uuid.UUID]bool{}
	for _, id := range clients {
		if s, known := p[id]; known {
			heads[s.Person()] = true
		}
	}
	out := people{}
	for id, s := range p {
		if heads[s.Person()] {
			out[id] = s
		}
	}
	return out
}

func (p people) has(clients []uuid.UUID) bool {
	return !slices.ContainsFunc(clients, func(id uuid.UUID) bool { _, known := p[id]; return !known })
}

// ids are those of all records, in order.
func (p people) ids() []uuid.UUID {
	return slices.SortedFunc(maps.Keys(p), compareIDs)
}

// person is the record that stands for the one who a record is of.
func (p people) person(client uuid.UUID) uuid.UUID {
	if s, known := p[client]; known {
		return s.Person()
	}
	return client
}

// standing finds one record that is still there.
func (p people) standing(client uuid.UUID) (care.Standing, error) {
	switch s, known := p[client]; {
	case !known:
		return s, fault.New(fault.NotFound, "There is no such client.")
	case s.ErasedAt != nil:
		return s, care.ErrErased
	default:
		return s, nil
	}
}

// unite puts the person in the place of each of n records' clients, and says
// whether any was another: what was read by client is then to be sorted anew.
func (p people) unite(n int, client func(int) *uuid.UUID) bool {
	merged := false
	for i := range n {
		c := client(i)
		if person := p.person(*c); person != *c {
			*c, merged = person, true
		}
	}
	return merged
}

func compareIDs(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }

func (d *DB) peopleQuery(ctx context.Context, who auth.Principal, clients []uuid.UUID) *gorm.DB {
	return d.of(ctx, who, "clients").Select("id", "merged_into", "erased_at").Where(samePerson, who.Clinic, clients)
}

// peopleOf reads the records of the people that the clients are; unknown
// clients are absent. What the transaction knows it does not read again.
func (d *DB) peopleOf(ctx context.Context, who auth.Principal, clients ...uuid.UUID) (people, error) {
	if len(clients) == 0 || who.Clinic != uuid.Nil && d.people.has(clients) {
		return d.people.of(clients), nil
	}
	rows, err := all[standingRow](d.peopleQuery(ctx, who, clients), "clients")
	return d.knowing(rows), err
}

// knowing keeps what was read for the rest of the transaction.
func (d *DB) knowing(rows []standingRow) people {
	out := make(people, len(rows))
	for _, r := range rows {
		out[r.ID] = standingFromRow(r)
	}
	if d.people != nil {
		maps.Copy(d.people, out)
	}
	return out
}

// ofPeople is of for all records of the people that the clients are.
func (d *DB) ofPeople(ctx context.Context, who auth.Principal, table string, clients ...uuid.UUID) (*gorm.DB, people) {
	query := d.of(ctx, who, table)
	same, err := d.peopleOf(ctx, who, clients...)
	if err != nil {
		_ = query.AddError(err)
	}
	return query.Where("client_id IN ?", same.ids()), same
}

// Person reads the records of the person that a client is.
func (d *DB) Person(ctx context.Context, who auth.Principal, client uuid.UUID) ([]care.Standing, error) {
	same, err := d.peopleOf(ctx, who, client)
	if err != nil {
		return nil, err
	}
	if !same.has([]uuid.UUID{client}) {
		return nil, fault.New(fault.NotFound, "There is no such client.")
	}
	return slices.SortedFunc(maps.Values(same), func(a, b care.Standing) int {
		return cmp.Or(compareMerged(a, b), compareIDs(a.ID, b.ID))
	}), nil
}

// compareMerged puts the record that stands for the person first.
func compareMerged(a, b care.Standing) int {
	switch {
	case a.MergedInto == nil && b.MergedInto != nil:
		return -1
	case a.MergedInto != nil && b.MergedInto == nil:
		return 1
	}
	return 0
}

// lockClients locks all records of the people that the clients are, in the
// order of their ids. Where locks are waited for, a record that was merged into
// one of these meanwhile is in no answer to the statement that waited: they are
// asked for until another statement finds the same ones.
func (d *DB) lockClients(ctx context.Context, who auth.Principal, clients []uuid.UUID) (people, error) {
	clear(d.people)
	var locked people
	for {
		rows, err := all[standingRow](d.dialect.lock(d.peopleQuery(ctx, who, clients).Order("id")), "clients")
		if err != nil {
			return nil, err
		}
		before := locked
		if locked = d.knowing(rows); !d.dialect.waits || slices.Equal(locked.ids(), before.ids()) {
			return locked, nil
		}
		clear(d.people)
	}
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
