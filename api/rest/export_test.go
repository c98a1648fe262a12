package rest

import (
	"github.com/protrack/protrack/api/cursor"
	"github.com/protrack/protrack/api/question"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// What the fuzz tests of this package read.
var (
	ParseCursor  = parseCursor
	FormatCursor = cursor.Format
	ParseID      = question.ParseID
	Lists        = []string{clientList, courseList, sessionList, assessmentList, versionList, keyList, disclosureList, auditList, mergeList, cohortList, caseloadList + "change"}
)

// DecodeAssessment reads an assessment strictly.
func DecodeAssessment(body []byte) (AssessmentRequest, []fault.Detail, error) {
	return decode(body, func() AssessmentRequest { return AssessmentRequest{} }, new(rereading))
}

// DecodeSessionPatch reads a patch of a session.
func DecodeSessionPatch(body []byte, current care.Session) (SessionRequest, []fault.Detail, error) {
	return decode(body, func() SessionRequest { return requestFromSession(current) }, new(rereading))
}
