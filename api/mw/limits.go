package mw

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/fault"
)

// Limits are those of the whole server. They are counted by each process for
// itself. docs/operations.md lists them.
type Limits struct {
	Credential *Limiter // by credential: requests
	Client     *Limiter // by client: requests with tokens of their own front end
	Ended      *Limiter // by credential: requests with one that has expired or was revoked
	Stranger   *Limiter // by address: unknown credentials
	SignIn     *Limiter // by address: attempts to sign in
	Account    *Limiter // by account and address: attempts to sign in
	Visitor    *Limiter // by address: browsers that come without a session
	Page       *Limiter // by account: pages that somebody opens or sends
	Exports    *Slots   // by clinic: files under way at once
	Exporters  *Slots   // by actor: files under way
	Streams    *Slots   // by clinic: streams of events that are open
	Streamers  *Slots   // by actor: the same
	Drawers    *Slots   // by actor: pictures in pixels, drawn or waited for
	figures    chan struct{}
	pictures   chan struct{}

	good *lru.Cache[[sha256.Size]byte, time.Time] // credentials that were known, and until when that counts
	now  func() time.Time
}

// Where a credential was good, it goes on while its address is shut: a tablet
// that still shows a revoked key does not shut out the clinic behind the same
// address. A guesser learns nothing, for who shows it has it.
const (
	goodFor  = 10 * time.Minute
	mostGood = 10_000
)

// DefaultLimits are generous for a clinic behind one address and hopeless for
// who guesses.
func DefaultLimits(now func() time.Time) *Limits { return NewLimits(DefaultKeyRate, now) }

// DefaultKeyRate is how many requests a second one credential may make: a
// whole clinic's front end has one.
const DefaultKeyRate = 1000

// NewLimits are the limits with so many requests a second for one credential,
// and ten times as many at once.
func NewLimits(keyRate int, now func() time.Time) *Limits {
	good, err := lru.New[[sha256.Size]byte, time.Time](mostGood)
	if err != nil {
		panic(err) // only a size below 1 is refused
	}
	return &Limits{
		good: good, now: now,
		Credential: NewLimiter(Limit{PerSecond: float64(keyRate), Burst: 10 * keyRate}, now),
		Client:     NewLimiter(aMinute(120), now),
		Ended:      NewLimiter(aMinute(120), now),
		Stranger:   NewLimiter(aMinute(30), now),
		SignIn:     NewLimiter(aMinute(30), now),
		Account:    NewLimiter(aMinute(10), now),
		Visitor:    NewLimiter(aMinute(60), now),
		Page:       NewLimiter(aMinute(600), now),
		Exports:    NewSlots(clinicExports, allExports),
		Exporters:  NewSlots(1, allExports),
		Streams:    NewSlots(clinicStreams, allStreams),
		Streamers:  NewSlots(ownStreams, allStreams),
		Drawers:    NewSlots(ownPictures, allDrawn),
		figures:    make(chan struct{}, allFigures),
		pictures:   make(chan struct{}, allPictures),
	}
}

// An export holds a connection of the database for as long as it is read, and a
// figure for a second or two. Of the six that SQLite has for readers at least,
// one stays for everybody else.
const (
	clinicExports = 2
	allExports    = 3
	allFigures    = 2
	exportWait    = 10 * time.Second // until it is worth asking again
)

// A picture in pixels takes a processor for a tenth of a second, a hundred times
// as long as what it shows.
const (
	allPictures = 2 // drawn at once
	ownPictures = 8 // of one actor, those that wait included
	allDrawn    = 100
	pictureWait = time.Second // until it is worth asking again
)

// A stream of events asks the database for news twice a second.
const (
	clinicStreams = 50
	ownStreams    = 10
	allStreams    = 200
	streamWait    = 5 * time.Second // until it is worth asking again
)

// aMinute is n at once, and n a minute.
func aMinute(n int) Limit { return Limit{PerSecond: float64(n) / 60, Burst: n} }

// BeforeCredential refuses an address that has shown too many unknown
// credentials. It comes before the credential is looked up, so that guessing
// costs no database. A credential that was good a short while ago goes on.
func (l *Limits) BeforeCredential(c echo.Context, credential string) error {
	if until, known := l.good.Get(sha256.Sum256([]byte(credential))); known && l.now().Before(until) {
		return nil
	}
	if wait, ok := l.Ended.Check(credential); !ok {
		return refuse(c, "ended", l.Ended, wait, "This credential is good no more, and is sent too often.")
	}
	if wait, ok := l.Stranger.Check(AddressKey(c.RealIP())); !ok {
		return refuse(c, "stranger", l.Stranger, wait, "Too many unknown credentials came from this address.")
	}
	return nil
}

// BadCredential counts one unknown credential of the address that sent it, and
// forgets that it was ever good.
func (l *Limits) BadCredential(c echo.Context, credential string) {
	l.good.Remove(sha256.Sum256([]byte(credential)))
	l.Stranger.Count(AddressKey(c.RealIP()))
}

// EndedCredential counts one that was good once. Whoever shows it is no guesser
// but, say, a tablet that nobody has told: it is held back by itself, and not
// with everybody else at its address.
func (l *Limits) EndedCredential(credential string) {
	l.good.Remove(sha256.Sum256([]byte(credential)))
	l.Ended.Count(credential)
}

// Admit counts a request of a credential that is known to be good, and refuses
// one too many.
func (l *Limits) Admit(c echo.Context, credential string) error {
	l.good.Add(sha256.Sum256([]byte(credential)), l.now().Add(goodFor))
	if wait, ok := l.Credential.Allow(credential); !ok {
		return refuse(c, "credential", l.Credential, wait, "This credential is used too often.")
	}
	return nil
}

// AdmitClient is Admit for a token of a client's own front end: a phone asks
// less than a clinic, and one client's phone must not keep the clinic waiting.
func (l *Limits) AdmitClient(c echo.Context, credential, client string) error {
	l.good.Add(sha256.Sum256([]byte(credential)), l.now().Add(goodFor))
	if wait, ok := l.Client.Allow(client); !ok {
		return refuse(c, "client", l.Client, wait, "This client's front end asks too often.")
	}
	return nil
}

// SigningIn counts an attempt to sign in, right or wrong, of the address and
// then of the account from there; from another address the account stays open.
// Addresses that cannot be read share one count.
func (l *Limits) SigningIn(c echo.Context, account string) error {
	address := AddressKey(c.RealIP())
	if wait, ok := l.SignIn.Allow(address); !ok {
		return refuse(c, "sign-in", l.SignIn, wait, "Too many attempts to sign in came from this address.")
	}
	// Other letters are no other account.
	key := address + " " + strings.ToLower(strings.TrimSpace(account))
	if wait, ok := l.Account.Allow(key); !ok {
		return refuse(c, "account", l.Account, wait, "Too many attempts to sign in to this account came from this address.")
	}
	return nil
}

// Visiting counts a browser that gets a session before anybody has signed in:
// each is a row in the database, and anybody can ask for one.
func (l *Limits) Visiting(c echo.Context) error {
	if wait, ok := l.Visitor.Allow(AddressKey(c.RealIP())); !ok {
		return refuse(c, "visitor", l.Visitor, wait, "Too many browsers came from this address.")
	}
	return nil
}

// Exporting admits one more file of a clinic to an actor who reads no other,
// until done is called.
func (l *Limits) Exporting(clinic, actor string) (done func(), err error) {
	own, ok := l.Exporters.Take(actor)
	if !ok {
		return nil, fault.Wait("Your last export is still under way. Wait until it has ended, then try again.", exportWait)
	}
	shared, ok := l.Exports.Take(clinic)
	if !ok {
		own()
		return nil, fault.Wait("Too many exports are under way. Wait until one has ended, then try again.", exportWait)
	}
	return func() { shared(); own() }, nil
}

// Streaming admits one more stream of events of a clinic to an actor, until done
// is called.
func (l *Limits) Streaming(clinic, actor string) (done func(), err error) {
	own, ok := l.Streamers.Take(actor)
	if !ok {
		return nil, fault.Wait("This credential has too many streams of events open. Close one, then try again.", streamWait)
	}
	shared, ok := l.Streams.Take(clinic)
	if !ok {
		own()
		return nil, fault.Wait("Too many streams of events are open. Close one, then try again.", streamWait)
	}
	return func() { shared(); own() }, nil
}

// Figuring waits for the turn of one more figure of the whole record, until done
// is called. It fails with ctx.
func (l *Limits) Figuring(ctx context.Context) (done func(), err error) {
	select {
	case l.figures <- struct{}{}:
		return func() { <-l.figures }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Drawing waits for the turn of one more picture in pixels, until done is
// called. It refuses an actor who has too many of them waiting, and fails with
// ctx.
func (l *Limits) Drawing(ctx context.Context, actor string) (done func(), err error) {
	own, ok := l.Drawers.Take(actor)
	if !ok {
		return nil, fault.Wait("Too many pictures are being drawn. Wait until some are done, then try again.", pictureWait)
	}
	select {
	case l.pictures <- struct{}{}:
		return func() { <-l.pictures; own() }, nil
	case <-ctx.Done():
		own()
		return nil, ctx.Err()
	}
}

// Opening counts a page that an account opens or sends, and refuses one too
// many: a page may read a client's whole history, or every name of the clinic.
func (l *Limits) Opening(c echo.Context, account string) error {
	if wait, ok := l.Page.Allow(account); !ok {
		return refuse(c, "page", l.Page, wait, "This account opens too many pages.")
	}
	return nil
}

// refuse tells the limit in the headers of draft-ietf-httpapi-ratelimit-headers
// and gives the error to return; Retry-After comes with the problem.
func refuse(c echo.Context, name string, l *Limiter, wait time.Duration, message string) error {
	h := c.Response().Header()
	h.Set("RateLimit-Policy", fmt.Sprintf("%q;q=%d;w=%.0f", name, l.limit.Burst, math.Ceil(float64(l.limit.Burst)/l.limit.PerSecond)))
	h.Set("RateLimit", fmt.Sprintf("%q;r=0;t=%.0f", name, math.Ceil(wait.Seconds())))
	return fault.Wait(message+" Wait, then try again.", wait)
}

// AddressKey is what an address is counted by: an IPv4 address itself, and of
// an IPv6 address its /64, which one machine has for itself. What is no address
// has one key.
func AddressKey(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return unknown
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	return netip.PrefixFrom(a, 64).Masked().String()
}
