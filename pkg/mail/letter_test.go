package mail_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/protrack/protrack/pkg/mail"
)

func TestALetterHasRoomForNothingClinical(t *testing.T) {
	var fields []string
	for field := range reflect.TypeFor[mail.Words]().Fields() {
		fields = append(fields, field.Name)
	}
	if diff := cmp.Diff([]string{"Clinic", "Link"}, fields); diff != "" {
		t.Errorf("what a letter tells has changed:\n%s", diff)
	}
	words := mail.Words{Clinic: "Clínica Uno", Link: "https://clinic.test/q/abc"}
	for _, kind := range mail.Kinds() {
		seen := map[string]bool{}
		for _, language := range mail.Languages() {
			subject, text, err := mail.Compose(kind, language, words)
			if err != nil || !strings.Contains(text, string(words.Link)) || !strings.Contains(text, words.Clinic) || strings.ContainsAny(text+subject, "{}") {
				t.Errorf("%s in %s: %v\n%s\n%s", kind, language, err, subject, text)
			}
			seen[text] = true
			for _, word := range []string{"phq", "gad", "pcl", "depres", "suicid", "risk", "riesgo", "ketamin", "score", "alert", "session", "sesión", "therap", "terapia", "%"} {
				if strings.Contains(strings.ToLower(subject+text), word) {
					t.Errorf("%s in %s tells of %q", kind, language, word)
				}
			}
		}
		if len(seen) != len(mail.Languages()) {
			t.Errorf("%s is not written in every language", kind)
		}
	}
}

func TestALetterThatCannotBeWrittenIsNone(t *testing.T) {
	for _, c := range []struct {
		kind mail.Kind
		mail.Words
	}{{"unknown", mail.Words{}}, {mail.Reminder, mail.Words{Clinic: "a\nb"}}, {mail.Reminder, mail.Words{Link: "https://a\r\nb"}}} {
		if _, _, err := mail.Compose(c.kind, "en", c.Words); err == nil {
			t.Errorf("%q was written", c.kind)
		}
	}
}

func TestSecretsAndAddressesAreNotPrinted(t *testing.T) {
	v := struct {
		Password mail.Secret
		To       mail.Address
	}{"hush", "ana@client.test"}
	written, err := json.Marshal(v)
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s", v, v, v, v.Password), string(written)} {
		if err != nil || strings.Contains(text, "hush") || strings.Contains(text, "ana@") {
			t.Error(text, err)
		}
	}
}

func TestQuietHoursGoByTheClockOfTheReader(t *testing.T) {
	night := mail.DefaultQuiet()
	for name, c := range map[string]struct {
		zone, at, want string
		quiet          mail.Quiet
	}{
		"by day at once":                      {"America/Denver", "2026-06-01T15:00:00Z", "2026-06-01T15:00:00Z", night},
		"in the evening until morning":        {"America/Denver", "2026-06-02T04:30:00Z", "2026-06-02T14:00:00Z", night},
		"it is morning elsewhere already":     {"Europe/Madrid", "2026-06-02T06:30:00Z", "2026-06-02T06:30:00Z", night},
		"a half-hour zone":                    {"Asia/Kolkata", "2026-06-01T20:00:00Z", "2026-06-02T02:30:00Z", night},
		"clocks go forward that night":        {"America/Denver", "2026-03-08T05:00:00Z", "2026-03-08T14:00:00Z", night},
		"clocks go back that night":           {"America/Denver", "2026-11-01T05:00:00Z", "2026-11-01T15:00:00Z", night},
		"an end that the night does not have": {"America/Denver", "2026-03-08T08:00:00Z", "2026-03-08T09:00:00Z", mail.Quiet{From: 0, To: 150}},
		"an end that the night has twice":     {"America/Denver", "2026-11-01T06:30:00Z", "2026-11-01T07:30:00Z", mail.Quiet{From: 0, To: 90}},
		"there are none":                      {"America/Denver", "2026-06-02T04:30:00Z", "2026-06-02T04:30:00Z", mail.Quiet{From: 60, To: 60}},
	} {
		zone, err := time.LoadLocation(c.zone)
		at, e := time.Parse(time.RFC3339, c.at)
		if err != nil || e != nil {
			t.Fatal(err, e)
		}
		got := c.quiet.Next(at, zone)
		if text := got.UTC().Format(time.RFC3339); text != c.want {
			t.Errorf("%s: %s, want %s", name, text, c.want)
		}
		if c.quiet.At(got, zone) {
			t.Errorf("%s: it is quiet then", name)
		}
	}
}

func TestTimesOfDay(t *testing.T) {
	for m := range 24 * 60 {
		if got, err := mail.ParseClock(mail.Clock(m)); got != m || err != nil {
			t.Fatal(m, got, err)
		}
	}
	for _, text := range []string{"", "24:00", "8:00", "08:60", "08:00:00", "0800"} {
		if _, err := mail.ParseClock(text); err == nil {
			t.Errorf("%q is a time of day", text)
		}
	}
}
