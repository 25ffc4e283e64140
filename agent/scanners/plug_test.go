package scanners_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"lintas/agent/scanners"
	"lintas/devices"
)

// Pulled out mid-swipe and plugged in again under the same name: the half is
// told, nothing is made of the two halves, and the next swipe is read.
func TestUnpluggedMidSwipe(t *testing.T) {
	b := newBench(t)
	s := b.plugIn("Reader")
	c := start(t, settings(b.port("Reader")), 10)
	for range 5 {
		c.await(devices.Ready)
		before := c.r.Stats().Bytes
		s.send(td3a + "\r" + td3b[:20])
		until(t, "read", func() bool { return c.r.Stats().Bytes == before+44+1+20 })
		s.pull()
		c.scan(devices.Partial, td3a, td3b[:20])
		c.await(devices.Absent)

		s = b.plugIn("Reader")
		c.await(devices.Ready)
		s.send(td3b[20:] + "\r" + swipe)
		c.complete(td3a, td3b)
		s.pull()
		c.await(devices.Absent)
		s = b.plugIn("Reader")
	}
}

// A scanner is opened because its name has come, not because it was time to try:
// that would be seconds later by then.
func TestOpenedWhenPluggedIn(t *testing.T) {
	b := newBench(t)
	c := start(t, settings(b.port("Reader")), 10)
	c.await(devices.Absent)
	s := b.plugIn("Reader")
	c.await(devices.Ready)
	s.send(swipe)
	c.scan(devices.Complete, td3a, td3b)
}

// Two scanners come back in the other order, and for a moment the name of one still
// leads to where the other is now. Whoever was faster lets go.
func TestNamesChangePlaces(t *testing.T) {
	b := newBench(t)
	left, right := b.plugIn("Left"), b.plugIn("Right")
	l, r := start(t, settings(left.link), 10), start(t, settings(right.link), 10)
	l.await(devices.Ready)
	r.await(devices.Ready)
	where := func(link string) string {
		t.Helper()
		tty, err := os.Readlink(link)
		if err != nil {
			t.Fatal(err)
		}
		return tty
	}
	point := func(link, tty string) {
		t.Helper()
		if err := os.Symlink(tty, link+".new"); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(link+".new", link); err != nil {
			t.Fatal(err)
		}
	}
	for range 10 {
		here, there := where(left.link), where(right.link)
		point(left.link, there) // both lead to the same: one of them is in the way of the other
		point(right.link, here)
		left.master, right.master = right.master, left.master
		l.await(devices.Ready)
		r.await(devices.Ready)
		left.send(numbered(1))
		right.send(numbered(2))
		l.complete(numbered(1)[:44], numbered(1)[45:89])
		r.complete(numbered(2)[:44], numbered(2)[45:89])
		for _, c := range []*counter{l, r} {
			until(t, "quiet", func() bool { return c.r.State().Status == devices.Ready })
			for len(c.states) > 0 {
				<-c.states
			}
		}
	}
}

// The name goes and the device stays: it is another's by then.
func TestNameGoes(t *testing.T) {
	b := newBench(t)
	s := b.plugIn("Reader")
	c := start(t, settings(s.link), 10)
	c.await(devices.Ready)
	s.send(td3a)
	c.await(devices.Reading)
	tty, err := os.Readlink(s.link)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(s.link); err != nil {
		t.Fatal(err)
	}
	c.scan(devices.Partial, td3a)
	c.await(devices.Absent)
	if err := os.Symlink(tty, s.link); err != nil {
		t.Fatal(err)
	}
	c.await(devices.Ready)
	s.send(swipe)
	c.scan(devices.Complete, td3a, td3b)
}

// udev gives the group its right only after the node is there.
func TestRightsComeLater(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may open anything; package plug tests that the change is told")
	}
	b := newBench(t)
	c := start(t, settings(b.port("Reader")), 10)
	c.await(devices.Absent)
	s := b.plugIn("Reader")
	if err := os.Chmod(s.link, 0); err != nil {
		t.Fatal(err)
	}
	c.await(devices.Denied)
	if err := os.Chmod(s.link, 0o660); err != nil {
		t.Fatal(err)
	}
	c.await(devices.Ready)
}

// By maker and model, whatever the name of the port is this time.
func TestByMakerAndModel(t *testing.T) {
	b := newBench(t)
	scanners.LookIn(t, b.dev)
	if err := os.MkdirAll(filepath.Join(b.dev, "dev"), 0o755); err != nil {
		t.Fatal(err)
	}
	c := start(t, settings("usb:0c2e:0b61"), 10)
	c.await(devices.Absent)
	for i := range 3 {
		p := &plugged{t: t}
		tty := p.open()
		name := fmt.Sprintf("ttyACM%d", i)
		device := filepath.Join(b.dev, "sys/devices/usb1/1-1")
		class := filepath.Join(b.dev, "sys/class/tty", name)
		for _, dir := range []string{device, filepath.Dir(class)} {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		for file, text := range map[string]string{"idVendor": "0c2e\n", "idProduct": "0b61\n"} {
			if err := os.WriteFile(filepath.Join(device, file), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		os.Mkdir(filepath.Join(device, name), 0o755)
		os.Symlink(device, filepath.Join(device, name, "device"))
		if err := os.Symlink(filepath.Join(device, name), class); err != nil {
			t.Fatal(err)
		}
		p.link = filepath.Join(b.dev, "dev", name)
		if err := os.Symlink(tty, p.link); err != nil {
			t.Fatal(err)
		}
		c.await(devices.Ready)
		p.send(swipe)
		c.scan(devices.Complete, td3a, td3b)
		if err := os.RemoveAll(filepath.Join(b.dev, "sys")); err != nil {
			t.Fatal(err)
		}
		p.master.Close()
		os.Remove(p.link)
		c.await(devices.Absent)
	}
}

// What is wrong is said for what it is.
func TestWhatIsWrong(t *testing.T) {
	b := newBench(t)
	file := filepath.Join(b.dev, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	fifo := filepath.Join(b.dev, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	s := b.plugIn("Reader")
	first := start(t, settings(s.link), 10)
	first.await(devices.Ready)
	for _, c := range []struct {
		name, port string
		want       devices.Presence
		says       string
	}{
		{"nothing", filepath.Join(b.dev, "none"), devices.Absent, "plug the scanner in"},
		{"no such USB device", "usb:dead:beef", devices.Absent, "plug the scanner in"},
		{"/dev/null", "/dev/null", devices.Failed, "no serial line"},
		{"a file", file, devices.Failed, "a regular file"},
		{"a FIFO", fifo, devices.Failed, "a named pipe"},
		{"in use", s.link, devices.Busy, fmt.Sprintf("process %d", os.Getpid())},
	} {
		t.Run(c.name, func(t *testing.T) {
			second := start(t, settings(c.port), 10)
			if st := second.await(c.want); !strings.Contains(st.Reason, c.says) {
				t.Errorf("%+v does not say %q", st, c.says)
			}
		})
	}
	s.send(swipe) // the first has not noticed any of this
	first.scan(devices.Complete, td3a, td3b)
}

// One scanner's trouble is its own: its neighbour reads every swipe.
func TestNeighbours(t *testing.T) {
	b := newBench(t)
	good := b.plugIn("Good")
	c := start(t, settings(b.port("Good")), 1000)
	c.await(devices.Ready)
	bad := start(t, settings(b.port("Bad")), 1000)
	for i := range 50 {
		s := b.plugIn("Bad")
		bad.await(devices.Ready)
		s.send(strings.Repeat("\xff~A", 2000))
		good.send(numbered(i))
		s.pull()
		want := numbered(i)
		if scan := c.scan(devices.Complete, want[:44], want[45:89]); scan.Seq != uint64(i+1) {
			t.Fatalf("Seq is %d, want %d", scan.Seq, i+1)
		}
	}
}

// 10,000 times plugged in and pulled out leave no open file and no goroutine.
func TestPlugCycles(t *testing.T) {
	const sockets = 20
	cycles := 500
	if testing.Short() {
		cycles = 25
	}
	warm := newBench(t) // ptys and the poller keep files open for good
	s := warm.plugIn("Reader")
	c := start(t, settings(s.link), 10)
	c.await(devices.Ready)
	c.stop()
	s.pull()
	files, goroutines := descriptors(t), runtime.NumGoroutine()

	var all sync.WaitGroup
	for range sockets {
		all.Go(func() {
			b := newBench(t)
			c := start(t, settings(b.port("Reader")), 10)
			defer c.stop()
			for i := range cycles {
				s := b.plugIn("Reader")
				for strangers := c.awaitUp(); strangers; strangers = c.awaitUp() {
					s.pull()
					s = b.plugIn("Reader")
				}
				if i%10 == 0 {
					c.swipe(s, numbered(i), td3a)
				}
				s.pull()
				c.await(devices.Absent)
			}
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	until(t, "all ended", func() bool { return runtime.NumGoroutine() <= goroutines })
	if n := descriptors(t); n > files {
		t.Errorf("%d open files, %d before", n, files)
	}
}

// Cancelling leaves nothing behind, whatever was going on.
func TestCancel(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(b bench, c *counter, s *plugged)
	}{
		{"idle", func(bench, *counter, *plugged) {}},
		{"absent", func(_ bench, c *counter, s *plugged) { s.pull(); c.await(devices.Absent) }},
		{"reading", func(_ bench, c *counter, s *plugged) { s.send(td3a); c.await(devices.Reading) }},
		{"nobody takes the scans", func(_ bench, c *counter, s *plugged) {
			s.send(swipe + swipe)
			until(t, "read", func() bool { return c.r.Stats().Complete == 2 })
		}},
		{"flooded", func(_ bench, c *counter, s *plugged) {
			flood := make(chan struct{})
			go func() {
				defer close(flood)
				for {
					if _, err := s.master.WriteString(swipe + "noise noise noise"); err != nil {
						return
					}
				}
			}()
			until(t, "read", func() bool { return c.r.Stats().Bytes > 100_000 })
			c.stop()
			s.master.Close()
			<-flood
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t)
			s := b.plugIn("Reader")
			k := start(t, settings(s.link), 0)
			k.await(devices.Ready)
			c.do(b, k, s)
			goroutines := runtime.NumGoroutine()
			k.stop()
			until(t, "fewer goroutines", func() bool { return runtime.NumGoroutine() < goroutines || c.name == "flooded" })
			if st := k.r.State(); st.Status != devices.Stopped {
				t.Errorf("state is %+v", st)
			}
		})
	}
}

// A context that ends while the scanner is being opened ends Run.
func TestCancelWhileOpening(t *testing.T) {
	b := newBench(t)
	s := b.plugIn("Reader")
	r := scanners.New(settings(s.link), nil)
	for range 100 {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- r.Run(ctx, make(chan devices.Scan)) }()
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}
