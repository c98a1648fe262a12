package auth

import (
	"context"
	"crypto/rand"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/fault"
)

// Personal is an address or a name of somebody on the staff. It prints as ***
// so that it cannot reach a log; string(p) is the deliberate way out.
type Personal string

// String hides the text.
func (Personal) String() string { return "***" }

// GoString hides the text from %#v.
func (Personal) GoString() string { return "***" }

// MarshalText hides the text from JSON: wire types hold plain strings.
func (Personal) MarshalText() ([]byte, error) { return []byte("***"), nil }

// LogValue hides the text from slog.
func (Personal) LogValue() slog.Value { return slog.StringValue("***") }

// Account is a person who signs in to one clinic.
type Account struct {
	ID           uuid.UUID
	Clinic       uuid.UUID
	Email        Personal // as it was typed; empty where an identity provider says none
	Name         Personal
	Role         Role
	TOTPSince    *time.Time // since when a second factor is asked for; nil: it is not
	Issuer       string     // of OpenID Connect; empty: signs in here
	Subject      string
	Epoch        int // a browser session of an earlier epoch has ended
	CreatedAt    time.Time
	DisabledAt   *time.Time // nil: may sign in
	LastSignInAt *time.Time // nil: never
}

// EmailKey is what addresses are compared by, and what is unique in a clinic.
// An account without an address has a key that nobody can type.
func (a Account) EmailKey() string {
	if key, ok := emailKey(a.Email); ok {
		return key
	}
	return a.ID.String()
}

// fields are what the audit trail may tell of a change: who somebody is, it
// tells by the account's id alone.
func (a Account) fields() []audit.Field {
	disabled := ""
	if a.DisabledAt != nil {
		disabled = a.DisabledAt.Format(time.RFC3339Nano)
	}
	return []audit.Field{
		{Name: "email", Value: string(a.Email), Private: true},
		{Name: "name", Value: string(a.Name), Private: true},
		{Name: "role", Value: string(a.Role)},
		{Name: "disabled_at", Value: disabled},
	}
}

// Proofs are what an account proves itself with.
type Proofs struct {
	Password Secret     // the argon2id hash in PHC form; empty: signs in elsewhere
	TOTP     TOTPSecret // empty: no second factor; it counts from Account.TOTPSince on
	TOTPStep int64      // the last time step of which a code was used
}

// Passwords hashes passwords and compares them. *Hasher is the one that is
// used; a test counts what is asked of it.
type Passwords interface {
	Hash(ctx context.Context, p Password) (string, error)
	Verify(ctx context.Context, p Password, stored string) (ok, rehash bool, err error)
	VerifyNothing(ctx context.Context, p Password) error
}

// AccountRoles lists every role that an account may have.
func AccountRoles() []Role { return []Role{Owner, Admin, Clinician, Researcher} }

// NewAccount is what a caller says of an account to be made.
type NewAccount struct {
	Email    Personal
	Name     Personal
	Role     Role
	Password Password // empty: one is generated
}

// Lengths of what is stored of a person.
const (
	maxEmail = 254 // bytes, as RFC 5321 allows
	maxName  = 200 // characters
)

// emailKey gives the form in which an address is compared: NFKC, in lower
// case. It is not ok for a text that cannot be an address.
func emailKey(email Personal) (string, bool) {
	if !utf8.ValidString(string(email)) {
		return "", false
	}
	key := strings.ToLower(norm.NFKC.String(strings.TrimSpace(string(email))))
	local, domain, found := strings.Cut(key, "@")
	odd := func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r) || strings.ContainsRune(`@:,;<>()[]"\`, r)
	}
	if !found || local == "" || domain == "" || len(key) > maxEmail || strings.ContainsFunc(local, odd) || strings.ContainsFunc(domain, odd) {
		return "", false
	}
	return key, true
}

// CheckNewAccount lists what is wrong with an account that is to be made.
func (s *Service) CheckNewAccount(in NewAccount) []fault.Detail {
	var details []fault.Detail
	if _, ok := emailKey(in.Email); !ok {
		details = append(details, fault.Detail{Pointer: "/email", Code: "not_an_address", Message: "This is an email address such as ada@clinic.example."})
	}
	details = append(details, checkName(in.Name)...)
	details = append(details, checkAccountRole(in.Role)...)
	if in.Password != "" {
		details = append(details, CheckPassword(in.Password, string(in.Email), string(in.Name))...)
	}
	return details
}

func checkName(name Personal) []fault.Detail {
	text := string(name)
	if strings.TrimSpace(text) == "" || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) || utf8.RuneCountInString(text) > maxName {
		return []fault.Detail{{Pointer: "/name", Code: "not_a_name", Message: "A name has 1 to 200 characters on one line."}}
	}
	return nil
}

func checkAccountRole(r Role) []fault.Detail {
	if slices.Contains(AccountRoles(), r) {
		return nil
	}
	return []fault.Detail{{Pointer: "/role", Code: "unknown_role", Message: "The role of a person is owner, admin, clinician or researcher."}}
}

// generatedGroup is how many characters of a generated password stand together.
const generatedGroup = 5

// newPassword makes a password of at least 120 bits, to be typed once.
func newPassword() Password {
	text := strings.ToLower(rand.Text())
	var groups []string
	for at := 0; at+generatedGroup <= len(text); at += generatedGroup {
		groups = append(groups, text[at:at+generatedGroup])
	}
	return Password(strings.Join(groups, "-"))
}
