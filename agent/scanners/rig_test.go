package scanners_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lintas/agent/config"
	"lintas/agent/scanners"
	"lintas/devices"
)

const (
	td3a  = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"
	td3b  = "L898902C36UTO7408122F1204159ZE184226B<<<<<10"
	swipe = td3a + "\r" + td3b + "\r"

	// patience is how long a test waits for what must happen.
	patience = 30 * time.Second
)

// numbered is a swipe that can be told from others.
func numbered(i int) string {
	return td3a + "\r" + fmt.Sprintf("X%08d0UTO7408122F1204159<<<<<<<<<<<<<<00", i) + "\r"
}

// A bench is a machine with sockets for scanners: folders as udev keeps them.
type bench struct {
	t   testing.TB
	dev string
}

func newBench(t testing.TB) bench {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return bench{t, dir}
}

// A plugged scanner is the far end of a pseudo-terminal and the link to it.
type plugged struct {
	t      testing.TB
	link   string
	master *os.File
}

// port is the name of a scanner below by-id.
func (b bench) port(name string) string {
	return filepath.Join(b.dev, "serial/by-id", "usb-"+name+"-if00")
}

// plugIn plugs a scanner in: its node is there, and then its link.
func (b bench) plugIn(name string) *plugged {
	b.t.Helper()
	p := &plugged{t: b.t, link: b.port(name)}
	tty := p.open()
	if err := os.MkdirAll(filepath.Dir(p.link), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.Symlink(tty, p.link); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		if p.master != nil {
			p.master.Close()
		}
	})
	return p
}

// open makes the pseudo-terminal. Its other end cannot block.
func (p *plugged) open() (tty string) {
	p.t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		p.t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		p.t.Fatal(err)
	}
	p.master = os.NewFile(uintptr(fd), "scanner")
	return fmt.Sprintf("/dev/pts/%d", number)
}

// pull pulls the scanner out as the kernel and udev do: link and empty folder go.
func (p *plugged) pull() {
	p.t.Helper()
	p.master.Close()
	p.master = nil
	if err := os.Remove(p.link); err != nil {
		p.t.Fatal(err)
	}
	os.Remove(filepath.Dir(p.link))               // if it was the last one
	os.Remove(filepath.Dir(filepath.Dir(p.link))) // likewise
}

// send makes the scanner send bytes.
func (p *plugged) send(b string) {
	p.t.Helper()
	if err := p.master.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.master.WriteString(b); err != nil {
		p.t.Fatal(err)
	}
}

// A counter is a reader made from a configuration, running.
type counter struct {
	t      testing.TB
	r      *devices.Reader
	scans  chan devices.Scan
	states chan devices.State
	log    *safeBuffer
	stop   func()
}

func settings(port string) config.Scanner {
	return config.Scanner{Name: "desk", Port: port, Profile: "auto", Line: "9600 8N1", Gap: 250 * time.Millisecond, Layout: "auto", After: "keep"}
}

func start(t testing.TB, s config.Scanner, queue int) *counter {
	t.Helper()
	c := &counter{t: t, scans: make(chan devices.Scan, queue), states: make(chan devices.State, 100000), log: &safeBuffer{}}
	c.r = scanners.New(s, slog.New(slog.NewTextHandler(c.log, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: untimed})))
	c.r.OnChange = func(s devices.State) { c.states <- s }
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.r.Run(ctx, c.scans) }()
	c.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(patience):
			t.Error("Run does not return")
		}
	})
	t.Cleanup(func() {
		c.stop()
		c.log.check(t, s.Port)
	})
	return c
}

// await waits for a status.
func (c *counter) await(want devices.Presence) devices.State {
	c.t.Helper()
	var got []devices.Presence
	for {
		select {
		case s := <-c.states:
			if s.Status == want {
				return s
			}
			got = append(got, s.Status)
		case <-time.After(patience):
			c.t.Fatalf("not %s, but %v and now %+v", want, got, c.r.State())
		}
	}
}

// awaitUp waits until the scanner is ready. Strangers is true if a program that is
// none of this test's has it instead: the numbers of pseudo-terminals are used again
// and again by all of a machine, and another test can still have one's name.
func (c *counter) awaitUp() (strangers bool) {
	c.t.Helper()
	var got []devices.Presence
	for {
		select {
		case s := <-c.states:
			switch {
			case s.Status == devices.Ready:
				return false
			case s.Status == devices.Busy && !strings.Contains(s.Reason, fmt.Sprintf("process %d ", os.Getpid())):
				return true
			}
			got = append(got, s.Status)
		case <-time.After(patience):
			c.t.Fatalf("not ready, but %v and now %+v", got, c.r.State())
		}
	}
}

// scan waits for a scan and compares it.
func (c *counter) scan(status devices.Status, lines ...string) devices.Scan {
	c.t.Helper()
	select {
	case s := <-c.scans:
		if s.Status != status || !slices.Equal(s.Lines, lines) {
			c.t.Fatalf("scan %s %q, want %s %q", s.Status, s.Lines, status, lines)
		}
		return s
	case <-time.After(patience):
		c.t.Fatalf("no scan; state is %+v, stats are %+v", c.r.State(), c.r.Stats())
	}
	panic("not reached")
}

// complete waits for a complete scan, which must be this one.
func (c *counter) complete(lines ...string) {
	c.t.Helper()
	for {
		select {
		case s := <-c.scans:
			if s.Status != devices.Complete {
				continue
			}
			if !slices.Equal(s.Lines, lines) {
				c.t.Fatalf("scan %q, want %q", s.Lines, lines)
			}
			return
		case <-time.After(patience):
			c.t.Fatalf("no scan; state is %+v, stats are %+v", c.r.State(), c.r.Stats())
		}
	}
}

// swipe sends a document and something behind it, and waits for its scan. A
// scanner that is found by the name which the one before it had is let go and
// opened again; what it sent meanwhile is discarded with what was there before it
// was opened, so the document is sent again then.
func (c *counter) swipe(p *plugged, document, behind string) {
	c.t.Helper()
	p.send(document + behind)
	gone := false
	for {
		select {
		case s := <-c.states:
			switch {
			case !s.Status.Up():
				gone = true
			case gone && s.Status == devices.Ready:
				gone = false
				p.send(document + behind)
			}
		case s := <-c.scans:
			if s.Status != devices.Complete || s.Lines[0] == document[:44] && s.Lines[1] != document[45:89] {
				continue // what was behind it, or the document before this one once more
			}
			if !slices.Equal(s.Lines, []string{document[:44], document[45:89]}) {
				c.t.Fatalf("scan %q, want %q", s.Lines, document)
			}
			return
		case <-time.After(patience):
			c.t.Fatalf("no scan; state is %+v, stats are %+v", c.r.State(), c.r.Stats())
		}
	}
}

// until waits for something that no channel tells.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not %s", what)
		}
	}
}

// descriptors counts the open files of this process.
func descriptors(t testing.TB) int {
	t.Helper()
	d, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("cannot count open files:", err)
	}
	return len(d)
}

// cpu is how much this process has computed.
func cpu(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// safeBuffer is a log that several goroutines write.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

// check fails the test if any five characters of a document were logged. The name
// of the port is left out: it ends in a random number.
func (s *safeBuffer) check(t testing.TB, port string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	log := strings.ReplaceAll(s.b.String(), port, "")
	for _, line := range []string{td3a, td3b} {
		for i := range len(line) - 4 {
			if w := line[i : i+5]; w != "<<<<<" && strings.Contains(log, w) {
				t.Fatalf("the log holds %q:\n%s", w, log)
			}
		}
	}
}

// untimed leaves the time out of a log: it can look like a piece of a zone.
func untimed(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}
