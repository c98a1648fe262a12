package rest

import (
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// AccountRequest asks for the account of a person who signs in here.
type AccountRequest struct {
	Email    string `json:"email" validate:"required,max=254,line" example:"ada@clinic.example"` // unique in the clinic, whatever its case
	Name     string `json:"name" validate:"required,max=200,line" example:"Ada Byron"`
	Role     string `json:"role" validate:"required,oneof=owner admin clinician researcher" enums:"owner,admin,clinician,researcher"`
	Password string `json:"password,omitempty" validate:"max=512"` // absent: one is generated and shown in the answer
} //	@name	AccountRequest

// AccountChangeRequest is what changes of an account; what is absent stays.
type AccountChangeRequest struct {
	Name     *string `json:"name,omitempty" validate:"omitempty,min=1,max=200,line"`
	Role     *string `json:"role,omitempty" validate:"omitempty,oneof=owner admin clinician researcher" enums:"owner,admin,clinician,researcher"`
	Disabled *bool   `json:"disabled,omitempty"` // true: may not sign in, and is signed out everywhere
} //	@name	AccountChangeRequest

// Account is a person who signs in.
type Account struct {
	ID           uuid.UUID  `json:"id" swaggertype:"string" format:"uuid"`
	Email        string     `json:"email"`
	Name         string     `json:"name"`
	Role         string     `json:"role" enums:"owner,admin,clinician,researcher"`
	Disabled     bool       `json:"disabled"`
	SecondFactor bool       `json:"second_factor"`                  // a code is asked for besides the password
	Issuer       *string    `json:"issuer" extensions:"x-nullable"` // the identity provider; null: signs in here
	CreatedAt    time.Time  `json:"created_at" format:"date-time"`
	DisabledAt   *time.Time `json:"disabled_at" format:"date-time" extensions:"x-nullable"`
	LastSignInAt *time.Time `json:"last_sign_in_at" format:"date-time" extensions:"x-nullable"`
} //	@name	Account

// CreatedAccount is an account with its password where that was generated,
// which is shown this once.
type CreatedAccount struct {
	Account
	Password string `json:"password,omitempty,omitzero"`
} //	@name	CreatedAccount

// PasswordReset is a generated password, which is shown this once.
type PasswordReset struct {
	AccountID uuid.UUID `json:"account_id" swaggertype:"string" format:"uuid"`
	Password  string    `json:"password"`
} //	@name	PasswordReset

func (r AccountRequest) toAuth() auth.NewAccount {
	return auth.NewAccount{Email: auth.Personal(r.Email), Name: auth.Personal(r.Name), Role: auth.Role(r.Role), Password: auth.Password(r.Password)}
}

func (r AccountChangeRequest) toAuth() auth.AccountChange {
	change := auth.AccountChange{Disabled: r.Disabled}
	if r.Name != nil {
		change.Name = new(auth.Personal(*r.Name))
	}
	if r.Role != nil {
		change.Role = new(auth.Role(*r.Role))
	}
	return change
}

func accountFromAuth(a auth.Account) Account {
	out := Account{
		ID: a.ID, Email: string(a.Email), Name: string(a.Name), Role: string(a.Role),
		Disabled: a.DisabledAt != nil, SecondFactor: a.TOTPSince != nil,
		CreatedAt: a.CreatedAt, DisabledAt: a.DisabledAt, LastSignInAt: a.LastSignInAt,
	}
	if a.Issuer != "" {
		out.Issuer = &a.Issuer
	}
	return out
}

// createAccount makes an account of the caller's clinic.
//
//	@Summary		Create an account
//	@Description	A person who signs in with an address and a password. Nobody makes an account that may do more than they may themselves.
//	@Tags			accounts
//	@Accept			json
//	@Produce		json
//	@Param			account	body		AccountRequest	true	"The account"
//	@Success		201		{object}	CreatedAccount
//	@Failure		400,401,403,409,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/accounts [post]
func (h *Handlers) createAccount(c echo.Context, who auth.Principal) error {
	in, err := bindWhole(c, func() AccountRequest { return AccountRequest{} },
		func(r AccountRequest) []fault.Detail { return h.Keys.CheckNewAccount(r.toAuth()) })
	if err != nil {
		return err
	}
	a, password, err := h.Keys.CreateAccount(c.Request().Context(), who, in.toAuth())
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderLocation, "/v1/accounts/"+a.ID.String())
	return render(c, http.StatusCreated, CreatedAccount{Account: accountFromAuth(a), Password: string(password)})
}

// listAccounts lists the clinic's accounts.
//
//	@Summary	List accounts
//	@Tags		accounts
//	@Produce	json
//	@Param		limit	query		int		false	"At most so many"	minimum(1)	maximum(200)	default(50)
//	@Param		cursor	query		string	false	"next_cursor of the page before"
//	@Success	200		{object}	Page[Account]
//	@Failure	401,403,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/accounts [get]
func (h *Handlers) listAccounts(c echo.Context, who auth.Principal) error {
	q := query(c)
	page := q.page(accountList)
	if err := q.Err(); err != nil {
		return err
	}
	accounts, err := h.Keys.Accounts(c.Request().Context(), who, page.After.ID, page.Limit)
	if err != nil {
		return err
	}
	return ok(c, pageOf(q, accounts, page, accountFromAuth, func(a auth.Account) care.Position { return care.Position{ID: a.ID} }))
}

// getAccount returns an account.
//
//	@Summary	Get an account
//	@Tags		accounts
//	@Produce	json
//	@Param		account_id	path		string	true	"Account"	format(uuid)
//	@Success	200			{object}	Account
//	@Failure	401,403,404,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/accounts/{account_id} [get]
func (h *Handlers) getAccount(c echo.Context, who auth.Principal) error {
	id, err := pathID(c, "account_id")
	if err != nil {
		return err
	}
	a, err := h.Keys.Account(c.Request().Context(), who, id)
	if err != nil {
		return err
	}
	return ok(c, accountFromAuth(a))
}

// updateAccount changes the members of an account that are sent.
//
//	@Summary		Change an account
//	@Description	What is absent or null stays. Another role, and being disabled, end the person's browser sessions at once. A clinic keeps at least one owner once it has one.
//	@Tags			accounts
//	@Accept			json
//	@Produce		json
//	@Param			account_id	path		string					true	"Account"	format(uuid)
//	@Param			account		body		AccountChangeRequest	true	"What changes"
//	@Success		200			{object}	Account
//	@Failure		400,401,403,404,409,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/accounts/{account_id} [patch]
func (h *Handlers) updateAccount(c echo.Context, who auth.Principal) error {
	id, err := pathID(c, "account_id")
	if err != nil {
		return err
	}
	in, err := bindWhole(c, func() AccountChangeRequest { return AccountChangeRequest{} },
		func(r AccountChangeRequest) []fault.Detail { return h.Keys.CheckAccountChange(r.toAuth()) })
	if err != nil {
		return err
	}
	a, err := h.Keys.UpdateAccount(c.Request().Context(), who, id, in.toAuth())
	if err != nil {
		return err
	}
	return ok(c, accountFromAuth(a))
}

// resetPassword gives an account a generated password.
//
//	@Summary		Reset an account's password
//	@Description	The password is in this answer only; the person is signed out everywhere. There is no body.
//	@Tags			accounts
//	@Produce		json
//	@Param			account_id	path		string	true	"Account"	format(uuid)
//	@Success		200			{object}	PasswordReset
//	@Failure		401,403,404,409,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/accounts/{account_id}/password-reset [post]
func (h *Handlers) resetPassword(c echo.Context, who auth.Principal) error {
	id, err := pathID(c, "account_id")
	if err != nil {
		return err
	}
	password, err := h.Keys.ResetPassword(c.Request().Context(), who, id)
	if err != nil {
		return err
	}
	return ok(c, PasswordReset{AccountID: id, Password: string(password)})
}
