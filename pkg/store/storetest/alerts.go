package storetest

import (
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/alert"
	"github.com/protrack/protrack/pkg/care"
)

// NewAlert is an open alert of an assessment, on its clock.
func NewAlert(client, assessment uuid.UUID) care.Alert {
	return care.Alert{
		ID: NewID(), ClientID: client, AssessmentID: &assessment, Rule: "item9_endorsed", Level: alert.High, Status: care.AlertOpen,
		RaisedAt: When, OpenedAt: When, AnsweredAt: When, ReceivedAt: When, NextAt: new(When.Add(5 * time.Minute)), Steps: 1,
	}
}

// NewAlertStep is a line of an alert's history.
func NewAlertStep(a care.Alert, n int) care.AlertStep {
	return care.AlertStep{AlertID: a.ID, ClientID: a.ClientID, N: n, At: When, Deed: care.WasRaised, Level: a.Level, Status: a.Status, Note: "a note"}
}
