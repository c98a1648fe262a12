package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm/clause"

	"github.com/protrack/protrack/pkg/alert"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

type alertRow struct {
	ClinicID     uuid.UUID
	ID           uuid.UUID
	ClientID     uuid.UUID
	AssessmentID *uuid.UUID
	SessionID    *uuid.UUID
	SubjectID    uuid.UUID
	Rule         string
	Level        string
	Status       string
	RaisedAt     instant
	OpenedAt     instant
	AnsweredAt   instant
	ReceivedAt   instant
	Withdrawn    bool
	RepeatOf     *uuid.UUID
	Tier         int
	NextAt       *instant
	Steps        int
}

func alertFromRow(r alertRow) care.Alert {
	return care.Alert{
		ID: r.ID, ClientID: r.ClientID, AssessmentID: r.AssessmentID, SessionID: r.SessionID, Rule: r.Rule,
		Level: alert.Level(r.Level), Status: care.AlertStatus(r.Status), RaisedAt: r.RaisedAt.Time, OpenedAt: r.OpenedAt.Time,
		AnsweredAt: r.AnsweredAt.Time, ReceivedAt: r.ReceivedAt.Time, Withdrawn: r.Withdrawn, RepeatOf: r.RepeatOf,
		Tier: r.Tier, NextAt: timePtr(r.NextAt), Steps: r.Steps,
	}
}

func rowFromAlert(clinic uuid.UUID, a care.Alert) alertRow {
	r := alertRow{
		ClinicID: clinic, ID: a.ID, ClientID: a.ClientID, AssessmentID: a.AssessmentID, SessionID: a.SessionID, Rule: a.Rule,
		Level: string(a.Level), Status: string(a.Status), RaisedAt: at(a.RaisedAt), OpenedAt: at(a.OpenedAt),
		AnsweredAt: at(a.AnsweredAt), ReceivedAt: at(a.ReceivedAt), Withdrawn: a.Withdrawn, RepeatOf: a.RepeatOf,
		Tier: a.Tier, NextAt: atPtr(a.NextAt), Steps: a.Steps,
	}
	for _, subject := range []*uuid.UUID{a.AssessmentID, a.SessionID} {
		if subject != nil {
			r.SubjectID = *subject
		}
	}
	return r
}

type alertStepRow struct {
	ClinicID    uuid.UUID
	AlertID     uuid.UUID
	N           int
	ClientID    uuid.UUID
	At          instant
	ByActor     *uuid.UUID
	Deed        string
	Level       string
	Status      string
	Tier        int
	Disposition string
	Note        string
}

func alertStepFromRow(r alertStepRow) care.AlertStep {
	return care.AlertStep{
		AlertID: r.AlertID, ClientID: r.ClientID, N: r.N, At: r.At.Time, By: idOf(r.ByActor), Deed: care.AlertDeed(r.Deed),
		Level: alert.Level(r.Level), Status: care.AlertStatus(r.Status), Tier: r.Tier,
		Disposition: care.Disposition(r.Disposition), Note: care.Private(r.Note),
	}
}

func rowFromAlertStep(clinic uuid.UUID, s care.AlertStep) alertStepRow {
	r := alertStepRow{
		ClinicID: clinic, AlertID: s.AlertID, N: s.N, ClientID: s.ClientID, At: at(s.At), Deed: string(s.Deed),
		Level: string(s.Level), Status: string(s.Status), Tier: s.Tier, Disposition: string(s.Disposition), Note: string(s.Note),
	}
	if s.By != uuid.Nil {
		r.ByActor = &s.By
	}
	return r
}

// Alert reads an alert.
func (d *DB) Alert(ctx context.Context, who auth.Principal, id uuid.UUID) (care.Alert, error) {
	row, err := one[alertRow](d.of(ctx, who, "alerts").Where("id = ?", id), "alert")
	return alertFromRow(row), err
}

// AlertSteps reads the history of an alert.
func (d *DB) AlertSteps(ctx context.Context, who auth.Principal, id uuid.UUID) ([]care.AlertStep, error) {
	rows, err := all[alertStepRow](d.of(ctx, who, "alert_steps").Where("alert_id = ?", id).Order("n"), "alert steps")
	return convert(rows, alertStepFromRow), err
}

// Alerts reads a page of alerts, the newest first.
func (d *DB) Alerts(ctx context.Context, who auth.Principal, filter care.AlertFilter, page care.Page) ([]care.Alert, error) {
	query := d.of(ctx, who, "alerts")
	if filter.Client != nil {
		query, _ = d.ofPeople(ctx, who, "alerts", *filter.Client)
	}
	if filter.Status != "" {
		query = query.Where("status = ?", string(filter.Status))
	}
	if after := page.After; after.ID != uuid.Nil {
		query = query.Where("(raised_at, id) < (?, ?)", at(after.Time), after.ID)
	}
	rows, err := all[alertRow](query.Order("raised_at DESC, id DESC").Limit(page.Limit), "alerts")
	return convert(rows, alertFromRow), err
}

// CountOpenAlerts counts the alerts that nobody acknowledged.
func (d *DB) CountOpenAlerts(ctx context.Context, who auth.Principal) (int, error) {
	var n int64
	if err := d.of(ctx, who, "alerts").Where("status = 'open'").Count(&n).Error; err != nil {
		return 0, fmt.Errorf("count alerts: %w", err)
	}
	return int(n), nil
}

// OpenAlertsOf counts the alerts of several people that nobody acknowledged.
func (d *DB) OpenAlertsOf(ctx context.Context, who auth.Principal, clients []uuid.UUID) (map[uuid.UUID]int, error) {
	out := make(map[uuid.UUID]int, len(clients))
	if len(clients) == 0 {
		return out, nil
	}
	query, same := d.ofPeople(ctx, who, "alerts", clients...)
	counts := map[uuid.UUID]int{} // by person
	query = query.Select("client_id, COUNT(*)").Where("status = 'open'").Group("client_id")
	err := scanRows(query, "alerts", func(r *sql.Rows) error {
		var client uuid.UUID
		var n int
		if err := r.Scan(&client, &n); err != nil {
			return err
		}
		counts[same.person(client)] += n
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count alerts: %w", err)
	}
	for _, client := range clients {
		if n := counts[same.person(client)]; n > 0 {
			out[client] = n
		}
	}
	return out, nil
}

// FirstDueAlert reads when the next tier of an alert is to be told.
func (d *DB) FirstDueAlert(ctx context.Context, who auth.Principal) (*time.Time, error) {
	rows, err := all[alertRow](d.of(ctx, who, "alerts").Where("next_at IS NOT NULL").Order("next_at").Limit(1), "alerts")
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return timePtr(rows[0].NextAt), nil
}

// StandingAlerts reads the alerts of several people that are on their clocks.
func (d *DB) StandingAlerts(ctx context.Context, who auth.Principal, clients []uuid.UUID) ([]care.Alert, error) {
	query, same := d.ofPeople(ctx, who, "alerts", clients...)
	rows, err := all[alertRow](query.Where("next_at IS NOT NULL").Order("raised_at, id"), "alerts")
	out := convert(rows, alertFromRow)
	same.unite(len(out), func(i int) *uuid.UUID { return &out[i].ClientID })
	return out, err
}

// AlertsAbout reads and holds the alerts of an assessment.
func (d *DB) AlertsAbout(ctx context.Context, who auth.Principal, assessment uuid.UUID) ([]care.Alert, error) {
	query := d.dialect.lock(d.of(ctx, who, "alerts").Where("subject_id = ?", assessment).Order("id"))
	rows, err := all[alertRow](query, "alerts")
	return convert(rows, alertFromRow), err
}

// HoldAlert reads and holds an alert, and the open ones that repeat it.
func (d *DB) HoldAlert(ctx context.Context, who auth.Principal, id uuid.UUID) ([]care.Alert, error) {
	first, err := one[alertRow](d.dialect.lock(d.of(ctx, who, "alerts").Where("id = ?", id)), "alert")
	if err != nil {
		return nil, err
	}
	rest, err := all[alertRow](d.dialect.lock(d.of(ctx, who, "alerts").Where("repeat_of = ? AND status = 'open'", id).Order("id")), "alerts")
	return convert(append([]alertRow{first}, rest...), alertFromRow), err
}

// TakeDueAlerts reads and holds the alerts whose next tier is to be told.
func (d *DB) TakeDueAlerts(ctx context.Context, who auth.Principal, when time.Time, limit int) ([]care.Alert, error) {
	query := d.within(ctx, who, "alerts", "d").Where("d.next_at <= ?", at(when)).Order("d.next_at").Limit(limit)
	rows, err := all[alertRow](d.dialect.take(query), "alerts")
	return convert(rows, alertFromRow), err
}

// alertsAtOnce is how many rows one statement stores: SQLite takes 32,766 values.
const alertsAtOnce = 1800

// PutAlerts stores alerts as they are now, and adds to their histories.
func (d *DB) PutAlerts(ctx context.Context, who auth.Principal, alerts []care.Alert, steps []care.AlertStep) error {
	rows := convert(alerts, func(a care.Alert) alertRow { return rowFromAlert(who.Clinic, a) })
	err := d.inserting(ctx, who, "alerts").Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "clinic_id"}, {Name: "id"}},
		DoUpdates: clause.AssignmentColumns([]string{
			"level", "status", "opened_at", "withdrawn", "repeat_of", "tier", "next_at", "steps",
		}),
	}).CreateInBatches(&rows, alertsAtOnce).Error
	if err != nil {
		return fmt.Errorf("store alerts: %w", err)
	}
	lines := convert(steps, func(s care.AlertStep) alertStepRow { return rowFromAlertStep(who.Clinic, s) })
	if err := d.inserting(ctx, who, "alert_steps").CreateInBatches(&lines, alertsAtOnce).Error; err != nil {
		return fmt.Errorf("store alert steps: %w", err)
	}
	return nil
}

type alertSettingsRow struct {
	ClinicID uuid.UUID
	Chain    document[[]care.Tier]
	Off      document[[]string]
}

// AlertSettings reads what the clinic has chosen for its alerts.
func (d *DB) AlertSettings(ctx context.Context, who auth.Principal) (care.AlertSettings, error) {
	rows, err := all[alertSettingsRow](d.of(ctx, who, "alert_settings"), "alert settings")
	if err != nil || len(rows) == 0 {
		return care.AlertSettings{Chain: care.DefaultChain()}, err
	}
	return care.AlertSettings{Chain: rows[0].Chain.V, Off: rows[0].Off.V}, nil
}

// PutAlertSettings replaces what the clinic has chosen for its alerts.
func (d *DB) PutAlertSettings(ctx context.Context, who auth.Principal, set care.AlertSettings) (care.AlertSettings, error) {
	if _, err := one[clinicRow](d.dialect.lock(d.own(ctx, who)), "clinic"); err != nil { // one choice at a time
		return care.AlertSettings{}, err
	}
	before, err := d.AlertSettings(ctx, who)
	if err != nil {
		return before, err
	}
	row := alertSettingsRow{ClinicID: who.Clinic, Chain: document[[]care.Tier]{set.Chain}, Off: document[[]string]{set.Off}}
	err = d.inserting(ctx, who, "alert_settings").Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "clinic_id"}}, DoUpdates: clause.AssignmentColumns([]string{"chain", "off"}),
	}).Create(&row).Error
	if err != nil {
		return before, fmt.Errorf("store alert settings: %w", err)
	}
	return before, nil
}
