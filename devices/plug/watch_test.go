package plug_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lintas/devices/plug"
)

func mkfifo(path string) error { return unix.Mkfifo(path, 0o600) }

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// watching is a Watch and what it has told.
type watching struct {
	t       testing.TB
	changed <-chan struct{}
	stop    func()
}

func watch(t testing.TB, root string, names ...string) watching {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	changed, err := plug.WatchIn(ctx, root, names...)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	stop := func() {
		cancel()
		for range changed { // until it is closed
		}
	}
	t.Cleanup(stop)
	return watching{t, changed, stop}
}

// told waits for a report, and takes all that there are: one act can be several
// changes.
func (w watching) told(what string) {
	w.t.Helper()
	select {
	case _, ok := <-w.changed:
		if !ok {
			w.t.Fatalf("%s: watching has ended", what)
		}
	case <-time.After(patience):
		w.t.Fatalf("%s: nothing is told", what)
	}
}

func (w watching) settle() {
	for {
		select {
		case <-w.changed:
		case <-time.After(20 * time.Millisecond):
			return
		}
	}
}

// Each step is one thing that happens when a scanner is plugged in or pulled, and
// has to be told by itself.
func TestWatch(t *testing.T) {
	const link = "dev/serial/by-id/usb-Test-if00"
	m := newMachine(t)
	w := watch(t, m.root, m.path(link))
	for range 2 {
		for _, step := range []struct {
			what string
			do   func()
		}{
			{"the folder comes", func() { m.dir("dev/serial") }},
			{"its folder comes", func() { m.dir("dev/serial/by-id") }},
			{"the link comes", func() { m.link(link, "dev/ttyUSB0") }},
			{"the device comes behind the link", func() { m.write("dev/ttyUSB0", "") }},
			{"udev gives the group its right", func() {
				if err := os.Chmod(m.path("dev/ttyUSB0"), 0o660); err != nil {
					t.Fatal(err)
				}
			}},
			{"the device goes", func() { m.remove("dev/ttyUSB0") }},
			{"the device comes again", func() { m.write("dev/ttyUSB0", "") }},
			{"the link points elsewhere", func() {
				m.link(link+".new", "dev/ttyUSB7")
				if err := os.Rename(m.path(link+".new"), m.path(link)); err != nil {
					t.Fatal(err)
				}
			}},
			{"what it points to comes", func() { m.write("dev/ttyUSB7", "") }},
			{"what it points to goes", func() { m.remove("dev/ttyUSB7") }},
			{"the link goes", func() { m.remove(link) }},
			{"the folders go", func() { m.remove("dev/serial") }},
			{"all comes at once", func() {
				m.write("dev/ttyUSB0", "")
				m.link(link, "dev/ttyUSB0")
			}},
			{"all goes at once", func() { m.remove("dev/ttyUSB0"); m.remove("dev/serial") }},
		} {
			step.do()
			w.told(step.what)
			w.settle()
		}
	}
}

func TestWatchUSB(t *testing.T) {
	m := newMachine(t)
	m.remove("dev/input")
	w := watch(t, m.root, "usb:0db5:013a")
	for _, node := range []string{"dev/ttyACM3", "dev/hidraw0", "dev/input/event9"} {
		m.write(node, "")
		w.told(node + " comes")
		w.settle()
		if err := os.Chmod(m.path(node), 0o600); err != nil {
			t.Fatal(err)
		}
		w.told(node + " gets its rights")
		w.settle()
		m.remove(node)
		w.told(node + " goes")
		w.settle()
	}
}

// What is none of its business is not told.
func TestWatchIsNotDisturbed(t *testing.T) {
	m := newMachine(t)
	m.write("dev/ttyUSB0", "")
	m.link("dev/serial/by-id/a[1]*", "dev/ttyUSB0")
	w := watch(t, m.root, m.path("dev/serial/by-id/a[1]*"))
	m.write("dev/ttyUSB1", "")
	m.write("dev/tty1", "")
	m.link("dev/serial/by-id/a1x", "dev/ttyUSB1")
	m.write("dev/ttyUSB0", "written to") // not a change of the device
	m.remove("dev/tty1")
	m.link("dev/serial/by-id/last", "dev/ttyUSB1")
	// The reports come in order: when this one is told, the ones before were not.
	m.remove("dev/serial/by-id/a[1]*")
	w.told("the link goes")
	select {
	case <-w.changed:
		t.Error("something else was told")
	case <-time.After(100 * time.Millisecond):
	}
}

// Several names are watched at once, whatever becomes of the others.
func TestWatchSeveral(t *testing.T) {
	a, b := newMachine(t), newMachine(t)
	w := watch(t, "/", a.path("dev/ttyUSB0"), b.path("dev/serial/by-id/x"))
	b.link("dev/serial/by-id/x", "dev/ttyUSB9")
	w.told("the second")
	w.settle()
	a.write("dev/ttyUSB0", "")
	w.told("the first")
}

// A link that points to itself ends nowhere, and neither does the look.
func TestWatchEndlessLink(t *testing.T) {
	dir := t.TempDir()
	loop := filepath.Join(dir, "loop")
	if err := os.Symlink("loop", loop); err != nil {
		t.Fatal(err)
	}
	w := watch(t, "/", loop)
	if err := os.Remove(loop); err != nil {
		t.Fatal(err)
	}
	w.told("the link goes")
}

func TestWatchLeavesNothing(t *testing.T) {
	m := newMachine(t)
	watch(t, m.root, m.path("dev/ttyUSB0")).stop() // the poller stays open
	count := func() int {
		d, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("cannot count open files:", err)
		}
		return len(d)
	}
	files, goroutines := count(), runtime.NumGoroutine()
	for range 500 {
		w := watch(t, m.root, m.path("dev/serial/by-id/x"), "usb:0db5:013a")
		m.link("dev/serial/by-id/x", "dev/ttyUSB0")
		w.told("the link comes")
		w.stop()
		m.remove("dev/serial")
	}
	for end := time.Now().Add(patience); runtime.NumGoroutine() > goroutines && time.Now().Before(end); {
		runtime.Gosched()
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
	if n := count(); n > files {
		t.Errorf("%d open files, %d before", n, files)
	}
}

// BenchmarkWatch is the time from a link that comes to its being told.
func BenchmarkWatch(b *testing.B) {
	m := newMachine(b)
	m.dir("dev/serial/by-id")
	w := watch(b, m.root, m.path("dev/serial/by-id/x"))
	for b.Loop() {
		m.link("dev/serial/by-id/new", "dev/ttyUSB0")
		if err := os.Rename(m.path("dev/serial/by-id/new"), m.path("dev/serial/by-id/x")); err != nil {
			b.Fatal(err)
		}
		w.told("another link comes")
	}
}
