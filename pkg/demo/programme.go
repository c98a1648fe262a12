package demo

// Plot is what a story was written to show.
type Plot string

// The plots. What they promise of the PHQ-9 holds from the end of a completed
// course on; a course that still goes on may not be there yet.
const (
	Typical       Plot = "typical"        // remission by way of a clear sawtooth, held for six months
	Remitter      Plot = "remitter"       // below 5 at the end
	Responder     Plot = "responder"      // half of the baseline or less, but not below 5
	LateResponder Plot = "late_responder" // nothing until the fourth dose, then a response or a remission
	Relapser      Plot = "relapser"       // a response, lost in the follow-up
	Returner      Plot = "returner"       // responds, falls back, and responds to a second course
	Partial       Plot = "partial"        // a quarter to a half better, never more
	NonResponder  Plot = "non_responder"  // no reliable change
	Worsened      Plot = "worsened"       // reliably worse
	BaselineOnly  Plot = "baseline_only"  // answered once and did not begin
	Waiting       Plot = "waiting"        // has a course, and was not assessed yet
)

// part is one story to be written.
type part struct {
	plot      Plot
	ordinal   int  // among the parts of the plot
	followUps int  // how many of the follow-ups at 1, 3 and 6 months are answered
	early     bool // leaves after a few doses
	ongoing   bool // is still being treated
	flaw      flaw
}

// cues says how many parts a plot has and how far they go. The first ones of
// a plot answer the follow-ups, the last ones are still in treatment, and
// those before them leave early.
type cues struct {
	plot               Plot
	parts              int
	one, three, six    int // months: how many still answer
	leave, stillTreats int
}

// bill is the whole clinic: sixty clients.
var bill = []cues{
	{plot: Typical, parts: 1, one: 1, three: 1, six: 1},
	{plot: Remitter, parts: 15, one: 8, three: 2, stillTreats: 2},
	{plot: Responder, parts: 8, one: 4, three: 1, leave: 1, stillTreats: 1},
	{plot: LateResponder, parts: 6, one: 3, three: 1, stillTreats: 1},
	{plot: Relapser, parts: 4, one: 4, three: 3, six: 1},
	{plot: Returner, parts: 1},
	{plot: Partial, parts: 9, one: 3, three: 1, leave: 2, stillTreats: 2},
	{plot: NonResponder, parts: 11, one: 2, leave: 4, stillTreats: 1},
	{plot: Worsened, parts: 3, one: 1, leave: 2},
	{plot: BaselineOnly, parts: 1},
	{plot: Waiting, parts: 1},
}

// flaw is what goes wrong with the forms of a story.
type flaw int

const (
	none      flaw = iota
	declines       // item 9 is declined once
	declining      // item 9 is declined again and again
	skips          // items are left out: no total
	prorates       // items are left out, and the clinic prorates
	amended        // one answer was entered wrongly and is amended
	retracted      // one form was another client's and is retracted
	referred       // of the baseline only the referrer's total is known
	onPaper        // a clinician types in what was filled in on paper
)

// flaws says whose forms are flawed, by plot and ordinal.
var flaws = map[Plot]map[int]flaw{
	Remitter:      {1: skips, 3: amended, 4: declines, 6: prorates, 9: onPaper},
	Responder:     {0: retracted, 2: skips, 3: referred},
	LateResponder: {0: prorates, 2: declines},
	Partial:       {0: skips, 3: amended, 4: onPaper},
	NonResponder:  {1: declining, 2: prorates, 5: referred},
	Relapser:      {2: skips},
	Worsened:      {0: prorates},
}

// programme lists the parts, in the order in which they are written.
func programme() []part {
	var parts []part
	for _, c := range bill {
		for i := range c.parts {
			p := part{plot: c.plot, ordinal: i, flaw: flaws[c.plot][i]}
			for _, reach := range []int{c.one, c.three, c.six} {
				if i < reach {
					p.followUps++
				}
			}
			p.ongoing = i >= c.parts-c.stillTreats
			p.early = !p.ongoing && i >= c.parts-c.stillTreats-c.leave
			parts = append(parts, p)
		}
	}
	return parts
}
