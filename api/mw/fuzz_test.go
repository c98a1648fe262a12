package mw_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/protrack/protrack/api/mw"
)

// FuzzAddress: whatever stands in the headers, the address of a peer that is
// no trusted proxy is its own, and that of a proxy's caller is an address.
func FuzzAddress(f *testing.F) {
	for _, seed := range []string{"", "192.0.2.1", "192.0.2.1, 10.0.0.1", "::1", "[2001:db8::1]:80", "unknown", "10.0.0.1,,", "\x00", strings.Repeat("1.1.1.1,", 500), "::ffff:10.0.0.1", "1.1.1.1%eth0"} {
		f.Add(seed)
	}
	direct, behind := mw.AddressOf(nil), mw.AddressOf([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		for _, name := range []string{"X-Forwarded-For", "X-Real-IP", "Forwarded"} {
			r.Header.Set(name, header)
		}
		r.RemoteAddr = "198.51.100.7:1234"
		if got := direct(r); got != "198.51.100.7" {
			t.Errorf("%q makes a peer %q", header, got)
		}
		if got := behind(r); got != "198.51.100.7" {
			t.Errorf("%q of a stranger is believed: %q", header, got)
		}
		r.RemoteAddr = "10.0.0.1:1234"
		if got := behind(r); got != "10.0.0.1" {
			if _, err := netip.ParseAddr(got); err != nil {
				t.Errorf("%q of a proxy gives %q", header, got)
			}
		}
	})
}

// FuzzParseProxies: what is taken as a proxy's network trusts less than
// everybody and is what netip reads.
func FuzzParseProxies(f *testing.F) {
	for _, seed := range []string{"", "10.0.0.0/8", "0.0.0.0/0", "::/0", "192.0.2.7", "10.0.0.1/8", "::ffff:10.0.0.0/104", "fe80::1%eth0", "10.0.0.0/-1", "10.0.0.0/33"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		found, err := mw.ParseProxies([]string{text})
		if err != nil {
			return
		}
		for _, p := range found {
			if !p.IsValid() || p.Bits() == 0 || p != p.Masked() {
				t.Errorf("%q is %v", text, p)
			}
		}
	})
}
