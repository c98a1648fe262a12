package store

import (
	"context"
	"database/sql"
	"strings"
	"unicode"

	"github.com/google/uuid"
	"golang.org/x/text/cases"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/seal"
)

// called gives the clients whose reference or name holds a text. They are
// compared here, all of them: what is sealed cannot be searched in a database,
// and the two databases know different letters for the same.
func (d *DB) called(ctx context.Context, who auth.Principal, text string) (found []uuid.UUID, err error) {
	fold := folder()
	sought := fold(text)
	holds := func(sealed string, place seal.Place) (bool, error) {
		plain, err := d.keys.Open(sealed, place)
		return err == nil && strings.Contains(fold(plain), sought), err
	}
	var id uuid.UUID
	var reference, name string
	into := []any{&id, &reference, &name}
	query := d.of(ctx, who, "client_versions").Select("id, reference, display_name").Where(current)
	err = scanRows(query, "clients", func(rows *sql.Rows) error {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		held, err := holds(reference, referenceOf(who.Clinic))
		if err == nil && !held {
			held, err = holds(name, nameOf(who.Clinic, id))
		}
		if held {
			found = append(found, id)
		}
		return err
	})
	return found, err
}

// folder gives a function that takes from a text what a search passes over: its
// case, and its accents. The function is for one goroutine.
func folder() func(string) string {
	bare := transform.Chain(norm.NFKD, runes.Remove(runes.In(unicode.Mn)), cases.Fold(), norm.NFC)
	return func(s string) string {
		if isASCII(s) {
			return strings.ToLower(s)
		}
		folded, _, err := transform.String(bare, s)
		if err != nil {
			return s // no transformer of these fails
		}
		return folded
	}
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] > unicode.MaxASCII {
			return false
		}
	}
	return true
}
