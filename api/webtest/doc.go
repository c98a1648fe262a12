// Package webtest holds the pages against what people need of them, in a real
// browser: that they can be read, reached by keys alone, and used in the other
// language, on a phone and without scripts. It has tests only.
package webtest
