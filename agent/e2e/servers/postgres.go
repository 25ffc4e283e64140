package servers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Postgres is a server of a test's own, reached over a socket in its folder by
// whoever may enter that.
type Postgres struct {
	dir     string
	launch  func() *exec.Cmd
	process *exec.Cmd
	schemas int
}

var shared struct {
	sync.Mutex
	server *Postgres
}

// Main runs a package's tests and ends the server that they shared.
func Main(m *testing.M) (code int) {
	defer func() {
		if shared.server != nil {
			shared.server.stop()
		}
	}()
	return m.Run()
}

// Schema gives the URL of an empty schema on a server that all tests of the
// package share; see Main. It does not sync to the disk.
func Schema(t testing.TB) (url string) {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		shared.server = start(t, "-F")
	}
	return shared.server.Schema(t)
}

// StartPostgres starts a server that syncs as it would in earnest. It ends
// with the test.
func StartPostgres(t testing.TB) *Postgres {
	t.Helper()
	p := start(t)
	t.Cleanup(p.stop)
	return p
}

// Schema gives the URL of an empty schema.
func (p *Postgres) Schema(t testing.TB) (url string) {
	t.Helper()
	p.schemas++
	name := fmt.Sprintf("s%d", p.schemas)
	p.Exec(t, "CREATE SCHEMA "+name)
	return p.URL() + "&options=-csearch_path%3D" + name
}

// URL reaches the server's first database.
func (p *Postgres) URL() string { return "postgres://hub@/postgres?host=" + p.dir }

// Exec runs statements.
func (p *Postgres) Exec(t testing.TB, statements string) {
	t.Helper()
	c, err := pgx.Connect(context.Background(), p.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	if _, err := c.PgConn().Exec(context.Background(), statements).ReadAll(); err != nil {
		t.Fatal(err)
	}
}

// Dump makes a backup of a schema, as pg_dump does; what it returns restores it.
func Dump(t testing.TB, url string) (restore func()) {
	t.Helper()
	_, name, _ := strings.Cut(url, "%3D")
	backup := filepath.Join(t.TempDir(), "backup.sql")
	run := func(program string, args ...string) {
		t.Helper()
		if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", program, err, out)
		}
	}
	run("pg_dump", "-n", name, "-f", backup, url)
	return func() {
		t.Helper()
		run("psql", "-q", "-v", "ON_ERROR_STOP=1", "-c", "DROP SCHEMA "+name+" CASCADE", "-f", backup, url)
	}
}

func start(t testing.TB, options ...string) *Postgres {
	t.Helper()
	bins, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(bins) == 0 {
		t.Skip("PostgreSQL is not installed: make setup")
	}
	bin := filepath.Dir(bins[len(bins)-1])
	dir, err := os.MkdirTemp("", "pg") // a short path: it is a socket's
	if err != nil {
		t.Fatal(err)
	}
	p := &Postgres{dir: dir}
	run := func(name string, args ...string) *exec.Cmd {
		if os.Geteuid() == 0 {
			// The server refuses to run as root; Debian's package brings a user.
			args = append([]string{"--reuid=postgres", "--regid=postgres", "--clear-groups", name}, args...)
			name = "setpriv"
		}
		cmd := exec.Command(name, args...)
		cmd.Dir = dir // one that the user may be in
		return cmd
	}
	if os.Geteuid() == 0 {
		if _, err := user.Lookup("postgres"); err != nil {
			p.stop()
			t.Skip("there is no user postgres: make setup")
		}
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	data := filepath.Join(dir, "data")
	if out, err := run(filepath.Join(bin, "initdb"), "-D", data, "-U", "hub", "-A", "trust", "--no-sync").CombinedOutput(); err != nil {
		p.stop()
		t.Fatalf("%v: %s", err, out)
	}
	p.launch = func() *exec.Cmd {
		return run(filepath.Join(bin, "postgres"), append([]string{"-D", data, "-k", dir, "-h", "", "-c", "shared_buffers=32MB"}, options...)...)
	}
	p.up(t)
	return p
}

func (p *Postgres) up(t testing.TB) {
	t.Helper()
	p.process = p.launch()
	if err := p.process.Start(); err != nil {
		p.process = nil
		p.stop()
		t.Fatal(err)
	}
	await(t, "PostgreSQL", func() bool {
		c, err := pgx.Connect(context.Background(), p.URL())
		if err == nil {
			c.Close(context.Background())
		}
		return err == nil
	})
}

// Crash ends the server without its shutting down, and starts it anew: it goes
// back to what it had synced.
func (p *Postgres) Crash(t testing.TB) {
	t.Helper()
	p.process.Process.Signal(syscall.SIGQUIT)
	p.process.Wait()
	p.up(t)
}

func (p *Postgres) stop() {
	if p.process != nil {
		p.process.Process.Signal(os.Interrupt) // fast shutdown: sessions are ended
		p.process.Wait()
	}
	os.RemoveAll(p.dir)
}
