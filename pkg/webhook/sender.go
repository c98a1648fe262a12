package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	sendTime   = 15 * time.Second
	testTime   = 8 * time.Second // somebody waits for the answer
	answerRead = 4 << 10         // bytes of an answer that are read, and passed over
)

// Sender sends messages. It follows no redirects, asks no proxy, and dials
// what its rules allow.
type Sender struct {
	rules  Rules
	client *http.Client
}

// NewSender makes a sender.
func NewSender(rules Rules) *Sender {
	dialer := &net.Dialer{Timeout: sendTime, ControlContext: rules.control, Resolver: rules.Resolver}
	return &Sender{rules: rules, client: &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: sendTime, DisableKeepAlives: true, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: 16 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Result is what became of an attempt.
type Result struct {
	Status     int           // that was answered; 0: none was
	Error      string        // a code; empty: it came through
	RetryAfter time.Duration // that the receiver asks for; 0: it does not
}

// Codes of what went wrong, for those who look at a delivery.
const (
	failedStatus   = "status"          // the answer is none of 2xx
	failedRedirect = "redirect"        // it is 3xx: redirects are not followed
	failedTime     = "timeout"         // no answer in time
	failedAddress  = "address_refused" // the name leads to an address that is not allowed
	failedName     = "name_unknown"    // the name leads nowhere
	failedTLS      = "tls"             // no safe connection, or the certificate is not good
	failedConnect  = "connection"      // no connection, or a lost one
	failedStopped  = "stopped"         // the server was stopped meanwhile: it is no attempt
)

// Send sends a message and tells what became of it.
func (s *Sender) Send(ctx context.Context, to URL, m Message, now time.Time, within time.Duration) Result {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, string(to), bytes.NewReader(m.Body))
	if err != nil {
		return Result{Error: failedConnect}
	}
	for name, value := range m.headers() {
		req.Header.Set(name, value)
	}
	res, err := s.client.Do(req)
	if err != nil {
		return Result{Error: codeOf(err)}
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, answerRead)) // the status is the answer
	out := Result{Status: res.StatusCode}
	switch {
	case res.StatusCode >= 200 && res.StatusCode < 300:
		return out
	case res.StatusCode >= 300 && res.StatusCode < 400:
		out.Error = failedRedirect
	default:
		out.Error, out.RetryAfter = failedStatus, retryAfter(res.Header.Get("Retry-After"), now)
	}
	return out
}

// codeOf says what went wrong without a word of what was sent where.
func codeOf(err error) string {
	var name *net.DNSError
	var record tls.RecordHeaderError
	var certificate *tls.CertificateVerificationError
	var alert tls.AlertError
	var network net.Error
	switch {
	case errors.Is(err, errAddress):
		return failedAddress
	case errors.Is(err, context.Canceled):
		return failedStopped
	case errors.As(err, &name) && !name.IsTimeout:
		return failedName
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return failedTime
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &record), errors.As(err, &certificate), errors.As(err, &alert):
		return failedTLS
	}
	return failedConnect
}

// retryAfter reads a header of seconds or of a date.
func retryAfter(text string, now time.Time) time.Duration {
	text = strings.TrimSpace(text)
	if n, err := strconv.Atoi(text); err == nil && n > 0 && n < 1<<30 {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}
