package web

import (
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/webhook"
)

const (
	webhooksPath   = settingsPath + "/webhooks"
	mostAddress    = 2000
	mostWebhooks   = 50 // more than a clinic may have
	deliveriesSeen = 25 // the newest
)

// webhooksData lists the clinic's webhooks.
type webhooksData struct {
	Tabs     []place
	Webhooks []webhookRow
}

// webhookRow is one webhook. Of its address only the server is shown: the rest
// may hold a token.
type webhookRow struct {
	ID, Name, URL string
	Types         []string // empty: all
	State         tag
	Disabled      bool
	Version       int
	FailingSince  *time.Time
	OldUntil      *time.Time
	CreatedAt     time.Time
}

// The states of a webhook.
var (
	hookLive    = tag{Label: "in use", Class: "better"}
	hookFailing = tag{Label: "does not answer"}
	hookByHand  = tag{Label: "turned off"}
	hookGone    = tag{Label: "turned off: the receiver is gone"}
	hookFailed  = tag{Label: "turned off: nothing came through for five days"}
)

func hookRow(w webhook.Webhook) webhookRow {
	row := webhookRow{
		ID: w.ID.String(), Name: w.Name, URL: w.URL.String(), Types: w.Types, State: hookLive, Disabled: w.DisabledAt != nil,
		Version: w.Version, FailingSince: w.FailingSince, OldUntil: w.OldUntil, CreatedAt: w.CreatedAt,
	}
	switch {
	case row.Disabled && w.Disabled == webhook.WasGone:
		row.State = hookGone
	case row.Disabled && w.Disabled == webhook.Failing:
		row.State = hookFailed
	case row.Disabled:
		row.State = hookByHand
	case w.FailingSince != nil:
		row.State = hookFailing
	}
	return row
}

// webhooks lists the clinic's webhooks.
func (s *Site) webhooks(v *visit) error {
	found, err := s.Webhooks.Webhooks(v.ctx(), v.who, uuid.Nil, mostWebhooks)
	if err != nil {
		return err
	}
	data := webhooksData{Tabs: v.tabs()}
	for _, w := range found {
		data.Webhooks = append(data.Webhooks, hookRow(w))
	}
	return v.render("settings_webhooks", view{Title: "Settings", Data: data})
}

// webhookFormData is the form of a new webhook.
type webhookFormData struct {
	Tabs  []place
	Types []option
}

func (v *visit) webhookFormView() view {
	data := webhookFormData{Tabs: v.tabs()}
	for _, kind := range v.site.Webhooks.Types {
		data.Types = append(data.Types, option{Value: kind, Label: kind, Chosen: v.sent().Has("types", kind)})
	}
	return view{Title: "New webhook", Form: formOf("id", v.site.Care.NewID().String()), Data: data}
}

// newWebhook shows the form of a webhook.
func (s *Site) newWebhook(v *visit) error {
	if err := v.who.Require(auth.ManageWebhooks); err != nil {
		return err
	}
	return v.render("settings_webhook_form", v.webhookFormView())
}

// errWebhookMade is the answer to a form that is sent again.
var errWebhookMade = fault.New(fault.Conflict, "This webhook was made already, and its secret was shown once. If it is lost, replace it.")

// addWebhook makes a webhook, and shows its secret this once.
func (s *Site) addWebhook(v *visit) error {
	r := v.reading()
	in := webhook.Webhook{ID: r.id(), Name: r.line("name", mostName), URL: webhook.URL(r.line("url", mostAddress)), Types: v.sent().values["types"]}
	err := r.err(s.Webhooks.Check(in))
	var secret webhook.Secret
	if err == nil {
		var created bool
		if in, secret, created, err = s.Webhooks.Create(v.ctx(), v.who, in); err == nil && !created {
			err = errWebhookMade
		}
	}
	if err != nil {
		page := v.webhookFormView()
		page.Form = v.sent()
		return v.again("settings_webhook_form", page, err)
	}
	return v.render("secret", view{Title: "The webhook was made", Data: secretData{Of: in.Name, Key: string(secret), Back: webhooksPath + "/" + in.ID.String()}})
}

// webhookData is one webhook with what was sent to it last.
type webhookData struct {
	Tabs       []place
	Webhook    webhookRow
	Deliveries []deliveryRow
}

// deliveryRow is one delivery.
type deliveryRow struct {
	ID, Type, Error string
	Status          int // that was answered; 0: none was
	State           tag
	Attempts        int
	At              time.Time
	Due             *time.Time // of the next attempt
	Again           bool       // it can be sent anew
}

// stateTags are the words for how far a delivery is.
var stateTags = map[webhook.State]tag{
	webhook.Pending:   {Label: "on its way"},
	webhook.Delivered: {Label: "came through", Class: "better"},
	webhook.Dead:      {Label: "given up", Class: "worse"},
}

// webhookView is the page of the webhook that the path names.
func (v *visit) webhookView() (view, uuid.UUID, error) {
	id, err := v.pathID("webhook_id")
	if err != nil {
		return view{}, id, err
	}
	w, err := v.site.Webhooks.Webhook(v.ctx(), v.who, id)
	if err != nil {
		return view{}, id, err
	}
	found, err := v.site.Webhooks.Deliveries(v.ctx(), v.who, id, "", 0, deliveriesSeen)
	if err != nil {
		return view{}, id, err
	}
	data := webhookData{Tabs: v.tabs(), Webhook: hookRow(w)}
	for _, d := range found {
		row := deliveryRow{
			ID: d.ID.String(), Type: d.Event.Type, Error: d.LastError, Status: d.LastStatus, State: stateTags[d.State], Attempts: d.Attempts,
			At: d.Event.At, Again: d.State == webhook.Dead || d.State == webhook.Pending && d.Attempts > 0,
		}
		if d.State == webhook.Pending {
			row.Due = &d.Due
		}
		data.Deliveries = append(data.Deliveries, row)
	}
	return view{Title: "Settings", Data: data}, id, nil
}

// webhook shows a webhook.
func (s *Site) webhook(v *visit) error {
	page, _, err := v.webhookView()
	if err != nil {
		return err
	}
	return v.render("settings_webhook", page)
}

// webhookAct does something with the webhook that the path names, and shows its
// page again, with what went wrong or what was done.
func (s *Site) webhookAct(act func(*visit, uuid.UUID) (done string, err error)) func(*visit) error {
	return func(v *visit) error {
		page, id, err := v.webhookView()
		if err != nil {
			return err
		}
		done, err := act(v, id)
		if err != nil {
			return v.again("settings_webhook", page, err)
		}
		return v.done(webhooksPath+"/"+id.String(), done)
	}
}

// errTestFailed is the answer to a test that did not come through.
var errTestFailed = fault.New(fault.Conflict, "The test did not come through: the receiver did not answer, or not with 2xx.")

// testWebhook sends a made-up event.
func (s *Site) testWebhook(v *visit, id uuid.UUID) (string, error) {
	tested, err := s.Webhooks.Test(v.ctx(), v.who, id, "")
	if err == nil && tested.Error != "" {
		err = errTestFailed
	}
	return word("The test came through."), err
}

// turnWebhook turns a webhook off, or on again.
func (s *Site) turnWebhook(v *visit, id uuid.UUID) (string, error) {
	w, err := s.Webhooks.Webhook(v.ctx(), v.who, id)
	if err != nil {
		return "", err
	}
	version, _ := strconv.Atoi(v.typed("revision")) // none is no version that there is
	if _, err = s.Webhooks.Update(v.ctx(), v.who, w, v.typed("disabled") == "true", version); err != nil {
		return "", err
	}
	if v.typed("disabled") == "true" {
		return word("The webhook was turned off. What happens meanwhile is sent once it is on again."), nil
	}
	return word("The webhook was turned on. It is sent all that it missed."), nil
}

// retryDelivery sends a delivery anew.
func (s *Site) retryDelivery(v *visit, id uuid.UUID) (string, error) {
	delivery, err := v.pathID("delivery_id")
	if err != nil {
		return "", err
	}
	return word("It is sent again now."), s.Webhooks.Retry(v.ctx(), v.who, id, delivery)
}

// rotateWebhook gives a webhook another secret, and shows it this once.
func (s *Site) rotateWebhook(v *visit) error {
	id, err := v.pathID("webhook_id")
	if err != nil {
		return err
	}
	w, secret, err := s.Webhooks.Rotate(v.ctx(), v.who, id)
	if err != nil {
		return err
	}
	return v.render("secret", view{Title: "The secret was replaced", Data: secretData{
		Of: w.Name, Key: string(secret), Until: w.OldUntil, Back: webhooksPath + "/" + id.String(),
	}})
}

// removeWebhook ends a webhook.
func (s *Site) removeWebhook(v *visit) error {
	id, err := v.pathID("webhook_id")
	if err != nil {
		return err
	}
	if err := s.Webhooks.Remove(v.ctx(), v.who, id); err != nil {
		return err
	}
	return v.done(webhooksPath, "The webhook was removed.")
}
