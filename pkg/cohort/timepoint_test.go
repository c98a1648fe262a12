package cohort_test

import (
	"fmt"
	"testing"

	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/trajectory"
)

func TestATimePointIsReadAsItIsWritten(t *testing.T) {
	for _, s := range []string{"baseline", "last", "before_session:1", "after_session:12", "days:0:0", "days:30:7"} {
		if got := point(t, s).String(); got != s {
			t.Errorf("%s is written %s", s, got)
		}
	}
	for _, s := range []string{
		"", "first", "baseline:1", "last:", "before_session", "before_session:0", "before_session:01", "after_session:+1",
		"after_session:-1", "days:30", "days:-1:3", "days:3:-1", "days:a:b", "days:40000:1", "days:1:40000",
	} {
		if _, err := cohort.ParseTimePoint(s); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestATimePointFindsOneScoreOrSaysWhyThereIsNone(t *testing.T) {
	full := func() *person {
		return someone("a").baseline(20).before(1, -2, 19).before(1, -0.1, 18).dosed(0).after(1, 1, 12).after(1, 3, 11).later(27, 9).later(33, 8)
	}
	young := full()
	young.Until = daysAfter(80)
	blank := someone("a").filled(trajectory.TimingBaseline, 0, -1, nil).dosed(0)
	blank.Until = daysAfter(95)
	again := ended(40, someone("a").baseline(20).dosed(0).later(25, 9))
	cases := []struct {
		p     *person
		at    string
		total float64
		why   cohort.Absence
	}{
		{full(), "baseline", 20, ""},
		{full(), "before_session:1", 18, ""}, // the last before
		{full(), "after_session:1", 12, ""},  // the first after
		{full(), "after_session:2", 0, cohort.NotReached},
		{full(), "days:30:7", 9, ""}, // of two equally near the earlier
		{full(), "days:31:7", 8, ""},
		{full(), "days:30:2", 0, cohort.NotAssessed},
		{young, "days:90:14", 0, cohort.NotReached},
		{full(), "last", 8, ""},
		{someone("a").baseline(20).dosed(0), "days:7:14", 0, cohort.NotAssessed}, // a baseline is no follow-up
		{someone("a").baseline(20).dosed(0).later(18, 9), "days:7:14", 9, ""},    // nor where it is nearer
		{someone("a").dosed(0).before(1, 0.5, 20), "days:0:1", 0, cohort.NotAssessed},
		{again, "days:30:7", 9, ""},
		{again, "days:90:14", 0, cohort.NextCourse},
		{blank, "baseline", 0, cohort.NotScored},
		{blank, "after_session:1", 0, cohort.NotAssessed},
		{blank, "days:90:5", 0, cohort.NotAssessed}, // the window closes on this day
		{blank, "days:90:6", 0, cohort.NotReached},
		{someone("a").later(3, 17), "baseline", 17, ""},
		{someone("a").later(3, 17), "after_session:1", 0, cohort.NotTreated},
		{someone("a").later(3, 17), "days:3:1", 0, cohort.NotTreated},
		{someone("a"), "last", 0, cohort.NotAssessed},
		{someone("a").dosed(0).before(1, 0.9, 17), "baseline", 17, ""}, // typed in late
		{someone("a").dosed(0).before(1, 1.1, 17), "baseline", 0, cohort.NotAssessed},
		{someone("a").dosed(0).after(1, 0, 17), "baseline", 0, cohort.NotAssessed}, // it has felt the dose
	}
	for _, c := range cases {
		s, why := c.p.Find(point(t, c.at), "phq-9", "P14D")
		got := []any{0.0, why}
		if why == "" {
			got[0] = *s.Total
		}
		sameFigure(t, fmt.Sprint(c.at, " of ", c.p.Scores["phq-9"]), []any{c.total, c.why}, got)
	}
	if _, why := full().Find(point(t, "last"), "phq-9", "P7D"); why != cohort.NotAssessed {
		t.Errorf("of another window: %s", why)
	}
}
