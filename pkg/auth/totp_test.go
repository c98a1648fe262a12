package auth_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"image/color"
	"image/png"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/boombuler/barcode/qr"
	"github.com/google/go-cmp/cmp"
	"github.com/pquerna/otp/hotp"

	"github.com/protrack/protrack/pkg/auth"
)

// rfcSecret is the secret of RFC 6238, appendix B, for SHA-1.
var rfcSecret = auth.TOTPSecret(base32.StdEncoding.EncodeToString([]byte("12345678901234567890")))

// rfcCodes are the last six of the eight digits that the RFC gives: a code of
// six is that of eight without its first two.
var rfcCodes = map[int64]string{
	59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
}

func TestTheVectorsOfTheRFCAreRight(t *testing.T) {
	for at, code := range rfcCodes {
		step, ok := rfcSecret.Check(code, time.Unix(at, 0), 0)
		if !ok || step != at/30 {
			t.Errorf("%s at %d: step %d, %t", code, at, step, ok)
		}
		if _, ok := rfcSecret.Check(code, time.Unix(at+3600, 0), 0); ok {
			t.Errorf("%s at %d is good an hour later", code, at)
		}
	}
}

func TestACodeIsGoodForOneStepEitherWay(t *testing.T) {
	const at, code = 1234567890, "005924" // the first second of its step
	for shift, want := range map[int64]bool{-31: false, -30: true, -1: true, 0: true, 29: true, 30: true, 59: true, 60: false} {
		step, ok := rfcSecret.Check(code, time.Unix(at+shift, 0), 0)
		if ok != want || ok && step != at/30 {
			t.Errorf("%d s off: step %d, %t", shift, step, ok)
		}
	}
}

func TestACodeIsGoodOnce(t *testing.T) {
	const at, code = 1234567890, "005924"
	step, ok := rfcSecret.Check(code, time.Unix(at, 0), at/30-1)
	if !ok || step != at/30 {
		t.Fatalf("the first time: step %d, %t", step, ok)
	}
	for _, last := range []int64{step, step + 1} {
		for _, shift := range []int64{-30, 0, 30} {
			if _, ok := rfcSecret.Check(code, time.Unix(at+shift, 0), last); ok {
				t.Errorf("after step %d, %d s off, it is good again", last, shift)
			}
		}
	}
}

func TestWhatIsNoCode(t *testing.T) {
	at := time.Unix(1234567890, 0)
	for code, want := range map[string]bool{
		"005924": true, "005 924": true, " 005924 ": true,
		"": false, "5924": false, "0059240": false, "005925": false, "00592x": false, "-05924": false, "٠٠٥٩٢٤": false, "00592\x00": false,
		"005924\n": false, strings.Repeat("0", 1<<20): false,
	} {
		if _, ok := rfcSecret.Check(code, at, 0); ok != want {
			t.Errorf("%.20q: %t", code, ok)
		}
	}
	// The codes of an empty secret are known to everybody, and those of a
	// short one can be found out.
	for _, s := range []auth.TOTPSecret{"", "AA", "AAAAAAAA", rfcSecret[:24]} {
		for step := range int64(3) {
			code, err := hotp.GenerateCode(string(s), uint64(step))
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := s.Check(code, time.Unix(30*step, 0), -1); ok {
				t.Errorf("the secret %q has a code", string(s))
			}
		}
	}
	if _, ok := auth.TOTPSecret("not base32! not base32! not base32!").Check("000000", at, 0); ok {
		t.Error("what is no secret has a code")
	}
	if _, ok := rfcSecret.Check("005924", time.Unix(-3600, 0), -1000); ok {
		t.Error("a time before the first step has a code")
	}
}

func TestANewSecretIsOneThatAppsRead(t *testing.T) {
	seen := map[auth.TOTPSecret]bool{}
	for range 100 {
		secret, uri, err := auth.NewTOTP("Protrack", "jane.doe+x@example.org")
		if err != nil {
			t.Fatal(err)
		}
		if seen[secret] || !regexp.MustCompile(`^[A-Z2-7]{32}$`).MatchString(string(secret)) {
			t.Fatalf("%q is none, or there twice", string(secret))
		}
		seen[secret] = true
		u, err := url.Parse(string(uri))
		if err != nil {
			t.Fatal(err)
		}
		got := []string{u.Scheme, u.Host, u.Path, u.Query().Encode()}
		want := []string{"otpauth", "totp", "/Protrack:jane.doe+x@example.org", "algorithm=SHA1&digits=6&issuer=Protrack&period=30&secret=" + string(secret)}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	for _, bad := range [][2]string{{"", "a"}, {"a", ""}, {"a:b", "c"}, {"a", "b:c"}} {
		if _, _, err := auth.NewTOTP(bad[0], bad[1]); err == nil {
			t.Errorf("%q is a label", bad)
		}
	}
}

// The picture holds the modules that the QR library makes of the URI, each as
// a square, and a white margin of four modules or more.
func TestThePictureIsTheURI(t *testing.T) {
	_, uri, err := auth.NewTOTP("Protrack", "jane.doe@example.org")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := auth.TOTPPicture(uri)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	code, err := qr.Encode(string(uri), qr.M, qr.Auto)
	if err != nil {
		t.Fatal(err)
	}
	dark := func(c color.Color) bool { return color.GrayModel.Convert(c).(color.Gray).Y < 128 }
	side, modules := picture.Bounds().Dx(), code.Bounds().Dx()
	first := 0
	for !dark(picture.At(first, first)) {
		first++
	}
	size := (side - 2*first) / modules
	if size < 3 || first < 4*size {
		t.Fatalf("%d modules of %d pixels in %d, with a margin of %d", modules, size, side, first)
	}
	for x := range side {
		for y := range side {
			mx, my := (x-first)/size, (y-first)/size
			inside := x >= first && y >= first && mx < modules && my < modules
			if want := inside && dark(code.At(mx, my)); dark(picture.At(x, y)) != want {
				t.Fatalf("at %d, %d the picture is not the code", x, y)
			}
		}
	}
	for _, bad := range []auth.Secret{"", "https://example.org", "otpauth://totp/x", "otpauth://hotp/x?secret=" + auth.Secret(rfcSecret), "%"} {
		if _, err := auth.TOTPPicture(bad); err == nil {
			t.Errorf("%q has a picture", string(bad))
		}
	}
}

func TestRecoveryCodesAreTenAndFoundAsTheyAreTyped(t *testing.T) {
	shown, hashes := auth.NewRecoveryCodes()
	if len(shown) != 10 || len(hashes) != 10 {
		t.Fatalf("%d codes, %d hashes", len(shown), len(hashes))
	}
	seen := map[auth.Secret]bool{}
	for i, code := range shown {
		if seen[code] || !regexp.MustCompile(`^([A-Z2-7]{4}-){3}[A-Z2-7]{4}$`).MatchString(string(code)) {
			t.Errorf("%q is none, or there twice", string(code))
		}
		seen[code] = true
		plain := strings.ReplaceAll(string(code), "-", "")
		want := sha256.Sum256([]byte(plain))
		for _, typed := range []string{string(code), plain, strings.ToLower(string(code)), " " + strings.ReplaceAll(string(code), "-", " ")} {
			got, ok := auth.HashRecoveryCode(auth.Secret(typed))
			if !ok || !bytes.Equal(got, hashes[i]) || !bytes.Equal(got, want[:]) {
				t.Errorf("%q is not found", typed)
			}
		}
	}
	good := string(shown[0])
	for _, typed := range []string{"", "-", good[1:], good + "A", good[1:] + "1", good[1:] + "\n", good[:18] + "ü", strings.Repeat("A", 1<<20), good[:14] + "===="} {
		if _, ok := auth.HashRecoveryCode(auth.Secret(typed)); ok {
			t.Errorf("%.40q can be a code", typed)
		}
	}
}

func TestATOTPSecretNeverPrintsItself(t *testing.T) {
	secret, uri, err := auth.NewTOTP("Protrack", "jane")
	if err != nil {
		t.Fatal(err)
	}
	holder := struct {
		Secret  auth.TOTPSecret
		Pointer *auth.TOTPSecret
		URI     auth.Secret
	}{secret, &secret, uri}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		fmt.Fprintf(&out, verb+verb, secret, holder)
	}
	encoded, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(encoded)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "s", secret, "pointer", &secret, "holder", holder)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "s", secret, "pointer", &secret, "holder", holder)
	if strings.Contains(out.String(), string(secret)) || !strings.Contains(out.String(), "***") {
		t.Errorf("printed %s", out.String())
	}
}

func FuzzHashRecoveryCode(f *testing.F) {
	for _, s := range []string{"", "ABCD-EFGH-IJKL-MNOP", "abcd efgh ijkl mnop", "1111-1111-1111-1111", "AAAAAAAAAAAAAAAA"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		hash, ok := auth.HashRecoveryCode(auth.Secret(typed))
		if ok != (len(hash) == sha256.Size) {
			t.Errorf("%q: ok %t with a hash of %d bytes", typed, ok, len(hash))
		}
		if again, okAgain := auth.HashRecoveryCode(auth.Secret(strings.ToLower(typed))); ok && (!okAgain || !bytes.Equal(hash, again)) {
			t.Errorf("%q: in lower case it is another", typed)
		}
	})
}
