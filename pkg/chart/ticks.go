package chart

import (
	"math"
	"strconv"
	"time"
)

// A tick is a place on an axis with its name.
type tick struct {
	at   float64 // a value; of times, seconds
	name string
}

// seconds is a time as a number that a scale takes. Durations would not do:
// they end after 292 years.
func seconds(t time.Time) float64 { return float64(t.Unix()) + float64(t.Nanosecond())/1e9 }

// timeStep is a distance of ticks in time.
type timeStep struct{ days, months int }

var timeSteps = []timeStep{
	{days: 1}, {days: 2}, {days: 7}, {days: 14},
	{months: 1}, {months: 2}, {months: 3}, {months: 6},
	{months: 12}, {months: 24}, {months: 60}, {months: 120}, {months: 240}, {months: 600}, {months: 1200},
}

// length is about how long a step is, in seconds.
func (s timeStep) length() float64 { return (float64(s.days) + float64(s.months)*30.44) * 86_400 }

// timeTicks are midnights in a zone: of each day, each second day, each Monday,
// each second Monday, each first of a month and so on, as many as fit into room
// with the distance apart.
func timeTicks(from, to time.Time, room, apart float64, w Words) []tick {
	span := seconds(to) - seconds(from)
	step := timeSteps[len(timeSteps)-1]
	for _, s := range timeSteps {
		if span/s.length()*apart <= room {
			step = s
			break
		}
	}
	var out []tick
	for at := step.first(from); !at.After(to) && len(out) < 200; at = step.next(at) {
		if !at.Before(from) {
			out = append(out, tick{seconds(at), step.name(at, len(out) == 0, w)})
		}
	}
	return out
}

// first is a tick at or before a time.
func (s timeStep) first(t time.Time) time.Time {
	y, m, d := t.Date()
	switch {
	case s.months > 0:
		count := y*12 + int(m) - 1
		count -= ((count % s.months) + s.months) % s.months
		return time.Date(count/12, time.Month(count%12+1), 1, 0, 0, 0, 0, t.Location())
	case s.days%7 == 0:
		monday := time.Date(y, m, d-(int(t.Weekday())+6)%7, 0, 0, 0, 0, t.Location())
		return monday
	}
	return time.Date(y, m, d, 0, 0, 0, 0, t.Location())
}

func (s timeStep) next(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month()+time.Month(s.months), t.Day()+s.days, 0, 0, 0, 0, t.Location())
}

// name is what the tick is called: with the year at the first tick, and where a
// year begins.
func (s timeStep) name(t time.Time, first bool, w Words) string {
	year := strconv.Itoa(t.Year())
	month := monthName(t, w)
	switch {
	case s.months >= 12:
		return year
	case s.months > 0 && (first || t.Month() == time.January):
		return month + " " + year
	case s.months > 0:
		return month
	case first || t.YearDay() <= s.days:
		return strconv.Itoa(t.Day()) + " " + month + " " + year
	}
	return strconv.Itoa(t.Day()) + " " + month
}

// monthName is the short name of a month.
func monthName(t time.Time, w Words) string {
	switch t.Month() {
	case time.January:
		return w.say("Jan")
	case time.February:
		return w.say("Feb")
	case time.March:
		return w.say("Mar")
	case time.April:
		return w.say("Apr")
	case time.May:
		return w.say("May")
	case time.June:
		return w.say("Jun")
	case time.July:
		return w.say("Jul")
	case time.August:
		return w.say("Aug")
	case time.September:
		return w.say("Sep")
	case time.October:
		return w.say("Oct")
	case time.November:
		return w.say("Nov")
	case time.December:
	}
	return w.say("Dec")
}

// Day is a date as pictures write it, such as 3 Mar 2026: no two languages read
// it as another day. It is that of the zone that the time has.
func Day(t time.Time, w Words) string {
	return strconv.Itoa(t.Day()) + " " + monthName(t, w) + " " + strconv.Itoa(t.Year())
}

// niceTicks are round values between two, at most about so many.
func niceTicks(low, high float64, about int, number func(float64) string) []tick {
	if high <= low || about < 1 {
		return []tick{{low, number(low)}}
	}
	raw := (high - low) / float64(about)
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	step := 10 * power
	for _, m := range []float64{1, 2, 2.5, 5} {
		if m*power >= raw*(1-1e-9) {
			step = m * power
			break
		}
	}
	var out []tick
	for i := math.Ceil(low/step - 1e-9); i*step <= high+step*1e-9 && len(out) < 100; i++ {
		at := i*step + 0 // no -0
		out = append(out, tick{at, number(at)})
	}
	return out
}

// plainNumber has at most one decimal.
func plainNumber(f float64) string {
	s := strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64)
	if s == "-0" {
		return "0"
	}
	return s
}
