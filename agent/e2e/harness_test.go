package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"lintas/agent/control"
	"lintas/agent/counter"
	"lintas/queue"
	"lintas/queue/sqlite"
)

// programs is the folder with the built programs.
var programs string

// root is the repository.
const root = "../.."

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "sandboxed" {
		sandboxed(os.Args[2], os.Args[3:])
	}
	dir, err := os.MkdirTemp("", "lintas-e2e-")
	if err != nil {
		panic(err)
	}
	programs = dir
	for name, pkg := range map[string]string{"lintas": "./agent", "lintas-hub": "./agent/hub/lintas-hub", "lintas-demo": "./agent/demo"} {
		args := []string{"build", "-buildvcs=false", "-o", filepath.Join(dir, name)}
		if raceEnabled && name != "lintas-demo" {
			args = append(args, "-race")
		}
		cmd := exec.Command("go", append(args, pkg)...)
		cmd.Dir = root
		if b, err := cmd.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "cannot build %s: %v\n%s", name, err, b)
			os.Exit(1)
		}
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

const (
	counterID = "CGK-T3-D07"
	patience  = 60 * time.Second // for something that must come true
)

// site is one counter with its hub and broker, in a folder of its own.
type site struct {
	t       *testing.T
	dir     string
	port    int // of the broker
	scanner *os.File
	logs    *log

	brokerConf string // more lines for the broker's configuration
}

// log collects what every process of a site says.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newSite makes the hub's keys, a scanner on a pseudo-terminal, and a
// configuration to which extra is added.
func newSite(t *testing.T, extra string) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir(), port: freePort(t), logs: &log{}}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log("what the processes said:\n" + tail(s.logs.String(), 60))
		}
	})
	t.Cleanup(s.conformAll)
	s.tool("lintas-hub", "keys", "init", "--keys", s.path("keys"))
	s.plug()
	s.configure(extra)
	return s
}

func (s *site) path(name string) string { return filepath.Join(s.dir, name) }
func (s *site) config() string          { return s.path("lintas.toml") }

// plug makes a pseudo-terminal and points the scanner's name at it.
func (s *site) plug() {
	s.t.Helper()
	master, line, err := pty.Open()
	if err != nil {
		s.t.Fatal(err)
	}
	s.scanner = master
	s.t.Cleanup(func() { master.Close(); line.Close() })
	os.Remove(s.path("scanner"))
	if err := os.Symlink(line.Name(), s.path("scanner")); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) configure(extra string) {
	s.t.Helper()
	recipients, err := os.ReadFile(s.path("keys/recipients.txt"))
	if err != nil {
		s.t.Fatal(err)
	}
	text := fmt.Sprintf(`
[counter]
id = %q
site = "IDCGK"
terminal = "3"
lane = "D07"
%s
[state]
dir = "state"
run = "run"
[[scanner]]
name = "passport"
port = %q
[screen]
listen = "127.0.0.1:0"
[hub]
recipients = [%q]
ack_keys_file = "keys/ack.jwks"
[keys]
list_file = "keys/list.jwk"
[list]
sources = []
root_file = "keys/list-root.json"
[broker]
url = "tcp://127.0.0.1:%d"
ack_timeout = "1s"
`, counterID, extra, s.path("scanner"), strings.TrimSpace(string(recipients)), s.port)
	if err := os.WriteFile(s.config(), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// tool runs a program to its end and returns what it printed.
func (s *site) tool(name string, args ...string) string {
	s.t.Helper()
	out, err := s.try(name, args...)
	if err != nil {
		s.t.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
	}
	return out
}

func (s *site) try(name string, args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(programs, name), args...)
	cmd.Dir = s.dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, s.logs
	err := cmd.Run()
	return out.String(), err
}

// process is a running program.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	done chan struct{}
	err  error // valid once done is closed
}

func (s *site) spawn(env []string, program string, args ...string) *process {
	s.t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = s.logs, s.logs
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	p := &process{t: s.t, cmd: cmd, done: make(chan struct{})}
	go func() { p.err = cmd.Wait(); close(p.done) }()
	s.t.Cleanup(p.kill)
	return p
}

func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.done
}

// stop asks a process to end and returns how it did.
func (p *process) stop() error {
	p.t.Helper()
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(patience):
		p.kill()
		p.t.Fatal("a process did not end when it was asked to")
	}
	return p.err
}

func (s *site) agent(env ...string) *process {
	s.t.Helper()
	return s.spawn(env, filepath.Join(programs, "lintas"), "run", "-c", s.config())
}

func (s *site) hub() *process {
	s.t.Helper()
	return s.spawn(nil, filepath.Join(programs, "lintas-hub"), "run", "--db", s.path("ledger.db"), "--keys", s.path("keys"),
		"--broker", fmt.Sprintf("tcp://127.0.0.1:%d", s.port))
}

// broker starts a mosquitto that keeps its store in the site's folder.
func (s *site) broker() *process {
	s.t.Helper()
	program := mosquitto(s.t)
	conf := fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location %s/\nmax_queued_messages 0\n", s.port, s.dir) + s.brokerConf
	if os.Geteuid() == 0 {
		conf += "user root\n" // it would give up its rights and then could not read the folder
	}
	if err := os.WriteFile(s.path("mosquitto.conf"), []byte(conf), 0o600); err != nil {
		s.t.Fatal(err)
	}
	p := s.spawn(nil, program, "-c", s.path("mosquitto.conf"))
	until(s.t, "the broker listens", func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.port))
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return p
}

// mosquitto finds the broker, which Debian puts where not everybody looks.
func mosquitto(t *testing.T) string {
	t.Helper()
	for _, p := range []string{"mosquitto", "/usr/sbin/mosquitto"} {
		if path, err := exec.LookPath(p); err == nil {
			return path
		}
	}
	t.Fatal("mosquitto is not installed; make setup installs it")
	return ""
}

// status asks the running agent.
func (s *site) status() (control.Status, error) {
	return control.Ask(context.Background(), s.path("run/lintas.sock"))
}

// ready waits until the agent serves its page and has its scanner.
func (s *site) ready() control.Status {
	s.t.Helper()
	var st control.Status
	until(s.t, "the agent is ready", func() bool {
		var err error
		st, err = s.status()
		return err == nil && st.Page != "" && len(st.Scanners) == 1 && st.Scanners[0].Status == "ready"
	})
	return st
}

// trust has the hub accept the counter's key.
func (s *site) trust() {
	s.t.Helper()
	s.tool("lintas-hub", "keys", "trust", "--keys", s.path("keys"), counterID, s.path("state/counter.pub.jwk"))
}

// event is a stored event with its note.
type event struct {
	queue.Event
	note counter.Note
}

// queued reads what the counter has recorded.
func (s *site) queued() (events []event) {
	s.t.Helper()
	r := s.reader()
	defer r.Close()
	for e, err := range r.Events(context.Background(), 1) {
		if err != nil {
			s.t.Fatal(err)
		}
		note, err := counter.ReadNote(e.Note)
		if err != nil {
			s.t.Fatal(err)
		}
		events = append(events, event{e, note})
	}
	return events
}

func (s *site) reader() *sqlite.Reader {
	s.t.Helper()
	r, err := sqlite.OpenReader(context.Background(), s.path("state/queue.db"))
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// confirmed waits until the hub has everything.
func (s *site) confirmed() {
	s.t.Helper()
	r := s.reader()
	defer r.Close()
	until(s.t, "everything is confirmed", func() bool {
		st, err := r.Status(context.Background())
		return err == nil && st.Depth == 0
	})
}

// end stops an agent when everything is confirmed. One whose link has just gone
// ends without it; what it recorded last is sent when it starts again.
func (s *site) end(agent *process) {
	s.t.Helper()
	for {
		s.confirmed()
		if err := agent.stop(); err != nil {
			s.t.Fatal(err)
		}
		if s.acknowledged() == uint64(len(s.queued())) {
			return
		}
		agent = s.agent()
	}
}

// until waits for something another process does, of which nothing tells.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for limit := time.Now().Add(patience); !done(); {
		if time.Now().After(limit) {
			t.Fatalf("%s: not within %s", what, patience)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func tail(s string, n int) string {
	lines := strings.Split(s, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

func exitCode(err error) int {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	return 0
}
