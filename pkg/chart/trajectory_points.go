package chart

import "slices"

// ways joins the scores: thin from each to the next, broken where one is
// missing, and thick across a session.
func (d *drawing) ways() {
	for _, run := range d.runs() {
		if len(run) > 1 {
			d.line(way, run...)
		}
	}
	for _, pair := range d.pairs() {
		d.line(step, pair[0], pair[1])
	}
	for _, p := range d.points {
		if p.total == nil {
			d.line(gapLine, spot{p.x, d.plot.y}, spot{p.x, d.plot.bottom()})
		}
	}
}

// runs are the stretches of scores without a missing one between them. What is
// set aside is passed over.
func (d *drawing) runs() [][]spot {
	var out [][]spot
	var run []spot
	for _, p := range d.points {
		switch {
		case p.total == nil:
			out, run = append(out, run), nil
		case !p.Excluded:
			run = append(run, p.spot)
		}
	}
	return append(out, run)
}

// pairs are the last score before and the first after each session, unless one
// is missing between them.
func (d *drawing) pairs() [][2]spot {
	var out [][2]spot
	before := map[string]*placed{}
	for i := range d.points {
		p := &d.points[i]
		switch {
		case p.total == nil:
			clear(before)
		case p.Excluded || p.Session == "":
		case p.Timing == Before:
			before[p.Session] = p
		case p.Timing == After && before[p.Session] != nil:
			out = append(out, [2]spot{before[p.Session].spot, p.spot})
			delete(before, p.Session)
		}
	}
	return out
}

// marksOfPoints are those of all scores.
func (d *drawing) marksOfPoints() {
	for _, p := range d.points {
		if p.total != nil {
			d.symbol(p.Timing, p.Excluded, p.x, p.y, d.r, d.told(p.Point))
			r := d.r + 1
			if p.Flagged {
				r += 3 // the ring
			}
			d.taken = append(d.taken, box{p.x - r, p.y - r, 2 * r, 2 * r})
		}
	}
}

// told is what a reader is told of a point.
func (d *drawing) told(p Point) string {
	out := p.Label
	if out == "" {
		out = Day(p.At.In(d.Zone), d.Words)
		if total := finite(p.Total); total != nil {
			out += ": " + d.Number(*total)
		}
	}
	for _, more := range []string{p.FlagLabel, p.Missing} {
		if more != "" {
			out += "; " + more
		}
	}
	return plain(out)
}

// values writes the totals beside the points: that of the last and the first,
// and of the others where few points leave room.
func (d *drawing) values() {
	var scored []placed
	for _, p := range d.points {
		if p.total != nil {
			scored = append(scored, p)
		}
	}
	if len(scored) == 0 {
		d.say(labelText, atMiddle, d.plot.x+d.plot.w/2, d.plot.y+d.plot.h/2, d.Words.say("no scores"), d.plot.w)
		return
	}
	order := []placed{scored[len(scored)-1]}
	if len(scored) > 1 {
		order = append(order, scored[0])
	}
	if len(scored) > 2 && len(scored) <= manyPoints {
		order = append(order, scored[1:len(scored)-1]...)
	}
	runs := d.runs()
	for i, p := range order {
		if !d.value(p, runs) && i < 2 {
			d.value(p, nil) // across a line rather than not at all
		}
	}
}

// value writes one total where it meets no point, no other total and no way.
func (d *drawing) value(p placed, runs [][]spot) bool {
	text, away := d.Number(*p.total), d.r+4
	if p.Flagged {
		away += 3
	}
	for _, c := range []struct {
		x, y float64
		end  anchor
	}{
		{p.x, p.y - away - 1, atMiddle}, {p.x, p.y + away + 9, atMiddle}, {p.x + away + 1, p.y + 4, atStart}, {p.x - away - 1, p.y + 4, atEnd},
		{p.x + away, p.y - away, atStart}, {p.x - away, p.y - away, atEnd}, {p.x + away, p.y + away + 8, atStart}, {p.x - away, p.y + away + 8, atEnd},
	} {
		room := textBox(valueText, c.end, c.x, c.y, text)
		if room.x < d.plot.x+1 || room.right() > d.plot.right()-1 || room.y < d.plot.y || room.bottom() > d.plot.bottom()-1 {
			continue
		}
		if slices.ContainsFunc(d.taken, room.meets) || slices.ContainsFunc(runs, room.crossed) {
			continue
		}
		d.taken = append(d.taken, room)
		d.say(valueText, c.end, c.x, c.y, text, 0)
		return true
	}
	return false
}

// crossed reports whether a line of several corners passes through the box.
func (b box) crossed(run []spot) bool {
	for i := 1; i < len(run); i++ {
		if b.crosses(run[i-1], run[i]) {
			return true
		}
	}
	return false
}

// sign is a mark above the scores, of one point.
type sign struct {
	of   placed
	x    float64
	draw func(x, y float64)
}

// signs are, above the scores, what has none, an answer that somebody must see,
// and answers that are missing.
func (d *drawing) signs() []sign {
	var out []sign
	var want []float64
	add := func(p placed, draw func(x, y float64)) {
		out, want = append(out, sign{of: p, draw: draw}), append(want, p.x)
	}
	for _, p := range d.points {
		told := d.told(p.Point)
		if p.total == nil {
			add(p, func(x, y float64) { d.cross(x, y, told) })
		}
		if p.Flagged {
			add(p, func(x, y float64) { d.alarm(x, y, told) })
		}
		if p.Missing != "" {
			add(p, func(x, y float64) { d.unanswered(x, y, told) })
		}
	}
	for i, x := range spread(want, equalGaps(len(want), 17), d.plot.x+8, d.plot.right()-8) {
		out[i].x = x
	}
	return out
}

// ties join the alarms to their scores, and ring these.
func (d *drawing) ties() {
	for _, s := range d.signs() {
		if p := s.of; p.Flagged && p.total != nil && len(d.points) <= 40 {
			d.line(alarmLine, spot{s.x, d.plot.y - 4}, spot{p.x, p.y - d.r - 3})
		}
	}
	for _, p := range d.points {
		if p.Flagged && p.total != nil {
			d.add(mark{shape: circle, class: ring, at: []spot{p.spot}, r: d.r + 3})
		}
	}
}

// lane draws the signs.
func (d *drawing) lane() {
	for _, s := range d.signs() {
		s.draw(s.x, d.plot.y-laneRoom/2+1)
	}
}

// entries are the legend: of what the picture has, and nothing else.
func (d *drawing) entries() []entry {
	var out []entry
	has := func(fits func(p placed) bool) bool { return slices.ContainsFunc(d.points, fits) }
	point := func(t Timing, says string) {
		if has(func(p placed) bool { return p.total != nil && p.Timing == t && !p.Excluded }) {
			out = append(out, entry{func(p *picture, x, y float64) { p.symbol(t, false, x, y, 5, "") }, says})
		}
	}
	point(Baseline, d.Words.say("at the baseline"))
	point(Before, d.Words.say("before a session"))
	point(After, d.Words.say("after a session"))
	point(FollowUp, d.Words.say("at follow-up"))
	if len(d.pairs()) > 0 {
		out = append(out, entry{func(p *picture, x, y float64) { p.line(step, spot{x - 7, y - 4}, spot{x + 7, y + 4}) }, d.Words.say("before and after one session")})
	}
	if has(func(p placed) bool { return p.total != nil && p.Excluded }) {
		out = append(out, entry{func(p *picture, x, y float64) { p.symbol(After, true, x, y, 5, "") }, d.Words.say("left out of the comparison")})
	}
	if has(func(p placed) bool { return p.Flagged }) {
		out = append(out, entry{func(p *picture, x, y float64) { p.alarm(x, y, "") }, d.flagName()})
	}
	if has(func(p placed) bool { return p.Missing != "" }) {
		out = append(out, entry{func(p *picture, x, y float64) { p.unanswered(x, y, "") }, d.Words.say("answers missing")})
	}
	if has(func(p placed) bool { return p.total == nil }) {
		out = append(out, entry{func(p *picture, x, y float64) { p.cross(x, y, "") }, d.Words.say("no score")})
	}
	for _, kind := range kinds {
		if slices.ContainsFunc(d.visits, func(v visit) bool { return v.Kind == kind }) {
			out = append(out, entry{func(p *picture, x, y float64) {
				p.meeting(Session{Kind: kind}, d.Words, x, y, 8)
			}, d.kindInLegend(kind)})
		}
	}
	return out
}

// kindInLegend is the name of a kind, with the unit of its doses.
func (d *drawing) kindInLegend(kind string) string {
	if slices.ContainsFunc(d.visits, func(v visit) bool { return v.Kind == kind && v.Dose != "" }) {
		return d.Words.say("dose, by number and mg")
	}
	return kindName(kind, d.Words)
}

// flagName is what the flags of the picture are called: by their label where
// all have the same.
func (d *drawing) flagName() string {
	name := ""
	for _, p := range d.points {
		switch {
		case !p.Flagged:
		case name == "":
			name = p.FlagLabel
		case name != p.FlagLabel:
			return d.Words.say("an answer to look at")
		}
	}
	if name == "" {
		return d.Words.say("an answer to look at")
	}
	return name
}
