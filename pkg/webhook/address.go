package webhook

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"syscall"

	"github.com/protrack/protrack/pkg/fault"
)

// Rules say where messages may go. The zero Rules allow https to the public
// internet.
type Rules struct {
	Networks []netip.Prefix // that are allowed though they are not public
	HTTP     bool           // plain http is allowed too
	Resolver *net.Resolver  // nil: the system's
}

// ParseNetworks reads networks such as 10.0.0.0/8; a single address is one.
func ParseNetworks(texts []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	var faults []error
	for _, text := range texts {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			var single netip.Addr
			if single, err = netip.ParseAddr(text); err == nil {
				prefix = netip.PrefixFrom(single, single.BitLen())
			}
		}
		if err != nil || prefix != prefix.Masked() {
			faults = append(faults, fmt.Errorf("%q is not a network such as 10.0.0.0/8", text))
		}
		out = append(out, prefix)
	}
	return out, errors.Join(faults...)
}

// special are the networks of IPv4 that are not the public internet, by the
// IANA's registry of special-purpose addresses.
var special = prefixes("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"224.0.0.0/4", "240.0.0.0/4")

// public6 is what of IPv6 is given out for the public internet, and special6
// what of that is not: tunnels, which hide an address of IPv4, and examples.
var (
	public6  = netip.MustParsePrefix("2000::/3")
	special6 = prefixes("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		out[i] = netip.MustParsePrefix(text)
	}
	return out
}

// allow reports whether a message may be sent to an address.
func (r Rules) allow(a netip.Addr) bool {
	if a.Zone() != "" || !a.IsValid() {
		return false
	}
	a = a.Unmap() // IPv4 in the clothes of IPv6 goes where IPv4 goes
	within := func(p netip.Prefix) bool { return p.Contains(a) }
	switch {
	case a.IsUnspecified() || a.IsMulticast():
		return false // nobody's
	case slices.ContainsFunc(r.Networks, within):
		return true
	case a.Is4():
		return !slices.ContainsFunc(special, within)
	}
	return public6.Contains(a) && !slices.ContainsFunc(special6, within)
}

// errAddress is that a name leads to where nothing may be sent.
var errAddress = errors.New("the address is not public")

// control looks at each address just before it is dialled: a name that led
// elsewhere when somebody looked it up before leads nowhere now.
func (r Rules) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !r.allow(to.Addr()) {
		return errAddress
	}
	return nil
}

const mostURL = 2000

// check lists what is wrong with an address as it is written. Where its name
// leads is looked at when it is dialled.
func (r Rules) check(text URL) []fault.Detail {
	wrong := func(code, message string) []fault.Detail {
		return []fault.Detail{{Pointer: "/url", Code: code, Message: message}}
	}
	u, err := url.Parse(string(text))
	switch {
	case text == "":
		return wrong("required", "The address is needed.")
	case len(text) > mostURL || err != nil || u.Hostname() == "" || u.Opaque != "":
		return wrong("not_a_url", "This is not an address such as https://example.org/hook.")
	case u.Scheme == "http" && !r.HTTP:
		return wrong("not_https", "The address begins with https://; whoever runs the server can allow http.")
	case u.Scheme != "https" && u.Scheme != "http":
		return wrong("not_https", "The address begins with https://.")
	case u.User != nil || u.Fragment != "":
		return wrong("not_a_url", "The address has no user and no fragment.")
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && !r.allow(a) {
		return wrong("address_refused", "Messages are sent to public addresses only; whoever runs the server can allow networks.")
	}
	return nil
}
