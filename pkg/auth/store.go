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
	// TokenByHash finds a client's token of any clinic, and what it hangs on;
	// NotFound if there is none.
	TokenByHash(ctx context.Context, hash []byte) (TokenInUse, error)
	// AccountNow reads an account as it is now, and its clinic; NotFound if
	// there is none.
	AccountNow(ctx context.Context, clinic, id uuid.UUID) (Account, Clinic, error)
	// AccountNames gives the names of those of the accounts that the clinic has,
	// in one statement; unknown ones and those without a name are absent.
	AccountNames(ctx context.Context, who Principal, ids []uuid.UUID) (map[uuid.UUID]Personal, error)
	// AccountOfSubject is AccountNow by who somebody is to an identity provider.
	AccountOfSubject(ctx context.Context, clinic uuid.UUID, issuer, subject string) (Account, Clinic, error)
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
	// JoinTeamsOf makes a key a member of the care teams that another is a
	// member of now.
	JoinTeamsOf(ctx context.Context, who Principal, old, next uuid.UUID, now time.Time) error
	// EndKey stores when a key ends or was revoked, and what replaces it;
	// NotFound if the clinic has none such.
	EndKey(ctx context.Context, who Principal, k Key) error

	// Subject tells of a client what the minting of a token has to know, at a
	// time; NotFound if the clinic has none such.
	Subject(ctx context.Context, who Principal, client uuid.UUID, now time.Time) (Subject, error)
	// CreateToken stores a client's token.
	CreateToken(ctx context.Context, who Principal, t Token, hash []byte) error
	// Tokens lists a page of a client's tokens by id, starting behind after.
	Tokens(ctx context.Context, who Principal, client, after uuid.UUID, limit int) ([]Token, error)
	// Token finds a client's token of the clinic; NotFound if there is none.
	Token(ctx context.Context, who Principal, id uuid.UUID) (Token, error)
	// RevokeToken stores when a token was revoked; NotFound if there is none.
	RevokeToken(ctx context.Context, who Principal, t Token) error

	// HoldAccounts keeps others from changing whom the clinic has until the
	// transaction ends.
	HoldAccounts(ctx context.Context, who Principal) error
	// Accounts lists a page of a clinic's accounts by id, starting behind after.
	Accounts(ctx context.Context, who Principal, after uuid.UUID, limit int) ([]Account, error)
	// Owners lists the ids of the owners that are not disabled.
	Owners(ctx context.Context, who Principal) ([]uuid.UUID, error)
	// Account finds an account and its proofs, and keeps others from changing
	// them until the transaction ends; NotFound if the clinic has none such.
	Account(ctx context.Context, who Principal, id uuid.UUID) (Account, Proofs, error)
	// AccountByEmail is Account by the key of the address, without the lock.
	AccountByEmail(ctx context.Context, who Principal, emailKey string) (Account, Proofs, error)
	// AccountBySubject is Account by who somebody is to an identity provider,
	// without the lock.
	AccountBySubject(ctx context.Context, who Principal, issuer, subject string) (Account, Proofs, error)
	// CreateAccount stores an account; Conflict where another has its address.
	CreateAccount(ctx context.Context, who Principal, a Account, p Proofs) error
	// PutAccount replaces what is known of an account.
	PutAccount(ctx context.Context, who Principal, a Account, p Proofs) error
	// PutRecoveryCodes replaces the hashes of an account's recovery codes.
	PutRecoveryCodes(ctx context.Context, who Principal, account uuid.UUID, hashes [][]byte) error
	// TakeRecoveryCode deletes a recovery code and reports whether it was there.
	TakeRecoveryCode(ctx context.Context, who Principal, account uuid.UUID, hash []byte) (bool, error)
	// Guess lets fn read and change how often signing in to an account failed,
	// while others wait: from one address, and from all that are strange to
	// it. It is no change of the clinic's data, and needs no entry.
	Guess(ctx context.Context, who Principal, at GuessedAt, fn func(pair, strangers *Guesses) error) error
}
