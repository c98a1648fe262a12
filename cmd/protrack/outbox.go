package main

import (
	"log/slog"
	"time"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/webhook"
)

// sending is the flags of webhooks.
type sending struct {
	WebhookNetworks []string `name:"webhook-networks" env:"PROTRACK_WEBHOOK_NETWORKS" placeholder:"CIDR" help:"Networks that are not public and that webhooks may be sent to all the same, such as 10.1.0.0/16. None by default."`
	WebhookHTTP     bool     `name:"webhook-http" env:"PROTRACK_WEBHOOK_HTTP" help:"Allow webhooks over plain HTTP."`
}

// rules reads the flags.
func (c sending) rules() (webhook.Rules, error) {
	networks, err := webhook.ParseNetworks(c.WebhookNetworks)
	return webhook.Rules{Networks: networks, HTTP: c.WebhookHTTP}, err
}

// outbox is who manages webhooks, and who sends to them.
func (s *services) outbox(rules webhook.Rules, log *slog.Logger) (*webhook.Service, *webhook.Worker) {
	sender := webhook.NewSender(rules)
	return &webhook.Service{Store: s.db, Sender: sender, Types: eventTypes(), Now: time.Now, NewID: newID, Log: log},
		&webhook.Worker{Outbox: s.db, Sender: sender, Now: time.Now, NewID: newID, Log: log}
}

// eventTypes are those that a webhook may ask for.
func eventTypes() []string {
	var out []string
	for _, kind := range care.EventTypes() {
		out = append(out, string(kind))
	}
	return out
}

// escalated refuses to be ready while nobody tells on what is to be told.
func escalated(e *care.Escalator) error {
	if lag := e.Overdue(); lag > 2*time.Minute {
		return fault.New(fault.Unavailable, "Alerts were not told on for "+lag.Round(time.Second).String()+".")
	}
	return nil
}

// moving refuses to be ready while nobody sends what could be sent. A receiver
// that does not answer is no such case.
func moving(w *webhook.Worker) error {
	if lag := w.Stuck(); lag > 0 {
		return fault.New(fault.Unavailable, "Nothing of the outbox was sent for "+lag.Round(time.Second).String()+".")
	}
	return nil
}
