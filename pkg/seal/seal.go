// Package seal makes short texts of the record unreadable at rest: names,
// references and the secrets of projects, with a key that the database does not
// hold.
//
// Sealing is deterministic (AES-SIV): the same text at the same place gives the
// same sealed text, so that a unique index goes on finding equal ones. A keyset
// may hold several keys. One seals, the primary; each of them opens.
package seal

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// Prefix marks a sealed text where plain ones are stored too.
const Prefix = "enc:v1:"

// encoding writes what follows the prefix.
var encoding = base64.RawURLEncoding

// Sealed reports whether a stored text is sealed. No plain text may look so.
func Sealed(stored string) bool { return strings.HasPrefix(stored, Prefix) }

// Place is where a text is kept. What was sealed for one place opens at no
// other, so that nobody can move a name to another client.
type Place struct {
	Clinic uuid.UUID
	Column string // with its table, such as client_versions.reference
	// Row is whose text it is. Where it is Nil, equal texts of a clinic's
	// column look equal; otherwise only those of one row do.
	Row uuid.UUID
	// Name is whose text it is where rows have names in place of ids; empty:
	// they do not.
	Name string
}

// bytes are the associated data.
func (p Place) bytes() []byte {
	out := append([]byte{}, p.Clinic[:]...)
	out = append(out, p.Row[:]...)
	out = append(out, p.Column...)
	if p.Name != "" {
		out = append(append(out, 0), p.Name...) // no column's name holds a NUL
	}
	return out
}

var (
	errNoKeys = errors.New("a sealed text was read without field keys")
	errSealed = errors.New("a text that is not sealed looks sealed")
)

// Seal gives the form in which a text is stored. Without keys, and where there
// is nothing to hide, that is the text.
func (k *Keys) Seal(text string, at Place) (string, error) {
	switch {
	case Sealed(text):
		return "", errSealed
	case k == nil || text == "":
		return text, nil
	}
	return sealWith(k.all, text, at)
}

// Open gives the text that was stored. It fails, and gives nothing, where no
// key of the keyset opens a sealed text.
func (k *Keys) Open(stored string, at Place) (string, error) {
	if !Sealed(stored) {
		return stored, nil
	}
	if k == nil {
		return "", errNoKeys
	}
	sealed, err := encoding.Strict().DecodeString(stored[len(Prefix):])
	if err != nil {
		return "", errors.New("a sealed text is damaged")
	}
	text, err := k.all.DecryptDeterministically(sealed, at.bytes())
	if err != nil {
		return "", errors.New("no field key opens a sealed text")
	}
	return string(text), nil
}

// OtherForms are the forms in which a text may be stored besides the one that
// Seal gives: plain, and sealed with the other keys.
func (k *Keys) OtherForms(text string, at Place) ([]string, error) {
	if k == nil || text == "" {
		return nil, nil
	}
	forms := []string{text}
	for _, key := range k.each {
		if key.id == k.primary {
			continue
		}
		form, err := sealWith(key.seals, text, at)
		if err != nil {
			return nil, err
		}
		forms = append(forms, form)
	}
	return forms, nil
}

func sealWith(key deterministic, text string, at Place) (string, error) {
	sealed, err := key.EncryptDeterministically([]byte(text), at.bytes())
	if err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	return Prefix + encoding.EncodeToString(sealed), nil
}

// HeadLen is how many bytes of a sealed text tell its key.
const HeadLen = len(Prefix) + 7

// KeyOf tells which key sealed a text, of which the first HeadLen bytes are
// enough; false if it is plain.
func KeyOf(stored string) (id uint32, sealed bool) {
	if len(stored) < HeadLen || !Sealed(stored) {
		return 0, false
	}
	// Tink begins with a byte of its own and the key's id: 40 bits. An eighth
	// letter makes the seven that hold them a whole number of bytes.
	head, err := encoding.DecodeString(stored[len(Prefix):HeadLen] + "A")
	if err != nil {
		return 0, false
	}
	return binary.BigEndian.Uint32(head[1:5]), true
}
