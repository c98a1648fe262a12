package apitest_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

// wholeRecord gives a client with something in every part of the record that
// this server writes, with words that a page has to escape.
func wholeRecord(s *apitest.Server) ids {
	n := settleAs(s, s.Clinic, "P-<b>7</b>")
	s.Do("PATCH", "/v1/clients/"+n.client, object{"display_name": "Ada \"Countess\" O'Lovelace & Sons"}, "If-Match", `"1"`).Want(http.StatusOK)
	s.Do("PATCH", "/v1/courses/"+n.course, object{"goals": "<script>alert(1)</script>"}, "If-Match", `"1"`).Want(http.StatusOK)
	s.Do("PUT", "/v1/assessments/"+n.assessment, object{"answers": phq9(3, 3, 2, 1, 1, 2, 1, 0, 1), "reason": "item 1 was misread"}, "If-Match", `"1"`).Want(http.StatusOK)
	s.Do("GET", "/v1/clients/"+n.client+"/trajectories", nil).Want(http.StatusOK)
	return n
}

func TestARecordHoldsEveryVersionOfEverything(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		n := wholeRecord(s)
		record := s.Do("GET", "/v1/clients/"+n.client+"/record", nil).Want(http.StatusOK).JSON()
		within(t, "record.", object{"format": "protrack-record", "version": 1.0, "client_id": n.client}, record)
		for list, want := range map[string]int{
			"clients": 2, "courses": 2, "sessions": 1, "assessments": 2, "instruments": 1,
			"consents": 0, "corrections": 1, "care_team": 1, "tokens": 1, "merges": 0,
		} {
			if got := len(record[list].([]any)); got != want {
				t.Errorf("%s: %d instead of %d", list, got, want)
			}
		}
		one := s.Do("GET", "/v1/assessments/"+n.assessment, nil).Want(http.StatusOK).JSON()
		same(t, "the assessment that stands", one, record["assessments"].([]any)[1].(object))
		versions := listed(s.Do("GET", "/v1/assessments/"+n.assessment+"/versions", nil).Want(http.StatusOK))
		same(t, "its first version", versions[0], record["assessments"].([]any)[0].(object))
		items := record["instruments"].([]any)[0].(object)["items"].([]any)
		within(t, "item ", object{"id": "phq9_1", "text": "Little interest or pleasure in doing things"}, items[0])
		seen := false
		for _, d := range record["disclosures"].([]any) {
			seen = seen || d.(object)["action"] == "trajectory.read"
		}
		if !seen {
			t.Errorf("who saw it is not in the record: %v", record["disclosures"])
		}
		downloads := s.Do("GET", "/v1/audit?action=record.download&client_id="+n.client, nil).Want(http.StatusOK)
		within(t, "details ", object{"note": object{"format": "json"}}, listed(downloads)[0]["details"])
	})
}

func TestTheRecordsPageIsSafeReadableAndPrintable(t *testing.T) {
	s := apitest.SQLite(t)
	n := wholeRecord(s)
	r := s.Do("GET", "/v1/clients/"+n.client+"/record?format=html", nil).Want(http.StatusOK)
	page := string(r.Body)
	policy := r.Header.Get("Content-Security-Policy")
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(page)
	if style == nil || strings.Count(page, "<style") != 1 {
		t.Fatal("the page has another number of styles than one")
	}
	sum := sha256.Sum256([]byte(style[1]))
	if hash := "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(policy, hash) || !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("the policy %q does not let the style %s", policy, hash)
	}
	if r.Header.Get("Cache-Control") != "no-store" {
		t.Error("the page may be kept by a cache")
	}
	for _, foreign := range []string{"<script", " style=", "<img", "<link", "http://", "https://", "<b>7</b>", "ZgotmplZ"} {
		if strings.Contains(page, foreign) {
			t.Errorf("the page holds %q", foreign)
		}
	}
	for _, word := range []string{
		"P-&lt;b&gt;7&lt;/b&gt;", "O&#39;Lovelace &amp; Sons", "&lt;script&gt;alert(1)&lt;/script&gt;", // as it was written
		"Little interest or pleasure in doing things", "Nearly every day (3)", "14, moderate", "item 1 was misread",
		"2026-03-01 02:00 -07:00", "America/Denver", "dosing 1", "ketamine, intramuscular, 70 mg",
	} {
		if !strings.Contains(page, word) {
			t.Errorf("the page does not hold %q", word)
		}
	}
	accessible(t, page)
}

// accessible holds a page to what a screen reader needs: a language, a title,
// one first heading and no level left out, a caption and headers with a scope
// in each table.
func accessible(t *testing.T, page string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	count, level := map[string]int{}, 0
	for node := range doc.Descendants() {
		if node.Type != html.ElementNode {
			continue
		}
		count[node.Data]++
		if len(node.Data) == 2 && node.Data[0] == 'h' && node.Data[1] >= '1' && node.Data[1] <= '6' {
			if now := int(node.Data[1] - '0'); now > level+1 {
				t.Errorf("a heading of level %d follows one of %d", now, level)
			} else {
				level = now
			}
		}
		attributes := map[string]string{}
		for _, a := range node.Attr {
			attributes[a.Key] = a.Val
		}
		if node.Data == "html" && attributes["lang"] == "" || node.Data == "th" && attributes["scope"] == "" {
			t.Errorf("<%s> says too little: %v", node.Data, attributes)
		}
	}
	if count["title"] != 1 || count["h1"] != 1 || count["main"] != 1 || count["table"] == 0 || count["caption"] != count["table"] || count["thead"] != count["table"] {
		t.Errorf("the page has %v", count)
	}
}

func TestTheArchiveHoldsThePageAndThePackage(t *testing.T) {
	s := apitest.SQLite(t)
	n := wholeRecord(s)
	r := s.Do("GET", "/v1/clients/"+n.client+"/record?format=zip", nil).Want(http.StatusOK)
	if got := r.Header.Get("Content-Disposition"); got != `attachment; filename="record-`+n.client+`.zip"` {
		t.Errorf("it is called %s", got)
	}
	archive, err := zip.NewReader(bytes.NewReader(r.Body), int64(len(r.Body)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range archive.File {
		open, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(open)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(text)
	}
	var record object
	if err := json.Unmarshal([]byte(files["record.json"]), &record); err != nil || record["client_id"] != n.client {
		t.Errorf("record.json: %v, %v", record["client_id"], err)
	}
	if len(files) != 3 || !strings.Contains(files["README.txt"], "record.json") || !strings.Contains(files["record.html"], "Nearly every day (3)") {
		t.Errorf("the archive holds %d files", len(files))
	}
	s.Do("GET", "/v1/clients/"+n.client+"/record?format=pdf", nil).Want(http.StatusUnprocessableEntity)
}

func TestAfterAnErasureEveryRouteOfTheClientAnswersGone(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		n := wholeRecord(s)
		before := listed(s.Do("GET", "/v1/clients/"+n.client+"/disclosures?limit=200", nil).Want(http.StatusOK))
		n = withMore(s, s.Clinic, n)
		first := s.Do("POST", "/v1/clients/"+n.client+"/erasure", object{"reason": "client_request"}).Want(http.StatusOK).JSON()
		if first["removed"].(object)["assessment_versions"] != 5.0 || len(first["kept"].([]any)) < 4 {
			t.Errorf("the erasure tells %v", first)
		}
		same(t, "asked again", first, s.Do("POST", "/v1/clients/"+n.client+"/erasure", object{"reason": "legal_order"}).Want(http.StatusOK).JSON())
		for _, route := range apiRoutes(t, s) {
			if !strings.Contains(route, "/clients/{client_id}") || strings.HasSuffix(route, "/erasure") || strings.HasSuffix(route, "/disclosures") {
				continue
			}
			method, path := address(route, n)
			body := fresh(may[route].body, n)
			problemOf(t, s.Do(method, path, body, "If-Match", `"1"`).Want(http.StatusGone))
			s.As(s.Other.Key[auth.Admin], method, path, body, "If-Match", `"1"`).Want(http.StatusNotFound)
		}
		for _, path := range []string{"/v1/courses/" + n.course, "/v1/sessions/" + n.session, "/v1/assessments/" + n.assessment} {
			s.Do("GET", path, nil).Want(http.StatusNotFound)
		}
		s.Do("POST", "/v1/clients", object{"id": n.client, "reference": "P-8"}).Want(http.StatusGone)
		s.Do("POST", "/v1/clients", object{"reference": "P-<b>7</b>"}).Want(http.StatusCreated)
		batch := s.Do("POST", "/v1/assessments/batch", object{"items": []object{with(baseline(), "client_id", n.client)}}).Want(http.StatusOK).JSON()
		within(t, "in a batch: ", object{"status": 410.0}, batch["results"].([]any)[0])

		after := listed(s.Do("GET", "/v1/clients/"+n.client+"/disclosures?limit=200", nil).Want(http.StatusOK))
		same(t, "the disclosures that stay", before, after[len(after)-len(before):])
		for _, word := range []string{"Lovelace", "alert(1)", "misread", "<b>7"} {
			if strings.Contains(s.Log.String(), word) {
				t.Errorf("the log holds %q", word)
			}
		}
	})
}

func TestDisclosuresTellWhoSawAClientAndNotWhoWrote(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		n, other := settleAs(s, s.Clinic, "P-1"), settleAs(s, s.Clinic, "P-2")
		doctor := s.Clinic.Key[auth.Clinician]
		for _, path := range []string{"/v1/clients/" + n.client, "/v1/clients", "/v1/caseload?instrument=phq-9", "/v1/assessments/" + n.assessment, "/v1/clients/" + other.client} {
			s.As(doctor, "GET", path, nil, "X-Request-Id", "device-7.request").Want(http.StatusOK)
		}
		var got []string
		cursor := ""
		for {
			page := s.Do("GET", "/v1/clients/"+n.client+"/disclosures?limit=1"+cursor, nil).Want(http.StatusOK)
			for _, d := range listed(page) {
				if d["role"] == "clinician" {
					within(t, "disclosure ", object{"request_id": auth.RequestOf("device-7.request"), "outcome": "done", "actor_kind": "key"}, d)
					got = append(got, d["action"].(string))
				}
			}
			next, more := page.JSON()["next_cursor"].(string)
			if !more {
				break
			}
			cursor = "&cursor=" + next
		}
		same(t, "what was shown to the clinician, the newest first", []string{"assessment.read", "caseload.read", "client.list", "client.read"}, got)
	})
}

func TestTheAuditTrailIsNarrowedByEachFilter(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		s.Clock.Set(today)
		n := settle(s, s.Clinic)
		s.Clock.Set(today.Add(1e9))
		s.As(s.Clinic.Key[auth.Researcher], "GET", "/v1/clients/"+n.client, nil).Want(http.StatusForbidden)
		s.As(s.Clinic.Key[auth.Clinician], "GET", "/v1/clients/"+n.client, nil).Want(http.StatusOK)
		all := listed(s.Do("GET", "/v1/audit?limit=200", nil).Want(http.StatusOK))
		if len(all) < 8 {
			t.Fatalf("%d entries", len(all))
		}
		refused := listed(s.Do("GET", "/v1/audit?outcome=refused", nil).Want(http.StatusOK))
		if len(refused) != 1 || refused[0]["role"] != "researcher" || refused[0]["action"] != "permission.refused" {
			t.Errorf("refused: %v", refused)
		}
		actor := refused[0]["actor"].(string)
		for filter, holds := range map[string]func(object) bool{
			"actor=" + actor:            func(e object) bool { return e["actor"] == actor },
			"action=client.read":        func(e object) bool { return e["action"] == "client.read" },
			"outcome=done":              func(e object) bool { return e["outcome"] == "done" },
			"from=2026-06-01T12:00:01Z": func(e object) bool { return e["at"].(string) >= "2026-06-01T12:00:01Z" },
			"to=2026-06-01T12:00:01Z":   func(e object) bool { return e["at"].(string) < "2026-06-01T12:00:01Z" },
			"client_id=" + n.client:     func(e object) bool { return e["client_id"] == n.client },
		} {
			want := 0
			for _, e := range all {
				if holds(e) {
					want++
				}
			}
			got := 0
			for _, e := range listed(s.Do("GET", "/v1/audit?limit=200&"+filter, nil).Want(http.StatusOK)) {
				if !holds(e) {
					t.Errorf("%s gives %v", filter, e)
				}
				if e["action"] != "audit.read" {
					got++
				}
			}
			if want == 0 || got < want {
				t.Errorf("%s gives %d entries of %d", filter, got, want)
			}
		}
		other := listed(s.As(s.Other.Key[auth.Admin], "GET", "/v1/audit?limit=200&client_id="+n.client, nil).Want(http.StatusOK))
		for _, e := range other {
			if e["action"] != "audit.read" {
				t.Errorf("another clinic reads %v", e)
			}
		}
	})
}
