package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/fault"
)

// sealing is the flags of the audit trail's chain.
type sealing struct {
	auditKey
	AuditCheckpoints string `name:"audit-checkpoints" env:"PROTRACK_AUDIT_CHECKPOINTS" placeholder:"FILE" help:"File, best on another machine's disk, that each signed checkpoint of the audit trail is appended to."`
}

// unsealedAtMost is how old an entry outside of the chain may be before the
// server says that it is not well.
const unsealedAtMost = time.Minute

// sealer links the entries of the audit trail and signs its ends. Without a
// key that can be kept there are no checkpoints, which the log says.
func (s *services) sealer(c sealing, database string, log *slog.Logger) *audit.Sealer {
	out := &audit.Sealer{Ledger: s.db, Log: log}
	key, err := makeKey(c.path(database))
	if err == nil {
		out.Signer, err = key.Private.Signer()
	}
	if err != nil {
		log.Warn("the audit trail has no signed checkpoints: name a place for its key with --audit-key", "error", err.Error())
		return out
	}
	keep := func(context.Context, string) error { return nil }
	if c.AuditCheckpoints != "" {
		keep = publisher(c.AuditCheckpoints)
	}
	out.Publish = func(ctx context.Context, text string) error {
		// The log is a second place, and often on another machine.
		log.InfoContext(ctx, "audit checkpoint", "note", text)
		return keep(ctx, text)
	}
	return out
}

// sealed refuses to be ready while entries wait too long for their place.
func sealed(s *audit.Sealer) error {
	lag, err := s.Health()
	if lag <= unsealedAtMost {
		return nil
	}
	return fault.New(fault.Unavailable, "Entries of the audit trail have not been sealed for "+lag.Round(time.Second).String()+".").Because(err)
}
