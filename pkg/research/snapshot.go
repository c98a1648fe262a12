package research

import (
	"regexp"
	"time"

	"github.com/google/uuid"
)

// Snapshot is an export that was frozen under a name: what was asked for, as of
// when, by which versions of the instruments, and whose data it held. The data
// is not copied. It is read again whenever the package is pulled, and is the
// same to the last byte unless somebody has withdrawn since, who is then named
// by pseudonym.
type Snapshot struct {
	ID        uuid.UUID
	Name      string
	Frozen    Frozen
	AsOf      time.Time
	Manifest  []byte // as it was first handed out
	Signature []byte // of the manifest
	CreatedAt time.Time
	CreatedBy uuid.UUID
}

// Frozen is what the bytes of a snapshot depend on besides the record. It is
// stored as JSON; hence the tags.
type Frozen struct {
	Request  Request                    `json:"request"`        // with as_of, and the instruments that there were
	Versions map[string]string          `json:"versions"`       // of the instruments
	Rules    map[string]string          `json:"rules"`          // change rule set by instrument, as the clinic had chosen
	Rare     map[string]map[string]bool `json:"rare,omitempty"` // values that were merged into other, by column
	LeftOut  LeftOut                    `json:"left_out"`
	Program  string                     `json:"program"` // version of the program that made it
}

// snapshotName is what a snapshot may be called: a part of its files' names.
var snapshotName = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,62}$`)
