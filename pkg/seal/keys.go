package seal

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/tink-crypto/tink-go/v2/daead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

type deterministic = tink.DeterministicAEAD

// Keys seal and open. They print as ***. A nil *Keys seals nothing and opens
// what is plain.
type Keys struct {
	handle  *keyset.Handle
	primary uint32
	all     deterministic // seals with the primary key, opens with any
	each    []one
}

type one struct {
	id    uint32
	seals deterministic
}

// New makes a keyset of one key.
func New() (*Keys, error) {
	handle, err := keyset.NewHandle(daead.AESSIVKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make a field key: %w", err)
	}
	return fromHandle(handle)
}

// errKeyset says nothing of what was read: it was to be a secret.
var errKeyset = errors.New("the field keys are not a keyset as protrack fields key prints one, nor one of Tink's in JSON for AES-SIV")

// Parse reads a keyset: what Text gave, or Tink's JSON.
func Parse(text string) (*Keys, error) {
	text = strings.TrimSpace(text)
	var reader keyset.Reader = keyset.NewJSONReader(strings.NewReader(text))
	if !strings.HasPrefix(text, "{") {
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, errKeyset
		}
		reader = keyset.NewBinaryReader(bytes.NewReader(raw))
	}
	handle, err := insecurecleartextkeyset.Read(reader)
	if err != nil {
		return nil, errKeyset
	}
	return fromHandle(handle)
}

// fromHandle prepares a keyset for use.
func fromHandle(handle *keyset.Handle) (*Keys, error) {
	all, err := daead.New(handle)
	if err != nil {
		return nil, errKeyset
	}
	primary, err := handle.Primary()
	if err != nil {
		return nil, errKeyset
	}
	k := &Keys{handle: handle, primary: primary.KeyID(), all: all}
	for i := range handle.Len() {
		entry, err := handle.Entry(i)
		if err != nil {
			return nil, errKeyset
		}
		if entry.KeyStatus() != keyset.Enabled {
			continue
		}
		alone, err := withPrimary(handle, entry.KeyID())
		if err != nil {
			return nil, err
		}
		k.each = append(k.each, one{entry.KeyID(), alone})
	}
	if err := k.tellApart(); err != nil {
		return nil, err
	}
	return k, nil
}

// withPrimary seals with a key of the keyset that need not be the primary.
func withPrimary(handle *keyset.Handle, id uint32) (deterministic, error) {
	manager := keyset.NewManagerFromHandle(handle)
	if err := manager.SetPrimary(id); err != nil {
		return nil, errKeyset
	}
	handle, err := manager.Handle()
	if err != nil {
		return nil, errKeyset
	}
	alone, err := daead.New(handle)
	if err != nil {
		return nil, errKeyset
	}
	return alone, nil
}

// tellApart makes sure that a sealed text names its key, which Tink leaves out
// with some keys.
func (k *Keys) tellApart() error {
	for _, key := range k.each {
		form, err := sealWith(key.seals, "text", Place{})
		if err != nil {
			return errKeyset
		}
		if id, _ := KeyOf(form); id != key.id {
			return errors.New("the field keys need the output prefix TINK, which names the key")
		}
	}
	return nil
}

// Rotated is the keyset with a new key, which is the primary.
func (k *Keys) Rotated() (*Keys, error) {
	manager := keyset.NewManagerFromHandle(k.handle)
	id, err := manager.Add(daead.AESSIVKeyTemplate())
	if err == nil {
		err = manager.SetPrimary(id)
	}
	if err != nil {
		return nil, fmt.Errorf("add a field key: %w", err)
	}
	return fromManager(manager)
}

// Retired is the keyset with its primary key alone. What another key of it
// sealed can then no longer be opened.
func (k *Keys) Retired() (*Keys, error) {
	manager := keyset.NewManagerFromHandle(k.handle)
	for i := range k.handle.Len() {
		entry, err := k.handle.Entry(i)
		if err == nil && entry.KeyID() != k.primary {
			err = manager.Delete(entry.KeyID())
		}
		if err != nil {
			return nil, fmt.Errorf("remove a field key: %w", err)
		}
	}
	return fromManager(manager)
}

func fromManager(manager *keyset.Manager) (*Keys, error) {
	handle, err := manager.Handle()
	if err != nil {
		return nil, fmt.Errorf("change the field keys: %w", err)
	}
	return fromHandle(handle)
}

// Primary is the id of the key that seals; 0 without keys.
func (k *Keys) Primary() uint32 {
	if k == nil {
		return 0
	}
	return k.primary
}

// Has reports whether the keyset can open what the key of an id sealed.
func (k *Keys) Has(id uint32) bool {
	if k == nil {
		return false
	}
	for _, key := range k.each {
		if key.id == id {
			return true
		}
	}
	return false
}

// Text is the keyset on one line, for Parse. It is the secret itself, and the
// deliberate way out.
func (k *Keys) Text() (string, error) {
	var out bytes.Buffer
	if err := insecurecleartextkeyset.Write(k.handle, keyset.NewBinaryWriter(&out)); err != nil {
		return "", fmt.Errorf("write the field keys: %w", err)
	}
	return base64.StdEncoding.EncodeToString(out.Bytes()), nil
}

// String hides the keys.
func (*Keys) String() string { return "***" }

// GoString hides the keys from %#v.
func (*Keys) GoString() string { return "***" }

// MarshalText hides the keys from JSON.
func (*Keys) MarshalText() ([]byte, error) { return []byte("***"), nil }

// LogValue hides the keys from slog.
func (*Keys) LogValue() slog.Value { return slog.StringValue("***") }
