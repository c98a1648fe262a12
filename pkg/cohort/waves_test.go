package cohort_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"maps"
	"math"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/protrack/protrack/pkg/cohort"
	"github.com/protrack/protrack/pkg/trajectory"
)

const wavesFile = "phq9_gad7_two_waves_n403.csv"

// A record is one number of R and the call that made it.
type record struct {
	Name  string
	Value float64
	R     string
}

func records(t *testing.T, text []byte) []record {
	t.Helper()
	var out []record
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestEveryFigureOfTwoWavesIsWhatRGives compares at four decimals, and finds no
// number on one side alone.
func TestEveryFigureOfTwoWavesIsWhatRGives(t *testing.T) {
	cases := waves(t)
	got := measured{}
	for instrument, rules := range map[string]trajectory.Rules{"phq-9": depression(), "gad-7": anxiety()} {
		got.change(t, instrument, rules, cases)
	}
	item9 := compute(t, cohort.Item9Query{From: firstBefore, To: firstAfter}.Compute, cases...)
	got.crosstab("item9", []string{"0", "1", "2", "3"}, item9.Crosstab)
	got.count("item9 improved", item9.Improved)
	got.count("item9 worsened", item9.Worsened)
	got.count("item9 new_onset", item9.NewOnset)
	got.count("item9 gone", item9.Gone)
	both := compute(t, bothScales().Compute, cases...)
	got.rate("both recovery", both.Recovery)
	got.rate("both reliable_recovery", both.ReliableRecovery)
	got.rate("both reliable_improvement", both.ReliableImprovement)
	got.rate("both reliable_deterioration", both.ReliableDeterioration)
	got.rate("both no_change", both.NoChange)

	text, err := os.ReadFile("testdata/waves.json")
	if err != nil {
		t.Fatal(err)
	}
	recorded := map[string]bool{}
	for _, r := range records(t, text) {
		recorded[r.Name] = true
		if x, ok := got[r.Name]; !ok {
			t.Errorf("%s: no figure has it", r.Name)
		} else if math.Abs(x-r.Value) > 0.00005 {
			t.Errorf("%s: got %.6f, want %.6f = %s", r.Name, x, r.Value, r.R)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if !recorded[name] {
			t.Errorf("%s: R has not been asked", name)
		}
	}
}

func TestTheRecordOfTwoWavesIsWhatTheScriptPrints(t *testing.T) {
	rscript, err := exec.LookPath("Rscript")
	if err != nil {
		missing(t, "R is not installed", err)
	}
	printed, err := exec.CommandContext(t.Context(), rscript, "testdata/r/waves.R", sharedData(t, wavesFile)).Output()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("testdata/waves.json")
	if err != nil {
		t.Fatal(err)
	}
	differ(t, "record", records(t, text), records(t, printed))
}

// waves reads the file: wave 1 is before a dose, wave 2 after it. The answers
// are real, the treatment is not.
func waves(t *testing.T) []cohort.Case {
	t.Helper()
	text, err := os.ReadFile(sharedData(t, wavesFile))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []cohort.Case
	place := map[string]int{}
	for _, row := range rows[1:] {
		if _, ok := place[row[0]]; !ok {
			place[row[0]] = len(out)
			out = append(out, treated(row[0]))
		}
		timing := map[string]trajectory.Timing{"1": trajectory.TimingBefore, "2": trajectory.TimingAfter}[row[1]]
		phq9, gad7 := answersOf(t, row[2:11]), answersOf(t, row[11:18])
		c := &out[place[row[0]]]
		*c = scoring(*c, "phq-9", timing, sum(phq9), func(s *cohort.Score) {
			s.Item9, s.Severity = &phq9[8], band(sum(phq9), 5, 10, 15, 20)
		})
		*c = scoring(*c, "gad-7", timing, sum(gad7), func(s *cohort.Score) { s.Severity = gadBand(sum(gad7)) })
	}
	if len(out) != 403 {
		t.Fatalf("%d people: the file is not what it was", len(out))
	}
	return out
}

func answersOf(t *testing.T, cells []string) []int {
	t.Helper()
	var out []int
	for _, cell := range cells {
		n, err := strconv.Atoi(cell)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, n)
	}
	return out
}

func sum(answers []int) (total float64) {
	for _, n := range answers {
		total += float64(n)
	}
	return total
}

var phq9Bands = []string{"minimal", "mild", "moderate", "moderately_severe", "severe"}

func band(total float64, from ...float64) string {
	i := 0
	for i < len(from) && total >= from[i] {
		i++
	}
	return phq9Bands[i]
}

// gadBand knows no moderately severe.
func gadBand(total float64) string {
	if total >= 15 {
		return "severe"
	}
	return band(total, 5, 10)
}

func bothScales() cohort.RecoveryQuery {
	return cohort.RecoveryQuery{From: firstBefore, To: firstAfter, Measures: []cohort.RecoveryMeasure{
		{Instrument: "phq-9", Direction: trajectory.LowerIsBetter, Rules: depression()},
		{Instrument: "gad-7", Direction: trajectory.LowerIsBetter, Rules: anxiety()},
	}}
}

// measured are the numbers of figures by the names that R's script gives them.
type measured map[string]float64

func (m measured) number(name string, x *float64) {
	if x != nil {
		m[name] = *x
	}
}

func (m measured) count(name string, n cohort.Count) { m[name] = float64(*n) }

func (m measured) interval(name string, i *cohort.Interval) {
	if i != nil {
		m[name+" low"], m[name+" high"] = i[0], i[1]
	}
}

func (m measured) rate(name string, r cohort.Rate) {
	m.count(name+" n", r.N)
	m.count(name+" of", r.Of)
	m.number(name+" rate", r.Rate)
	m.interval(name, r.CI95)
}

func (m measured) summary(name string, s cohort.Summary) {
	m.count(name+" n", s.N)
	m.number(name+" mean", s.Mean)
	m.number(name+" sd", s.SD)
	m.number(name+" median", s.Median)
	m.number(name+" q1", s.Q1)
	m.number(name+" q3", s.Q3)
}

func (m measured) difference(name string, d cohort.Difference) {
	m.count(name+" n", d.N)
	for part, x := range map[string]*float64{
		"mean": d.Mean, "sd": d.SD, "t": d.T, "df": d.DF, "p": d.P,
		"d_pre": d.DPre, "d_av": d.DAv, "d_z": d.DZ, "hedges_g": d.HedgesG,
	} {
		m.number(name+" "+part, x)
	}
	m.interval(name, d.CI95)
}

func (m measured) crosstab(name string, levels []string, table cohort.Crosstab) {
	for i, from := range levels {
		for j, to := range levels {
			m.count(strings.Join([]string{name, from, to}, " "), table.Counts[i][j])
		}
	}
}

func (m measured) change(t *testing.T, instrument string, rules trajectory.Rules, cases []cohort.Case) {
	t.Helper()
	q := onPHQ9()
	q.Instrument, q.Rules = instrument, rules
	severity, ok := cohort.KeyOf("baseline_severity")
	if !ok {
		t.Fatal("there is no grouping by baseline severity")
	}
	grouped, err := q.ComputeBy(people(cases...), severity)
	if err != nil {
		t.Fatal(err)
	}
	differ(t, "the total beside groups", compute(t, q.Compute, cases...), grouped.Total)
	m.summary(instrument+" from", grouped.Total.From)
	m.summary(instrument+" to", grouped.Total.To)
	m.difference(instrument+" difference", grouped.Total.Difference)
	for name, o := range grouped.Total.Outcomes {
		m.rate(instrument+" "+string(name), o.Rate)
	}
	for _, group := range grouped.Groups {
		m.difference(instrument+" by "+group.Key, group.Difference)
	}
	bands := phq9Bands
	if instrument == "gad-7" {
		bands = []string{"minimal", "mild", "moderate", "severe"}
	}
	shift := compute(t, cohort.ShiftQuery{Comparison: q.Comparison, Bands: bands}.Compute, cases...)
	m.crosstab(instrument+" shift", bands, shift.Crosstab)
}
