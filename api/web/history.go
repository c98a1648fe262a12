package web

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/api/cursor"
	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
)

// entriesOnAPage is how many entries a page of the history holds.
const entriesOnAPage = 50

// historyData is what was done with a client's record.
type historyData struct {
	Client  about
	Whole   bool // the audit trail; else the occasions on which the record was shown
	Entries []entryRow
	Altered []alteredRow // assessments that were amended or retracted
	Next    string       // where the next page is; empty on the last
	First   string       // where the first page is; empty on it
}

// entryRow is what somebody did at once: the entries of one request.
type entryRow struct {
	At   time.Time // in the client's zone
	Who  string
	Acts []actRow
}

// actRow is one entry of the trail.
type actRow struct {
	Did     string
	Refused bool
	Path    string // of what it is about; empty: nothing with a page
	Reason  string
	Changes []changeRow
	Clients int // how many clients were shown at once
}

// changeRow is a field that was changed. Of private ones the name alone is told.
type changeRow struct {
	Field, Before, After string
	Private              bool
}

// alteredRow is an assessment that is not as it was first stored.
type alteredRow struct {
	Path, Instrument string
	At               time.Time
	Versions         int
	Retracted        bool
	RecordedAt       time.Time
	Reason           string
}

// looksBack reports whether who is signed in may see anything of a history.
func (v *visit) looksBack() bool {
	return v.who.May(auth.ReadAudit) || v.who.May(auth.ReadDisclosures)
}

// history shows what was done with a client's record: by whom it was changed
// and seen, or, for who may not read the audit trail, to whom it was shown.
func (s *Site) history(v *visit) error {
	client, err := v.theClient()
	if err != nil {
		return err
	}
	path := "/clients/" + client.ID.String() + "/history"
	data := historyData{Client: aboutClient(client), Whole: v.who.May(auth.ReadAudit)}
	list := "history " + client.ID.String()
	page := care.Page{Limit: entriesOnAPage + 1}
	if after := v.QueryParam("after"); after != "" {
		if page.After, err = cursor.Parse(list, after); err != nil {
			return err
		}
		data.First = path
	} else if data.Altered, err = v.altered(client); err != nil {
		return err
	}
	entries, err := v.trail(client, data.Whole, page)
	if err != nil {
		return err
	}
	if len(entries) > entriesOnAPage { // one more than is shown
		entries = entries[:entriesOnAPage]
		last := entries[len(entries)-1]
		data.Next = path + "?" + url.Values{"after": {cursor.Format(list, care.Position{Time: last.At, ID: last.ID})}}.Encode()
	}
	if data.Entries, err = v.entryRows(entries, client.Zone()); err != nil {
		return err
	}
	return v.render("history", view{Title: "History", Data: data})
}

// trail reads what concerns a client.
func (v *visit) trail(client care.Client, whole bool, page care.Page) ([]care.Disclosure, error) {
	if !whole {
		return v.site.Care.Disclosures(v.ctx(), v.who, client.ID, page)
	}
	found, err := v.site.Care.Audit(v.ctx(), v.who, care.EntryFilter{Clients: []uuid.UUID{client.ID}}, page)
	out := make([]care.Disclosure, len(found))
	for i, e := range found {
		out[i].TrailEntry = e
	}
	return out, err
}

// namesIn are the names of who did what entries tell of.
func (v *visit) namesIn(entries []care.Disclosure) (map[uuid.UUID]auth.Personal, error) {
	actors := map[uuid.UUID]bool{}
	for _, e := range entries {
		actors[e.Actor] = true
	}
	return v.site.Keys.NamesOf(v.ctx(), v.who, slices.Collect(maps.Keys(actors)))
}

// entryRows are entries as a page shows them, in a time zone.
func (v *visit) entryRows(entries []care.Disclosure, in *time.Location) ([]entryRow, error) {
	names, err := v.namesIn(entries)
	if err != nil {
		return nil, err
	}
	t := v.tongue()
	var out []entryRow
	for i, e := range entries {
		if i == 0 || e.Request == "" || e.Request != entries[i-1].Request || e.Actor != entries[i-1].Actor {
			out = append(out, entryRow{At: e.At.In(in), Who: t.actor(e.Entry, string(names[e.Actor]))})
		}
		row := &out[len(out)-1]
		row.Acts = append(row.Acts, t.actRow(e))
	}
	return out, nil
}

// actRow is an entry in words.
func (t tongue) actRow(e care.Disclosure) actRow {
	row := actRow{Did: t.act(e.Action), Refused: e.Outcome != audit.Done, Path: pathOf(e.Entry), Reason: e.Details.Reason, Clients: e.Clients}
	for _, c := range e.Details.Changes {
		change := changeRow{Field: strings.ReplaceAll(c.Field, "_", " "), Private: c.Before == nil && c.After == nil}
		if c.Before != nil {
			change.Before = *c.Before
		}
		if c.After != nil {
			change.After = *c.After
		}
		row.Changes = append(row.Changes, change)
	}
	return row
}

// pathOf is the page of what an entry is about.
func pathOf(e audit.Entry) string {
	if e.Target == "assessment" && e.TargetID != uuid.Nil {
		return "/assessments/" + e.TargetID.String()
	}
	return ""
}

// altered lists the assessments of a client that were amended or retracted.
func (v *visit) altered(client care.Client) ([]alteredRow, error) {
	if !v.who.May(auth.ReadAssessments, auth.ReadInstruments) {
		return nil, nil
	}
	defs, err := v.site.Care.InstrumentDefinitions(v.ctx(), v.who)
	if err != nil {
		return nil, err
	}
	all, err := v.site.Care.Assessments(v.ctx(), v.who, client.ID, care.AssessmentFilter{Retracted: true}, everySession)
	var out []alteredRow
	for _, a := range slices.Backward(all) {
		if a.Version > 1 || a.Retracted {
			out = append(out, alteredRow{
				Path: "/assessments/" + a.ID.String(), Instrument: titleOf(defs, a.Instrument), At: a.CompletedAt.In(client.Zone()),
				Versions: a.Version, Retracted: a.Retracted, RecordedAt: a.RecordedAt.In(client.Zone()), Reason: string(a.Reason),
			})
		}
	}
	return out, err
}

// actor says who did something: by name, or by what they are.
func (t tongue) actor(e audit.Entry, name string) string {
	if name != "" {
		return name
	}
	for _, o := range actorKinds {
		if o.Value == e.ActorKind {
			return t.T(o.Label)
		}
	}
	return e.ActorKind
}

var actorKinds = []option{
	{Value: audit.ActorAccount, Label: "An account without a name"},
	{Value: audit.ActorKey, Label: "A program, by its key"},
	{Value: audit.ActorToken, Label: "The client's own phone"},
	{Value: audit.ActorOperator, Label: "Somebody at the server's command line"},
	{Value: audit.ActorSystem, Label: "Protrack itself"},
	{Value: audit.ActorNobody, Label: "Nobody known"},
}

// act words an action such as assessment.amend; a part that has no words stands
// as it is written.
func (t tongue) act(action string) string {
	noun, verb, _ := strings.Cut(action, ".")
	say := func(all []option, code string) string {
		for _, o := range all {
			if o.Value == code {
				return t.T(o.Label)
			}
		}
		return strings.ReplaceAll(code, "_", " ")
	}
	return say(actNouns, noun) + ": " + say(actVerbs, verb)
}

var actNouns = []option{
	{Value: "client", Label: "Client"}, {Value: "course", Label: "Course"}, {Value: "session", Label: "Session"},
	{Value: "assessment", Label: "Assessment"}, {Value: "trajectory", Label: "Trajectory"}, {Value: "consent", Label: "Consent"},
	{Value: "correction", Label: "Request for correction"}, {Value: "care_team", Label: "Care team"}, {Value: "merge", Label: "Merged record"},
	{Value: "due_form", Label: "Forms that are due"}, {Value: "disclosure", Label: "Disclosures"}, {Value: "audit", Label: "Audit trail"},
	{Value: "record", Label: "Whole record"}, {Value: "erasure", Label: "Erasure"}, {Value: "token", Label: "Token of the client's phone"},
	{Value: "export", Label: "Export"}, {Value: "caseload", Label: "Caseload"}, {Value: "agenda", Label: "Sessions of a day"},
	{Value: "alert", Label: "Alert"}, {Value: "alerts", Label: "Choice for alerts"},
	{Value: "permission", Label: "Permission"}, {Value: "off_track", Label: "Off-track list"},
	{Value: "account", Label: "Account"}, {Value: "key", Label: "Key"}, {Value: "sign_in", Label: "Sign-in"},
	{Value: "clinic", Label: "Clinic"}, {Value: "setting", Label: "Choice for a questionnaire"}, {Value: "cohort", Label: "Cohort"},
	{Value: "snapshot", Label: "Snapshot"}, {Value: "project", Label: "Project"}, {Value: "progress", Label: "Standings of all clients"},
}

var actVerbs = []option{
	{Value: "create", Label: "added"}, {Value: "update", Label: "changed"}, {Value: "read", Label: "seen"}, {Value: "list", Label: "list seen"},
	{Value: "amend", Label: "amended"}, {Value: "retract", Label: "retracted"}, {Value: "history", Label: "versions seen"},
	{Value: "download", Label: "downloaded"}, {Value: "export", Label: "exported"}, {Value: "erase", Label: "erased"},
	{Value: "merge", Label: "merged"}, {Value: "unmerge", Label: "merge undone"}, {Value: "assign", Label: "assigned"},
	{Value: "dismiss", Label: "dismissed"}, {Value: "break_glass", Label: "access broken open for a reason"},
	{Value: "decide", Label: "decided"}, {Value: "mint", Label: "made"}, {Value: "revoke", Label: "revoked"}, {Value: "refused", Label: "refused"},
	{Value: "acknowledge", Label: "somebody looks after it"}, {Value: "action", Label: "acted on"}, {Value: "close", Label: "closed"}, {Value: "escalate", Label: "told to the next in the chain"},
	{Value: "use", Label: "used"}, {Value: "figures", Label: "figures seen"},
	{Value: "done", Label: "done"}, {Value: "choose", Label: "chosen"}, {Value: "rotate", Label: "replaced"}, {Value: "rebuild", Label: "computed anew"},
	{Value: "set_up", Label: "set up"}, {Value: "set_password", Label: "password changed"}, {Value: "reset_password", Label: "password replaced"},
	{Value: "enrol_totp", Label: "second factor begun"}, {Value: "confirm_totp", Label: "second factor on"},
	{Value: "remove_totp", Label: "second factor off"}, {Value: "new_recovery_codes", Label: "new recovery codes"},
}
