//go:build unix

package storetest

import (
	"context"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

// newKey makes a key and its hash.
func newKey() (auth.Key, []byte) {
	id := NewID()
	hash := sha256.Sum256(id[:])
	return auth.Key{ID: id, Name: "täblet", Role: auth.App, Hint: "ptk_abc", CreatedAt: When}, hash[:]
}

var keys = []promise{
	{"a key is found by its hash, whole, and by no other hash", func(t *testing.T, c *Clinic) {
		k, hash := newKey()
		k.ExpiresAt = new(When.Add(time.Hour))
		if err := c.CreateKey(t.Context(), c.Who, k, hash); err != nil {
			t.Fatal(err)
		}
		want := k
		want.Clinic, want.CreatedAt, want.ExpiresAt = c.Who.Clinic, stored(k.CreatedAt), storedPtr(k.ExpiresAt)
		got, clinic, err := c.KeyByHash(t.Context(), hash)
		same(t, want, got, err)
		if clinic.ID != c.Who.Clinic {
			t.Errorf("it is of clinic %v", clinic.ID)
		}
		got, err = c.Key(t.Context(), c.Who, k.ID)
		same(t, want, got, err)
		for what, h := range map[string][]byte{
			"none": nil, "empty": {}, "a prefix": hash[:31], "longer": append(append([]byte{}, hash...), 0), "zeros": make([]byte, 32),
		} {
			if _, _, err := c.KeyByHash(t.Context(), h); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", what, err)
			}
		}
	}},
	{"a key is of the clinic of who makes it, whatever it says", func(t *testing.T, c *Clinic) {
		other := c.Database.Clinic(t)
		k, hash := newKey()
		k.Clinic = other.Who.Clinic
		if err := c.CreateKey(t.Context(), c.Who, k, hash); err != nil {
			t.Fatal(err)
		}
		if got, _, err := c.KeyByHash(t.Context(), hash); err != nil || got.Clinic != c.Who.Clinic {
			t.Errorf("the key is of clinic %v (%v)", got.Clinic, err)
		}
	}},
	{"a hash is one key's, in any clinic", func(t *testing.T, c *Clinic) {
		k, hash := newKey()
		if err := c.CreateKey(t.Context(), c.Who, k, hash); err != nil {
			t.Fatal(err)
		}
		other := c.Database.Clinic(t)
		k.ID = NewID()
		if err := other.CreateKey(t.Context(), other.Who, k, hash); err == nil {
			t.Error("another clinic has a key of the same hash")
		}
	}},
	{"a key that ends keeps everything else and stays in the list", func(t *testing.T, c *Clinic) {
		k, hash := newKey()
		k.Scopes = new(auth.PermissionsOf(auth.ReadInstruments, auth.WriteAssessments))
		if err := c.CreateKey(t.Context(), c.Who, k, hash); err != nil {
			t.Fatal(err)
		}
		k.RevokedAt, k.ExpiresAt, k.ReplacedBy = new(When), new(When.Add(time.Hour)), new(NewID())
		if err := c.EndKey(t.Context(), c.Who, k); err != nil {
			t.Fatal(err)
		}
		if err := c.KeyUsed(t.Context(), c.Who, k.ID, When); err != nil {
			t.Fatal(err)
		}
		want := k
		want.Clinic, want.CreatedAt, want.ExpiresAt, want.RevokedAt = c.Who.Clinic, stored(k.CreatedAt), storedPtr(k.ExpiresAt), storedPtr(k.RevokedAt)
		want.LastUsedAt = new(stored(When))
		got, _, err := c.KeyByHash(t.Context(), hash)
		same(t, want, got, err)
		if all, err := c.Keys(t.Context(), c.Who, uuid.Nil, 9); err != nil || len(all) != 2 {
			t.Errorf("%d keys, %v", len(all), err)
		}
		if admin, err := c.Key(t.Context(), c.Who, c.Who.Actor); err != nil || admin.RevokedAt != nil {
			t.Errorf("another key was revoked too: %v, %v", admin.RevokedAt, err)
		}
	}},
	{"a slug is one clinic's; founding it again stores nothing", func(t *testing.T, c *Clinic) {
		slug := "slug-" + NewID().String()
		first := auth.Clinic{ID: NewID(), Slug: slug, CreatedAt: When}
		k, hash := newKey()
		k.Clinic = first.ID
		founded, err := c.FoundClinic(t.Context(), first, k, hash, Entry(auth.System(first.ID)))
		if err != nil || !founded {
			t.Fatalf("founded %t, %v", founded, err)
		}
		second, k2, hash2 := first, k, []byte("another hash")
		second.ID, k2.ID = NewID(), NewID()
		k2.Clinic = second.ID
		if founded, err = c.FoundClinic(t.Context(), second, k2, hash2, Entry(auth.System(second.ID))); err != nil || founded {
			t.Errorf("founded a second time %t, %v", founded, err)
		}
		if _, _, err := c.KeyByHash(t.Context(), hash2); !fault.Is(err, fault.NotFound) {
			t.Errorf("the second founder's key: %v", err)
		}
		want := first
		want.CreatedAt = stored(want.CreatedAt)
		got, err := c.ClinicBySlug(t.Context(), slug)
		same(t, want, got, err)
		if _, err := c.ClinicBySlug(t.Context(), slug+"x"); !fault.Is(err, fault.NotFound) {
			t.Errorf("an unknown slug: %v", err)
		}
	}},
	{"a clinic without its first key is not founded", func(t *testing.T, c *Clinic) {
		k, hash := newKey()
		if err := c.CreateKey(t.Context(), c.Who, k, hash); err != nil {
			t.Fatal(err)
		}
		slug := "slug-" + NewID().String()
		k.ID, k.Clinic = NewID(), NewID()
		if founded, err := c.FoundClinic(context.Background(), auth.Clinic{ID: k.Clinic, Slug: slug, CreatedAt: When}, k, hash, Entry(auth.System(k.Clinic))); err == nil || founded {
			t.Errorf("founded %t, %v", founded, err)
		}
		if _, err := c.ClinicBySlug(t.Context(), slug); !fault.Is(err, fault.NotFound) {
			t.Errorf("the clinic without a key: %v", err)
		}
	}},
}
