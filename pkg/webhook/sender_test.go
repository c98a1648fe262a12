package webhook_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/protrack/protrack/pkg/webhook"
)

// here allows this machine.
var here = webhook.Rules{HTTP: true, Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}

func send(t *testing.T, rules webhook.Rules, url string, within time.Duration) webhook.Result {
	t.Helper()
	m := webhook.Message{ID: "1", At: time.Now(), Body: []byte("{}"), Secrets: []webhook.Secret{webhook.NewSecret()}}
	return webhook.NewSender(rules).Send(t.Context(), webhook.URL(url), m, time.Now(), within)
}

func receiver(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return s.URL
}

func TestOnlyAnAnswerOf200To299CountsAndNoneIsFollowed(t *testing.T) {
	var elsewhere atomic.Int64
	other := receiver(t, func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	for status, code := range map[int]string{
		200: "", 201: "", 202: "", 204: "", 299: "", 301: "redirect", 302: "redirect", 307: "redirect", 308: "redirect", 304: "redirect",
		400: "status", 401: "status", 404: "status", 410: "status", 429: "status", 500: "status", 503: "status",
	} {
		got := send(t, here, receiver(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", other)
			w.WriteHeader(status)
		}), time.Second)
		if got.Status != status || got.Error != code {
			t.Errorf("%d: %+v", status, got)
		}
	}
	if elsewhere.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

func TestAReceiverThatTakesItsTimeOrTalksWithoutEndIsLeft(t *testing.T) {
	done := make(chan struct{})
	slow := receiver(t, func(http.ResponseWriter, *http.Request) { <-done })
	t.Cleanup(func() { close(done) })
	begun := time.Now()
	if got := send(t, here, slow, 200*time.Millisecond); got.Error != "timeout" || time.Since(begun) > 2*time.Second {
		t.Errorf("%+v after %v", got, time.Since(begun))
	}
	endless := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := io.WriteString(w, strings.Repeat("x", 1<<16)); err != nil {
				return
			}
		}
	})
	begun = time.Now()
	if got := send(t, here, endless, 5*time.Second); got.Status != 200 || got.Error != "" || time.Since(begun) > 2*time.Second {
		t.Errorf("%+v after %v", got, time.Since(begun))
	}
	if got := send(t, here, "http://127.0.0.1:1", time.Second); got.Error != "connection" {
		t.Errorf("nobody there: %+v", got)
	}
	plain := strings.Replace(endless, "http://", "https://", 1)
	if got := send(t, here, plain, time.Second); got.Error != "tls" {
		t.Errorf("no TLS there: %+v", got)
	}
	bad := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(bad.Close)
	if got := send(t, here, bad.URL, time.Second); got.Error != "tls" {
		t.Errorf("a certificate of nobody's: %+v", got)
	}
}

func TestAReceiverSaysWhenToComeBack(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": 0, "120": 2 * time.Minute, "-1": 0, "soon": 0, "0": 0, time.Now().Add(time.Hour).UTC().Format(http.TimeFormat): time.Hour, time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat): 0,
	} {
		got := send(t, here, receiver(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", text)
			w.WriteHeader(http.StatusServiceUnavailable)
		}), time.Second)
		if d := got.RetryAfter - want; d < -2*time.Second || d > 2*time.Second {
			t.Errorf("%q: %v", text, got.RetryAfter)
		}
	}
}

// names is a server of names that gives each asker the next of its answers.
func names(t *testing.T, answers ...string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		buffer := make([]byte, 1500)
		for asked := 0; ; {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			var question dnsmessage.Message
			if question.Unpack(buffer[:n]) != nil {
				continue
			}
			reply := dnsmessage.Message{Header: dnsmessage.Header{ID: question.ID, Response: true, RecursionAvailable: true}, Questions: question.Questions}
			if q := question.Questions[0]; q.Type == dnsmessage.TypeA {
				a := netip.MustParseAddr(answers[min(asked, len(answers)-1)]).As4()
				asked++
				reply.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 0}, Body: &dnsmessage.AResource{A: a},
				}}
			}
			if packed, err := reply.Pack(); err == nil {
				_, _ = conn.WriteTo(packed, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// TestANameThatLeadsElsewhereTheSecondTimeIsNotFollowed has a name lead to an
// address that is allowed, and then to one that is not.
func TestANameThatLeadsElsewhereTheSecondTimeIsNotFollowed(t *testing.T) {
	var reached atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	listener, err := net.Listen("tcp", "0.0.0.0:0") // every address of this machine
	if err != nil {
		t.Fatal(err)
	}
	s.Listener = listener
	s.Start()
	t.Cleanup(s.Close)
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	rules := webhook.Rules{
		HTTP: true, Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")},
		Resolver: names(t, "127.0.0.2", "127.0.0.1", "169.254.169.254", "127.0.0.2"),
	}
	for i, want := range []string{"", "address_refused", "address_refused", ""} {
		if got := send(t, rules, "http://rebind.example.test.:"+port+"/", 2*time.Second); got.Error != want {
			t.Errorf("attempt %d: %+v", i+1, got)
		}
	}
	if reached.Load() != 2 {
		t.Errorf("it was reached %d times", reached.Load())
	}
}

func TestNoProxyIsAsked(t *testing.T) {
	var asked atomic.Int64
	t.Setenv("HTTP_PROXY", receiver(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	rules := here
	rules.Resolver = names(t, "127.0.0.1")
	_ = send(t, rules, "http://hooks.example.test.:1/", time.Second)
	if asked.Load() != 0 {
		t.Error("the proxy of the environment was asked")
	}
}
