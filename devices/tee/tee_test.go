package tee_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"lintas/devices"
	"lintas/devices/tee"
)

const (
	swipe = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\rL898902C36UTO7408122F1204159ZE184226B<<<<<10\r"

	// patience is how long a test waits for what must happen.
	patience = 20 * time.Second
)

// scanner is a Source that a test plays.
type scanner struct {
	in     chan []byte
	out    chan []byte
	closed chan struct{}
	once   sync.Once
}

func newScanner() *scanner {
	return &scanner{in: make(chan []byte, 100), out: make(chan []byte, 1000), closed: make(chan struct{})}
}

func (s *scanner) Read(p []byte) (int, error) {
	select {
	case b := <-s.in:
		return copy(p, b), nil
	case <-s.closed:
		return 0, devices.ErrUnplugged
	}
}

func (s *scanner) Write(p []byte) (int, error) {
	for i := range p { // as slowly as a line does: what is not kept apart mixes
		s.out <- []byte{p[i]}
		runtime.Gosched()
	}
	return len(p), nil
}

func (s *scanner) SetReadDeadline(time.Time) error { return nil }

func (s *scanner) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

// said collects what the scanner was told until it ends in the words.
func (s *scanner) said(t testing.TB, words string) string {
	t.Helper()
	var all []byte
	for !strings.HasSuffix(string(all), words) {
		select {
		case b := <-s.out:
			all = append(all, b...)
		case <-time.After(patience):
			t.Fatalf("the scanner was told %q, and not %q", all, words)
		}
	}
	return string(all)
}

// counter is a Tee that runs, with a scanner that is read.
type counter struct {
	t       testing.TB
	tee     *tee.Tee
	path    string
	scanner *scanner
	source  devices.Source
	read    chan int // bytes that our side got
	log     *safeBuffer
	stop    func()
}

func start(t testing.TB, path string, open devices.Opener) *counter {
	t.Helper()
	c := &counter{t: t, path: path, read: make(chan int, 1<<20), log: &safeBuffer{}}
	c.tee = tee.New(tee.Options{Scanner: "desk", Path: path, Open: open, Logger: slog.New(slog.NewTextHandler(c.log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	c.plugIn()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.tee.Run(ctx)
	}()
	c.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case <-done:
		case <-time.After(patience):
			t.Error("Run does not return")
		}
		c.source.Close()
	})
	t.Cleanup(func() {
		c.stop()
		if log := c.log.String(); strings.Contains(log, "ERIKSSON") || strings.Contains(log, "L898902") {
			t.Errorf("the log holds a document:\n%s", log)
		}
	})
	return c
}

// plugIn opens a new scanner and reads it as a Reader does.
func (c *counter) plugIn() {
	c.t.Helper()
	c.scanner = newScanner()
	var err error
	c.source, err = c.tee.Wrap(func(context.Context) (devices.Source, error) { return c.scanner, nil })(context.Background())
	if err != nil {
		c.t.Fatal(err)
	}
	source := c.source
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := source.Read(buf)
			if err != nil {
				return
			}
			c.read <- n
		}
	}()
}

// swipe sends bytes from the scanner and waits until our side has them.
func (c *counter) swipe(b string) {
	c.t.Helper()
	for sent := 0; sent < len(b); {
		piece := b[sent:min(len(b), sent+4096)]
		c.scanner.in <- []byte(piece)
		select {
		case n := <-c.read:
			sent += n
		case <-time.After(patience):
			c.t.Fatal("our own side waits")
		}
	}
}

// await waits for a state.
func (c *counter) await(what string, is func(devices.TeeState) bool) devices.TeeState {
	c.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		s := c.tee.State()
		if is(s) {
			return s
		}
		if time.Now().After(end) {
			c.t.Fatalf("not %s: %+v", what, s)
		}
	}
}

func ready(s devices.TeeState) bool  { return s.Ready }
func opened(s devices.TeeState) bool { return s.Opened }
func alone(s devices.TeeState) bool  { return s.Ready && !s.Opened }

// program opens the port as the second program does.
func (c *counter) program() *os.File {
	c.t.Helper()
	c.await("ready", ready)
	f, err := os.OpenFile(c.path, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { f.Close() })
	c.await("opened", opened)
	return f
}

// gets reads what must come.
func gets(t testing.TB, f *os.File, want string) {
	t.Helper()
	f.SetReadDeadline(time.Now().Add(patience))
	got := make([]byte, len(want))
	if n, err := io.ReadFull(f, got); err != nil || string(got) != want {
		t.Fatalf("the second program got %q, %v; want %q", got[:n], err, want)
	}
}

// getsNothing looks whether anything waits.
func getsNothing(t testing.TB, f *os.File) {
	t.Helper()
	f.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	got := make([]byte, 4096)
	if n, err := f.Read(got); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("the second program got %d bytes from before, %v", n, err)
	}
}

func name(t testing.TB) string { return filepath.Join(t.TempDir(), "scanner-1") }

func TestUnchanged(t *testing.T) {
	c := start(t, name(t), nil)
	f := c.program()
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i) // ^S, ^C, ^D, ^Z, CR, NUL, 0xFF
	}
	c.swipe(string(all))
	gets(t, f, string(all))
	for range 3 {
		c.swipe(swipe)
		gets(t, f, swipe)
	}
	big := make([]byte, 40<<10)
	for i := range big {
		big[i] = byte(rand.N(256))
	}
	done := make(chan struct{})
	go func() { defer close(done); gets(t, f, string(big)) }()
	c.swipe(string(big))
	<-done
	if n := len(c.scanner.out); n > 0 {
		t.Errorf("%d bytes went back to the scanner", n)
	}
}

func TestCommandsGoBack(t *testing.T) {
	c := start(t, name(t), nil)
	f := c.program()
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	if _, err := f.Write(all); err != nil {
		t.Fatal(err)
	}
	if got := c.scanner.said(t, string(all[250:])); got != string(all) {
		t.Errorf("the scanner was told %q", got)
	}
	// The scanner is pulled out and another is there.
	c.source.Close()
	f.Write([]byte("into the air"))
	c.plugIn()
	f.Write([]byte("\x16T\r"))
	if got := c.scanner.said(t, "\x16T\r"); strings.Contains(got, "air") && got != "into the air\x16T\r" {
		t.Errorf("the scanner was told %q", got)
	}
	c.swipe(swipe)
	gets(t, f, swipe)
}

// A program that is there only to say something, like echo >port.
func TestCommandOfAProgramThatLeaves(t *testing.T) {
	c := start(t, name(t), nil)
	c.await("ready", ready)
	for i := range 20 {
		f, err := os.OpenFile(c.path, os.O_WRONLY|unix.O_NOCTTY, 0)
		if err != nil {
			t.Fatal(err)
		}
		command := fmt.Sprintf("\x16T%d\r", i)
		f.WriteString(command)
		f.Close()
		c.scanner.said(t, command)
	}
}

// Commands of both sides come whole, whatever their order.
func TestCommandsDoNotMix(t *testing.T) {
	c := start(t, name(t), nil)
	f := c.program()
	const times = 100
	ours, theirs := "<our own command>", "[their command]"
	var both sync.WaitGroup
	both.Go(func() {
		for range times {
			c.source.Write([]byte(ours))
		}
	})
	both.Go(func() {
		for range times {
			f.Write([]byte(theirs))
		}
	})
	said := make(chan string)
	go func() {
		var all []byte
		for len(all) < times*(len(ours)+len(theirs)) {
			all = append(all, <-c.scanner.out...)
		}
		said <- string(all)
	}()
	both.Wait()
	select {
	case all := <-said:
		if n, m := strings.Count(all, ours), strings.Count(all, theirs); n != times || m != times {
			t.Errorf("%d of ours and %d of theirs came whole: %q", n, m, all)
		}
	case <-time.After(patience):
		t.Fatal("something is lost")
	}
}

// What came while nobody listened is not given to whoever comes next.
func TestNothingFromBefore(t *testing.T) {
	c := start(t, name(t), nil)
	c.await("ready", ready)
	c.swipe(swipe)
	f := c.program()
	getsNothing(t, f)
	c.swipe("second")
	gets(t, f, "second")
	c.swipe("not taken by the first program")
	f.Close()
	c.await("alone", alone)
	c.swipe("nobody is there")
	f = c.program()
	getsNothing(t, f)
	c.swipe("third")
	gets(t, f, "third")
}

// A program that hangs stops nothing, and what is lost is counted. When it goes
// on it gets what it had not yet taken, in order and with one gap.
func TestHung(t *testing.T) {
	c := start(t, name(t), nil)
	f := c.program()
	const swipes = 3000
	for i := range swipes {
		c.swipe(fmt.Sprintf("%07d%s", i, swipe))
	}
	s := c.await("stuck", func(s devices.TeeState) bool { return s.Stuck && s.Lost > 0 })
	if s.Lost%uint64(len(swipe)+7) != 0 {
		t.Errorf("%d bytes lost: not whole pieces", s.Lost)
	}
	f.SetReadDeadline(time.Now().Add(patience))
	size := len(swipe) + 7
	kept := swipes - int(s.Lost)/size
	for i := range kept {
		gets(t, f, fmt.Sprintf("%07d%s", i, swipe))
	}
	c.await("not stuck", func(s devices.TeeState) bool { return !s.Stuck })
	c.swipe("on")
	gets(t, f, "on")
}

// One that hangs and is killed leaves nothing to the one that is started for it.
func TestHungAndKilled(t *testing.T) {
	c := start(t, name(t), nil)
	for range 3 {
		f := c.program()
		for range 2000 {
			c.swipe(swipe)
		}
		c.await("stuck", func(s devices.TeeState) bool { return s.Stuck })
		f.Close()
		s := c.await("alone", alone)
		if s.Stuck {
			t.Errorf("nobody is there, and it is stuck: %+v", s)
		}
		f = c.program()
		getsNothing(t, f)
		c.swipe("fresh")
		gets(t, f, "fresh")
		f.Close()
		c.await("alone", alone)
	}
}

// Programs come and go, and the port stays the same: no hang-up for one that has
// it open, no echo whatever the one before has set, nobody locked out.
func TestComingAndGoing(t *testing.T) {
	c := start(t, name(t), nil)
	first := ""
	for i := range 50 {
		f := c.program()
		to, err := os.Readlink(c.path)
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = to
		}
		if to != first {
			t.Fatalf("the port was %s and is %s", first, to)
		}
		fd := int(f.Fd())
		if err := unix.IoctlSetInt(fd, unix.TIOCEXCL, 0); err != nil {
			t.Fatal(err)
		}
		term, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err != nil {
			t.Fatal(err)
		}
		if term.Lflag&(unix.ECHO|unix.ICANON|unix.ISIG) != 0 || term.Oflag&unix.OPOST != 0 || term.Iflag&unix.ICRNL != 0 {
			t.Fatalf("program %d finds a terminal for people: %+v", i, term)
		}
		c.swipe(swipe)
		unix.SetNonblock(fd, true)
		f2 := os.NewFile(uintptr(must(t)(unix.Dup(fd))), "dup")
		gets(t, f2, swipe)
		// It makes a person's terminal of it, as getty would.
		term.Lflag |= unix.ECHO | unix.ICANON
		term.Iflag |= unix.ICRNL
		if err := unix.IoctlSetTermios(fd, unix.TCSETS, term); err != nil {
			t.Fatal(err)
		}
		c.swipe(swipe)
		f2.Close()
		f.Close()
		c.await("alone", alone)
	}
	if n := len(c.scanner.out); n > 0 {
		t.Errorf("%d bytes were sent back to the scanner", n)
	}
}

func must(t testing.TB) func(int, error) int {
	return func(n int, err error) int {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
}

func TestPort(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "scanner-1")
	if err := os.Symlink("/dev/pts/99999", path); err != nil { // left by one that was killed
		t.Fatal(err)
	}
	c := start(t, path, nil)
	c.await("ready", ready)
	link, err := os.Lstat(path)
	if err != nil || link.Mode()&os.ModeSymlink == 0 {
		t.Fatalf("%v, %v", link, err)
	}
	port, err := os.Stat(path)
	if err != nil || port.Mode().Perm() != 0o660 {
		t.Errorf("%v, %v", port, err)
	}
	folder, err := os.Stat(dir)
	if err != nil || port.Sys().(*syscall.Stat_t).Gid != folder.Sys().(*syscall.Stat_t).Gid {
		t.Errorf("the port is not of the folder's group: %v", err)
	}

	other := start(t, path, nil)
	s := other.await("refused", func(s devices.TeeState) bool { return s.Reason != "" })
	if !strings.Contains(s.Reason, "in use") {
		t.Errorf("another agent is told %q", s.Reason)
	}
	other.stop()
	f := c.program()
	c.swipe(swipe)
	gets(t, f, swipe)

	c.stop()
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the name is still there: %v", err)
	}
	if s := c.tee.State(); s.Ready || s.Opened {
		t.Errorf("after the end: %+v", s)
	}
}

func TestNameThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, dir, filepath.Join(dir, "no", "folder"), "/dev/null/x"} {
		c := start(t, path, nil)
		s := c.await("refused", func(s devices.TeeState) bool { return s.Reason != "" })
		if s.Ready || !strings.Contains(s.Reason, "cannot hand the bytes") {
			t.Errorf("%s: %+v", path, s)
		}
		c.swipe(swipe) // our side goes on
		c.stop()
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "precious" {
		t.Errorf("%q, %v", b, err)
	}
}

// The second program is behind a cable, or behind a pseudo-terminal that another
// program has made for it.
func TestSerialPort(t *testing.T) {
	master, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	defer tty.Close()
	link := name(t)
	if err := os.Symlink(tty.Name(), link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{tty.Name(), link} {
		cable := newScanner()
		c := start(t, path, func(context.Context) (devices.Source, error) { return cable, nil })
		c.await("opened", opened)
		c.swipe(swipe)
		if got := cable.said(t, swipe[len(swipe)-5:]); got != swipe {
			t.Errorf("the cable carried %q", got)
		}
		cable.in <- []byte("\x16T\r")
		c.scanner.said(t, "\x16T\r")
		c.stop()
	}
	if to, err := os.Readlink(link); err != nil || to != tty.Name() {
		t.Errorf("the link is %s, %v", to, err)
	}
}

// An agent that was killed has left its link and its lock file; the number of its
// pseudo-terminal may be somebody else's by now.
func TestAfterAKill(t *testing.T) {
	master, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	defer tty.Close()
	path := name(t)
	if err := os.Symlink(tty.Name(), path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), ".scanner-1.lock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := start(t, path, nil)
	f := c.program()
	c.swipe(swipe)
	gets(t, f, swipe)
	if to, err := os.Readlink(path); err != nil || to == tty.Name() {
		t.Errorf("the link is %s, %v", to, err)
	}
}

// Nothing is left open or running.
func TestLeavesNothing(t *testing.T) {
	run := func() {
		c := start(t, name(t), nil)
		f := c.program()
		c.swipe(swipe)
		gets(t, f, swipe)
		f.Close()
		c.stop()
	}
	run()
	files := func() int {
		d, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("cannot count open files:", err)
		}
		return len(d)
	}
	before, goroutines := files(), runtime.NumGoroutine()
	for range 100 {
		run()
	}
	for end := time.Now().Add(patience); runtime.NumGoroutine() > goroutines && time.Now().Before(end); {
		runtime.Gosched()
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
	if n := files(); n > before {
		t.Errorf("%d open files, %d before", n, before)
	}
}

// BenchmarkRead is what it costs our side that a second program hangs.
func BenchmarkRead(b *testing.B) {
	c := start(b, name(b), nil)
	c.program()
	piece := bytes.Repeat([]byte{'A'}, 4096)
	b.SetBytes(int64(len(piece)))
	for b.Loop() {
		c.scanner.in <- piece
		<-c.read
	}
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

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
