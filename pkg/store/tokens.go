package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

type tokenRow struct {
	ClinicID  uuid.UUID
	ClientID  uuid.UUID
	ID        uuid.UUID
	Hash      []byte
	MintedBy  uuid.UUID
	CreatedAt instant
	ExpiresAt instant
	RevokedAt *instant
}

func tokenFromRow(r tokenRow) auth.Token {
	return auth.Token{
		ID: r.ID, Clinic: r.ClinicID, Client: r.ClientID, MintedBy: r.MintedBy,
		CreatedAt: r.CreatedAt.Time, ExpiresAt: r.ExpiresAt.Time, RevokedAt: timePtr(r.RevokedAt),
	}
}

func rowFromToken(clinic uuid.UUID, t auth.Token, hash []byte) tokenRow {
	return tokenRow{
		ClinicID: clinic, ClientID: t.Client, ID: t.ID, Hash: hash, MintedBy: t.MintedBy,
		CreatedAt: at(t.CreatedAt), ExpiresAt: at(t.ExpiresAt), RevokedAt: atPtr(t.RevokedAt),
	}
}

// tokenInUseRow is what a token's life hangs on besides itself.
type tokenInUseRow struct {
	ErasedAt        *instant
	KeyRevokedAt    *instant
	KeyExpiresAt    *instant
	AccountDisabled *instant
	Care            *string // what stands of the consent to care
}

// minterEnds is when the credential that minted a token ends, or ended.
func (r tokenInUseRow) minterEnds() *time.Time {
	var end *time.Time
	for _, t := range []*instant{r.KeyRevokedAt, r.KeyExpiresAt, r.AccountDisabled} {
		if t != nil && (end == nil || t.Before(*end)) {
			end = &t.Time
		}
	}
	return end
}

// TokenByHash finds a token of any clinic: it is how the clinic is found out.
// What it hangs on is read as that clinic, in the same transaction.
func (d *DB) TokenByHash(ctx context.Context, hash []byte) (t auth.TokenInUse, err error) {
	if len(hash) == 0 {
		return t, errNoToken
	}
	err = d.shown(ctx, hash, func(tx *DB) error {
		row, err := one[tokenRow](tx.read.WithContext(ctx).Table("client_tokens").Where("hash = ?", hash), "token")
		if err != nil {
			return err
		}
		if err := tx.dialect.enter(tx.read.WithContext(ctx), row.ClinicID, nil); err != nil {
			return err
		}
		care := tx.careConsent(ctx, auth.System(row.ClinicID), row.ClientID)
		on, err := one[tokenInUseRow](tx.read.WithContext(ctx).Table("clients AS c").
			Select("c.erased_at, k.revoked_at AS key_revoked_at, k.expires_at AS key_expires_at, a.disabled_at AS account_disabled, (?) AS care", care).
			Joins("LEFT JOIN api_keys AS k ON k.clinic_id = c.clinic_id AND k.id = ?", row.MintedBy).
			Joins("LEFT JOIN accounts AS a ON a.clinic_id = c.clinic_id AND a.id = ?", row.MintedBy).
			Where("c.clinic_id = ? AND c.id = ?", row.ClinicID, row.ClientID), "client")
		t = auth.TokenInUse{Token: tokenFromRow(row), Erased: on.ErasedAt != nil, Withdrawn: withdrawn(on.Care), MinterEnds: on.minterEnds()}
		return err
	})
	return t, err
}

var errNoToken = fault.New(fault.NotFound, "There is no such token.")

type subjectOfTokenRow struct {
	ErasedAt   *instant
	MergedInto *uuid.UUID
	Care       *string
}

// Subject tells of a client what the minting of a token has to know.
func (d *DB) Subject(ctx context.Context, who auth.Principal, client uuid.UUID, now time.Time) (auth.Subject, error) {
	// Locked, so that no erasure and no withdrawal comes in between.
	if _, err := d.lockClients(ctx, who, []uuid.UUID{client}); err != nil {
		return auth.Subject{}, err
	}
	care := d.careConsent(ctx, who, client).Where("(at <= ? OR recorded_at <= ?)", at(now), at(now))
	row, err := one[subjectOfTokenRow](d.of(ctx, who, "clients").
		Select("erased_at, merged_into, (?) AS care", care).Where("id = ?", client), "client")
	return auth.Subject{
		Erased: row.ErasedAt != nil, Merged: row.MergedInto != nil,
		CareWithdrawn: withdrawn(row.Care),
	}, err
}

// careConsent selects what stands of a person's consent to care: what was said
// last, of two said at one time what was recorded last, and of two that cannot
// be told apart the withdrawal, as care.Consents.Stands has it. What a fast clock dates ahead counts from when
// it was recorded, and so is never in the future.
func (d *DB) careConsent(ctx context.Context, who auth.Principal, client uuid.UUID) *gorm.DB {
	query, _ := d.ofPeople(ctx, who, "consents", client)
	return query.Select("status").Where("scope = 'care'").
		Order("CASE WHEN recorded_at < at THEN recorded_at ELSE at END DESC, recorded_at DESC, status DESC, id DESC").Limit(1)
}

// withdrawn reads what stands of a consent; nothing was said is no withdrawal.
func withdrawn(status *string) bool { return status != nil && *status == "withdrawn" }

// CreateToken stores a token of the principal's clinic.
func (d *DB) CreateToken(ctx context.Context, who auth.Principal, t auth.Token, hash []byte) error {
	row := rowFromToken(who.Clinic, t, hash)
	if err := d.inserting(ctx, who, "client_tokens").Create(&row).Error; err != nil {
		return fmt.Errorf("insert token: %w", err)
	}
	return nil
}

// Tokens lists a page of a client's tokens by id.
func (d *DB) Tokens(ctx context.Context, who auth.Principal, client, after uuid.UUID, limit int) ([]auth.Token, error) {
	query, _ := d.ofPeople(ctx, who, "client_tokens", client)
	rows, err := all[tokenRow](query.Where("id > ?", after).Order("id").Limit(limit), "tokens")
	return convert(rows, tokenFromRow), err
}

// Token finds a token of the clinic.
func (d *DB) Token(ctx context.Context, who auth.Principal, id uuid.UUID) (auth.Token, error) {
	row, err := one[tokenRow](d.of(ctx, who, "client_tokens").Where("id = ?", id), "token")
	return tokenFromRow(row), err
}

// RevokeToken stores when a token was revoked.
func (d *DB) RevokeToken(ctx context.Context, who auth.Principal, t auth.Token) error {
	ended := d.writing(ctx, who, "client_tokens").Where("id = ?", t.ID).Updates(map[string]any{"revoked_at": atPtr(t.RevokedAt)})
	if ended.Error != nil {
		return fmt.Errorf("revoke token: %w", ended.Error)
	}
	if ended.RowsAffected == 0 {
		return errNoToken
	}
	return nil
}
