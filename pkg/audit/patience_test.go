package audit_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
)

// slow is a ledger on which a batch of more than some entries takes too long.
type slow struct {
	*memory
	most int
}

func (s slow) Seal(ctx context.Context, clinic uuid.UUID, limit int, fn func(audit.Head, []audit.Entry) ([]audit.Sealed, audit.Head)) (int, error) {
	if limit > s.most {
		return 0, context.DeadlineExceeded
	}
	return s.memory.Seal(ctx, clinic, limit, fn)
}

func TestASlowLedgerIsSealedInSmallerBatches(t *testing.T) {
	m := ledger(clinic)
	m.write(clinic, entries(100)...)
	s := &audit.Sealer{Ledger: slow{m, 50}}
	if err := s.Pass(t.Context()); err == nil {
		t.Fatal("the first batch was not too large")
	}
	for range 10 { // each second pass tries a large one again
		_ = s.Pass(t.Context())
	}
	mustVerify(t, m, clinic, 100)
}
