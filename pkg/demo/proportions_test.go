package demo_test

import (
	"testing"
	"time"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/demo"
	"github.com/protrack/protrack/pkg/instrument"
)

// tally is what a researcher would count first.
type tally struct {
	began                                int // baseline of 10 or more, and a later score
	responded, remitted                  int // at the latest score
	ever                                 int // responded at any time
	due3, kept3, due6, kept6             int
	item9, declined, missing, prorated   int // two of clients, two of forms
	forms, pcl5Clients, noForm, oneForm  int
	doses, dosed                         int
	baselineSum, baselines, latestTotals float64
}

func count(t *testing.T, stories []demo.Story) tally {
	t.Helper()
	lib := instrument.Embedded()
	var n tally
	for _, s := range stories {
		n.story(t, lib, s)
	}
	return n
}

func (n *tally) story(t *testing.T, lib *instrument.Library, s demo.Story) {
	t.Helper()
	var totals []float64
	wrong := map[string]bool{}
	for _, c := range s.Corrections {
		wrong[c.ID.String()] = c.Amended == nil
	}
	item9, declined, pcl5 := false, false, false
	for _, a := range s.Assessments {
		if wrong[a.ID.String()] {
			continue
		}
		score := scored(t, lib, a)
		n.forms++
		if a.Instrument == "pcl-5" {
			pcl5 = true
		}
		if a.Total == nil && *score.ItemsMissing > 0 {
			n.missing++
		}
		if score.Prorated {
			n.prorated++
		}
		for _, f := range score.Flags {
			item9 = item9 || f.Code == "suicidal_ideation"
			declined = declined || f.Reason == "declined"
		}
		if a.Instrument == "phq-9" && score.Total != nil {
			totals = append(totals, *score.Total)
		}
	}
	for flag, into := range map[*bool]*int{&item9: &n.item9, &declined: &n.declined, &pcl5: &n.pcl5Clients} {
		if *flag {
			*into++
		}
	}
	n.outcome(totals)
	n.followUps(s)
}

func (n *tally) outcome(totals []float64) {
	switch len(totals) {
	case 0:
		n.noForm++
		return
	case 1:
		n.oneForm++
		return
	}
	base, latest := totals[0], totals[len(totals)-1]
	n.baselineSum, n.baselines, n.latestTotals = n.baselineSum+base, n.baselines+1, n.latestTotals+latest
	if base < 10 {
		return
	}
	n.began++
	if 2*latest <= base {
		n.responded++
	}
	if latest < 5 {
		n.remitted++
	}
	for _, total := range totals[1:] {
		if 2*total <= base {
			n.ever++
			break
		}
	}
}

// followUps counts who is due at 3 and 6 months after the last dose of the
// first course, and who answered.
func (n *tally) followUps(s demo.Story) {
	var last time.Time
	for _, ses := range s.Sessions {
		if ses.Kind == care.Dosing && *ses.CourseID == s.Courses[0].ID {
			last = ses.StartedAt
			n.doses++
		}
	}
	if last.IsZero() {
		return
	}
	n.dosed++
	answered := func(lo, hi int) bool {
		for _, a := range s.Assessments {
			days := int(a.CompletedAt.Sub(last).Hours() / 24)
			if a.Timing == care.AtFollowUp && days >= lo && days <= hi {
				return true
			}
		}
		return false
	}
	if now.Sub(last) >= 105*24*time.Hour {
		n.due3++
		if answered(80, 105) {
			n.kept3++
		}
	}
	if now.Sub(last) >= 196*24*time.Hour {
		n.due6++
		if answered(170, 196) {
			n.kept6++
		}
	}
}

// TestTheProportionsAreTheFields compares with what the field reports: about
// half respond, three in ten remit, four in five are lost at three months and
// nineteen in twenty at six.
func TestTheProportionsAreTheFields(t *testing.T) {
	for _, seed := range seeds {
		n := count(t, demo.Clinic(seed, now))
		t.Logf("seed %d: %+v", seed, n)
		percent := func(part, whole int) int { return 100 * part / whole }
		for name, c := range map[string]struct{ got, least, most int }{
			"response at the latest score, %":    {percent(n.responded, n.began), 45, 58},
			"response at any time, %":            {percent(n.ever, n.began), 53, 68},
			"remission, %":                       {percent(n.remitted, n.began), 24, 35},
			"lost at 3 months, %":                {percent(n.due3-n.kept3, n.due3), 72, 85},
			"lost at 6 months, %":                {percent(n.due6-n.kept6, n.due6), 90, 97},
			"clients with item 9 above 0":        {n.item9, 10, 28},
			"clients who declined item 9":        {n.declined, 2, 3},
			"forms with a missing item":          {n.missing, 12, 32},
			"prorated forms":                     {n.prorated, 4, 4},
			"clients with a PCL-5":               {n.pcl5Clients, 10, 15},
			"clients without a form":             {n.noForm, 1, 1},
			"clients with a baseline alone":      {n.oneForm, 1, 1},
			"mean baseline":                      {int(n.baselineSum / n.baselines), 15, 18},
			"mean latest":                        {int(n.latestTotals / n.baselines), 7, 11},
			"doses in a first course, in tenths": {10 * n.doses / n.dosed, 40, 60},
			"forms":                              {n.forms, 1100, 1900},
		} {
			if c.got < c.least || c.got > c.most {
				t.Errorf("seed %d: %s: %d, want %d to %d", seed, name, c.got, c.least, c.most)
			}
		}
	}
}
