package web

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/protrack/protrack/pkg/fault"
)

// Pages are written in English. A catalog gives the same sentences in another
// language, by the English ones, in a file for each part of the site; what it
// lacks is shown in English, and a test sees to it that it lacks nothing.
//
//go:embed words/*/*.json
var catalogs embed.FS

// languages are those that pages speak, the default first.
var languages = []language.Tag{language.English, language.Spanish}

// endonyms name each language in itself.
var endonyms = map[string]string{"en": "English", "es": "Español"}

// speech is how pages speak each language.
type speech struct {
	match   language.Matcher
	tongues map[string]tongue
}

// newSpeech reads the catalogs.
func newSpeech() (*speech, error) {
	s := &speech{match: language.NewMatcher(languages), tongues: map[string]tongue{}}
	for i, tag := range languages {
		t := tongue{Lang: tag.String(), printer: message.NewPrinter(tag)}
		if i > 0 {
			var err error
			if t.words, err = readWords("words/" + t.Lang); err != nil {
				return nil, err
			}
		}
		s.tongues[t.Lang] = t
	}
	return s, nil
}

// readWords reads the files of one language.
func readWords(folder string) (map[string]string, error) {
	files, err := fs.Glob(catalogs, folder+"/*.json")
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, name := range files {
		data, err := catalogs.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(data, &out); err != nil { // adds to what is there
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return out, nil
}

// of finds the language of a browser: the one that was chosen, or else the best
// of those that it accepts.
func (s *speech) of(chosen, accepted string) tongue {
	if t, known := s.tongues[chosen]; known {
		return t
	}
	wanted, _, err := language.ParseAcceptLanguage(accepted)
	if err != nil {
		wanted = nil
	}
	_, i, _ := s.match.Match(wanted...)
	return s.tongues[languages[i].String()]
}

// A tongue is one language, as a page speaks it. Every view has one.
type tongue struct {
	Lang    string            // BCP 47
	words   map[string]string // by the English ones; nil: English
	printer *message.Printer
}

// T is a sentence in the language of the page. Where it has arguments, it is a
// format; where it has none, a % in it is nothing but one, for the texts of
// people come through here as well.
func (t tongue) T(english string, args ...any) string {
	said, known := t.words[english]
	if !known {
		said = english
	}
	if len(args) == 0 {
		return said
	}
	return t.printer.Sprintf(said, args...)
}

// Languages are those that the page can be read in, by code and own name.
func (t tongue) Languages() [][2]string {
	out := make([][2]string, len(languages))
	for i, tag := range languages {
		out[i] = [2]string{tag.String(), endonyms[tag.String()]}
	}
	return out
}

// Number is a number with at most one decimal, written as the language does.
// Nothing is a dash: it is not 0.
func (t tongue) Number(v any) string {
	f, ok := number(v)
	if !ok {
		return "–"
	}
	if f = math.Round(f*10) / 10; f == math.Trunc(f) {
		return t.printer.Sprintf("%d", int64(f))
	}
	return t.printer.Sprintf("%.1f", f)
}

// Signed is a change: a number that always has its sign.
func (t tongue) Signed(v any) string {
	f, ok := number(v)
	switch {
	case !ok:
		return "–"
	case f > 0:
		return "+" + t.Number(f)
	case f < 0:
		return "−" + t.Number(-f)
	}
	return "0"
}

// exact is a number with all of its decimals, as a rule has them.
func (t tongue) exact(f float64) string {
	_, decimals, _ := strings.Cut(strconv.FormatFloat(f, 'f', -1, 64), ".")
	return t.printer.Sprintf("%."+strconv.Itoa(len(decimals))+"f", f)
}

// Percent is a share (0 to 1) in whole percent.
func (t tongue) Percent(v any) string {
	f, ok := number(v)
	if !ok {
		return "–"
	}
	return t.printer.Sprintf("%d", int64(math.Round(f*100))) + " %"
}

// number reads what may be nothing.
func number(v any) (float64, bool) {
	switch n := v.(type) {
	case int:
		return float64(n), true
	case int64:
		return float64(n), true
	case float64:
		return n, !math.IsNaN(n) && !math.IsInf(n, 0)
	case *int:
		if n != nil {
			return float64(*n), true
		}
	case *float64:
		if n != nil {
			return number(*n)
		}
	}
	return 0, false
}

// months are the short names of the months.
var months = map[string][12]string{
	"en": {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
	"es": {"ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"},
}

// Day is a date, 3 Mar 2026: no two languages read it as another day.
func (t tongue) Day(v any) string {
	at, ok := instant(v)
	if !ok {
		return "–"
	}
	return strconv.Itoa(at.Day()) + " " + months[t.Lang][at.Month()-1] + " " + strconv.Itoa(at.Year())
}

// Time is a date with its time of day, in the zone that the value has.
func (t tongue) Time(v any) string {
	at, ok := instant(v)
	if !ok {
		return "–"
	}
	return t.Day(at) + " " + at.Format("15:04")
}

func instant(v any) (time.Time, bool) {
	switch at := v.(type) {
	case time.Time:
		return at, !at.IsZero()
	case *time.Time:
		if at != nil {
			return *at, true
		}
	}
	return time.Time{}, false
}

const languageKey = "language" // in the session: what was chosen

// tongue is how the page of this visit speaks.
func (v *visit) tongue() tongue {
	chosen := v.site.sessions.GetString(v.ctx(), languageKey)
	return v.site.speech.of(chosen, v.Request().Header.Get("Accept-Language"))
}

// chooseLanguage keeps the language that somebody chose, and goes back to where
// they were.
func (s *Site) chooseLanguage(v *visit) error {
	chosen := v.typed("language")
	if _, known := s.speech.tongues[chosen]; !known {
		return fault.New(fault.Invalid, "There is no such language here.")
	}
	s.sessions.Put(v.ctx(), languageKey, chosen)
	return v.redirect(localPath(v.typed("back")))
}
