// Package mail sends letters: that a questionnaire waits, or that somebody is
// to look. A letter says neither about whom nor why; what can be in it are the
// clinic's name and a link.
//
// Words are composed by kind and language, sent by SMTP, and kept back in the
// hours in which the reader sleeps. What waits to be sent is the record's own
// (pkg/store keeps it); a Worker sends what is due.
package mail

import (
	"errors"
	"log/slog"
	"net/mail"
	"strings"
	"unicode"
)

// Secret is a password. It prints as ***; string(s) is the deliberate way out.
type Secret string

// String hides the secret.
func (Secret) String() string { return "***" }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return "***" }

// MarshalText hides the secret from JSON.
func (Secret) MarshalText() ([]byte, error) { return []byte("***"), nil }

// LogValue hides the secret from slog.
func (Secret) LogValue() slog.Value { return slog.StringValue("***") }

// Address is where somebody reads mail, or a link that opens somebody's form.
// It prints as ***; string(a) is the deliberate way out.
type Address string

// String hides the address.
func (Address) String() string { return "***" }

// GoString hides the address from %#v.
func (Address) GoString() string { return "***" }

// MarshalText hides the address from JSON: wire types hold plain strings.
func (Address) MarshalText() ([]byte, error) { return []byte("***"), nil }

// LogValue hides the address from slog.
func (Address) LogValue() slog.Value { return slog.StringValue("***") }

// longestAddress is what SMTP carries: RFC 5321, 4.5.3.1.3, less its brackets.
const longestAddress = 254

var errAddress = errors.New("this is no address of mail, such as ana@example.org")

// ParseAddress reads one address without a name beside it.
func ParseAddress(text string) (Address, error) {
	a, err := mail.ParseAddress(text)
	if err != nil || a.Address != text || a.Name != "" || len(text) > longestAddress || !oneLine(text) {
		return "", errAddress
	}
	_, domain, _ := strings.Cut(text, "@")
	if strings.Trim(domain, ".") != domain || strings.ContainsAny(domain, " []\"") {
		return "", errAddress
	}
	return Address(text), nil
}

// oneLine says that a text can stand in a header: nothing in it ends the line.
func oneLine(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' })
}
