package auth

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"log/slog"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"
)

// TOTPSecret is what an authenticator app and the server share, in base32. It
// prints as *** everywhere.
type TOTPSecret string

// String hides the secret.
func (TOTPSecret) String() string { return "***" }

// GoString hides the secret from %#v.
func (TOTPSecret) GoString() string { return "***" }

// MarshalText hides the secret from JSON and every other text encoding.
func (TOTPSecret) MarshalText() ([]byte, error) { return []byte("***"), nil }

// LogValue hides the secret from slog.
func (TOTPSecret) LogValue() slog.Value { return slog.StringValue("***") }

// What every authenticator app knows; many ignore any other choice.
const (
	totpPeriod    = 30 // seconds
	totpBytes     = 20 // RFC 4226 recommends 160 bits
	minTOTPSecret = 26 // base32 characters of 128 bits, the least of RFC 4226
	totpSkew      = 1  // steps that a phone's clock may be off, either way
)

var totpForm = hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}

// NewTOTP makes a secret and the otpauth URI that hands it to an app. The URI
// contains the secret, and so hides itself as well. Issuer and account are
// what the app shows; neither may be empty or contain a colon, which parts
// them.
func NewTOTP(issuer, account string) (secret TOTPSecret, uri Secret, err error) {
	if strings.Contains(issuer+account, ":") {
		return "", "", errors.New("a TOTP label contains a colon")
	}
	key, err := totp.Generate(totp.GenerateOpts{
		Issuer: issuer, AccountName: account,
		Period: totpPeriod, SecretSize: totpBytes, Digits: totpForm.Digits, Algorithm: totpForm.Algorithm,
	})
	if err != nil {
		return "", "", fmt.Errorf("making a TOTP secret: %w", err)
	}
	return TOTPSecret(key.Secret()), Secret(key.URL()), nil
}

// Check reports whether the code is right at the given time, or within 30
// seconds of it, and which step it belongs to. A code is good once: store the
// step in the same transaction, and give it back as lastStep, for no step up
// to that one is accepted again. Blanks in the code are ignored.
func (s TOTPSecret) Check(code string, at time.Time, lastStep int64) (step int64, ok bool) {
	code = strings.ReplaceAll(code, " ", "")
	if len(s) < minTOTPSecret || len(code) != totpForm.Digits.Length() {
		return 0, false // no secret would be the same secret for everybody
	}
	now := at.Unix() / totpPeriod
	// All are tried, so that the time tells nothing, and the last that fits
	// counts, so that a code that fits two steps is not good twice.
	for try := max(0, now-totpSkew); try <= now+totpSkew; try++ {
		right, err := hotp.ValidateCustom(code, uint64(try), string(s), totpForm)
		if err == nil && right && try > lastStep {
			step, ok = try, true
		}
	}
	return step, ok
}

// The picture of a URI, in pixels. The margin is at least the four modules
// that a QR code needs around it: it has 29 modules a side or more.
const (
	qrSide   = 256
	qrMargin = 36
)

// TOTPPicture draws the URI of NewTOTP as a QR code, in PNG. It contains the
// secret: answer it with Cache-Control: no-store, and keep it nowhere.
func TOTPPicture(uri Secret) ([]byte, error) {
	key, err := otp.NewKeyFromURL(string(uri))
	if err != nil || key.Type() != "totp" || len(key.Secret()) < minTOTPSecret {
		return nil, errors.New("the URI is not one of TOTP")
	}
	code, err := key.Image(qrSide, qrSide)
	if err != nil {
		return nil, fmt.Errorf("drawing a QR code: %w", err)
	}
	whole := image.NewGray(image.Rect(0, 0, qrSide+2*qrMargin, qrSide+2*qrMargin))
	draw.Draw(whole, whole.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(whole, image.Rect(qrMargin, qrMargin, qrMargin+qrSide, qrMargin+qrSide), code, code.Bounds().Min, draw.Src)
	var out bytes.Buffer
	if err := png.Encode(&out, whole); err != nil {
		return nil, fmt.Errorf("drawing a QR code: %w", err)
	}
	return out.Bytes(), nil
}

const (
	recoveryCodes = 10
	recoveryBytes = 10 // 80 bits: nobody guesses that, so that SHA-256 needs no work factor
	recoveryChars = 16
	recoveryGroup = 4
)

var recoveryAlphabet = base32.StdEncoding.WithPadding(base32.NoPadding)

// NewRecoveryCodes makes the codes that stand in for a lost phone. They are
// shown once, as XXXX-XXXX-XXXX-XXXX; the hashes, in the same order, are what
// is stored. Each code is good once.
func NewRecoveryCodes() (shown []Secret, hashes [][]byte) {
	for range recoveryCodes {
		var raw [recoveryBytes]byte
		_, _ = rand.Read(raw[:]) // never fails: crypto/rand aborts the program instead
		text := recoveryAlphabet.EncodeToString(raw[:])
		var groups []string
		for at := 0; at < len(text); at += recoveryGroup {
			groups = append(groups, text[at:at+recoveryGroup])
		}
		code := Secret(strings.Join(groups, "-"))
		hash, _ := HashRecoveryCode(code)
		shown, hashes = append(shown, code), append(hashes, hash)
	}
	return shown, hashes
}

// HashRecoveryCode gives the hash to look a typed code up by; case, blanks and
// hyphens do not matter. It is not ok if the text cannot be a code at all.
func HashRecoveryCode(typed Secret) (hash []byte, ok bool) {
	text := strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(string(typed)))
	if _, err := recoveryAlphabet.DecodeString(text); err != nil || len(text) != recoveryChars || strings.ContainsAny(text, "\r\n") {
		return nil, false
	}
	sum := sha256.Sum256([]byte(text))
	return sum[:], true
}
