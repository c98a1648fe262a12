package mail_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/mail"
)

var noon = time.Date(2026, 6, 1, 18, 0, 0, 0, time.UTC) // in Denver

// box is an outbox with one message.
type box struct {
	taken  mail.Taken
	state  mail.State
	ends   []mail.Conclusion
	handed int
	broken error
}

func (b *box) Clinics(context.Context) ([]uuid.UUID, error) { return []uuid.UUID{uuid.New()}, b.broken }

func (b *box) TakeMessages(_ context.Context, _ uuid.UUID, now, _ time.Time, _ int) ([]mail.Taken, error) {
	if b.state != mail.Queued || now.Before(b.taken.Due) {
		return nil, nil
	}
	return []mail.Taken{b.taken}, nil
}

func (b *box) ConcludeMessage(_ context.Context, _ uuid.UUID, _ mail.Message, c mail.Conclusion) (bool, error) {
	b.ends, b.state, b.taken.Due = append(b.ends, c), c.State, c.Due
	if c.Spent {
		b.taken.Attempts++
	}
	return true, nil
}

func (b *box) HandOver(context.Context, uuid.UUID, mail.Message, time.Time, uuid.UUID) (bool, error) {
	b.handed, b.state = b.handed+1, mail.Sent
	return true, nil
}

func (b *box) OverdueMessages(_ context.Context, _ uuid.UUID, now time.Time) (*time.Time, int, error) {
	if b.state == mail.Queued && !now.Before(b.taken.Due) {
		return &b.taken.Due, 1, nil
	}
	return nil, 0, nil
}

// counter answers with results, the last one for ever.
type counter struct {
	results []mail.Result
	letters []mail.Letter
}

func (c *counter) Send(_ context.Context, l mail.Letter) mail.Result {
	c.letters = append(c.letters, l)
	return c.results[min(len(c.letters), len(c.results))-1]
}

func waiting(t *testing.T) *box {
	t.Helper()
	zone, err := time.LoadLocation("America/Denver")
	if err != nil {
		t.Fatal(err)
	}
	return &box{state: mail.Queued, taken: mail.Taken{
		Message: mail.Message{ID: uuid.New(), Client: uuid.New(), Kind: mail.Reminder, Link: "https://clinic.test/q/abc", Language: "es", Due: noon},
		To:      "ana@client.test", Zone: zone, Quiet: mail.DefaultQuiet(), By: mail.ByMail, Clinic: "One",
	}}
}

func pass(t *testing.T, b *box, post mail.Post, now time.Time) *mail.Worker {
	t.Helper()
	w := &mail.Worker{Outbox: b, Post: post, Now: func() time.Time { return now }, NewID: uuid.New, Log: slog.New(slog.DiscardHandler)}
	if err := w.Pass(t.Context()); err != nil && b.broken == nil {
		t.Fatal(err)
	}
	return w
}

func TestWhetherAMessageIsSentIsDecidedWhenItsTimeHasCome(t *testing.T) {
	night := noon.Add(10 * time.Hour) // ten in the evening in Denver
	for name, c := range map[string]struct {
		change func(*mail.Taken)
		at     time.Time
		sent   int
		handed int
		want   mail.Conclusion
	}{
		"it is sent":                            {func(*mail.Taken) {}, noon, 1, 0, mail.Conclusion{At: noon, State: mail.Sent, Spent: true}},
		"who has opted out gets none":           {func(t *mail.Taken) { t.OptedOut = true }, noon, 0, 0, mail.Conclusion{At: noon, State: mail.Cancelled, Error: "opted_out"}},
		"nor who has opted out, by webhook":     {func(t *mail.Taken) { t.OptedOut, t.By = true, mail.ByWebhook }, noon, 0, 0, mail.Conclusion{At: noon, State: mail.Cancelled, Error: "opted_out"}},
		"a clinic that sends none sends none":   {func(t *mail.Taken) { t.By = mail.ByNobody }, noon, 0, 0, mail.Conclusion{At: noon, State: mail.Cancelled, Error: "turned_off"}},
		"nobody knows where":                    {func(t *mail.Taken) { t.To = "" }, noon, 0, 0, mail.Conclusion{At: noon, State: mail.Cancelled, Error: "no_address"}},
		"at night it waits until morning":       {func(*mail.Taken) {}, night, 0, 0, mail.Conclusion{At: night, State: mail.Queued, Due: noon.Add(20 * time.Hour)}},
		"also where the clinic sends itself":    {func(t *mail.Taken) { t.By = mail.ByWebhook }, night, 0, 0, mail.Conclusion{At: night, State: mail.Queued, Due: noon.Add(20 * time.Hour)}},
		"what concerns the staff does not":      {func(t *mail.Taken) { t.Kind, t.Account = mail.Escalation, uuid.New() }, night, 1, 0, mail.Conclusion{At: night, State: mail.Sent, Spent: true}},
		"nor is it a client's to turn off":      {func(t *mail.Taken) { t.Account, t.OptedOut, t.By = uuid.New(), true, mail.ByNobody }, noon, 1, 0, mail.Conclusion{At: noon, State: mail.Sent, Spent: true}},
		"the clinic's own messaging is told":    {func(t *mail.Taken) { t.By, t.To = mail.ByWebhook, "" }, noon, 0, 1, mail.Conclusion{}},
		"a link of two lines is sent to nobody": {func(t *mail.Taken) { t.Link = "https://a\nb" }, noon, 0, 0, mail.Conclusion{At: noon, State: mail.Failed, Error: "malformed", Spent: true}},
	} {
		t.Run(name, func(t *testing.T) {
			b, post := waiting(t), &counter{results: []mail.Result{{}}}
			c.change(&b.taken)
			pass(t, b, post, c.at)
			got := append(b.ends, mail.Conclusion{})[0]
			if diff := cmp.Diff(c.want, got, cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })); diff != "" || len(post.letters) != c.sent || b.handed != c.handed {
				t.Errorf("%d letters, %d handed over\n%s", len(post.letters), b.handed, diff)
			}
		})
	}
}

func TestALetterIsTriedAgainAndGivenUp(t *testing.T) {
	b, post := waiting(t), &counter{results: []mail.Result{{Error: "busy"}}}
	b.taken.Quiet = mail.Quiet{}
	now := noon
	for range 20 {
		pass(t, b, post, now)
		now = b.taken.Due
	}
	if len(post.letters) != 9 || b.state != mail.Failed {
		t.Errorf("%d letters, %s", len(post.letters), b.state)
	}
	for i, end := range b.ends[:8] {
		wait := end.Due.Sub(end.At)
		if wait < 10*time.Second || wait > 14*time.Hour || i > 0 && wait <= b.ends[i-1].Due.Sub(b.ends[i-1].At) {
			t.Errorf("attempt %d is followed after %s", i+1, wait)
		}
	}
	for _, l := range post.letters {
		if l.ID != b.taken.ID {
			t.Error("a later attempt is another letter")
		}
	}
}

func TestWhatIsRefusedForGoodIsNotTriedAgain(t *testing.T) {
	b, post := waiting(t), &counter{results: []mail.Result{{Error: "refused", Permanent: true}}}
	pass(t, b, post, noon)
	if b.state != mail.Failed || len(post.letters) != 1 {
		t.Errorf("%s after %d letters", b.state, len(post.letters))
	}
}

func TestAStopIsNoAttempt(t *testing.T) {
	b, post := waiting(t), &counter{results: []mail.Result{{Error: "stopped"}, {}}}
	pass(t, b, post, noon)
	if b.state != mail.Sent || b.taken.Attempts != 1 {
		t.Errorf("%s after %d attempts", b.state, b.taken.Attempts)
	}
}

func TestWithoutAServerNothingIsLost(t *testing.T) {
	b := waiting(t)
	pass(t, b, nil, noon)
	if b.state != mail.Queued || b.ends[0].Error != "no_server" {
		t.Errorf("%+v", b.ends)
	}
}

func TestNobodySendingShows(t *testing.T) {
	b := waiting(t)
	b.broken = errors.New("away")
	now := noon
	w := &mail.Worker{Outbox: b, Now: func() time.Time { return now }, NewID: uuid.New, Log: slog.New(slog.DiscardHandler)}
	if w.Stuck() != 0 {
		t.Error("it has not begun")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.Run(ctx)
	if now = noon.Add(4 * time.Minute); w.Stuck() != 0 {
		t.Error("a short while is no fault")
	}
	if now = noon.Add(6 * time.Minute); w.Stuck() != 6*time.Minute {
		t.Errorf("stuck for %s", w.Stuck())
	}
}
