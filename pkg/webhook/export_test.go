package webhook

import (
	"net/netip"
	"time"
)

// Allow lets tests ask of an address.
func (r Rules) Allow(a netip.Addr) bool { return r.allow(a) }

// Next lets tests ask when to try again.
func Next(attempts int, asked time.Duration, jitter float64) (time.Duration, bool) {
	return next(attempts, asked, jitter)
}

// Headers lets tests look at a message.
func (m Message) Headers() map[string]string { return m.headers() }

// Body lets tests look at what is sent.
func (e Event) Body() []byte { return e.body(false) }
