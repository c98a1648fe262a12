package cohort

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Windows is how many pairs were asked about these stretches of time. Totals of
// different windows answer different questions, so they are never pooled
// without a word.
type Windows struct {
	From, To string // recall windows such as P14D
	N        Count
}

// windowsOf are those of a pair of scores, without the number.
func windowsOf(from, to Score) Windows { return Windows{From: from.Window, To: to.Window} }

func (w Windows) name() string { return "windows " + w.From + "/" + w.To }

// inOrder lists the windows that were met.
func inOrder(t tally[Windows]) []Windows {
	return slices.SortedFunc(maps.Keys(t), func(a, b Windows) int {
		return cmp.Or(strings.Compare(a.From, b.From), strings.Compare(a.To, b.To))
	})
}

// windowCounts are the numbers of pairs by their windows.
func windowCounts(t tally[Windows]) []counted[Windows] {
	var out []counted[Windows]
	for _, w := range inOrder(t) {
		out = append(out, counted[Windows]{w.name(), func(x Windows) bool { return x == w }})
	}
	return out
}

// windowList lists the windows that were met, with the numbers that may be shown.
func windowList(t tally[Windows], may shown) []Windows {
	out := make([]Windows, 0, len(t))
	for _, w := range inOrder(t) {
		w.N = may.count(w.name(), t[w])
		out = append(out, w)
	}
	return out
}

// showableWindows decides about the numbers of pairs beside that of all of them.
func showableWindows(t tally[Windows], threshold int) shown {
	return showableParts(t, counted[Windows]{countPaired, func(Windows) bool { return true }}, windowCounts(t), threshold)
}
