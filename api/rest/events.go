package rest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
)

// Event is something that happened, by ids and codes: who may see more asks for
// it by the id. It is the data of each event of the stream.
type Event struct {
	ID       uuid.UUID         `json:"id" swaggertype:"string" format:"uuid"`
	Type     string            `json:"type" example:"assessment.recorded"`
	At       time.Time         `json:"at" format:"date-time"`
	ClientID *uuid.UUID        `json:"client_id" swaggertype:"string" format:"uuid" extensions:"x-nullable"` // null: of no client
	Data     map[string]string `json:"data"`
} //	@name	Event

func eventFromCare(e care.Event) Event {
	out := Event{ID: e.ID, Type: string(e.Type), At: e.At, Data: e.Data}
	if e.Client != uuid.Nil {
		out.ClientID = &e.Client
	}
	if out.Data == nil {
		out.Data = map[string]string{}
	}
	return out
}

const (
	eventPoll   = 500 * time.Millisecond // from look to look
	eventChecks = 4                      // looks from check to check of the credential
	eventBeats  = 30                     // silent looks from sign to sign of life
	eventBatch  = 200                    // events that are read at once
	eventWrite  = 10 * time.Second       // that a listener has to take them
)

// streamEvents tells what happens in the clinic as it happens.
//
//	@Summary		Follow what happens
//	@Description	Server-Sent Events of the clients that the credential may see: `id` is the place of the event, `event` its type, `data` the Event as JSON. An event is told at least once, in the order of the commits.
//	@Description	A listener that comes back with `Last-Event-ID` (or `after`) misses nothing. Without either the stream begins now. A comment comes every 15 seconds.
//	@Description	Where the place asked for is none of this clinic's, the first event is `stream.reset`, with `{"reason":"unknown_event","next":...}`: read anew what you need. Before the server ends the stream it says why with `stream.end`.
//	@Tags			events
//	@Produce		text/event-stream
//	@Param			after			query	int		false	"Tell what came behind this place; 0: everything"	minimum(0)
//	@Param			types			query	string	false	"Only these types, with commas between them"	example(assessment.recorded,session.changed)
//	@Param			follow			query	bool	false	"false: end when all that is stored was told"	default(true)
//	@Param			Last-Event-ID	header	string	false	"The id of the last event that came; goes before after"
//	@Success		200				{string}	string
//	@Failure		401,403,422,429,503	{object}	problem.Document
//	@Security		Key
//	@Router			/v1/events [get]
func (h *Handlers) streamEvents(c echo.Context, who auth.Principal) error {
	s, err := h.newStream(c, who)
	if err != nil {
		return err
	}
	if h.stopping() {
		return fault.Wait("The server is about to stop: connect again, to another.", time.Second)
	}
	done, err := h.Limits.Streaming(who.Clinic.String(), who.Actor.String())
	if err != nil {
		return err
	}
	defer done()
	page, err := s.look(c.Request().Context()) // what fails now is answered with a problem
	if err != nil {
		return err
	}
	return s.run(c.Request().Context(), page)
}

// stopping reports whether the server is about to stop.
func (h *Handlers) stopping() bool {
	select {
	case <-h.Stopping:
		return true
	default:
		return false
	}
}

// stream is one listener.
type stream struct {
	handlers   *Handlers
	c          echo.Context
	control    *http.ResponseController
	who        auth.Principal
	credential string
	query      care.EventQuery
	follow     bool
	strange    bool // the place asked for cannot be read
}

func (h *Handlers) newStream(c echo.Context, who auth.Principal) (*stream, error) {
	credential, err := credentialOf(c)
	if err != nil {
		return nil, err
	}
	s := &stream{
		handlers: h, c: c, control: http.NewResponseController(c.Response()), who: who, credential: credential,
		query: care.EventQuery{Limit: eventBatch},
	}
	q := query(c)
	if text := q.Text("after", ""); text != "" {
		after, err := strconv.ParseInt(text, 10, 64)
		if err != nil || after < 0 {
			q.Fault("after", "out_of_range", "The place of an event is a whole number from 0.")
		}
		s.query.After = &after
	}
	if text := q.Text("types", ""); text != "" {
		for name := range strings.SplitSeq(text, ",") {
			if !slices.Contains(care.EventTypes(), care.EventType(name)) {
				q.Fault("types", "unknown_type", "There is no such type of event.")
				break
			}
			s.query.Types = append(s.query.Types, care.EventType(name))
		}
	}
	s.follow = choice(q, "follow", "true", "true", "false") == "true"
	if err := q.Err(); err != nil {
		return nil, err
	}
	if last := c.Request().Header.Get("Last-Event-ID"); last != "" {
		after, err := strconv.ParseInt(last, 10, 64)
		s.query.After, s.strange = &after, err != nil || after < 0
	}
	if s.strange {
		s.query.After = nil
	}
	return s, nil
}

// look reads the next events, with the rights that the credential has now.
func (s *stream) look(ctx context.Context) (care.EventPage, error) {
	page, err := s.handlers.Care.Events(ctx, s.who, s.query)
	if err == nil {
		page.Unknown, s.strange = page.Unknown || s.strange, false
		s.query.After = &page.Next
	}
	return page, err
}

// check asks again who is asking: a credential may have ended, or reach other
// clients than before.
func (s *stream) check() (err error) {
	s.who, err = s.handlers.principal(s.c, s.credential)
	return err
}

// run tells what there is, and then what comes, until the listener goes, the
// credential ends or the server stops.
func (s *stream) run(ctx context.Context, page care.EventPage) error {
	header := s.c.Response().Header()
	header.Set(echo.HeaderContentType, "text/event-stream")
	header.Set(echo.HeaderCacheControl, "no-store")
	header.Set("X-Accel-Buffering", "no")      // a proxy would hold it back
	_ = s.control.SetReadDeadline(time.Time{}) // the time to read a request is over long before
	if err := s.send(": following\n\n"); err != nil {
		return nil // nobody listens any more
	}
	turn := time.NewTicker(eventPoll)
	defer turn.Stop()
	for looks, silent := 1, 0; ; looks++ {
		text := s.told(page)
		if silent++; text == "" && silent >= eventBeats {
			text = fmt.Sprintf(": still there\nid: %d\n\n", page.Next) // an id without data is kept, and no event
		}
		if text != "" {
			silent = 0
			if err := s.send(text); err != nil {
				return nil // nobody listens any more
			}
		}
		if full := len(page.Events) == eventBatch; !full {
			if !s.follow {
				return nil
			}
			select {
			case <-ctx.Done():
				return nil
			case <-s.handlers.Stopping:
				return s.end("server_stops")
			case <-turn.C:
			}
		}
		var err error
		if looks%eventChecks == 0 {
			err = s.check() //nolint:contextcheck // the request's own
		}
		if err == nil {
			page, err = s.look(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case fault.Is(err, fault.Unauthenticated), fault.Is(err, fault.Forbidden):
			return s.end("credential_ended")
		case err != nil:
			return s.end("unavailable")
		}
	}
}

// told is a page as it is sent; empty where there is nothing to tell.
func (s *stream) told(page care.EventPage) string {
	var b strings.Builder
	if page.Unknown {
		fmt.Fprintf(&b, "id: %d\nevent: stream.reset\ndata: {\"reason\":\"unknown_event\",\"next\":%d}\n\n", page.Next, page.Next)
	}
	for _, e := range page.Events {
		data, err := json.Marshal(eventFromCare(e), json.Deterministic(true))
		if err != nil {
			continue // texts and times always encode
		}
		fmt.Fprintf(&b, "id: %d\nevent: %s\ndata: %s\n\n", e.Seq, e.Type, data)
	}
	return b.String()
}

// end says why the stream ends.
func (s *stream) end(reason string) error {
	_ = s.send("event: stream.end\ndata: {\"reason\":\"" + reason + "\"}\n\n") // or nobody listens any more
	return nil
}

// send sends a text at once. A listener that takes nothing is given up.
func (s *stream) send(text string) error {
	_ = s.control.SetWriteDeadline(time.Now().Add(eventWrite)) //nolint:forbidigo // a socket knows no other clock
	if _, err := s.c.Response().Write([]byte(text)); err != nil {
		return err
	}
	return s.control.Flush()
}
