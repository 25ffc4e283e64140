package serial_test

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
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"lintas/devices"
	"lintas/devices/frame"
	"lintas/devices/serial"
)

const (
	td3a = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"
	td3b = "L898902C36UTO7408122F1204159ZE184226B<<<<<10"
	td3c = "P<UTOSURYATI<<SITI<NURHALIZA<<<<<<<<<<<<<<<<"
	td3d = "X1234567<4UTO9001015F3001012<<<<<<<<<<<<<<04"

	swipe = td3a + "\r" + td3b + "\r"

	// patience is how long a test waits for what must happen.
	patience = 20 * time.Second

	// long is a gap that no busy test machine exceeds by itself.
	long = 10 * time.Second
)

// A socket is the place where a scanner is plugged in: a link, as udev makes
// them, to a pseudo-terminal whose other end is the scanner.
type socket struct {
	t       testing.TB
	port    string
	scanner *os.File
}

func newSocket(t testing.TB) *socket {
	s := &socket{t: t, port: filepath.Join(t.TempDir(), "usb-Test_Scanner-if00")}
	t.Cleanup(func() {
		if s.scanner != nil {
			s.scanner.Close()
		}
	})
	return s
}

// plugIn plugs a new scanner in.
func (s *socket) plugIn() {
	s.t.Helper()
	blocking, tty, err := pty.Open()
	if err != nil {
		s.t.Fatal(err)
	}
	// A write to a pseudo-terminal nobody reads must not outlive the test.
	fd, err := unix.FcntlInt(blocking.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	blocking.Close()
	if err := unix.SetNonblock(fd, true); err != nil {
		s.t.Fatal(err)
	}
	s.scanner = os.NewFile(uintptr(fd), "scanner")
	if err := os.Symlink(tty.Name(), s.port+".new"); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(s.port+".new", s.port); err != nil {
		s.t.Fatal(err)
	}
	tty.Close()
}

// pull pulls the scanner out.
func (s *socket) pull() {
	s.t.Helper()
	if err := os.Remove(s.port); err != nil {
		s.t.Fatal(err)
	}
	s.scanner.Close()
	s.scanner = nil
}

// send makes the scanner send bytes.
func (s *socket) send(b string) {
	s.t.Helper()
	if err := s.scanner.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.scanner.WriteString(b); err != nil {
		s.t.Fatal(err)
	}
}

// A counter is a Reader that runs on a socket, with everything seen that it
// does.
type counter struct {
	t      testing.TB
	r      *devices.Reader
	scans  chan devices.Scan
	states chan devices.State
	pushed chan int // bytes of each push
	opened chan error
	stop   func()

	mu    sync.Mutex
	reads int
}

// start runs a Reader until the test ends.
func start(t testing.TB, port string, gap time.Duration, scans chan devices.Scan) *counter {
	c := &counter{
		t:      t,
		scans:  scans,
		states: make(chan devices.State, 10000),
		pushed: make(chan int, 100000),
		opened: make(chan error, 1000),
	}
	var log safeBuffer
	c.r = &devices.Reader{
		Name: "counter-3",
		Open: func(ctx context.Context) (devices.Source, error) {
			src, err := serial.Open(ctx, serial.Options{Port: port})
			c.opened <- err
			if err != nil {
				return nil, err
			}
			return seen{src, c}, nil
		},
		Framer:   func() devices.Framer { return heard{frame.New(frame.Options{Gap: gap}), c} },
		Logger:   slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: untimed})),
		OnChange: func(s devices.State) { c.states <- s },
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.r.Run(ctx, scans) }()
	c.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(patience):
			t.Fatal("Run does not return")
		}
	})
	t.Cleanup(func() {
		c.stop()
		log.check(t, port)
	})
	return c
}

// seen is a Source whose reads are counted.
type seen struct {
	devices.Source
	c *counter
}

func (s seen) Read(p []byte) (int, error) {
	s.c.mu.Lock()
	s.c.reads++
	s.c.mu.Unlock()
	n, err := s.Source.Read(p)
	if n == 0 && err == nil {
		s.c.t.Error("Read returned neither bytes nor an error")
	}
	return n, err
}

func (c *counter) readCount() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reads
}

// heard is a Framer that tells of each push.
type heard struct {
	devices.Framer
	c *counter
}

func (h heard) Push(now time.Time, b []byte, emit func(devices.Scan)) {
	h.Framer.Push(now, b, emit)
	h.c.pushed <- len(b)
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
			c.t.Fatalf("scanner is not %s, but went through %v to %+v", want, got, c.r.State())
		}
	}
}

// read waits until n bytes have been read and framed.
func (c *counter) read(n int) {
	c.t.Helper()
	for n > 0 {
		select {
		case k := <-c.pushed:
			n -= k
		case <-time.After(patience):
			c.t.Fatalf("%d bytes do not arrive", n)
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

// untimed leaves the time out of a log: it can look like a piece of a zone.
func untimed(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// check fails the test if any five characters of a document were logged. The
// name of the port is left out: it ends in a random number.
func (s *safeBuffer) check(t testing.TB, port string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	log := strings.ReplaceAll(s.b.String(), port, "")
	for _, line := range []string{td3a, td3b, td3c, td3d} {
		for i := range len(line) - 4 {
			if w := line[i : i+5]; w != "<<<<<" && strings.Contains(log, w) {
				t.Fatalf("the log holds %q:\n%s", w, log)
			}
		}
	}
	if log == "" {
		t.Error("nothing was logged")
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

func numbered(i int) string {
	return td3a + "\r" + fmt.Sprintf("X%08d0UTO7408122F1204159<<<<<<<<<<<<<<00", i) + "\r"
}
