package webhook_test

import (
	"net/netip"
	"testing"

	"github.com/protrack/protrack/pkg/webhook"
)

// public says of each address whether a message may be sent there.
var public = map[string]bool{
	"8.8.8.8": true, "1.1.1.1": true, "93.184.216.34": true, "100.63.255.255": true, "100.128.0.0": true, "172.15.255.255": true, "172.32.0.0": true,
	"192.167.255.255": true, "192.169.0.0": true, "11.0.0.0": true, "9.255.255.255": true, "126.255.255.255": true, "128.0.0.0": true,
	"169.253.255.255": true, "169.255.0.0": true, "198.17.255.255": true, "198.20.0.0": true, "223.255.255.255": true,
	"2606:4700:4700::1111": true, "2a00:1450:4001::200e": true, "2620:fe::fe": true, "::ffff:8.8.8.8": true,

	"0.0.0.0": false, "0.1.2.3": false, "10.0.0.1": false, "10.255.255.255": false, "100.64.0.1": false, "100.127.255.255": false,
	"127.0.0.1": false, "127.1.2.3": false, "127.255.255.255": false, "169.254.0.1": false, "169.254.169.254": false, "172.16.0.1": false, "172.31.255.255": false,
	"192.0.0.1": false, "192.0.0.170": false, "192.0.2.1": false, "192.88.99.1": false, "192.168.0.1": false, "192.168.255.255": false,
	"198.18.0.1": false, "198.19.255.255": false, "198.51.100.7": false, "203.0.113.9": false, "224.0.0.1": false, "239.255.255.250": false,
	"240.0.0.1": false, "255.255.255.255": false,
	"::": false, "::1": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:169.254.169.254": false, "::127.0.0.1": false,
	"64:ff9b::7f00:1": false, "64:ff9b::808:808": false, "64:ff9b:1::1": false, "100::1": false, "2001::1": false, "2001:0:7f00:1::": false,
	"2001:db8::1": false, "2002:7f00:1::": false, "2002:a00:1::1": false, "3fff::1": false, "fc00::1": false, "fd12:3456::1": false,
	"fe80::1": false, "fe80::1%eth0": false, "fec0::1": false, "ff02::1": false, "ff0e::1": false, "5f00::1": false,
}

func TestMessagesGoToThePublicInternetOnly(t *testing.T) {
	if len(public) < 60 {
		t.Errorf("only %d addresses", len(public))
	}
	for text, want := range public {
		if got := (webhook.Rules{}).Allow(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s is allowed: %t", text, got)
		}
	}
	if (webhook.Rules{}).Allow(netip.Addr{}) {
		t.Error("no address is allowed")
	}
}

func TestNetworksThatAreAllowedAddToThePublicOnes(t *testing.T) {
	networks, err := webhook.ParseNetworks([]string{"10.1.0.0/16", "fd12::/16", "192.168.7.7", "0.0.0.0/0"})
	if err != nil {
		t.Fatal(err)
	}
	rules := webhook.Rules{Networks: networks[:3]}
	for text, want := range map[string]bool{
		"10.1.2.3": true, "10.2.0.1": false, "192.168.7.7": true, "192.168.7.8": false, "fd12::1": true, "fd13::1": false, "::ffff:10.1.2.3": true, "8.8.8.8": true,
	} {
		if got := rules.Allow(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s is allowed: %t", text, got)
		}
	}
	for _, nobody := range []string{"0.0.0.0", "224.0.0.1"} {
		if (webhook.Rules{Networks: networks}).Allow(netip.MustParseAddr(nobody)) {
			t.Errorf("%s is allowed where everything is", nobody)
		}
	}
	for _, wrong := range []string{"", "10.0.0.1/8", "ten", "10.0.0.0/33"} {
		if _, err := webhook.ParseNetworks([]string{wrong}); err == nil {
			t.Errorf("%q is a network", wrong)
		}
	}
}

func TestAnAddressIsRefusedAsItIsWritten(t *testing.T) {
	s := &webhook.Service{Sender: webhook.NewSender(webhook.Rules{}), Types: []string{"a.b"}}
	for text, code := range map[string]string{
		"": "required", "hooks": "not_a_url", "https://": "not_a_url", "http://example.org": "not_https", "ftp://example.org": "not_https",
		"https://ada:secret@example.org": "not_a_url", "https://example.org/#x": "not_a_url", "https://127.0.0.1/": "address_refused",
		"https://[::1]:8443/": "address_refused", "https://169.254.169.254/latest": "address_refused", "https:example.org": "not_a_url",
		"https://example.org/hook?token=1": "", "https://example.org:8443": "", "https://8.8.8.8/": "",
	} {
		found := s.Check(webhook.Webhook{URL: webhook.URL(text)})
		if got := append(found, found...); code == "" && len(got) > 0 || code != "" && (len(found) != 1 || found[0].Code != code || found[0].Pointer != "/url") {
			t.Errorf("%q: %v", text, found)
		}
	}
	if found := s.Check(webhook.Webhook{URL: "https://example.org", Types: []string{"a.b", "a.c"}}); len(found) != 1 || found[0].Code != "unknown_type" {
		t.Errorf("%v", found)
	}
	if printed := webhook.URL("https://example.org/token?x=1").String(); printed != "https://example.org/***" {
		t.Errorf("printed as %s", printed)
	}
}
