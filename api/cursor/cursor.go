// Package cursor writes where a page of a list ends, for the API and for the
// pages, so that the next page goes on from there. A cursor is opaque to
// callers, and harmless if forged: it only says where in their own list to go on.
package cursor

import (
	"encoding/base64"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// written is a position as it travels, with the list that gave it out.
type written struct {
	List   string    `json:"l"`
	Text   string    `json:"s,omitzero"`
	Time   time.Time `json:"t,omitzero"`
	Number *float64  `json:"n,omitempty"`
	ID     uuid.UUID `json:"i,omitzero"`
}

// Format writes a position in a list.
func Format(list string, at care.Position) string {
	b, err := json.Marshal(written{list, at.Text, at.Time, at.Number, at.ID})
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// ErrNone is Parse's answer to what Format did not write for the list.
var ErrNone = fault.New(fault.Invalid, "The cursor is not one that was given out here.")

// Parse reads a position in a list; another list's is none. Whether the list's
// columns can be compared with it, the list knows.
func Parse(list, s string) (care.Position, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return care.Position{}, ErrNone.Because(err)
	}
	var at written
	if err := json.Unmarshal(b, &at, json.RejectUnknownMembers(true)); err != nil {
		return care.Position{}, ErrNone.Because(err)
	}
	// A database cannot compare every text that a forged one may hold.
	if at.List != list || at.ID == uuid.Nil || strings.ContainsRune(at.Text, 0) {
		return care.Position{}, ErrNone
	}
	return care.Position{Text: at.Text, Time: at.Time, Number: at.Number, ID: at.ID}, nil
}
