package audit_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"

	"github.com/protrack/protrack/pkg/audit"
	"github.com/protrack/protrack/pkg/fault"
)

// export gives the lines of a file of n entries, with a checkpoint of entry 4
// and one of the last; each line with its end.
func export(t testing.TB, signer note.Signer, n int, public ...string) []string {
	t.Helper()
	whole, _ := chain(n)
	var b bytes.Buffer
	checkpoints := []string{sign(t, signer, whole[3]), sign(t, signer, whole[n-1])}
	if err := audit.WriteExport(&b, clinic, start, stream(whole), checkpoints, public); err != nil {
		t.Fatal(err)
	}
	return slices.Collect(strings.Lines(b.String()))
}

// Lines of such a file.
const (
	headerLine     = 0
	checkpointLine = 1 // and 2
	entryLine      = 3 // of entry 1
)

func TestAnExportedFileIsCheckedByItself(t *testing.T) {
	signer, known, public := key(t)
	lines := export(t, signer, 10, public)
	if want := `{"format":"protrack-audit","version":1,"clinic":"01920000-0000-7000-8000-00000000c11c",` +
		`"exported_at":"2026-03-01T09:00:00.123456Z","verifier_keys":["` + public + `"]}` + "\n"; lines[0] != want {
		t.Errorf("header: %s", cmp.Diff(want, lines[0]))
	}
	for name, c := range map[string]struct {
		trusted []note.Verifier
		want    audit.Report
	}{
		"with a known key": {[]note.Verifier{known}, audit.Report{Clinic: clinic, Entries: 10, Checkpoints: 2, KnownKey: true, Confirmed: 10}},
		"without":          {nil, audit.Report{Clinic: clinic, Entries: 10, Checkpoints: 2, KnownKey: false, Confirmed: 10}},
	} {
		got, err := audit.VerifyExport(strings.NewReader(strings.Join(lines, "")), c.trusted)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestAnEmptyChainIsExported(t *testing.T) {
	var b bytes.Buffer
	if err := audit.WriteExport(&b, clinic, start, stream(nil), nil, nil); err != nil {
		t.Fatal(err)
	}
	got, err := audit.VerifyExport(&b, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(audit.Report{Clinic: clinic}, got); diff != "" {
		t.Error(diff)
	}
}

func TestTamperingWithAFileIsFound(t *testing.T) {
	signer, known, public := key(t)
	forger, _, _ := key(t)
	replace := func(line int, from, to string) func([]string) []string {
		return func(lines []string) []string {
			if !strings.Contains(lines[line], from) {
				t.Fatalf("line %d has no %q: %s", line, from, lines[line])
			}
			lines[line] = strings.Replace(lines[line], from, to, 1)
			return lines
		}
	}
	last := entryLine + 10
	for name, c := range map[string]struct {
		change func([]string) []string
		want   []found
	}{
		"nothing":                       {func(l []string) []string { return l }, nil},
		"no last end of line":           {replace(last, "\n", ""), nil},
		"an entry is altered":           {replace(entryLine+4, "clinician", "owner"), []found{{5, audit.KindAltered}}},
		"its details are":               {replace(entryLine+4, "moved", "died"), []found{{5, audit.KindAltered}}},
		"a hash is":                     {replace(entryLine+4, `"hash":"`, `"hash":"00`), []found{{5, audit.KindAltered}}},
		"a client is":                   {replace(entryLine+5, `"clients":["01930000`, `"clients":["01940000`), []found{{6, audit.KindClients}}},
		"a space is put in":             {replace(entryLine+4, `"seq":5`, `"seq": 5`), []found{{5, audit.KindAltered}}},
		"a member is put in":            {replace(entryLine+4, `"seq":5`, `"seq":5,"hidden":1`), []found{{5, audit.KindAltered}}},
		"a thing is put in":             {replace(entryLine+4, `{"entry"`, `{"checkpoint":"hidden","entry"`), []found{{5, audit.KindAltered}}},
		"an escape is put in":           {replace(entryLine+4, `"moved"`, `"\u006doved"`), []found{{5, audit.KindAltered}}},
		"a time is no time":             {replace(entryLine+4, `"at":"2026`, `"at":"9026-`), []found{{5, audit.KindAltered}}},
		"a line is no line":             {func(l []string) []string { l[entryLine+4] = "null\n"; return l }, []found{{5, audit.KindAltered}}},
		"a line is broken in two":       {replace(entryLine+4, `"role"`, "\n"+`"role"`), []found{{5, audit.KindAltered}, {5, audit.KindAltered}}},
		"the last entry is unreadable":  {replace(last-1, `"role"`, "?"), []found{{10, audit.KindAltered}}},
		"a line is removed":             {func(l []string) []string { return slices.Delete(l, entryLine+4, entryLine+5) }, []found{{5, audit.KindRemoved}, {10, audit.KindHead}}},
		"lines change places":           {func(l []string) []string { l[7], l[8] = l[8], l[7]; return l }, []found{{5, audit.KindReordered}}},
		"a line stands twice":           {func(l []string) []string { return slices.Insert(l, 8, l[7]) }, []found{{5, audit.KindInserted}, {10, audit.KindHead}}},
		"the last line is gone":         {func(l []string) []string { return l[:last] }, []found{{11, audit.KindTruncated}}},
		"the end is gone":               {func(l []string) []string { return l[:last-3] }, []found{{8, audit.KindTruncated}, {8, audit.KindTruncated}}},
		"the end is gone but for one":   {func(l []string) []string { return slices.Delete(l, last-3, last) }, []found{{8, audit.KindTruncated}, {10, audit.KindHead}}},
		"the last line is broken":       {func(l []string) []string { l[last] = l[last][:20]; return l }, []found{{11, audit.KindAltered}, {11, audit.KindTruncated}}},
		"the last line has no hash":     {replace(last, `"hash":"`, `"hash":"00`), []found{{10, audit.KindHead}, {10, audit.KindHead}}},
		"something comes after":         {func(l []string) []string { return append(l, l[5]) }, []found{{0, audit.KindInserted}}},
		"a checkpoint comes late":       {func(l []string) []string { return slices.Insert(slices.Delete(l, 1, 2), 5, l[1]) }, []found{{0, audit.KindInserted}, {10, audit.KindHead}}},
		"a checkpoint is removed":       {func(l []string) []string { return slices.Delete(l, 1, 2) }, []found{{10, audit.KindHead}}},
		"a checkpoint is altered":       {replace(checkpointLine, `\n4\n`, `\n5\n`), []found{{5, audit.KindCheckpoint}}},
		"a checkpoint is somebody's":    {func(l []string) []string { l[1] = export(t, forger, 10)[1]; return l }, []found{{4, audit.KindCheckpoint}}},
		"the clinic is another":         {replace(headerLine, clinic.String(), other.String()), nil}, // see below
		"an exported time is no secret": {replace(headerLine, "09:00", "10:00"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "the clinic is another" {
				for n := range int64(10) {
					c.want = append(c.want, found{n + 1, audit.KindAltered})
				}
				c.want = slices.Insert(c.want, 3, found{4, audit.KindCheckpoint})
				c.want = slices.Insert(c.want, 10, found{10, audit.KindCheckpoint})
			}
			lines := c.change(export(t, signer, 10, public))
			r, err := audit.VerifyExport(strings.NewReader(strings.Join(lines, "")), []note.Verifier{known})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, faults(r)); diff != "" {
				t.Errorf("%s\n%+v", diff, r.Faults)
			}
		})
	}
}

func TestWhatIsNoExportIsRefused(t *testing.T) {
	signer, known, public := key(t)
	lines := export(t, signer, 10, public)
	long := strings.Repeat("x", 17<<20)
	for name, c := range map[string]struct {
		text string
		want fault.Kind
	}{
		"nothing":         {"", fault.Malformed},
		"an empty line":   {"\n", fault.Malformed},
		"no header":       {strings.Join(lines[1:], ""), fault.Malformed},
		"another format":  {strings.Replace(lines[0], "protrack-audit", "protrack-export", 1), fault.Malformed},
		"another version": {strings.Replace(lines[0], `"version":1`, `"version":2`, 1), fault.Malformed},
		"no time":         {strings.Replace(lines[0], `"2026`, `"`, 1), fault.Malformed},
		"a member more":   {strings.Replace(lines[0], `"version":1`, `"version":1,"more":2`, 1), fault.Malformed},
		"a long header":   {long, fault.TooLarge},
		"a long line":     {lines[0] + long, fault.TooLarge},
	} {
		if r, err := audit.VerifyExport(strings.NewReader(c.text), []note.Verifier{known}); !fault.Is(err, c.want) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	own := strings.Replace(strings.Join(lines, ""), public, "not a key", 1)
	if _, err := audit.VerifyExport(strings.NewReader(own), nil); !fault.Is(err, fault.Malformed) {
		t.Errorf("a file's own key that is none: %v", err)
	}
	if r, err := audit.VerifyExport(strings.NewReader(own), []note.Verifier{known}); err != nil || !r.OK() {
		t.Errorf("with a known key the file's own do not count: %+v, %v", r, err)
	}
	broken := errors.New("the disk is gone")
	for name, r := range map[string]io.Reader{
		"at once": iotest.ErrReader(broken),
		"later":   io.MultiReader(strings.NewReader(lines[0]+lines[1]), iotest.ErrReader(broken)),
	} {
		if _, err := audit.VerifyExport(r, nil); !errors.Is(err, broken) {
			t.Errorf("a reader that fails %s: %v", name, err)
		}
	}
}

func TestAnExportThatFailsIsKnownAsCutOff(t *testing.T) {
	whole, _ := chain(3)
	broken := errors.New("the database is away")
	var b bytes.Buffer
	err := audit.WriteExport(&b, clinic, start, func(yield func(audit.Sealed, error) bool) {
		_ = yield(whole[0], nil) && yield(audit.Sealed{}, broken)
	}, nil, nil)
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if r, err := audit.VerifyExport(&b, nil); err == nil && r.OK() {
		t.Error("half a file is taken for a whole one")
	}
	for _, room := range []int64{0, 100, 900} {
		if err := audit.WriteExport(&narrow{room}, clinic, start, stream(slices.Repeat(whole, 20)), nil, nil); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("with room for %d bytes: %v", room, err)
		}
	}
}

// narrow takes so many bytes and no more.
type narrow struct{ room int64 }

func (w *narrow) Write(p []byte) (int, error) {
	if w.room -= int64(len(p)); w.room < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

func FuzzAFileIsCheckedWithoutHarm(f *testing.F) {
	signer, known, public := own(f)
	lines := export(f, signer, 5, public)
	right := strings.Join(lines, "")
	f.Add([]byte(right))
	f.Add([]byte(strings.Join(lines[:5], "")))
	f.Add([]byte(strings.Replace(right, `"seq":3`, `"seq":4`, 1)))
	f.Add([]byte(lines[0] + `{"footer":{"entries":0,"checkpoints":0,"seq":0,"hash":""}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := audit.VerifyExport(bytes.NewReader(text), []note.Verifier{known})
		if err == nil && r.OK() && r.Confirmed == 5 && r.Entries == 5 && !sameButForTheHeader(string(text), right) {
			t.Errorf("another file than was written is taken for right:\n%s", text)
		}
		if r.FaultCount < int64(len(r.Faults)) || len(r.Faults) > 100 {
			t.Errorf("%d faults counted, %d kept", r.FaultCount, len(r.Faults))
		}
		_, _ = audit.VerifyExport(bytes.NewReader(text), nil)
	})
}

// sameButForTheHeader compares the entries of two files: nothing vouches for
// the header, and a checkpoint may be left out with its count.
func sameButForTheHeader(a, b string) bool {
	entries := func(text string) []string {
		var list []string
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, `{"entry"`) {
				list = append(list, strings.TrimRight(line, "\r\n"))
			}
		}
		return list
	}
	return slices.Equal(entries(a), entries(b))
}
