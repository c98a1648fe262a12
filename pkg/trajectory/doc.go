// Package trajectory turns one client's scores on one instrument into a
// course: change from a named baseline, reliable change, response, remission,
// recovery, relapse and durability, the change across each session, a trend,
// and how far two assessments asked about the same days.
//
// It is pure: values in, values out. It reads no clock, draws no random number
// and gives the same Trajectory for every order of the same input. Ids must be
// unique within a series.
//
// Three habits hold everywhere:
//
//   - nil means "cannot be said", never "no" and never zero: no score, no rule,
//     nothing to compare with. A total of 0 is an answer.
//   - Nothing is dropped. An assessment without a total, or one that the
//     overlap rule sets aside, remains a point and is counted.
//   - Nothing is assumed. Thresholds come with the rule set and travel with the
//     result, as do the baseline rule and the definition of relapse.
//
// # Where the rules come from
//
// Response is a fall of at least half and partial response 25 to under 50 %
// (ICSI); remission on PHQ-9 and GAD-7 is a total below 5; caseness (10 and 8),
// reliable change (6 and 4), recovery and reliable recovery are those of NHS
// Talking Therapies (Gyani 2013, NCT05134103); 15 or 18 points and a total of
// at most 28 on the PCL-5 are Marx 2022. This package holds none of these
// numbers: they are in the [Rules] of the caller.
//
// Recovery here looks at one instrument. That of NHS Talking Therapies asks
// that PHQ-9 and GAD-7 both are below caseness at the end, so a client who
// recovered on the PHQ-9 alone has not recovered in their sense.
//
// Project decisions, where no standard was found: ">=" on the declared
// threshold for reliable change; the three definitions of relapse; the order of
// [Summary], and that it never says relapsed, remission or response of a client
// who was no case at the baseline; the recall overlap; [LateBefore].
package trajectory
