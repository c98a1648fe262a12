// Package archtest holds the rules of the house as tests: which packages there
// are, who may import whom, and what every file owes its reader. It has no code
// of its own; the rules are the tables in rules_test.go.
package archtest
