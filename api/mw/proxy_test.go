package mw_test

import (
	"crypto/tls"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/api/mw"
)

func proxies(t *testing.T, texts ...string) []netip.Prefix {
	t.Helper()
	all, err := mw.ParseProxies(texts)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestProxiesAreReadOrEachFaultIsNamed(t *testing.T) {
	got := proxies(t, "10.0.0.0/8", " 192.0.2.7", "2001:db8::/32 ", "2001:db8::1", "127.0.0.1")
	want := []string{"10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32", "2001:db8::1/128", "127.0.0.1/32"}
	texts := make([]string, len(got))
	for i, p := range got {
		texts[i] = p.String()
	}
	if diff := cmp.Diff(want, texts); diff != "" {
		t.Error(diff)
	}
	if none := proxies(t); len(none) != 0 {
		t.Errorf("nothing is read as %v", none)
	}
	wrong := []string{"", "proxy.example", "10.0.0.0/33", "10.0.0.1/8", "0.0.0.0/0", "::/0", "fe80::1%eth0", "::ffff:10.0.0.0/104", "::ffff:10.0.0.1", "10.0.0.1:80", "*"}
	all, err := mw.ParseProxies(append(wrong, "10.0.0.0/8"))
	if err == nil || all != nil {
		t.Fatalf("%v %v", all, err)
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(wrong) {
		t.Fatalf("%d faults are named of %d: %v", len(lines), len(wrong), err)
	}
	for i, text := range wrong {
		if !strings.HasPrefix(lines[i], `trusted proxy "`+text+`": `) {
			t.Errorf("%q: %s", text, lines[i])
		}
	}
}

func TestAnAddressIsThatOfThePeerUnlessATrustedProxySaysAnother(t *testing.T) {
	for _, c := range []struct {
		name    string
		trusted []string
		peer    string
		headers []string // X-Forwarded-For, one a line
		want    string
	}{
		{"no proxies, and nothing said", nil, "192.0.2.1:1", nil, "192.0.2.1"},
		{"no proxies, and a forged header", nil, "192.0.2.1:1", []string{"203.0.113.9"}, "192.0.2.1"},
		{"no proxies, from this machine", nil, "127.0.0.1:1", []string{"203.0.113.9"}, "127.0.0.1"},
		{"no proxies, by IPv6", nil, "[2001:db8::1]:1", []string{"203.0.113.9"}, "2001:db8::1"},
		{"a stranger forges", []string{"10.0.0.1"}, "192.0.2.1:1", []string{"203.0.113.9"}, "192.0.2.1"},
		{"a stranger forges the proxy as the last hop", []string{"10.0.0.1"}, "192.0.2.1:1", []string{"203.0.113.9, 10.0.0.1"}, "192.0.2.1"},
		{"a neighbour of the proxy forges", []string{"10.0.0.1"}, "10.0.0.2:1", []string{"203.0.113.9"}, "10.0.0.2"},
		{"loopback is not listed", []string{"10.0.0.1"}, "127.0.0.1:1", []string{"203.0.113.9"}, "127.0.0.1"},
		{"link-local is not listed", []string{"10.0.0.1"}, "169.254.1.1:1", []string{"203.0.113.9"}, "169.254.1.1"},
		{"a private network is not listed", []string{"10.0.0.1"}, "192.168.1.1:1", []string{"203.0.113.9"}, "192.168.1.1"},
		{"loopback of IPv6 is not listed", []string{"10.0.0.1"}, "[::1]:1", []string{"203.0.113.9"}, "::1"},
		{"a unique local address is not listed", []string{"10.0.0.1"}, "[fd00::1]:1", []string{"203.0.113.9"}, "fd00::1"},
		{"the proxy says", []string{"10.0.0.0/8"}, "10.0.0.1:1", []string{"203.0.113.9"}, "203.0.113.9"},
		{"the proxy says nothing", []string{"10.0.0.0/8"}, "10.0.0.1:1", nil, "10.0.0.1"},
		{"the caller forged before the proxy said", []string{"10.0.0.0/8"}, "10.0.0.1:1", []string{"198.51.100.1, 203.0.113.9"}, "203.0.113.9"},
		{"the caller forged a line of its own", []string{"10.0.0.0/8"}, "10.0.0.1:1", []string{"198.51.100.1", "203.0.113.9"}, "203.0.113.9"},
		{"the caller forged garbage", []string{"10.0.0.0/8"}, "10.0.0.1:1", []string{"<script>, 203.0.113.9"}, "203.0.113.9"},
		{"two proxies", []string{"10.0.0.0/8", "192.0.2.7"}, "10.0.0.1:1", []string{"198.51.100.1, 203.0.113.9, 192.0.2.7"}, "203.0.113.9"},
		{"two proxies, one not listed", []string{"10.0.0.0/8"}, "10.0.0.1:1", []string{"203.0.113.9, 192.0.2.7"}, "192.0.2.7"},
		{"a caller from a private network behind the proxy", []string{"10.0.0.1"}, "10.0.0.1:1", []string{"203.0.113.9, 192.168.1.20"}, "192.168.1.20"},
		{"a caller among the proxies", []string{"10.0.0.0/8"}, "10.0.0.1:1", []string{"10.0.0.9"}, "10.0.0.9"},
		{"garbage from the proxy", []string{"10.0.0.0/8"}, "10.0.0.1:1", []string{"203.0.113.9, not an address"}, "10.0.0.1"},
		{"an empty hop", []string{"10.0.0.0/8"}, "10.0.0.1:1", []string{"203.0.113.9,"}, "10.0.0.1"},
		{"a port in the header", []string{"10.0.0.0/8"}, "10.0.0.1:1", []string{"203.0.113.9:443"}, "10.0.0.1"},
		{"IPv6 through an IPv6 proxy", []string{"2001:db8:ffff::/48"}, "[2001:db8:ffff::1]:1", []string{"2001:db8::9"}, "2001:db8::9"},
		{"IPv4 as the kernel maps it", []string{"10.0.0.0/8"}, "[::ffff:10.0.0.1]:1", []string{"203.0.113.9"}, "203.0.113.9"},
	} {
		r := ask(t, "/things/1")
		r.RemoteAddr = c.peer
		for _, line := range c.headers {
			r.Header.Add("X-Forwarded-For", line)
		}
		// What nobody sets for us, a caller may have.
		for name, value := range map[string]string{
			"X-Real-IP": "198.51.100.66", "Forwarded": "for=198.51.100.66", "True-Client-IP": "198.51.100.66", "CF-Connecting-IP": "198.51.100.66",
		} {
			r.Header.Set(name, value)
		}
		if got := mw.AddressOf(proxies(t, c.trusted...))(r); got != c.want {
			t.Errorf("%s: %s instead of %s", c.name, got, c.want)
		}
	}
}

func TestAForgedAddressDoesNotEscapeALimit(t *testing.T) {
	address := mw.AddressOf(proxies(t, "10.0.0.1"))
	seen := map[string]bool{}
	for i := range 256 {
		r := ask(t, "/things/1")
		r.RemoteAddr = "192.0.2.1:1"
		for _, name := range []string{"X-Forwarded-For", "X-Real-IP"} {
			r.Header.Set(name, netip.AddrFrom4([4]byte{203, 0, 113, byte(i)}).String())
		}
		seen[mw.AddressKey(address(r))] = true
	}
	if len(seen) != 1 {
		t.Errorf("one peer is counted as %d", len(seen))
	}
}

func TestASchemeIsThatOfTheConnectionUnlessATrustedProxySaysAnother(t *testing.T) {
	for _, c := range []struct {
		name    string
		trusted []string
		peer    string
		tls     bool
		said    []string
		want    string
	}{
		{"plain", nil, "192.0.2.1:1", false, nil, "http"},
		{"by TLS", nil, "192.0.2.1:1", true, nil, "https"},
		{"forged without proxies", nil, "127.0.0.1:1", false, []string{"https"}, "http"},
		{"forged by a stranger", []string{"10.0.0.1"}, "192.0.2.1:1", false, []string{"https"}, "http"},
		{"forged from this machine", []string{"10.0.0.1"}, "127.0.0.1:1", false, []string{"https"}, "http"},
		{"forged from a socket of this machine", []string{"10.0.0.1"}, "@", false, []string{"https"}, "http"},
		{"denied by a stranger", []string{"10.0.0.1"}, "192.0.2.1:1", true, []string{"http"}, "https"},
		{"the proxy says", []string{"10.0.0.1"}, "10.0.0.1:1", false, []string{"https"}, "https"},
		{"the proxy says otherwise", []string{"10.0.0.1"}, "10.0.0.1:1", false, []string{"http"}, "http"},
		{"the proxy says nothing", []string{"10.0.0.1"}, "10.0.0.1:1", false, nil, "http"},
		{"the proxy empties it", []string{"10.0.0.1"}, "10.0.0.1:1", false, []string{"https", ""}, "http"},
		{"the caller forged before the proxy said", []string{"10.0.0.1"}, "10.0.0.1:1", false, []string{"https", "http"}, "http"},
		{"garbage from the proxy", []string{"10.0.0.1"}, "10.0.0.1:1", false, []string{"gopher"}, "http"},
		{"the proxy speaks TLS with us", []string{"10.0.0.1"}, "10.0.0.1:1", true, []string{"https"}, "https"},
	} {
		r := ask(t, "/things/1")
		r.RemoteAddr = c.peer
		if c.tls {
			r.TLS = &tls.ConnectionState{}
		}
		r.Header["X-Forwarded-Proto"] = c.said
		for name, value := range map[string]string{
			"X-Forwarded-Protocol": "https", "X-Forwarded-Ssl": "on", "X-Url-Scheme": "https", "Forwarded": "proto=https",
		} {
			r.Header.Set(name, value)
		}
		if got := mw.SchemeOf(proxies(t, c.trusted...))(r); got != c.want {
			t.Errorf("%s: %s instead of %s", c.name, got, c.want)
		}
	}
}
