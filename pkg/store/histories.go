package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/research"
)

// historyChunk is how many people are read at a time: enough to spread the
// cost of a statement, few enough to be held.
const historyChunk = 250

// chunkOf are the people that are read together.
type chunkOf struct {
	histories []research.History
	place     map[uuid.UUID]int // of each record, its person's place among the histories
	records   []uuid.UUID
}

func newChunk(people []research.Person) *chunkOf {
	c := &chunkOf{histories: make([]research.History, len(people)), place: make(map[uuid.UUID]int, len(people))}
	for i, p := range people {
		c.histories[i].Person = p
		for _, id := range p.Records {
			c.place[id] = i
			c.records = append(c.records, id)
		}
	}
	return c
}

// of is the person's history that a record belongs to.
func (c *chunkOf) of(record uuid.UUID) *research.History { return &c.histories[c.place[record]] }

// standing is how many of the records were not erased.
func (c *chunkOf) standing() (n int) {
	for i := range c.histories {
		if p := &c.histories[i].Person; !p.Erased {
			n += len(p.Records)
		}
	}
	return n
}

var errManyRecords = fault.New(fault.Unavailable, "Too many records are merged into one.")

// ofChunk is of for the records of a chunk.
func (d *DB) ofChunk(ctx context.Context, who auth.Principal, table, column string, c *chunkOf) *gorm.DB {
	query := d.of(ctx, who, table)
	if len(c.records) > maxRecords {
		_ = query.AddError(errManyRecords)
	}
	return d.dialect.among(query, column, c.records)
}

// maxRecords is how many records are asked for at once.
const maxRecords = 30_000

// idList writes ids as one parameter: hundreds of parameters would cost more
// than the rows that they find.
func idList(ids []uuid.UUID, open, quote, end string) string {
	b := make([]byte, 0, len(ids)*40+len(open)+len(end))
	b = append(b, open...)
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, quote...)
		b = append(b, id.String()...)
		b = append(b, quote...)
	}
	return string(append(b, end...))
}

// Histories reads people chunk by chunk and hands them on one by one. The next
// chunk is read while the one before is worked on.
func (d *DB) Histories(ctx context.Context, who auth.Principal, people []research.Person, q research.HistoryQuery) iter.Seq2[research.History, error] {
	return func(yield func(research.History, error) bool) {
		chunks, enough := make(chan filled), make(chan struct{})
		var reading sync.WaitGroup
		defer reading.Wait() // the transaction is nobody else's before
		defer close(enough)
		reading.Go(func() {
			defer close(chunks)
			d.readAhead(ctx, who, people, q, chunks, enough)
		})
		for f := range chunks {
			if f.err != nil {
				yield(research.History{}, f.err)
				return
			}
			for _, h := range f.chunk.histories {
				if h.Client.ID != uuid.Nil && !yield(h, nil) { // who was erased, or came later, has no version
					return
				}
			}
		}
	}
}

// filled is a chunk that was read.
type filled struct {
	chunk *chunkOf
	err   error
}

// readAhead reads chunk after chunk, until the reader has enough.
func (d *DB) readAhead(ctx context.Context, who auth.Principal, people []research.Person, q research.HistoryQuery, into chan<- filled, enough <-chan struct{}) {
	u := &unpacker{shared: map[string]string{}}
	for some := range slices.Chunk(people, historyChunk) {
		c, err := d.fill(ctx, who, some, q, u)
		select {
		case into <- filled{c, err}:
		case <-enough:
			return
		}
		if err != nil {
			return
		}
	}
}

// fill reads everything of some people: their outlines where these say enough,
// or else the record.
func (d *DB) fill(ctx context.Context, who auth.Principal, some []research.Person, q research.HistoryQuery, u *unpacker) (*chunkOf, error) {
	if outlined(q) {
		c := newChunk(some)
		whole, err := d.fillOutlines(ctx, who, c, q, u)
		if err != nil {
			return nil, err
		}
		if whole {
			c.sort()
			return c, nil
		}
	}
	c := newChunk(some)
	err := d.fillVersions(ctx, who, c, q)
	c.sort()
	return c, err
}

// sort puts what was read into order, and numbers the sessions.
func (c *chunkOf) sort() {
	for i := range c.histories {
		h := &c.histories[i]
		order(h.Courses, func(a, b *care.Course) int {
			return cmp.Or(cmp.Compare(a.StartedOn, b.StartedOn), compareIDs(a.ID, b.ID))
		})
		care.PlaceHere(h.Sessions)
		order(h.Forms, func(a, b *research.Form) int {
			return cmp.Or(strings.Compare(a.Instrument, b.Instrument), a.CompletedAt.Compare(b.CompletedAt), compareIDs(a.ID, b.ID))
		})
	}
}

// order sorts what outlines have in order already, unless records are merged.
func order[T any](all []T, compare func(a, b *T) int) {
	for i := 1; i < len(all); i++ {
		if compare(&all[i-1], &all[i]) > 0 {
			slices.SortFunc(all, func(a, b T) int { return compare(&a, &b) })
			return
		}
	}
}

// fillVersions reads everything of a chunk from the record, in four statements;
// three without forms.
func (d *DB) fillVersions(ctx context.Context, who auth.Principal, c *chunkOf, q research.HistoryQuery) error {
	if err := d.fillClients(ctx, who, c, q); err != nil {
		return err
	}
	courses, err := all[courseRow](asOf(d.ofChunk(ctx, who, "course_versions", "client_id", c), q.AsOf), "courses")
	if err != nil {
		return err
	}
	for _, r := range courses {
		course := courseFromRow(r)
		course.Revision = told(course.Revision)
		if !q.Names {
			course.Goals = ""
		}
		h := c.of(r.ClientID)
		h.Courses = append(h.Courses, course)
	}
	sessions, err := all[sessionRow](asOf(d.ofChunk(ctx, who, "session_versions", "client_id", c), q.AsOf), "sessions")
	if err != nil {
		return err
	}
	for _, r := range sessions {
		ses := sessionFromRow(r)
		ses.Revision = told(ses.Revision)
		h := c.of(r.ClientID)
		h.Sessions = append(h.Sessions, ses)
	}
	if q.SkipForms {
		return nil
	}
	return d.fillForms(ctx, who, c, q)
}

// told is of a version what research is told: not by whom, nor until when.
func told(r care.Revision) care.Revision {
	return care.Revision{Version: r.Version, RecordedAt: r.RecordedAt}
}

// fillClients reads the clients as they were known, and their first versions,
// which say when they were enrolled.
func (d *DB) fillClients(ctx context.Context, who auth.Principal, c *chunkOf, q research.HistoryQuery) error {
	query := d.ofChunk(ctx, who, "client_versions", "id", c)
	stood := asOf(d.read.WithContext(ctx), q.AsOf)
	rows, err := all[clientRow](query.Where(stood.Or("version = 1")), "clients")
	if err != nil {
		return err
	}
	for _, r := range rows {
		h := c.of(r.ID)
		if q.AsOf != nil && r.RecordedAt.After(*q.AsOf) {
			continue
		}
		if r.Version == 1 && (h.Enrolled.IsZero() || r.RecordedAt.Before(h.Enrolled)) {
			h.Enrolled = r.RecordedAt.Time
		}
		stands := r.SupersededAt == nil || q.AsOf != nil && r.SupersededAt.After(*q.AsOf)
		if !stands || r.ID != h.Person.ID {
			continue
		}
		if !q.Names {
			r.Reference, r.DisplayName = "", ""
		}
		if h.Client, err = d.client(r, nil); err != nil {
			return err
		}
		h.Client.Revision = told(h.Client.Revision)
	}
	return nil
}

// formColumns are read of every form, in the order in which scanForm has them.
const formColumns = "client_id, id, version, instrument, instrument_version, timing, session_id, completed_at, recall_window, mode, recorded_at, retracted, total, severity, prorated"

// fillForms reads the assessments. There are many of them, so they are scanned
// without the help of reflection.
func (d *DB) fillForms(ctx context.Context, who auth.Principal, c *chunkOf, q research.HistoryQuery) error {
	query := asOf(d.ofChunk(ctx, who, "assessment_versions", "client_id", c), q.AsOf)
	if !q.Retracted {
		query = query.Where("retracted = ?", false)
	}
	if len(q.Instruments) > 0 {
		query = query.Where("instrument IN ?", q.Instruments)
	}
	columns := formColumns
	if q.Answers || q.Item9 {
		columns += ", answers"
	}
	if q.Answers {
		columns += ", declined, score"
	}
	scan := newFormScan(q)
	return scanRows(query.Select(columns), "assessments", func(rows *sql.Rows) error {
		client, form, err := scan.form(rows)
		if err != nil {
			return err
		}
		h := c.of(client)
		h.Forms = append(h.Forms, form)
		return nil
	})
}

// formScan scans forms. The few texts that all forms share are kept once.
type formScan struct {
	query  research.HistoryQuery
	shared map[string]string
	into   []any

	buffer  bytes.Buffer // of the decoder
	decoder jsontext.Decoder

	client, id                                                uuid.UUID
	session                                                   uuid.NullUUID
	version                                                   int
	instrument, instrumentVersion, timing, recallWindow, mode sql.RawBytes
	completed, recorded                                       instant
	retracted, prorated                                       bool
	total                                                     sql.NullFloat64
	severity, answers, declined, score                        sql.RawBytes
}

func newFormScan(q research.HistoryQuery) *formScan {
	s := &formScan{query: q, shared: map[string]string{}}
	s.into = []any{
		&s.client, &s.id, &s.version, &s.instrument, &s.instrumentVersion, &s.timing, &s.session, &s.completed, &s.recallWindow,
		&s.mode, &s.recorded, &s.retracted, &s.total, &s.severity, &s.prorated,
	}
	if q.Answers || q.Item9 {
		s.into = append(s.into, &s.answers)
	}
	if q.Answers {
		s.into = append(s.into, &s.declined, &s.score)
	}
	return s
}

func (s *formScan) text(b []byte) string {
	if t, known := s.shared[string(b)]; known {
		return t
	}
	t := string(b)
	s.shared[t] = t
	return t
}

func (s *formScan) form(rows *sql.Rows) (uuid.UUID, research.Form, error) {
	if err := rows.Scan(s.into...); err != nil {
		return uuid.Nil, research.Form{}, err
	}
	f := research.Form{
		ID: s.id, Version: s.version, Instrument: s.text(s.instrument), InstrumentVersion: s.text(s.instrumentVersion),
		Timing: care.Timing(s.text(s.timing)), CompletedAt: s.completed.Time, RecallWindow: s.text(s.recallWindow),
		Mode: care.Mode(s.text(s.mode)), RecordedAt: s.recorded.Time, Retracted: s.retracted, Prorated: s.prorated,
	}
	if s.session.Valid {
		f.SessionID = new(s.session.UUID)
	}
	if s.total.Valid {
		f.Total = new(s.total.Float64)
	}
	if s.severity != nil {
		f.Severity = new(s.text(s.severity))
	}
	var err error
	if s.query.Answers || s.query.Item9 {
		err = s.readAnswers(&f)
	}
	if err == nil && s.query.Answers {
		err = s.readScore(&f)
	}
	return s.client, f, err
}
