package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

type accountRow struct {
	ClinicID     uuid.UUID
	ID           uuid.UUID
	Email        string
	EmailKey     string
	Name         string
	Role         string
	Password     *string
	TOTPSecret   *string  `gorm:"column:totp_secret"`
	TOTPSince    *instant `gorm:"column:totp_since"`
	TOTPStep     int64    `gorm:"column:totp_step"`
	Issuer       *string
	Subject      *string
	Epoch        int
	CreatedAt    instant
	DisabledAt   *instant
	LastSignInAt *instant
}

func accountFromRow(r accountRow) auth.Account {
	return auth.Account{
		ID: r.ID, Clinic: r.ClinicID, Email: auth.Personal(r.Email), Name: auth.Personal(r.Name), Role: auth.Role(r.Role),
		TOTPSince: timePtr(r.TOTPSince), Issuer: textOf(r.Issuer), Subject: textOf(r.Subject), Epoch: r.Epoch,
		CreatedAt: r.CreatedAt.Time, DisabledAt: timePtr(r.DisabledAt), LastSignInAt: timePtr(r.LastSignInAt),
	}
}

func proofsFromRow(r accountRow) auth.Proofs {
	return auth.Proofs{Password: auth.Secret(textOf(r.Password)), TOTP: auth.TOTPSecret(textOf(r.TOTPSecret)), TOTPStep: r.TOTPStep}
}

func rowFromAccount(clinic uuid.UUID, a auth.Account, p auth.Proofs) accountRow {
	return accountRow{
		ClinicID: clinic, ID: a.ID, Email: string(a.Email), EmailKey: a.EmailKey(), Name: string(a.Name), Role: string(a.Role),
		Password: textPtr(string(p.Password)), TOTPSecret: textPtr(string(p.TOTP)), TOTPSince: atPtr(a.TOTPSince), TOTPStep: p.TOTPStep,
		Issuer: textPtr(a.Issuer), Subject: textPtr(a.Subject), Epoch: a.Epoch,
		CreatedAt: at(a.CreatedAt), DisabledAt: atPtr(a.DisabledAt), LastSignInAt: atPtr(a.LastSignInAt),
	}
}

// textOf gives the empty text for null, and textPtr null for the empty text.
func textOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func textPtr(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// accountColumns are those that an account's own row may change.
var accountColumns = []string{
	"email", "email_key", "name", "role", "password", "totp_secret", "totp_since", "totp_step",
	"issuer", "subject", "epoch", "disabled_at", "last_sign_in_at",
}

// HoldAccounts holds the clinic, so that changes of its accounts that depend
// on each other come one at a time.
func (d *DB) HoldAccounts(ctx context.Context, who auth.Principal) error {
	return d.holdClinic(ctx, who)
}

// Accounts lists a page of the clinic's accounts by id.
func (d *DB) Accounts(ctx context.Context, who auth.Principal, after uuid.UUID, limit int) ([]auth.Account, error) {
	rows, err := all[accountRow](d.of(ctx, who, "accounts").Where("id > ?", after).Order("id").Limit(limit), "accounts")
	return convert(rows, accountFromRow), err
}

// Owners lists the ids of the clinic's owners that are not disabled.
func (d *DB) Owners(ctx context.Context, who auth.Principal) ([]uuid.UUID, error) {
	rows, err := all[identity](d.of(ctx, who, "accounts").Select("id").Where("role = ? AND disabled_at IS NULL", string(auth.Owner)), "owners")
	return convert(rows, func(r identity) uuid.UUID { return r.ID }), err
}

func proven(row accountRow, err error) (auth.Account, auth.Proofs, error) {
	if err != nil {
		return auth.Account{}, auth.Proofs{}, err
	}
	return accountFromRow(row), proofsFromRow(row), nil
}

// Account finds and locks an account of the clinic.
func (d *DB) Account(ctx context.Context, who auth.Principal, id uuid.UUID) (auth.Account, auth.Proofs, error) {
	return proven(one[accountRow](d.dialect.lock(d.of(ctx, who, "accounts").Where("id = ?", id)), "account"))
}

// AccountByEmail finds an account of the clinic by the key of its address.
func (d *DB) AccountByEmail(ctx context.Context, who auth.Principal, emailKey string) (auth.Account, auth.Proofs, error) {
	return proven(one[accountRow](d.of(ctx, who, "accounts").Where("email_key = ?", emailKey), "account"))
}

// AccountBySubject finds an account of the clinic by who somebody is elsewhere.
func (d *DB) AccountBySubject(ctx context.Context, who auth.Principal, issuer, subject string) (auth.Account, auth.Proofs, error) {
	return proven(one[accountRow](d.of(ctx, who, "accounts").Where("issuer = ? AND subject = ?", issuer, subject), "account"))
}

// AccountNow reads an account and its clinic, apart from any other transaction.
func (d *DB) AccountNow(ctx context.Context, clinic, id uuid.UUID) (auth.Account, auth.Clinic, error) {
	return d.accountNow(ctx, clinic, func(q *gorm.DB) *gorm.DB { return q.Where("id = ?", id) })
}

// AccountNames gives the names of accounts of the clinic, apart from any other
// transaction.
func (d *DB) AccountNames(ctx context.Context, who auth.Principal, ids []uuid.UUID) (names map[uuid.UUID]auth.Personal, err error) {
	if who.Clinic == uuid.Nil {
		return nil, errNoClinic
	}
	names = map[uuid.UUID]auth.Personal{}
	err = d.inClinic(ctx, who.Clinic, func(tx *DB) error {
		rows, err := all[accountRow](tx.of(ctx, who, "accounts").Select("id", "name").Where("id IN ? AND name <> ''", ids), "names of accounts")
		for _, r := range rows {
			names[r.ID] = auth.Personal(r.Name)
		}
		return err
	})
	return names, err
}

// AccountOfSubject is AccountNow by who somebody is to an identity provider.
func (d *DB) AccountOfSubject(ctx context.Context, clinic uuid.UUID, issuer, subject string) (auth.Account, auth.Clinic, error) {
	return d.accountNow(ctx, clinic, func(q *gorm.DB) *gorm.DB { return q.Where("issuer = ? AND subject = ?", issuer, subject) })
}

func (d *DB) accountNow(ctx context.Context, clinic uuid.UUID, whose func(*gorm.DB) *gorm.DB) (a auth.Account, c auth.Clinic, err error) {
	if clinic == uuid.Nil {
		return a, c, errNoClinic
	}
	err = d.inClinic(ctx, clinic, func(tx *DB) error {
		row, err := one[accountRow](whose(tx.of(ctx, auth.Principal{Clinic: clinic}, "accounts")), "account")
		if err != nil {
			return err
		}
		a = accountFromRow(row)
		c, err = tx.clinic(ctx, clinic)
		return err
	})
	return a, c, err
}

var errAddressTaken = fault.New(fault.Conflict, "Another account of this clinic has this address.",
	fault.Detail{Pointer: "/email", Code: "email_taken", Message: "Addresses are unique in the clinic."})

// CreateAccount stores an account of the principal's clinic.
func (d *DB) CreateAccount(ctx context.Context, who auth.Principal, a auth.Account, p auth.Proofs) error {
	row := rowFromAccount(who.Clinic, a, p)
	err := d.inserting(ctx, who, "accounts").Create(&row).Error
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return errAddressTaken
	}
	if err != nil {
		return fmt.Errorf("insert account: %w", err)
	}
	return nil
}

// PutAccount replaces what is known of an account.
func (d *DB) PutAccount(ctx context.Context, who auth.Principal, a auth.Account, p auth.Proofs) error {
	row := rowFromAccount(who.Clinic, a, p)
	put := d.writing(ctx, who, "accounts").Where("id = ?", a.ID).Select(accountColumns).Updates(&row)
	if errors.Is(put.Error, gorm.ErrDuplicatedKey) {
		return errAddressTaken
	}
	if put.Error != nil {
		return fmt.Errorf("update account: %w", put.Error)
	}
	if put.RowsAffected == 0 {
		return fault.New(fault.NotFound, "There is no such account.")
	}
	return nil
}

type recoveryCodeRow struct {
	ClinicID  uuid.UUID
	AccountID uuid.UUID
	Hash      []byte
}

// PutRecoveryCodes replaces the hashes of an account's recovery codes.
func (d *DB) PutRecoveryCodes(ctx context.Context, who auth.Principal, account uuid.UUID, hashes [][]byte) error {
	err := d.writing(ctx, who, "recovery_codes").Where("account_id = ?", account).Delete(&recoveryCodeRow{}).Error
	if err == nil && len(hashes) > 0 {
		rows := make([]recoveryCodeRow, len(hashes))
		for i, h := range hashes {
			rows[i] = recoveryCodeRow{ClinicID: who.Clinic, AccountID: account, Hash: h}
		}
		err = d.inserting(ctx, who, "recovery_codes").Create(&rows).Error
	}
	if err != nil {
		return fmt.Errorf("replace recovery codes: %w", err)
	}
	return nil
}

// TakeRecoveryCode deletes a recovery code, which is good once. One that is not
// there changes nothing.
func (d *DB) TakeRecoveryCode(ctx context.Context, who auth.Principal, account uuid.UUID, hash []byte) (bool, error) {
	taken := d.of(ctx, who, "recovery_codes").Where("account_id = ? AND hash = ?", account, hash).Delete(&recoveryCodeRow{})
	if taken.Error != nil {
		return false, fmt.Errorf("take recovery code: %w", taken.Error)
	}
	if taken.RowsAffected == 0 {
		return false, nil
	}
	d.change()
	return true, nil
}
