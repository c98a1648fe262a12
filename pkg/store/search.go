package store

import (
	"context"
	"fmt"
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

// calledRow is what a client is called.
type calledRow struct {
	ClinicID    uuid.UUID
	ID          uuid.UUID
	Reference   string
	DisplayName string
}

// called gives the clients whose reference or name holds a text. They are
// compared here, all of them: what is sealed cannot be searched in a database,
// and the two databases know different letters for the same.
func (d *DB) called(ctx context.Context, who auth.Principal, text string) ([]uuid.UUID, error) {
	rows, err := all[calledRow](d.of(ctx, who, "client_versions").Where(current), "clients")
	if err != nil {
		return nil, err
	}
	sought := folded(text)
	var found []uuid.UUID
	for _, r := range rows {
		for _, sealed := range []struct {
			text  string
			place seal.Place
		}{{r.Reference, referenceOf(r.ClinicID)}, {r.DisplayName, nameOf(r.ClinicID, r.ID)}} {
			plain, err := d.keys.Open(sealed.text, sealed.place)
			if err != nil {
				return nil, fmt.Errorf("search clients: %w", err)
			}
			if strings.Contains(folded(plain), sought) {
				found = append(found, r.ID)
				break
			}
		}
	}
	return found, nil
}

// folded is a text without what a search passes over: its case, and its accents.
func folded(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	bare, _, err := transform.String(transform.Chain(norm.NFKD, runes.Remove(runes.In(unicode.Mn)), cases.Fold(), norm.NFC), s)
	if err != nil {
		return s // no transformer of these fails
	}
	return bare
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}
