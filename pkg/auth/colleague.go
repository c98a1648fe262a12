package auth

import (
	"context"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/fault"
)

// NameOf tells somebody who is signed in by what name a colleague is known, so
// that a page can say who did something. It is empty where the id is no account
// of the clinic: a key's, or one that nobody has.
func (s *Service) NameOf(ctx context.Context, who Principal, id uuid.UUID) (Personal, error) {
	if who.Kind != ByAccount {
		return "", errNotSignedIn
	}
	a, _, err := s.Store.AccountNow(ctx, who.Clinic, id)
	if fault.Is(err, fault.NotFound) {
		return "", nil
	}
	return a.Name, err
}

// NamesOf is NameOf for many at once: who has no name is absent.
func (s *Service) NamesOf(ctx context.Context, who Principal, ids []uuid.UUID) (map[uuid.UUID]Personal, error) {
	if who.Kind != ByAccount {
		return nil, errNotSignedIn
	}
	if len(ids) == 0 {
		return map[uuid.UUID]Personal{}, nil
	}
	return s.Store.AccountNames(ctx, who, ids)
}
