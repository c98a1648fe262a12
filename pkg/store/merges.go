package store

import (
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
)

type mergeRow struct {
	ClinicID  uuid.UUID
	ID        uuid.UUID
	Survivor  uuid.UUID
	Duplicate uuid.UUID
	Reason    string
	MergedAt  instant
	MergedBy  uuid.UUID
	UndoneAt  *instant
	UndoneBy  *uuid.UUID
}

func mergeFromRow(r mergeRow) care.Merge {
	return care.Merge{
		ID: r.ID, Survivor: r.Survivor, Duplicate: r.Duplicate, Reason: care.Private(r.Reason),
		MergedAt: r.MergedAt.Time, MergedBy: r.MergedBy, UndoneAt: timePtr(r.UndoneAt), UndoneBy: r.UndoneBy,
	}
}

func rowFromMerge(clinic uuid.UUID, m care.Merge) mergeRow {
	return mergeRow{
		ClinicID: clinic, ID: m.ID, Survivor: m.Survivor, Duplicate: m.Duplicate, Reason: string(m.Reason),
		MergedAt: at(m.MergedAt), MergedBy: m.MergedBy, UndoneAt: atPtr(m.UndoneAt), UndoneBy: m.UndoneBy,
	}
}
