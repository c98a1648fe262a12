package audit

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"

	"github.com/protrack/protrack/pkg/fault"
)

// origin begins the first line of a checkpoint's text, and says what is signed.
const origin = "protrack audit "

// SignerKey is a private key in the clear. It prints as *** everywhere.
type SignerKey string

// String hides the key.
func (SignerKey) String() string { return "***" }

// GoString hides the key from %#v.
func (SignerKey) GoString() string { return "***" }

// MarshalText hides the key from JSON and every other text encoding.
func (SignerKey) MarshalText() ([]byte, error) { return []byte("***"), nil }

// LogValue hides the key from slog.
func (SignerKey) LogValue() slog.Value { return slog.StringValue("***") }

// Signer reads the key. What is not a key gives a *fault.Error of kind Invalid.
func (k SignerKey) Signer() (note.Signer, error) {
	signer, err := note.NewSigner(string(k))
	if err != nil {
		return nil, fault.New(fault.Invalid, "This is not a private key for audit checkpoints.").Because(err)
	}
	return signer, nil
}

// NewKey makes an Ed25519 key pair. The name says whose key it is; it has no
// space and no plus sign. The verifier's key is public: give it to whoever is
// to check.
func NewKey(name string) (SignerKey, string, error) {
	signer, verifier, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return "", "", fmt.Errorf("make an audit key: %w", err)
	}
	if _, err := note.NewVerifier(verifier); err != nil {
		return "", "", fault.New(fault.Invalid, "The name of a key is not empty, and has no space and no plus sign.").Because(err)
	}
	return SignerKey(signer), verifier, nil
}

// Verifiers reads public keys, the present one and those before it. What is
// not a key gives a *fault.Error of kind Invalid.
func Verifiers(keys ...string) ([]note.Verifier, error) {
	keys = slices.Compact(slices.Sorted(slices.Values(keys))) // a key twice would be ambiguous
	list := make([]note.Verifier, len(keys))
	for i, key := range keys {
		v, err := note.NewVerifier(key)
		if err != nil {
			return nil, fault.New(fault.Invalid, "This is not a public key for audit checkpoints.").Because(err)
		}
		list[i] = v
	}
	return list, nil
}

// Checkpoint says that a clinic's chain had this hash at this number.
type Checkpoint struct {
	Clinic uuid.UUID
	Seq    int64 // 1 or more
	Hash   [32]byte
	At     time.Time // when it was signed: UTC, whole microseconds
}

// text is what is signed: the origin with the clinic, the number, the hash and
// the time, a line each.
func (c Checkpoint) text() string {
	return origin + c.Clinic.String() + "\n" +
		strconv.FormatInt(c.Seq, 10) + "\n" +
		base64.StdEncoding.EncodeToString(c.Hash[:]) + "\n" +
		c.At.UTC().Format(timeForm) + "\n"
}

// Sign gives the signed note of a head. A chain without entries has none.
func Sign(signer note.Signer, head Head, at time.Time) (string, error) {
	if head.Seq < 1 {
		return "", errors.New("sign an audit checkpoint: the chain is empty")
	}
	c := Checkpoint{Clinic: head.Clinic, Seq: head.Seq, Hash: head.Hash, At: at}
	signed, err := note.Sign(&note.Note{Text: c.text()}, signer)
	if err != nil {
		return "", fmt.Errorf("sign an audit checkpoint: %w", err)
	}
	return string(signed), nil
}

// OpenCheckpoint reads what Sign gave. Text in any other form gives a
// *fault.Error of kind Malformed; one that none of the verifiers' keys signed,
// or that has a wrong signature of one of them, gives kind Invalid.
func OpenCheckpoint(text string, verifiers []note.Verifier) (Checkpoint, error) {
	signed, err := note.Open([]byte(text), note.VerifierList(verifiers...))
	if _, unknown := errors.AsType[*note.UnverifiedNoteError](err); unknown {
		return Checkpoint{}, fault.New(fault.Invalid, "The checkpoint is not signed with a known key.").Because(err)
	}
	if _, forged := errors.AsType[*note.InvalidSignatureError](err); forged {
		return Checkpoint{}, fault.New(fault.Invalid, "The checkpoint's signature is wrong.").Because(err)
	}
	if err != nil {
		return Checkpoint{}, notACheckpoint(err)
	}
	return parseCheckpoint(signed.Text)
}

// CheckpointsOf gives those of the checkpoints that say they are of the clinic.
// Nothing is checked.
func CheckpointsOf(clinic uuid.UUID, texts []string) []string {
	var of []string
	for _, text := range texts {
		if strings.HasPrefix(text, origin+clinic.String()+"\n") {
			of = append(of, text)
		}
	}
	return of
}

// readCheckpoint reads a checkpoint without asking who signed it.
func readCheckpoint(text string) (Checkpoint, error) {
	_, err := note.Open([]byte(text), note.VerifierList())
	unverified, ok := errors.AsType[*note.UnverifiedNoteError](err)
	if !ok {
		return Checkpoint{}, notACheckpoint(err)
	}
	return parseCheckpoint(unverified.Note.Text)
}

// parseCheckpoint reads the signed text. It is right if writing what was read
// gives the same text again.
func parseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.Split(strings.TrimPrefix(text, origin), "\n")
	if len(lines) != 5 {
		return Checkpoint{}, notACheckpoint(errors.New("not four lines"))
	}
	clinic, err1 := uuid.Parse(lines[0])
	seq, err2 := strconv.ParseInt(lines[1], 10, 64)
	hash, err3 := base64.StdEncoding.DecodeString(lines[2])
	at, err4 := time.Parse(timeForm, lines[3])
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return Checkpoint{}, notACheckpoint(err)
	}
	c := Checkpoint{Clinic: clinic, Seq: seq, At: at}
	copy(c.Hash[:], hash)
	if c.Seq < 1 || c.text() != text {
		return Checkpoint{}, notACheckpoint(errors.New("not in the form that is signed"))
	}
	return c, nil
}

func notACheckpoint(cause error) error {
	return fault.New(fault.Malformed, "The text is not an audit checkpoint.").Because(cause)
}
