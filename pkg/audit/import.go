package audit

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"

	"github.com/protrack/protrack/pkg/fault"
)

// longestLine bounds a line of an exported file, in bytes. An entry that
// concerns 300,000 clients is shorter.
const longestLine = 16 << 20

// VerifyExport checks a file that WriteExport wrote, by itself. Its
// checkpoints must be signed with one of the trusted keys. Without trusted
// keys, those that the file brings along are used: that shows accidents, not
// forgery, and the report's KnownKey is false.
//
// What is wrong with the entries is in the report. An error says that there is
// nothing to report on: a *fault.Error of kind Malformed if the file does not
// begin like one of ours, of kind TooLarge if a line is longer than 16 MiB, or
// an error of reading.
//
// Kept are checkpoints from elsewhere, of any clinic: they show what was cut
// off before or after the file was written.
func VerifyExport(r io.Reader, trusted []note.Verifier, kept ...string) (Report, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longestLine)
	f, err := openFile(lines, trusted)
	if err != nil {
		return Report{}, err
	}
	f.kept = CheckpointsOf(f.clinic, kept)
	for lines.Scan() {
		f.line(lines.Bytes())
	}
	if err := lines.Err(); err != nil {
		return Report{}, readError(err)
	}
	return f.finish(), nil
}

// A file is an exported file while it is read.
type file struct {
	clinic      uuid.UUID
	keys        []note.Verifier
	trusted     bool
	number      int // of the line, from 1
	checkpoints []string
	kept        []string  // from elsewhere
	verifier    *Verifier // nil until the first line that is no checkpoint
	footer      *fileFooter
	strays      []int // lines that stand where they do not belong
}

func openFile(lines *bufio.Scanner, trusted []note.Verifier) (*file, error) {
	if !lines.Scan() {
		if err := lines.Err(); err != nil {
			return nil, readError(err)
		}
		return nil, notAnExport(io.ErrUnexpectedEOF)
	}
	var h fileHeader
	if err := decodeLine(lines.Bytes(), &h); err != nil {
		return nil, notAnExport(err)
	}
	if h.Format != fileFormat || h.Version != fileVersion {
		return nil, notAnExport(fmt.Errorf("format %q, version %d", h.Format, h.Version))
	}
	if _, err := time.Parse(timeForm, h.ExportedAt); err != nil {
		return nil, notAnExport(err)
	}
	f := &file{clinic: h.Clinic, keys: trusted, trusted: len(trusted) > 0, number: 1}
	if !f.trusted {
		own, err := Verifiers(h.Keys...)
		if err != nil {
			return nil, notAnExport(err)
		}
		f.keys = own
	}
	return f, nil
}

// line takes the next line.
func (f *file) line(text []byte) {
	f.number++
	var l fileLine
	err := decodeLine(text, &l)
	if err == nil {
		err = l.check()
	}
	switch {
	case f.footer != nil:
		f.strays = append(f.strays, f.number)
	case err == nil && l.Checkpoint != nil && f.verifier == nil:
		f.checkpoints = append(f.checkpoints, *l.Checkpoint)
	case err == nil && l.Checkpoint != nil:
		f.strays = append(f.strays, f.number)
	case err == nil && l.Footer != nil:
		f.entries()
		f.footer = l.Footer
	case err == nil:
		f.entry(l.Entry)
	default:
		f.entries().unreadableLine(f.number)
	}
}

// together lists the checkpoints of both, those in both once.
func together(own, kept []string) []string {
	all, known := slices.Clone(own), map[string]bool{}
	for _, text := range own {
		known[text] = true
	}
	for _, text := range kept {
		if !known[text] {
			known[text] = true
			all = append(all, text)
		}
	}
	return all
}

// check refuses a line that says two things, or nothing.
func (l fileLine) check() error {
	n := 0
	for _, there := range []bool{l.Checkpoint != nil, l.Entry != nil, l.Footer != nil} {
		if there {
			n++
		}
	}
	if n != 1 {
		return fmt.Errorf("%d things in one line", n)
	}
	return nil
}

// entries gives the verifier, once all checkpoints are known.
func (f *file) entries() *Verifier {
	if f.verifier == nil {
		f.verifier = NewVerifier(f.clinic, together(f.checkpoints, f.kept), f.keys)
	}
	return f.verifier
}

func (f *file) entry(line *fileEntry) {
	v := f.entries()
	s, err := line.sealed()
	if err != nil {
		v.unreadableLine(f.number)
		return
	}
	v.Add(s)
}

func (f *file) finish() Report {
	v := f.entries()
	for _, number := range f.strays {
		v.fault(0, uuid.Nil, KindInserted, "Line %d does not belong where it stands.", number)
	}
	if f.footer == nil {
		v.fault(v.next, uuid.Nil, KindTruncated, "The file ends without its last line: entries from %d on may be missing.", v.next)
		return f.report(nil)
	}
	v.lost(f.footer.Seq)
	if f.footer.Entries != v.report.Entries || f.footer.Checkpoints != len(f.checkpoints) {
		v.fault(f.footer.Seq, uuid.Nil, KindHead, "The last line counts %d entries and %d checkpoints; the file has %d and %d.",
			f.footer.Entries, f.footer.Checkpoints, v.report.Entries, len(f.checkpoints))
	}
	head := &Head{Clinic: f.clinic, Seq: f.footer.Seq}
	if !decodeHash(&head.Hash, f.footer.Hash) {
		v.fault(f.footer.Seq, uuid.Nil, KindHead, "The last line has no hash.")
	}
	return f.report(head)
}

func (f *file) report(head *Head) Report {
	if head == nil { // said already, and better
		last := f.verifier.last()
		head = &last
	}
	r := f.verifier.Finish(head, 0, nil)
	r.KnownKey = f.trusted
	return r
}

// last is the head that the entries so far give.
func (v *Verifier) last() Head { return Head{Clinic: v.clinic, Seq: v.next - 1, Hash: v.prev} }

// unreadableLine takes a line that may have been an entry. What comes next
// shows whether its number is missing.
func (v *Verifier) unreadableLine(number int) {
	v.blank++
	v.fault(v.next, uuid.Nil, KindAltered, "Line %d, where entry %d is expected, cannot be read.", number, v.next)
}

func (l fileEntry) sealed() (Sealed, error) {
	e, err := l.Content.entry()
	if err != nil {
		return Sealed{}, err
	}
	e.Clients = l.Clients
	s := Sealed{Entry: e, Seq: l.Seq}
	if !decodeHash(&s.Hash, l.Hash) {
		return Sealed{}, errors.New("not a hash")
	}
	return s, nil
}

// decodeHash reads 64 hexadecimal digits in lower case.
func decodeHash(to *[32]byte, text string) bool {
	raw, err := hex.DecodeString(text)
	return err == nil && copy(to[:], raw) == len(to) && hex.EncodeToString(to[:]) == text
}

// decodeLine reads a line in the form that it was written in. Any other form,
// even of the same content, is refused, so that nothing can hide in it.
func decodeLine(text []byte, to any) error {
	if err := json.Unmarshal(text, to, json.RejectUnknownMembers(true)); err != nil {
		return err
	}
	again, err := encodeLine(to)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, text) {
		return errors.New("not in the form that is written")
	}
	return nil
}

func notAnExport(cause error) error {
	return fault.New(fault.Malformed, "The file is not an export of audit entries.").Because(cause)
}

func readError(err error) error {
	if errors.Is(err, bufio.ErrTooLong) {
		return fault.New(fault.TooLarge, "A line of the file is longer than 16 MiB.").Because(err)
	}
	return fmt.Errorf("read audit entries: %w", err)
}
