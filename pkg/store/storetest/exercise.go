//go:build unix

package storetest

import "testing"

// A promise is one sentence of what a store does, and how to find out. It is
// given a clinic of its own.
type promise struct {
	says  string
	holds func(t *testing.T, c *Clinic)
}

// Exercise holds a database to every promise of care.Store, care.Tx,
// auth.Store, audit.Ledger and research.Store. It is the same for every database.
func Exercise(t *testing.T, d *Database) {
	t.Helper()
	for _, group := range [][]promise{
		roundTrips, versions, asOf, lists, caseloads, transactions, keys, rights, notes, ledgers, keeping, tokens, messages, accounts, browsers, releases, cohorts, studies, snapshots,
	} {
		for _, p := range group {
			t.Run(p.says, func(t *testing.T) { p.holds(t, d.Clinic(t)) })
		}
	}
}
