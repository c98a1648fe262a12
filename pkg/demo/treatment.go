package demo

import (
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
)

const day = 24 * time.Hour

// regimen is how a medicine is given.
type regimen struct {
	substance   string
	route       care.Route
	gaps        []int     // days from dose to dose, repeated
	least, most int       // doses planned
	perKG       []float64 // mg per kg, dose by dose, the last one repeated
	mg          []float64 // or milligrams in all
	minutes     int
}

// regimens are dealt out in turn.
var regimens = []regimen{
	{substance: "ketamine", route: care.Sublingual, gaps: []int{7}, least: 4, most: 6, mg: []float64{100, 150, 200, 200, 250, 300}, minutes: 120},
	{substance: "ketamine", route: care.Intramuscular, gaps: []int{7}, least: 4, most: 6, perKG: []float64{0.5, 0.75, 1, 1, 1.25, 1.5}, minutes: 150},
	{substance: "ketamine", route: care.Intravenous, gaps: []int{3, 4}, least: 6, most: 8, perKG: []float64{0.5, 0.5, 0.5, 0.6, 0.6, 0.75}, minutes: 75},
	{substance: "ketamine", route: care.Sublingual, gaps: []int{7}, least: 6, most: 6, mg: []float64{100, 100, 150, 200, 200, 200}, minutes: 110},
	{substance: "ketamine", route: care.Intramuscular, gaps: []int{14}, least: 4, most: 5, perKG: []float64{0.75, 1, 1.25}, minutes: 180},
	{substance: "ketamine", route: care.Intravenous, gaps: []int{3, 4}, least: 6, most: 6, perKG: []float64{0.5}, minutes: 60},
	{substance: "esketamine", route: care.Intranasal, gaps: []int{3, 4}, least: 8, most: 8, mg: []float64{56, 84}, minutes: 125},
}

func (a *author) regimen() regimen {
	r := regimens[a.number%len(regimens)]
	if a.part.plot == LateResponder {
		r.least, r.most = max(r.least, 6), max(r.most, 6) // time to be late in
	}
	return r
}

// treatment is one course as it will be told.
type treatment struct {
	regimen
	plot       Plot
	indication string
	firstDose  time.Time
	planned    int // dosing sessions
	given      int
	followUps  int
	ongoing    bool
}

// indications are dealt out in turn: two of nine for PTSD, one for anxiety.
var indications = []string{
	"depression", "ptsd", "depression", "depression", "anxiety", "depression", "ptsd", "depression", "depression",
}

// treatments plans the client's courses: one, and for the returner two.
func (a *author) treatments(r regimen) []treatment {
	t := treatment{
		regimen: r, plot: a.part.plot, indication: indications[a.number%len(indications)],
		planned: a.between(r.least, r.most), followUps: a.part.followUps, ongoing: a.part.ongoing,
	}
	t.given = t.planned
	if a.part.early {
		t.given = a.between(1, 3)
	}
	switch a.part.plot {
	case Typical:
		t.planned, t.given = 6, 6
		t.firstDose = a.doseDay(r, a.between(36, 44))
	case Waiting:
		t.planned, t.given, t.ongoing = 6, 0, true
		t.firstDose = a.doseDay(r, 0)
	case BaselineOnly:
		t.given = 0
		t.firstDose = a.doseDay(r, a.between(9, 20))
	case Returner:
		first := t
		first.planned, first.given, first.followUps = 4, 4, 1
		first.firstDose = a.doseDay(r, a.between(54, 60))
		t.planned, t.given = 6, 6
		t.firstDose = a.doseDay(r, a.between(12, 15))
		return []treatment{first, t}
	default:
		t.firstDose = a.doseDay(r, a.weeksAgo(t))
	}
	return []treatment{t}
}

// weeksAgo dates the first dose so that what is to be told lies in the past.
func (a *author) weeksAgo(t treatment) int {
	if t.ongoing {
		return a.between(2, 3)
	}
	course := int(math.Ceil(float64(t.dayOf(t.planned-1)) / 7))
	needed := []int{3, 6, 15, 29}[t.followUps] // weeks after the last dose
	return a.between(course+needed, 64)
}

// doseDay is a working day so many weeks ago, at the client's usual hour. Two
// doses a week need a Monday or a Tuesday to begin with.
func (a *author) doseDay(r regimen, weeksAgo int) time.Time {
	latest := 4
	if len(r.gaps) > 1 {
		latest = 1
	}
	return a.week.AddDate(0, 0, -7*weeksAgo+a.between(0, latest)).Add(a.hours)
}

// dayOf is how many days after the first dose a dose is given, from 0.
func (t treatment) dayOf(dose int) int {
	days := 0
	for i := range dose {
		days += t.gaps[i%len(t.gaps)]
	}
	return days
}

// treat tells one course: its sessions and the forms around them.
func (a *author) treat(t treatment) {
	c := care.Course{
		ID: a.id(), ClientID: a.story.Client.ID, Indication: t.indication,
		PlannedSessions: new(t.planned), Goals: care.Private(goals[a.IntN(len(goals))]),
	}
	preparations := a.between(1, 2)
	start := t.firstDose.AddDate(0, 0, -7*preparations)
	c.StartedOn = date(start)
	for i := range preparations {
		a.meet(c, care.Preparation, start.AddDate(0, 0, 7*i), 60, nil)
	}
	doses := make([]care.Session, 0, t.given)
	for i := range t.given {
		at := t.firstDose.AddDate(0, 0, t.dayOf(i))
		dose, past := a.meet(c, care.Dosing, at, t.minutes+5*a.IntN(5), a.medicine(t, i))
		if !past {
			break
		}
		doses = append(doses, dose)
		if len(t.gaps) == 1 || i%2 == 1 || i == t.given-1 {
			a.meet(c, care.Integration, workday(at.AddDate(0, 0, 2)), 50, nil)
		}
	}
	if ended := t.firstDose.AddDate(0, 0, t.dayOf(max(t.given-1, 0))+14); !t.ongoing && ended.Before(a.week) {
		c.EndedOn = new(date(ended))
	}
	a.story.Courses = append(a.story.Courses, c)
	if t.plot != Waiting {
		a.assess(t, doses)
	}
}

// goals are in the words that clients use.
var goals = []string{
	"Get out of bed before nine and mean it.",
	"Go back to choir.",
	"Sleep through one night a week.",
	"Be present when the children talk to me.",
	"Drive past the place without shaking.",
	"Cook for friends again.",
	"",
}

// meet adds a session, unless it lies ahead: then past is false.
func (a *author) meet(c care.Course, kind care.SessionKind, at time.Time, minutes int, m *care.Medicine) (s care.Session, past bool) {
	s = care.Session{
		ID: a.id(), ClientID: c.ClientID, CourseID: new(c.ID), Kind: kind,
		StartedAt: at, EndedAt: new(at.Add(time.Duration(minutes) * time.Minute)), Medicine: m,
	}
	if past = s.EndedAt.Before(a.week); past {
		a.story.Sessions = append(a.story.Sessions, s)
	}
	return s, past
}

// medicine is the dose of a session; doses per kilogram are rounded to 5 mg.
func (a *author) medicine(t treatment, dose int) *care.Medicine {
	m := &care.Medicine{Substance: t.substance, Route: t.route}
	if t.perKG == nil {
		m.DoseMG = t.mg[min(dose, len(t.mg)-1)]
		return m
	}
	perKG := t.perKG[min(dose, len(t.perKG)-1)]
	m.DoseMG = 5 * math.Round(perKG*float64(a.body)/5)
	m.DoseMGPerKG = new(perKG)
	return m
}

// workday moves a weekend to the Monday after it.
func workday(at time.Time) time.Time {
	for at.Weekday() == time.Saturday || at.Weekday() == time.Sunday {
		at = at.Add(day)
	}
	return at
}

func date(at time.Time) care.Date { return care.Date(at.Format(time.DateOnly)) }

// occasion is one moment at which a client fills in forms.
type occasion struct {
	timing  care.Timing
	session *uuid.UUID
	at      time.Time
	dose    int     // doses given by then
	level   float64 // how ill, as a share of the baseline
	settled bool    // the plot's outcome holds from here on
	lost    bool    // the gain is lost by now
}
