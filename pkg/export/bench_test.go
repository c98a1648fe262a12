package export_test

import (
	"io"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/protrack/protrack/pkg/export"
)

// synthetic is a table of so many rows and columns, of all kinds in turn.
func synthetic(rows, columns int) export.Table {
	t := export.Table{Name: "synthetic", Title: "Made up"}
	kinds := []export.Column{
		{Kind: export.Text},
		{Kind: export.Integer, Codes: answers},
		{Kind: export.Integer, Min: new(0.0), Max: new(27.0)},
		{Kind: export.Real},
		{Kind: export.Moment},
		{Kind: export.Text, Codes: []export.Code{{Value: "minimal"}, {Value: "severe"}}},
		{Kind: export.Boolean},
		{Kind: export.Day},
	}
	for i := range columns {
		c := kinds[i%len(kinds)]
		c.Name = "c" + strconv.Itoa(i)
		t.Columns = append(t.Columns, c)
	}
	t.Rows = func(yield func([]export.Cell, error) bool) {
		row, ids := make([]export.Cell, columns), make([]string, 1000)
		for i := range ids {
			ids[i] = "P-" + strconv.Itoa(1_000_000+i)
		}
		for n := range rows {
			for i := range row {
				row[i] = syntheticCell(n, i, ids)
			}
			if !yield(row, nil) {
				return
			}
		}
	}
	return t
}

func syntheticCell(n, i int, ids []string) export.Cell {
	if (n+i)%13 == 0 {
		return export.Cell{Missing: export.Skipped}
	}
	switch i % 8 {
	case 0:
		return export.Cell{Text: ids[n/20%1000]}
	case 1:
		return export.Cell{Int: int64(n+i) % 4}
	case 2:
		return export.Cell{Int: int64(n*7+i) % 28}
	case 3:
		return export.Cell{Real: float64(n%1000) / 8}
	case 4:
		return export.Cell{Int: 1_769_851_800_000_000 + int64(n)*61_000_000}
	case 5:
		return export.Cell{Text: [...]string{"minimal", "severe"}[n/3%2]}
	case 6:
		return export.Cell{Int: int64(n/2) % 2}
	}
	return export.Cell{Int: int64(n % 20000)}
}

func BenchmarkWrite(b *testing.B) {
	const rows, columns = 20_000, 20
	for _, f := range []export.Format{export.CSV, export.NDJSON, export.Parquet, export.Stata, export.XLSX} {
		b.Run(string(f), func(b *testing.B) {
			table := synthetic(rows, columns)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := export.Write(b.Context(), io.Discard, f, table, export.Options{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// heapWatch looks at the heap while something is written to it, and keeps the
// most that was in use.
type heapWatch struct {
	most    uint64
	written int64
	next    time.Time
}

func (h *heapWatch) Write(p []byte) (int, error) {
	h.written += int64(len(p))
	if now := time.Now(); now.After(h.next) {
		h.look()
		h.next = now.Add(10 * time.Millisecond)
	}
	return len(p), nil
}

func (h *heapWatch) look() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	h.most = max(h.most, m.HeapInuse)
}

// mostHeap is how many bytes the heap grew by at most while a table was written.
func mostHeap(t *testing.T, write func(io.Writer) error) (grown, written int64) {
	t.Helper()
	runtime.GC()
	var idle runtime.MemStats
	runtime.ReadMemStats(&idle)
	var h heapWatch
	if err := write(&h); err != nil {
		t.Fatal(err)
	}
	h.look()
	return int64(h.most) - int64(idle.HeapInuse), h.written
}

func TestMemoryDoesNotGrowWithTheRows(t *testing.T) {
	const bound = 60 << 20
	times := 1 // the least that a writer which keeps its rows would be seen by
	if os.Getenv("PROTRACK_TEST_LONG") == "1" {
		times = 3
	}
	for _, tt := range []struct {
		format  export.Format
		rows    int
		columns int
	}{
		{export.CSV, 100_000, 60},
		{export.NDJSON, 100_000, 60},
		{export.Parquet, 100_000, 60},
		{export.Parquet, 20_000, 300},
		{export.Stata, 100_000, 60},
		{export.XLSX, 100_000, 60},
	} {
		table := synthetic(times*tt.rows, tt.columns)
		for name, write := range map[string]func(io.Writer) error{
			"file": func(w io.Writer) error {
				_, err := export.Write(t.Context(), w, tt.format, table, export.Options{})
				return err
			},
			"package": func(w io.Writer) error {
				_, err := export.WritePackage(t.Context(), w, export.Package{Table: table, Format: tt.format})
				return err
			},
		} {
			grown, written := mostHeap(t, write)
			t.Logf("%s of %d columns as a %s: %d MiB of heap for %d MiB", tt.format, tt.columns, name, grown>>20, written>>20)
			if grown > bound {
				t.Errorf("%s of %d columns as a %s grew the heap by %d MiB, to write %d MiB", tt.format, tt.columns, name, grown>>20, written>>20)
			}
		}
	}
}

// Negative control: what keeps the whole file is seen.
func TestAWriterThatKeepsItsRowsIsSeenToGrow(t *testing.T) {
	table := synthetic(100_000, 60)
	var kept []byte
	grown, _ := mostHeap(t, func(w io.Writer) error {
		for cells, err := range table.Rows {
			if err != nil {
				return err
			}
			kept = append(kept, make([]byte, 16*len(cells))...)
			if _, err := w.Write(kept[:1]); err != nil {
				return err
			}
		}
		return nil
	})
	if grown < 60<<20 {
		t.Errorf("%d MiB were kept, and the heap grew by %d MiB", len(kept)>>20, grown>>20)
	}
}
