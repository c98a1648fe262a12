package web

import (
	"time"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// retractData is an assessment that somebody is about to retract.
type retractData struct {
	Client     about
	ID         string
	Instrument string
	When       string
	At         time.Time
	Total      *float64
}

// retractView is the page of a retraction.
func (v *visit) retractView() (view, care.Assessment, error) {
	a, client, err := v.theAssessment()
	if err != nil {
		return view{}, a, err
	}
	sh, err := v.sheetFor(client, a.Instrument)
	if err != nil {
		return view{}, a, err
	}
	sh.stored = &a
	data := retractData{
		Client: aboutClient(client), ID: a.ID.String(), Instrument: sh.def.Title, When: sh.whenWords(v.tongue()),
		At: a.CompletedAt.In(zone(client.TimeZone)), Total: a.Score.Total,
	}
	return view{Title: "Retract an assessment", Data: data}, a, nil
}

// whenWords says when the stored assessment was taken.
func (sh *sheet) whenWords(t tongue) string {
	when := sh.form().Value("when")
	for _, o := range sh.whens(t) {
		if o.Value == when {
			return o.Label
		}
	}
	timing, _ := splitWhen(when)
	return timing
}

// retractForm asks for the reason of a retraction.
func (s *Site) retractForm(v *visit) error {
	page, a, err := v.retractView()
	if err == nil {
		err = v.who.Require(amendAssessments...)
	}
	if err != nil {
		return err
	}
	if a.Retracted {
		return errRetracted
	}
	page.Form = formOf().showing(a.Version)
	return v.render("retract", page)
}

// retract marks an assessment as not to be counted.
func (s *Site) retract(v *visit) error {
	page, a, err := v.retractView()
	if err != nil {
		return err
	}
	r := v.reading()
	reason, revision := care.Private(r.text("reason", 1000)), r.revision()
	var missing []fault.Detail
	if reason == "" {
		missing = []fault.Detail{{Pointer: "/reason", Code: "required", Message: "A reason is needed and is kept."}}
	}
	if err = r.err(missing); err == nil {
		_, err = s.Care.Retract(v.ctx(), v.who, a.ID, reason, &revision)
	}
	if fault.Is(err, fault.Stale) {
		// The page shows what is stored now: that is what would be retracted.
		page.Form = form{values: v.sent().values}.showing(a.Version)
		return v.again("retract", page, fault.New(fault.Stale, "Somebody changed this assessment while you were at it. Look at what it says now before you retract it."))
	}
	if err != nil {
		return v.again("retract", page, err)
	}
	return v.done("/clients/"+a.ClientID.String(), "The assessment was retracted. It is kept, and counts no more.")
}
