package alert_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/protrack/protrack/pkg/alert"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
)

// phq9 is a form of which item 9 alone matters.
func phq9(item alert.Item) alert.Form {
	return alert.Form{Instrument: "phq-9", ItemsKnown: true, Items: map[string]alert.Item{"phq9_9": item}}
}

func answer(value int) alert.Item { return alert.Item{Value: &value} }

func TestWhatIsFoundInAForm(t *testing.T) {
	zero, one, three := phq9(answer(0)), phq9(answer(1)), phq9(answer(3))
	declined, unknown := phq9(alert.Item{Declined: true}), alert.Form{Instrument: "phq-9"}
	severe := phq9(answer(0))
	severe.Severity = "severe"
	for name, c := range map[string]struct {
		form   alert.Form
		before *alert.Form
		want   []alert.Finding
	}{
		"an answer of 0 raises nothing":                {form: zero},
		"0 is an answer, and is not taken for silence": {form: zero, before: &three},
		"1 is enough":                                   {form: one, want: []alert.Finding{{Rule: "item9_endorsed", Level: alert.Moderate}}},
		"2 presses more":                                {form: phq9(answer(2)), want: []alert.Finding{{Rule: "item9_endorsed", Level: alert.High}}},
		"3 presses most":                                {form: three, want: []alert.Finding{{Rule: "item9_endorsed", Level: alert.Critical}}},
		"a rise is told besides":                        {form: three, before: &one, want: []alert.Finding{{Rule: "item9_endorsed", Level: alert.Critical}, {Rule: "item9_higher", Level: alert.High, Rise: true}}},
		"a rise from 0 is one":                          {form: one, before: &zero, want: []alert.Finding{{Rule: "item9_endorsed", Level: alert.Moderate}, {Rule: "item9_higher", Level: alert.High, Rise: true}}},
		"the same again is no rise, and is told":        {form: one, before: &one, want: []alert.Finding{{Rule: "item9_endorsed", Level: alert.Moderate}}},
		"after a declined item there is no rise":        {form: one, before: &declined, want: []alert.Finding{{Rule: "item9_endorsed", Level: alert.Moderate}}},
		"a declined item is told":                       {form: declined, want: []alert.Finding{{Rule: "item9_declined", Level: alert.Moderate}}},
		"silence is told":                               {form: phq9(alert.Item{}), want: []alert.Finding{{Rule: "item9_missing", Level: alert.Moderate}}},
		"of a bare total item 9 is not known":           {form: unknown, want: []alert.Finding{{Rule: "item9_unknown", Level: alert.Low}}},
		"a severe score is told, whatever item 9 says":  {form: severe, want: []alert.Finding{{Rule: "severe_depression", Level: alert.Moderate}}},
		"anxiety has a band of its own":                 {form: alert.Form{Instrument: "gad-7", ItemsKnown: true, Severity: "severe"}, want: []alert.Finding{{Rule: "severe_anxiety", Level: alert.Moderate}}},
		"risks are a soft flag from 2 on":               {form: alert.Form{Instrument: "pcl-5", ItemsKnown: true, Items: map[string]alert.Item{"pcl5_16": answer(2)}}, want: []alert.Finding{{Rule: "pcl5_risk_taking", Level: alert.Low}}},
		"and not at 1":                                  {form: alert.Form{Instrument: "pcl-5", ItemsKnown: true, Items: map[string]alert.Item{"pcl5_16": answer(1)}}},
		"reliably worse is told of any instrument":      {form: alert.Form{Instrument: "pcl-5", ItemsKnown: true, Deteriorated: true}, want: []alert.Finding{{Rule: "deteriorated", Level: alert.Moderate}}},
		"less than a quarter better after four doses":   {form: alert.Form{Instrument: "gad-7", ItemsKnown: true, Doses: 4, Improvement: new(24.9)}, want: []alert.Finding{{Rule: "not_on_track", Level: alert.Low}}},
		"a quarter is on track":                         {form: alert.Form{Instrument: "gad-7", ItemsKnown: true, Doses: 4, Improvement: new(25.0)}},
		"three doses are too early to tell":             {form: alert.Form{Instrument: "gad-7", ItemsKnown: true, Doses: 3, Improvement: new(0.0)}},
		"without a baseline nothing is on or off track": {form: alert.Form{Instrument: "gad-7", ItemsKnown: true, Doses: 9}},
		"other instruments have no item 9":              {form: alert.Form{Instrument: "phq-8", ItemsKnown: true}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, alert.Default().Evaluate(c.form, c.before)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Whatever else a form says, and whatever a clinic turned off: an answer above
// 0, a declined item and silence are found, and more points never press less.
func TestItem9IsNeverOverlooked(t *testing.T) {
	var soft []string
	for _, rule := range alert.Default().List() {
		if !rule.Always {
			soft = append(soft, rule.Code)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		rules, err := alert.Default().Without(rapid.SliceOfDistinct(rapid.SampledFrom(soft), rapid.ID).Draw(t, "turned off")...)
		if err != nil {
			t.Fatal(err)
		}
		form := phq9(alert.Item{})
		form.Severity = rapid.SampledFrom([]string{"", "minimal", "severe"}).Draw(t, "severity")
		form.Deteriorated, form.Doses = rapid.Bool().Draw(t, "deteriorated"), rapid.IntRange(0, 9).Draw(t, "doses")
		given := rapid.IntRange(-2, 3).Draw(t, "item 9") // -2: declined, -1: silence
		want := "item9_endorsed"
		switch given {
		case -2:
			form.Items["phq9_9"], want = alert.Item{Declined: true}, "item9_declined"
		case -1:
			want = "item9_missing"
		case 0:
			form.Items["phq9_9"], want = answer(0), ""
		default:
			form.Items["phq9_9"] = answer(given)
		}
		found := rules.Evaluate(form, nil)
		if want != "" && !slices.ContainsFunc(found, func(f alert.Finding) bool { return f.Rule == want }) {
			t.Fatalf("%d: %v", given, found)
		}
		if given >= 1 && given < 3 {
			more := form
			more.Items = map[string]alert.Item{"phq9_9": answer(given + 1)}
			if !rules.Evaluate(more, nil)[0].Level.Above(found[0].Level) {
				t.Fatalf("%d presses no more than %d", given+1, given)
			}
		}
	})
}

// The rules speak of items and bands that the instruments have.
func TestTheRulesFitTheInstruments(t *testing.T) {
	library := instrument.Embedded()
	for _, rule := range alert.Default().List() {
		if rule.Instrument == "" {
			continue
		}
		def, err := library.Get(rule.Instrument)
		if err != nil {
			t.Errorf("%s: %v", rule.Code, err)
			continue
		}
		if rule.Item != "" && !slices.ContainsFunc(def.Items, func(i instrument.Item) bool { return i.ID == rule.Item }) {
			t.Errorf("%s: %s has no item %s", rule.Code, def.ID, rule.Item)
		}
		if rule.Severity != "" && !slices.ContainsFunc(def.Bands, func(b instrument.Band) bool { return b.ID == rule.Severity }) {
			t.Errorf("%s: %s has no band %s", rule.Code, def.ID, rule.Severity)
		}
	}
}

func TestRulesThatCannotBe(t *testing.T) {
	for name, c := range map[string]struct {
		data string
		want []string
	}{
		"not JSON":            {"{", nil},
		"an unknown member":   {`{"version":"1","rules":[],"x":1}`, nil},
		"no version":          {`{"rules":[]}`, []string{"/version"}},
		"two of a code":       {`{"version":"1","rules":[{"code":"a","when":"deteriorated","level":"low","source":"s"},{"code":"a","when":"deteriorated","level":"low","source":"s"}]}`, []string{"/rules/1/code"}},
		"everything at once":  {`{"version":"1","rules":[{"code":"","when":"never","level":"loud","source":" "}]}`, []string{"/rules/0/code", "/rules/0/source", "/rules/0/when", "/rules/0/level"}},
		"an item of nothing":  {`{"version":"1","rules":[{"code":"a","when":"item_missing","level":"low","source":"s"}]}`, []string{"/rules/0/item"}},
		"0 as a step":         {`{"version":"1","rules":[{"code":"a","instrument":"x","when":"item_at_least","item":"x_1","levels":{"0":"low"},"source":"s"}]}`, []string{"/rules/0/levels"}},
		"a step and no level": {`{"version":"1","rules":[{"code":"a","instrument":"x","when":"item_at_least","item":"x_1","level":"low","source":"s"}]}`, []string{"/rules/0/level"}},
		"a track of nothing":  {`{"version":"1","rules":[{"code":"a","when":"not_on_track","level":"low","source":"s"}]}`, []string{"/rules/0/when"}},
		"a band of nothing":   {`{"version":"1","rules":[{"code":"a","when":"severity","level":"low","source":"s"}]}`, []string{"/rules/0/severity"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := alert.Parse([]byte(c.data))
			if !fault.Is(err, fault.Invalid) {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, pointers(err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestARuleThatAlwaysAppliesCannotBeTurnedOff(t *testing.T) {
	_, err := alert.Default().Without("severe_anxiety", "item9_endorsed", "nonsense")
	if diff := cmp.Diff([]string{"/1", "/2"}, pointers(err)); diff != "" {
		t.Error(diff)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"version":"1","rules":[{"code":"a","when":"deteriorated","level":"low","source":"s"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		rules, err := alert.Parse(data)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatal(err)
			}
			return
		}
		for _, found := range rules.Evaluate(phq9(answer(3)), nil) {
			if !slices.Contains(alert.Levels(), found.Level) {
				t.Fatalf("%+v", found)
			}
		}
	})
}
