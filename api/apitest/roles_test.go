package apitest_test

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/protrack/protrack/api/apitest"
	"github.com/protrack/protrack/pkg/auth"
)

var (
	anyone     = everybody
	phones     = []auth.Role{auth.Owner, auth.Admin, auth.Clinician, auth.App, auth.Client}
	writers    = []auth.Role{auth.Owner, auth.Admin, auth.Clinician, auth.App}
	clinicians = []auth.Role{auth.Owner, auth.Admin, auth.Clinician}
	admins     = []auth.Role{auth.Owner, auth.Admin}
	exporters  = []auth.Role{auth.Owner, auth.Admin, auth.Researcher}
	minters    = []auth.Role{auth.Owner, auth.Admin, auth.App}
	scholars   = []auth.Role{auth.Owner, auth.Admin, auth.Clinician, auth.Researcher}
)

// may is who may do what, declared apart from the program. A route that is
// not here fails the test. {new} is replaced by something new each time,
// {duplicate} by a client that may be merged.
var may = map[string]struct {
	roles  []auth.Role
	body   any
	status int
}{
	"GET /v1/instruments":                             {anyone, nil, 200},
	"GET /v1/instruments/{instrument}":                {anyone, nil, 200},
	"POST /v1/instruments/{instrument}/score":         {anyone, `{"total":12}`, 200},
	"POST /v1/clients":                                {writers, `{"reference":"{new}"}`, 201},
	"GET /v1/clients":                                 {writers, nil, 200},
	"GET /v1/clients/{client_id}":                     {writers, nil, 200},
	"PATCH /v1/clients/{client_id}":                   {writers, `{"display_name":"{new}"}`, 200},
	"POST /v1/clients/{client_id}/courses":            {writers, `{"indication":"{new}","started_on":"2026-03-02"}`, 201},
	"GET /v1/clients/{client_id}/courses":             {writers, nil, 200},
	"GET /v1/courses/{course_id}":                     {writers, nil, 200},
	"PATCH /v1/courses/{course_id}":                   {writers, `{"goals":"{new}"}`, 200},
	"POST /v1/clients/{client_id}/sessions":           {writers, `{"kind":"dosing","started_at":"2026-03-10T15:00:00Z"}`, 201},
	"GET /v1/clients/{client_id}/sessions":            {writers, nil, 200},
	"GET /v1/sessions/{session_id}":                   {writers, nil, 200},
	"PATCH /v1/sessions/{session_id}":                 {writers, `{"ended_at":"2026-03-10T17:00:00Z"}`, 200},
	"POST /v1/clients/{client_id}/assessments":        {phones, `{"instrument":"phq-9","timing":"follow_up","completed_at":"2026-04-01T09:00:00Z","total":9}`, 201},
	"GET /v1/clients/{client_id}/assessments":         {writers, nil, 200},
	"GET /v1/assessments/{assessment_id}":             {writers, nil, 200},
	"PUT /v1/assessments/{assessment_id}":             {clinicians, `{"reason":"{new}"}`, 200},
	"POST /v1/assessments/{assessment_id}/retraction": {clinicians, `{"reason":"{new}"}`, 200},
	"GET /v1/assessments/{assessment_id}/versions":    {writers, nil, 200},
	"POST /v1/assessments/batch":                      {phones, `{"items":[{}]}`, 200},
	"GET /v1/clients/{client_id}/trajectory":          {phones, nil, 200},
	"GET /v1/clients/{client_id}/trajectory.png":      {phones, nil, 200},
	"GET /v1/clients/{client_id}/trajectory.svg":      {phones, nil, 200},
	"GET /v1/clients/{client_id}/trajectories":        {phones, nil, 200},
	"GET /v1/events":                                  {writers, nil, 200},
	"GET /v1/caseload":                                {clinicians, nil, 200},
	"GET /v1/settings/instruments":                    {clinicians, nil, 200},
	"PUT /v1/settings/instruments/{instrument}":       {admins, `{"change_rules":"ny-cocm"}`, 200},
	"GET /v1/clients/{client_id}/disclosures":         {clinicians, nil, 200},
	"GET /v1/clients/{client_id}/record":              {clinicians, nil, 200},
	"POST /v1/clients/{client_id}/erasure":            {admins, `{"reason":"client_request"}`, 200},
	"GET /v1/audit":                                   {admins, nil, 200},
	"POST /v1/keys":                                   {admins, `{"name":"{new}","role":"app"}`, 201},
	"GET /v1/keys":                                    {admins, nil, 200},
	"GET /v1/exports/{table}":                         {exporters, nil, 200},
	"GET /v1/exports/codebook":                        {exporters, nil, 200},
	"DELETE /v1/keys/{key_id}":                        {admins, nil, 204},

	"POST /v1/webhooks":                                             {admins, `{"url":"https://hooks.example.org/{new}"}`, 201},
	"GET /v1/webhooks":                                              {admins, nil, 200},
	"GET /v1/webhooks/{webhook_id}":                                 {admins, nil, 200},
	"PATCH /v1/webhooks/{webhook_id}":                               {admins, `{"name":"{new}"}`, 200},
	"DELETE /v1/webhooks/{webhook_id}":                              {admins, nil, 204},
	"POST /v1/webhooks/{webhook_id}/rotation":                       {admins, nil, 200},
	"POST /v1/webhooks/{webhook_id}/test":                           {admins, `{}`, 200},
	"POST /v1/webhooks/{webhook_id}/replay":                         {admins, `{"from":1}`, 200},
	"GET /v1/webhooks/{webhook_id}/deliveries":                      {admins, nil, 200},
	"POST /v1/webhooks/{webhook_id}/deliveries/{delivery_id}/retry": {admins, nil, 204},

	"POST /v1/snapshots":                      {exporters, `{"name":"{new}"}`, 201},
	"GET /v1/snapshots":                       {exporters, nil, 200},
	"GET /v1/snapshots/{snapshot_id}":         {exporters, nil, 200},
	"GET /v1/snapshots/{snapshot_id}/package": {exporters, nil, 200},

	"POST /v1/cohorts":            {scholars, `{"name":"{new}","filter":{"sex":["female"]}}`, 201},
	"GET /v1/cohorts":             {scholars, nil, 200},
	"GET /v1/cohorts/{cohort_id}": {scholars, nil, 200},
	"GET /v1/cohort/change":       {scholars, nil, 200},
	"GET /v1/cohort/recovery":     {scholars, nil, 200},
	"GET /v1/cohort/shift":        {scholars, nil, 200},
	"GET /v1/cohort/significance": {scholars, nil, 200},
	"GET /v1/cohort/item9":        {scholars, nil, 200},
	"GET /v1/cohort/flow":         {scholars, nil, 200},
	"GET /v1/cohort/survival":     {scholars, nil, 200},
	"GET /v1/cohort/sessions":     {scholars, nil, 200},
	"GET /v1/cohort/expected":     {scholars, nil, 200},
	"GET /v1/cohort/measures":     {scholars, nil, 200},

	"POST /v1/clients/{client_id}/consents":               {writers, `{"scope":"research","status":"granted","at":"2026-03-01T09:00:00Z","text_version":"{new}"}`, 201},
	"GET /v1/clients/{client_id}/consents":                {writers, nil, 200},
	"POST /v1/clients/{client_id}/corrections":            {writers, `{"target":"client","request":"{new}"}`, 201},
	"GET /v1/clients/{client_id}/corrections":             {writers, nil, 200},
	"GET /v1/alerts":                                      {clinicians, nil, 200},
	"GET /v1/alerts/{alert_id}":                           {clinicians, nil, 200},
	"POST /v1/alerts/{alert_id}/acknowledgement":          {clinicians, nil, 200},
	"POST /v1/alerts/{alert_id}/disposition":              {clinicians, `{"disposition":"referred"}`, 200},
	"POST /v1/alerts/{alert_id}/closure":                  {clinicians, nil, 200},
	"GET /v1/settings/alerts":                             {clinicians, nil, 200},
	"PUT /v1/settings/alerts":                             {admins, `{"chain":[{"after_minutes":5,"roles":["owner"]}]}`, 200},
	"POST /v1/corrections/{correction_id}/decision":       {clinicians, `{"status":"accepted"}`, 200},
	"GET /v1/clients/{client_id}/team":                    {clinicians, nil, 200},
	"PUT /v1/clients/{client_id}/team/{member_id}":        {admins, `{}`, 200},
	"DELETE /v1/clients/{client_id}/team/{member_id}":     {admins, nil, 204},
	"POST /v1/clients/{client_id}/access":                 {clinicians, `{"reason":"emergency"}`, 409}, // a conflict: they see every client already
	"GET /v1/clients/{client_id}/due-forms":               {phones, nil, 200},
	"GET /v1/settings/clinic":                             {clinicians, nil, 200},
	"PUT /v1/settings/clinic":                             {admins, `{"care_teams":false}`, 200},
	"GET /v1/settings/messages":                           {clinicians, nil, 200},
	"PUT /v1/settings/messages":                           {admins, `{"clinic_name":"{new}","by":"mail","quiet_from":"21:00","quiet_to":"08:00","reminders":["PT24H"]}`, 200},
	"GET /v1/clients/{client_id}/contact":                 {writers, nil, 200},
	"PUT /v1/clients/{client_id}/contact":                 {writers, `{"email":"{new}@client.example","opted_out":false}`, 200},
	"GET /v1/clients/{client_id}/messages":                {writers, nil, 200},
	"POST /v1/keys/{key_id}/rotation":                     {admins, `{}`, 201},
	"POST /v1/clients/{client_id}/tokens":                 {minters, `{}`, 201},
	"GET /v1/clients/{client_id}/tokens":                  {minters, nil, 200},
	"DELETE /v1/tokens/{token_id}":                        {minters, nil, 204},
	"POST /v1/accounts":                                   {admins, `{"email":"{new}@clinic.example","name":"N","role":"researcher"}`, 201},
	"GET /v1/accounts":                                    {admins, nil, 200},
	"GET /v1/accounts/{account_id}":                       {admins, nil, 200},
	"PATCH /v1/accounts/{account_id}":                     {admins, `{"name":"{new}"}`, 200},
	"POST /v1/accounts/{account_id}/password-reset":       {admins, nil, 200},
	"POST /v1/clients/{client_id}/merge":                  {admins, `{"duplicate_id":"{duplicate}","reason":"{new}"}`, 201},
	"GET /v1/clients/{client_id}/merges":                  {admins, nil, 200},
	"DELETE /v1/clients/{client_id}/merge/{duplicate_id}": {admins, nil, 204},
}

// TestAnotherClinicsIDsAreUnknownOnes asks for every route with another
// clinic's id in each place, and with one that nobody has: the answers do not
// differ, and nothing of the other clinic changes.
func TestAnotherClinicsIDsAreUnknownOnes(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		settle(s, s.Clinic)
		other := withMore(s, s.Other, settle(s, s.Other))
		nobody := ids{newID(), newID(), newID(), newID(), newID(), newID(), newID(), newID(), newID(), newID(), newID(), newID(), newID(), newID(), newID(), newID(), newID(), newID()}
		db := behind(t, s)
		before := dump(t, db)
		n := 0
		for _, route := range apiRoutes(t, s) {
			if !strings.Contains(route, "_id}") {
				continue
			}
			n++
			var answers [2]string
			for i, who := range []ids{other, nobody} {
				method, path := address(route, who)
				r := s.Do(method, path, fresh(may[route].body, who), "If-Match", `"1"`)
				if r.Status != http.StatusNotFound {
					t.Errorf("%s with a strange id: %d %s", route, r.Status, r.Body)
				}
				answers[i] = requestID.ReplaceAllString(string(r.Body), "")
			}
			same(t, route, answers[1], answers[0])
		}
		if n < 18 {
			t.Errorf("only %d routes have an id", n)
		}
		same(t, "the database", before, dump(t, db))
	})
}

// TestAnotherClinicsIDsInABodyAreUnknownOnes is the same for the places
// within a body, a batch and a query.
func TestAnotherClinicsIDsInABodyAreUnknownOnes(t *testing.T) {
	apitest.Each(t, func(t *testing.T, s *apitest.Server) {
		own, other := settle(s, s.Clinic), withMore(s, s.Other, settle(s, s.Other))
		put := fill(own, other)
		db := behind(t, s)
		elsewhere := func() []string { return ofClinic(dump(t, db), s.Other) }
		before := elsewhere()
		form := `"instrument":"phq-9","completed_at":"2026-03-01T09:00:00Z","total":9`
		for _, c := range []struct{ ask, body string }{
			{postAssessment, `{"timing":"before","session_id":"{other.session}",` + form + `}`},
			{"POST /v1/assessments/batch", `{"items":[{"client_id":"{other.client}","timing":"baseline",` + form + `}]}`},
			{"POST /v1/assessments/batch", `{"items":[{"client_id":"{client}","timing":"after","session_id":"{other.session}",` + form + `}]}`},
			{amend, `{"timing":"before","session_id":"{other.session}","reason":"x"}`},
			{postSession, `{"kind":"dosing","started_at":"2026-03-10T15:00:00Z","course_id":"{other.course}"}`},
			{patchSession, `{"course_id":"{other.course}"}`},
			{"POST /v1/clients/{client}/corrections", `{"target":"session","target_id":"{other.session}","request":"x"}`},
			{"POST /v1/clients/{client}/corrections", `{"target":"course","target_id":"{other.course}","request":"x"}`},
			{"POST /v1/clients/{client}/corrections", `{"target":"assessment","target_id":"{other.assessment}","request":"x"}`},
			{"POST /v1/clients/{client}/merge", `{"duplicate_id":"{other.client}","reason":"x"}`},
			{"DELETE /v1/clients/{client}/merge/{other.merged}", ""},
			{"PUT /v1/clients/{client}/team/{other.account}", `{}`},
			{"DELETE /v1/clients/{client}/team/{other.account}", ""},
			{"GET /v1/audit?client_id={other.client}", ""},
			{"GET /v1/audit?actor={other.key}", ""},
			{"PUT /v1/clients/{client}/team/{other.key}", `{}`},
			{"DELETE /v1/clients/{client}/team/{other.key}", ""},
			{"GET /v1/clients/{client}/trajectory?instrument=phq-9&course_id={other.course}", ""},
			{"GET /v1/clients/{client}/assessments?session_id={other.session}", ""},
			{"GET /v1/exports/assessments?cohort={other.cohort}", ""},
			{"GET /v1/exports/sessions?profile=identified&course_id={other.course}", ""},
			{"GET /v1/cohort/flow?instrument=phq-9&cohort={other.cohort}", ""},
			{"GET /v1/cohort/measures?cohort={other.cohort}", ""},
			{"POST /v1/snapshots", `{"name":"theirs","cohort":"{other.cohort}"}`},
		} {
			var answers [2]string
			for i, text := range []string{c.ask + "\n" + c.body, regexp.MustCompile(`\{other\.\w+\}`).ReplaceAllString(c.ask+"\n"+c.body, "{unknown}")} {
				ask, body, _ := strings.Cut(put.Replace(text), "\n")
				method, path, _ := strings.Cut(ask, " ")
				var sent any
				if body != "" {
					sent = body
				}
				r := s.Do(method, path, sent, "If-Match", `"1"`)
				answers[i] = requestID.ReplaceAllString(string(r.Body), "")
			}
			same(t, c.ask, answers[1], answers[0])
		}
		same(t, "the other clinic", before, elsewhere())
	})
}

// ofClinic are the rows that name a clinic.
func ofClinic(tables map[string][]string, clinic apitest.Clinic) []string {
	var rows []string
	for _, table := range slices.Sorted(maps.Keys(tables)) {
		for _, row := range tables[table] {
			if strings.Contains(row, clinic.Who.Clinic.String()) {
				rows = append(rows, row)
			}
		}
	}
	return rows
}

var requestID = regexp.MustCompile(`"request_id":"[^"]*"`)

func apiRoutes(t *testing.T, s *apitest.Server) []string {
	t.Helper()
	return slices.DeleteFunc(routes(t, s), func(r string) bool { return !strings.Contains(r, " /v1/") })
}

// ofInstrument are the routes that want to know the instrument.
var ofInstrument = regexp.MustCompile(`/trajectory(\.svg|\.png)?$|/cohort/(change|shift|flow|survival|sessions|expected)$`)

// address puts ids into a route.
func address(route string, n ids) (method, path string) {
	switch { // one that is where the step begins
	case strings.HasSuffix(route, "/disposition"):
		n.alert = n.acknowledged
	case strings.HasSuffix(route, "/closure"):
		n.alert = n.actioned
	}
	method, path, _ = strings.Cut(strings.NewReplacer(
		"{client_id}", n.client, "{course_id}", n.course, "{session_id}", n.session,
		"{assessment_id}", n.assessment, "{key_id}", n.key, "{token_id}", n.token, "{account_id}", n.account, "{instrument}", "phq-9",
		"{cohort_id}", n.cohort, "{snapshot_id}", n.snapshot, "{correction_id}", n.correction, "{member_id}", n.key, "{duplicate_id}", n.merged,
		"{webhook_id}", n.webhook, "{alert_id}", n.alert, "{delivery_id}", n.delivery, "{table}", "assessments",
	).Replace(route), " ")
	if method == http.MethodDelete && strings.HasPrefix(path, "/v1/webhooks/") {
		path = "/v1/webhooks/" + n.doomed
	}
	if ofInstrument.MatchString(path) {
		path += "?instrument=phq-9"
	}
	if path == "/v1/events" {
		path += "?after=0&follow=false&types=client.recorded"
	}
	if strings.HasSuffix(path, "/cohort/significance") {
		path = bySignificance
	}
	return method, path
}

// fresh puts something new into a body, and what it names of a client.
func fresh(body any, n ids) any {
	if text, isText := body.(string); isText {
		return strings.NewReplacer("{new}", newID(), "{duplicate}", n.duplicate).Replace(text)
	}
	return body
}
