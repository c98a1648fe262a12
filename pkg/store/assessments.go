package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
)

type assessmentRow struct {
	Revision
	ClientID          uuid.UUID
	Instrument        string
	InstrumentVersion string
	Timing            string
	SessionID         *uuid.UUID
	CompletedAt       instant
	RecallWindow      string
	Mode              string
	MissingPolicy     string
	Answers           *document[map[string]*int]
	Declined          document[[]string]
	GivenTotal        *float64
	Total             *float64
	Severity          *string
	Prorated          bool
	Flags             document[[]flagDocument]
	Score             document[scoreDocument]
	Retracted         bool
	Reason            string
}

func assessmentFromRow(r assessmentRow) care.Assessment {
	a := care.Assessment{
		ID: r.ID, ClientID: r.ClientID, Instrument: r.Instrument, InstrumentVersion: r.InstrumentVersion,
		Timing: care.Timing(r.Timing), SessionID: r.SessionID, CompletedAt: r.CompletedAt.Time,
		Declined: r.Declined.V, Total: r.GivenTotal, MissingPolicy: instrument.MissingPolicy(r.MissingPolicy),
		RecallWindow: r.RecallWindow, Mode: care.Mode(r.Mode), Score: scoreFromDocument(r.Score.V),
		Retracted: r.Retracted, Reason: care.Private(r.Reason), Revision: r.toCare(),
	}
	if r.Answers != nil {
		a.Answers = r.Answers.V
	}
	return a
}

func rowFromAssessment(clinic uuid.UUID, a care.Assessment) assessmentRow {
	r := assessmentRow{
		Revision: revisionRow(clinic, a.ID, a.Revision), ClientID: a.ClientID,
		Instrument: a.Instrument, InstrumentVersion: a.InstrumentVersion, Timing: string(a.Timing),
		SessionID: a.SessionID, CompletedAt: at(a.CompletedAt), RecallWindow: a.RecallWindow, Mode: string(a.Mode),
		MissingPolicy: string(a.MissingPolicy), Declined: document[[]string]{a.Declined}, GivenTotal: a.Total,
		Total: a.Score.Total, Severity: a.Score.Severity, Prorated: a.Score.Prorated,
		Flags: document[[]flagDocument]{documentFromFlags(a.Score.Flags)}, Score: document[scoreDocument]{documentFromScore(a.Score)},
		Retracted: a.Retracted, Reason: string(a.Reason),
	}
	if a.Total == nil {
		r.Answers = &document[map[string]*int]{a.Answers}
	}
	return r
}

// Assessment reads the current version of an assessment.
func (d *DB) Assessment(ctx context.Context, who auth.Principal, id uuid.UUID) (care.Assessment, error) {
	row, err := one[assessmentRow](d.of(ctx, who, "assessment_versions").Where("id = ?", id).Where(current), "assessment")
	return assessmentFromRow(row), err
}

// AssessmentHistories finds assessments by id, as they are and as they were
// first stored.
func (d *DB) AssessmentHistories(ctx context.Context, who auth.Principal, ids []uuid.UUID) (map[uuid.UUID]care.History, error) {
	out := make(map[uuid.UUID]care.History, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	query := d.of(ctx, who, "assessment_versions").Where("id IN ?", ids).
		Where("version = 1 OR superseded_at IS NULL").Order("id, version")
	rows, err := all[assessmentRow](query, "assessments")
	for _, r := range rows {
		a := assessmentFromRow(r)
		h, seen := out[a.ID]
		if !seen {
			h.Original = a
		}
		h.Current = a
		out[a.ID] = h
	}
	return out, err
}

// Assessments lists a page of a client's assessments by completion.
func (d *DB) Assessments(ctx context.Context, who auth.Principal, client uuid.UUID, filter care.AssessmentFilter, page care.Page) ([]care.Assessment, error) {
	query, _ := d.ofPeople(ctx, who, "assessment_versions", client)
	query = query.Where(current)
	if filter.Instrument != "" {
		query = query.Where("instrument = ?", filter.Instrument)
	}
	if filter.SessionID != nil {
		query = query.Where("session_id = ?", *filter.SessionID)
	}
	if filter.Timing != "" {
		query = query.Where("timing = ?", string(filter.Timing))
	}
	if !filter.Retracted {
		query = query.Where("retracted = ?", false)
	}
	if after := page.After; after.ID != uuid.Nil {
		query = query.Where("(completed_at, id) > (?, ?)", at(after.Time), after.ID)
	}
	rows, err := all[assessmentRow](query.Order("completed_at, id").Limit(page.Limit), "assessments")
	return convert(rows, assessmentFromRow), err
}

// AssessmentVersions lists a page of the versions of an assessment.
func (d *DB) AssessmentVersions(ctx context.Context, who auth.Principal, id uuid.UUID, page care.Page) ([]care.Assessment, error) {
	query := d.of(ctx, who, "assessment_versions").Where("id = ?", id)
	if page.After.Number != nil {
		query = query.Where("version > ?", int(*page.After.Number))
	}
	rows, err := all[assessmentRow](query.Order("version").Limit(page.Limit), "assessment versions")
	if err == nil && len(rows) == 0 && page.After.Number == nil {
		err = fault.New(fault.NotFound, "There is no such assessment.")
	}
	return convert(rows, assessmentFromRow), err
}

// pointRow is the part of an assessment that a trajectory needs.
type pointRow struct {
	ID           uuid.UUID
	ClientID     uuid.UUID
	Instrument   string
	SessionID    *uuid.UUID
	Timing       string
	CompletedAt  instant
	RecallWindow string

	InstrumentVersion string

	Total    *float64
	Severity *string
	Prorated bool
	Flags    document[[]flagDocument]
}

func pointFromRow(r pointRow) care.Point {
	return care.Point{
		ID: r.ID, ClientID: r.ClientID, Instrument: r.Instrument, SessionID: r.SessionID, Timing: care.Timing(r.Timing),
		CompletedAt: r.CompletedAt.Time, RecallWindow: r.RecallWindow, InstrumentVersion: r.InstrumentVersion,
		Total: r.Total, Severity: r.Severity,
		Prorated: r.Prorated, Flags: flagsFromDocument(r.Flags.V),
	}
}

// Points reads what trajectories need of the assessments that stood at a time.
// They carry the client who stands for the person.
func (d *DB) Points(ctx context.Context, who auth.Principal, clients []uuid.UUID, instruments []string, t *time.Time) ([]care.Point, error) {
	query, same := d.ofPeople(ctx, who, "assessment_versions", clients...)
	query = asOf(query, t).Where("retracted = ?", false)
	if len(instruments) > 0 {
		query = query.Where("instrument IN ?", instruments)
	}
	return points(query, same)
}

// SessionPoints reads those of the clients' assessments that stand and belong to
// one of the sessions. The clients are what an index finds them by.
func (d *DB) SessionPoints(ctx context.Context, who auth.Principal, clients, sessions []uuid.UUID) ([]care.Point, error) {
	query, same := d.ofPeople(ctx, who, "assessment_versions", clients...)
	return points(query.Where(current).Where("retracted = ?", false).Where("session_id IN ?", sessions), same)
}

// points reads what a query finds, by person.
func points(query *gorm.DB, same people) ([]care.Point, error) {
	rows, err := all[pointRow](query.Order("client_id, instrument, completed_at, id"), "points")
	out := convert(rows, pointFromRow)
	if same.unite(len(out), func(i int) *uuid.UUID { return &out[i].ClientID }) {
		slices.SortStableFunc(out, func(a, b care.Point) int {
			return cmp.Or(compareIDs(a.ClientID, b.ClientID), cmp.Compare(a.Instrument, b.Instrument),
				a.CompletedAt.Compare(b.CompletedAt), compareIDs(a.ID, b.ID))
		})
	}
	return out, err
}

// chunk keeps a statement below SQLite's 32,766 parameters.
const chunk = 1000

// InsertAssessments stores first versions and says which ids were new.
func (d *DB) InsertAssessments(ctx context.Context, who auth.Principal, as []care.Assessment) (map[uuid.UUID]bool, error) {
	inserted := make(map[uuid.UUID]bool, len(as))
	if len(as) == 0 {
		return inserted, nil
	}
	ids := make([]identity, len(as))
	for i, a := range as {
		ids[i] = identity{ClinicID: who.Clinic, ClientID: &a.ClientID, ID: a.ID}
	}
	fresh, err := d.insertIdentities(ctx, who, ids)
	if err != nil {
		return nil, err
	}
	for _, id := range fresh {
		inserted[id] = true
	}
	var rows []assessmentRow
	for _, a := range as {
		if inserted[a.ID] {
			rows = append(rows, rowFromAssessment(who.Clinic, a))
			d.touchForms(a.ClientID, a.Instrument)
		}
	}
	if len(rows) == 0 {
		return inserted, nil
	}
	if err := d.inserting(ctx, who, "assessment_versions").CreateInBatches(&rows, chunk).Error; err != nil {
		return nil, fmt.Errorf("insert assessments: %w", err)
	}
	return inserted, nil
}

// insertIdentities stores the ids that are not in use and returns them.
func (d *DB) insertIdentities(ctx context.Context, who auth.Principal, ids []identity) ([]uuid.UUID, error) {
	// GORM would write the returned rows over the given ones, whichever they
	// are; so it only builds the statement, which is not one to report.
	dry := d.trying(ctx, who, "assessments").Session(&gorm.Session{DryRun: true, Logger: logger.Discard}).Clauses(
		clause.OnConflict{DoNothing: true},
		clause.Returning{Columns: []clause.Column{{Name: "id"}}},
	).Create(&ids)
	if dry.Error != nil {
		return nil, fmt.Errorf("insert assessments: %w", dry.Error)
	}
	// Find, for Scan would report the statement with the values bound to it.
	var fresh []identity
	if err := d.write.WithContext(ctx).Raw(dry.Statement.SQL.String(), dry.Statement.Vars...).Find(&fresh).Error; err != nil {
		return nil, fmt.Errorf("insert assessments: %w", err)
	}
	if len(fresh) > 0 {
		d.change()
	}
	return convert(fresh, func(r identity) uuid.UUID { return r.ID }), nil
}

// ReviseAssessment stores an assessment's next version.
func (d *DB) ReviseAssessment(ctx context.Context, who auth.Principal, a care.Assessment) error {
	row := rowFromAssessment(who.Clinic, a)
	d.touchForms(a.ClientID, a.Instrument)
	return d.revise(ctx, who, "assessment", a.ID, a.Revision, &row)
}
