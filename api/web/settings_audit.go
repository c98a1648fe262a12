package web

import (
	"encoding/hex"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/protrack/protrack/api/cursor"
	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

const (
	auditPath = settingsPath + "/audit"
	auditList = "audit"
)

// auditData is a page of the clinic's audit trail.
type auditData struct {
	Tabs             []place
	Actors, Outcomes []option
	Entries          []auditRow
	Narrowed         bool
	First, Next      string
}

// auditRow is one entry.
type auditRow struct {
	At                                     time.Time // in UTC
	Who                                    string
	Act                                    actRow
	Action, Role, Address, Request, Client string
	Notes                                  []string
	Seq                                    *int64
	Hash                                   string // the first characters; empty: not sealed yet
	Details                                int    // how many changes and notes there are
}

var outcomeChoices = []option{
	{Value: "", Label: "Done or refused"},
	{Value: string(audit.Done), Label: "Done"}, {Value: string(audit.Refused), Label: "Refused"},
}

// auditTrail shows what was done, tried and refused in the clinic.
func (s *Site) auditTrail(v *visit) error {
	asked := given(v.QueryParams())
	page := view{Title: "Settings", Form: form{values: asked}}
	data := auditData{Tabs: v.tabs(), Outcomes: outcomeChoices, Narrowed: len(asked) > 0}
	filter, at, err := auditAsked(asked)
	if err != nil {
		return err
	}
	entries, err := s.Care.Audit(v.ctx(), v.who, filter, at)
	if err != nil {
		return err
	}
	if at.After.ID != uuid.Nil {
		rest := cloneValues(asked)
		rest.Del("after")
		data.First, data.Narrowed = auditPath+"?"+rest.Encode(), len(rest) > 0
	}
	if len(entries) > rowsOnAPage {
		entries = entries[:rowsOnAPage]
		last, more := entries[rowsOnAPage-1], cloneValues(asked)
		more.Set("after", cursor.Format(auditList, care.Position{Time: last.At, ID: last.ID}))
		data.Next = auditPath + "?" + more.Encode()
	}
	if data.Entries, err = v.auditRows(entries); err != nil {
		return err
	}
	if data.Actors, err = v.actors(asked.Get("actor")); err != nil {
		return err
	}
	page.Data = data
	return v.render("settings_audit", page)
}

// auditAsked reads what of the trail is asked for.
func auditAsked(asked url.Values) (care.EntryFilter, care.Page, error) {
	filter := care.EntryFilter{Action: asked.Get("action"), Outcome: audit.Outcome(asked.Get("outcome"))}
	page := care.Page{Limit: rowsOnAPage + 1}
	wrong := fault.New(fault.Invalid, "There is no such part of the audit trail.")
	if filter.Outcome != "" && filter.Outcome != audit.Done && filter.Outcome != audit.Refused {
		return filter, page, wrong
	}
	if !utf8.ValidString(filter.Action) || strings.ContainsRune(filter.Action, 0) {
		return filter, page, wrong
	}
	for field, into := range map[string]func(uuid.UUID){
		"actor": func(id uuid.UUID) { filter.Actor = &id }, "client_id": func(id uuid.UUID) { filter.Clients = []uuid.UUID{id} },
	} {
		if text := asked.Get(field); text != "" {
			id, ok := pathUUID(text)
			if !ok {
				return filter, page, wrong
			}
			into(id)
		}
	}
	for field, into := range map[string]**time.Time{"from": &filter.From, "to": &filter.To} {
		if text := asked.Get(field); text != "" {
			day, err := time.Parse(dateLayout, text)
			if err != nil {
				return filter, page, wrong.Because(err)
			}
			*into = &day
		}
	}
	var err error
	if after := asked.Get("after"); after != "" {
		page.After, err = cursor.Parse(auditList, after)
	}
	return filter, page, err
}

// auditRows are entries as the page shows them, in UTC.
func (v *visit) auditRows(entries []care.TrailEntry) ([]auditRow, error) {
	shown := make([]care.Disclosure, len(entries))
	for i, e := range entries {
		shown[i].TrailEntry = e
		if n := e.Details.Count; n != nil && e.Details.Clients != "" {
			shown[i].Clients = *n
		}
	}
	names, err := v.namesIn(shown)
	if err != nil {
		return nil, err
	}
	t := v.tongue()
	out := make([]auditRow, len(entries))
	for i, e := range entries {
		out[i] = auditRow{
			At: e.At.UTC(), Who: t.actor(e.Entry, string(names[e.Actor])), Act: t.actRow(shown[i]),
			Action: e.Action, Role: e.Role, Address: e.Address, Request: e.Request, Seq: e.Seq,
		}
		if e.Client != uuid.Nil && v.who.May(auth.ReadClients) {
			out[i].Client = "/clients/" + e.Client.String()
		}
		if len(e.Hash) > 0 {
			out[i].Hash = hex.EncodeToString(e.Hash)[:12]
		}
		for _, name := range slices.Sorted(maps.Keys(e.Details.Note)) {
			out[i].Notes = append(out[i].Notes, strings.ReplaceAll(name, "_", " ")+": "+e.Details.Note[name])
		}
		out[i].Details = len(out[i].Notes) + len(out[i].Act.Changes)
	}
	return out, nil
}

// mostActors is how many people the trail can be narrowed to by name.
const mostActors = 200

// actors are the people of whom the trail can be asked, and who was asked of.
func (v *visit) actors(asked string) ([]option, error) {
	out := []option{{Value: "", Label: "Everybody"}}
	if v.who.May(auth.ManageAccounts) {
		accounts, err := v.site.Keys.Accounts(v.ctx(), v.who, uuid.Nil, mostActors)
		if err != nil {
			return nil, err
		}
		for _, a := range accounts {
			out = append(out, option{Value: a.ID.String(), Label: string(a.Name)})
		}
	}
	if asked != "" && !slices.ContainsFunc(out, func(o option) bool { return o.Value == asked }) {
		out = append(out, option{Value: asked, Label: asked})
	}
	return out, nil
}
