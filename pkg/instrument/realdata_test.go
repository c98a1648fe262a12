package instrument_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/instrument"
)

func rows(t *testing.T, name string) [][]string {
	t.Helper()
	all, err := csv.NewReader(bytes.NewReader(shared(t, name))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all[1:]
}

// moments gives mean and sample standard deviation.
func moments(x []float64) (mean, sd float64) {
	for _, v := range x {
		mean += v
	}
	mean /= float64(len(x))
	for _, v := range x {
		sd += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(sd / float64(len(x)-1))
}

func ints(t *testing.T, cells []string) []int {
	t.Helper()
	out := make([]int, len(cells))
	for i, c := range cells {
		v, err := strconv.Atoi(c)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = v
	}
	return out
}

// The numbers are those of clinical reference part C, 221 US veterans.
func TestPCL5OfTheVeterans(t *testing.T) {
	var totals []float64
	clusters := map[string][]float64{}
	provisional, both := 0, 0
	above := map[float64]int{}
	for _, r := range rows(t, "pcl5_veterans_n221.csv") {
		s := mustScore(t, "pcl-5", instrument.Input{Answers: fill("pcl5", ints(t, r[1:])...)})
		totals = append(totals, *s.Total)
		for id, v := range s.Subscales {
			clusters[id] = append(clusters[id], *v)
		}
		if s.Screens["provisional_ptsd"] == true {
			provisional++
			if s.Screens["above_cutpoint"] == true {
				both++
			}
		}
		for _, c := range []float64{31, 32, 33, 34} {
			if *s.Total >= c {
				above[c]++
			}
		}
	}
	show := func(x []float64) string {
		mean, sd := moments(x)
		return fmt.Sprintf("%.4f %.4f", mean, sd)
	}
	got := map[string]string{"total": show(totals)}
	for id, x := range clusters {
		got[id] = show(x)
	}
	if d := cmp.Diff(map[string]string{
		"total": "30.5294 14.4022", "pcl5_b": "6.6425 4.5899", "pcl5_c": "3.3982 2.0192",
		"pcl5_d": "11.2715 5.9267", "pcl5_e": "9.2172 4.9532",
	}, got); d != "" {
		t.Errorf("means and SDs -want +got:\n%s", d)
	}
	if d := cmp.Diff(map[float64]int{31: 90, 32: 84, 33: 78, 34: 74}, above); d != "" {
		t.Errorf("totals above -want +got:\n%s", d)
	}
	if provisional != 77 || both != 63 {
		t.Errorf("provisional %d, with 33 or more %d; want 77, 63", provisional, both)
	}
}

type cycle struct {
	rows, complete    int
	mean, sd          string
	bands             [5]int
	major, other, raw int // raw: item 9 at 1 or more
}

// The numbers are those of clinical reference part C, unweighted, for complete
// forms of NHANES. In that file 7 and 9 are refused and don't know.
func TestPHQ9OfNHANES(t *testing.T) {
	want := map[string]cycle{
		"2005-2006": {5334, 4799, "2.7322", "3.7277", [5]int{3796, 706, 201, 73, 23}, 132, 231, 162},
		"2007-2008": {5995, 5415, "3.3235", "4.3590", [5]int{4047, 845, 334, 139, 50}, 219, 288, 246},
		"2009-2010": {6360, 5546, "3.3318", "4.3484", [5]int{4114, 909, 325, 148, 50}, 243, 342, 202},
		"2011-2012": {5615, 4925, "3.1635", "4.4192", [5]int{3747, 738, 253, 127, 60}, 222, 249, 190},
		"2013-2014": {5924, 5372, "3.3116", "4.3965", [5]int{4016, 845, 316, 138, 57}, 239, 339, 183},
		"2015-2016": {5735, 5134, "3.2413", "4.2146", [5]int{3825, 894, 258, 102, 55}, 193, 316, 192},
	}
	got := map[string]cycle{}
	totals := map[string][]float64{}
	complete, prorated := map[string]int{}, []float64{}
	passedItem9, of16 := 0, 0
	for _, r := range rows(t, "nhanes_dpq_2005_2020.csv") {
		c := got[r[0]]
		c.rows++
		in := nhanes(t, r)
		if len(in.Answers) == 0 && len(in.Declined) == 0 {
			got[r[0]] = c // not interviewed
			continue
		}
		s := mustScore(t, "phq-9", in)
		if s.Total != nil {
			c.count(t, s)
			totals[r[0]] = append(totals[r[0]], *s.Total)
			complete["all"]++
		} else if in.Answers["phq9_9"] == nil && *s.ItemsMissing == 1 {
			passedItem9++
			if s.Screens["above_cutpoint"] == true {
				of16++
			}
		}
		got[r[0]] = c
		in.Policy = instrument.Prorated
		if s := mustScore(t, "phq-9", in); s.Total != nil {
			prorated = append(prorated, *s.Total)
		}
	}
	for name, c := range got {
		mean, sd := moments(totals[name])
		c.mean, c.sd = fmt.Sprintf("%.4f", mean), fmt.Sprintf("%.4f", sd)
		got[name] = c
		if _, ok := want[name]; !ok {
			delete(got, name) // the last cycle is not in the reference
		}
	}
	if d := cmp.Diff(want, got, cmp.AllowUnexported(cycle{})); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	// A3: complete 39,467; with up to two missing 39,631, mean 3.22820.
	mean, _ := moments(prorated)
	if complete["all"] != 39_467 || len(prorated) != 39_631 || fmt.Sprintf("%.5f", mean) != "3.22820" {
		t.Errorf("complete %d, prorated %d with mean %.5f; want 39467, 39631, 3.22820", complete["all"], len(prorated), mean)
	}
	// A2: 16 passed item 9 alone, 9 of them with 10 or more on the others.
	if passedItem9 != 16 || of16 != 9 {
		t.Errorf("%d passed item 9 alone, %d at 10 or more; want 16, 9", passedItem9, of16)
	}
}

// nhanes reads one row; codes 7 and 9 become declined answers.
func nhanes(t *testing.T, row []string) instrument.Input {
	in := instrument.Input{Answers: instrument.Answers{}}
	for i, cell := range row[2:11] {
		id := fmt.Sprintf("phq9_%d", i+1)
		switch cell {
		case "":
		case "7", "9":
			in.Declined = append(in.Declined, id)
		default:
			with(in.Answers, id, ints(t, []string{cell})[0])
		}
	}
	return in
}

func (c *cycle) count(t *testing.T, s instrument.Score) {
	c.complete++
	band := map[string]int{"minimal": 0, "mild": 1, "moderate": 2, "moderately_severe": 3, "severe": 4}
	i, ok := band[*s.Severity]
	if !ok {
		t.Fatalf("band %q", *s.Severity)
	}
	c.bands[i]++
	switch s.Screens["depressive_syndrome"] {
	case "major":
		c.major++
	case "other":
		c.other++
	}
	if len(s.Flags) > 0 && s.Flags[0].Code == "suicidal_ideation" {
		c.raw++
	}
}

// The SD and alpha behind the computed change rules come from these samples.
func TestComputedChangeRulesMatchTheirSamples(t *testing.T) {
	var phq, gad, pcl [][]int
	for _, r := range rows(t, "phq9_gad7_two_waves_n403.csv") {
		if r[1] == "1" {
			phq, gad = append(phq, ints(t, r[2:11])), append(gad, ints(t, r[11:18]))
		}
	}
	for _, r := range rows(t, "pcl5_veterans_n221.csv") {
		pcl = append(pcl, ints(t, r[1:]))
	}
	for _, c := range []struct {
		id, rules string
		forms     [][]int
	}{{"phq-9", "forbes-alpha", phq}, {"gad-7", "forbes-alpha", gad}, {"pcl-5", "armour-alpha", pcl}} {
		rules, ok := get(t, c.id).Change(c.rules)
		if !ok {
			t.Fatalf("%s has no %s", c.id, c.rules)
		}
		sd, alpha := spread(c.forms)
		if math.Abs(sd-rules.JacobsonTruax.SD) > 0.0001 || math.Abs(alpha-rules.JacobsonTruax.Reliability) > 0.0001 {
			t.Errorf("%s: SD %.4f alpha %.4f, the file says %+v", c.id, sd, alpha, rules.JacobsonTruax)
		}
	}
}

// spread gives the SD of the totals and Cronbach's alpha.
func spread(forms [][]int) (sd, alpha float64) {
	k := len(forms[0])
	columns, totals := make([][]float64, k), make([]float64, len(forms))
	for n, form := range forms {
		for i, v := range form {
			columns[i] = append(columns[i], float64(v))
			totals[n] += float64(v)
		}
	}
	_, sd = moments(totals)
	sum := 0.0
	for _, c := range columns {
		_, s := moments(c)
		sum += s * s
	}
	return sd, float64(k) / float64(k-1) * (1 - sum/(sd*sd))
}
