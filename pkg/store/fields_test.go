package store_test

import (
	"testing"

	"github.com/protrack/protrack/pkg/seal"
	"github.com/protrack/protrack/pkg/store/storetest"
)

func newKeys(t testing.TB) *seal.Keys {
	t.Helper()
	keys, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func rotated(t testing.TB, keys *seal.Keys) *seal.Keys {
	t.Helper()
	again, err := keys.Rotated()
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func TestEveryPromiseOfAStoreHoldsForEncryptedNames(t *testing.T) {
	keys := rotated(t, newKeys(t))
	storetest.Each(t, func(t *testing.T, d *storetest.Database) { storetest.Exercise(t, d.With(t, keys)) })
}
