//go:build unix

package store_test

import (
	"testing"

	"github.com/protrack/protrack/pkg/store/storetest"
)

func TestEveryPromiseOfAStore(t *testing.T) {
	storetest.Each(t, storetest.Exercise)
}
