package export

import (
	"archive/zip"
	"encoding/xml"
	"fmt"
	"strings"
	"text/template"
	"time"
)

// The parts of a workbook are those of ECMA-376 that programs ask for.

const (
	xlsxSheetHead = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="A1:%s%d"/>` +
		`<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>`
	xlsxSheetTail = `</sheetData></worksheet>`
)

const xlsxTypes = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/>
<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>
<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>
<Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>
{{- range .Sheets}}
<Override PartName="/{{.File}}" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>
{{- end}}
</Types>`

const xlsxRoot = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/>
<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" Target="docProps/core.xml"/>
</Relationships>`

const xlsxCore = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" ` +
	`xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<dc:title>{{xml .Title}}</dc:title><dc:creator>{{xml .Creator}}</dc:creator>
{{- if .Made}}
<dcterms:created xsi:type="dcterms:W3CDTF">{{.Made}}</dcterms:created><dcterms:modified xsi:type="dcterms:W3CDTF">{{.Made}}</dcterms:modified>
{{- end}}
</cp:coreProperties>`

const xlsxWorkbook = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">
<bookViews><workbookView/></bookViews>
<sheets>
{{- range .Sheets}}<sheet name="{{.Name}}" sheetId="{{.Number}}" r:id="rId{{.Number}}"/>{{end -}}
</sheets>
</workbook>`

const xlsxRelations = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="rId0" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="/xl/styles.xml"/>
{{- range .Sheets}}
<Relationship Id="rId{{.Number}}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="/{{.File}}"/>
{{- end}}
</Relationships>`

// xlsxStyles has those of cells last: none, xlsxMoment and xlsxDay.
const xlsxStyles = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">
<numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd\ hh:mm:ss"/><numFmt numFmtId="165" formatCode="yyyy\-mm\-dd"/></numFmts>
<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>
<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>
<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>
<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>
<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>` +
	`<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>` +
	`<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>
</styleSheet>`

// xlsxFiles are the parts besides the sheets, in their order.
var xlsxFiles = []struct{ name, text string }{
	{"[Content_Types].xml", xlsxTypes},
	{"_rels/.rels", xlsxRoot},
	{"docProps/core.xml", xlsxCore},
	{"xl/workbook.xml", xlsxWorkbook},
	{"xl/_rels/workbook.xml.rels", xlsxRelations},
	{"xl/styles.xml", xlsxStyles},
}

// xlsxTemplates are the texts of xlsxFiles, by their names.
var xlsxTemplates = func() *template.Template {
	all := template.New("").Funcs(template.FuncMap{"xml": xmlText})
	for _, f := range xlsxFiles {
		template.Must(all.New(f.name).Parse(f.text))
	}
	return all
}()

// xlsxSheet is how a workbook knows a sheet.
type xlsxSheet struct {
	Name   string
	Number int
	File   string
}

// xlsxParts writes all parts of a workbook but its sheets: so many of data, and
// the codebook.
func xlsxParts(z *zip.Writer, t Table, o Options, data int) error {
	book := struct {
		Title, Creator, Made string
		Sheets               []xlsxSheet
	}{Title: t.Title, Creator: o.Program}
	if !o.Made.IsZero() {
		book.Made = o.Made.UTC().Format(time.RFC3339)
	}
	for n := 1; n <= data+1; n++ {
		name := fmt.Sprintf("data %d", n)
		switch n {
		case 1:
			name = "data"
		case data + 1:
			name = "codebook"
		}
		book.Sheets = append(book.Sheets, xlsxSheet{name, n, xlsxSheetFile(n)})
	}
	for _, part := range xlsxFiles {
		w, err := z.Create(part.name)
		if err != nil {
			return err
		}
		if err := xlsxTemplates.ExecuteTemplate(w, part.name, book); err != nil {
			return fmt.Errorf("write %s: %w", part.name, err)
		}
	}
	return nil
}

func xlsxSheetFile(number int) string { return fmt.Sprintf("xl/worksheets/sheet%d.xml", number) }

// xlsxColumn names a column, counted from 0, by letters: A, Z, AA.
func xlsxColumn(i int) string {
	name := ""
	for i++; i > 0; i = (i - 1) / 26 {
		name = string(rune('A'+(i-1)%26)) + name
	}
	return name
}

// xlsxCellHeads are how a cell of each column begins.
func xlsxCellHeads(columns int) []string {
	heads := make([]string, columns)
	for i := range heads {
		heads[i] = `<c r="` + xlsxColumn(i)
	}
	return heads
}

// xmlText is a text as XML has it.
func xmlText(s string) (string, error) {
	var b strings.Builder
	err := xml.EscapeText(&b, []byte(clean(s)))
	return b.String(), err
}
