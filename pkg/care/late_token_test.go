//go:build unix

package care_test

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// A token that comes too late would open nothing, and would still tell that the
// client was there.
func TestTokensThatAreMintedDuringAnErasureLeaveNoRow(t *testing.T) {
	each(t, func(t *testing.T, c clinic) {
		keys := &auth.Service{Store: c.DB.DB, Now: c.Clock.Now, NewID: storetest.NewID, Log: slog.New(slog.DiscardHandler)}
		minted, refused := 0, 0
		for range storetest.Size(5, 40) {
			client := c.client(t, uuid.NewString())
			m, r := mintDuringErasure(t, c, keys, client.ID)
			minted, refused = minted+m, refused+r
			for _, table := range []string{"client_tokens", "care_team", "consents", "client_versions"} {
				column := "client_id"
				if table == "client_versions" {
					column = "id"
				}
				if rows := c.Rows(t, c.raw, table, column+" = '"+client.ID.String()+"'"); len(rows) != 0 {
					t.Errorf("%d rows are left in %s", len(rows), table)
				}
			}
		}
		// The control: both came first at times.
		if minted == 0 || refused == 0 {
			t.Errorf("%d were minted and %d refused: nothing came in between", minted, refused)
		}
	})
}

// mintDuringErasure has eight front ends mint until the client is gone.
func mintDuringErasure(t *testing.T, c clinic, keys *auth.Service, client uuid.UUID) (minted, refused int) {
	t.Helper()
	var all sync.WaitGroup
	var good, gone atomic.Int64
	begun := make(chan struct{})
	begin := sync.OnceFunc(func() { close(begun) })
	for range 8 {
		all.Go(func() {
			defer begin() // or a mistake would be waited for
			for {
				_, _, err := keys.MintToken(t.Context(), c.Who, client, nil)
				switch {
				case err == nil:
					good.Add(1)
					begin()
				case fault.Is(err, fault.Gone):
					gone.Add(1)
					return
				default:
					t.Error(err)
					return
				}
			}
		})
	}
	<-begun
	if _, err := c.Care.EraseClient(t.Context(), c.Who, client, care.ClientRequest); err != nil {
		t.Error(err)
	}
	all.Wait()
	return int(good.Load()), int(gone.Load())
}
