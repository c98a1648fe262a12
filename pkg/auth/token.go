package auth

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/fault"
)

// Token opens one client's own forms and trajectories to their phone, for a
// while. The secret itself is not kept.
type Token struct {
	ID        uuid.UUID
	Clinic    uuid.UUID
	Client    uuid.UUID
	MintedBy  uuid.UUID // the key or account
	CreatedAt time.Time
	ExpiresAt time.Time
	RevokedAt *time.Time // nil: not revoked
}

// TokenInUse is a token that was shown, with what else its life hangs on.
type TokenInUse struct {
	Token
	Erased     bool       // the client's record was erased
	Withdrawn  bool       // the client has withdrawn the consent to care
	MinterEnds *time.Time // when the key that minted it ends, or ended; nil: it stands
}

// Live reports whether the token may be used at the given time: no longer than
// itself, its client's record and consent to care, and the credential that
// minted it.
func (t TokenInUse) Live(now time.Time) bool {
	return t.RevokedAt == nil && now.Before(t.ExpiresAt) && !t.Erased && !t.Withdrawn && (t.MinterEnds == nil || now.Before(*t.MinterEnds))
}

// Subject is what the minting of a token has to know of its client.
type Subject struct {
	Erased        bool
	Merged        bool // into another client, who is the one to mint for
	CareWithdrawn bool // the consent to care, as it stands now
}

var errErased = fault.New(fault.Gone, "This client's record was erased.")

// mayHaveToken is the one rule of which clients get tokens. That consent was
// never recorded is no withdrawal: the clinic may keep it on paper.
func (c Subject) mayHaveToken() error {
	switch {
	case c.Erased:
		return errErased
	case c.Merged:
		return fault.New(fault.Conflict, "This client was merged into another.",
			fault.Detail{Pointer: "/client_id", In: "path", Code: "merged", Message: "Mint a token for the client that this one was merged into."})
	case c.CareWithdrawn:
		return fault.New(fault.Conflict, "The client has withdrawn the consent to care.",
			fault.Detail{Pointer: "/client_id", In: "path", Code: "consent_withdrawn", Message: "Record the consent anew before a token is minted."})
	}
	return nil
}

// How long a token lives.
const (
	defaultTokenLife = time.Hour
	longestTokenLife = 24 * time.Hour
)

// MintToken makes a token for one client, which lives for an hour where life is
// nil and never longer than a day. The secret is returned here and never
// again. NotFound for an unknown client, Gone for an erased one, Conflict for
// one that was merged or has withdrawn the consent to care.
func (s *Service) MintToken(ctx context.Context, who Principal, client uuid.UUID, life *time.Duration) (Token, Secret, error) {
	if err := s.require(ctx, who, MintTokens); err != nil {
		return Token{}, "", err
	}
	if life == nil {
		life = new(defaultTokenLife)
	}
	if *life < time.Second || *life > longestTokenLife {
		return Token{}, "", fault.InvalidIf([]fault.Detail{{
			Pointer: "/expires_in_seconds", Code: "out_of_range", Message: "A token lives for at least a second and at most a day.",
		}})
	}
	secret, now := NewTokenSecret(), stamp(s.Now())
	t := Token{ID: s.NewID(), Clinic: who.Clinic, Client: client, MintedBy: who.Actor, CreatedAt: now, ExpiresAt: now.Add(*life)}
	err := s.manage(ctx, who, func(tx Tx) error {
		if err := who.mayGrant(grants[Client]); err != nil {
			return err
		}
		subject, err := tx.Subject(ctx, who, client, now)
		if err != nil {
			return err
		}
		if err := subject.mayHaveToken(); err != nil {
			return err
		}
		tx.Note(s.ofToken(who, "token.mint", t))
		return tx.CreateToken(ctx, who, t, secret.Hash())
	})
	if err != nil {
		return Token{}, "", err
	}
	return t, secret, nil
}

// ofToken is the entry of something done to a client's token.
func (s *Service) ofToken(who Principal, action string, t Token) audit.Entry {
	e := s.entry(who.Did(action, "token", t.ID))
	e.Client = t.Client
	return e
}

// Tokens lists a client's tokens by id, ended ones too, starting behind after;
// NotFound for an unknown client, Gone for an erased one.
func (s *Service) Tokens(ctx context.Context, who Principal, client, after uuid.UUID, limit int) (tokens []Token, err error) {
	if err := s.require(ctx, who, MintTokens); err != nil {
		return nil, err
	}
	err = s.Store.Manage(ctx, who, func(tx Tx) error {
		subject, err := tx.Subject(ctx, who, client, stamp(s.Now()))
		if err != nil {
			return err
		}
		if subject.Erased {
			return errErased
		}
		e := s.entry(who.Did("token.list", "client", client))
		e.Client = client
		tx.Note(e)
		tokens, err = tx.Tokens(ctx, who, client, after, limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	return tokens, nil
}

// RevokeToken ends a token; the next request that shows it is refused.
// Revoking twice keeps the first time. NotFound for an unknown one.
func (s *Service) RevokeToken(ctx context.Context, who Principal, id uuid.UUID) error {
	if err := s.require(ctx, who, MintTokens); err != nil {
		return err
	}
	return s.Store.Manage(ctx, who, func(tx Tx) error {
		t, err := tx.Token(ctx, who, id)
		if err != nil || t.RevokedAt != nil {
			return err
		}
		t.RevokedAt = new(stamp(s.Now()))
		tx.Note(s.ofToken(who, "token.revoke", t))
		return tx.RevokeToken(ctx, who, t)
	})
}

// authenticateToken is Authenticate for a client's token.
func (s *Service) authenticateToken(ctx context.Context, secret Secret, from Origin) (Principal, error) {
	t, err := s.Store.TokenByHash(ctx, secret.Hash())
	if fault.Is(err, fault.NotFound) {
		return Principal{}, ErrUnknownKey
	}
	if err != nil {
		return Principal{}, err
	}
	who := As(t.Clinic, t.ID, ByToken, Client)
	who.Reach, who.Client, who.At, who.Origin = OneClient, t.Client, stamp(s.Now()), from
	if !t.Live(who.At) {
		e := s.ofToken(who, "token.use", t.Token)
		e.Outcome, e.ActorKind = audit.Refused, string(ByNobody)
		s.note(ctx, who, e)
		return Principal{}, ended{ErrUnknownKey}
	}
	return who, nil
}
