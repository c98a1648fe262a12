package export

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// legalName is what all programs take for a name without quotes around it.
var legalName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

// stringType is how Stata names its types of text.
var stringType = regexp.MustCompile(`^str[0-9]+$`)

// reserved holds the words that a program keeps for itself: Stata, SPSS, R,
// Python or SQL, as PostgreSQL and DuckDB speak it.
var reserved = wordSet(`
	byte double float if in int long strl using with
	all and by eq ge gt le lt ne not or to
	break else for function next repeat while
	as assert async await class continue def del elif except finally from global import is lambda
	nonlocal pass raise return try yield
	analyse analyze any array asc asymmetric both case cast check collate column constraint create
	current_date current_role current_time current_timestamp current_user default deferrable desc
	distinct do end false fetch foreign grant group having initially intersect into lateral leading
	limit localtime localtimestamp null offset on only order placing primary references select
	session_user some symmetric table then trailing true union unique user variadic when where window`)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		set[w] = true
	}
	return set
}

// CheckName says what is wrong with the name of a column or table, or nil: all
// programs must take it as it is.
func CheckName(name string) error {
	switch {
	case !legalName.MatchString(name):
		return fmt.Errorf("the name %q is not a lower-case letter followed by letters, digits and underscores, 32 at most", name)
	case reserved[name] || stringType.MatchString(name):
		return fmt.Errorf("the name %q is a word of Stata, SPSS, R, Python or SQL", name)
	}
	return nil
}

// Check says what is wrong with the table's name, columns and codes, all of it,
// or nil. It does not look at the rows. Faults are defects of whoever built the
// table; writers refuse it.
func (t Table) Check() error {
	faults := []error{CheckName(t.Name)}
	if len(t.Columns) == 0 {
		faults = append(faults, errors.New("there are no columns"))
	}
	seen := map[string]bool{}
	for _, c := range t.Columns {
		if seen[c.Name] {
			faults = append(faults, fmt.Errorf("there are two columns %q", c.Name))
		}
		seen[c.Name] = true
		faults = append(faults, CheckName(c.Name), c.checkCodes())
	}
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("table %s: %w", t.Name, err)
	}
	return nil
}

// checkCodes says what is wrong with the codes of a column.
func (c Column) checkCodes() error {
	seen := map[string]bool{}
	for _, code := range c.Codes {
		if code.Value == "" {
			return fmt.Errorf("column %s has a code without a value", c.Name)
		}
		if seen[code.Value] {
			return fmt.Errorf("column %s has the code %q twice", c.Name, code.Value)
		}
		seen[code.Value] = true
		switch c.Kind {
		case Integer, Boolean:
			// 32 bits are what Stata's value labels have.
			if n, err := strconv.ParseInt(code.Value, 10, 32); err != nil || strconv.FormatInt(n, 10) != code.Value {
				return fmt.Errorf("column %s has the code %q, which is no small whole number", c.Name, code.Value)
			}
		case Text:
		default:
			return fmt.Errorf("column %s has codes, but holds neither text nor whole numbers", c.Name)
		}
	}
	return nil
}
