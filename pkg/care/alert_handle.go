package care

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

// AlertFilter narrows a list of alerts. Empty fields do not.
type AlertFilter struct {
	Status AlertStatus
	Client *uuid.UUID // and all records of that person
}

// Alerts lists alerts, the newest first, behind page.After; NotFound for an
// unknown client.
func (s *Service) Alerts(ctx context.Context, who auth.Principal, filter AlertFilter, page Page) ([]Alert, error) {
	if err := s.require(ctx, who, auth.ReadAlerts); err != nil {
		return nil, err
	}
	return read(ctx, s, who, func(r Reader) ([]Alert, error) {
		if filter.Client != nil {
			if _, err := r.Client(ctx, who, *filter.Client); err != nil {
				return nil, err
			}
		}
		alerts, err := r.Alerts(ctx, who, filter, page)
		if err == nil && len(alerts) > 0 {
			r.Note(s.saw(who, "alert.list", idsOf(alerts, func(a Alert) uuid.UUID { return a.ClientID })))
		}
		return alerts, err
	})
}

// ListedAlert is an alert and whose it is.
type ListedAlert struct {
	Alert
	Client Client
}

// AlertList is Alerts with the clients that they are of.
func (s *Service) AlertList(ctx context.Context, who auth.Principal, filter AlertFilter, page Page) ([]ListedAlert, error) {
	if err := s.require(ctx, who, auth.ReadAlerts, auth.ReadClients); err != nil {
		return nil, err
	}
	return read(ctx, s, who, func(r Reader) ([]ListedAlert, error) {
		alerts, err := r.Alerts(ctx, who, filter, page)
		if err != nil || len(alerts) == 0 {
			return nil, err
		}
		ids := idsOf(alerts, func(a Alert) uuid.UUID { return a.ClientID })
		r.Note(s.saw(who, "alert.list", ids))
		clients, err := r.ClientsOf(ctx, who, ids)
		out := make([]ListedAlert, len(alerts))
		for i, a := range alerts {
			out[i] = ListedAlert{a, clients[a.ClientID]}
		}
		return out, err
	})
}

// AlertWithHistory is an alert and everything that became of it.
type AlertWithHistory struct {
	Alert
	History []AlertStep // by N
}

// Alert returns an alert of the clinic with its history.
func (s *Service) Alert(ctx context.Context, who auth.Principal, id uuid.UUID) (AlertWithHistory, error) {
	if err := s.require(ctx, who, auth.ReadAlerts); err != nil {
		return AlertWithHistory{}, err
	}
	return read(ctx, s, who, func(r Reader) (AlertWithHistory, error) {
		a, err := r.Alert(ctx, who, id)
		if err != nil {
			return AlertWithHistory{}, err
		}
		r.Note(s.did(who, "alert.read", "alert", id, a.ClientID))
		history, err := r.AlertSteps(ctx, who, id)
		return AlertWithHistory{a, history}, err
	})
}

// OpenAlerts says how many alerts wait for somebody to acknowledge them, among
// the clients whom the principal may see.
func (s *Service) OpenAlerts(ctx context.Context, who auth.Principal) (int, error) {
	if err := s.require(ctx, who, auth.ReadAlerts); err != nil {
		return 0, err
	}
	return read(ctx, s, who, func(r Reader) (int, error) { return r.CountOpenAlerts(ctx, who) })
}

// Acknowledge stores that the principal looks after an alert, which ends its
// clock, and those of the alerts that repeat it. Where the principal did so
// before nothing is stored; Conflict where another did.
func (s *Service) Acknowledge(ctx context.Context, who auth.Principal, id uuid.UUID) (AlertWithHistory, error) {
	return s.handle(ctx, who, id, handling{
		from: AlertOpen, to: AlertAcknowledged, deed: WasAcknowledged, action: "alert.acknowledge", event: AlertWasAcknowledged, repeats: true,
	})
}

// Dispose stores what was done about an alert that was acknowledged.
func (s *Service) Dispose(ctx context.Context, who auth.Principal, id uuid.UUID, disposition Disposition, note Private) (AlertWithHistory, error) {
	if !slices.Contains(Dispositions(), disposition) {
		return AlertWithHistory{}, fault.InvalidIf([]fault.Detail{{
			Pointer: "/disposition", Code: "unknown_disposition",
			Message: "The disposition is spoke_to_client, safety_plan, referred, emergency_services, not_reached or no_action_needed.",
		}})
	}
	return s.handle(ctx, who, id, handling{
		from: AlertAcknowledged, to: AlertActioned, deed: WasActioned, action: "alert.action", event: AlertWasActioned,
		disposition: disposition, note: Private(strings.TrimSpace(string(note))),
	})
}

// CloseAlert stores that nothing is left to do about an alert.
func (s *Service) CloseAlert(ctx context.Context, who auth.Principal, id uuid.UUID) (AlertWithHistory, error) {
	return s.handle(ctx, who, id, handling{
		from: AlertActioned, to: AlertClosed, deed: WasClosed, action: "alert.close", event: AlertWasClosed,
	})
}

// handling is one thing that a person does about an alert.
type handling struct {
	from, to    AlertStatus
	deed        AlertDeed
	action      string // of the audit trail
	event       EventType
	disposition Disposition
	note        Private
	repeats     bool // the alerts that repeat it go along
}

// handle moves an alert on by what a person did.
func (s *Service) handle(ctx context.Context, who auth.Principal, id uuid.UUID, h handling) (out AlertWithHistory, err error) {
	if err := s.require(ctx, who, auth.HandleAlerts); err != nil {
		return out, err
	}
	err = s.Store.Write(ctx, who, func(tx Tx) error {
		held, err := tx.HoldAlert(ctx, who, id) // the alert first, then the open ones that repeat it
		if err != nil {
			return err
		}
		history, err := tx.AlertSteps(ctx, who, id)
		if err != nil {
			return err
		}
		tx.Note(s.did(who, h.action, "alert", id, held[0].ClientID))
		out = AlertWithHistory{held[0], history}
		if held[0].Status != h.from {
			return h.refuse(who, out)
		}
		if !h.repeats {
			held = held[:1]
		}
		now := stamp(s.Now())
		steps := make([]AlertStep, len(held))
		for i := range held {
			steps[i] = held[i].handled(h, now, who.Actor)
			tx.Emit(s.alertEvent(h.event, held[i]))
		}
		out = AlertWithHistory{held[0], append(history, steps[0])}
		return tx.PutAlerts(ctx, who, held, steps)
	})
	if err != nil {
		return AlertWithHistory{}, err
	}
	return out, nil
}

// handled moves an alert on, and is the line that tells of it.
func (a *Alert) handled(h handling, now time.Time, by uuid.UUID) AlertStep {
	a.Status, a.NextAt = h.to, nil
	step := a.step(h.deed, now, by)
	step.Disposition, step.Note = h.disposition, h.note
	return step
}

// refuse says why an alert is not where a deed begins; nil where the same
// person did the same already, as in a retry.
func (h handling) refuse(who auth.Principal, a AlertWithHistory) error {
	order := AlertStatuses()
	if slices.Index(order, a.Status) < slices.Index(order, h.from) {
		return fault.New(fault.Conflict, "The alert is "+string(a.Status)+": it is acknowledged first, then what was done is told, then it is closed.",
			fault.Detail{Pointer: "", Code: "alert_" + string(a.Status), Message: "The next step comes first."})
	}
	for _, step := range slices.Backward(a.History) {
		if step.Deed == h.deed && step.By == who.Actor && step.Disposition == h.disposition && step.Note == h.note {
			return nil
		}
		if step.Deed == h.deed {
			break
		}
	}
	return fault.New(fault.Conflict, "Somebody was faster: the alert is "+string(a.Status)+" already.",
		fault.Detail{Pointer: "", Code: "alert_" + string(a.Status), Message: "Its history tells who did what."})
}
