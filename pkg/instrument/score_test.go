package instrument_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/instrument"
)

// want says what a form must give; "none" stands for nil.
type want struct {
	total, severity   string
	answered, missing int
	prorated          bool
	screens           map[string]any
	flags             []instrument.Flag
}

type scoreCase struct {
	name string
	id   string
	in   instrument.Input
	want want
}

func run(t *testing.T, cases []scoreCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := mustScore(t, c.id, c.in)
			got := want{number(s.Total), text(s.Severity), -1, -1, s.Prorated, s.Screens, s.Flags}
			if s.ItemsAnswered != nil {
				got.answered, got.missing = *s.ItemsAnswered, *s.ItemsMissing
			}
			if d := cmp.Diff(c.want, got, cmp.AllowUnexported(want{})); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

const prorate = instrument.Prorated

func phq9(syndrome, cut any) map[string]any {
	return map[string]any{"depressive_syndrome": syndrome, "above_cutpoint": cut}
}

// Syndrome rules: CamCOPS phq9.py. Missing rules: clinical reference A3.
func TestPHQ9(t *testing.T) {
	ideation := func(n int) []instrument.Flag { return []instrument.Flag{flag("suicidal_ideation", "phq9_9", n)} }
	passed := func(why string) []instrument.Flag {
		return []instrument.Flag{silent("item9_not_answered", "phq9_9", why)}
	}
	a := func(v ...int) instrument.Input { return instrument.Input{Answers: fill("phq9", v...)} }
	p := func(v ...int) instrument.Input {
		return instrument.Input{Answers: fill("phq9", v...), Policy: prorate}
	}
	run(t, []scoreCase{
		{"nine zeros are minimal and no syndrome", "phq-9", a(same(9, 0)...),
			want{"0", "minimal", 9, 0, false, phq9("none", false), nil}},
		{"item 9 at 1 completes a major syndrome", "phq-9", a(2, 2, 2, 2, 0, 0, 0, 0, 1),
			want{"9", "mild", 9, 0, false, phq9("major", false), ideation(1)}},
		{"four symptoms with item 9 at 0 are the other syndrome", "phq-9", a(2, 2, 2, 2, 0, 0, 0, 0, 0),
			want{"8", "mild", 9, 0, false, phq9("other", false), nil}},
		{"no core symptom is no syndrome, however high the total", "phq-9", a(1, 1, 3, 3, 3, 3, 3, 3, 3),
			want{"23", "severe", 9, 0, false, phq9("none", true), ideation(3)}},
		{"the difficulty item is neither added nor counted", "phq-9",
			instrument.Input{Answers: with(fill("phq9", same(9, 0)...), "phq9_difficulty", 3)},
			want{"0", "minimal", 9, 0, false, phq9("none", false), nil}},
		{"one missing answer leaves no total under complete", "phq-9", a(1, 0, blank, 0, 0, 0, 0, 0, 0),
			want{"none", "none", 8, 1, false, phq9("none", false), nil}},
		{"two missing scale by 9/7 without rounding", "phq-9", p(1, 2, 2, 2, 2, 1, 1, blank, blank),
			want{number(new(11.0 * 9 / 7)), "moderate", 7, 2, true, phq9(nil, true), passed("skipped")}},
		{"no syndrome is named that a missing answer decides", "phq-9", p(2, 1, 1, 1, 1, 1, 1, blank, 0),
			want{"9", "mild", 8, 1, true, phq9(nil, false), nil}},
		{"three missing are too many to prorate", "phq-9", p(3, 3, 3, 3, 3, 3, blank, blank, blank),
			want{"none", "none", 6, 3, false, phq9("major", true), passed("skipped")}},
		{"a cut-point is certain without a total when the rest reaches it", "phq-9", a(3, 3, 3, 3, blank, 0, 0, 0, 0),
			want{"none", "none", 8, 1, false, phq9(nil, true), nil}},
		{"a cut-point that a missing answer decides is not known", "phq-9", a(3, 3, 3, 0, blank, 0, 0, 0, 0),
			want{"none", "none", 8, 1, false, phq9("other", nil), nil}},
		{"item 9 is flagged without a total", "phq-9", a(blank, 0, 0, 0, 0, 0, 0, 0, 2),
			want{"none", "none", 8, 1, false, phq9(nil, false), ideation(2)}},
		{"declining everything says something", "phq-9", instrument.Input{Declined: []string{"phq9_9"}},
			want{"none", "none", 0, 9, false, phq9(nil, nil), passed("declined")}},
		{"a declined item 9 at a sum of 20 is flagged, not filled", "phq-9",
			instrument.Input{Answers: fill("phq9", 3, 3, 3, 3, 2, 2, 2, 2), Declined: []string{"phq9_9"}},
			want{"none", "none", 8, 1, false, phq9("major", true), passed("declined")}},
		{"a total alone leaves items and item 9 unknown", "phq-9", total(14),
			want{"14", "moderate", -1, -1, false, phq9(nil, true), passed("unknown")}},
		{"a total alone between whole numbers was prorated", "phq-9", instrument.Input{Total: new(9.5), Policy: prorate},
			want{"9.5", "mild", -1, -1, true, phq9(nil, false), passed("unknown")}},
	})
}

func total(v float64) instrument.Input { return instrument.Input{Total: &v} }

// Sources: GAD-7 Spitzer 2006; AUDIT-C US Core; PC-PTSD-5 Prins 2016; PHQ-15
// CamCOPS; WHO-5 and DAST-10 clinical reference A1.
func TestOtherInstruments(t *testing.T) {
	cut := func(v any) map[string]any { return map[string]any{"above_cutpoint": v} }
	somatic := func(v any) map[string]any { return map[string]any{"somatoform_likely": v} }
	trauma := func(v, balanced any) map[string]any {
		return map[string]any{"above_cutpoint": v, "above_cutpoint_balanced": balanced}
	}
	who := func(poor, depressed any) map[string]any {
		return map[string]any{"poor_wellbeing": poor, "depression_screen": depressed}
	}
	a := func(prefix string, sex instrument.Sex, v ...int) instrument.Input {
		return instrument.Input{Answers: fill(prefix, v...), Sex: sex}
	}
	exposed := func(yes int, v ...int) instrument.Input {
		return instrument.Input{Answers: with(fill("pcptsd5", v...), "pcptsd5_exposure", yes)}
	}
	contradiction := func(gate string) []instrument.Flag {
		return []instrument.Flag{silent("contradicts_gate", gate, "contradiction")}
	}
	men := append(same(3, 2), append([]int{blank}, same(11, 0)...)...)
	run(t, []scoreCase{
		{"GAD-7 of 20 is in the band that starts at 15", "gad-7", a("gad7", "", 3, 3, 3, 3, 3, 3, 2),
			want{"20", "severe", 7, 0, false, cut(true), nil}},
		{"GAD-7 prorates one missing answer", "gad-7",
			instrument.Input{Answers: fill("gad7", 2, 1, 1, 1, 1, 1, blank), Policy: prorate},
			want{number(new(7.0 * 7 / 6)), "mild", 6, 1, true, cut(false), nil}},
		{"GAD-7 does not prorate two", "gad-7",
			instrument.Input{Answers: fill("gad7", 2, 2, 2, 2, 2, blank, blank), Policy: prorate},
			want{"none", "none", 5, 2, false, cut(true), nil}},
		{"PHQ-2 has no rule to prorate by", "phq-2", instrument.Input{Answers: fill("phq2", 3, blank), Policy: prorate},
			want{"none", "none", 1, 1, false, cut(true), nil}},
		{"GAD-2 of 3 is positive", "gad-2", a("gad2", "", 1, 2), want{"3", "none", 2, 0, false, cut(true), nil}},
		{"PHQ-8 of 24 is severe", "phq-8", a("phq8", "", same(8, 3)...), want{"24", "severe", 8, 0, false, cut(true), nil}},
		{"PHQ-15 is not asked of men about periods", "phq-15", a("phq15", instrument.Male, men...),
			want{"6", "mild", 14, 0, false, somatic(true), nil}},
		{"PHQ-15 item 4 is missing for a woman", "phq-15", a("phq15", instrument.Female, men...),
			want{"none", "none", 14, 1, false, somatic(true), nil}},
		{"PHQ-15 item 4 is missing where the sex is not known", "phq-15", a("phq15", "", men...),
			want{"none", "none", 14, 1, false, somatic(true), nil}},
		{"PHQ-15 counts an answer to item 4 whatever the sex", "phq-15", a("phq15", instrument.Male, same(15, 1)...),
			want{"15", "severe", 15, 0, false, somatic(false), nil}},
		{"PC-PTSD-5 without exposure is 0", "pc-ptsd-5", exposed(0), want{"0", "none", 0, 0, false, trauma(false, false), nil}},
		{"PC-PTSD-5 without exposure may carry zeros", "pc-ptsd-5", exposed(0, 0, 0, 0, 0, 0),
			want{"0", "none", 0, 0, false, trauma(false, false), nil}},
		{"PC-PTSD-5 with exposure needs five answers", "pc-ptsd-5", exposed(1, 1, 1, 1, 0),
			want{"none", "none", 4, 1, false, trauma(true, nil), nil}},
		{"PC-PTSD-5 sums without the gate when all five are answered", "pc-ptsd-5", a("pcptsd5", "", 1, 1, 1, 1, 0),
			want{"4", "none", 5, 0, false, trauma(true, true), nil}},
		{"AUDIT-C never is 0, with nothing missing", "audit-c", a("auditc", "", 0), want{"0", "none", 1, 0, false, cut(false), nil}},
		{"AUDIT-C of 3 is positive for a woman", "audit-c", a("auditc", instrument.Female, 1, 1, 1),
			want{"3", "none", 3, 0, false, cut(true), nil}},
		{"AUDIT-C of 3 is negative for a man", "audit-c", a("auditc", instrument.Male, 1, 1, 1),
			want{"3", "none", 3, 0, false, cut(false), nil}},
		{"AUDIT-C of 3 is not certain where the sex is not known", "audit-c", a("auditc", instrument.Other, 1, 1, 1),
			want{"3", "none", 3, 0, false, cut(nil), nil}},
		{"AUDIT-C of 4 is positive for anybody", "audit-c", a("auditc", "", 2, 1, 1),
			want{"4", "none", 3, 0, false, cut(true), nil}},
		{"AUDIT-C without its first answer has no total", "audit-c", a("auditc", "", blank, 0, 0),
			want{"none", "none", 2, 1, false, cut(nil), nil}},
		{"AUDIT-C with a drink of somebody who never drinks is taken, and says nothing", "audit-c", a("auditc", instrument.Female, 0, 1, 0),
			want{"none", "none", 3, 0, false, cut(nil), contradiction("auditc_1")}},
		{"AUDIT-C with half a contradiction", "audit-c", a("auditc", "", 0, blank, 4),
			want{"none", "none", 2, 0, false, cut(nil), contradiction("auditc_1")}},
		{"PC-PTSD-5 with symptoms without exposure", "pc-ptsd-5", exposed(0, 1, 0, 1),
			want{"none", "none", 3, 0, false, trauma(nil, nil), contradiction("pcptsd5_exposure")}},
		{"WHO-5 is times four, and low is poor", "who-5", a("who5", "", 1, 1, 1, 2, 2),
			want{"28", "none", 5, 0, false, who(true, true), nil}},
		{"WHO-5 of 100 is well", "who-5", a("who5", "", same(5, 5)...), want{"100", "none", 5, 0, false, who(false, false), nil}},
		{"DAST-10 counts a no to item 3", "dast-10", a("dast10", "", same(10, 0)...), want{"1", "low", 10, 0, false, nil, nil}},
		{"DAST-10 does not count a yes to item 3", "dast-10", a("dast10", "", 0, 0, 1, 0, 0, 0, 0, 0, 0, 0),
			want{"0", "none", 10, 0, false, nil, nil}},
	})
}

// Clusters: CamCOPS, awell, PTSDdiag. Missing rule: clinical reference A3.
func TestPCL5(t *testing.T) {
	screens := func(ptsd, cut any) map[string]any {
		return map[string]any{"provisional_ptsd": ptsd, "above_cutpoint": cut}
	}
	in := func(policy instrument.MissingPolicy, v []int, gone ...int) instrument.Input {
		v = append([]int(nil), v...)
		for _, i := range gone {
			v[i-1] = blank
		}
		return instrument.Input{Answers: fill("pcl5", v...), Policy: policy}
	}
	risk := []instrument.Flag{flag("risk_taking", "pcl5_16", 2)}
	run(t, []scoreCase{
		{"all at 2 meets every cluster", "pcl-5", in("", same(20, 2)), want{"40", "none", 20, 0, false, screens(true, true), risk}},
		{"all at 1 meets none", "pcl-5", in("", same(20, 1)), want{"20", "none", 20, 0, false, screens(false, false), nil}},
		{"one missing in each cluster is prorated", "pcl-5", in(prorate, same(20, 2), 1, 6, 8, 15),
			want{"40", "none", 16, 4, true, screens(true, true), risk}},
		{"two missing in one cluster leave no total, though other clusters are scaled", "pcl-5", in(prorate, same(20, 2), 1, 2, 8),
			want{"none", "none", 17, 3, true, screens(true, true), risk}},
		{"a cluster that a missing answer decides is not known", "pcl-5", in("", append([]int{0, 0, 0, 0, 0}, same(15, 2)...), 5),
			want{"none", "none", 19, 1, false, screens(nil, nil), risk}},
		{"a cluster that cannot be met settles the rule", "pcl-5", in("", append(same(5, 0), same(15, 2)...), 20),
			want{"none", "none", 19, 1, false, screens(false, false), risk}},
	})
	s := mustScore(t, "pcl-5", in(prorate, same(20, 2), 1, 2, 8))
	got := map[string]string{}
	for id, v := range s.Subscales {
		got[id] = number(v)
	}
	if d := cmp.Diff(map[string]string{"pcl5_b": "none", "pcl5_c": "4", "pcl5_d": "14", "pcl5_e": "12"}, got); d != "" {
		t.Errorf("subscales -want +got:\n%s", d)
	}
}

func TestACallerChoosesAmongTheCutpointsOffered(t *testing.T) {
	in := total(32)
	if s := mustScore(t, "pcl-5", in); s.Screens["above_cutpoint"] != false || s.Cutpoints["above_cutpoint"] != 33 {
		t.Errorf("32 at the default: %v at %v, want false at 33", s.Screens["above_cutpoint"], s.Cutpoints)
	}
	for _, c := range []float64{31, 32, 33} { // Bovin 2016
		in.Cutpoints = map[string]float64{"above_cutpoint": c}
		s := mustScore(t, "pcl-5", in)
		if s.Screens["above_cutpoint"] != (c <= 32) || s.Cutpoints["above_cutpoint"] != c {
			t.Errorf("32 at %v: %v at %v", c, s.Screens["above_cutpoint"], s.Cutpoints)
		}
	}
	if s := mustScore(t, "audit-c", total(3)); s.Cutpoints != nil {
		t.Errorf("a cut-point by sex without a sex reports %v", s.Cutpoints)
	}
}

func TestFormsThatBreakARuleNameEveryFault(t *testing.T) {
	many := with(with(fill("phq9", 4, -1, 2), "phq9_10", 0), "a/b~c", 1)
	many["gad7_1"] = nil
	cases := []struct {
		name string
		id   string
		in   instrument.Input
		want []string
	}{
		{"an empty form", "phq-9", instrument.Input{}, []string{"/answers no_answers"}},
		{"a form of nulls", "phq-9", instrument.Input{Answers: instrument.Answers{"phq9_1": nil}}, []string{"/answers no_answers"}},
		{"several faults at once", "phq-9", instrument.Input{
			Answers: many, Declined: []string{"phq9_3", "nope", "phq9_4", "phq9_4"}, Policy: "zero", Sex: "f",
			Cutpoints: map[string]float64{"above_cutpoint": 9, "depressive_syndrome": 1},
		}, []string{
			"/answers/a~1b~0c unknown_item", "/answers/gad7_1 unknown_item", "/answers/phq9_1 not_an_option",
			"/answers/phq9_10 unknown_item", "/answers/phq9_2 not_an_option",
			"/cutpoints/above_cutpoint not_an_alternative", "/cutpoints/depressive_syndrome unknown_screen",
			"/declined/0 declined_and_answered", "/declined/1 unknown_item", "/declined/3 duplicate",
			"/missing_policy unknown_policy", "/sex unknown_sex",
		}},
		{"a total with answers", "phq-9", instrument.Input{Answers: fill("phq9", 1), Total: new(3.0)}, []string{"/total both_total_and_answers"}},
		{"a total above the range", "phq-9", total(28), []string{"/total out_of_range"}},
		{"a total below the range", "phq-9", total(-1), []string{"/total out_of_range"}},
		{"a total that is no number", "phq-9", total(math.NaN()), []string{"/total out_of_range"}},
		{"a broken total under complete", "phq-9", total(9.5), []string{"/total not_a_possible_total"}},
		{"a broken total where nothing is prorated", "phq-2", instrument.Input{Total: new(2.5), Policy: prorate}, []string{"/total not_a_possible_total"}},
		{"a WHO-5 that is no multiple of four", "who-5", total(50), []string{"/total not_a_possible_total"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := get(t, c.id).Score(c.in)
			if d := cmp.Diff(c.want, faults(t, err)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

// A contradiction leaves nothing that could be read as a result, whatever the
// policy, and the flags of the answers that were given stay.
func TestAContradictionOfTheGateLeavesNoResult(t *testing.T) {
	d, err := instrument.Parse(edit{
		"/subscales": list{map[string]any{"id": "drinks", "title": "Drinks", "items": list{"auditc_2", "auditc_3"}, "min": 0, "max": 8}},
		"/flags":     list{map[string]any{"code": "many", "item": "auditc_3", "at_least": 4, "source": "test"}},
	}.apply(t, "audit-c"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := d.Score(instrument.Input{Answers: fill("auditc", 0, 0, 4), Policy: prorate, Sex: instrument.Male})
	if err != nil {
		t.Fatal(err)
	}
	if s.Total != nil || s.Severity != nil || s.Subscales["drinks"] != nil || s.Screens["above_cutpoint"] != nil || s.Cutpoints != nil || s.Prorated {
		t.Errorf("total %s, subscale %s, screens %v", number(s.Total), number(s.Subscales["drinks"]), s.Screens)
	}
	want := []instrument.Flag{flag("many", "auditc_3", 4), silent(instrument.ContradictsGate, "auditc_1", instrument.Contradiction)}
	if d := cmp.Diff(want, s.Flags); d != "" {
		t.Errorf("flags -want +got:\n%s", d)
	}
}
