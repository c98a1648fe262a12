package audit

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"
)

// Verifier checks a clinic's chain while its entries go by. Its memory does
// not grow with them, only with the checkpoints.
//
// Each entry is checked against the stored hash of the one before it. So a
// change of one entry is found there, and does not make faults of all that
// follow.
//
// Entries, head and checkpoints are those of one moment: read them in one
// transaction, or a chain that grows meanwhile looks cut off.
type Verifier struct {
	clinic uuid.UUID
	report Report

	next     int64    // the number that should come
	prev     [32]byte // the stored hash of the last entry
	computed [32]byte // the hash that it should have; differs where it is altered
	anchored bool     // prev is known: no gap and no unreadable entry is before next
	blank    int64    // unreadable lines before next, of which no number is known

	marks    map[int64][]Checkpoint // what checkpoints say, by number, until the entry has come
	ahead    int64                  // the highest number of a checkpoint
	recent   recent
	suspects []suspect
	gaps     []gap
}

// NewVerifier begins at the first entry of the clinic's chain. The checkpoints
// are in any order. They must be signed with one of the trusted keys; without
// trusted keys they are compared with the chain, and no signature is checked.
func NewVerifier(clinic uuid.UUID, checkpoints []string, trusted []note.Verifier) *Verifier {
	v := &Verifier{
		clinic:   clinic,
		report:   Report{Clinic: clinic, KnownKey: len(trusted) > 0},
		next:     1,
		anchored: true,
		marks:    map[int64][]Checkpoint{},
	}
	for _, text := range checkpoints {
		v.expect(text, trusted)
	}
	return v
}

// expect keeps a checkpoint for when its entry comes by.
func (v *Verifier) expect(text string, trusted []note.Verifier) {
	said, malformed := readCheckpoint(text)
	err := malformed
	if err == nil && len(trusted) > 0 {
		_, err = OpenCheckpoint(text, trusted)
	}
	switch {
	case malformed != nil:
		v.fault(0, uuid.Nil, KindCheckpoint, "A checkpoint cannot be read.")
	case err != nil:
		v.fault(said.Seq, uuid.Nil, KindCheckpoint, "The checkpoint of entry %d has no right signature of a known key.", said.Seq)
	case said.Clinic != v.clinic:
		v.fault(said.Seq, uuid.Nil, KindCheckpoint, "The checkpoint of entry %d is of clinic %s.", said.Seq, said.Clinic)
	default:
		v.marks[said.Seq] = append(v.marks[said.Seq], said)
		v.ahead = max(v.ahead, said.Seq)
	}
}

// AddAll takes the entries of a stream, in the order of their numbers. An
// error that is ErrUnreadable is a fault of the entry it comes with; any other
// ends the stream and is returned.
func (v *Verifier) AddAll(entries iter.Seq2[Sealed, error]) error {
	for s, err := range entries {
		switch {
		case errors.Is(err, ErrUnreadable):
			v.AddUnreadable(s)
		case err != nil:
			return err
		default:
			v.Add(s)
		}
	}
	return nil
}

// Add takes the next entry, with its Clients.
func (v *Verifier) Add(s Sealed) {
	content, err := s.digest()
	if err != nil {
		v.AddUnreadable(s)
		return
	}
	if !s.clientsFit() {
		v.fault(s.Seq, s.ID, KindClients, "The clients beside entry %d (%s) are not those that it was written with.", s.Seq, s.ID)
	}
	v.take(s, &content)
}

// AddUnreadable takes the place of Add where an entry's content cannot be
// read. Of s the number, the id and the hash count.
func (v *Verifier) AddUnreadable(s Sealed) {
	v.fault(s.Seq, s.ID, KindAltered, "The content of entry %d (%s) is not such as is written.", s.Seq, s.ID)
	v.take(s, nil)
}

// take puts the entry in its place. Without a content there is nothing that
// its hash could be checked against.
func (v *Verifier) take(s Sealed, content *[32]byte) {
	v.report.Entries++
	switch {
	case s.Seq < 1 || s.Seq == math.MaxInt64:
		v.fault(s.Seq, s.ID, KindInserted, "Entry %s has the number %d, which no entry has.", s.ID, s.Seq)
		return
	case s.Seq < v.next:
		v.late(s, content)
		return
	case s.Seq > v.next:
		v.skip(s, content)
	}
	v.next, v.blank = s.Seq+1, 0
	first, again := v.recent.add(s.ID, s.Seq)
	before := v.place(s.Seq)
	v.prev, v.computed = s.Hash, s.Hash
	if content != nil && v.anchored {
		v.computed = link(v.clinic, before[0], *content)
	}
	if content != nil && v.anchored && v.computed != s.Hash && link(v.clinic, before[1], *content) != s.Hash {
		v.suspect(suspect{place: before[0], id: s.ID, content: *content, stored: s.Hash, first: first})
	} else if again {
		v.fault(s.Seq, s.ID, KindInserted, "Entry %d (%s) stands as entry %d already.", s.Seq, s.ID, first)
	}
	v.anchored = content != nil || s.Hash != [32]byte{}
	v.compare(s)
}

// place gives where the next entry stands: after the stored hash of the last
// one, or, if that is what was altered, after the hash it should have.
func (v *Verifier) place(seq int64) [2]place {
	return [2]place{{seq: seq, prev: v.prev}, {seq: seq, prev: v.computed}}
}

// compare holds the checkpoints of this number against the entry.
func (v *Verifier) compare(s Sealed) {
	for _, c := range v.marks[s.Seq] {
		if !v.anchored {
			break // the entry has no hash to compare, and is a fault already
		}
		if c.Hash != v.prev && c.Hash != v.computed {
			v.fault(s.Seq, s.ID, KindCheckpoint,
				"The checkpoint of entry %d (%s), signed at %s, has another hash: what was signed of entries %d to %d is not what is here.",
				s.Seq, s.ID, c.At.Format(time.RFC3339), v.report.Confirmed+1, s.Seq)
			continue
		}
		v.report.Checkpoints++
		v.report.Confirmed = s.Seq
	}
	delete(v.marks, s.Seq)
}

// Finish says what was found. The head is the stored one, nil if there is
// none; unsealed counts the entries that are not in the chain yet, the oldest
// of which was made at the time given. The verifier is done with.
func (v *Verifier) Finish(head *Head, unsealed int, oldest *time.Time) Report {
	v.resolve()
	for _, g := range v.gaps {
		v.removed(g)
	}
	v.end(head)
	v.report.Unsealed, v.report.OldestUnsealed = unsealed, oldest
	v.report.sort()
	return v.report
}

// end holds the head, and the checkpoints whose entries never came, against
// the last entry.
func (v *Verifier) end(head *Head) {
	last := v.next - 1
	reach, who := v.ahead, "a checkpoint"
	if head != nil && head.Seq >= reach {
		reach, who = head.Seq, "the head"
	}
	if v.lost(reach) {
		last = reach
	}
	if reach > last {
		v.fault(last+1, uuid.Nil, KindTruncated, "%s missing from the end: %s names entry %d.", span(last+1, reach), who, reach)
	}
	switch {
	case head == nil && last > 0:
		v.fault(last, uuid.Nil, KindHead, "The chain has no head; its last entry is %d.", last)
	case head == nil || head.Seq > last:
	case head.Clinic != v.clinic:
		v.fault(head.Seq, uuid.Nil, KindHead, "The head is of clinic %s.", head.Clinic)
	case head.Seq < last:
		v.fault(last, uuid.Nil, KindHead, "The head names entry %d, but the last entry is %d.", head.Seq, last)
	case v.anchored && head.Hash != v.prev && head.Hash != v.computed:
		v.fault(last, uuid.Nil, KindHead, "The head has another hash than entry %d, which is the last.", last)
	}
}

func (v *Verifier) fault(seq int64, id uuid.UUID, kind, format string, args ...any) {
	v.report.add(Fault{Seq: seq, Entry: id, Kind: kind, Message: fmt.Sprintf(format, args...)})
}

// span names a range of entries, with the verb that suits it.
func span(from, to int64) string {
	if from == to {
		return fmt.Sprintf("Entry %d is", from)
	}
	return fmt.Sprintf("Entries %d to %d are", from, to)
}
