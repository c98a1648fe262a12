package cohort

import "maps"

// Weigh enters an answer into ledgers by measure, all of its numbers or none, and
// gives the ledgers that have changed; those before are as they were. A
// fault.Conflict is the refusal.
func Weigh(before map[string]*Ledger, secret []byte, bases []Basis, threshold int) (map[string]*Ledger, error) {
	type numbers struct {
		prints [][]Print
		groups bool
	}
	by := map[string]numbers{}
	for _, b := range bases {
		n := by[b.Measure]
		by[b.Measure] = numbers{append(n.prints, Prints(secret, b.Data)), b.Groups}
	}
	changed, effort := map[string]*Ledger{}, NewEffort()
	for measure, n := range by {
		next := &Ledger{}
		if l := before[measure]; l != nil {
			next.given, next.data = l.given, maps.Clone(l.data)
		}
		added, err := next.Admit(n.prints, Limit{Threshold: threshold, Groups: n.groups, Effort: effort})
		if err != nil {
			return nil, err
		}
		if added > 0 {
			changed[measure] = next
		}
	}
	return changed, nil
}

// Answers is how many the ledger holds that do not follow from others.
func (l *Ledger) Answers() int { return l.given }
