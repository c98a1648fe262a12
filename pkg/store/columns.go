package store

import (
	"bytes"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
)

// instant is a point in time, in UTC and whole microseconds: an integer in
// SQLite, where text times mis-sort, and timestamptz in PostgreSQL. The
// SQLite driver is told to write times as integers; it hands integers back.
type instant struct{ time.Time }

// Value hands the driver a time.
func (i instant) Value() (driver.Value, error) { return i.Time, nil }

// Scan reads either dialect's form.
func (i *instant) Scan(src any) error {
	switch v := src.(type) {
	case time.Time:
		i.Time = v.UTC()
	case int64:
		i.Time = time.UnixMicro(v).UTC()
	default:
		return fmt.Errorf("a time cannot be read from %T", src)
	}
	return nil
}

func at(t time.Time) instant { return instant{t.UTC().Truncate(time.Microsecond)} }

func atPtr(t *time.Time) *instant {
	if t == nil {
		return nil
	}
	i := at(*t)
	return &i
}

func timePtr(i *instant) *time.Time {
	if i == nil {
		return nil
	}
	return &i.Time
}

// day is a date: text in SQLite, date in PostgreSQL.
type day string

// Value hands the driver text, which PostgreSQL reads as a date.
func (d day) Value() (driver.Value, error) { return string(d), nil }

// Scan reads either dialect's form.
func (d *day) Scan(src any) error {
	switch v := src.(type) {
	case time.Time:
		*d = day(v.Format(time.DateOnly))
	case string:
		*d = day(v)
	case []byte:
		*d = day(v)
	default:
		return fmt.Errorf("a date cannot be read from %T", src)
	}
	return nil
}

func dayPtr(d *care.Date) *day {
	if d == nil {
		return nil
	}
	out := day(*d)
	return &out
}

func datePtr(d *day) *care.Date {
	if d == nil {
		return nil
	}
	out := care.Date(*d)
	return &out
}

// document is a value stored as JSON.
type document[T any] struct{ V T }

// Value hands the driver JSON text.
func (d document[T]) Value() (driver.Value, error) {
	b, err := json.Marshal(d.V)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", d.V, err)
	}
	return string(b), nil
}

// Scan reads JSON text.
func (d *document[T]) Scan(src any) error {
	b, err := jsonText(src)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, &d.V); err != nil {
		return fmt.Errorf("decode %T: %w", d.V, err)
	}
	return nil
}

func jsonText(src any) ([]byte, error) {
	switch v := src.(type) {
	case string:
		return []byte(v), nil
	case []byte:
		return v, nil
	}
	return nil, fmt.Errorf("JSON cannot be read from %T", src)
}

// strictDocument is a document of which no member may be passed over: a filter
// without one of its conditions would hold people whom it was not to hold.
type strictDocument[T any] struct{ document[T] }

// Scan reads JSON text.
func (d *strictDocument[T]) Scan(src any) error {
	b, err := jsonText(src)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d.V); err != nil {
		return fmt.Errorf("decode %T: %w", d.V, err)
	}
	return nil
}

// Revision is what all version tables share. It is exported because GORM
// passes over embedded structs that are not.
type Revision struct {
	ClinicID     uuid.UUID
	ID           uuid.UUID
	Version      int
	RecordedAt   instant
	RecordedBy   uuid.UUID
	SupersededAt *instant
}

func (r Revision) toCare() care.Revision {
	return care.Revision{
		Version: r.Version, RecordedAt: r.RecordedAt.Time, RecordedBy: r.RecordedBy, SupersededAt: timePtr(r.SupersededAt),
	}
}

func revisionRow(clinic, id uuid.UUID, r care.Revision) Revision {
	return Revision{
		ClinicID: clinic, ID: id, Version: r.Version,
		RecordedAt: at(r.RecordedAt), RecordedBy: r.RecordedBy, SupersededAt: atPtr(r.SupersededAt),
	}
}
