package research

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"golang.org/x/mod/sumdb/note"

	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/fault"
)

// What is signed begins with what it is, so that a signature of one thing is
// none of another.
const (
	manifestOrigin = "protrack snapshot manifest"
	packageOrigin  = "protrack snapshot package"
	repackedOrigin = "protrack snapshot package, its files packed otherwise than at first"
)

// vouch signs the sum of a thing, as a signed note (Ed25519).
func vouch(signer note.Signer, origin string, sum []byte) ([]byte, error) {
	return note.Sign(&note.Note{Text: vouchText(origin, sum)}, signer)
}

func vouchText(origin string, sum []byte) string {
	return origin + "\n" + hex.EncodeToString(sum) + "\n"
}

// vouched checks that a signed note of a known key says that this is the sum,
// and is spelt as it was made: base64 has several spellings of the same bytes.
// It gives the origin, which is one of those named; what names the note to
// people.
func vouched(what string, signed, sum []byte, keys note.Verifiers, origins ...string) (string, error) {
	n, err := note.Open(signed, keys)
	var unknown *note.UnverifiedNoteError
	switch {
	case errors.As(err, &unknown):
		return "", fault.New(fault.Invalid, what+" is not by a key that is trusted.").Because(err)
	case err != nil:
		return "", fault.New(fault.Invalid, what+" is not as it was made.").Because(err)
	}
	at := slices.IndexFunc(origins, func(origin string) bool { return n.Text == vouchText(origin, sum) })
	if at < 0 {
		return "", fault.New(fault.Invalid, what+" is one of other bytes.")
	}
	var exact strings.Builder
	exact.WriteString(n.Text + "\n")
	for _, s := range n.Sigs {
		if _, err := base64.StdEncoding.Strict().DecodeString(s.Base64); err != nil {
			return "", fault.New(fault.Invalid, what+" is not as it was made.").Because(err)
		}
		fmt.Fprintf(&exact, "— %s %s\n", s.Name, s.Base64)
	}
	if exact.String() != string(signed) {
		return "", fault.New(fault.Invalid, what+" is not as it was made.")
	}
	return origins[at], nil
}

// Verified is what the package of a snapshot is found to be.
type Verified struct {
	Manifest
	Repacked bool // the ZIP is not the first one of the snapshot, and its files are the first ones
}

// VerifyPackage checks the package of a snapshot, without the server that made
// it: the seal of the whole file, the manifest's signature, and that the files
// are those of the manifest. A *fault.Error of kind Invalid says what is not so.
func VerifyPackage(r io.ReaderAt, size int64, keys ...note.Verifier) (Verified, error) {
	var v Verified
	trusted := note.VerifierList(keys...)
	p, err := export.OpenPackage(r, size)
	if err != nil {
		return v, err
	}
	origin, err := vouched("The package's seal", []byte(p.Seal), p.Sum, trusted, packageOrigin, repackedOrigin)
	if err != nil {
		return v, err
	}
	v.Repacked = origin == repackedOrigin
	sum := sha256.Sum256(p.Manifest)
	if _, err := vouched("The manifest's signature", p.Signature, sum[:], trusted, manifestOrigin); err != nil {
		return v, err
	}
	if err := json.Unmarshal(p.Manifest, &v.Manifest); err != nil {
		return v, fault.New(fault.Invalid, "The manifest cannot be read.").Because(err)
	}
	if !slices.Equal(v.Files, p.Files) {
		return v, fault.New(fault.Invalid, "The files are not those of the manifest.")
	}
	return v, nil
}
