package apitest_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/protrack/protrack/api/apitest"
)

// body is a route with a body that it takes.
type body struct {
	ask     string
	good    object
	status  int
	headers []string
}

func bodies() []body {
	return []body{
		{postClient, object{"reference": "R", "display_name": "N", "birth_year": 1985, "sex": "female", "time_zone": "America/Denver"}, 201, nil},
		{postCourse, object{"indication": "depression", "started_on": "2026-03-02", "ended_on": "2026-05-01", "planned_sessions": 6, "goals": "sleep"}, 201, nil},
		{postSession, with(dosing(), "number", 1, "ended_at", "2026-03-10T16:00:00Z", "course_id", "{course}"), 201, nil},
		{postAssessment, with(baseline(), "declined", []any{}, "missing_policy", "complete", "recall_window", "P14D", "mode", "self", "session_id", "{session}"), 201, nil},
		{"POST /v1/assessments/batch", object{"items": []any{with(baseline(), "client_id", "{client}")}}, 200, nil},
		{postScore, object{"answers": phq9(0, 1, 2, 3, 0, 1, 2, 3, 0), "missing_policy": "prorate", "sex": "other"}, 200, nil},
		{putSetting, object{"change_rules": "nhs-tt", "cutpoints": object{}}, 200, nil},
		{postKey, object{"name": "tablet", "role": "app", "expires_at": "2027-01-01T00:00:00Z"}, 201, nil},
		{patchClient, object{"display_name": "N", "birth_year": 1990}, 200, []string{"If-Match", ""}},
		{patchCourse, object{"goals": "sleep", "ended_on": "2026-05-01"}, 200, []string{"If-Match", ""}},
		{patchSession, object{"ended_at": "2026-03-10T17:00:00Z", "medicine": object{"substance": "ketamine", "route": "oral", "dose_mg": 10}}, 200, []string{"If-Match", ""}},
		{amend, object{"answers": phq9(1, 1, 1), "reason": "x"}, 200, []string{"If-Match", ""}},
	}
}

// TestAMutatedBodyIsRefusedOrMeansTheSame changes good bodies at random. None
// may fail on our side. Where a mutation breaks the shape (another type, an
// unknown member, half a text) it must be refused; where it does not (another
// order, white space, null for what may be absent) the answer must be the same.
func TestAMutatedBodyIsRefusedOrMeansTheSame(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		names := fill(settle(s, s.Clinic), settle(s, s.Other))
		mutants, sent, refused := 20, 0, 0
		if long() {
			mutants = 1200 // 10,000 a route
		}
		rapid.Check(t, func(rt *rapid.T) {
			for range mutants {
				if sendMutant(rt, s, names) {
					refused++
				}
				sent++
			}
		})
		t.Logf("%d mutants were sent and %d refused", sent, refused)
	})
}

// sendMutant draws a route and a mutant of its body, and holds the answer
// against what it should be.
func sendMutant(rt *rapid.T, s *apitest.Server, names *strings.Replacer) (refused bool) {
	b := rapid.SampledFrom(bodies()).Draw(rt, "route")
	text, err := json.Marshal(uniquely(b.good))
	if err != nil {
		rt.Fatal(err)
	}
	var good any
	if err := json.Unmarshal([]byte(names.Replace(string(text))), &good); err != nil {
		rt.Fatal(err)
	}
	method, path, _ := strings.Cut(names.Replace(b.ask), " ")
	mutant, breaks := mutate(rt, good)
	headers := slices.Clone(b.headers)
	if headers != nil {
		headers[1] = s.Do("GET", path, nil).Header.Get("ETag")
	}
	r := s.Do(method, path, mutant, headers...)
	status := r.Status
	if strings.HasSuffix(path, "/batch") && status == http.StatusOK {
		var batch struct{ Results []struct{ Status int } }
		r.Decode(&batch)
		for _, one := range batch.Results {
			status = max(status, one.Status)
		}
	}
	switch {
	case status >= 500:
		rt.Fatalf("%s answers %d to %s: %s", b.ask, status, mutant, r.Body)
	case breaks && status < 400:
		rt.Fatalf("%s takes %s: %s", b.ask, mutant, r.Body)
	case !breaks && status >= 400:
		rt.Fatalf("%s refuses %s: %s", b.ask, mutant, r.Body)
	case r.Status >= 400:
		problemOf(rt, r)
		saysNothing(rt, r, "")
	}
	return status >= 400
}

// uniquely makes references new.
func uniquely(good object) object {
	if _, has := good["reference"]; has {
		return with(good, "reference", newID())
	}
	return good
}

// mutate changes one thing of a body. breaks says that it must be refused.
func mutate(rt *rapid.T, good any) (text string, breaks bool) {
	places := pointers("", good)
	at := rapid.SampledFrom(places).Draw(rt, "at")
	how := rapid.SampledFrom([]string{"type", "unknown", "cut", "garbage", "twice", "nul", "space", "order", "byte"}).Draw(rt, "how")
	plain := encode(rt, good)
	switch how {
	case "type":
		other := rapid.SampledFrom([]any{true, "canary", -1.5, []any{[]any{}}, object{"canary": 1}, 1e300}).Draw(rt, "other")
		if at == "" || reflect.TypeOf(lookup(good, at)) == reflect.TypeOf(other) {
			other = []any{nil, nil, true}
		}
		return encode(rt, put(good, at, other)), true
	case "unknown":
		for {
			if members, isObject := lookup(good, at).(object); isObject {
				members["canary"] = rapid.SampledFrom([]any{nil, 1.0, "x"}).Draw(rt, "value")
				return encode(rt, good), true
			}
			at = at[:strings.LastIndex(at, "/")]
		}
	case "cut":
		return plain[:rapid.IntRange(0, len(plain)-1).Draw(rt, "cut")], true
	case "garbage":
		return plain + rapid.SampledFrom([]string{"x", "{}", "]", "\x00", ","}).Draw(rt, "garbage"), true
	case "twice":
		name := rapid.SampledFrom(slices.Sorted(maps.Keys(good.(object)))).Draw(rt, "name")
		return strings.TrimSuffix(plain, "}") + "," + strconv.Quote(name) + ":null}", true
	case "nul":
		i := rapid.IntRange(0, len(plain)).Draw(rt, "place")
		return plain[:i] + "\x00" + plain[i:], true
	case "byte":
		i := rapid.IntRange(0, len(plain)).Draw(rt, "place")
		return plain[:i] + string([]byte{byte(rapid.IntRange(0x80, 0xff).Draw(rt, "byte"))}) + plain[i:], true
	case "space":
		return " \n" + strings.ReplaceAll(plain, `":`, "\" :\t") + "\r\n", false
	}
	return reversed(plain, good), false
}

func encode(rt *rapid.T, v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		rt.Fatal(err)
	}
	return string(text)
}

// reversed writes the members of an object in another order.
func reversed(plain string, v any) string {
	members, isObject := v.(object)
	if !isObject {
		return plain
	}
	var parts []string
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(members))) {
		value, _ := json.Marshal(members[name])
		parts = append(parts, strconv.Quote(name)+":"+string(value))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// pointers lists every place in a value.
func pointers(at string, v any) []string {
	out := []string{at}
	switch v := v.(type) {
	case object:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			out = append(out, pointers(at+"/"+name, v[name])...)
		}
	case []any:
		for i := range v {
			out = append(out, pointers(at+"/"+strconv.Itoa(i), v[i])...)
		}
	}
	return out
}

// lookup gives what stands at a place.
func lookup(v any, at string) any {
	first, rest, _ := strings.Cut(strings.TrimPrefix(at, "/"), "/")
	switch parent := v.(type) {
	case object:
		if first != "" {
			return lookup(parent[first], rest)
		}
	case []any:
		if i, err := strconv.Atoi(first); err == nil {
			return lookup(parent[i], rest)
		}
	}
	return v
}

// put sets what stands at a place and gives the whole.
func put(v any, at string, value any) any {
	first, rest, _ := strings.Cut(strings.TrimPrefix(at, "/"), "/")
	if first == "" {
		return value
	}
	switch parent := v.(type) {
	case object:
		parent[first] = put(parent[first], rest, value)
	case []any:
		i, _ := strconv.Atoi(first)
		parent[i] = put(parent[i], rest, value)
	}
	return v
}
