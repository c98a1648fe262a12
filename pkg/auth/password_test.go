package auth_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/argon2"

	"github.com/protrack/protrack/pkg/auth"
	"github.com/protrack/protrack/pkg/fault"
)

const goodPassword auth.Password = "brisk walnut under seven"

func TestAPasswordOpensItsOwnHashAlone(t *testing.T) {
	h := auth.NewHasher(2)
	stored, err := h.Hash(t.Context(), goodPassword)
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`).MatchString(stored) {
		t.Errorf("stored as %q", stored)
	}
	again, err := h.Hash(t.Context(), goodPassword)
	if err != nil || again == stored {
		t.Errorf("two hashes share their salt: %v", err)
	}
	for typed, want := range map[auth.Password]bool{
		goodPassword: true, goodPassword + " ": false, "Brisk walnut under seven": false, "": false, auth.Password(stored): false,
	} {
		ok, rehash, err := h.Verify(t.Context(), typed, stored)
		if ok != want || rehash || err != nil {
			t.Errorf("%q: ok %t, rehash %t, %v", string(typed), ok, rehash, err)
		}
	}
}

func TestAPasswordIsTheSameHoweverItsCharactersAreComposed(t *testing.T) {
	h := auth.NewHasher(1)
	stored, err := h.Hash(t.Context(), "Zo\u00eb's caf\u00e9 \ufb01sh soup")
	if err != nil {
		t.Fatal(err)
	}
	for typed, want := range map[auth.Password]bool{
		"Zoe\u0308's cafe\u0301 fish soup": true, // as macOS decomposes, and without the ligature
		"Zoe's cafe fish soup":             false,
	} {
		if ok, _, err := h.Verify(t.Context(), typed, stored); ok != want || err != nil {
			t.Errorf("%q: %t, %v", string(typed), ok, err)
		}
	}
}

// phc is a hash of goodPassword as another program, or this one at another
// time, would store it.
func phc(memory, passes uint32, lanes uint8, saltBytes, hashBytes int) string {
	salt := bytes.Repeat([]byte{7}, saltBytes)
	hash := argon2.IDKey([]byte(goodPassword), salt, passes, memory, lanes, uint32(hashBytes))
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", memory, passes, lanes,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(hash))
}

func TestAWeakerHashIsMadeAnewOnceThePasswordIsKnown(t *testing.T) {
	h := auth.NewHasher(1)
	for stored, want := range map[string]bool{
		phc(19456, 2, 1, 16, 32): false,
		phc(65536, 3, 4, 32, 64): false, // stronger
		phc(19455, 2, 1, 16, 32): true,
		phc(19456, 1, 1, 16, 32): true,
		phc(19456, 2, 1, 8, 32):  true,
		phc(19456, 2, 1, 16, 16): true,
	} {
		ok, rehash, err := h.Verify(t.Context(), goodPassword, stored)
		if !ok || rehash != want || err != nil {
			t.Errorf("%s: ok %t, rehash %t, %v", stored, ok, rehash, err)
		}
		if ok, rehash, err := h.Verify(t.Context(), "another password", stored); ok || rehash || err != nil {
			t.Errorf("%s: another password: ok %t, rehash %t, %v", stored, ok, rehash, err)
		}
	}
}

// refusedHashes are no hashes, or ask for what no hash that is made here does.
func refusedHashes() []string {
	salt, hash := strings.Repeat("A", 22), strings.Repeat("A", 43)
	tail := "$" + salt + "$" + hash
	return []string{
		"", "$", "$$$$$", "$argon2id$v=19$m=19456,t=2,p=1", "$argon2id$v=19$m=19456,t=2,p=1" + tail + "$",
		"$argon2i$v=19$m=19456,t=2,p=1" + tail, "$argon2d$v=19$m=19456,t=2,p=1" + tail, "$2b$10$abcdefghijklmnopqrstuv",
		"$argon2id$v=16$m=19456,t=2,p=1" + tail, "$argon2id$m=19456,t=2,p=1" + tail, "x$argon2id$v=19$m=19456,t=2,p=1" + tail,
		"$argon2id$v=19$m=65537,t=2,p=1" + tail, "$argon2id$v=19$m=4294967295,t=2,p=1" + tail, "$argon2id$v=19$m=4294967296,t=2,p=1" + tail,
		"$argon2id$v=19$m=19456,t=9,p=1" + tail, "$argon2id$v=19$m=19456,t=2,p=5" + tail, "$argon2id$v=19$m=19456,t=2,p=256" + tail,
		"$argon2id$v=19$m=19456,t=0,p=1" + tail, "$argon2id$v=19$m=19456,t=2,p=0" + tail, "$argon2id$v=19$m=7,t=2,p=1" + tail,
		"$argon2id$v=19$m=-1,t=2,p=1" + tail, "$argon2id$v=19$m=019456,t=2,p=1" + tail, "$argon2id$v=19$m=+19456,t=2,p=1" + tail,
		"$argon2id$v=19$m=19456,t=2,p=1,x=1" + tail, "$argon2id$v=19$m= 19456,t=2,p=1" + tail, "$argon2id$v=19$t=2,m=19456,p=1" + tail,
		"$argon2id$v=19$m=19456,t=2,p=1$$" + hash, "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$", "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "=$" + hash,
		"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + strings.Repeat("A", 87), "$argon2id$v=19$m=19456,t=2,p=1$" + salt[:21] + "B$" + hash,
		"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "\n$" + hash,
	}
}

func TestAStoredHashThatIsNoneOrAsksTooMuchIsRefused(t *testing.T) {
	h := auth.NewHasher(1)
	for _, stored := range refusedHashes() {
		ok, rehash, err := h.Verify(t.Context(), goodPassword, stored)
		if ok || rehash || err == nil || fault.KindOf(err) != "" {
			t.Errorf("%q: ok %t, rehash %t, %v", stored, ok, rehash, err)
		}
		if err != nil && stored != "" && stored != "$" && strings.Contains(err.Error(), stored) {
			t.Errorf("the error repeats the hash: %v", err)
		}
	}
	if ok, _, err := h.Verify(t.Context(), goodPassword, phc(65536, 8, 4, 64, 64)); !ok || err != nil {
		t.Errorf("the control, at every limit: %t, %v", ok, err)
	}
}

func FuzzParsePHC(f *testing.F) {
	for _, s := range append(refusedHashes(), phc(19456, 2, 1, 16, 32), phc(65536, 8, 4, 64, 64), phc(8, 1, 1, 8, 16)) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		again, memory, passes, lanes, err := auth.RewritePHC(text)
		if err != nil {
			return
		}
		if again != text {
			t.Errorf("%q was read, and is written %q", text, again)
		}
		if memory > 64*1024 || memory < 8 || passes > 8 || passes < 1 || lanes > 4 || lanes < 1 || len(text) > 250 {
			t.Errorf("%q asks for absurd work", text)
		}
	})
}

func TestAHashThatDoesNotGetItsTurnIsUnavailable(t *testing.T) {
	h := auth.NewHasher(1)
	stored, err := h.Hash(t.Context(), goodPassword)
	if err != nil {
		t.Fatal(err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	_, hash := h.Hash(ended, goodPassword)
	_, _, verify := h.Verify(ended, goodPassword, stored)
	for what, err := range map[string]error{"hash": hash, "verify": verify, "verify nothing": h.VerifyNothing(ended, goodPassword)} {
		if !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := h.VerifyNothing(t.Context(), goodPassword); err != nil {
		t.Errorf("the control: %v", err)
	}
}

func TestHashesTakeTurnsSoThatMemoryIsBounded(t *testing.T) {
	h := auth.NewHasher(1) // room for one of the largest hashes
	large := phc(65536, 1, 1, 16, 32)
	start := time.Now()
	if _, _, err := h.Verify(t.Context(), goodPassword, large); err != nil {
		t.Fatal(err)
	}
	once := time.Since(start)

	var all sync.WaitGroup
	var mu sync.Mutex
	late, done := 0, 0
	ctx, cancel := context.WithTimeout(t.Context(), 8*once)
	defer cancel()
	for range 40 {
		all.Go(func() {
			ok, _, err := h.Verify(ctx, goodPassword, large)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case ok:
				done++
			case fault.Is(err, fault.Unavailable):
				late++
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	// All at once, the forty would not wait at all: none would be late.
	if late == 0 || done == 0 {
		t.Errorf("%d done, %d late: they did not take turns", done, late)
	}
}

func TestAnUnknownAccountTakesAsLong(t *testing.T) {
	h := auth.NewHasher(1)
	stored, err := h.Hash(t.Context(), goodPassword)
	if err != nil {
		t.Fatal(err)
	}
	// In turns, until the fastest of each are alike: a busy machine delays
	// either, but work that is not done stays undone.
	took := func(best time.Duration, f func()) time.Duration {
		start := time.Now()
		f()
		return min(best, time.Since(start))
	}
	known, unknown := time.Hour, time.Hour
	for round := range 200 {
		known = took(known, func() { _, _, _ = h.Verify(t.Context(), "another password", stored) })
		unknown = took(unknown, func() { _ = h.VerifyNothing(t.Context(), "another password") })
		if ratio := float64(unknown) / float64(known); round >= 10 && ratio > 0.7 && ratio < 1.4 {
			return
		}
	}
	t.Errorf("known %v, unknown %v", known, unknown)
}

func TestAPasswordNeverPrintsItself(t *testing.T) {
	p := goodPassword
	holder := struct {
		Password auth.Password
		Pointer  *auth.Password
	}{p, &p}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		fmt.Fprintf(&out, verb+verb, p, holder)
	}
	encoded, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(encoded)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "p", p, "pointer", &p, "holder", holder)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "p", p, "pointer", &p, "holder", holder)
	if strings.Contains(out.String(), "walnut") || !strings.Contains(out.String(), "***") {
		t.Errorf("printed %s", out.String())
	}
}

func TestWhatMakesABadPassword(t *testing.T) {
	for typed, want := range map[auth.Password]string{
		// Good: length alone matters, not the kinds of character.
		goodPassword: "", "correct horse battery": "", "xkqvjzmwpfbt": "", "82749150362618": "", "пароль из многих слов": "",
		"\u7a93\u8fba\u306e\u732b\u306f\u6a5f\u5acc\u304c\u60aa\u3044\u3088\u306d": "", "mydogchases9squirrels": "",
		"password of my grandmother": "", auth.Password(strings.Repeat("abcdefghij klmnop", 7)): "predictable",
		auth.Password(strings.Repeat("seven walnuts ", 9) + "ab"): "", // 128 characters, not quite a repetition

		"":                 "too_short",
		"elevenchars":      "too_short",
		"xkqvjzmwpfbt\xff": "not_text",
		"e\u0301a\u0301o\u0301i\u0301u\u0301y\u0301": "too_short", // twelve code points, six characters
		"\ufdfa": "too_short", // one code point that becomes eighteen
		auth.Password(strings.Repeat("seven walnuts ", 9) + "abc"): "too_long",

		"password1234":        "too_common",
		"P4ssw0rd!2024":       "too_common",
		"Passw0rdPassw0rd":    "too_common",
		"iloveyou-1987":       "too_common",
		"admin administrator": "too_common",
		"Welcome2024!!":       "too_common",
		"trustno1trustno1":    "too_common",
		"123456789012":        "predictable",
		"aaaaaaaaaaaa":        "predictable",
		"abababababab":        "predictable",
		"xkqzxkqzxkqz":        "predictable",
		"abcdefghijklmn":      "predictable",
		"zyxwvutsrqponm":      "predictable",
		"qwertyuiopasdf":      "predictable",
		"1q2w3e4r5t6y":        "predictable",
		"1qaz2wsx3edc":        "predictable",
		"            ":        "predictable",

		"many jane.doe things":   "contains_name",
		"many JANE.DOE things":   "contains_name",
		"the protrack clinic":    "contains_name",
		"the ＰＲＯＴＲＡＣＫ clinic":    "contains_name",
		"janitors do everything": "", // the short local part does not count
	} {
		got := ""
		for _, d := range auth.CheckPassword(typed, "jane.doe@example.org", "do@example.org", "") {
			got += d.Code
			if d.Pointer != "/password" || typed != "" && strings.Contains(d.Message, string(typed)) {
				t.Errorf("%q: %+v", string(typed), d)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q:\n%s", string(typed), diff)
		}
	}
}
