package instrument_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/instrument"
)

// One test for each error found in other people's code and pages (clinical
// reference A6).

func TestAMissingAnswerIsNeverZero(t *testing.T) {
	for _, d := range instrument.Embedded().All() {
		if d.Gate != nil {
			continue // never or no makes the other items inapplicable
		}
		a := instrument.Answers{}
		last := ""
		for _, it := range d.Items {
			if !it.Unscored {
				with(a, it.ID, d.Options(it)[1].Value)
				last = it.ID
			}
		}
		delete(a, last)
		if s, err := d.Score(instrument.Input{Answers: a}); err != nil || s.Total != nil || s.Severity != nil || *s.ItemsMissing != 1 {
			t.Errorf("%s without %s: total %s, %v", d.ID, last, number(s.Total), err)
		}
		a[last] = nil // an explicit null is the same as nothing
		if s, err := d.Score(instrument.Input{Answers: a}); err != nil || s.Total != nil {
			t.Errorf("%s with %s null: total %s, %v", d.ID, last, number(s.Total), err)
		}
		prorated, err := d.Score(instrument.Input{Answers: a, Policy: instrument.Prorated})
		if err != nil || (prorated.Total != nil) != (d.Scoring.Prorate != nil) {
			t.Errorf("%s prorated: total %s, %v", d.ID, number(prorated.Total), err)
		}
	}
}

func TestGAD7HasNoBandAt20(t *testing.T) {
	for _, b := range get(t, "gad-7").Bands {
		if b.From == 20 {
			t.Errorf("band %s starts at 20; severe starts at 15 (Spitzer 2006)", b.ID)
		}
	}
}

func TestReliableChangeIsNotTheSimplifiedOne(t *testing.T) {
	// NHS Talking Therapies 6 and 4; Marx 2022 sample 1: 15 with recovery at 28.
	want := map[string][3]float64{"phq-9": {6, 10, 0}, "gad-7": {4, 8, 0}, "pcl-5": {15, 29, 28}}
	for id, w := range want {
		r, ok := get(t, id).Change("")
		if !ok || *r.ReliableChange != w[0] || *r.Caseness != w[1] || w[2] != 0 && *r.RecoveredAtMost != w[2] {
			t.Errorf("%s: %+v, want %v", id, r, w)
		}
		if id != "pcl-5" && (*r.RemissionBelow != 5 || *r.ResponsePercent != 50 || *r.PartialPercent != 25) {
			t.Errorf("%s: remission below %v, response %v, partial %v", id, *r.RemissionBelow, *r.ResponsePercent, *r.PartialPercent)
		}
	}
	if r, ok := get(t, "pcl-5").Change("marx-2022-s2"); !ok || *r.ReliableChange != 18 || *r.MinimalImportantDifference != 10 {
		t.Errorf("marx-2022-s2: %+v", r)
	}
	if _, ok := get(t, "pcl-5").Change("nhs-tt"); ok {
		t.Error("NHS numbers for the PCL-5 are not verified and must not ship")
	}
}

func TestWhereARuleSetWasDroppedTheDefaultStandsIn(t *testing.T) {
	d := get(t, "pcl-5")
	for chosen, want := range map[string]string{"marx-2022-s2": "marx-2022-s2", "": d.DefaultChangeRules, "dropped": d.DefaultChangeRules} {
		if r, ok := d.ChangeOrDefault(chosen); !ok || r.ID != want {
			t.Errorf("in the place of %q stands %q, want %q", chosen, r.ID, want)
		}
	}
	none := *d
	none.ChangeRules, none.DefaultChangeRules = nil, ""
	if r, ok := none.ChangeOrDefault("marx-2022-s2"); ok {
		t.Errorf("rules of an instrument without any: %v", r)
	}
}

// The rules compute one condition at a time, so a set that means two at once
// must not ship; one that leaves a part out says so.
func TestNoRuleSetClaimsMoreThanIsComputed(t *testing.T) {
	if _, ok := get(t, "phq-9").Change("kroenke-csi"); ok {
		t.Error("9 or less and half of the baseline at once cannot be expressed")
	}
	for _, c := range []struct{ id, rules, says string }{
		{"phq-9", "nhs-tt", "on this instrument alone"}, {"gad-7", "nhs-tt", "on this instrument alone"},
		{"phq-9", "ny-cocm", "a total below 10, is not computed"}, {"gad-7", "ny-cocm", "a total below 10, is not computed"},
		{"pcl-5", "marx-2022-s1", "Caseness 29 is this project's reading"}, {"pcl-5", "marx-2022-s2", "Caseness 29 is this project's reading"},
	} {
		if r, ok := get(t, c.id).Change(c.rules); !ok || !strings.Contains(r.Source, c.says) {
			t.Errorf("%s %s: %q does not say %q", c.id, c.rules, r.Source, c.says)
		}
	}
}

func TestPanelAndTotalCodesAreNotSwapped(t *testing.T) {
	want := map[string][2]string{ // clinical reference A5
		"phq-9": {"44249-1", "44261-6"}, "gad-7": {"69737-5", "70274-6"}, "pcl-5": {"101697-1", "101698-9"},
		"audit-c": {"72109-2", "75626-2"}, "phq-2": {"", "55758-7"}, "phq-15": {"69728-4", "70273-8"},
	}
	for id, w := range want {
		got := [2]string{}
		for _, c := range get(t, id).Codes {
			if c.System == "http://loinc.org" {
				got[map[string]int{"panel": 0, "total": 1}[c.Use]] = c.Code
			}
		}
		if got != w {
			t.Errorf("%s: panel and total %v, want %v", id, got, w)
		}
	}
}

func TestTheAnchorsAreTheOriginalOnes(t *testing.T) {
	want := []string{"Not at all", "Several days", "More than half the days", "Nearly every day"} // Zorowitz 2021
	for _, id := range []string{"phq-9", "gad-7", "phq-2", "gad-2", "phq-8"} {
		d := get(t, id)
		var got []string
		for _, o := range d.Options(d.Items[0]) {
			got = append(got, o.Text)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s -want +got:\n%s", id, diff)
		}
	}
	d := get(t, "phq-9")
	item, _ := item(d, "phq9_difficulty")
	// Very before Extremely, though their LOINC codes run the other way.
	if o := d.Options(item); o[2].Text+o[2].LOINC != "Very difficultLA6575-0" || o[3].LOINC != "LA6574-3" {
		t.Errorf("difficulty options %+v", o)
	}
}

func TestItem9CountsFromOneOn(t *testing.T) {
	a := mustScore(t, "phq-9", instrument.Input{Answers: fill("phq9", 2, 2, 2, 2, 0, 0, 0, 0, 1)})
	if a.Screens["depressive_syndrome"] != "major" {
		t.Errorf("four symptoms and item 9 at 1: %v, want major", a.Screens["depressive_syndrome"])
	}
}

func TestTheSyndromeIsNotTheCutpoint(t *testing.T) {
	// NHANES SEQN 31191 has 12 and none, 31381 has 7 and other (reference A2).
	twelve := mustScore(t, "phq-9", instrument.Input{Answers: fill("phq9", 1, 1, 2, 2, 2, 2, 1, 1, 0)})
	seven := mustScore(t, "phq-9", instrument.Input{Answers: fill("phq9", 3, 0, 3, 1, 0, 0, 0, 0, 0)})
	if *twelve.Total != 12 || twelve.Screens["depressive_syndrome"] != "none" || twelve.Screens["above_cutpoint"] != true {
		t.Errorf("12: %v", twelve.Screens)
	}
	if *seven.Total != 7 || seven.Screens["depressive_syndrome"] != "other" || seven.Screens["above_cutpoint"] != false {
		t.Errorf("7: %v", seven.Screens)
	}
}

func TestWHO5GetsBetterUpwards(t *testing.T) {
	d := get(t, "who-5")
	r, _ := d.Change("")
	if d.Direction != instrument.HigherIsBetter || r.Caseness != nil || r.RemissionBelow != nil {
		t.Errorf("direction %s, rules %+v", d.Direction, r)
	}
}

func TestOnlyRedistributableWordingShips(t *testing.T) {
	for _, d := range instrument.Embedded().All() {
		texts := d.Stem
		for _, it := range d.Items {
			texts += it.Text
		}
		if d.ScoringOnly == d.Licence.Redistributable || (texts == "") != d.ScoringOnly || d.Licence.Permission != "" {
			t.Errorf("%s: scoring only %v, licence %+v, %d bytes of wording", d.ID, d.ScoringOnly, d.Licence, len(texts))
		}
		if d.Licence.Redistributable && d.Licence.Credit == "" {
			t.Errorf("%s has no credit", d.ID)
		}
	}
}

func TestItemIDsAreTheOnesOfTheContract(t *testing.T) {
	prefix := map[string]int{"phq9": 9, "gad7": 7, "pcl5": 20, "phq2": 2, "gad2": 2, "phq8": 8, "phq15": 15, "pcptsd5": 5, "auditc": 3, "who5": 5, "dast10": 10}
	extra := map[string]string{"phq-9": "phq9_difficulty", "gad-7": "gad7_difficulty", "pc-ptsd-5": "pcptsd5_exposure"}
	for _, d := range instrument.Embedded().All() {
		p := strings.ReplaceAll(d.ID, "-", "")
		for id := range fill(p, same(prefix[p], 0)...) {
			if it, ok := item(d, id); !ok || it.Unscored {
				t.Errorf("%s: item %s is absent or unscored", d.ID, id)
			}
		}
		n := prefix[p]
		if id := extra[d.ID]; id != "" {
			n++
			if it, ok := item(d, id); !ok || !it.Unscored {
				t.Errorf("%s: item %s is absent or scored", d.ID, id)
			}
		}
		if len(d.Items) != n {
			t.Errorf("%s has %d items, want %d", d.ID, len(d.Items), n)
		}
	}
	if _, ok := item(get(t, "phq-9"), "phq9_10"); ok {
		t.Error("there is no phq9_10")
	}
}

func TestRecallWindowsHaveTheirOwnStem(t *testing.T) {
	for _, d := range instrument.Embedded().All() {
		for _, w := range d.RecallWindows[1:] {
			if stem := d.Stems[w]; !d.ScoringOnly && (stem == "" || stem == d.Stem) {
				t.Errorf("%s asks about %s with the words for %s", d.ID, w, d.RecallWindow())
			}
		}
	}
	pcl := get(t, "pcl-5")
	if !slices.Equal(pcl.RecallWindows, []string{"P1M", "P7D", "P1D"}) || pcl.AllowsRecall("P14D") {
		t.Errorf("PCL-5 windows %v", pcl.RecallWindows)
	}
}

func TestBandsAreOfUnroundedTotals(t *testing.T) {
	d := get(t, "phq-9")
	for total, want := range map[float64]string{0: "minimal", 4.99: "minimal", 5: "mild", 9.5: "mild", 10: "moderate", 14.9: "moderate", 15: "moderately_severe", 20: "severe", 27: "severe"} {
		if b, ok := d.BandOf(total); !ok || b.ID != want {
			t.Errorf("%v is %s, want %s", total, b.ID, want)
		}
	}
	if _, ok := get(t, "pcl-5").BandOf(40); ok {
		t.Error("the PCL-5 has no bands")
	}
}

// A definition made by hand scores too, once it passes Check.
func TestADefinitionMadeByHandScores(t *testing.T) {
	d := *get(t, "gad-2")
	made := instrument.Definition{
		ID: d.ID, Version: d.Version, Title: d.Title, Language: d.Language, Measures: d.Measures, Direction: d.Direction,
		RecallWindows: d.RecallWindows, OptionSets: d.OptionSets, Items: d.Items, Scoring: d.Scoring, Licence: d.Licence,
	}
	if s, err := made.Score(instrument.Input{Answers: fill("gad2", 1, 2)}); err != nil || number(s.Total) != "3" {
		t.Errorf("total %s, %v", number(s.Total), err)
	}
	made.Version = ""
	if _, err := made.Score(instrument.Input{Answers: fill("gad2", 1, 2)}); err == nil {
		t.Error("a faulty definition scored")
	}
}

// The example in the documentation is a file that works.
func TestTheDocumentedExampleParses(t *testing.T) {
	page, err := os.ReadFile("../../docs/instruments.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```json\n(.*?)```").FindAllSubmatch(page, -1)
	if len(blocks) != 1 {
		t.Fatalf("the page has %d JSON examples, want 1", len(blocks))
	}
	d, err := instrument.Parse(blocks[0][1])
	if err != nil {
		t.Fatalf("%v", err)
	}
	s, err := d.Score(instrument.Input{Answers: fill("sleep3", 2, 1, 0)})
	if err != nil || number(s.Total) != "5" || text(s.Severity) != "disturbed" || s.Screens["above_cutpoint"] != true {
		t.Errorf("total %s, severity %s, %v, %v", number(s.Total), text(s.Severity), s.Screens, err)
	}
	for _, d := range instrument.Embedded().All() {
		if !strings.Contains(string(page), "`"+d.ID+"`") {
			t.Errorf("the page does not name %s and its licence", d.ID)
		}
	}
}
