package chart

import "strconv"

// Shift is how many people moved from which band to which: a table whose cells
// are the darker the more people they hold, each with its number.
type Shift struct {
	Title, Summary, Note string
	From, To             string   // what the rows and the columns are, such as "at the baseline"
	Bands                []string // from the mildest to the most severe
	Counts               [][]*int // by band at From, then at To; nil: withheld
	Rows, Columns        []*int   // sums
	Words                Words
	Width                float64 // 0: 720; the height is that of the rows
}

// SVG draws the table as one element.
func (s Shift) SVG(theme Theme) []byte { return s.picture().svg(theme) }

// PNG draws the same in pixels.
func (s Shift) PNG(theme Theme) ([]byte, error) { return s.picture().png(theme) }

const cellHigh = 34.0

func (s Shift) picture() *picture {
	n := len(s.Bands)
	f := newFrame(s.Title, s.Summary, s.Note, s.Width, titleRoom+3*textRow+cellHigh*float64(n+1)+margin)
	if n == 0 {
		f.plot = box{margin, titleRoom, f.width - 2*margin, f.height - titleRoom - margin}
		f.nothing(s.Words)
		return &f.picture
	}
	left := margin
	for _, b := range s.Bands {
		left = max(left, measure(plain(b), strongText)+2*margin)
	}
	left = max(min(left, f.width*0.3), measure(s.Words.say("in all"), labelText)+2*margin)
	wide := (f.width - left - margin) / float64(n+1)
	top := titleRoom + 3*textRow + 6
	f.say(labelText, atStart, left, titleRoom+12, s.To, f.width-left-margin)
	f.say(labelText, atStart, margin, top-4, s.From, left-margin-4)
	most := 0
	for i := range n {
		for j := range n {
			if c := s.count(i, j); c != nil {
				most = max(most, *c)
			}
		}
	}
	for i := range n {
		y := top + float64(i)*cellHigh
		f.say(strongText, atStart, margin, y+cellHigh/2+4, s.Bands[i], left-margin-6)
		lines := wrap(plain(s.Bands[i]), strongText, wide-4)
		for k, l := range lines {
			f.say(strongText, atMiddle, left+(float64(i)+0.5)*wide, top-4-float64(len(lines)-1-k)*textRow, l, 0)
		}
		for j := range n {
			s.cell(f, box{left + float64(j)*wide, y, wide, cellHigh}, i, j, most)
		}
		s.number(f, labelText, left+(float64(n)+0.5)*wide, y, at(s.Rows, i))
		s.number(f, labelText, left+(float64(i)+0.5)*wide, top+float64(n)*cellHigh, at(s.Columns, i))
	}
	f.say(labelText, atMiddle, left+(float64(n)+0.5)*wide, top-4, s.Words.say("in all"), wide-6)
	f.say(labelText, atStart, margin, top+float64(n)*cellHigh+cellHigh/2+4, s.Words.say("in all"), left-margin)
	for i := range n { // last, so that no neighbour covers it
		f.add(mark{shape: area, class: own, at: box{left + float64(i)*wide + 1, top + float64(i)*cellHigh + 1, wide - 2, cellHigh - 2}.corners()})
	}
	return &f.picture
}

func (s Shift) count(i, j int) *int {
	if i >= len(s.Counts) {
		return nil
	}
	return at(s.Counts[i], j)
}

func at(counts []*int, i int) *int {
	if i >= len(counts) {
		return nil
	}
	return counts[i]
}

// cell is one of the table: a number on a ground that says how large it is.
func (s Shift) cell(f *frame, b box, i, j, most int) {
	heat, c := 0, s.count(i, j)
	if c != nil && *c > 0 && most > 0 {
		heat = min(1+*c*3/(most+1), 3)
	}
	f.add(mark{shape: area, class: heatClass + class(strconv.Itoa(heat)), at: b.corners(),
		title: s.Words.say("%s, then %s: %s", plain(s.Bands[i]), plain(s.Bands[j]), s.says(c))})
	f.line(edge, spot{b.x, b.y}, spot{b.right(), b.y})
	s.number(f, cellText, b.x+b.w/2, b.y, c)
}

func (s Shift) number(f *frame, c class, x, y float64, n *int) {
	f.say(c, atMiddle, x, y+cellHigh/2+4, s.says(n), 0)
}

func (s Shift) says(n *int) string {
	if n == nil {
		return s.Words.say("withheld")
	}
	return strconv.Itoa(*n)
}
