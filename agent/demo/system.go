package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/creack/pty"

	"lintas/agent/control"
	"lintas/agent/crossing"
	"lintas/mrz/ocr/specimen"
	"lintas/queue/mqtt/broker"
	"lintas/queue/sqlite"
)

const (
	pageAddress = "127.0.0.1:8470"
	counterID   = "UTO-DEMO-01"
	patience    = 15 * time.Second // for a part to come up or to end
)

// system is the running whole.
type system struct {
	dir     string
	bin     string // folder of the programs
	page    string
	broker  *broker.Broker
	agent   *process
	hub     *process
	scanner *os.File // the side on which the simulated scanner writes
	line    *os.File // keeps the port from hanging up while nobody has it open
	reader  *sqlite.Reader
	logs    *os.File
	faces   []*specimen.Typeface // what passports are printed in
}

// start brings everything up, the agent last but for the hub, which must know
// the agent's new key.
func start(ctx context.Context, dir, listen string) (s *system, err error) {
	s = &system{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.dir, err = filepath.Abs(dir); err != nil {
		return s, err
	}
	self, err := os.Executable()
	if err != nil {
		return s, err
	}
	s.bin = filepath.Dir(self)
	if err := os.MkdirAll(s.path("hub"), 0o700); err != nil {
		return s, err
	}
	if s.logs, err = os.OpenFile(s.path("demo.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return s, err
	}
	if s.broker, err = broker.Start("127.0.0.1:0", nil); err != nil {
		return s, err
	}
	if err := s.plugScanner(); err != nil {
		return s, err
	}
	if s.faces, err = specimen.Typefaces(); err != nil {
		return s, err
	}
	if err := os.MkdirAll(s.path("pages"), 0o700); err != nil {
		return s, err
	}
	if err := s.tool(ctx, "lintas-hub", "keys", "init", "--keys", s.path("hub/keys")); err != nil {
		return s, err
	}
	if _, err := os.Stat(s.path("hub/keys/list-root.json")); errors.Is(err, fs.ErrNotExist) {
		if err := s.tool(ctx, "lintas-hub", "list", "keys", "init", "--keys", s.path("hub/keys")); err != nil {
			return s, err
		}
	}
	if err := s.configure(s.broker.Address, free(listen)); err != nil {
		return s, err
	}
	if err := s.installList(ctx, s.broker.Address); err != nil {
		return s, err
	}
	if s.agent, err = s.spawn("lintas", "run", "-c", s.config()); err != nil {
		return s, err
	}
	if err := s.awaitAgent(ctx); err != nil {
		return s, err
	}
	if err := s.tool(ctx, "lintas-hub", "keys", "trust", "--keys", s.path("hub/keys"), counterID, s.path("state/counter.pub.jwk")); err != nil {
		return s, err
	}
	s.hub, err = s.spawn("lintas-hub", "run", "--db", s.path("hub/ledger.db"), "--keys", s.path("hub/keys"), "--broker", "tcp://"+s.broker.Address)
	if err != nil {
		return s, err
	}
	s.reader, err = sqlite.OpenReader(ctx, s.path("state/queue.db"))
	return s, err
}

func (s *system) path(name string) string { return filepath.Join(s.dir, filepath.FromSlash(name)) }
func (s *system) config() string          { return s.path("lintas.toml") }

// free keeps the address if nobody has it, and takes any port otherwise.
func free(address string) string {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return "127.0.0.1:0"
	}
	l.Close()
	return address
}

func (s *system) plugScanner() (err error) {
	if s.scanner, s.line, err = pty.Open(); err != nil {
		return fmt.Errorf("cannot make a pseudo-terminal for the scanner: %w", err)
	}
	port := s.path("scanner")
	if err := os.Remove(port); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Symlink(s.line.Name(), port)
}

func (s *system) configure(broker, listen string) error {
	recipients, err := os.ReadFile(s.path("hub/keys/recipients.txt"))
	if err != nil {
		return err
	}
	text := fmt.Sprintf(`# Made by the demonstration. Paths are relative to this file.
[counter]
id = %q
site = "UTDMO"
terminal = "1"
lane = "7"
drill = true

[state]
dir = "state"
run = "run"

[[scanner]]
name = "passport"
port = %q

[[scanner]]
name = "pages"
profile = "folder"
port = %q
after = "remove"

[screen]
listen = %q

[hub]
recipients = [%q]
ack_keys_file = "hub/keys/ack.jwks"

[keys]
list_file = "hub/keys/list.jwk"

[list]
root_file = "hub/keys/list-root.json"

[broker]
url = "tcp://%s"
ack_timeout = "3s"
`, counterID, s.path("scanner"), s.path("pages"), listen, strings.TrimSpace(string(recipients)), broker)
	return os.WriteFile(s.config(), []byte(text), 0o600)
}

// installList builds the invented list and puts it on the counter.
func (s *system) installList(ctx context.Context, broker string) error {
	placements, negatives, agencies := sources(time.Now())
	for name, lines := range map[string][]any{"placements": placements, "negatives": negatives, "agencies": agencies} {
		f, err := os.Create(s.path("hub/" + name + ".jsonl"))
		if err != nil {
			return err
		}
		enc := json.NewEncoder(f)
		for _, l := range lines {
			err = errors.Join(err, enc.Encode(l))
		}
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(s.path("state"), 0o700); err != nil {
		return err
	}
	list := s.path("hub/list")
	err := s.tool(ctx, "lintas-hub", "list", "build", "--keys", s.path("hub/keys"), "--placements", s.path("hub/placements.jsonl"),
		"--negatives", s.path("hub/negatives.jsonl"), "--agencies", s.path("hub/agencies.jsonl"), "-o", list)
	if err != nil {
		return err
	}
	if err := s.tool(ctx, "lintas-hub", "list", "publish", "--keys", s.path("hub/keys"), "--broker", "tcp://"+broker, "--to", "mqtt", list); err != nil {
		return err
	}
	return s.tool(ctx, "lintas", "list", "import", "-c", s.config(), list)
}

func (s *system) awaitAgent(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return poll(ctx, s.agent, "the agent", func() bool {
		st, err := control.Ask(ctx, s.path("run/lintas.sock"))
		if err != nil || st.Page == "" || len(st.Scanners) != 2 || st.Scanners[0].Status != "ready" || st.Scanners[1].Status != "ready" {
			return false
		}
		s.page = st.Page
		_, err = crossing.LoadKeys(s.path("state/counter.pub.jwk"))
		return err == nil
	})
}

// poll looks until something of another process has come true.
func poll(ctx context.Context, p *process, what string, done func() bool) error {
	for !done() {
		select {
		case <-p.ended:
			return fmt.Errorf("%s ended: %v", what, p.err)
		case <-ctx.Done():
			return fmt.Errorf("%s is not there yet: %w", what, context.Cause(ctx))
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// tool runs one of the programs to its end.
func (s *system) tool(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, name), args...)
	b, err := cmd.CombinedOutput()
	s.logs.Write(b)
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, args[0], err, strings.TrimSpace(string(b)))
	}
	return nil
}

// process is a program that runs beside this one.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // valid once ended is closed
}

func (s *system) spawn(name string, args ...string) (*process, error) {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Stdout, cmd.Stderr = s.logs, io.Writer(s.logs)
	// A Ctrl-C at the terminal is for this process, which ends the others in
	// order; they end with it if it is killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, ended: make(chan struct{})}
	go func() { p.err = cmd.Wait(); close(p.ended) }()
	return p, nil
}

// stop ends a process in order.
func (p *process) stop() error {
	if p == nil {
		return nil
	}
	p.cmd.Process.Signal(syscall.SIGTERM) // an error means that it has ended
	select {
	case <-p.ended:
		return p.err
	case <-time.After(patience):
		p.cmd.Process.Kill()
		<-p.ended
		return errors.New("a process did not end when asked to")
	}
}

// stopAgent ends the agent while the hub still listens, so that its last
// events are confirmed too.
func (s *system) stopAgent() error {
	p := s.agent
	s.agent = nil
	return p.stop()
}

func (s *system) close() error {
	errs := []error{s.stopAgent(), s.hub.stop()}
	if s.reader != nil {
		errs = append(errs, s.reader.Close())
	}
	if s.broker != nil {
		errs = append(errs, s.broker.Close())
	}
	for _, f := range []*os.File{s.scanner, s.line, s.logs} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// openBrowser shows the page where there is a desktop to show it on.
func (s *system) openBrowser() {
	if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return
	}
	if opener, err := exec.LookPath("xdg-open"); err == nil {
		exec.Command(opener, "http://"+s.page+"/").Start() // the address has been printed
	}
}
