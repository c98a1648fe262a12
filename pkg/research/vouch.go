package research

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
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
func vouched(signed []byte, origin string, sum []byte, keys note.Verifiers) error {
	n, err := note.Open(signed, keys)
	if err != nil {
		return fault.New(fault.Invalid, "The signature is not one of a known key.").Because(err)
	}
	if n.Text != vouchText(origin, sum) {
		return fault.New(fault.Invalid, "The signature is one of something else.")
	}
	var exact strings.Builder
	exact.WriteString(n.Text + "\n")
	for _, s := range n.Sigs {
		if _, err := base64.StdEncoding.Strict().DecodeString(s.Base64); err != nil {
			return fault.New(fault.Invalid, "The signature is not written as it was made.").Because(err)
		}
		fmt.Fprintf(&exact, "— %s %s\n", s.Name, s.Base64)
	}
	if exact.String() != string(signed) {
		return fault.New(fault.Invalid, "The signature is not written as it was made.")
	}
	return nil
}

// VerifyPackage checks the package of a snapshot, without the server that made
// it: the seal of the whole file, the manifest's signature, and that the files
// are those of the manifest. A *fault.Error of kind Invalid says what is not so.
func VerifyPackage(r io.ReaderAt, size int64, keys ...note.Verifier) (Manifest, error) {
	var m Manifest
	trusted := note.VerifierList(keys...)
	p, err := export.OpenPackage(r, size)
	if err != nil {
		return m, err
	}
	if err := vouched([]byte(p.Seal), packageOrigin, p.Sum, trusted); err != nil {
		return m, fmt.Errorf("the package's seal: %w", err)
	}
	sum := sha256.Sum256(p.Manifest)
	if err := vouched(p.Signature, manifestOrigin, sum[:], trusted); err != nil {
		return m, fmt.Errorf("%s: %w", export.ManifestFile, err)
	}
	if err := json.Unmarshal(p.Manifest, &m); err != nil {
		return m, fault.New(fault.Invalid, "The manifest cannot be read.").Because(err)
	}
	if !slices.Equal(m.Files, p.Files) {
		return m, fault.New(fault.Invalid, "The files are not those of the manifest.")
	}
	return m, nil
}
