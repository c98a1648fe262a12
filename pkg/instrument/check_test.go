package instrument_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
)

func readDefinition(t testing.TB, id string) []byte {
	t.Helper()
	data, err := os.ReadFile("definitions/" + id + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestBytesThatAreNoDefinitionAreMalformed(t *testing.T) {
	phq9 := string(readDefinition(t, "phq-9"))
	cases := []struct{ name, data, want string }{
		{"an unknown member", strings.Replace(phq9, `"title"`, `"titel"`, 1), "/titel unknown_member"},
		{"an unknown member inside", strings.Replace(phq9, `"unscored"`, `"scoreless"`, 1), "/items/9/scoreless unknown_member"},
		{"a member of other case", strings.Replace(phq9, `"title"`, `"Title"`, 1), "/Title unknown_member"},
		{"a duplicate member", strings.Replace(phq9, `"title"`, `"id": "phq-9", "title"`, 1), "/id duplicate_member"},
		{"trailing data", phq9 + "{}", " syntax"},
		{"a wrong type", strings.Replace(phq9, `"max": 27`, `"max": "27"`, 1), "/scoring/max wrong_type"},
		{"a fraction for a whole number", strings.Replace(phq9, `"at_least": 1,`, `"at_least": 1.5,`, 1), "/flags/0/at_least wrong_type"},
		{"nothing", "", " syntax"},
		{"half a file", phq9[:100], "/title syntax"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := instrument.Parse([]byte(c.data))
			if !fault.Is(err, fault.Malformed) {
				t.Fatalf("error %v, want Malformed", err)
			}
			got := faults(t, err)
			if len(got) != 1 || c.name != "half a file" && got[0] != c.want {
				t.Errorf("faults %q, want %q", got, c.want)
			}
		})
	}
	if _, err := instrument.Parse(make([]byte, 1<<20+1)); !fault.Is(err, fault.TooLarge) {
		t.Errorf("a file above 1 MiB: %v", err)
	}
}

// edit changes members of a definition; a path is object keys and array
// indexes, and a nil value removes the member.
type edit map[string]any

func (e edit) apply(t *testing.T, id string) []byte {
	t.Helper()
	var doc any
	if err := json.Unmarshal(readDefinition(t, id), &doc); err != nil {
		t.Fatal(err)
	}
	for path, value := range e {
		parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
		at := doc
		for _, p := range parts[:len(parts)-1] {
			at = step(t, at, p)
		}
		last := parts[len(parts)-1]
		switch at := at.(type) {
		case map[string]any:
			if value == nil {
				delete(at, last)
			} else {
				at[last] = value
			}
		case []any:
			at[int(last[0]-'0')] = value
		}
	}
	data, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func step(t *testing.T, at any, key string) any {
	t.Helper()
	switch at := at.(type) {
	case map[string]any:
		if next, ok := at[key]; ok {
			return next
		}
	case []any:
		return at[int(key[0]-'0')]
	}
	t.Fatalf("no %q", key)
	return nil
}

type list = []any

type object = map[string]any

var badDefinitions = []struct {
	name, id string
	edit     edit
	want     []string
}{
	{"several faults are all named", "phq-9", edit{
		"/id": "PHQ 9", "/version": "1.0", "/items/1/id": "phq9_1", "/bands/2/from": 4, "/licence/terms": "", "/scoring/max": 30,
	}, []string{
		"/id bad_id", "/version bad_version", "/licence/terms required", "/items/1/id duplicate",
		"/scoring/max not_the_maximum", "/bands/2/from not_ascending",
		"/screens/0/symptoms/1 unknown_item",
	}},
	{"heads", "gad-7", edit{"/language": "English", "/direction": "down", "/title": "", "/measures": "", "/recall_windows": list{"P14D", "P3D", "P14D"}, "/stems": object{"P1M": "x"}},
		[]string{
			"/language bad_language", "/direction unknown_direction", "/title required", "/measures required",
			"/recall_windows/1 unknown_window", "/recall_windows/2 duplicate", "/stems/P1M unknown_window",
		}},
	{"no window at all", "phq-2", edit{"/recall_windows": list{}, "/stems": nil}, []string{"/recall_windows required"}},
	{"a panel code given as the total", "gad-7", edit{"/codes/1/code": "69737-5"}, []string{"/codes/1/code duplicate"}},
	{"LOINC codes with a wrong check digit or form", "gad-7", edit{
		"/codes/0/code": "69737-6", "/codes/1/use": "score", "/items/0/loinc": "LA6568-5",
		"/option_sets/frequency/0/loinc": "LA6568-4", "/option_sets/frequency/1/loinc": "6569-3",
	}, []string{
		"/codes/0/code bad_check_digit", "/codes/1/use unknown_use", "/option_sets/frequency/0/loinc bad_check_digit",
		"/option_sets/frequency/1/loinc bad_loinc", "/items/0/loinc bad_loinc",
	}},
	{"wording without a licence", "phq-9", edit{"/licence/redistributable": false}, []string{"/licence/redistributable wording_without_licence"}},
	{"wording in a file that only scores", "who-5", edit{"/items/0/text": "I have felt well"}, []string{"/licence/redistributable wording_without_licence"}},
	{"a file with wording that lacks some", "phq-2", edit{"/items/0/text": nil, "/option_sets/frequency/1/text": ""},
		[]string{"/option_sets/frequency/1/text required", "/items/0/text required"}},
	{"options", "phq-2", edit{"/option_sets/frequency/1/value": 0, "/option_sets/one": list{object{"value": 1, "text": "x"}}, "/items/0/options": "often"},
		[]string{"/option_sets/frequency/1/value duplicate", "/option_sets/one bad_length", "/items/0/options unknown_option_set"}},
	{"huge points", "phq-2", edit{"/option_sets/frequency/3/score": 2_000_000, "/scoring/max": 4_000_000},
		[]string{"/option_sets/frequency/3 out_of_range"}},
	{"an item id that is too long or has capitals", "phq-2", edit{"/items/0/id": "PHQ2", "/items/1/id": strings.Repeat("a", 27)},
		[]string{"/items/0/id bad_id", "/items/1/id bad_id"}},
	{"no items", "phq-2", edit{"/items": list{}}, []string{"/items bad_length", "/items nothing_scored"}},
	{"an item asked of a sex that is none", "phq-15", edit{"/items/3/asked_of": list{"women"}}, []string{"/items/3/asked_of/0 unknown_sex"}},
	{"bands", "gad-7", edit{"/bands/0/from": 1, "/bands/1/id": "minimal", "/bands/2/label": "", "/bands/3/from": 22},
		[]string{"/bands/0/from not_at_minimum", "/bands/1/id duplicate", "/bands/2/label required", "/bands/3/from out_of_range"}},
	{"a multiplier that the range forgets", "who-5", edit{"/scoring/multiply": 1, "/scoring/rule": "", "/scoring/source": ""},
		[]string{"/scoring/rule bad_id", "/scoring/source required", "/scoring/max not_the_maximum"}},
	{"prorating with nothing left, or with unequal items", "pcl-5", edit{
		"/scoring/prorate/max_missing": 20, "/scoring/prorate/max_per_subscale": -1, "/subscales/1/prorate/max_missing": 2,
		"/subscales/0/prorate/max_per_subscale": 1,
	}, []string{
		"/subscales/0/prorate/max_per_subscale not_here", "/subscales/1/prorate/max_missing out_of_range",
		"/scoring/prorate/max_missing out_of_range", "/scoring/prorate/max_per_subscale out_of_range",
	}},
	{"subscales", "pcl-5", edit{"/subscales/0/items": list{"pcl5_1", "pcl5_1", "pcl5_99"}, "/subscales/1/max": 9, "/subscales/2/id": "pcl5_1", "/subscales/3/items": list{}},
		[]string{
			"/subscales/0/items/1 duplicate", "/subscales/0/items/2 unknown_item", "/subscales/1/max not_the_maximum",
			"/subscales/2/id duplicate", "/subscales/3/items required",
		}},
	{"the difficulty item in a syndrome", "phq-9", edit{"/screens/0/symptoms/8/item": "phq9_difficulty"}, []string{"/screens/0/symptoms/8 unscored_item"}},
	{"gates", "audit-c", edit{"/gate/equals": 9, "/gate/skips": list{"auditc_1", "auditc_4"}},
		[]string{"/gate/equals not_an_option", "/gate/skips/1 unknown_item", "/gate/skips skips_itself"}},
	{"a gate without an item", "audit-c", edit{"/gate/item": "x", "/gate/skips": list{}}, []string{"/gate/item unknown_item", "/gate/skips required"}},
	{"syndromes", "phq-9", edit{"/screens/0/core": list{"phq9_1", "gad7_1"}, "/screens/0/levels/1/count": 5, "/screens/0/levels/0/id": "none",
		"/screens/0/symptoms/0/at_least": 4, "/screens/0/at_least": 10},
		[]string{
			"/screens/0 mixed_kinds", "/screens/0/symptoms/0/at_least out_of_range", "/screens/0/core/1 unknown_item",
			"/screens/0/levels/0/id bad_id", "/screens/0/levels/1/count out_of_range",
		}},
	{"an empty syndrome", "phq-9", edit{"/screens/0": object{"id": "s", "kind": "syndrome", "title": "S", "source": "S"}},
		[]string{"/screens/0/symptoms required", "/screens/0/core required", "/screens/0/otherwise bad_id", "/screens/0/levels required"}},
	{"clusters", "pcl-5", edit{"/screens/0/clusters/0/count": 6, "/screens/0/clusters/1/at_least": 0},
		[]string{"/screens/0/clusters/0/count out_of_range", "/screens/0/clusters/1/at_least out_of_range", "/screens/0/clusters/1/at_least out_of_range"}},
	{"no clusters", "pcl-5", edit{"/screens/0/clusters": nil}, []string{"/screens/0/clusters required"}},
	{"cut-points", "gad-7", edit{"/screens/0/at_least": 22, "/screens/0/at_most": 4, "/screens/0/alternatives": list{-1}},
		[]string{
			"/screens/0 one_threshold", "/screens/0 wrong_direction", "/screens/0/at_least out_of_range", "/screens/0/alternatives/0 out_of_range",
		}},
	{"a cut-point for one sex only", "audit-c", edit{"/screens/0/by_sex": object{"other": 3, "female": 13}},
		[]string{"/screens/0/by_sex/female out_of_range", "/screens/0/by_sex/other unknown_sex", "/screens/0/by_sex required"}},
	{"a screen of no kind", "gad-7", edit{"/screens/0/kind": "guess", "/screens/0/source": ""},
		[]string{"/screens/0/source required", "/screens/0 mixed_kinds", "/screens/0/kind unknown_kind"}},
	{"a cut-point upside down on WHO-5", "who-5", edit{"/screens/0": object{"id": "c", "kind": "cutpoint", "title": "C", "source": "S", "at_least": 50}},
		[]string{"/screens/0 wrong_direction"}},
	{"flags", "phq-9", edit{"/flags/0/at_least": 4, "/flags/1/when": "maybe", "/flags/1/source": ""},
		[]string{"/flags/0/at_least out_of_range", "/flags/1/source required", "/flags/1/when unknown_condition"}},
	{"a flag with two conditions on no item", "phq-9", edit{"/flags/0/when": "not_answered", "/flags/0/item": "x", "/flags/1/when": nil},
		[]string{"/flags/0/item unknown_item", "/flags/0 one_condition", "/flags/1 one_condition"}},
	{"change rules", "phq-9", edit{"/change_rules/0/partial_percent": 50, "/change_rules/0/source": "", "/change_rules/0/remission_below": 11,
		"/change_rules/0/reliable_change": 0, "/change_rules/0/recovered_at_most": 10, "/change_rules/2/version": "2",
		"/change_rules/2/id": "nhs-tt", "/change_rules/2/caseness": 40, "/change_rules/2/response_percent": 101, "/default_change_rules": "x"},
		[]string{
			"/change_rules/0/source required", "/change_rules/0/reliable_change out_of_range",
			"/change_rules/0/recovered_at_most not_below_caseness", "/change_rules/0/remission_below not_below_caseness",
			"/change_rules/0/partial_percent not_below_response", "/change_rules/2/id duplicate", "/change_rules/2/version bad_version",
			"/change_rules/2/caseness out_of_range", "/change_rules/2/response_percent out_of_range", "/default_change_rules unknown_rules",
		}},
	{"a computed change that is not what the sample gives", "phq-9", edit{"/change_rules/1/reliable_change": 5.2}, []string{"/change_rules/1/jacobson_truax not_the_computed_change"}},
	{"a reliability of 1 and one of no kind", "gad-7", edit{"/change_rules/1/jacobson_truax/reliability": 1, "/change_rules/1/jacobson_truax/reliability_kind": "guess", "/change_rules/1/jacobson_truax/source": ""},
		[]string{
			"/change_rules/1/jacobson_truax/source required", "/change_rules/1/jacobson_truax/reliability_kind unknown_kind",
			"/change_rules/1/jacobson_truax/reliability out_of_range",
		}},
	{"an SD of 0", "gad-7", edit{"/change_rules/1/jacobson_truax/sd": 0}, []string{"/change_rules/1/jacobson_truax/sd out_of_range"}},
	{"rules without a threshold", "gad-7", edit{"/change_rules/3/minimal_important_difference": nil}, []string{"/change_rules/3 says_nothing"}},
	{"caseness on a scale where higher is better", "who-5", edit{"/change_rules/0/caseness": 50}, []string{"/change_rules/0/caseness wrong_direction"}},
	{"a default without rules", "phq-2", edit{"/default_change_rules": "x"}, []string{"/default_change_rules unknown_rules"}},
}

func TestABadDefinitionNamesItsFaults(t *testing.T) {
	for _, c := range badDefinitions {
		t.Run(c.name, func(t *testing.T) {
			_, err := instrument.Parse(c.edit.apply(t, c.id))
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("error %v, want Invalid", err)
			}
			if d := cmp.Diff(c.want, faults(t, err)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}
