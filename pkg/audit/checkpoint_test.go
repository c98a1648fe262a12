package audit_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/fault"
)

func TestACheckpointIsReadAsItWasSigned(t *testing.T) {
	signer, known, _ := key(t)
	_, older, _ := key(t)
	hash := [32]byte{1, 2, 3}
	text, err := audit.Sign(signer, audit.Head{Clinic: clinic, Seq: 42, Hash: hash}, start)
	if err != nil {
		t.Fatal(err)
	}
	signed, _, _ := strings.Cut(text, "\n\n")
	wantText := "protrack audit 01920000-0000-7000-8000-00000000c11c\n42\nAQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n2026-03-01T09:00:00.123456Z"
	if diff := cmp.Diff(wantText, signed); diff != "" {
		t.Error(diff)
	}
	got, err := audit.OpenCheckpoint(text, []note.Verifier{older, known})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(audit.Checkpoint{Clinic: clinic, Seq: 42, Hash: hash, At: start}, got); diff != "" {
		t.Error(diff)
	}
	if _, err := audit.Sign(signer, audit.Head{Clinic: clinic}, start); err == nil {
		t.Error("the head of an empty chain was signed")
	}
}

func TestACheckpointThatIsNotRightIsRefused(t *testing.T) {
	signer, known, _ := key(t)
	_, stranger, _ := key(t)
	whole, _ := chain(4)
	right := sign(t, signer, whole[3])
	lines := strings.SplitAfter(right, "\n") // origin, number, hash, time, nothing, signature
	resign := func(text string) string {
		signed, err := note.Sign(&note.Note{Text: text}, signer)
		if err != nil {
			t.Fatal(err)
		}
		return string(signed)
	}
	with := func(line int, text string) string {
		changed := append([]string{}, lines[:4]...)
		changed[line] = text
		return resign(strings.Join(changed, ""))
	}
	if with(1, lines[1]) != right {
		t.Fatal("a checkpoint signed again is another")
	}
	for name, c := range map[string]struct {
		text string
		keys []note.Verifier
		want fault.Kind
	}{
		"no key":                {right, nil, fault.Invalid},
		"another key":           {right, []note.Verifier{stranger}, fault.Invalid},
		"an altered number":     {strings.Replace(right, "\n4\n", "\n5\n", 1), []note.Verifier{known}, fault.Invalid},
		"an altered signature":  {right[:len(right)-10] + "AAAA" + right[len(right)-6:], []note.Verifier{known}, fault.Invalid},
		"nothing":               {"", []note.Verifier{known}, fault.Malformed},
		"no signature":          {strings.Join(lines[:4], ""), []note.Verifier{known}, fault.Malformed},
		"another origin":        {with(0, "protrack audits "+clinic.String()+"\n"), []note.Verifier{known}, fault.Malformed},
		"no origin":             {with(0, clinic.String()+"\n"), []note.Verifier{known}, fault.Malformed},
		"a clinic in capitals":  {with(0, "protrack audit "+strings.ToUpper(clinic.String())+"\n"), []note.Verifier{known}, fault.Malformed},
		"a clinic in braces":    {with(0, "protrack audit {"+clinic.String()+"}\n"), []note.Verifier{known}, fault.Malformed},
		"a sign":                {with(1, "+4\n"), []note.Verifier{known}, fault.Malformed},
		"a zero in front":       {with(1, "04\n"), []note.Verifier{known}, fault.Malformed},
		"no entry":              {with(1, "0\n"), []note.Verifier{known}, fault.Malformed},
		"below no entry":        {with(1, "-1\n"), []note.Verifier{known}, fault.Malformed},
		"too great a number":    {with(1, "9223372036854775808\n"), []note.Verifier{known}, fault.Malformed},
		"a short hash":          {with(2, "AQID\n"), []note.Verifier{known}, fault.Malformed},
		"a long hash":           {with(2, strings.Repeat("AAAA", 11)+"\n"), []note.Verifier{known}, fault.Malformed},
		"stray bits in a hash":  {with(2, strings.Repeat("A", 42)+"B=\n"), []note.Verifier{known}, fault.Malformed},
		"another zone":          {with(3, "2026-03-01T09:00:00.123456+00:00\n"), []note.Verifier{known}, fault.Malformed},
		"a time without a part": {with(3, "2026-03-01T09:00:00Z\n"), []note.Verifier{known}, fault.Malformed},
		"one line more":         {with(3, lines[3]+"more\n"), []note.Verifier{known}, fault.Malformed},
		"one line less":         {with(3, ""), []note.Verifier{known}, fault.Malformed},
		"something behind":      {right + "x", []note.Verifier{known}, fault.Malformed},
	} {
		if got, err := audit.OpenCheckpoint(c.text, c.keys); !fault.Is(err, c.want) {
			t.Errorf("%s: read as %+v, %v", name, got, err)
		}
	}
}

func TestAPrivateKeyIsNotPrinted(t *testing.T) {
	private, public, err := audit.NewKey("clinic.example")
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("made", "key", private)
	asJSON, err := json.Marshal(map[string]any{"key": private})
	if err != nil {
		t.Fatal(err)
	}
	printed := fmt.Sprintf("%v %s %q %#v %+v", private, private, private, private, struct{ K audit.SignerKey }{private}) + log.String() + string(asJSON)
	if strings.Contains(printed, "PRIVATE") || strings.Contains(printed, string(private)[20:]) {
		t.Errorf("printed: %s", printed)
	}
	if !strings.HasPrefix(public, "clinic.example+") {
		t.Errorf("public key: %s", public)
	}
}

func TestWhatIsNotAKeyIsRefused(t *testing.T) {
	private, public, err := audit.NewKey("clinic.example")
	if err != nil {
		t.Fatal(err)
	}
	if list, err := audit.Verifiers(public, public); err != nil || len(list) != 1 {
		t.Errorf("a key twice: %d, %v", len(list), err)
	}
	for name, err := range map[string]error{
		"a private key as public": second(audit.Verifiers(string(private))),
		"a public key as private": second(audit.SignerKey(public).Signer()),
		"a cut off private key":   second(private[:len(private)-4].Signer()),
		"a name with a space":     third(audit.NewKey("a clinic")),
		"a name with a plus":      third(audit.NewKey("a+b")),
		"no name":                 third(audit.NewKey("")),
	} {
		if !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), string(private)[20:40]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error        { return err }
func third[T, U any](_ T, _ U, err error) error { return err }

func FuzzACheckpointIsReadOnlyAsItIsWritten(f *testing.F) {
	signer, known, _ := own(f)
	whole, _ := chain(4)
	right := sign(f, signer, whole[3])
	text, _, _ := strings.Cut(right, "\n\n")
	f.Add(text + "\n")
	f.Add("protrack audit " + uuid.Nil.String() + "\n1\n" + strings.Repeat("A", 43) + "=\n2026-03-01T09:00:00.000000Z\n")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		_, _ = audit.OpenCheckpoint(text, []note.Verifier{known})
		signed, err := note.Sign(&note.Note{Text: text}, signer) // so that the parser sees it
		if err != nil {
			return
		}
		c, err := audit.OpenCheckpoint(string(signed), []note.Verifier{known})
		if err != nil {
			return
		}
		again, err := audit.Sign(signer, audit.Head{Clinic: c.Clinic, Seq: c.Seq, Hash: c.Hash}, c.At)
		if err != nil || again != string(signed) {
			t.Errorf("%q was read as %+v, %v", text, c, err)
		}
	})
}
