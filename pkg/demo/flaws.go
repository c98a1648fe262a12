package demo

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/instrument"
)

// spoil puts the story's flaw into its forms. The baseline (but for the
// referred) and the last PHQ-9 stay whole: they carry the plot.
func (a *author) spoil() {
	var between []int // places of the PHQ-9s between the first and the last
	for i, x := range a.story.Assessments {
		if x.Instrument == phq9.instrument {
			between = append(between, i)
		}
	}
	if len(between) < 3 || a.part.flaw == none {
		return
	}
	first := between[0]
	between = between[1 : len(between)-1]
	some := between[len(between)/2]
	switch a.part.flaw {
	case declines:
		a.decline(some)
	case declining:
		for _, i := range between {
			a.decline(i)
		}
	case skips:
		a.leaveOut(some, 1, instrument.Complete)
		a.leaveOut(between[0], a.between(1, 3), instrument.Complete)
	case prorates:
		a.leaveOut(some, a.between(1, 2), instrument.Prorated)
	case amended:
		a.mistype(some)
	case retracted:
		a.mixUp(some)
	case referred:
		a.refer(first)
	case onPaper:
		for i := range a.story.Assessments {
			a.story.Assessments[i].Mode = care.ByClinician
		}
	}
}

// decline takes the answer to item 9 back and says that it was asked.
func (a *author) decline(i int) {
	x := &a.story.Assessments[i]
	delete(x.Answers, "phq9_9")
	x.Declined = []string{"phq9_9"}
}

// leaveOut skips items among the first eight.
func (a *author) leaveOut(i, items int, policy instrument.MissingPolicy) {
	x := &a.story.Assessments[i]
	for _, n := range a.Perm(8)[:items] {
		delete(x.Answers, "phq9_"+strconv.Itoa(n+1))
	}
	x.MissingPolicy = policy
}

// mistype has one answer entered wrongly from paper, and amended two days
// later.
func (a *author) mistype(i int) {
	right := a.story.Assessments[i]
	wrong := right
	wrong.Answers = maps.Clone(right.Answers)
	item := "phq9_" + strconv.Itoa(a.between(1, 8))
	wrong.Answers[item] = new((*right.Answers[item] + 2) % 4)
	a.story.Assessments[i] = wrong
	a.correct(wrong, &right, "Item "+item[len("phq9_"):]+" was misread from the paper form.")
}

// mixUp adds a form that was somebody else's, and retracts it.
func (a *author) mixUp(i int) {
	x := a.story.Assessments[i]
	x.ID = a.id()
	x.CompletedAt = x.CompletedAt.Add(25 * time.Minute)
	x.Answers = a.answer(phq9, 26, 1)
	a.story.Assessments = slices.Insert(a.story.Assessments, i+1, x)
	a.correct(x, nil, "Filled in by another client on this client's tablet.")
}

func (a *author) correct(x care.Assessment, amended *care.Assessment, reason string) {
	at := workday(x.CompletedAt.Add(2 * day))
	if !at.Before(a.week) {
		at = a.week.Add(-time.Hour)
	}
	a.story.Corrections = append(a.story.Corrections, Correction{
		At: at, ID: x.ID, Amended: amended, Reason: care.Private(reason),
	})
}

// refer keeps of a form only the total that a referrer wrote into a letter.
func (a *author) refer(i int) {
	x := &a.story.Assessments[i]
	total := 0.0
	for n := range 9 {
		total += float64(*x.Answers["phq9_"+strconv.Itoa(n+1)])
	}
	x.Answers, x.Total, x.Mode = nil, &total, care.ByImport
}
