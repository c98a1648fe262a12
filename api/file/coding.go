package file

import (
	"io"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// The codings that a file may have on its way, the better one first.
const (
	codingZstd = "zstd"
	codingGzip = "gzip"
)

// zstdWindow bounds the memory of both sides, in bytes.
const zstdWindow = 1 << 20

// packer packs what is written to it. It has no goroutines that would have to
// be ended where the file is not.
func packer(coding string, w io.Writer) (io.WriteCloser, error) {
	if coding == codingZstd {
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(zstdWindow))
	}
	return gzip.NewWriterLevel(w, gzip.BestSpeed)
}

// preferredCoding is the coding that a caller wants most of those that there
// are, by Accept-Encoding as in RFC 9110; empty: none. "*" asks for gzip, which
// everybody can unpack.
func preferredCoding(accept []string) string {
	wants := map[string]float64{}
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		name, parameters, _ := strings.Cut(part, ";")
		wants[strings.ToLower(strings.TrimSpace(name))] = Quality(parameters)
	}
	if _, named := wants[codingGzip]; !named {
		wants[codingGzip] = wants["*"]
	}
	switch zstd, gzip := wants[codingZstd], wants[codingGzip]; {
	case zstd > 0 && zstd >= gzip:
		return codingZstd
	case gzip > 0:
		return codingGzip
	}
	return ""
}

// Quality is how much a coding or a media type is wanted, by its parameters: 1
// where that is not said, and 0 where it cannot be read.
func Quality(parameters string) float64 {
	for p := range strings.SplitSeq(parameters, ";") {
		if value, found := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(p), " ", ""), "q="); found {
			q, err := strconv.ParseFloat(value, 64)
			if err != nil || !(q >= 0 && q <= 1) {
				return 0
			}
			return q
		}
	}
	return 1
}
