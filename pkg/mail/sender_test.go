package mail_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/mail"
)

// relay is a mail server that runs in the test.
type relay struct {
	mu     sync.Mutex
	got    []string // letters, as they came
	users  []string
	answer error         // to RCPT
	stall  chan struct{} // closed: RCPT is answered
}

type dialogue struct{ of *relay }

func (r *relay) NewSession(*smtp.Conn) (smtp.Session, error) { return dialogue{r}, nil }

func (d dialogue) Reset()                               {}
func (d dialogue) Logout() error                        { return nil }
func (d dialogue) Mail(string, *smtp.MailOptions) error { return nil }

func (d dialogue) Rcpt(string, *smtp.RcptOptions) error {
	if d.of.stall != nil {
		<-d.of.stall
	}
	return d.of.answer
}

func (d dialogue) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	d.of.mu.Lock()
	defer d.of.mu.Unlock()
	d.of.got = append(d.of.got, string(text))
	return err
}

func (d dialogue) AuthMechanisms() []string { return []string{sasl.Plain} }

func (d dialogue) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		d.of.mu.Lock()
		defer d.of.mu.Unlock()
		if d.of.users = append(d.of.users, user); password != "right" {
			return smtp.ErrAuthFailed
		}
		return nil
	}), nil
}

type way string

const (
	plain    way = "smtp without STARTTLS"
	startTLS way = "smtp with STARTTLS"
	implicit way = "smtps"
)

// start runs the server, and gives its address and who vouches for it.
func (r *relay) start(t *testing.T, w way) (hostPort string, roots *x509.CertPool) {
	t.Helper()
	vouching := httptest.NewTLSServer(nil) // its certificate is for 127.0.0.1
	t.Cleanup(vouching.Close)
	roots = x509.NewCertPool()
	roots.AddCert(vouching.Certificate())
	server := smtp.NewServer(r)
	server.Domain, server.AllowInsecureAuth = "relay.test", w == plain
	certificate := &tls.Config{Certificates: vouching.TLS.Certificates, MinVersion: tls.VersionTLS12}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	switch w {
	case startTLS:
		server.TLSConfig = certificate
	case implicit:
		listener = tls.NewListener(listener, certificate)
	case plain:
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return listener.Addr().String(), roots
}

func (r *relay) letters() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got
}

func sender(t *testing.T, url, password string, insecure bool, roots *x509.CertPool) *mail.Sender {
	t.Helper()
	server, err := mail.ParseServer(mail.Secret(url), mail.Secret(password), "clinic@clinic.test", insecure)
	if err != nil {
		t.Fatal(err)
	}
	s := mail.NewSender(server)
	s.Roots, s.Patience = roots, 5*time.Second
	return s
}

func letter() mail.Letter {
	return mail.Letter{ID: uuid.MustParse("0190a000-0000-7000-8000-000000000001"), To: "ana@client.test", Subject: "Preguntas: ¿cómo está?", Text: "Hola\n\nhttps://clinic.test/q/abc\n"}
}

func TestALetterComesThroughEachWay(t *testing.T) {
	for w, at := range map[way]struct {
		url      string
		insecure bool
	}{startTLS: {"smtp://protrack@", false}, implicit: {"smtps://protrack@", false}, plain: {"smtp://protrack@", true}} {
		t.Run(string(w), func(t *testing.T) {
			r := &relay{}
			host, roots := r.start(t, w)
			if got := sender(t, at.url+host, "right", at.insecure, roots).Send(t.Context(), letter()); got != (mail.Result{}) {
				t.Fatalf("result %+v", got)
			}
			if len(r.letters()) != 1 || cmp.Diff([]string{"protrack"}, r.users) != "" {
				t.Fatalf("%d letters, users %v", len(r.letters()), r.users)
			}
			for _, want := range []string{
				"Message-ID: <0190a000-0000-7000-8000-000000000001@clinic.test>", "Auto-Submitted: auto-generated",
				"From: <clinic@clinic.test>", "To: <ana@client.test>", "https://clinic.test/q/abc",
			} {
				if !strings.Contains(r.letters()[0], want) {
					t.Errorf("no %q in\n%s", want, r.letters()[0])
				}
			}
		})
	}
}

func TestWhatGoesWrongIsToldByACode(t *testing.T) {
	busy := &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "later"}
	unknown := &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "nobody here of that name"}
	for name, c := range map[string]struct {
		way      way
		answer   error
		password string
		strange  bool // nobody vouches for the certificate
		want     mail.Result
	}{
		"a server that is busy is asked again":                {startTLS, busy, "right", false, mail.Result{Error: "busy"}},
		"a server that does not know the reader is not":       {startTLS, unknown, "right", false, mail.Result{Error: "refused", Permanent: true}},
		"a wrong password is no fault of the letter":          {startTLS, nil, "wrong", false, mail.Result{Error: "credentials"}},
		"nothing is sent where nobody vouches for the server": {startTLS, nil, "right", true, mail.Result{Error: "tls"}},
		"nor over smtps": {implicit, nil, "right", true, mail.Result{Error: "tls"}},
		"nothing is sent unencrypted unless the operator allowed it": {plain, nil, "right", false, mail.Result{Error: "tls"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &relay{answer: c.answer}
			host, roots := r.start(t, c.way)
			if c.strange {
				roots = x509.NewCertPool()
			}
			scheme := "smtp://protrack@"
			if c.way == implicit {
				scheme = "smtps://protrack@"
			}
			got := sender(t, scheme+host, c.password, false, roots).Send(t.Context(), letter())
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if len(r.letters()) != 0 || (c.strange || c.way == plain) && len(r.users) != 0 {
				t.Errorf("%d letters, users %v", len(r.letters()), r.users)
			}
		})
	}
}

func TestAServerThatHangsIsGivenUp(t *testing.T) {
	r := &relay{stall: make(chan struct{})}
	host, roots := r.start(t, startTLS)
	defer close(r.stall)
	s := sender(t, "smtp://"+host, "", false, roots)
	s.Patience = 300 * time.Millisecond
	if got := s.Send(t.Context(), letter()); got != (mail.Result{Error: "timeout"}) {
		t.Errorf("result %+v", got)
	}
}

func TestNobodyListens(t *testing.T) {
	if got := sender(t, "smtp://127.0.0.1:1", "", false, nil).Send(t.Context(), letter()); got != (mail.Result{Error: "connection"}) {
		t.Errorf("result %+v", got)
	}
}

func TestNothingMakesAHeaderOfItsOwn(t *testing.T) {
	r := &relay{}
	host, roots := r.start(t, startTLS)
	s := sender(t, "smtp://"+host, "", false, roots)
	for _, end := range []string{"\r\nBcc: eve@evil.test", "\nBcc: eve@evil.test", "\rX", "\x00", "\u2028X"} {
		to, subject := letter(), letter()
		to.To += mail.Address(end)
		subject.Subject += end
		for _, l := range []mail.Letter{to, subject} {
			if got := s.Send(t.Context(), l); got != (mail.Result{Error: "malformed", Permanent: true}) {
				t.Errorf("%q: %+v", end, got)
			}
		}
	}
	if len(r.letters()) != 0 {
		t.Errorf("%d letters", len(r.letters()))
	}
}

func TestAddressesOfServers(t *testing.T) {
	for name, c := range map[string]struct {
		url, password, from string
		insecure            bool
	}{
		"no scheme":                             {"mail.test:587", "", "a@b.test", false},
		"another scheme":                        {"http://mail.test", "", "a@b.test", false},
		"a user without a password":             {"smtp://u@mail.test", "", "a@b.test", false},
		"a password to another machine, plain":  {"smtp://u:hush@mail.test", "", "a@b.test", true},
		"smtps and unencrypted":                 {"smtps://mail.test", "", "a@b.test", true},
		"a sender with a name":                  {"smtp://mail.test", "", "Clinic <a@b.test>", false},
		"a path":                                {"smtp://u:hush@mail.test/x", "", "a@b.test", false},
		"an address that cannot be read at all": {"smtp://u:hush@ma il", "", "a@b.test", false},
	} {
		_, err := mail.ParseServer(mail.Secret(c.url), mail.Secret(c.password), c.from, c.insecure)
		if err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", name, err)
		}
	}
	got, err := mail.ParseServer("smtps://u:hush@mail.test", "", "a@b.test", false)
	want := mail.Server{Host: "mail.test", Port: 465, Implicit: true, User: "u", Password: "hush", From: "a@b.test"}
	if diff := cmp.Diff(want, got); diff != "" || !errors.Is(err, nil) {
		t.Error(diff, err)
	}
}
