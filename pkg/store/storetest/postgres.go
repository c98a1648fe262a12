//go:build unix

// Package storetest gives tests a database of their own, and holds the promises
// that every database must keep.
package storetest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Postgres returns the URL of a new, empty PostgreSQL database that belongs to
// this test alone and is dropped when the test ends.
//
// The server is the one that PROTRACK_TEST_POSTGRES names (a URL whose role may
// create databases), or else one that this process starts from the PostgreSQL
// programs of the machine and shares among its tests. Without either the test
// is skipped, or fails where CI=true, for nothing may be skipped there.
func Postgres(t testing.TB) string {
	t.Helper()
	return shared(t).database(t, "template0")
}

// PostgresTemplate is Postgres for a database that migrate has prepared. The
// first test of the process to come with a key pays for migrate; each test gets
// a copy, in some tens of milliseconds. Migrate must close its connections.
func PostgresTemplate(t testing.TB, key string, migrate func(url string) error) string {
	t.Helper()
	s := shared(t)
	template, err := s.template(key, migrate)
	if err != nil {
		t.Fatalf("the PostgreSQL template %q: %v", key, err)
	}
	return s.database(t, template)
}

// PostgresServer starts a server for this test alone, to be killed and
// restarted; it is removed when the test ends. A durable server syncs its log
// to the disk as one in production does; any other trades that for speed.
func PostgresServer(t testing.TB, durable bool) *Server {
	t.Helper()
	s, err := start(durable)
	if err != nil {
		unavailable(t, err)
	}
	t.Cleanup(s.remove)
	return s
}

// Server is a PostgreSQL server for tests.
type Server struct {
	// URL is that of its maintenance database.
	URL string

	dir      string         // data directory, socket and log; "" for a server that is not ours
	log      *os.File       // what initdb and postgres print
	lifeline io.WriteCloser // a line starts postgres; the end of the file ends everything
	ended    chan struct{}  // closed when the keeper has exited and dir is gone

	mu        sync.Mutex
	templates map[string]func() (string, error)
}

// Database returns the URL of a new, empty database on this server. It lives as
// long as the server.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	name := newName()
	if err := s.admin("CREATE DATABASE " + name + " TEMPLATE template0"); err != nil {
		t.Fatalf("create a database: %v", err)
	}
	return s.at(name)
}

// Copy returns the URL of a new database with what another one of this server
// has now. Nobody may be connected to that one.
func (s *Server) Copy(t testing.TB, of string) string {
	t.Helper()
	u, err := url.Parse(of)
	if err != nil {
		t.Fatal(err)
	}
	name := newName()
	if err := s.clone(name, strings.TrimPrefix(u.Path, "/")); err != nil {
		t.Fatalf("copy a database: %v", err)
	}
	return s.at(name)
}

// Kill ends every process of the server at once, with SIGKILL, as a crash does.
// It returns when all of them are gone.
func (s *Server) Kill() error {
	postmaster, err := s.postmaster()
	if err != nil {
		return fmt.Errorf("kill PostgreSQL: %w", err)
	}
	// Stopped first, it can neither start another process nor tidy up.
	_ = syscall.Kill(postmaster, syscall.SIGSTOP)
	all, err := processes()
	if err != nil {
		return err
	}
	doomed := []int{postmaster}
	for pid, p := range all {
		if p.parent == postmaster {
			doomed = append(doomed, pid)
		}
	}
	for _, pid := range doomed {
		_ = syscall.Kill(pid, syscall.SIGKILL) // one that has just exited is no fault
	}
	alive := func(pid int) bool { p, ok := all[pid]; return ok && !p.zombie }
	for deadline := time.Now().Add(10 * time.Second); slices.ContainsFunc(doomed, alive); {
		if time.Now().After(deadline) {
			return errors.New("kill PostgreSQL: its processes outlive SIGKILL")
		}
		time.Sleep(2 * time.Millisecond)
		if all, err = processes(); err != nil {
			return err
		}
	}
	return nil
}

// Restart starts the server again after Kill, on the same data and at the same
// URL, and returns when it has recovered and takes connections.
func (s *Server) Restart() error { return s.up() }

// shared returns the server that the tests of this process share.
func shared(t testing.TB) *Server {
	t.Helper()
	s, err := sharedOnce()
	if err != nil {
		unavailable(t, err)
	}
	return s
}

var sharedOnce = sync.OnceValues(func() (*Server, error) {
	if given := os.Getenv("PROTRACK_TEST_POSTGRES"); given != "" {
		s := &Server{URL: given, templates: map[string]func() (string, error){}}
		return s, s.sweep()
	}
	return start(false)
})

// errNoPrograms says that the machine has no PostgreSQL to start.
var errNoPrograms = errors.New("no PostgreSQL: set PROTRACK_TEST_POSTGRES to the URL of a server, " +
	"or install one so that initdb is on PATH or under /usr/lib/postgresql")

// unavailable skips a test for want of PostgreSQL. A server that is there and
// fails is another matter, and so is CI.
func unavailable(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, errNoPrograms) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	t.Fatal(err)
}

// keeper is the program that stands between a test process and its server: it
// owns the data directory, starts postgres for each line it reads, and when its
// input ends, which it does however the test process dies, takes both away.
// $1 is the directory of the programs, $2 the server's own; the rest are
// settings for postgres. Text sorts by the rules of a language, as it does on
// most servers, and not by bytes, as it does in SQLite: a query whose answer
// depends on that should fail here first.
const keeper = `
bin=$1 dir=$2 pid=
shift 2
trap 'rm -rf "$dir"' EXIT
"$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 \
	--locale=C --locale-provider=icu --icu-locale=en-US \
	--no-sync --no-instructions || exit 1
while read -r _; do
	[ -z "$pid" ] || wait "$pid"
	"$bin/postgres" -D "$dir/data" "$@" &
	pid=$!
done
[ -z "$pid" ] || kill -QUIT "$pid" 2>/dev/null
wait
`

// start makes a data directory and runs a server on it. The server listens on a
// socket in that directory and on no port, so that any number of test processes
// can start theirs at once.
func start(durable bool) (*Server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	as, err := account()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(folder(durable, as != nil), "protrack-pg-")
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err == nil && as != nil {
		err = os.Chown(dir, int(as.Uid), int(as.Gid))
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}

	settings := []string{
		"listen_addresses=", "unix_socket_directories=" + dir,
		"max_connections=100", "shared_buffers=16MB",
		"timezone=Pacific/Chatham", // far from UTC, so that a test notices who relies on it
	}
	if !durable {
		settings = append(settings, "fsync=off", "full_page_writes=off", "max_wal_size=128MB")
	}
	args := []string{"-c", keeper, "keeper", bin, dir}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	cmd := exec.Command("/bin/sh", args...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	cmd.Stdout, cmd.Stderr = log, log
	// A session of its own: the terminal's Ctrl-C is for the tests alone.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: as}
	lifeline, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}

	s := &Server{
		URL:       "postgres://postgres@/postgres?host=" + url.QueryEscape(dir),
		dir:       dir,
		log:       log,
		lifeline:  lifeline,
		ended:     make(chan struct{}),
		templates: map[string]func() (string, error){},
	}
	go func() {
		_ = cmd.Wait() // the log tells what its status cannot
		close(s.ended)
	}()
	if err := s.up(); err != nil {
		s.remove()
		return nil, err
	}
	return s, nil
}

// folder says where a server keeps its files: in memory, unless they are to
// outlive a crash of the machine.
func folder(durable, otherAccount bool) string {
	if in := memory(); in != "" && !durable {
		return in
	}
	// Another account may not reach a private TMPDIR, and the path of a socket
	// may have about a hundred bytes.
	if tmp := os.TempDir(); !otherAccount && len(tmp) <= 60 {
		return tmp
	}
	return "/tmp"
}

// up has the keeper start postgres, and waits until it takes connections.
func (s *Server) up() error {
	if _, err := io.WriteString(s.lifeline, "start\n"); err != nil {
		return s.explain(err)
	}
	for deadline := time.Now().Add(time.Minute); ; {
		err := s.admin("SELECT 1")
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return s.explain(err)
		}
		select {
		case <-s.ended:
			return s.explain(errors.New("it ended"))
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// explain adds the end of the server's log to an error.
func (s *Server) explain(err error) error {
	const most = 2000
	info, statErr := s.log.Stat()
	if statErr != nil {
		return err
	}
	from := max(0, info.Size()-most)
	text, _ := io.ReadAll(io.NewSectionReader(s.log, from, most))
	return fmt.Errorf("PostgreSQL does not start: %w; the end of its log:\n%s", err, text)
}

// remove ends the server and takes its directory away.
func (s *Server) remove() {
	_ = s.lifeline.Close()
	<-s.ended
	_ = s.log.Close()
}

// postmaster gives the process id of the server's first process.
func (s *Server) postmaster() (int, error) {
	if s.dir == "" {
		return 0, errors.New("it is not ours to end")
	}
	text, err := os.ReadFile(filepath.Join(s.dir, "data", "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return strconv.Atoi(first)
}

// admin runs one statement on a connection of its own to the maintenance
// database.
func (s *Server) admin(sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}

// database copies a template for one test.
func (s *Server) database(t testing.TB, template string) string {
	t.Helper()
	name := newName()
	if err := s.admin("CREATE DATABASE " + name + " TEMPLATE " + template); err != nil {
		t.Fatalf("create a database: %v", err)
	}
	t.Cleanup(func() {
		// Force: a connection that the test forgot must not keep the rest waiting.
		if err := s.admin("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Errorf("drop a database: %v", err)
		}
	})
	return s.at(name)
}

// template returns the database that migrate has prepared under a key.
func (s *Server) template(key string, migrate func(url string) error) (string, error) {
	s.mu.Lock()
	once, ok := s.templates[key]
	if !ok {
		once = sync.OnceValues(func() (string, error) {
			sum := sha256.Sum256([]byte(key))
			name := newName() + "_" + hex.EncodeToString(sum[:4])
			if err := s.admin("CREATE DATABASE " + name + " TEMPLATE template0"); err != nil {
				return "", err
			}
			if err := migrate(s.at(name)); err != nil {
				return "", err
			}
			// A template in use cannot be copied: nobody may come in, and the
			// last to leave is given the time that a closing connection takes.
			err := s.admin("ALTER DATABASE " + name + " WITH ALLOW_CONNECTIONS false")
			return name, errors.Join(err, s.vacant(name))
		})
		s.templates[key] = once
	}
	s.mu.Unlock()
	return once()
}

// vacant waits until nobody is connected to a database.
func (s *Server) vacant(name string) error {
	probe := newName()
	if err := s.clone(probe, name); err != nil {
		return err
	}
	return s.admin("DROP DATABASE " + probe)
}

// clone copies a database when the last who is connected has left it.
func (s *Server) clone(name, template string) error {
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		err := s.admin("CREATE DATABASE " + name + " TEMPLATE " + template)
		var pg *pgconn.PgError
		const inUse = "55006" // object_in_use
		if err == nil || !errors.As(err, &pg) || pg.Code != inUse || time.Now().After(deadline) {
			return err
		}
	}
}

// at gives the URL of another database of the server.
func (s *Server) at(name string) string {
	u, err := url.Parse(s.URL)
	if err != nil {
		panic(err) // it was used before it came here
	}
	u.Path = "/" + name
	return u.String()
}

// prefix begins the names of our databases; the time of creation follows.
const prefix = "protrack_test_"

// newName makes a name for a database that tells its age.
func newName() string {
	return fmt.Sprintf("%s%08x_%s", prefix, time.Now().Unix(), strings.ToLower(rand.Text()[:10]))
}

// sweep drops what earlier test processes have left on a server that outlives
// them: their templates, and the databases of those that were killed.
func (s *Server) sweep() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL)
	if err != nil {
		return fmt.Errorf("PROTRACK_TEST_POSTGRES: %w", err)
	}
	defer conn.Close(ctx)
	old := fmt.Sprintf("%s%08x", prefix, time.Now().Add(-6*time.Hour).Unix())
	rows, err := conn.Query(ctx, `SELECT datname FROM pg_database
		WHERE datname LIKE $1 AND datname COLLATE "C" < $2`, strings.ReplaceAll(prefix, "_", `\_`)+"%", old)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		// Another process may be sweeping too.
		if _, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)"); err != nil {
			return err
		}
	}
	return nil
}

// programs finds the directory of initdb and postgres: where PATH leads, or
// where Debian keeps the newest version.
func programs() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		target, err := filepath.EvalSymlinks(path)
		return filepath.Dir(target), err
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errNoPrograms
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		return n
	}
	newest := slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(newest), nil
}

// account says as whom to run the server: PostgreSQL refuses to be root. Nil is
// as ourselves.
func account() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL cannot run as root: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// process is what is known of a process of the machine.
type process struct {
	parent int
	zombie bool // dead, and not yet waited for by its parent
}

// processes lists those of the machine: from /proc, or from ps where there is
// none.
func processes() (map[int]process, error) {
	all := map[int]process{}
	add := func(pid, parent, state string) {
		id, err := strconv.Atoi(pid)
		above, err2 := strconv.Atoi(parent)
		if err == nil && err2 == nil {
			all[id] = process{parent: above, zombie: strings.HasPrefix(state, "Z")}
		}
	}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has gone meanwhile
		}
		// pid (name) state ppid ...; the name may hold spaces and brackets.
		pid, _, _ := strings.Cut(string(text), " ")
		rest := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if len(rest) > 1 {
			add(pid, rest[1], rest[0])
		}
	}
	if len(all) > 0 {
		return all, nil
	}
	out, err := exec.Command("ps", "-A", "-o", "pid=", "-o", "ppid=", "-o", "stat=").Output()
	if err != nil {
		return nil, fmt.Errorf("list the processes: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) >= 3 {
			add(f[0], f[1], f[2])
		}
	}
	return all, nil
}
