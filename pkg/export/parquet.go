package export

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// The sizes of a Parquet file's blocks. A writer holds a row group as compressed
// pages, and of each column one page that is being filled.
const (
	parquetBatch      = 128       // rows that go to the columns together
	parquetGroupRows  = 128 << 10 // at most, in a row group
	parquetGroupCells = 2 << 20
	parquetGroupText  = 16 << 20 // bytes
	parquetPage       = 32 << 10 // bytes
	parquetDictionary = 128 << 10
)

// orderedGroup is a group that keeps the order of its fields: parquet.Group
// sorts them by their names.
type orderedGroup struct {
	parquet.Group
	fields []parquet.Field
}

// Fields lists the fields in the order of the table's columns.
func (g orderedGroup) Fields() []parquet.Field { return g.fields }

// parquetSchema makes the schema of a table.
func parquetSchema(t Table) *parquet.Schema {
	group, place := parquet.Group{}, map[string]int{}
	for i, c := range t.Columns {
		group[c.Name], place[c.Name] = parquet.Optional(c.parquetLeaf()), i
	}
	fields := slices.SortedFunc(slices.Values(group.Fields()), func(a, b parquet.Field) int {
		return cmp.Compare(place[a.Name()], place[b.Name()])
	})
	return parquet.NewSchema(t.Name, orderedGroup{group, fields})
}

// narrow says that 32 bits hold all values that a column of whole numbers may have.
func (c Column) narrow() bool {
	return c.Kind == Integer && (len(c.Codes) > 0 ||
		c.Min != nil && c.Max != nil && *c.Min >= math.MinInt32 && *c.Max <= math.MaxInt32)
}

func (c Column) parquetLeaf() parquet.Node {
	var leaf parquet.Node
	switch c.Kind {
	case Integer:
		leaf = parquet.Leaf(parquet.Int64Type)
		if c.narrow() {
			leaf = parquet.Leaf(parquet.Int32Type)
		}
	case Real:
		leaf = parquet.Leaf(parquet.DoubleType)
	case Boolean:
		return parquet.Leaf(parquet.BooleanType)
	case Moment:
		leaf = parquet.Timestamp(parquet.Microsecond)
	case Day:
		leaf = parquet.Date()
	default:
		leaf = parquet.String()
	}
	if len(c.Codes) > 0 || c.Kind == Text && !c.Free {
		return parquet.Encoded(leaf, &parquet.RLEDictionary)
	}
	return leaf
}

// parquetWriter collects rows by column and hands them on in batches.
type parquetWriter struct {
	file    *parquet.GenericWriter[any]
	columns []Column
	narrow  []bool
	values  [][]parquet.Value // by column, of the batch
	text    []byte            // what the values of the batch point into
	pending int               // rows of the batch
	rows    int               // rows of the row group, with those of the batch
	size    int               // bytes of text of the row group
	most    int               // rows that a row group may have
}

func writeParquet(ctx context.Context, w io.Writer, t Table, o Options) (int64, error) {
	book, err := codebookJSON(t)
	if err != nil {
		return 0, err
	}
	p := &parquetWriter{
		file: parquet.NewGenericWriter[any](w,
			parquetSchema(t),
			parquet.Compression(&zstd.Codec{Level: zstd.SpeedFastest, Concurrency: 1}),
			parquet.PageBufferSize(parquetPage),
			parquet.DictionaryMaxBytes(parquetDictionary),
			parquet.CreatedBy(cmp.Or(o.Program, "protrack"), "", ""),
			parquet.KeyValueMetadata("title", t.Title),
			parquet.KeyValueMetadata("codebook", string(book)),
		),
		columns: t.Columns,
		narrow:  make([]bool, len(t.Columns)),
		values:  make([][]parquet.Value, len(t.Columns)),
		most:    max(parquetBatch, min(parquetGroupRows, parquetGroupCells/len(t.Columns))),
	}
	for i, c := range t.Columns {
		p.narrow[i], p.values[i] = c.narrow(), make([]parquet.Value, 0, parquetBatch)
	}
	n, err := t.each(ctx, p.row)
	if err != nil {
		return n, err
	}
	if err := p.hand(); err != nil {
		return n, err
	}
	return n, p.file.Close()
}

// row adds one row to the batch.
func (p *parquetWriter) row(cells []Cell) error {
	for i := range cells {
		if c := &cells[i]; p.narrow[i] && c.Missing == Present && int64(int32(c.Int)) != c.Int { //nolint:gosec // this is the check
			return fmt.Errorf("column %s holds %d, which is beyond its bounds", p.columns[i].Name, c.Int)
		}
		v, level := p.value(i, &cells[i]), 1
		if v.IsNull() {
			level = 0
		}
		p.values[i] = append(p.values[i], v.Level(0, level, i))
	}
	p.pending++
	p.rows++
	if p.pending < parquetBatch {
		return nil
	}
	if err := p.hand(); err != nil {
		return err
	}
	if p.rows+parquetBatch <= p.most && p.size < parquetGroupText {
		return nil
	}
	p.rows, p.size = 0, 0
	return p.file.Flush()
}

// hand hands the batch on to the columns.
func (p *parquetWriter) hand() error {
	for i, column := range p.file.ColumnWriters() {
		if _, err := column.WriteRowValues(p.values[i]); err != nil {
			return err
		}
		p.values[i] = p.values[i][:0]
	}
	p.size += len(p.text)
	p.text, p.pending = p.text[:0], 0
	return nil
}

// value is what a cell holds. Its text is copied: the cell is the row's.
func (p *parquetWriter) value(i int, c *Cell) parquet.Value {
	kind := p.columns[i].Kind
	if c.reason(kind) != Present {
		return parquet.NullValue()
	}
	switch kind {
	case Text:
		begin := len(p.text)
		p.text = append(p.text, clean(c.Text)...)
		return parquet.ByteArrayValue(p.text[begin:len(p.text):len(p.text)])
	case Real:
		return parquet.DoubleValue(c.Real)
	case Boolean:
		return parquet.BooleanValue(c.Int != 0)
	case Day:
		return parquet.Int32Value(int32(c.Int)) //nolint:gosec // 2^31 days are six million years
	case Integer:
		if p.narrow[i] {
			return parquet.Int32Value(int32(c.Int)) //nolint:gosec // row has looked
		}
	}
	return parquet.Int64Value(c.Int)
}
