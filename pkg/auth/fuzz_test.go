package auth_test

import (
	"hash/crc32"
	"math/big"
	"strings"
	"testing"
	"unicode"

	"github.com/protrack/protrack/pkg/auth"
)

// FuzzSecret: whatever somebody shows as a credential, finding out whether it
// can be one ends, tells no more than the start of it, and takes of ours only
// what has a right checksum, computed here in another way.
func FuzzSecret(f *testing.F) {
	for _, seed := range []string{
		"", "ptk_", "ptc_", string(auth.NewSecret()), string(auth.NewSecret())[4:], strings.Repeat("x", 32), "ptk_" + strings.Repeat("0", 49),
		"ptk_" + strings.Repeat("\x00", 49), "ptc_" + strings.Repeat("é", 30), " " + string(auth.NewSecret()), strings.Repeat("\xff", 513),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := auth.Secret(text)
		if hint := s.Hint(); !strings.HasPrefix(text, hint) || len(hint) > 10 {
			t.Errorf("%q has the hint %q", text, hint)
		}
		if len(s.Hash()) != 32 || s.String() != "***" {
			t.Errorf("%q is hashed to %d bytes and printed as %q", text, len(s.Hash()), s.String())
		}
		if !s.Plausible() {
			return
		}
		if len(text) > 512 || strings.ContainsFunc(text, unicode.IsControl) || strings.TrimSpace(text) != text {
			t.Errorf("%q can be a key", text)
		}
		for _, prefix := range []string{"ptk_", "ptc_"} {
			body, ours := strings.CutPrefix(text, prefix)
			if !ours {
				continue
			}
			if len(body) != 49 {
				t.Fatalf("%q has %d characters", text, len(body))
			}
			sum := new(big.Int)
			for _, c := range body[43:] {
				sum.Mul(sum, big.NewInt(62)).Add(sum, big.NewInt(int64(strings.IndexRune(alphabet, c))))
			}
			if sum.Uint64() != uint64(crc32.ChecksumIEEE([]byte(body[:43]))) {
				t.Errorf("%q has a wrong checksum", text)
			}
		}
	})
}

// FuzzParseScopes: what is stored as scopes gives permissions that exist, and
// the same when they are written and read again.
func FuzzParseScopes(f *testing.F) {
	for _, seed := range []string{"", " ", "clients:read", "clients:read  clients:write\tclients:read", "no:such", auth.Grants(auth.Owner).String()} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		held := auth.ParseScopes(text)
		if again := auth.ParseScopes(held.String()); again != held {
			t.Errorf("%q is %v, and then %v", text, held, again)
		}
		for _, p := range held.List() {
			if !strings.Contains(text, string(p)) {
				t.Errorf("%q gives %s", text, p)
			}
		}
	})
}
