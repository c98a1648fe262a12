package care

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
)

// Membership is one member's place in a client's care team.
type Membership struct {
	ClientID uuid.UUID
	Member   uuid.UUID // an account or a key
	Kind     MembershipKind
	Since    time.Time
	Until    *time.Time // nil: without an end
	Reason   string     // a code, of break-glass access
	Note     Private
	AddedBy  uuid.UUID
}

// MembershipKind is how somebody came into a care team.
type MembershipKind string

// The kinds of membership.
const (
	Assigned MembershipKind = "assigned"
	Broken   MembershipKind = "break_glass" // for a reason that was given, and for a while
)

// joinTeam makes who creates a client, and sees assigned clients only, a
// member of its team.
func (s *Service) joinTeam(ctx context.Context, who auth.Principal, tx Tx, client uuid.UUID) error {
	if who.Reach != auth.AssignedClients {
		return nil
	}
	return tx.PutMembership(ctx, who, Membership{
		ClientID: client, Member: who.Actor, Kind: Assigned, Since: stamp(s.Now()), AddedBy: who.Actor,
	})
}
