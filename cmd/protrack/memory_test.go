package main_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"testing"

	"github.com/protrack/protrack/pkg/export"
)

// aboveIdle is how much memory the exports of a clinic of any size may take.
const aboveIdle = 150 << 20

// TestExportsOfAnySizeTakeLittleMemory asks a server, as a process of its own,
// for every format of every shape, and compares the most memory that it ever
// had with what it had when it was idle. At its full size the clinic has
// 100,000 assessments; PROTRACK_BENCH_DATABASE names a larger one, with
// PROTRACK_BENCH_KEY as a key of it.
func TestExportsOfAnySizeTakeLittleMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("memory is read from /proc")
	}
	database, key := os.Getenv("PROTRACK_BENCH_DATABASE"), os.Getenv("PROTRACK_BENCH_KEY")
	if database == "" {
		database = "sqlite://" + filepath.Join(t.TempDir(), "protrack.db")
		key = seedClinic(t, database)
	}
	s := serve(t, database, nil)
	fetch(t, s.url()+"/v1/exports/codebook", key) // warm, as a server that works is
	idle := peakMemory(t, s)
	for _, shape := range []string{"assessment", "long", "wide"} {
		for _, format := range export.Formats() {
			size := fetch(t, fmt.Sprintf("%s/v1/exports/assessments?shape=%s&format=%s", s.url(), shape, format), key)
			peak := peakMemory(t, s)
			t.Logf("%s as %s: %d bytes, peak %d MiB above idle", shape, format, size, (peak-idle)>>20)
			if peak-idle > aboveIdle {
				t.Fatalf("the exports took %d MiB", (peak-idle)>>20)
			}
		}
	}
}

// seedClinic fills a database as the command does, and gives its admin key.
func seedClinic(t *testing.T, database string) string {
	t.Helper()
	assessments := 2_000
	if long() {
		assessments = 100_000
	}
	p := launch(t, []string{"PROTRACK_DATABASE=" + database}, "seed", "--assessments", strconv.Itoa(assessments))
	<-p.ended
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Fatalf("seed ends with %d: %s", code, p.err.tail())
	}
	return regexp.MustCompile(`ptk_\w+`).FindString(p.out.String())
}

// fetch reads an answer to its end and says how long it was.
func fetch(t *testing.T, url, key string) int64 {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	n, err := io.Copy(io.Discard, answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || n == 0 {
		t.Fatalf("%s: status %d, %d bytes: %v", url, answer.StatusCode, n, err)
	}
	return n
}

// peakMemory is the most memory that a process ever had.
func peakMemory(t *testing.T, p *process) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		t.Fatal("the process does not tell its memory")
	}
	kilobytes, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}
