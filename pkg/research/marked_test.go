//go:build unix

package research_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/parquet-go/parquet-go"

	"github.com/protrack/protrack/pkg/care"
	"github.com/protrack/protrack/pkg/export"
	"github.com/protrack/protrack/pkg/instrument"
	"github.com/protrack/protrack/pkg/research"
	"github.com/protrack/protrack/pkg/store/storetest"
)

// marked is a clinic whose clients are marked wherever they can be.
type marked struct {
	study
	texts []string    // the marks
	ids   []uuid.UUID // of everything that was stored
	times []time.Time // when something happened
}

// zones are time zones that no other text holds the names of.
var zones = []string{"Antarctica/Troll", "Pacific/Marquesas", "Asia/Ust-Nera"}

func newMarked(t *testing.T, d *storetest.Database) *marked {
	t.Helper()
	m := &marked{study: newStudy(t, d), texts: slices.Clone(zones)}
	m.ids = append(m.ids, m.Who.Clinic, m.Who.Actor)
	for i := range 6 {
		m.add(t, i)
	}
	return m
}

func (m *marked) mark(what string, i int) string {
	text := fmt.Sprintf("MARK%s%dß", what, i)
	m.texts = append(m.texts, text)
	return text
}

func (m *marked) at(n, hour int) time.Time {
	t := day(n).Add(time.Duration(hour)*time.Hour + time.Duration(len(m.times))*time.Second)
	m.times = append(m.times, t)
	return t
}

// add records a client of whom every text is marked, and the indication and the
// substance are nobody else's.
func (m *marked) add(t *testing.T, i int) {
	p := m.person(t, care.Client{
		Reference: care.Private(m.mark("REF", i)), DisplayName: care.Private(m.mark("NAME", i)), BirthYear: new(1930 + 2*i),
		Sex: instrument.Female, TimeZone: zones[i%len(zones)],
	})
	course := m.course(t, care.Course{ClientID: p.ID, Indication: m.mark("WHY", i), Goals: care.Private(m.mark("GOAL", i)), StartedOn: "2026-01-03"})
	ses := m.session(t, care.Session{
		ClientID: p.ID, CourseID: &course.ID, Kind: care.Dosing, StartedAt: m.at(5+i, 0),
		Medicine: &care.Medicine{Substance: m.mark("WITH", i), Route: care.Oral, DoseMG: 100},
	})
	as := m.record(t, of(form(p.ID, "phq-9", m.at(5+i, -1), 2), ses, care.BeforeIt), form(p.ID, "phq-9", m.at(20+i, 1), i%4), form(p.ID, "gad-7", m.at(21+i, 1), 1))
	amended := form(p.ID, "gad-7", m.at(21+i, 2), 2)
	amended.ID, amended.Reason = as[2].ID, care.Private(m.mark("AMENDED", i))
	if _, err := m.Care.Amend(ctx, m.Who, amended, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Care.Retract(ctx, m.Who, as[1].ID, care.Private(m.mark("RETRACTED", i)), nil); err != nil {
		t.Fatal(err)
	}
	_, _, err := m.Care.RequestCorrection(ctx, m.Who, care.Correction{ClientID: p.ID, Target: care.TargetClient, Request: care.Private(m.mark("REQUEST", i))})
	if err != nil {
		t.Fatal(err)
	}
	m.ids = append(m.ids, p.ID, course.ID, ses.ID, as[0].ID, as[1].ID, as[2].ID)
}

// spellings are the ways in which an id can be written.
func spellings(id uuid.UUID) []string {
	plain := hex.EncodeToString(id[:])
	return []string{
		id.String(), strings.ToUpper(id.String()), plain, strings.ToUpper(plain), string(id[:]),
		base64.StdEncoding.EncodeToString(id[:])[:21], base64.URLEncoding.EncodeToString(id[:])[:21],
	}
}

// secrets is everything that must not be in a file that hides who somebody is.
func (m *marked) secrets() []string {
	out := slices.Clone(m.texts)
	for _, text := range m.texts { // however they are folded
		out = append(out, strings.ToLower(text))
	}
	for _, id := range m.ids {
		out = append(out, spellings(id)...)
	}
	return out
}

// written writes an export as a server would, and gives all that can be read in
// the file: what is packed in it as well.
func (m *marked) written(t *testing.T, r research.Request) string {
	t.Helper()
	x, err := m.Research.Prepare(ctx, m.Who, r)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	err = m.Research.Read(ctx, x, func(table export.Table) error {
		_, err := m.Research.Write(ctx, &b, x, table, "protrack test")
		return err
	})
	if err != nil {
		t.Fatalf("%s as %s: %v", r.Table, r.Format, err)
	}
	return unpacked(t, b.Bytes())
}

func unpacked(t *testing.T, file []byte) string {
	t.Helper()
	out := string(file)
	switch {
	case bytes.HasPrefix(file, []byte("PK")):
		z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			out += f.Name + f.Comment + unpacked(t, content)
		}
	case bytes.HasPrefix(file, []byte("PAR1")):
		out += parquetText(t, file)
	}
	return out
}

// parquetText is what a Parquet file holds: its values and its metadata.
func parquetText(t *testing.T, file []byte) string {
	t.Helper()
	f, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, kv := range f.Metadata().KeyValueMetadata {
		fmt.Fprintln(&out, kv.Key, kv.Value)
	}
	for _, group := range f.RowGroups() {
		rows := group.Rows()
		buf := make([]parquet.Row, 16)
		for err == nil {
			var n int
			n, err = rows.ReadRows(buf)
			for _, row := range buf[:n] {
				for _, v := range row {
					fmt.Fprintln(&out, v.String())
				}
			}
		}
		if !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		err = rows.Close()
	}
	return out.String()
}
