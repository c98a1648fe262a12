package webhook

import "time"

// waits are from each attempt that failed to the next: ten attempts in some
// three days. A receiver that is down over a weekend misses nothing.
var waits = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
	10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

const (
	longestWait  = 24 * time.Hour     // that a receiver can ask for
	failingLimit = 5 * 24 * time.Hour // without anything coming through, until a webhook is disabled
	overlap      = 24 * time.Hour     // that a secret signs on after its rotation
)

// next says when to try again after so many attempts, all of which failed;
// false: not any more. Jitter is from 0 to 1 and adds up to a tenth, so that
// what failed together does not come back together. A receiver that asks for
// more time has it.
func next(attempts int, asked time.Duration, jitter float64) (time.Duration, bool) {
	if attempts > len(waits) {
		return 0, false
	}
	wait := waits[attempts-1]
	wait += time.Duration(float64(wait) / 10 * jitter)
	return max(wait, min(asked, longestWait)), true
}
