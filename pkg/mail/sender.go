package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	smtp "github.com/wneessen/go-mail"
)

// Result is what became of an attempt.
type Result struct {
	Error     string // a code; empty: the server has taken the letter
	Permanent bool   // it will refuse this letter every time
}

// Codes of what went wrong, for those who look at a message.
const (
	failedRefused     = "refused"     // 5xx: this letter, or its reader, is not wanted
	failedBusy        = "busy"        // 4xx: later, perhaps
	failedTime        = "timeout"     // no answer in time
	failedTLS         = "tls"         // no safe connection, or the certificate is not good
	failedCredentials = "credentials" // the user's password is not the right one
	failedConnect     = "connection"  // no connection, or a lost one
	failedMalformed   = "malformed"   // what should be a header has several lines
	failedStopped     = "stopped"     // the server was stopped meanwhile: it is no attempt
)

// sendTime is how long one letter may take.
const sendTime = 20 * time.Second

// Sender hands letters to one server. Each has a connection of its own.
type Sender struct {
	server Server
	// Roots are who is believed; nil: those of the system.
	Roots *x509.CertPool
	// Patience is how long a letter may take: 20 seconds where it is 0.
	Patience time.Duration
}

// NewSender makes a sender.
func NewSender(server Server) *Sender { return &Sender{server: server} }

// Send hands a letter in and tells what became of it. That the server has taken
// the letter counts, whatever happens to the connection afterwards.
func (s *Sender) Send(ctx context.Context, l Letter) Result {
	msg, err := s.message(l)
	if err != nil {
		return Result{Error: failedMalformed, Permanent: true}
	}
	patience := s.Patience
	if patience == 0 {
		patience = sendTime
	}
	timed, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client, err := s.client(timed, patience)
	if err != nil {
		return Result{Error: failedConnect}
	}
	err = client.DialAndSendWithContext(timed, msg)
	if err == nil || msg.IsDelivered() {
		return Result{}
	}
	if ctx.Err() != nil {
		return Result{Error: failedStopped}
	}
	if timed.Err() != nil {
		return Result{Error: failedTime}
	}
	return resultOf(err)
}

// message refuses what could make a header of its own.
func (s *Sender) message(l Letter) (*smtp.Msg, error) {
	if _, err := ParseAddress(string(l.To)); err != nil || !oneLine(l.Subject) {
		return nil, errAddress
	}
	msg := smtp.NewMsg(smtp.WithNoDefaultUserAgent())
	if err := errors.Join(msg.From(string(s.server.From)), msg.To(string(l.To))); err != nil {
		return nil, err
	}
	_, domain, _ := strings.Cut(string(s.server.From), "@")
	msg.SetMessageIDWithValue(l.ID.String() + "@" + domain)
	msg.Subject(l.Subject)
	msg.SetDate()
	// No answer by a machine: RFC 3834.
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(smtp.TypeTextPlain, l.Text)
	return msg, nil
}

func (s *Sender) client(ctx context.Context, patience time.Duration) (*smtp.Client, error) {
	options := []smtp.Option{
		smtp.WithPort(s.server.Port), smtp.WithTimeout(patience), smtp.WithDialContextFunc(s.dial(ctx)),
		smtp.WithTLSConfig(s.tls()), smtp.WithTLSPolicy(smtp.TLSMandatory), smtp.WithHELO("localhost"),
	}
	if s.server.Insecure || s.server.Implicit { // then dial sees to it
		options = append(options, smtp.WithTLSPolicy(smtp.NoTLS))
	}
	if s.server.User != "" {
		kind := smtp.SMTPAuthPlain
		if s.server.Insecure || s.server.Implicit {
			kind = smtp.SMTPAuthPlainNoEnc // on this machine, or encrypted by dial
		}
		options = append(options, smtp.WithSMTPAuth(kind), smtp.WithUsername(s.server.User), smtp.WithPassword(string(s.server.Password)))
	}
	return smtp.NewClient(s.server.Host, options...)
}

func (s *Sender) tls() *tls.Config {
	return &tls.Config{ServerName: s.server.Host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12}
}

// dial makes connections that end with the letter's time, whatever the server
// does or does not say.
func (s *Sender) dial(letter context.Context) smtp.DialContextFunc {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(s.server.Host, strconv.Itoa(s.server.Port)))
		if err != nil {
			return nil, err
		}
		context.AfterFunc(letter, func() { _ = conn.Close() })
		if !s.server.Implicit {
			return conn, nil
		}
		safe := tls.Client(conn, s.tls())
		if err := safe.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		return safe, nil
	}
}

// resultOf names what went wrong. The text of an error can hold an address, so
// nothing of it is kept.
func resultOf(err error) Result {
	var sending *smtp.SendError
	var answer *textproto.Error
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var network net.Error
	code := 0
	switch {
	case errors.As(err, &sending):
		code = sending.ErrorCode()
	case errors.As(err, &answer):
		code = answer.Code
	}
	switch {
	case code == 530 || code == 534 || code == 535 || code == 538: // RFC 4954: not the letter's fault
		return Result{Error: failedCredentials}
	case code >= 500 && sending != nil:
		return Result{Error: failedRefused, Permanent: true}
	case code >= 400:
		return Result{Error: failedBusy}
	case errors.As(err, &certificate), errors.As(err, &record), strings.Contains(err.Error(), "STARTTLS"):
		return Result{Error: failedTLS}
	case errors.As(err, &network) && network.Timeout():
		return Result{Error: failedTime}
	}
	return Result{Error: failedConnect}
}
