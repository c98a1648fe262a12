package audit

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// Checkpoint signs, stores and publishes the end of each clinic's chain that
// has grown since its last checkpoint. One that cannot be published is tried
// again at the next turn, or the one that has taken its place by then. After a
// start each clinic's end is published once, for this process does not know
// what the one before it managed to. The error joins those of all clinics.
func (s *Sealer) Checkpoint(ctx context.Context) error {
	if s.Signer == nil {
		return nil
	}
	clinics, err := s.Ledger.Clinics(ctx)
	if s.noted(ctx, chore{uuid.Nil, "list clinics for checkpoints"}, err) != nil {
		return fmt.Errorf("list the clinics: %w", err)
	}
	var errs []error
	for _, clinic := range clinics {
		err := s.checkpoint(ctx, clinic)
		if s.noted(ctx, chore{clinic, "checkpoint"}, err) != nil {
			errs = append(errs, fmt.Errorf("audit checkpoint of clinic %s: %w", clinic, err))
		}
	}
	return errors.Join(errs...)
}

func (s *Sealer) checkpoint(ctx context.Context, clinic uuid.UUID) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	// The head is asked for last: it may grow meanwhile, and must not seem to
	// have shrunk.
	published := s.publishedUntil(clinic)
	stored, _, err := s.Ledger.LastCheckpoint(ctx, clinic)
	if err != nil {
		return err
	}
	head, err := s.Ledger.Head(ctx, clinic)
	if err != nil {
		return err
	}
	if signed := max(stored, published); head.Seq < signed {
		return fmt.Errorf("the chain ends at entry %d, and was at %d when it was last signed", head.Seq, signed)
	}
	publish := s.Publish != nil && head.Seq > published
	if head.Seq == 0 || head.Seq == stored && !publish {
		return nil
	}
	at := s.now()
	text, err := Sign(s.Signer, head, at)
	if err != nil {
		return err
	}
	if head.Seq > stored {
		if err := s.Ledger.PutCheckpoint(ctx, clinic, head.Seq, at, text); err != nil {
			return err
		}
	}
	if !publish {
		return nil
	}
	if err := s.Publish(ctx, text); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.published == nil {
		s.published = map[uuid.UUID]int64{}
	}
	s.published[clinic] = head.Seq
	return nil
}

func (s *Sealer) publishedUntil(clinic uuid.UUID) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.published[clinic]
}
