package mw

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// mostKeys is how many keys a limiter remembers, about 30 MB. The one that was
// not seen for longest is forgotten first, and begins anew.
const mostKeys = 100_000

// Limit is a token bucket: Burst at once, and PerSecond in the long run. Both
// are above 0.
type Limit struct {
	PerSecond float64
	Burst     int
}

// Limiter counts by key. It is safe for concurrent use, its memory is bounded,
// and it holds no key as it was given: keys are hashed with a salt of its own,
// for some of them are credentials.
type Limiter struct {
	limit   Limit
	now     func() time.Time
	salt    [sha256.Size]byte
	buckets *lru.Cache[[sha256.Size]byte, *rate.Limiter]
}

// NewLimiter makes a limiter in which every key has a full bucket. It panics on
// a limit that is not above 0: such would be a mistake of the program.
func NewLimiter(limit Limit, now func() time.Time) *Limiter {
	if !(limit.PerSecond > 0) || limit.Burst < 1 {
		panic(fmt.Sprintf("mw: not a limit: %+v", limit))
	}
	buckets, err := lru.New[[sha256.Size]byte, *rate.Limiter](mostKeys)
	if err != nil {
		panic(err) // only for a size below 1
	}
	l := &Limiter{limit: limit, now: now, buckets: buckets}
	_, _ = rand.Read(l.salt[:]) // never fails
	return l
}

// Allow takes one from the key's bucket. Where there is none it takes nothing,
// and says how long to wait for one.
func (l *Limiter) Allow(key string) (wait time.Duration, ok bool) {
	b, now := l.bucket(key), l.now()
	if b.AllowN(now, 1) {
		return 0, true
	}
	// A neighbour in time may have found one since: then it is as good as none.
	return max(l.missing(b, now), 1), false
}

// Check says what Allow would, and takes nothing. A key that was never counted
// is not remembered for it, so that asking pushes nobody out.
func (l *Limiter) Check(key string) (wait time.Duration, ok bool) {
	b, known := l.buckets.Get(l.hide(key))
	if !known {
		return 0, true
	}
	wait = l.missing(b, l.now())
	return max(wait, 0), wait <= 0
}

// Count takes one even where there is none: the debt is waited for. What was
// checked at once and counted later is so paid for all the same, up to a debt
// of one burst: a machine that never stops does not shut its address for days.
func (l *Limiter) Count(key string) {
	if b, now := l.bucket(key), l.now(); b.TokensAt(now) > -float64(l.limit.Burst) {
		b.ReserveN(now, 1)
	}
}

// missing is the time until the bucket holds one.
func (l *Limiter) missing(b *rate.Limiter, now time.Time) time.Duration {
	return time.Duration((1 - b.TokensAt(now)) / l.limit.PerSecond * float64(time.Second))
}

// bucket finds the key's bucket, or fills one. Of two that ask at once, both
// get the same.
func (l *Limiter) bucket(key string) *rate.Limiter {
	hidden := l.hide(key)
	if b, known := l.buckets.Get(hidden); known {
		return b
	}
	full := rate.NewLimiter(rate.Limit(l.limit.PerSecond), l.limit.Burst)
	if b, known, _ := l.buckets.PeekOrAdd(hidden, full); known {
		return b
	}
	return full
}

func (l *Limiter) hide(key string) [sha256.Size]byte {
	return sha256.Sum256(append(l.salt[:], key...))
}
