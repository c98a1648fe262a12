package rest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/mail"
)

// ContactRequest is where a client reads mail.
type ContactRequest struct {
	Email    string `json:"email,omitempty" validate:"max=254,line" example:"ana@example.org"`
	OptedOut *bool  `json:"opted_out" validate:"required"` // true: no message is sent
} //	@name	ContactRequest

func (r ContactRequest) toCare(client uuid.UUID) care.Contact {
	c := care.Contact{ClientID: client, Email: mail.Address(r.Email)}
	if r.OptedOut != nil {
		c.OptedOut = *r.OptedOut
	}
	return c
}

// Contact is where a client reads mail, as it is stored.
type Contact struct {
	ClientID  uuid.UUID  `json:"client_id" swaggertype:"string" format:"uuid"`
	Email     string     `json:"email"`
	OptedOut  bool       `json:"opted_out"`
	UpdatedAt *time.Time `json:"updated_at" format:"date-time" extensions:"x-nullable"` // null: nothing was said
} //	@name	Contact

func contactFromCare(c care.Contact) Contact {
	out := Contact{ClientID: c.ClientID, Email: string(c.Email), OptedOut: c.OptedOut}
	if !c.UpdatedAt.IsZero() {
		out.UpdatedAt = &c.UpdatedAt
	}
	return out
}

// getContact tells where a client reads mail.
//
//	@Summary	Get where a client reads mail
//	@Tags		messages
//	@Produce	json
//	@Param		client_id	path		string	true	"Client"	format(uuid)
//	@Success	200			{object}	Contact
//	@Failure	401,403,404,410,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/clients/{client_id}/contact [get]
func (h *Handlers) getContact(c echo.Context, who auth.Principal) error {
	client, err := pathID(c, "client_id")
	if err != nil {
		return err
	}
	contact, err := h.Care.Contact(c.Request().Context(), who, client)
	if err != nil {
		return err
	}
	return ok(c, contactFromCare(contact))
}

// putContact replaces where a client reads mail.
//
//	@Summary		Change where a client reads mail
//	@Description	Who opts out is sent nothing any more: what waits is cancelled with it.
//	@Tags			messages
//	@Accept			json
//	@Produce		json
//	@Param			client_id	path		string			true	"Client"	format(uuid)
//	@Param			contact		body		ContactRequest	true	"The contact"
//	@Success		200			{object}	Contact
//	@Failure		400,401,403,404,410,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/clients/{client_id}/contact [put]
func (h *Handlers) putContact(c echo.Context, who auth.Principal) error {
	client, err := pathID(c, "client_id")
	if err != nil {
		return err
	}
	in, err := bindWhole(c, func() ContactRequest { return ContactRequest{} },
		func(r ContactRequest) []fault.Detail { return care.CheckContact(r.toCare(client)) })
	if err != nil {
		return err
	}
	contact, err := h.Care.PutContact(c.Request().Context(), who, in.toCare(client))
	if err != nil {
		return err
	}
	return ok(c, contactFromCare(contact))
}

// MessageSettings are what a clinic has chosen for its messages to clients.
type MessageSettings struct {
	ClinicName string   `json:"clinic_name" validate:"max=80,line" example:"Clínica Uno"`                 // as letters are signed
	By         string   `json:"by" validate:"required,oneof=mail webhook none" enums:"mail,webhook,none"` // webhook: the event message.due tells the clinic's own messaging
	QuietFrom  string   `json:"quiet_from" validate:"required,max=5" example:"21:00"`                     // on the client's clock; nothing is sent from then
	QuietTo    string   `json:"quiet_to" validate:"required,max=5" example:"08:00"`                       // until then; both alike: at any hour
	Reminders  []string `json:"reminders" validate:"required,max=5,dive,max=20" example:"PT24H,PT48H"`    // ISO 8601, after the invitation
} //	@name	MessageSettings

func messageSettingsFromCare(m care.MessageSettings) MessageSettings {
	out := MessageSettings{
		ClinicName: m.ClinicName, By: string(m.By), QuietFrom: mail.Clock(m.Quiet.From), QuietTo: mail.Clock(m.Quiet.To), Reminders: []string{},
	}
	for _, r := range m.Reminders {
		out.Reminders = append(out.Reminders, writeDuration(r))
	}
	return out
}

// toCare reads what the tags cannot: a time of day and a duration.
func (m MessageSettings) toCare() (care.MessageSettings, []fault.Detail) {
	out := care.MessageSettings{ClinicName: m.ClinicName, By: mail.Way(m.By)}
	var faults []fault.Detail
	clock := func(pointer, text string) int {
		minutes, err := mail.ParseClock(text)
		if err != nil && text != "" { // the tag has told of the other
			faults = append(faults, fault.Detail{Pointer: pointer, Code: "malformed", Message: "A time of day is written as 21:00."})
		}
		return minutes
	}
	out.Quiet = mail.Quiet{From: clock("/quiet_from", m.QuietFrom), To: clock("/quiet_to", m.QuietTo)}
	for i, text := range m.Reminders {
		d, valid := readDuration(text)
		if !valid {
			faults = append(faults, fault.Detail{Pointer: "/reminders/" + strconv.Itoa(i), Code: "malformed", Message: "A duration is written as PT24H, P2D or PT90M."})
		}
		out.Reminders = append(out.Reminders, d)
	}
	return out, faults
}

var isoDuration = regexp.MustCompile(`^P(?:(\d{1,3})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,5})M)?)?$`)

// readDuration reads days, hours and minutes as ISO 8601 writes them. A day has
// 24 hours here.
func readDuration(text string) (time.Duration, bool) {
	parts := isoDuration.FindStringSubmatch(text)
	if parts == nil || strings.HasSuffix(text, "P") || strings.HasSuffix(text, "T") {
		return 0, false
	}
	var out time.Duration
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute} {
		if n, err := strconv.Atoi(parts[i+1]); err == nil {
			out += time.Duration(n) * unit
		}
	}
	return out, true
}

func writeDuration(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("PT%dH", d/time.Hour)
	}
	return fmt.Sprintf("PT%dM", d/time.Minute)
}

// getMessageSettings tells what the clinic has chosen for its messages.
//
//	@Summary	Get the settings of messages
//	@Tags		messages
//	@Produce	json
//	@Success	200	{object}	MessageSettings
//	@Failure	401,403,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/settings/messages [get]
func (h *Handlers) getMessageSettings(c echo.Context, who auth.Principal) error {
	set, err := h.Care.MessageSettings(c.Request().Context(), who)
	if err != nil {
		return err
	}
	return ok(c, messageSettingsFromCare(set))
}

// chooseMessageSettings stores what the clinic chooses for its messages.
//
//	@Summary		Change the settings of messages
//	@Description	The way and the quiet hours hold for what waits already.
//	@Tags			messages
//	@Accept			json
//	@Produce		json
//	@Param			settings	body		MessageSettings	true	"The settings"
//	@Success		200			{object}	MessageSettings
//	@Failure		400,401,403,413,415,422,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/settings/messages [put]
func (h *Handlers) chooseMessageSettings(c echo.Context, who auth.Principal) error {
	in, err := bindWhole(c, func() MessageSettings { return MessageSettings{} },
		func(m MessageSettings) []fault.Detail { _, faults := m.toCare(); return faults })
	if err != nil {
		return err
	}
	chosen, _ := in.toCare() // bindWhole has refused its faults
	set, err := h.Care.ChooseMessageSettings(c.Request().Context(), who, chosen)
	if err != nil {
		return err
	}
	return ok(c, messageSettingsFromCare(set))
}

// Message is a message on its way, without where it goes and what it links to.
type Message struct {
	ID        uuid.UUID  `json:"id" swaggertype:"string" format:"uuid"`
	Kind      string     `json:"kind" enums:"invitation,reminder,escalation"`
	About     uuid.UUID  `json:"about" swaggertype:"string" format:"uuid"` // the invitation, or the alert
	State     string     `json:"state" enums:"queued,sent,failed,cancelled"`
	DueAt     time.Time  `json:"due_at" format:"date-time"`
	Attempts  int        `json:"attempts"`
	LastError string     `json:"last_error" example:"busy"` // a code; empty: nothing went wrong
	CreatedAt time.Time  `json:"created_at" format:"date-time"`
	EndedAt   *time.Time `json:"ended_at" format:"date-time" extensions:"x-nullable"`
} //	@name	Message

func messageFromMail(m mail.Message) Message {
	return Message{
		ID: m.ID, Kind: string(m.Kind), About: m.About, State: string(m.State), DueAt: m.Due, Attempts: m.Attempts,
		LastError: m.LastError, CreatedAt: m.CreatedAt, EndedAt: m.EndedAt,
	}
}

// listMessages lists a client's messages.
//
//	@Summary	List a client's messages, the newest first
//	@Tags		messages
//	@Produce	json
//	@Param		client_id	path		string	true	"Client"	format(uuid)
//	@Param		limit		query		int		false	"Rows in a page"	default(50)	minimum(1)	maximum(200)
//	@Param		cursor		query		string	false	"Where the page before ended"
//	@Success	200			{object}	Page[Message]
//	@Failure	401,403,404,410,422,503	{object}	problem.Document
//	@Security	Key
//	@Router		/v1/clients/{client_id}/messages [get]
func (h *Handlers) listMessages(c echo.Context, who auth.Principal) error {
	client, err := pathID(c, "client_id")
	if err != nil {
		return err
	}
	q := query(c)
	page := q.page(messagesList)
	if err := q.Err(); err != nil {
		return err
	}
	messages, err := h.Care.Messages(c.Request().Context(), who, client, page)
	if err != nil {
		return err
	}
	return ok(c, pageOf(q, messages, page, messageFromMail, func(m mail.Message) care.Position { return care.Position{ID: m.ID} }))
}
