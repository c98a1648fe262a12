package audit

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
)

// A file of exported entries is NDJSON: a header, a line for each checkpoint,
// a line for each entry, and a footer, without which it is cut off. The
// checkpoints come before the entries, so that the file is checked in one pass
// with little memory.
const (
	fileFormat  = "protrack-audit"
	fileVersion = 1
)

type fileHeader struct {
	Format     string    `json:"format"`
	Version    int       `json:"version"`
	Clinic     uuid.UUID `json:"clinic"`
	ExportedAt string    `json:"exported_at"`
	Keys       []string  `json:"verifier_keys"` // for comparison with those that the reader knows; nothing vouches for them
}

// A fileLine has one of its members.
type fileLine struct {
	Checkpoint *string     `json:"checkpoint,omitzero"`
	Entry      *fileEntry  `json:"entry,omitzero"`
	Footer     *fileFooter `json:"footer,omitzero"`
}

type fileEntry struct {
	Seq     int64       `json:"seq"`
	Hash    string      `json:"hash"`
	Content record      `json:"content"` // byte for byte what is hashed
	Clients []uuid.UUID `json:"clients,omitempty"`
}

type fileFooter struct {
	Entries     int64  `json:"entries"`
	Checkpoints int    `json:"checkpoints"`
	Seq         int64  `json:"seq"`
	Hash        string `json:"hash"`
}

// WriteExport writes a clinic's chain as a file that VerifyExport checks by
// itself. The entries come in the order of their numbers and have their
// Clients. It stops at the first error of the entries or of w; what it has
// written by then lacks the last line and is recognised as cut off.
func WriteExport(w io.Writer, clinic uuid.UUID, exportedAt time.Time, entries iter.Seq2[Sealed, error], checkpoints, verifierKeys []string) error {
	out := bufio.NewWriter(w)
	header := fileHeader{
		Format: fileFormat, Version: fileVersion, Clinic: clinic,
		ExportedAt: exportedAt.UTC().Format(timeForm), Keys: verifierKeys,
	}
	if err := writeLine(out, header); err != nil {
		return err
	}
	for _, text := range checkpoints {
		if err := writeLine(out, fileLine{Checkpoint: &text}); err != nil {
			return err
		}
	}
	footer := fileFooter{Checkpoints: len(checkpoints), Hash: hex.EncodeToString(make([]byte, 32))}
	for s, err := range entries {
		if err != nil {
			return fmt.Errorf("export audit entries: %w", err)
		}
		hash := hex.EncodeToString(s.Hash[:])
		line := fileEntry{Seq: s.Seq, Hash: hash, Content: s.record(), Clients: s.Clients}
		if err := writeLine(out, fileLine{Entry: &line}); err != nil {
			return err
		}
		footer.Entries++
		footer.Seq, footer.Hash = s.Seq, hash
	}
	if err := writeLine(out, fileLine{Footer: &footer}); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("export audit entries: %w", err)
	}
	return nil
}

func writeLine(w io.Writer, line any) error {
	text, err := encodeLine(line)
	if err == nil {
		_, err = w.Write(append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("export audit entries: %w", err)
	}
	return nil
}

// encodeLine gives the only text that says the line.
func encodeLine(line any) ([]byte, error) { return json.Marshal(line, json.Deterministic(true)) }
