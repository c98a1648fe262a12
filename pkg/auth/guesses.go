package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/fault"
)

// How often signing in to one account may fail. A count starts anew once it
// has been quiet for as long as its lock lasts.
const (
	// From one address: then that address waits, and no other.
	pairFailures = 5
	pairLock     = 15 * time.Minute
	// From all addresses together that never signed in to the account: many
	// addresses guess no faster than this, and whoever signed in before from
	// where they are does not notice.
	strangerFailures = 100
	strangersLock    = time.Hour
)

// GuessedAt names an account and where the guess comes from.
type GuessedAt struct {
	Account string // the address that was typed, hashed with the clinic: it need not exist
	Address string // of the peer; of IPv6 the network, for one peer has all of it
}

// Strangers is the Address that stands for all those that are strange to an account.
const Strangers = "*"

// guessedAt says whose count a guess is on.
func guessedAt(clinic uuid.UUID, email string, from Origin) GuessedAt {
	sum := sha256.Sum256([]byte(clinic.String() + "\n" + email))
	return GuessedAt{Account: hex.EncodeToString(sum[:]), Address: networkOf(from.Address)}
}

// ipv6Network is how many bits of an IPv6 address a provider gives to one customer.
const ipv6Network = 64

func networkOf(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return "unknown" // all of them together
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	network, err := ip.Prefix(ipv6Network)
	if err != nil {
		return "unknown"
	}
	return network.String()
}

// Guesses is a count of failures to sign in.
type Guesses struct {
	Failures    int
	LastAt      time.Time  // of the last failure
	LockedUntil *time.Time // nil: not locked
	KnownSince  *time.Time // when a sign-in from this address succeeded first; nil: none did
}

// count counts a guess as failed before it is judged, so that many at once do
// not slip through; RateLimited if it has to wait.
func (g *Guesses) count(now time.Time, most int, lock time.Duration) error {
	if g.LockedUntil != nil && now.Before(*g.LockedUntil) {
		return fault.Wait("Signing in failed too often; wait, and try again.", g.LockedUntil.Sub(now))
	}
	if now.Sub(g.LastAt) >= lock {
		g.Failures = 0
	}
	g.Failures, g.LastAt, g.LockedUntil = g.Failures+1, now, nil
	if g.Failures >= most {
		g.LockedUntil = new(now.Add(lock))
	}
	return nil
}

// guess counts a guess that is about to be judged.
func guess(pair, strangers *Guesses, now time.Time) error {
	if err := pair.count(now, pairFailures, pairLock); err != nil || pair.KnownSince != nil {
		return err
	}
	return strangers.count(now, strangerFailures, strangersLock)
}

// forgive takes back the count of a guess that was right.
func forgive(pair, strangers *Guesses, now time.Time) {
	if pair.KnownSince == nil {
		strangers.Failures = max(0, strangers.Failures-1)
		if strangers.Failures < strangerFailures {
			strangers.LockedUntil = nil
		}
		pair.KnownSince = &now
	}
	pair.Failures, pair.LockedUntil = 0, nil
}
