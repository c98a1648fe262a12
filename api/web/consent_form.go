package web

import (
	"github.com/protrack/protrack/pkg/care"
)

// consentFormData is the form of what a client said about one scope.
type consentFormData struct {
	Client           about
	Scopes, Statuses []option
}

// scopes are the choices of what a client agrees to.
var scopes = []option{
	{Value: string(care.ForCare), Label: "To be treated here, and to a record of it"},
	{Value: string(care.ForResearch), Label: "That the record serves research"},
	{Value: string(care.ForContact), Label: "To be written to and called"},
	{Value: string(care.ForDataSharing), Label: "That others are given the record"},
}

// statuses are the choices of what was said.
var statuses = []option{
	{Value: string(care.Granted), Label: "The client agrees"},
	{Value: string(care.Withdrawn), Label: "The client does not agree, or no longer"},
}

func consentView(client care.Client) view {
	return view{Title: "Record a consent", Data: consentFormData{Client: aboutClient(client), Scopes: scopes, Statuses: statuses}}
}

// newConsent shows the form of a consent that is given now.
func (s *Site) newConsent(v *visit) error {
	client, err := v.theClient()
	if err == nil {
		err = v.who.Require(writeConsents...)
	}
	if err != nil {
		return err
	}
	page := consentView(client)
	page.Form = formOf("id", s.Care.NewID().String(), "at", s.Now().In(zone(client.TimeZone)).Format(dateTimeLayout))
	return v.render("consent_form", page)
}

// recordConsent stores what a client said, once.
func (s *Site) recordConsent(v *visit) error {
	client, err := v.theClient()
	if err != nil {
		return err
	}
	r := v.reading()
	in := care.Consent{
		ID: r.id(), ClientID: client.ID, Scope: care.ConsentScope(v.typed("scope")), Status: care.ConsentStatus(v.typed("status")),
		At: r.at("at", zone(client.TimeZone), nil), TextVersion: r.line("text_version", 100),
	}
	if err = r.err(s.Care.CheckConsent(in)); err == nil {
		_, _, err = s.Care.RecordConsent(v.ctx(), v.who, in)
	}
	if err != nil {
		return v.again("consent_form", consentView(client), spoken(err))
	}
	return r.done("/clients/"+client.ID.String(), "The consent was recorded.")
}
