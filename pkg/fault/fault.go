// Package fault holds the kinds of error that a caller can act on.
//
// An error is made once, where the cause is known, with a kind and a message
// that is safe to show; it is wrapped with %w on its way up and becomes HTTP
// in api/problem alone. Every other error is a defect or an outage, and its
// text never leaves the log.
package fault

import (
	"errors"
	"strings"
	"time"
)

// Kind says what the caller can do about an error.
type Kind string

// The kinds. Each has one HTTP status, given in api/problem.
const (
	Malformed            Kind = "malformed"             // the bytes cannot be read as the promised format
	Invalid              Kind = "invalid"               // readable, but the content breaks a rule
	Unauthenticated      Kind = "unauthenticated"       // nobody is known to be asking
	Forbidden            Kind = "forbidden"             // somebody known may not do this
	NotFound             Kind = "not_found"             // unknown, or another clinic's
	Gone                 Kind = "gone"                  // erased on purpose; it will not come back
	Conflict             Kind = "conflict"              // the same id or reference with other content
	Stale                Kind = "stale"                 // the version named is no longer the current one
	PreconditionRequired Kind = "precondition_required" // the version read was not named
	TooLarge             Kind = "too_large"             // more bytes than are accepted
	UnsupportedMedia     Kind = "unsupported_media"     // not a content type or encoding that is read here
	RateLimited          Kind = "rate_limited"          // asked too often: wait
	Unavailable          Kind = "unavailable"           // try again: the database is away or busy
)

// Detail is one thing wrong with an input.
type Detail struct {
	Pointer string // JSON pointer (RFC 6901) into the body, or "/name" of a parameter
	In      string // "" for the body, else "query", "path" or "header"
	Code    string // stable and machine readable, for example "required"
	Message string // one sentence; it never repeats a client's answers or name
}

// Error is an error with a kind, a safe message and all faults found.
type Error struct {
	Kind       Kind
	Message    string
	Details    []Detail
	RetryAfter time.Duration // how long to wait before asking again; 0: not said
	cause      error
}

// New makes an error of the given kind. The message is shown to the caller.
func New(kind Kind, message string, details ...Detail) *Error {
	return &Error{Kind: kind, Message: message, Details: details}
}

// Wait makes a RateLimited error: what was asked can be asked again after d.
func Wait(message string, d time.Duration) *Error {
	return &Error{Kind: RateLimited, Message: message, RetryAfter: d}
}

// Because returns a copy of e that carries the cause, for the log only.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// Error gives the message and the places of the faults, never their values.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Kind))
	b.WriteString(": ")
	b.WriteString(e.Message)
	for _, d := range e.Details {
		b.WriteString("; ")
		b.WriteString(d.Pointer)
		b.WriteString(" ")
		b.WriteString(d.Code)
	}
	if e.cause != nil {
		b.WriteString(": ")
		b.WriteString(e.cause.Error())
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

// KindOf returns the kind of the first *Error in err's chain, or "".
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

// Is reports whether err is of the given kind.
func Is(err error, kind Kind) bool { return KindOf(err) == kind }

// InvalidIf returns an Invalid error that lists every detail, or nil when
// there is none.
func InvalidIf(details []Detail) error {
	if len(details) == 0 {
		return nil
	}
	return New(Invalid, "The request is well formed, but its content is not valid.", details...)
}
