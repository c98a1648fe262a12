package audit

import (
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"
)

// The kinds of fault.
const (
	KindAltered    = "altered"    // the hash does not fit the content
	KindRemoved    = "removed"    // numbers are missing
	KindReordered  = "reordered"  // the entry belongs in another place
	KindInserted   = "inserted"   // a number or an id stands for the second time
	KindTruncated  = "truncated"  // the head or a checkpoint is ahead of the last entry
	KindHead       = "head"       // the stored head is not the last entry
	KindCheckpoint = "checkpoint" // a checkpoint disagrees with the chain, or is not to be trusted
	KindClients    = "clients"    // the clients beside the entry are not those of its digest
)

// mostFaults is how many faults a report keeps. More than these tell nothing.
const mostFaults = 100

// Fault is one thing that is wrong with a chain.
type Fault struct {
	Seq     int64     // number of the entry, or the first of those concerned; 0 where none is
	Entry   uuid.UUID // its id; uuid.Nil where there is no such entry
	Kind    string    // one of the Kind constants
	Message string    // one sentence; it holds numbers and ids only
}

// Report is what a Verifier found.
type Report struct {
	Clinic         uuid.UUID
	Entries        int64      // entries seen
	Faults         []Fault    // by number; the first 100
	FaultCount     int64      // all of them
	Checkpoints    int        // checkpoints that agree with the chain
	KnownKey       bool       // the checkpoints' signatures were checked with keys that the caller trusts
	Confirmed      int64      // number of the last entry up to which a checkpoint agrees; 0: none
	Unsealed       int        // entries that are not in the chain yet
	OldestUnsealed *time.Time // when the oldest of them was made; nil: none
}

// OK reports whether nothing is wrong. With KnownKey false, or entries after
// Confirmed, that only says that the chain agrees with itself.
func (r Report) OK() bool { return r.FaultCount == 0 }

// add counts a fault and keeps it if there is room.
func (r *Report) add(f Fault) {
	r.FaultCount++
	if len(r.Faults) < mostFaults {
		r.Faults = append(r.Faults, f)
	}
}

func (r *Report) sort() {
	slices.SortStableFunc(r.Faults, func(a, b Fault) int { return cmp.Compare(a.Seq, b.Seq) })
}
