//go:build unix

package store_test

import (
	"strings"
	"testing"

	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/seal"
	"github.com/protrack/protrack/pkg/store/storetest"
	"github.com/protrack/protrack/pkg/webhook"
)

// A secret that changed, or cannot be read, would make every message a forgery.
func TestAWebhooksSecretsAreSealedAndStayTheSame(t *testing.T) {
	storetest.Each(t, func(t *testing.T, plain *storetest.Database) {
		c, raw := plain.Clinic(t), plain.Raw(t)
		w := webhook.Webhook{
			ID: storetest.NewID(), URL: "https://hooks.example.org", Secret: webhook.NewSecret(), OldSecret: webhook.NewSecret(), Version: 1,
			CreatedAt: storetest.When, UpdatedAt: storetest.When,
		}
		err := plain.DB.DB.Arrange(t.Context(), c.Who, func(tx webhook.Tx) error {
			tx.Note(storetest.Entry(c.Who))
			_, err := tx.InsertWebhook(t.Context(), c.Who, w)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		read := func(d *storetest.Database) (got webhook.Webhook, err error) {
			err = d.DB.DB.Look(t.Context(), c.Who, func(r webhook.Reader) (err error) {
				got, err = r.Webhook(t.Context(), c.Who, w.ID)
				return err
			})
			return got, err
		}
		stored := func() string { return strings.Join(plain.Rows(t, raw, "webhooks", "1 = 1"), "\n") }
		if !strings.Contains(stored(), string(w.Secret)) {
			t.Error("without keys the secret is not found: the search shows nothing")
		}
		first := newKeys(t)
		for what, keys := range map[string]*seal.Keys{"sealed": first} {
			d := plain.With(t, keys)
			if n := encrypt(t, d, c); n != 1 {
				t.Errorf("%s: %d were changed", what, n)
			}
			if text := stored(); strings.Contains(text, "whsec_") || strings.Count(text, seal.Prefix) != 2 {
				t.Errorf("%s: it is stored as %s", what, text)
			}
		}
		second := plain.With(t, rotated(t, first))
		encrypt(t, second, c)
		if got, err := read(second); err != nil || got.Secret != w.Secret || got.OldSecret != w.OldSecret {
			t.Errorf("with another key the secrets are others: %v", err)
		}
		if _, err := read(plain); err == nil {
			t.Error("without keys it is read")
		}
		if err := plain.CheckFields(t.Context()); !fault.Is(err, fault.Unavailable) {
			t.Errorf("without keys the server starts: %v", err)
		}
		if _, err := second.DecryptFields(t.Context(), c.Who, storetest.Entry(c.Who)); err != nil {
			t.Fatal(err)
		}
		if got, err := read(plain); err != nil || got.Secret != w.Secret || got.OldSecret != w.OldSecret {
			t.Errorf("decrypted, the secrets are others: %v", err)
		}
	})
}
