package chart

import "image/color"

// An ink is a colour by what it is for. The Page theme names it, and the sheet
// of the page has the colour.
type ink string

const (
	none      ink = ""
	paper     ink = "paper"
	text      ink = "text"
	soft      ink = "soft" // what explains
	grid      ink = "grid"
	score     ink = "score"
	alarm     ink = "alarm"     // an answer that somebody must see
	session   ink = "session"   // a dose
	remission ink = "remission" // a line of remission
	reliable  ink = "reliable"  // a line of reliable change
	band0     ink = "band0"     // the mildest band
	band1     ink = "band1"
	band2     ink = "band2"
	band3     ink = "band3"
	band4     ink = "band4"
	heat0     ink = "heat0" // a cell of nobody
	heat1     ink = "heat1"
	heat2     ink = "heat2"
	heat3     ink = "heat3"
)

// palettes are the colours of the inks. They follow Okabe and Ito, darkened or
// lightened until marks have a contrast of 3 and texts of 4.5 on every ground
// that they stand on; a test computes it.
var palettes = map[Theme]map[ink]color.RGBA{
	Light: {
		paper: rgb(0xffffff), text: rgb(0x1d2429), soft: rgb(0x4a555d), grid: rgb(0xb9c3c9),
		score: rgb(0x005a8f), alarm: rgb(0xa83c00), session: rgb(0x8a2f66), remission: rgb(0x00624a), reliable: rgb(0x6b5200),
		band0: rgb(0xf7fafb), band1: rgb(0xedf3f6), band2: rgb(0xe2ebf0), band3: rgb(0xd7e3ea), band4: rgb(0xccdbe4),
		heat0: rgb(0xf7fafb), heat1: rgb(0xd9e9f3), heat2: rgb(0xb5d5e8), heat3: rgb(0x8fc0dc),
	},
	Dark: {
		paper: rgb(0x1d2327), text: rgb(0xeceae5), soft: rgb(0xb4bdc3), grid: rgb(0x56626b),
		score: rgb(0x7cc7f2), alarm: rgb(0xffa06b), session: rgb(0xf0b4d4), remission: rgb(0x5fd9b0), reliable: rgb(0xe8cb6a),
		band0: rgb(0x20272b), band1: rgb(0x252e33), band2: rgb(0x2a353b), band3: rgb(0x2f3c44), band4: rgb(0x34434c),
		heat0: rgb(0x20272b), heat1: rgb(0x23404f), heat2: rgb(0x275068), heat3: rgb(0x2b6080),
	},
	Print: {
		paper: rgb(0xffffff), text: rgb(0x000000), soft: rgb(0x333333), grid: rgb(0xaaaaaa),
		score: rgb(0x000000), alarm: rgb(0x000000), session: rgb(0x333333), remission: rgb(0x333333), reliable: rgb(0x333333),
		band0: rgb(0xffffff), band1: rgb(0xf6f6f6), band2: rgb(0xededed), band3: rgb(0xe4e4e4), band4: rgb(0xdbdbdb),
		heat0: rgb(0xffffff), heat1: rgb(0xe6e6e6), heat2: rgb(0xcccccc), heat3: rgb(0xb3b3b3),
	},
}

func rgb(v uint32) color.RGBA {
	return color.RGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 0xff} //nolint:gosec // a byte each
}

// palette gives a theme's colours; those of Light for one that is unknown.
func (t Theme) palette() map[ink]color.RGBA {
	if p, known := palettes[t]; known {
		return p
	}
	return palettes[Light]
}

// A class is a kind of mark. It is the class of the mark in the theme Page.
type class string

// The classes. Those of texts end in what they say.
const (
	ground         class = "ground"
	bandClass      class = "band" // with the number of the band
	heatClass      class = "heat" // with the number of the heat
	edge           class = "edge" // between bands, and along ticks
	axis           class = "axis"
	way            class = "way"    // from score to score
	step           class = "step"   // from before to after of a session
	within         class = "within" // an interval
	stairs         class = "stairs" // of a curve of survival
	intervalEdge   class = "interval"
	full           class = "full"      // an after
	speck          class = "speck"     // a full one where points stand close
	hollow         class = "hollow"    // a before
	aside          class = "aside"     // a point that takes no part
	doseLine       class = "dose-line" // down from a dose
	dose           class = "dose"      // the mark of a dose
	meeting        class = "meeting"   // the mark of another session
	remissionBar   class = "remission-line"
	reliableBar    class = "reliable-line"
	otherBar       class = "other-line"
	alarmMark      class = "alarm"
	ring           class = "ring"       // around a score with an alarm
	alarmLine      class = "alarm-line" // from the alarm to its score
	absent         class = "absent"     // a cross where there is no score
	gapLine        class = "gap"        // down from it
	unansweredMark class = "unanswered"
	leader         class = "leader" // from a label to its line
	own            class = "own"    // the cell of who stayed in a band

	titleText     class = "title"
	labelText     class = "label"
	strongText    class = "strong"
	valueText     class = "value"
	cellText      class = "cell"
	tickText      class = "tick"
	remissionText class = "remission-text"
	reliableText  class = "reliable-text"
	onDose        class = "on-dose"
	onMeeting     class = "on-meeting"
	onAlarm       class = "on-alarm"
	absentText    class = "absent-text"
)

// A style is how a class looks.
type style struct {
	fill, stroke ink
	width        float64
	dash         []float64
	size         float64 // of a text
	bold         bool
	halo         bool // of paper, for a text that lines pass below
}

var styles = map[class]style{
	ground:         {fill: paper},
	edge:           {stroke: grid, width: 1},
	axis:           {stroke: soft, width: 1},
	way:            {stroke: score, width: 1.5},
	step:           {stroke: score, width: 3.5},
	within:         {stroke: score, width: 1.5},
	stairs:         {stroke: score, width: 2.5},
	intervalEdge:   {stroke: score, width: 1, dash: []float64{3, 3}},
	full:           {fill: score, stroke: paper, width: 1},
	speck:          {fill: score},
	hollow:         {fill: paper, stroke: score, width: 2},
	aside:          {fill: paper, stroke: soft, width: 1.5, dash: []float64{2, 1.5}},
	doseLine:       {stroke: session, width: 1, dash: []float64{1, 3}},
	dose:           {fill: session},
	meeting:        {fill: paper, stroke: session, width: 1.5},
	remissionBar:   {stroke: remission, width: 2, dash: []float64{8, 4}},
	reliableBar:    {stroke: reliable, width: 2, dash: []float64{2, 3}},
	otherBar:       {stroke: soft, width: 1.5, dash: []float64{8, 3, 2, 3}},
	alarmMark:      {fill: alarm},
	ring:           {stroke: alarm, width: 2},
	alarmLine:      {stroke: alarm, width: 1, dash: []float64{2, 2}},
	absent:         {stroke: soft, width: 2},
	gapLine:        {stroke: soft, width: 1, dash: []float64{3, 4}},
	unansweredMark: {fill: paper, stroke: soft, width: 1.5},
	leader:         {stroke: soft, width: 1},
	own:            {stroke: text, width: 2},

	titleText:     {fill: text, size: 15, bold: true},
	labelText:     {fill: soft, size: 12},
	strongText:    {fill: text, size: 12},
	valueText:     {fill: text, size: 12, bold: true, halo: true},
	cellText:      {fill: text, size: 12, bold: true},
	tickText:      {fill: soft, size: 12, halo: true},
	remissionText: {fill: remission, size: 12, bold: true},
	reliableText:  {fill: reliable, size: 12, bold: true},
	onDose:        {fill: paper, size: 10, bold: true},
	onMeeting:     {fill: session, size: 10, bold: true},
	onAlarm:       {fill: paper, size: 10, bold: true},
	absentText:    {fill: soft, size: 12, bold: true},

	bandClass + "0": {fill: band0}, bandClass + "1": {fill: band1}, bandClass + "2": {fill: band2},
	bandClass + "3": {fill: band3}, bandClass + "4": {fill: band4},
	heatClass + "0": {fill: heat0}, heatClass + "1": {fill: heat1}, heatClass + "2": {fill: heat2}, heatClass + "3": {fill: heat3},
}

func (c class) style() style { return styles[c] }
