package chart

import (
	"cmp"
	"slices"
	"strconv"
)

// heading is the title, and the note at the other end of the line.
func (d *drawing) heading() {
	width := d.width - 2*margin
	if note := plain(d.Note); note != "" {
		note = fit(note, labelText, width/2)
		d.say(labelText, atEnd, d.width-margin, 22, note, 0)
		width -= measure(note, labelText) + margin
	}
	d.say(titleText, atStart, margin, 22, d.title, width)
}

// bands are the ground of the plot, with a line where one ends, and the axis of
// scores to the left.
func (d *drawing) bands() {
	d.rect(bandClass+"0", d.plot.x, d.plot.y, d.plot.w, d.plot.h)
	bands := d.bandsInView()
	for i, b := range bands {
		top, bottom := d.plot.y, d.plot.bottom()
		if i+1 < len(bands) {
			top = d.ys.at(bands[i+1].From)
		}
		if i > 0 {
			bottom = d.ys.at(b.From)
		}
		shade := i
		if len(bands) > 1 {
			shade = i * 4 / (len(bands) - 1)
		}
		d.rect(bandClass+class(strconv.Itoa(shade)), d.plot.x, top, d.plot.w, bottom-top)
	}
	for _, b := range bands[min(1, len(bands)):] {
		d.line(edge, spot{d.plot.x, d.ys.at(b.From)}, spot{d.plot.right(), d.ys.at(b.From)})
	}
	for _, t := range d.scoreTicks(d.plot.h) {
		y := d.ys.at(t.at)
		if len(bands) == 0 {
			d.line(edge, spot{d.plot.x, y}, spot{d.plot.right(), y})
		}
		d.line(axis, spot{d.plot.x - 4, y}, spot{d.plot.x, y})
		d.say(labelText, atEnd, d.plot.x-7, y+4, t.name, d.plot.x-margin/2)
	}
	d.line(axis, spot{d.plot.x, d.plot.y}, spot{d.plot.x, d.plot.bottom()})
}

// bandsInView are the bands in order that begin inside the scale.
func (d *drawing) bandsInView() []Band {
	var out []Band
	for _, b := range d.Bands {
		from := finite(&b.From)
		if from != nil && *from <= d.ys.high && (len(out) == 0 || *from > out[len(out)-1].From) {
			b.From = max(*from, d.ys.low)
			out = append(out, b)
		}
	}
	return out
}

// scoreTicks are where bands begin and the scale ends, or round numbers.
func (d *drawing) scoreTicks(height float64) []tick {
	bands := d.bandsInView()
	if len(bands) == 0 {
		return niceTicks(d.ys.low, d.ys.high, max(int(height/45), 2), d.Number)
	}
	perUnit := (height - 16) / (d.ys.high - d.ys.low)
	out := []tick{{d.ys.low, d.Number(d.ys.low)}}
	for _, b := range bands {
		if (b.From-out[len(out)-1].at)*perUnit >= 13 && (d.ys.high-b.From)*perUnit >= 13 {
			out = append(out, tick{b.From, d.Number(b.From)})
		}
	}
	return append(out, tick{d.ys.high, d.Number(d.ys.high)})
}

// timeAxis stands below the plot.
func (d *drawing) timeAxis() {
	y := d.plot.bottom()
	d.line(axis, spot{d.plot.x, y}, spot{d.plot.right(), y})
	if d.from.IsZero() {
		return // nothing happened yet
	}
	free := d.plot.x - margin
	for _, t := range timeTicks(d.from, d.to, d.plot.w, 72, d.Words) {
		x := d.xs.at(t.at)
		d.line(axis, spot{x, y}, spot{x, y + 4})
		room := textBox(tickText, atMiddle, x, y+17, t.name)
		if room.x < free || room.right() > d.width-2 {
			continue
		}
		free = room.right() + 6
		d.say(tickText, atMiddle, x, y+17, t.name, 0)
	}
}

// nameOfLine is a text to the right of the plot.
type nameOfLine struct {
	y     float64
	text  string
	class class
	bar   class // of a line that is drawn; "" for a band
}

// bars are how the lines are drawn, and their names.
var bars = map[LineKind][2]class{
	Remission:      {remissionBar, remissionText},
	ReliableChange: {reliableBar, reliableText},
}

// namesOfLines are those of the bands and of the lines, from the top.
func (d *drawing) namesOfLines() []nameOfLine {
	var out []nameOfLine
	bands := d.bandsInView()
	for i, b := range bands {
		to := d.ys.high
		if i+1 < len(bands) {
			to = bands[i+1].From
		}
		out = append(out, nameOfLine{y: d.ys.at((b.From + to) / 2), text: plain(b.Label), class: labelText})
	}
	for _, l := range d.Lines {
		at := finite(&l.At)
		if at == nil || *at < d.ys.low || *at > d.ys.high {
			continue
		}
		look, known := bars[l.Kind]
		if !known {
			look = [2]class{otherBar, strongText}
		}
		out = append(out, nameOfLine{y: d.ys.at(*at), text: plain(l.Label), class: look[1], bar: look[0]})
	}
	slices.SortStableFunc(out, func(a, b nameOfLine) int { return cmp.Compare(a.y, b.y) })
	return out
}

// names draws the lines, and beside the plot what lines and bands are called.
func (d *drawing) names() {
	names := d.namesOfLines()
	want := make([]float64, len(names))
	for i, n := range names {
		want[i] = n.y
	}
	for i, y := range spread(want, equalGaps(len(want), labelGap), d.plot.y+6, d.plot.bottom()-6) {
		n := names[i]
		if n.bar != "" {
			d.line(n.bar, spot{d.plot.x, n.y}, spot{d.plot.right(), n.y})
		}
		if n.bar != "" || y-n.y > 6 || n.y-y > 6 {
			d.line(leader, spot{d.plot.right(), n.y}, spot{d.plot.right() + 12, y})
		}
		d.say(n.class, atStart, d.plot.right()+16, y+4, n.text, d.width-d.plot.right()-16-4)
	}
}

// sessionLines go down from where a dose was given, and from the day of each
// session to its mark.
func (d *drawing) sessionLines() {
	for _, v := range d.visits {
		if v.Kind == kindDosing && d.visitGap() >= 12 { // more lines would be a hatching
			d.line(doseLine, spot{v.time, d.plot.y}, spot{v.time, d.plot.bottom()})
		}
		d.line(doseLine, spot{v.time, d.plot.bottom()}, spot{v.mark, d.plot.bottom() + axisRoom + 3})
	}
}

// sessions are marked below the axis of time, tied to their day.
func (d *drawing) sessions() {
	top := d.plot.bottom() + axisRoom
	r := min(9, d.visitGap()*0.46)
	var rows [2][]box
	for _, v := range d.visits {
		d.meeting(v.Session, d.Words, v.mark, top+14, r)
	}
	for _, dosing := range []bool{true, false} { // what there is no room for is left out, of doses last
		for _, v := range d.visits {
			if (v.Kind == kindDosing) != dosing {
				continue
			}
			for row, text := range []string{v.Short, v.Dose} {
				y := top + 36 + float64(row)*textRow
				text = fit(plain(text), labelText, 90)
				room := textBox(labelText, atMiddle, v.mark, y, text)
				if text == "" || room.x < 2 || room.right() > d.width-2 ||
					slices.ContainsFunc(rows[row], func(b box) bool { return b.x < room.right()+4 && room.x < b.right()+4 }) {
					continue
				}
				rows[row] = append(rows[row], room)
				d.say(labelText, atMiddle, v.mark, y, text, 0)
			}
		}
	}
}
