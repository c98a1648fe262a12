package web

import (
	"strings"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// breakGlassData is the form of access to a client of others. It tells nothing
// of the client, not even whether there is one.
type breakGlassData struct {
	Path    string
	Reasons []option
	Hours   int // that the access lasts
}

// reasons are the choices of why somebody needs to see a client of others.
var reasons = []option{
	{Value: string(care.ForEmergency), Label: "An emergency"},
	{Value: string(care.ForCover), Label: "Standing in for a colleague"},
	{Value: string(care.ForSupervision), Label: "Supervision"},
	{Value: string(care.ForRecordsRequest), Label: "A request for records"},
	{Value: string(care.ForOther), Label: "Another reason, which the note says"},
}

// breaksGlass reports whether who is signed in can come to need it: they see
// the clients of their care teams only.
func (v *visit) breaksGlass() bool {
	return v.who.Reach == auth.AssignedClients && v.who.May(auth.BreakGlass)
}

func (v *visit) breakGlassView() view {
	return view{Title: "Access to a client of others", Narrow: true, Data: breakGlassData{
		Path: v.Request().URL.Path, Reasons: reasons, Hours: int(care.BreakGlassFor.Hours()),
	}}
}

// askAccess shows the form of break-glass access, to who may come to need it.
func (s *Site) askAccess(v *visit) error {
	id, err := v.pathID("client_id")
	if err != nil {
		return err
	}
	if !v.breaksGlass() {
		return v.redirect("/clients/" + id.String())
	}
	return v.render("break_glass", v.breakGlassView())
}

// breakGlass gives access to a client of others for a while.
func (s *Site) breakGlass(v *visit) error {
	id, err := v.pathID("client_id")
	if err != nil {
		return err
	}
	r := v.reading()
	reason, note := care.BreakGlassReason(v.typed("reason")), care.Private(r.text("note", 1000))
	if err = r.err(s.Care.CheckBreakGlass(reason, note)); err == nil {
		_, err = s.Care.BreakGlass(v.ctx(), v.who, id, reason, note)
	}
	if fault.Is(err, fault.Conflict) {
		return v.done("/clients/"+id.String(), "You see this client already.")
	}
	if err != nil {
		return v.again("break_glass", v.breakGlassView(), err)
	}
	return v.done("/clients/"+id.String(), "You see this client for four hours. The reason stands in the audit trail.")
}

// glassPath is where somebody can ask for access to the client whose page they
// were refused; empty where they cannot, or the page is of no client. It is the
// same whether or not there is such a client.
func (v *visit) glassPath(err error) string {
	if !fault.Is(err, fault.NotFound) || !v.breaksGlass() {
		return ""
	}
	rest, ok := strings.CutPrefix(v.Request().URL.Path, "/clients/")
	if !ok {
		return ""
	}
	first, after, _ := strings.Cut(rest, "/")
	if _, ok := pathUUID(first); !ok || after == "break-glass" {
		return ""
	}
	return "/clients/" + first + "/break-glass"
}
