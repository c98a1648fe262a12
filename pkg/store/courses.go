package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

type courseRow struct {
	Revision
	ClientID        uuid.UUID
	Indication      string
	StartedOn       day
	EndedOn         *day
	PlannedSessions *int
	Goals           string
}

func courseFromRow(r courseRow) care.Course {
	return care.Course{
		ID: r.ID, ClientID: r.ClientID, Indication: r.Indication, StartedOn: care.Date(r.StartedOn),
		EndedOn: datePtr(r.EndedOn), PlannedSessions: r.PlannedSessions, Goals: care.Private(r.Goals), Revision: r.toCare(),
	}
}

func rowFromCourse(clinic uuid.UUID, c care.Course) *courseRow {
	return &courseRow{
		Revision: revisionRow(clinic, c.ID, c.Revision), ClientID: c.ClientID, Indication: c.Indication,
		StartedOn: day(c.StartedOn), EndedOn: dayPtr(c.EndedOn), PlannedSessions: c.PlannedSessions, Goals: string(c.Goals),
	}
}

// Course reads the current version of a course.
func (d *DB) Course(ctx context.Context, who auth.Principal, id uuid.UUID) (care.Course, error) {
	row, err := one[courseRow](d.of(ctx, who, "course_versions").Where("id = ?", id).Where(current), "course")
	return courseFromRow(row), err
}

// CourseHistory reads the current version of a course and its first.
func (d *DB) CourseHistory(ctx context.Context, who auth.Principal, id uuid.UUID) (now, original care.Course, err error) {
	n, o, err := history[courseRow](d.of(ctx, who, "course_versions").Where("id = ?", id), "course")
	return courseFromRow(n), courseFromRow(o), err
}

// Courses lists a page of a client's courses by start.
func (d *DB) Courses(ctx context.Context, who auth.Principal, client uuid.UUID, page care.Page) ([]care.Course, error) {
	query, _ := d.ofPeople(ctx, who, "course_versions", client)
	query = query.Where(current)
	if after := page.After; after.ID != uuid.Nil {
		query = query.Where("(started_on, id) > (?, ?)", day(after.Text), after.ID)
	}
	rows, err := all[courseRow](query.Order("started_on, id").Limit(page.Limit), "courses")
	return convert(rows, courseFromRow), err
}

// CoursesAt reads all of a client's courses as they were known at a time.
func (d *DB) CoursesAt(ctx context.Context, who auth.Principal, client uuid.UUID, t *time.Time) ([]care.Course, error) {
	query, _ := d.ofPeople(ctx, who, "course_versions", client)
	rows, err := all[courseRow](asOf(query, t).Order("started_on, id"), "courses")
	return convert(rows, courseFromRow), err
}

// InsertCourse stores a course's first version.
func (d *DB) InsertCourse(ctx context.Context, who auth.Principal, c care.Course) (bool, error) {
	d.touch(c.ClientID)
	id := identity{ClinicID: who.Clinic, ClientID: &c.ClientID, ID: c.ID}
	return d.insertFirst(ctx, who, "course", id, rowFromCourse(who.Clinic, c))
}

// ReviseCourse stores a course's next version.
func (d *DB) ReviseCourse(ctx context.Context, who auth.Principal, c care.Course) error {
	d.touch(c.ClientID)
	return d.revise(ctx, who, "course", c.ID, c.Revision, rowFromCourse(who.Clinic, c))
}
