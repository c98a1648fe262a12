//go:build unix

package store_test

import (
	"context"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// attemptsOnAlerts are those on what somebody has to look at, or to correct.
var attemptsOnAlerts = map[string]attempt{
	"Correction": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Correction(ctx, who, v.correction.ID)
	}},
	"Corrections": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Corrections(ctx, who, v.client.ID, page)
	}},
	"InsertCorrection": {refused, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.InsertCorrection(ctx, who, v.NewCorrection(v.client.ID, storetest.When))
	}},
	"DecideCorrection": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		v.correction.Status, v.correction.DecidedAt, v.correction.DecidedBy = care.CorrectionRefused, new(storetest.When), &who.Actor
		return db.DecideCorrection(ctx, who, v.correction)
	}},
	"Alert": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.Alert(ctx, who, v.alert.ID)
	}},
	"AlertSteps": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.AlertSteps(ctx, who, v.alert.ID)
	}},
	"Alerts": {empty, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		return db.Alerts(ctx, who, care.AlertFilter{}, page)
	}},
	"CountOpenAlerts": {empty, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		return db.CountOpenAlerts(ctx, who)
	}},
	"OpenAlertsOf": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.OpenAlertsOf(ctx, who, []uuid.UUID{v.client.ID})
	}},
	"FirstDueAlert": {empty, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		return db.FirstDueAlert(ctx, who)
	}},
	"StandingAlerts": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.StandingAlerts(ctx, who, []uuid.UUID{v.client.ID})
	}},
	"AlertsAbout": {empty, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.AlertsAbout(ctx, who, v.assessment.ID)
	}},
	"HoldAlert": {notFound, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return db.HoldAlert(ctx, who, v.alert.ID)
	}},
	"TakeDueAlerts": {empty, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		return db.TakeDueAlerts(ctx, who, storetest.When.AddDate(1, 0, 0), 10)
	}},
	"PutAlerts": {refused, func(ctx context.Context, db everything, who auth.Principal, v victim) (any, error) {
		return nil, db.PutAlerts(ctx, who, []care.Alert{v.alert}, nil)
	}},
	"AlertSettings": {empty, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		set, err := db.AlertSettings(ctx, who)
		return set.Off, err // the chain is the default
	}},
	"PutAlertSettings": {ownNow, func(ctx context.Context, db everything, who auth.Principal, _ victim) (any, error) {
		return db.PutAlertSettings(ctx, who, care.AlertSettings{Chain: care.DefaultChain(), Off: []string{"deteriorated"}})
	}},
}
