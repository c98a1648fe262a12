package mw

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/labstack/echo/v4"
)

// ParseProxies reads the networks of trusted proxies, such as 10.0.0.0/8, or
// single addresses. The error names every one that is none, and those that
// would trust more than was meant.
func ParseProxies(texts []string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	var faults []error
	for _, text := range texts {
		p, err := parseProxy(strings.TrimSpace(text))
		if err != nil {
			faults = append(faults, fmt.Errorf("trusted proxy %q: %w", text, err))
			continue
		}
		all = append(all, p)
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return all, nil
}

func parseProxy(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	if a, notOne := netip.ParseAddr(text); notOne == nil && a.Zone() == "" {
		p, err = netip.PrefixFrom(a, a.BitLen()), nil
	}
	switch {
	case err != nil:
		return p, errors.New("not a network such as 10.0.0.0/8, nor an address")
	case p.Addr().Is4In6():
		return p, errors.New("write an IPv4 network as such")
	case p.Bits() == 0:
		return p, errors.New("this would trust everybody")
	case p != p.Masked():
		return p, fmt.Errorf("has more digits than its length: is %s meant?", p.Masked())
	}
	return p, nil
}

// AddressOf finds the address that a request comes from. It is the peer's own,
// unless the peer is a trusted proxy: then it is the last in X-Forwarded-For
// that is not one. No other header is believed, and nobody is trusted for being
// near.
func AddressOf(proxies []netip.Prefix) echo.IPExtractor {
	if len(proxies) == 0 {
		return echo.ExtractIPDirect()
	}
	return echo.ExtractIPFromXFFHeader(trust(proxies)...)
}

// SchemeOf finds the scheme that a request was made with: that of the
// connection, unless a trusted proxy says another in X-Forwarded-Proto.
func SchemeOf(proxies []netip.Prefix) echo.SchemeExtractor {
	direct := echo.ExtractSchemeDirect()
	if len(proxies) == 0 {
		return direct
	}
	forwarded := echo.ExtractSchemeFromHeaders(trust(proxies)...)
	return func(r *http.Request) string {
		// Where the proxy says nothing, Echo would read other headers, which
		// the proxy may have passed on from the caller.
		said := r.Header.Values(echo.HeaderXForwardedProto)
		if len(said) == 0 || said[len(said)-1] == "" {
			return direct(r)
		}
		return forwarded(r)
	}
}

// trust names the proxies to Echo, and takes back the trust in loopback,
// link-local and private addresses that it begins with.
func trust(proxies []netip.Prefix) []echo.TrustOption {
	options := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, p := range proxies {
		options = append(options, echo.TrustIPRange(&net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}))
	}
	return options
}
