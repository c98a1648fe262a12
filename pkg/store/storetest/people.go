//go:build unix

package storetest

import (
	"crypto/sha256"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// newToken stores a client and a token of theirs that a new key minted.
func newToken(t *testing.T, c *Clinic) (token auth.Token, hash []byte, key auth.Key) {
	t.Helper()
	key, keyHash := newKey()
	client := c.NewClient("P-" + key.ID.String())
	c.Insert(t, client)
	id := NewID()
	sum := sha256.Sum256(id[:])
	token = auth.Token{
		ID: id, Clinic: c.Who.Clinic, Client: client.ID, MintedBy: key.ID, CreatedAt: stored(When), ExpiresAt: stored(When.Add(time.Hour)),
	}
	err := errors.Join(c.CreateKey(t.Context(), c.Who, key, keyHash), c.CreateToken(t.Context(), c.Who, token, sum[:]))
	if err != nil {
		t.Fatal(err)
	}
	return token, sum[:], key
}

var tokens = []promise{
	{"a client's token is found by its hash, whole, and by no other hash", func(t *testing.T, c *Clinic) {
		token, hash, _ := newToken(t, c)
		got, err := c.TokenByHash(t.Context(), hash)
		same(t, auth.TokenInUse{Token: token}, got, err)
		for what, h := range map[string][]byte{"none": nil, "empty": {}, "a prefix": hash[:31], "zeros": make([]byte, 32)} {
			if _, err := c.TokenByHash(t.Context(), h); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if _, _, err := c.KeyByHash(t.Context(), hash); !fault.Is(err, fault.NotFound) {
			t.Errorf("as a key: %v", err)
		}
	}},
	{"a client's token tells when it or who minted it ended", func(t *testing.T, c *Clinic) {
		token, hash, key := newToken(t, c)
		token.RevokedAt = new(stored(When.Add(time.Second)))
		if err := c.RevokeToken(t.Context(), c.Who, token); err != nil {
			t.Fatal(err)
		}
		want := auth.TokenInUse{Token: token}
		for _, end := range []time.Time{When.Add(time.Hour), When.Add(time.Minute)} {
			if key.ExpiresAt == nil {
				key.ExpiresAt = &end
			} else {
				key.RevokedAt = &end // the earlier of the two counts
			}
			if err := c.EndKey(t.Context(), c.Who, key); err != nil {
				t.Fatal(err)
			}
			want.MinterEnds = new(stored(end))
			got, err := c.TokenByHash(t.Context(), hash)
			same(t, want, got, err)
		}
	}},
	{"a client's tokens are listed by id, and nobody else's", func(t *testing.T, c *Clinic) {
		first, _, _ := newToken(t, c)
		newToken(t, c)
		second := first
		second.ID = NewID()
		if err := c.CreateToken(t.Context(), c.Who, second, []byte(second.ID.String())); err != nil {
			t.Fatal(err)
		}
		got, err := c.Tokens(t.Context(), c.Who, first.Client, uuid.Nil, 9)
		same(t, []auth.Token{first, second}, got, err)
		got, err = c.Tokens(t.Context(), c.Who, first.Client, first.ID, 9)
		same(t, []auth.Token{second}, got, err)
	}},
	{"the consent to care that counts is the latest that is not of the future", func(t *testing.T, c *Clinic) {
		client := c.NewClient("P-1")
		c.Insert(t, client)
		raw := c.Raw(t)
		insert := func(scope, status string, at time.Time) {
			when := "'" + at.UTC().Format("2006-01-02 15:04:05.999999") + "+00'"
			if c.Dialect == "sqlite" {
				when = strconv.FormatInt(at.UnixMicro(), 10)
			}
			_, err := raw.ExecContext(t.Context(), "INSERT INTO consents (clinic_id, client_id, id, scope, status, at, text_version, recorded_at, recorded_by) VALUES ('"+
				c.Who.Clinic.String()+"', '"+client.ID.String()+"', '"+NewID().String()+"', '"+scope+"', '"+status+"', "+when+", '', "+when+", '"+c.Who.Actor.String()+"')")
			if err != nil {
				t.Fatal(err)
			}
		}
		withdrawn := func(want bool) {
			t.Helper()
			got, err := c.Subject(t.Context(), c.Who, client.ID, When)
			same(t, auth.Subject{CareWithdrawn: want}, got, err)
		}
		withdrawn(false) // never asked
		insert("research", "withdrawn", When.Add(-time.Hour))
		withdrawn(false)
		insert("care", "withdrawn", When.Add(-time.Hour))
		withdrawn(true)
		insert("care", "granted", When.Add(-2*time.Hour)) // recorded late
		withdrawn(true)
		insert("care", "granted", When.Add(time.Hour)) // from tomorrow
		withdrawn(true)
		insert("care", "granted", When)
		withdrawn(false)
	}},
}

// newAccount makes an account and its proofs.
func newAccount(email auth.Personal) (auth.Account, auth.Proofs) {
	a := auth.Account{ID: NewID(), Email: email, Name: "Zoë", Role: auth.Admin, Epoch: 1, CreatedAt: stored(When)}
	return a, auth.Proofs{Password: "a hash"}
}

var accounts = []promise{
	{"an account and its proofs are kept, whole, and changed, whole", func(t *testing.T, c *Clinic) {
		a, p := newAccount("Zoë@X.example")
		if err := c.CreateAccount(t.Context(), c.Who, a, p); err != nil {
			t.Fatal(err)
		}
		a.Clinic = c.Who.Clinic
		check := func() {
			t.Helper()
			got, proofs, err := c.Account(t.Context(), c.Who, a.ID)
			same(t, a, got, err)
			same(t, p, proofs, nil)
			got, proofs, err = c.AccountByEmail(t.Context(), c.Who, a.EmailKey())
			same(t, a, got, err)
			same(t, p, proofs, nil)
			got, clinic, err := c.AccountNow(t.Context(), c.Who.Clinic, a.ID)
			same(t, a, got, err)
			if clinic.ID != c.Who.Clinic {
				t.Errorf("it is of clinic %v", clinic.ID)
			}
			names, err := c.AccountNames(t.Context(), c.Who, []uuid.UUID{a.ID, NewID()})
			same(t, map[uuid.UUID]auth.Personal{a.ID: a.Name}, names, err)
			names, err = c.AccountNames(t.Context(), auth.Principal{Clinic: NewID()}, []uuid.UUID{a.ID})
			same(t, map[uuid.UUID]auth.Personal{}, names, err)
		}
		check()
		a.Email, a.Name, a.Role, a.Epoch, a.Issuer, a.Subject = "new@x.example", "new", auth.Owner, 7, "https://idp.example", "s"
		a.TOTPSince, a.DisabledAt, a.LastSignInAt = new(stored(When)), new(stored(When.Add(1e9))), new(stored(When.Add(2e9)))
		p = auth.Proofs{Password: "another", TOTP: "secret", TOTPStep: 1 << 40}
		if err := c.PutAccount(t.Context(), c.Who, a, p); err != nil {
			t.Fatal(err)
		}
		check()
		got, _, err := c.AccountOfSubject(t.Context(), c.Who.Clinic, a.Issuer, a.Subject)
		same(t, a, got, err)
		got, proofs, err := c.AccountBySubject(t.Context(), c.Who, a.Issuer, a.Subject)
		same(t, a, got, err)
		same(t, p, proofs, nil)
		a.TOTPSince, a.DisabledAt, a.LastSignInAt, a.Issuer, a.Subject, p = nil, nil, nil, "", "", auth.Proofs{}
		if err := c.PutAccount(t.Context(), c.Who, a, p); err != nil {
			t.Fatal(err)
		}
		check()
	}},
	{"an address is one account's in its clinic, and another's elsewhere", func(t *testing.T, c *Clinic) {
		for i, email := range []auth.Personal{"a@x.example", "A@X.EXAMPLE", "b@x.example"} {
			a, p := newAccount(email)
			if err := c.CreateAccount(t.Context(), c.Who, a, p); (err != nil) != (i == 1) || err != nil && !fault.Is(err, fault.Conflict) {
				t.Errorf("account %d: %v", i, err)
			}
			if i == 2 {
				a.Email = "a@x.example"
				if err := c.PutAccount(t.Context(), c.Who, a, p); !fault.Is(err, fault.Conflict) {
					t.Errorf("taken over: %v", err)
				}
			}
		}
		other := c.Database.Clinic(t)
		a, p := newAccount("a@x.example")
		if err := other.CreateAccount(t.Context(), other.Who, a, p); err != nil {
			t.Error(err)
		}
		for range 2 { // accounts without an address do not meet
			a, p := newAccount("")
			if err := c.CreateAccount(t.Context(), c.Who, a, p); err != nil {
				t.Error(err)
			}
		}
	}},
	{"the owners are those that are not disabled", func(t *testing.T, c *Clinic) {
		var want []uuid.UUID
		for _, x := range []struct {
			role     auth.Role
			disabled bool
		}{{auth.Owner, false}, {auth.Owner, true}, {auth.Admin, false}, {auth.Owner, false}} {
			a, p := newAccount("")
			a.Role = x.role
			if x.disabled {
				a.DisabledAt = new(When)
			} else if x.role == auth.Owner {
				want = append(want, a.ID)
			}
			if err := c.CreateAccount(t.Context(), c.Who, a, p); err != nil {
				t.Fatal(err)
			}
		}
		got, err := c.Owners(t.Context(), c.Who)
		slices.SortFunc(got, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
		same(t, want, got, err)
	}},
	{"a recovery code is there once, and of its own account", func(t *testing.T, c *Clinic) {
		a, p := newAccount("")
		b, _ := newAccount("")
		err := errors.Join(c.CreateAccount(t.Context(), c.Who, a, p), c.CreateAccount(t.Context(), c.Who, b, p),
			c.PutRecoveryCodes(t.Context(), c.Who, a.ID, [][]byte{{1}, {2}}))
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range []struct {
			account uuid.UUID
			hash    byte
			want    bool
		}{{b.ID, 1, false}, {a.ID, 3, false}, {a.ID, 1, true}, {a.ID, 1, false}, {a.ID, 2, true}} {
			if got, err := c.TakeRecoveryCode(t.Context(), c.Who, x.account, []byte{x.hash}); err != nil || got != x.want {
				t.Errorf("%d: %t, %v", i, got, err)
			}
		}
	}},
	{"a guess finds the counts as the last one left them", func(t *testing.T, c *Clinic) {
		on := auth.GuessedAt{Account: "k", Address: "192.0.2.1"}
		pair := auth.Guesses{Failures: 3, LastAt: stored(When), LockedUntil: new(stored(When.Add(1e9)))}
		strangers := auth.Guesses{Failures: 9, LastAt: stored(When), KnownSince: new(stored(When))}
		put := func(p, s *auth.Guesses) error { *p, *s = pair, strangers; return nil }
		if err := c.Guess(t.Context(), c.Who, on, put); err != nil {
			t.Fatal(err)
		}
		err := c.Guess(t.Context(), c.Who, on, func(p, s *auth.Guesses) error {
			same(t, pair, *p, nil)
			same(t, strangers, *s, nil)
			p.Failures = 99
			return errOnPurpose
		})
		if !errors.Is(err, errOnPurpose) {
			t.Errorf("the error of fn is lost: %v", err)
		}
		on.Address = "192.0.2.2"
		err = c.Guess(t.Context(), c.Who, on, func(p, s *auth.Guesses) error {
			if p.Failures != 0 || p.LockedUntil != nil {
				t.Errorf("another address starts with %+v", p)
			}
			same(t, strangers, *s, nil)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		on.Address = "192.0.2.1"
		err = c.Guess(t.Context(), c.Who, on, func(p, _ *auth.Guesses) error { same(t, pair, *p, nil); return nil })
		if err != nil {
			t.Error(err)
		}
	}},
	{"a client's token reaches its own client alone", func(t *testing.T, c *Clinic) {
		own, other := c.NewClient("P-1"), c.NewClient("P-2")
		c.Insert(t, own, other)
		who := auth.As(c.Who.Clinic, NewID(), auth.ByToken, auth.Client)
		who.Reach, who.Client = auth.OneClient, own.ID
		got, err := c.Clients(t.Context(), who, care.Page{Limit: 9})
		if err != nil || len(got) != 1 || got[0].ID != own.ID {
			t.Errorf("%d clients, %v", len(got), err)
		}
		if _, err := c.Client(t.Context(), who, other.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("another client: %v", err)
		}
	}},
}
