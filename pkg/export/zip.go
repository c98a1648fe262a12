package export

import (
	"archive/zip"
	"io"

	"github.com/klauspost/compress/flate"
)

// packing is how hard files are compressed. What is exported repeats itself so
// much that more work gains little.
const packing = 3

// newZip makes a ZIP that compresses as the package's files are.
func newZip(w io.Writer) *zip.Writer {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, packing)
	})
	return z
}
