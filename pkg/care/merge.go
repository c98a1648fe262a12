package care

import (
	"time"

	"github.com/google/uuid"
)

// Merge says that two records are of the same person. Nothing moves: the
// duplicate points to the survivor, so that it can be undone.
type Merge struct {
	ID        uuid.UUID
	Survivor  uuid.UUID // the record that stands for the person
	Duplicate uuid.UUID
	Reason    Private
	MergedAt  time.Time
	MergedBy  uuid.UUID
	UndoneAt  *time.Time // nil: it holds
	UndoneBy  *uuid.UUID
}
