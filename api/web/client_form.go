package web

import (
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
)

// about names the client whom a page is about.
type about struct {
	ID, Reference, Name string
	Zone                string // in which the page shows and reads times
	ZoneKnown           bool   // it is the client's own; else UTC stands in
}

// aboutClient is what pages of entry say of a client.
func aboutClient(c care.Client) about {
	return about{
		ID: c.ID.String(), Reference: string(c.Reference), Name: string(c.DisplayName),
		Zone: zone(c.TimeZone).String(), ZoneKnown: c.TimeZone != "",
	}
}

// path is the page of the client.
func (a about) path() string { return "/clients/" + a.ID }

// pathID is the id that a part of the path names.
func (v *visit) pathID(part string) (uuid.UUID, error) {
	id, ok := pathUUID(v.Param(part))
	if !ok {
		return uuid.Nil, fault.New(fault.NotFound, "There is no such page.")
	}
	return id, nil
}

// theClient reads the client that the path names.
func (v *visit) theClient() (care.Client, error) {
	id, err := v.pathID("client_id")
	if err != nil {
		return care.Client{}, err
	}
	return v.site.Care.Client(v.ctx(), v.who, id)
}

// nameOf is by what name a page speaks of who did something; empty where it is
// none of the clinic's people.
func (v *visit) nameOf(actor uuid.UUID) (string, error) {
	name, err := v.site.Keys.NameOf(v.ctx(), v.who, actor)
	return string(name), err
}

// sexes are the choices of a client's sex, as instruments ask for it.
var sexes = []option{
	{Value: "", Label: "Not recorded"},
	{Value: string(instrument.Female), Label: "Female"},
	{Value: string(instrument.Male), Label: "Male"},
	{Value: string(instrument.Other), Label: "Other"},
	{Value: string(instrument.Unknown), Label: "Unknown"},
}

// worded gives options their words in a language.
func (t tongue) worded(options []option) []option {
	out := make([]option, len(options))
	for i, o := range options {
		out[i] = option{Value: o.Value, Label: t.T(o.Label)}
	}
	return out
}

// clientFormData is the form of a client, new or known.
type clientFormData struct {
	Client about // empty: a new one
	Sexes  []option
	Zones  []string
	Year   int // this one
	Outrun *outrun
}

func (v *visit) clientFormView(title string, client about) (view, clientFormData) {
	data := clientFormData{Client: client, Sexes: sexes, Zones: zones, Year: v.site.Now().Year()}
	return view{Title: title, Data: data}, data
}

// clientForm is a client as the fields show it.
func clientForm(c care.Client) form {
	return formOf("reference", string(c.Reference), "display_name", string(c.DisplayName), "birth_year", digits(c.BirthYear),
		"sex", string(c.Sex), "time_zone", c.TimeZone)
}

// digits is a number as a field shows it; nothing is nothing.
func digits(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

// client reads the fields of a client.
func (r *reading) client() care.Client {
	return care.Client{
		Reference: care.Private(r.line("reference", 100)), DisplayName: care.Private(r.line("display_name", 200)),
		BirthYear: r.whole("birth_year", 0, 9999), Sex: instrument.Sex(r.v.typed("sex")), TimeZone: r.line("time_zone", 64),
	}
}

// newClient shows the form of a new client.
func (s *Site) newClient(v *visit) error {
	if err := v.who.Require(writeClients...); err != nil {
		return err
	}
	page, _ := v.clientFormView("New client", about{})
	page.Form = formOf("id", s.Care.NewID().String())
	return v.render("client_form", page)
}

// addClient stores a new client, once.
func (s *Site) addClient(v *visit) error {
	page, _ := v.clientFormView("New client", about{})
	r := v.reading()
	in := r.client()
	in.ID = r.id()
	err := r.err(s.Care.CheckClient(in))
	if err == nil || !v.who.May(writeClients...) { // the service refuses, and notes it
		_, _, err = s.Care.CreateClient(v.ctx(), v.who, in)
	}
	if fault.Is(err, fault.Forbidden) {
		return err
	}
	if err != nil {
		return v.again("client_form", page, spoken(err))
	}
	return v.done("/clients/"+in.ID.String(), "The client was added.")
}

// editClient shows the form of a client.
func (s *Site) editClient(v *visit) error {
	c, err := v.theClient()
	if err == nil {
		err = v.who.Require(writeClients...)
	}
	if err != nil {
		return err
	}
	page, _ := v.clientFormView("Change the client", aboutClient(c))
	page.Form = clientForm(c).showing(c.Version)
	return v.render("client_form", page)
}

// changeClient stores a client's new content.
func (s *Site) changeClient(v *visit) error {
	c, err := v.theClient()
	if err != nil {
		return err
	}
	page, data := v.clientFormView("Change the client", aboutClient(c))
	r := v.reading()
	in, revision := r.client(), r.revision()
	in.ID = c.ID
	if err = r.err(s.Care.CheckClient(in)); err == nil {
		_, err = s.Care.UpdateClient(v.ctx(), v.who, in, revision)
	}
	if fault.Is(err, fault.Stale) {
		if c, err = v.theClient(); err != nil {
			return err
		}
		t := v.tongue()
		if page.Form, data.Outrun, err = v.outrun(clientForm(c), c.Revision, time.UTC, "", []compared{
			{Field: "reference", Label: t.T("Reference")}, {Field: "display_name", Label: t.T("Name")},
			{Field: "birth_year", Label: t.T("Year of birth")}, {Field: "sex", Label: t.T("Sex"), Words: t.worded(sexes)},
			{Field: "time_zone", Label: t.T("Time zone")},
		}); err != nil {
			return err
		}
		page.Data = data
		return v.again("client_form", page, errOutrun)
	}
	if err != nil {
		return v.again("client_form", page, spoken(err))
	}
	return v.done(data.Client.path(), "The client was changed.")
}
