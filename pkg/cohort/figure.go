package cohort

import (
	"iter"

	"github.com/google/uuid"
)

// Cases are the people that a figure is about. An error ends them, and is the
// figure's own.
type Cases = iter.Seq2[Case, error]

// Count is a number of people; nil where it is withheld.
type Count = *int

// Interval is a confidence interval: from, to.
type Interval [2]float64

// Rate is how many of a stated group something is true of.
type Rate struct {
	N, Of Count
	Rate  *float64  // N / Of; nil where Of is 0 or either is withheld
	CI95  *Interval // Wilson's score interval without continuity correction (Wilson 1927, JASA 22:209)
	Words string    // what Of is: "of all pairs", "of those who were cases at from"
}

// Datum is one person's part in a figure: the assessment that was counted, in
// the version that was read. Where no assessment is counted its ID is Nil.
type Datum struct {
	Person, ID uuid.UUID
	Version    int
}

// Basis is what one set of numbers was computed from. Two answers whose bases
// differ by fewer people than may be shown give away those people's data: the
// difference of the answers is theirs (see Ledger).
type Basis struct {
	Measure string  // what was counted: "phq-9 score". Bases of one measure are compared.
	Number  string  // which number of the figure it is: "paired"
	Groups  bool    // the numbers are numbers of people (see Limit), each with one datum
	Data    []Datum // in any order
}

// small reports whether a number of people is too few to be shown, but for
// nobody at all.
func small(n, threshold int) bool { return 0 < n && n < threshold }

// withhold gives nil in the place of a small number of people.
func withhold(n Count, threshold int) Count {
	if n == nil || small(*n, threshold) {
		return nil
	}
	return n
}
