package file_test

import (
	"testing"

	"github.com/protrack/protrack/api/file"
)

func TestAFileIsPackedAsTheCallerLikesBest(t *testing.T) {
	for accept, want := range map[string]string{
		"": "", "identity": "", "br": "", "deflate, br": "",
		"gzip": "gzip", "GZIP": "gzip", "zstd": "zstd", "gzip, zstd": "zstd",
		"gzip;q=0": "", "gzip; q=0.000": "", "zstd;q=0, gzip": "gzip",
		"gzip;q=1.0, zstd;q=0.5": "gzip", "zstd;q=0.8,gzip;q=0.8": "zstd",
		"*": "gzip", "*;q=0": "", "gzip;q=0, *": "", "identity;q=0.5, *;q=0.1": "gzip",
		"gzip;q=oops": "", "gzip;q=2": "", "gzip;q=NaN": "", "gzip;level=9;q=0.3": "gzip", ";;,,": "",
	} {
		if got := file.PreferredCoding(accept); got != want {
			t.Errorf("%q: %q instead of %q", accept, got, want)
		}
	}
	if got := file.PreferredCoding("deflate", "zstd"); got != "zstd" {
		t.Errorf("in two headers: %q", got)
	}
}
