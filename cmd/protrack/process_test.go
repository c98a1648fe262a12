package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestMain takes the built program away when the tests have ended.
func TestMain(m *testing.M) {
	code := m.Run()
	if builtIn != "" {
		_ = os.RemoveAll(builtIn)
	}
	os.Exit(code)
}

// builtIn is the folder of the built program; empty until there is one.
var builtIn string

// built builds the program once, as a release is built.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "protrack-program-")
	if err != nil {
		return "", err
	}
	builtIn = dir
	path := filepath.Join(dir, "protrack")
	cmd := exec.Command("go", "build", "-ldflags", "-X main.version=9.8.7", "-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
})

func program(t testing.TB) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// long is whether tests run at their full size.
func long() bool { return os.Getenv("PROTRACK_TEST_LONG") == "1" }

// output is what a process prints, and can be read while it prints.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// tail is the end of it.
func (o *output) tail() string {
	text := o.String()
	return text[max(0, len(text)-4000):]
}

// process is the program as a child of the test. It is killed when the test ends.
type process struct {
	t        testing.TB
	cmd      *exec.Cmd
	out, err output
	ended    chan struct{} // closed when it has exited
	at       string        // the server's URL, once it is known
}

// launch starts the program with no environment but what is given: nothing of
// the tester's own settings, and a home of its own.
func launch(t testing.TB, env []string, args ...string) *process {
	t.Helper()
	return launchWith(t, nil, env, args...)
}

// launchWith is launch with something on standard input.
func launchWith(t testing.TB, stdin io.Reader, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(program(t), args...), ended: make(chan struct{})}
	p.cmd.Env = append([]string{"HOME=" + t.TempDir()}, env...)
	p.cmd.Stdin = stdin
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // its state tells more than the error
		close(p.ended)
	}()
	t.Cleanup(p.kill)
	return p
}

// serve starts a server on a free port and waits until it serves.
func serve(t testing.TB, database string, env []string, args ...string) *process {
	t.Helper()
	p := launchServer(t, database, env, args...)
	p.url()
	return p
}

func launchServer(t testing.TB, database string, env []string, args ...string) *process {
	t.Helper()
	return launch(t, append([]string{"PROTRACK_DATABASE=" + database}, env...),
		append([]string{"serve", "--addr", "127.0.0.1:0"}, args...)...)
}

// url waits until the server serves, and tells where.
func (p *process) url() string {
	p.t.Helper()
	for deadline := time.Now().Add(time.Minute); p.at == ""; {
		for line := range strings.Lines(p.err.String()) {
			var entry struct{ Msg, Addr string }
			if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "serving" {
				p.at = "http://" + entry.Addr
				return p.at
			}
		}
		select {
		case <-p.ended:
			p.t.Fatalf("the server ended: %s", p.err.tail())
		case <-time.After(2 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("the server does not serve: %s", p.err.tail())
		}
	}
	return p.at
}

// kill ends the process as a crash does, and waits for the end.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // one that has ended is no fault
	<-p.ended
}

// terminate asks the process to end.
func (p *process) terminate() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Error(err)
	}
}

// code waits for the end and gives the exit code.
func (p *process) code(within time.Duration) int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(within):
		p.t.Fatalf("%v runs for more than %s: %s", p.cmd.Args[1:], within, p.err.String())
	}
	return p.cmd.ProcessState.ExitCode()
}

// result is what a command did.
type result struct {
	code     int
	out, err string
}

// command runs the program to its end.
func command(t testing.TB, env []string, args ...string) result {
	t.Helper()
	return commandWith(t, "", env, args...)
}

// commandWith is command with a text on standard input.
func commandWith(t testing.TB, stdin string, env []string, args ...string) result {
	t.Helper()
	p := launchWith(t, strings.NewReader(stdin), env, args...)
	code := p.code(time.Minute)
	return result{code, p.out.String(), p.err.String()}
}

// want fails the test unless the command ended well.
func (r result) want(t testing.TB) result {
	t.Helper()
	if r.code != 0 {
		t.Fatalf("exit code %d: %s%s", r.code, r.out, r.err)
	}
	return r
}
