package export

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"
)

// stataFile is what stands around the rows of a Stata file: sections, with a
// map that says where each begins.
type stataFile struct {
	buf  []byte
	base int64   // where in the file buf begins
	at   []int64 // where the sections begin
}

// stataAround makes what stands before the rows, and what stands after them.
func stataAround(t Table, variables []stataVariable, rows int64, o Options) (head, tail []byte) {
	f := &stataFile{}
	f.text("<stata_dta>")
	f.header(t, len(variables), rows, o)
	mapAt := f.mark("<map>")
	const sections = 14
	f.zeros(8 * sections)
	f.text("</map>")
	f.describe(variables)
	f.characteristics(t, variables)
	f.mark("<data>")
	head = f.buf

	width := 0
	for _, v := range variables {
		width += v.width()
	}
	f.buf, f.base = nil, int64(len(head))+rows*int64(width)
	f.text("</data>")
	f.mark("<strls>")
	f.text("</strls>")
	f.valueLabels(variables)
	f.at = append(f.at, f.place())
	f.text("</stata_dta>")

	places := append([]int64{0}, f.at...)
	places = append(places, f.place())
	for i, at := range places {
		binary.LittleEndian.PutUint64(head[mapAt+8*i:], uint64(at)) //nolint:gosec // a place in a file
	}
	return head, f.buf
}

// width is how many bytes a cell of the variable has.
func (v stataVariable) width() int {
	switch v.typ {
	case stataDouble:
		return 8
	case stataLong:
		return 4
	case stataInt:
		return 2
	case stataByte:
		return 1
	}
	return int(v.typ)
}

// place is where in the file the next byte comes to stand.
func (f *stataFile) place() int64 { return f.base + int64(len(f.buf)) }

// mark begins a section, and gives where in buf its content begins.
func (f *stataFile) mark(tag string) int {
	f.at = append(f.at, f.place())
	f.text(tag)
	return len(f.buf)
}

func (f *stataFile) text(s string) { f.buf = append(f.buf, s...) }
func (f *stataFile) zeros(n int)   { f.buf = append(f.buf, make([]byte, n)...) }
func (f *stataFile) u16(n int)     { f.buf = binary.LittleEndian.AppendUint16(f.buf, uint16(n)) } //nolint:gosec // limits were looked at
func (f *stataFile) u32(n int)     { f.buf = binary.LittleEndian.AppendUint32(f.buf, uint32(n)) } //nolint:gosec // limits were looked at

// padded writes a text in a field of so many bytes; one at least stays zero.
func (f *stataFile) padded(s string, size int) {
	s = cut(s, size-1)
	f.text(s)
	f.zeros(size - len(s))
}

func (f *stataFile) header(t Table, variables int, rows int64, o Options) {
	f.text("<header><release>118</release><byteorder>LSF</byteorder><K>")
	f.u16(variables)
	f.text("</K><N>")
	f.buf = binary.LittleEndian.AppendUint64(f.buf, uint64(rows)) //nolint:gosec // a count
	label := stataCut(t.Title)
	f.text("</N><label>")
	f.u16(len(label))
	f.text(label)
	stamp := ""
	if !o.Made.IsZero() {
		stamp = o.Made.UTC().Format("02 Jan 2006 15:04")
	}
	f.text("</label><timestamp>")
	f.buf = append(f.buf, byte(len(stamp))) //nolint:gosec // none, or 17
	f.text(stamp + "</timestamp></header>")
}

// stataCut shortens a label to as many characters as Stata shows.
func stataCut(s string) string {
	s = oneLine(s)
	if utf8.RuneCountInString(s) <= stataLabel {
		return s
	}
	return string([]rune(s)[:stataLabel])
}

// The sizes of fields that hold a name, a format and a label.
const (
	stataNameSize   = 129
	stataFormatSize = 57
	stataLabelSize  = 321
)

// describe writes what the variables are.
func (f *stataFile) describe(variables []stataVariable) {
	section := func(tag string, write func(stataVariable)) {
		f.mark("<" + tag + ">")
		for _, v := range variables {
			write(v)
		}
		if tag == "sortlist" {
			f.u16(0)
		}
		f.text("</" + tag + ">")
	}
	section("variable_types", func(v stataVariable) { f.u16(int(v.typ)) })
	section("varnames", func(v stataVariable) { f.padded(v.Name, stataNameSize) })
	section("sortlist", func(stataVariable) { f.u16(0) })
	section("formats", func(v stataVariable) { f.padded(v.format(), stataFormatSize) })
	section("value_label_names", func(v stataVariable) { f.padded(v.labels, stataNameSize) })
	section("variable_labels", func(v stataVariable) { f.padded(stataCut(v.Label), stataLabelSize) })
}

// characteristics writes the notes of the file and of its variables.
func (f *stataFile) characteristics(t Table, variables []stataVariable) {
	f.mark("<characteristics>")
	f.notes("_dta", t.Title, stataMissing)
	for _, v := range variables {
		unit := ""
		if v.Unit != "" {
			unit = "Unit: " + v.Unit
		}
		f.notes(v.Name, unit, v.provenance())
	}
	f.text("</characteristics>")
}

// notes writes the notes of a variable; empty ones are left out.
func (f *stataFile) notes(variable string, texts ...string) {
	n := 0
	for _, text := range texts {
		if text != "" {
			n++
			f.characteristic(variable, "note"+strconv.Itoa(n), oneLine(text))
		}
	}
	if n > 0 {
		f.characteristic(variable, "note0", strconv.Itoa(n))
	}
}

func (f *stataFile) characteristic(variable, name, text string) {
	text = cut(text, stataNote)
	f.text("<ch>")
	f.u32(2*stataNameSize + len(text) + 1)
	f.padded(variable, stataNameSize)
	f.padded(name, stataNameSize)
	f.text(text + "\x00</ch>")
}

// valueLabels writes the labels of codes.
func (f *stataFile) valueLabels(variables []stataVariable) {
	f.mark("<value_labels>")
	for _, v := range variables {
		if v.labels != v.Name {
			continue // it has none, or another variable's
		}
		value := func(c Code) int {
			n, _ := strconv.Atoi(c.Value) // Check has read it
			return n
		}
		inOrder := slices.SortedFunc(slices.Values(v.Codes), func(a, b Code) int { return cmp.Compare(value(a), value(b)) })
		var offsets, values, texts stataFile
		for _, code := range inOrder {
			offsets.u32(len(texts.buf))
			values.u32(value(code))
			texts.text(cut(oneLine(code.Label), stataLabelText) + "\x00")
		}
		f.text("<lbl>")
		f.u32(8 + len(offsets.buf) + len(values.buf) + len(texts.buf))
		f.padded(v.labels, stataNameSize)
		f.zeros(3)
		f.u32(len(v.Codes))
		f.u32(len(texts.buf))
		f.text(fmt.Sprintf("%s%s%s</lbl>", offsets.buf, values.buf, texts.buf))
	}
	f.text("</value_labels>")
}

// stataLabelText is how many bytes the label of a code may have.
const stataLabelText = 32000
