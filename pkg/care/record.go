package care

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
	"github.com/protrack/protrack/pkg/instrument"
)

// Recorded is what became of one assessment of a batch.
type Recorded struct {
	Assessment Assessment
	Outcome    Outcome
	Err        error // why it was Refused: always a *fault.Error
}

// MayRecord says whether the principal may record assessments at all, for a
// caller that has much to read before it can ask.
func (s *Service) MayRecord(ctx context.Context, who auth.Principal) error {
	return s.require(ctx, who, auth.WriteAssessments)
}

// RecordAssessments stores assessments, of one client or of many. It is the
// only way in, for a single form, for a batch and for an import.
//
// Each is answered for itself: a bad one spoils no other. All good ones are
// stored in one transaction, with the progress they move, so an error means
// that none was. An id in use with the same content is Known, with other
// content a Conflict. The number of statements grows neither with the batch
// nor with the clients' histories.
func (s *Service) RecordAssessments(ctx context.Context, who auth.Principal, in []Assessment) ([]Recorded, error) {
	if err := s.require(ctx, who, auth.WriteAssessments); err != nil {
		return nil, err
	}
	b := &batch{service: s, who: who, out: make([]Recorded, len(in)), defs: make([]*instrument.Definition, len(in))}
	for i, a := range in {
		b.out[i].Assessment = a
	}
	// Known ids first: what was taken once is not judged by today's rules again.
	if err := s.Store.Read(ctx, who, func(r Reader) error { return b.settleKnown(ctx, r) }); err != nil {
		return nil, err
	}
	for _, i := range b.open() {
		b.prepare(i)
	}
	if len(b.open()) == 0 {
		return b.out, nil
	}
	undecided := append([]Recorded(nil), b.out...)
	err := s.Store.Write(ctx, who, func(tx Tx) error {
		copy(b.out, undecided) // a retried transaction starts afresh
		return b.store(ctx, tx)
	})
	if err != nil {
		return nil, err
	}
	return b.out, nil
}

// batch carries the assessments of one call through its steps. An element
// whose Outcome is Refused and whose Err is nil is still open.
type batch struct {
	service *Service
	who     auth.Principal
	out     []Recorded
	defs    []*instrument.Definition
}

// prepare checks an element that is new.
func (b *batch) prepare(i int) {
	a, def, details := b.service.prepare(b.out[i].Assessment)
	if b.who.Role == auth.Client && a.Mode != BySelf {
		details = append(details, notBySelf)
	}
	if def != nil {
		// Scored once without the record, to name every fault at once; scored
		// again with it in the transaction.
		details = append(details, b.service.score(&a, def, instrument.Unknown, nil)...)
	}
	if a.ID == uuid.Nil {
		a.ID = b.service.NewID()
	}
	b.out[i], b.defs[i] = Recorded{Assessment: a}, def
	b.refuse(i, fault.InvalidIf(details))
}

// notBySelf: what comes from a client's own phone was filled in by the client.
var notBySelf = fault.Detail{Pointer: "/mode", Code: "not_self", Message: "With a client's token the mode is self."}

func (b *batch) refuse(i int, err error) {
	if err != nil {
		b.out[i].Outcome, b.out[i].Err = Refused, err
	}
}

// open lists the elements that are not decided yet.
func (b *batch) open() []int {
	var open []int
	for i, r := range b.out {
		if r.Outcome == Refused && r.Err == nil {
			open = append(open, i)
		}
	}
	return open
}

// settleKnown decides the elements whose ids are stored already.
func (b *batch) settleKnown(ctx context.Context, r Reader) error {
	open := b.open()
	var ids []uuid.UUID
	for _, i := range open {
		if id := b.out[i].Assessment.ID; id != uuid.Nil {
			ids = append(ids, id)
		}
	}
	known, err := r.AssessmentHistories(ctx, b.who, ids)
	if err != nil {
		return err
	}
	var told []Assessment
	for _, i := range open {
		if h, found := known[b.out[i].Assessment.ID]; found {
			b.decideKnown(i, h)
		}
		if a := b.out[i]; a.Outcome == Known {
			told = append(told, a.Assessment)
		}
	}
	// Their scores are told again: one entry for all, for a phone that was
	// offline sends the same thousand until it hears of them.
	switch len(told) {
	case 0:
	case 1:
		r.Note(b.service.did(b.who, "assessment.read", "assessment", told[0].ID, told[0].ClientID))
	default:
		r.Note(b.service.saw(b.who, "assessment.list", idsOf(told, func(a Assessment) uuid.UUID { return a.ClientID })))
	}
	return nil
}

func (b *batch) decideKnown(i int, h History) {
	asked := b.out[i].Assessment
	if !asked.repeats(h.Original) && !asked.repeats(h.Current) {
		b.refuse(i, ErrIDTaken)
		return
	}
	b.out[i] = Recorded{Assessment: h.Current, Outcome: Known}
	if !b.who.May(auth.ReadAssessments) {
		// Who may only write is told what was sent, not what became of it since.
		b.out[i].Assessment = h.Original
	}
}

// store decides every open element inside one transaction.
func (b *batch) store(ctx context.Context, tx Tx) error {
	clients, err := b.lockClients(ctx, tx)
	if err != nil {
		return err
	}
	// Who had to wait for the locks, as in a storm of retries, finds here what
	// another stored for these clients, and keeps the next one waiting no longer.
	if err := b.settleKnown(ctx, tx); err != nil {
		return err
	}
	if len(b.open()) == 0 {
		return nil
	}
	if err := b.checkSessions(ctx, tx); err != nil {
		return err
	}
	set, err := tx.Settings(ctx, b.who)
	if err != nil {
		return err
	}
	first := map[uuid.UUID]int{} // where each new id stands first in the batch
	var repeats []int
	var rows []Assessment
	for _, i := range b.open() {
		a := &b.out[i].Assessment
		if _, seen := first[a.ID]; seen {
			repeats = append(repeats, i)
			continue
		}
		if details := b.service.score(a, b.defs[i], clients[a.ClientID].Sex, set); len(details) > 0 {
			b.refuse(i, fault.InvalidIf(details))
			continue
		}
		a.Revision = b.service.next(b.who, Revision{})
		first[a.ID] = i
		rows = append(rows, *a)
	}
	inserted, err := tx.InsertAssessments(ctx, b.who, rows)
	if err != nil {
		return err
	}
	for _, a := range rows {
		if inserted[a.ID] {
			b.out[first[a.ID]].Outcome = Created
			tx.Note(b.service.did(b.who, "assessment.create", "assessment", a.ID, a.ClientID, audit.Diff(nil, a.fields())...))
			tx.Emit(b.service.happened(AssessmentRecorded, a.ClientID, map[string]string{"assessment_id": a.ID.String(), "instrument": a.Instrument}))
		}
	}
	for _, i := range repeats {
		a := b.out[first[b.out[i].Assessment.ID]]
		if a.Outcome == Created {
			b.decideKnown(i, History{Current: a.Assessment, Original: a.Assessment})
		}
	}
	// What is still open was stored meanwhile for another client, or for one
	// whom the principal cannot see.
	for _, i := range b.open() {
		b.refuse(i, ErrIDTaken)
	}
	return b.follow(ctx, tx, set)
}

// lockClients locks the clients of the open elements, in the order of their
// ids so that two batches never wait for each other, and reads them.
func (b *batch) lockClients(ctx context.Context, tx Tx) (map[uuid.UUID]Client, error) {
	var ids []uuid.UUID
	seen := map[uuid.UUID]bool{}
	for _, i := range b.open() {
		if id := b.out[i].Assessment.ClientID; !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	clients, err := tx.LockedClients(ctx, b.who, ids)
	if err != nil {
		return nil, err
	}
	for _, i := range b.open() {
		switch client, found := clients[b.out[i].Assessment.ClientID]; {
		case !found:
			b.refuse(i, errNoSuchClient)
		case client.ErasedAt != nil:
			b.refuse(i, ErrErased)
		}
	}
	return clients, nil
}

var errNoSuchClient = fault.New(fault.NotFound, "There is no such client.",
	fault.Detail{Pointer: "/client_id", Code: "unknown_client", Message: "This clinic has no such client."})

// checkSessions refuses the open elements whose session is not their client's.
func (b *batch) checkSessions(ctx context.Context, tx Tx) error {
	var ids []uuid.UUID
	for _, i := range b.open() {
		if id := b.out[i].Assessment.SessionID; id != nil {
			ids = append(ids, *id)
		}
	}
	owners, err := tx.SessionClients(ctx, b.who, ids)
	if err != nil {
		return err
	}
	for _, i := range b.open() {
		a := b.out[i].Assessment
		if a.SessionID == nil {
			continue
		}
		if owner, found := owners[*a.SessionID]; !found || owner != a.ClientID {
			b.refuse(i, fault.InvalidIf([]fault.Detail{unknownSession}))
		}
	}
	return nil
}

// follow moves what follows from what was created: the read model and the alerts.
func (b *batch) follow(ctx context.Context, tx Tx, set Settings) error {
	var created []Assessment
	var clients []uuid.UUID
	var instruments []string
	seenClient, seenInstrument := map[uuid.UUID]bool{}, map[string]bool{}
	for _, r := range b.out {
		if r.Outcome != Created {
			continue
		}
		created = append(created, r.Assessment)
		if a := r.Assessment; !seenClient[a.ClientID] {
			seenClient[a.ClientID] = true
			clients = append(clients, a.ClientID)
		}
		if a := r.Assessment; !seenInstrument[a.Instrument] {
			seenInstrument[a.Instrument] = true
			instruments = append(instruments, a.Instrument)
		}
	}
	if len(clients) == 0 {
		return nil
	}
	m, err := b.service.moveProgressBy(ctx, b.who, tx, set, clients, instruments)
	if err != nil {
		return err
	}
	return b.service.raise(ctx, b.who, tx, set, created, m)
}

func detailsOf(err error) []fault.Detail {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Details
	}
	return []fault.Detail{{Pointer: "", Code: "not_scorable", Message: "The answers cannot be scored."}}
}
