package chart

import (
	"unicode"
	"unicode/utf8"
)

// symbol draws the mark of a point.
func (p *picture) symbol(t Timing, excluded bool, x, y, r float64, title string) {
	look := full
	switch {
	case excluded:
		look = aside
	case t == Before:
		look = hollow
	case r < 3:
		look = speck
	}
	m := mark{shape: area, class: look, title: title}
	switch t {
	case Before, After:
		m.shape, m.at, m.r = circle, []spot{{x, y}}, r
	case Baseline:
		m.at = diamond(x, y, r*1.3)
	case FollowUp:
		m.at = box{x - r*0.9, y - r*0.9, r * 1.8, r * 1.8}.corners()
	default:
		m.at = triangle(x, y, r*1.2)
	}
	p.add(m)
}

func diamond(x, y, r float64) []spot { return []spot{{x, y - r}, {x + r, y}, {x, y + r}, {x - r, y}} }

// triangle stands on its base.
func triangle(x, y, r float64) []spot {
	return []spot{{x, y - r}, {x + r, y + 0.8*r}, {x - r, y + 0.8*r}}
}

// smallestLettered is the least radius of a mark that has room for a letter.
const smallestLettered = 6.5

// meeting draws the mark of a session: each kind has a shape and a letter.
func (p *picture) meeting(s Session, w Words, x, y, r float64) {
	look, says := meeting, onMeeting
	if s.Kind == kindDosing {
		look, says = dose, onDose
	}
	m := mark{shape: area, class: look, title: plain(s.Label)}
	switch s.Kind {
	case kindDosing:
		m.shape, m.at, m.r = circle, []spot{{x, y}}, r
	case kindIntegration:
		m.at = diamond(x, y, r*1.2)
	case kindFollowUp:
		m.at = []spot{{x - r, y - r*0.5}, {x, y - r*1.1}, {x + r, y - r*0.5}, {x + r, y + r*0.9}, {x - r, y + r*0.9}}
	default:
		m.at = box{x - r*0.9, y - r*0.9, r * 1.8, r * 1.8}.corners()
	}
	p.add(m)
	if r >= smallestLettered {
		p.say(says, atMiddle, x, y+3.6, kindLetter(s.Kind, w), 0)
	}
}

// The kinds of sessions.
const (
	kindPreparation = "preparation"
	kindDosing      = "dosing"
	kindIntegration = "integration"
	kindFollowUp    = "follow_up"
)

var kinds = []string{kindPreparation, kindDosing, kindIntegration, kindFollowUp}

// kindLetter is the first letter of the kind's name.
func kindLetter(kind string, w Words) string {
	first, _ := utf8.DecodeRuneInString(kindName(kind, w))
	return string(unicode.ToUpper(first))
}

func kindName(kind string, w Words) string {
	switch kind {
	case kindPreparation:
		return w.say("preparation")
	case kindDosing:
		return w.say("dose")
	case kindIntegration:
		return w.say("integration")
	case kindFollowUp:
		return w.say("follow-up visit")
	}
	return w.say("another session")
}

// alarm draws a triangle with an exclamation mark.
func (p *picture) alarm(x, y float64, title string) {
	p.add(mark{shape: area, class: alarmMark, at: triangle(x, y, 8), title: title})
	p.say(onAlarm, atMiddle, x, y+5, "!", 0)
}

// cross says that there is no score.
func (p *picture) cross(x, y float64, title string) {
	const r = 4.5
	p.add(mark{shape: line, class: absent, at: []spot{{x - r, y - r}, {x + r, y + r}}, title: title})
	p.add(mark{shape: line, class: absent, at: []spot{{x - r, y + r}, {x + r, y - r}}, title: title})
}

// unanswered says that answers are missing.
func (p *picture) unanswered(x, y float64, title string) {
	p.add(mark{shape: area, class: unansweredMark, at: box{x - 7, y - 7, 14, 14}.corners(), title: title})
	p.say(absentText, atMiddle, x, y+4.3, "?", 0)
}

// An entry of a legend is a mark and what it means.
type entry struct {
	draw func(p *picture, x, y float64)
	says string
}

// legend lays entries out in rows, and gives the height that they take.
func (p *picture) legend(entries []entry, left, top, width float64) float64 {
	const row, mark, apart = 20.0, 21.0, 14.0
	x, y := left, top+row/2
	for _, e := range entries {
		says := fit(plain(e.says), labelText, width-mark)
		w := mark + measure(says, labelText)
		if x > left && x+w > left+width {
			x, y = left, y+row
		}
		e.draw(p, x+8, y)
		p.say(labelText, atStart, x+mark, y+4, says, 0)
		x += w + apart
	}
	if len(entries) == 0 {
		return 0
	}
	return y + row/2 - top
}
