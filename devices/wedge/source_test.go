package wedge_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lintas/devices"
	"lintas/devices/frame"
	"lintas/devices/wedge"
)

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// A board is a keyboard whose records come through a pipe.
type board struct {
	t    testing.TB
	keys *os.File // where the test types
	src  devices.Source
}

func newBoard(t testing.TB) *board {
	t.Helper()
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		t.Fatal(err)
	}
	b := &board{t: t, keys: os.NewFile(uintptr(fds[1]), "keys")}
	src, err := wedge.FromFile("test", os.NewFile(uintptr(fds[0]), "kernel"))
	if err != nil {
		t.Fatal(err)
	}
	b.src = src
	t.Cleanup(func() { b.keys.Close(); src.Close() })
	return b
}

func (b *board) types(y *typist) {
	b.t.Helper()
	if _, err := b.keys.Write(y.records); err != nil {
		b.t.Fatal(err)
	}
}

// run runs a reader on keyboards, one after the other.
func run(t *testing.T, log *slog.Logger, layout wedge.Layout, boards ...*board) (*devices.Reader, chan devices.Scan) {
	t.Helper()
	r := &devices.Reader{
		Name: "wedge", Mode: devices.Keyboard, Logger: log,
		Open: func(context.Context) (devices.Source, error) {
			if len(boards) == 0 {
				return nil, devices.ErrAbsent
			}
			b := boards[0]
			boards = boards[1:]
			return b.src, nil
		},
		Framer: func() devices.Framer {
			return wedge.New(wedge.Options{Layout: layout, Gap: 10 * time.Second, Text: func() devices.Framer { return frame.New(frame.Options{Gap: 10 * time.Second}) }})
		},
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	out := make(chan devices.Scan, 100)
	go func() { done <- r.Run(ctx, out) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return r, out
}

func next(t *testing.T, out <-chan devices.Scan) devices.Scan {
	t.Helper()
	select {
	case s := <-out:
		return s
	case <-time.After(patience):
		t.Fatal("no scan")
		return devices.Scan{}
	}
}

func TestReader(t *testing.T) {
	first, second := newBoard(t), newBoard(t)
	_, out := run(t, nil, wedge.Auto, first, second)
	for i := range 20 {
		doc := zone(t, fmt.Sprintf("ZY%06d", i), "IDN", "SURYATI")
		first.types(newTypist("de").types(swipe(doc...)))
		s := next(t, out)
		wantLines(t, s, devices.Complete, doc...)
		if s.Seq != uint64(i+1) || s.Mode != devices.Keyboard {
			t.Errorf("scan is %v, mode %q", s, s.Mode)
		}
	}
	first.types(newTypist("de").types(td3a)) // and pulled
	first.keys.Close()
	if s := next(t, out); s.Status != devices.Partial {
		t.Errorf("torn swipe is %s", s.Status)
	}
	second.types(newTypist("us").types(swipe(td3a, td3b)))
	wantLines(t, next(t, out), devices.Complete, td3a, td3b)
}

// taken waits until the kernel holds no record any more.
func (b *board) taken() {
	b.t.Helper()
	for end := time.Now().Add(patience); ; runtime.Gosched() {
		left, err := unix.IoctlGetInt(int(b.keys.Fd()), unix.TIOCINQ)
		switch {
		case err != nil:
			b.t.Fatal(err)
		case left == 0:
			return
		case time.Now().After(end):
			b.t.Fatalf("%d bytes are left in the kernel", left)
		}
	}
}

// Records are taken out of the kernel although nobody reads them.
func TestKernelNeverWaits(t *testing.T) {
	b := newBoard(t)
	one := newTypist("us").types(swipe(td3a, td3b))
	b.types(one)
	b.taken()
	got := make([]byte, len(one.records))
	if _, err := io.ReadFull(b.src, got); err != nil || !bytes.Equal(got, one.records) {
		t.Errorf("read something else: %v", err)
	}
}

// What there was no room for is told as the kernel tells it.
func TestOverflowVoidsTheSwipe(t *testing.T) {
	b := newBoard(t)
	y := newTypist("us")
	send := func() {
		b.types(y)
		y.records = nil
		b.taken()
	}
	for range 10 {
		y.types(swipe(td3a, td3b)).rests(time.Second)
		send()
	}
	f := newFramer(wedge.Auto)
	var got []devices.Status
	emit := func(s devices.Scan) {
		if got = append(got, s.Status); s.Status == devices.Complete {
			wantLines(t, s, devices.Complete, td3a, td3b)
		}
	}
	buf := make([]byte, 4096)
	take := func(until func() bool) {
		for !until() {
			n, err := b.src.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			f.Push(start, buf[:n], emit)
		}
	}
	b.src.SetReadDeadline(time.Now().Add(patience))
	take(func() bool { return len(got) == 4 }) // what there was room for, and a piece
	y.types(swipe(td3a, td3b)).rests(time.Second).types(swipe(td3a, td3b))
	send()
	take(func() bool { return len(got) == 6 })
	if want := "[complete complete complete complete partial complete]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestDeadlines(t *testing.T) {
	b := newBoard(t)
	buf := make([]byte, 100)
	b.src.SetReadDeadline(time.Unix(1, 0))
	if _, err := b.src.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after the deadline: %v", err)
	}
	b.src.SetReadDeadline(time.Time{})
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := b.src.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("woken: %v", err)
		}
	})
	b.src.SetReadDeadline(time.Unix(1, 0))
	wg.Wait()

	b.src.SetReadDeadline(time.Time{})
	wg.Go(func() {
		if _, err := b.src.Read(buf); !errors.Is(err, os.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	})
	b.src.Close()
	wg.Wait()
	if _, err := b.src.Read(nil); err == nil {
		t.Error("an empty buffer is filled")
	}
	if _, err := b.src.Write([]byte("x")); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("written: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	fifo := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, port string
		want       error
	}{
		{"nothing there", filepath.Join(dir, "none"), devices.ErrAbsent},
		{"a dead link", filepath.Join(file, "below"), devices.ErrAbsent},
		{"a file", file, devices.ErrWrongKind},
		{"a pipe", fifo, devices.ErrWrongKind},
		{"a folder", dir, devices.ErrWrongKind},
		{"no keyboard", "/dev/null", devices.ErrWrongKind},
		{"no port", "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := wedge.Open(t.Context(), wedge.Opening{Port: c.port, Grab: true})
			if err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Fatalf("got %v", err)
			}
			if !strings.HasPrefix(err.Error(), fmt.Sprintf("cannot take keyboard %q: ", c.port)) || !strings.Contains(err.Error(), "; ") {
				t.Errorf("says %q", err)
			}
		})
	}
}

func TestOfficersKeyboardIsLeft(t *testing.T) {
	// As sysfs shows a keyboard, a mouse and a power button.
	const full, mouse, button = "e080ffdf01cfffff fffffffffffffffe", "70000 0 0 0 0", "10000000000000 0"
	type node struct{ driver, keys string }
	for _, c := range []struct {
		name  string
		nodes []node
		taken bool
	}{
		{"the only keyboard", []node{{"usbhid", full}, {"usbhid", mouse}, {"button", button}}, false},
		{"one of two", []node{{"usbhid", full}, {"atkbd", full}}, true},
		{"built in", []node{{"atkbd", full}, {"usbhid", full}}, false},
		{"nothing known", nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			make := func(path, text string) {
				t.Helper()
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			link := func(to, path string) {
				t.Helper()
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(to, path); err != nil {
					t.Fatal(err)
				}
			}
			for i, n := range c.nodes {
				device := filepath.Join(root, "sys/devices", fmt.Sprint("bus", i))
				event := fmt.Sprint("event", i)
				make(filepath.Join(device, "input/capabilities/key"), n.keys)
				link("../drivers/"+n.driver, filepath.Join(device, "driver"))
				link("..", filepath.Join(device, "input", event, "device"))
				link(filepath.Join(device, "input", event), filepath.Join(root, "sys/class/input", event))
			}
			err := wedge.Leave(root, "/dev/input/event0")
			if c.taken != (err == nil) || err != nil && !strings.Contains(err.Error(), "grab = true") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// leaks looks for what a log must not hold: any five characters of a document.
func leaks(text string, lines ...string) string {
	for _, line := range lines {
		for i := range len(line) - 4 {
			if w := line[i : i+5]; w != "<<<<<" && strings.Contains(text, w) {
				return w
			}
		}
	}
	return ""
}

type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestNothingTypedIsLogged(t *testing.T) {
	var log locked
	doc := zone(t, "ZY123456", "IDN", "SURYATI")
	b := newBoard(t)
	untimed := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	r, out := run(t, slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: untimed})), wedge.American, b)
	b.types(newTypist("us").types(swipe(doc...)))
	next(t, out)
	b.types(newTypist("de").types(swipe(doc...)))
	next(t, out)
	for end := time.Now().Add(patience); r.State().Code != devices.WrongLayout; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("the wrong layout is not told: %+v", r.State())
		}
	}
	y := newTypist("us").types(doc[0])
	y.event(0, 3, 0)
	b.types(y)
	next(t, out)
	b.keys.Close()
	for end := time.Now().Add(patience); r.State().Status != devices.Absent; {
		if time.Now().After(end) {
			t.Fatal("it is not noticed that the keyboard is gone")
		}
		runtime.Gosched()
	}
	if w := leaks(fmt.Sprint(log.String(), r.State()), doc...); w != "" {
		t.Errorf("the log holds %q", w)
	}
}

// A thousand keyboards that come, type and go leave nothing behind.
func TestNothingIsLeft(t *testing.T) {
	cycle := func() {
		var fds [2]int
		if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
			t.Fatal(err)
		}
		keys := os.NewFile(uintptr(fds[1]), "keys")
		src, err := wedge.FromFile("test", os.NewFile(uintptr(fds[0]), "kernel"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := keys.Write(newTypist("us").types("A").records); err != nil {
			t.Fatal(err)
		}
		if _, err := src.Read(make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
		keys.Close()
		src.Close()
	}
	count := func() (files, goroutines int) {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries), runtime.NumGoroutine()
	}
	cycle()
	files, goroutines := count()
	for range 1000 {
		cycle()
	}
	for end := time.Now().Add(patience); ; runtime.Gosched() {
		f, g := count()
		if f <= files && g <= goroutines {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d files and %d goroutines, %d and %d before", f, g, files, goroutines)
		}
	}
}
