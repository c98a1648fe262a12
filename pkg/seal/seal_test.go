package seal_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/daead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"

	"github.com/protrack/protrack/pkg/seal"
)

// must gives a value that came without an error.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

var here = seal.Place{Clinic: uuid.New(), Column: "client_versions.display_name", Row: uuid.New()}

// texts are what a name may be.
var texts = []string{" ", "a", "Ada Lovelace", "Жанна", "日本", "e\u0301", "😀", "\x00", strings.Repeat("long ", 200)}

func TestWhatWasSealedIsOpenedAndCannotBeReadBefore(t *testing.T) {
	keys := must(seal.New())(t)
	for _, text := range texts {
		stored := must(keys.Seal(text, here))(t)
		if !seal.Sealed(stored) || len(text) > 3 && strings.Contains(stored, text) {
			t.Errorf("%q is stored as %q", text, stored)
		}
		if got := must(keys.Open(stored, here))(t); got != text {
			t.Errorf("%q came back as %q", text, got)
		}
		if again := must(keys.Seal(text, here))(t); again != stored {
			t.Errorf("%q is sealed in two ways: the unique index would not find it", text)
		}
	}
}

func TestWhatIsPlainStaysReadableWithAndWithoutKeys(t *testing.T) {
	for what, keys := range map[string]*seal.Keys{"with": must(seal.New())(t), "without": nil} {
		for _, text := range append(texts, "") {
			if got := must(keys.Open(text, here))(t); got != text {
				t.Errorf("%s keys %q is read as %q", what, text, got)
			}
		}
		if got := must(keys.Seal("", here))(t); got != "" {
			t.Errorf("%s keys nothing is sealed as %q", what, got)
		}
	}
	var none *seal.Keys
	if got := must(none.Seal("Ada", here))(t); got != "Ada" {
		t.Errorf("without keys a name is stored as %q", got)
	}
}

func TestATextThatLooksSealedIsNotStored(t *testing.T) {
	for _, keys := range []*seal.Keys{must(seal.New())(t), nil} {
		if stored, err := keys.Seal(seal.Prefix+"typed by hand", here); err == nil {
			t.Errorf("it is stored as %q", stored)
		}
	}
}

func TestASealedTextOpensOnlyAtItsPlaceWithItsKeyAndUnchanged(t *testing.T) {
	keys := must(seal.New())(t)
	stored := must(keys.Seal("Ada Lovelace", here))(t)
	elsewhere := []seal.Place{here, here, here, here, {}}
	elsewhere[0].Clinic, elsewhere[1].Row, elsewhere[2].Column, elsewhere[3].Name = uuid.New(), uuid.New(), "client_versions.reference", "another"
	for _, place := range elsewhere {
		if text, err := keys.Open(stored, place); err == nil || text != "" {
			t.Errorf("it opens at %+v", place)
		}
		if other := must(keys.Seal("Ada Lovelace", place))(t); other == stored {
			t.Errorf("it looks the same at %+v", place)
		}
	}
	var none *seal.Keys
	for what, other := range map[string]*seal.Keys{"other keys": must(seal.New())(t), "no keys": none} {
		if text, err := other.Open(stored, here); err == nil || text != "" {
			t.Errorf("it opens with %s", what)
		}
	}
	for i := range stored {
		for _, with := range []byte{'A', 'b', '!'} {
			changed := []byte(stored)
			if changed[i] == with {
				continue
			}
			changed[i] = with
			if text, err := keys.Open(string(changed), here); err == nil && text != string(changed) {
				t.Errorf("with byte %d changed it opens", i)
			}
		}
	}
	for n := range len(stored) - len(seal.Prefix) {
		if text, err := keys.Open(stored[:len(stored)-n-1], here); err == nil || text != "" {
			t.Errorf("without its last %d bytes it opens", n+1)
		}
	}
}

func TestARotatedKeysetOpensOldTextsAndSealsWithTheNewKey(t *testing.T) {
	first := must(seal.New())(t)
	second := must(first.Rotated())(t)
	if first.Primary() == second.Primary() || !second.Has(first.Primary()) || first.Has(second.Primary()) {
		t.Fatalf("keys %d and %d", first.Primary(), second.Primary())
	}
	old, fresh := must(first.Seal("Ada", here))(t), must(second.Seal("Ada", here))(t)
	for stored, key := range map[string]uint32{old: first.Primary(), fresh: second.Primary()} {
		if got := must(second.Open(stored, here))(t); got != "Ada" {
			t.Errorf("read as %q", got)
		}
		for _, part := range []string{stored, stored[:seal.HeadLen]} {
			if id, sealed := seal.KeyOf(part); id != key || !sealed {
				t.Errorf("%s was sealed with %d, not %d", part, key, id)
			}
		}
	}
	if diff := cmp.Diff([]string{"Ada", old}, must(second.OtherForms("Ada", here))(t)); diff != "" {
		t.Errorf("the other forms of a text:\n%s", diff)
	}
	retired := must(second.Retired())(t)
	if got := must(retired.Open(fresh, here))(t); got != "Ada" || retired.Primary() != second.Primary() {
		t.Errorf("read as %q", got)
	}
	if _, err := retired.Open(old, here); err == nil {
		t.Error("a key that was retired still opens")
	}
}

func TestAKeysetComesBackFromItsTextAndFromTinksJSON(t *testing.T) {
	keys := must(must(seal.New())(t).Rotated())(t)
	stored := must(keys.Seal("Ada", here))(t)
	text := must(keys.Text())(t)
	if strings.ContainsAny(text, " \n\"'$") {
		t.Errorf("%q does not fit into an environment file", text)
	}
	var asJSON strings.Builder
	handle := must(insecurecleartextkeyset.Read(keyset.NewBinaryReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(text)))))(t)
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&asJSON)); err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{text, " " + text + "\n", asJSON.String()} {
		again := must(seal.Parse(form))(t)
		if got := must(again.Open(stored, here))(t); got != "Ada" || again.Primary() != keys.Primary() {
			t.Errorf("read as %q", got)
		}
	}
}

func TestWhatIsNotAKeysetForThisIsRefusedAndNotQuoted(t *testing.T) {
	text := must(must(seal.New())(t).Text())(t)
	raw := daead.AESSIVKeyTemplate()
	raw.OutputPrefixType = tinkpb.OutputPrefixType_RAW
	for what, secret := range map[string]string{
		"nothing": "", "words": "correct horse battery staple", "half of one": text[:len(text)/2], "JSON": `{"secret":"of mine"}`, "no JSON": "{secret",
		"keys of another kind": keysetOf(t, aead.AES256GCMKeyTemplate()), "keys without a name": keysetOf(t, raw),
	} {
		keys, err := seal.Parse(secret)
		if err == nil || keys != nil {
			t.Errorf("%s: %v", what, err)
		}
		if err != nil && len(secret) > 0 && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error quotes it", what)
		}
	}
}

// keysetOf is a keyset that another program made.
func keysetOf(t *testing.T, template *tinkpb.KeyTemplate) string {
	t.Helper()
	var out strings.Builder
	if err := insecurecleartextkeyset.Write(must(keyset.NewHandle(template))(t), keyset.NewJSONWriter(&out)); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestKeysArePrintedAsStars(t *testing.T) {
	keys := must(seal.New())(t)
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("keys", "keys", keys)
	encoded := must(json.Marshal(map[string]any{"keys": keys}))(t)
	for _, printed := range []string{
		fmt.Sprint(keys), fmt.Sprintf("%v %+v %s %#v", keys, keys, keys, keys), fmt.Sprintf("%+v", struct{ K *seal.Keys }{keys}), logged.String(), string(encoded),
	} {
		if !strings.Contains(printed, "***") || strings.Contains(printed, fmt.Sprint(keys.Primary())) || strings.Contains(printed, must(keys.Text())(t)) {
			t.Errorf("printed as %s", printed)
		}
	}
}

func FuzzOpenFindsNothingInWhatItDidNotSeal(f *testing.F) {
	keys := must(seal.New())(f)
	stored := must(keys.Seal("Ada", here))(f)
	for _, seed := range []string{"", "Ada", stored, seal.Prefix, seal.Prefix + "AAAA", stored[:len(stored)-1], stored + "="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := keys.Open(text, here)
		id, named := seal.KeyOf(text)
		switch {
		case !seal.Sealed(text) && (err != nil || got != text || named):
			t.Errorf("a plain text is read as %q, key %d, %v", got, id, err)
		case seal.Sealed(text) && text != stored && (err == nil || got != ""):
			t.Errorf("%q opens as %q", text, got)
		}
	})
}

func FuzzParseTakesNothingButKeysets(f *testing.F) {
	text := must(must(seal.New())(f).Text())(f)
	for _, seed := range []string{"", text, "{}", `{"primaryKeyId":1,"key":[]}`, text[:20]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		keys, err := seal.Parse(text)
		if err != nil {
			return
		}
		if got := must(keys.Open(must(keys.Seal("Ada", here))(t), here))(t); got != "Ada" {
			t.Errorf("a keyset was read that does not work: %q", got)
		}
	})
}
