package auth

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
)

// Clinic is a tenant.
type Clinic struct {
	ID        uuid.UUID
	Slug      string // unique; lower-case letters, digits and hyphens
	CreatedAt time.Time
	CareTeams bool // a clinician sees the clients of their care teams only
}

// Store keeps clinics and credentials. Every method but those that find out
// who is asking takes the clinic from a principal or a clinic already found.
type Store interface {
	// KeyByHash finds a key of any clinic, and its clinic, by the key's hash;
	// NotFound if there is none.
	KeyByHash(ctx context.Context, hash []byte) (Key, Clinic, error)
	// ClinicBySlug finds a clinic by its slug; NotFound if there is none.
	ClinicBySlug(ctx context.Context, slug string) (Clinic, error)
	// FoundClinic stores a clinic, its first key and the entry that tells of
	// it, together, unless the slug is taken; founded says whether this call did it.
	FoundClinic(ctx context.Context, c Clinic, k Key, hash []byte, entry audit.Entry) (founded bool, err error)
	// Manage runs fn in one transaction, and again if the database asks for
	// that. A change that fn does not note fails.
	Manage(ctx context.Context, who Principal, fn func(Tx) error) error
	// KeyUsed notes when a key was last used. It leaves no audit entry.
	KeyUsed(ctx context.Context, who Principal, id uuid.UUID, at time.Time) error
}

// Tx is a transaction on a clinic's credentials: it reads what it wrote, and is
// stored whole or not.
type Tx interface {
	// Note adds entries to the audit trail; they are stored with the transaction.
	Note(entries ...audit.Entry)
	// Keys lists a page of a clinic's keys by id, starting behind after.
	Keys(ctx context.Context, who Principal, after uuid.UUID, limit int) ([]Key, error)
	// Key finds a key of the principal's clinic; NotFound if there is none.
	Key(ctx context.Context, who Principal, id uuid.UUID) (Key, error)
	// CreateKey stores a key.
	CreateKey(ctx context.Context, who Principal, k Key, hash []byte) error
	// EndKey stores when a key ends or was revoked, and what replaces it;
	// NotFound if the clinic has none such.
	EndKey(ctx context.Context, who Principal, k Key) error
}
