package main

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/protrack/protrack/pkg/trajectory"
)

// The chart's scale of time is true within a course, so that the saw can be
// seen, and cut where nothing was asked for long: a gap of more than longGap
// days takes the room of cutGap. The day numbers below the axis stay true.
const (
	longGap   = 14.0
	cutGap    = 9.0
	chartRows = 16 // about how many rows the whole range takes
)

// chart is a grid of signs with what stands around it.
type chart struct {
	*pictureView
	points []trajectory.Point
	column []int // of each point
	cut    []int // columns at which time is cut
	width  int
	step   float64 // points of the instrument to a row
	rows   int
	grid   [][]rune // from the bottom
}

// chart draws the scores over time; nothing for a client without any.
func (v *pictureView) chart() []string {
	if v.tr.Status.NScored == 0 {
		return nil
	}
	c := &chart{pictureView: v, points: v.tr.Points, width: v.Width - c0}
	c.scale()
	c.place()
	c.threshold()
	c.lines()
	for i, p := range c.points {
		if p.Total != nil {
			c.grid[c.row(*p.Total)][c.column[i]] = pictureMark(p.Timing)
		}
	}
	return slices.Concat(c.body(), c.axis(), c.signs(), c.legend())
}

// legend explains the signs that the chart uses.
func (c *chart) legend() []string {
	parts := []string{"○ before a dose", "● after a dose", "◆ baseline, follow-up"}
	if _, words, ok := c.bound(); ok {
		parts = append(parts, "· "+words)
	}
	if len(c.cut) > 0 {
		parts = append(parts, "╱╱ time cut")
	}
	if name := c.flagged(); name != "" {
		parts = append(parts, "! "+name+c.alarmFrom(), "? not answered")
	}
	return append([]string{""}, pictureWrap(parts, "   ", c.Width)...)
}

// c0 is the room to the left of the grid: a band, a number and the axis.
const c0 = 18

// scale chooses the rows so that the first band, or where there are none the
// threshold, ends between two of them.
func (c *chart) scale() {
	most := c.Instrument.Scoring.Max
	anchor := most / chartRows
	if bound, _, ok := c.bound(); ok {
		anchor = bound
	} else if len(c.Instrument.Bands) > 1 && c.Instrument.Bands[1].From > 0 {
		anchor = c.Instrument.Bands[1].From
	}
	c.step = anchor / max(math.Round(chartRows*anchor/most), 1)
	top := 0.0
	for _, p := range c.points {
		if p.Total != nil {
			top = max(top, *p.Total)
		}
	}
	c.rows = min(c.row(top)+2, c.row(most)+1)
	for range c.rows {
		c.grid = append(c.grid, slices.Repeat([]rune{' '}, c.width))
	}
}

func (c *chart) row(total float64) int { return int(total/c.step + 1e-9) }

// bound is the threshold that the chart draws, and what lies beyond it.
func (c *chart) bound() (at float64, words string, ok bool) {
	r := c.tr.Rules
	switch {
	case r.RemissionBelow != nil:
		return *r.RemissionBelow, "below " + pictureNumber(*r.RemissionBelow) + ": remission", true
	case r.Caseness != nil && c.tr.Direction != trajectory.HigherIsBetter:
		return *r.Caseness, "below " + pictureNumber(*r.Caseness) + ": no longer a case", true
	}
	return 0, "", false
}

// threshold dots the row just beyond the bound.
func (c *chart) threshold() {
	bound, _, ok := c.bound()
	row := c.row(bound)
	if c.tr.Direction != trajectory.HigherIsBetter {
		row--
	}
	if !ok || row < 0 || row >= c.rows {
		return
	}
	for x := 1; x < c.width; x += 2 {
		c.grid[row][x] = '·'
	}
}

// place gives every point its column: by time, with long gaps cut, and no two
// in one column while there is room.
func (c *chart) place() {
	n := len(c.points)
	at, long := make([]float64, n), make([]bool, n)
	for i := 1; i < n; i++ {
		gap := c.points[i].At.Sub(c.points[i-1].At).Hours() / 24
		if long[i] = gap > longGap; long[i] {
			gap = cutGap
		}
		at[i] = at[i-1] + gap
	}
	last := float64(c.width - 2)
	c.column = make([]int, n)
	for i := range c.points {
		if at[n-1] > 0 {
			// A short history does not need the whole width.
			c.column[i] = int(math.Round(at[i] * min(last/at[n-1], 3)))
		}
	}
	if n < c.width-1 {
		for i := 1; i < n; i++ {
			c.column[i] = max(c.column[i], c.column[i-1]+1)
		}
		c.column[n-1] = min(c.column[n-1], c.width-2)
		for i := n - 2; i >= 0; i-- {
			c.column[i] = min(c.column[i], c.column[i+1]-1)
		}
	}
	for i := 1; i < n; i++ {
		if long[i] && c.column[i]-c.column[i-1] > 3 {
			c.cut = append(c.cut, (c.column[i]+c.column[i-1])/2)
		}
	}
}

// columnAt finds the place of a time between those of the points.
func (c *chart) columnAt(at time.Time) int {
	i, _ := slices.BinarySearchFunc(c.points, at, func(p trajectory.Point, at time.Time) int { return p.At.Compare(at) })
	switch {
	case i == 0:
		return c.column[0]
	case i == len(c.points):
		return min(c.column[i-1]+1, c.width-1)
	}
	from, to := c.points[i-1].At, c.points[i].At
	share := float64(at.Sub(from)) / float64(to.Sub(from))
	return c.column[i-1] + int(share*float64(c.column[i]-c.column[i-1]))
}

// lines joins the scores. Where time is cut the line is broken.
func (c *chart) lines() {
	prev := -1
	for i, p := range c.points {
		if p.Total == nil {
			continue
		}
		if prev >= 0 {
			flat := '─'
			if p.At.Sub(c.points[prev].At).Hours()/24 > longGap {
				flat = '╌'
			}
			c.line(c.column[prev], c.row(*c.points[prev].Total), c.column[i], c.row(*p.Total), flat)
		}
		prev = i
	}
}

func (c *chart) line(x0, r0, x1, r1 int, flat rune) {
	r := r0
	for x := x0 + 1; x <= x1; x++ {
		next := r0 + int(math.Round(float64((x-x0)*(r1-r0))/float64(x1-x0)))
		if next == r {
			c.grid[r][x] = flat
			continue
		}
		leave, enter := '╯', '╭'
		if next < r {
			leave, enter = '╮', '╰'
		}
		for y := min(r, next) + 1; y < max(r, next); y++ {
			c.grid[y][x] = '│'
		}
		c.grid[r][x], c.grid[next][x] = leave, enter
		r = next
	}
}

// body is the grid with the bands and their lower ends at the left.
func (c *chart) body() []string {
	names, numbers := map[int]string{}, map[int]string{0: "0"}
	for i, b := range c.Instrument.Bands {
		from, to := c.row(b.From), c.rows
		if i+1 < len(c.Instrument.Bands) {
			to = min(c.row(c.Instrument.Bands[i+1].From), c.rows)
		}
		if from >= c.rows {
			continue
		}
		numbers[from] = pictureNumber(b.From)
		names[(from+max(to-1, from))/2] = pictureBand(strings.ToLower(b.Label))
	}
	if len(c.Instrument.Bands) == 0 {
		for quarter := 1.0; quarter < 4; quarter++ {
			n := c.Instrument.Scoring.Max * quarter / 4
			numbers[c.row(n)] = pictureNumber(n)
		}
	}
	var out []string
	for y := c.rows - 1; y >= 0; y-- {
		rule := "│"
		if numbers[y] != "" {
			rule = "┤"
		}
		out = append(out, pictureLeft(names[y], 12)+pictureRight(numbers[y], 4)+" "+rule+string(c.grid[y]))
	}
	return out
}

// axis is the time line with its cuts, and the days below it. The days that
// matter most get their number first, the others where there is room left.
func (c *chart) axis() []string {
	rule, days := slices.Repeat([]rune{'─'}, c.width), slices.Repeat([]rune{' '}, c.width+c0)
	label := func(x int, at time.Time) {
		day, ok := c.day(at)
		text := strconv.Itoa(day)
		from := min(max(c0+x-(len(text)-1)/2, 1), c.width+c0-len(text))
		if !ok || strings.TrimSpace(string(days[from-1:min(from+len(text)+1, len(days))])) != "" {
			return
		}
		copy(days[from:], []rune(text))
		rule[x] = '┬'
	}
	for i, d := range c.doses {
		if i == 0 {
			label(c.doseColumn(d), d.At)
		}
	}
	for i := len(c.points) - 1; i >= 0; i-- {
		if t := c.points[i].Timing; t == trajectory.TimingFollowUp || t == trajectory.TimingBaseline {
			label(c.column[i], c.points[i].At)
		}
	}
	for _, d := range c.doses {
		label(c.doseColumn(d), d.At)
	}
	for _, x := range c.cut {
		rule[x], rule[x+1] = '╱', '╱'
	}
	copy(days, []rune("day"))
	out := []string{strings.Repeat(" ", c0-1) + "└" + string(rule)}
	if c.tr.FirstDoseAt != nil {
		out = append(out, string(days))
	}
	return out
}

// doseColumn puts a dose below the score taken before it, else by its time.
func (c *chart) doseColumn(d trajectory.SessionChange) int {
	for i, p := range c.points {
		if d.BeforeID != nil && p.AssessmentID == *d.BeforeID {
			return c.column[i]
		}
	}
	return c.columnAt(d.At)
}

// signs are the rows below the axis: the doses by number, and the flags.
func (c *chart) signs() []string {
	var out []string
	row := func(name string, fill func(signs []rune)) {
		signs := slices.Repeat([]rune{' '}, c.width)
		fill(signs)
		out = append(out, pictureLeft(name, c0)+string(signs))
	}
	if len(c.doses) > 0 {
		row("dose", func(signs []rune) {
			for _, d := range c.doses {
				sign := '+'
				if d.Number < 10 {
					sign = rune(strconv.Itoa(d.Number)[0])
				}
				signs[c.doseColumn(d)] = sign
			}
		})
	}
	if name := c.flagged(); name != "" {
		row(name, func(signs []rune) {
			for i, p := range c.points {
				if sign := c.alarm(p); sign != 0 {
					signs[c.column[i]] = sign
				}
			}
		})
	}
	return out
}
