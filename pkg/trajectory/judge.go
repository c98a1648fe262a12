package trajectory

// Verdicts are what a rule set says of one total compared with an earlier one,
// without a course around them: for figures over many clients. Each is nil
// where the rules do not say, as on [Point] and [Status].
type Verdicts struct {
	Reliable         *Reliable
	Response         *Response // nil where the baseline is 0
	Remission        *bool     // of the total alone
	BaselineCase     *bool
	Recovery         *bool // a case at baseline, none now; nil where the baseline was no case
	ReliableRecovery *bool
}

// Judge compares a total with a baseline. Both are numbers; the direction says
// which way is better.
func (r Rules) Judge(d Direction, baseline, total float64) Verdicts {
	j := r.judge(d)
	v := Verdicts{
		Reliable:     j.reliable(baseline, total),
		Response:     j.response(baseline, total),
		Remission:    j.remission(total),
		BaselineCase: j.isCase(baseline),
		Recovery:     j.recovered(baseline, total),
	}
	v.ReliableRecovery = reliably(v.Recovery, v.Reliable)
	return v
}

// IsCase reports whether a total is a case; nil where the rules have no
// caseness.
func (r Rules) IsCase(d Direction, total float64) *bool { return r.judge(d).isCase(total) }

func (r Rules) judge(d Direction) judge {
	return judge{higherIsBetter: d == HigherIsBetter, rules: r}
}

// reliably is recovery by more than measurement error; nil where either of the
// two was not judged.
func reliably(recovery *bool, change *Reliable) *bool {
	if recovery == nil || change == nil {
		return nil
	}
	return new(*recovery && *change == Improved)
}
