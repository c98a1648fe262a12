package auth

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/protrack/protrack/pkg/fault"
)

// The length of a password in characters. NIST SP 800-63B asks for 8, its
// fourth revision for 15 where the password is the only factor; 12 is between
// them, for attempts are limited, and a second factor can be had.
const (
	minPassword = 12
	maxPassword = 128
)

// shortestForbidden is the length from which on a forbidden text counts: "al"
// is in too many good passwords.
const shortestForbidden = 4

// commonStems are what the most common passwords of leaked lists consist of,
// once digits, signs and the usual substitutions are taken off.
var commonStems = strings.Fields(`
	access admin administrator baseball batman changeme charlie computer dragon
	default football freedom hello iloveyou letmein login master michael monkey
	passphrase passw password princess qwerty qwertyuiop secret shadow starwars
	sunshine superman trustno welcome whatever`)

// walks are ways that fingers take over a keyboard or through the alphabet.
var walks = []string{
	"abcdefghijklmnopqrstuvwxyza", "12345678901",
	"qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm", "azertyuiop", "qsdfghjklm", "wxcvbn",
	"1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "1q2w3e4r5t6z7u8i9o0p", "1q2w3e4r5t6y7u8i9o0p",
}

// CheckPassword lists what is wrong with a password that somebody chooses, by
// NIST SP 800-63B: only its length and whether it is easily guessed, never
// which kinds of character it has. Forbidden are texts that must not be part
// of it in any case, such as the person's email (of which the part before the
// @ counts) and name. Text is compared after Unicode normalisation (NFKC).
func CheckPassword(p Password, forbidden ...string) []fault.Detail {
	wrong := func(code, message string) []fault.Detail {
		return []fault.Detail{{Pointer: "/password", Code: code, Message: message}}
	}
	typed, normal := utf8.RuneCountInString(string(p)), utf8.RuneCountInString(p.normal())
	switch {
	case !utf8.ValidString(string(p)):
		return wrong("not_text", "The password is not text in UTF-8.")
	case min(typed, normal) < minPassword:
		return wrong("too_short", "The password has fewer than 12 characters.")
	case max(typed, normal) > maxPassword:
		return wrong("too_long", "The password has more than 128 characters.")
	}
	var details []fault.Detail
	text := strings.ToLower(p.normal())
	if isCommon(text) {
		details = append(details, wrong("too_common", "The password is one of those that are tried first.")...)
	}
	if monotonous(text) {
		details = append(details, wrong("predictable", "The password repeats itself or follows the alphabet, the digits or the keyboard.")...)
	}
	if slices.ContainsFunc(append(slices.Clone(forbidden), "protrack"), func(f string) bool { return containsName(text, f) }) {
		details = append(details, wrong("contains_name", "The password contains the account's name or that of this program.")...)
	}
	return details
}

// containsName reports whether the text contains the forbidden one.
func containsName(text, forbidden string) bool {
	if local, _, isEmail := strings.Cut(forbidden, "@"); isEmail {
		forbidden = local
	}
	forbidden = strings.ToLower(Password(strings.TrimSpace(forbidden)).normal())
	return utf8.RuneCountInString(forbidden) >= shortestForbidden && strings.Contains(text, forbidden)
}

// substitutions are those that everybody makes, and guessers too.
var substitutions = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "@", "a", "5", "s", "$", "s", "7", "t")

// isCommon reports whether the text consists of common passwords and what
// people put around them: digits, signs, or the same again.
func isCommon(text string) bool {
	notLetter := func(r rune) bool { return !unicode.IsLetter(r) }
	for _, candidate := range []string{text, substitutions.Replace(strings.TrimFunc(text, notLetter)), substitutions.Replace(text)} {
		words := strings.FieldsFunc(candidate, notLetter)
		if len(words) > 0 && !slices.ContainsFunc(words, func(w string) bool { return !allStems(w) }) {
			return true
		}
	}
	return false
}

// allStems reports whether a word is a sequence of common stems alone.
func allStems(word string) bool {
	return word == "" || slices.ContainsFunc(commonStems, func(stem string) bool {
		rest, found := strings.CutPrefix(word, stem)
		return found && allStems(rest)
	})
}

// monotonous reports whether the text has few different characters, is a
// short piece over and over, or steps mostly along a walk.
func monotonous(text string) bool {
	runes := []rune(text)
	distinct := slices.Compact(slices.Sorted(slices.Values(runes)))
	if len(distinct) < 5 {
		return true
	}
	for size := 1; size <= len(runes)/3; size++ {
		if slices.Equal(runes[size:], runes[:len(runes)-size]) {
			return true
		}
	}
	steps := 0
	for i := 1; i < len(runes); i++ {
		if runes[i] == runes[i-1] || neighbours(runes[i-1], runes[i]) {
			steps++
		}
	}
	return steps*4 >= (len(runes)-1)*3
}

// neighbours reports whether a walk, there or back, goes from a to b.
func neighbours(a, b rune) bool {
	there, back := string([]rune{a, b}), string([]rune{b, a})
	return slices.ContainsFunc(walks, func(w string) bool { return strings.Contains(w, there) || strings.Contains(w, back) })
}
