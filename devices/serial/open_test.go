package serial_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"lintas/devices"
	"lintas/devices/serial"
)

// open opens a port until the test ends.
func open(t testing.TB, port string) devices.Source {
	t.Helper()
	src, err := serial.Open(context.Background(), serial.Options{Port: port})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	return src
}

// refused opens a port that must be refused.
func refused(t *testing.T, o serial.Options, class error, words ...string) {
	t.Helper()
	files := descriptors(t)
	src, err := serial.Open(context.Background(), o)
	if err == nil {
		src.Close()
		t.Fatal("opened")
	}
	if class != nil && !errors.Is(err, class) {
		t.Errorf("error %q is not %q", err, class)
	}
	for _, w := range append(words, "cannot open serial port", "; ") { // what, and what to do
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
	if n := descriptors(t); n != files {
		t.Errorf("%d open files, %d before", n, files)
	}
	t.Log(err)
}

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }

	t.Run("null", func(t *testing.T) {
		refused(t, serial.Options{Port: "/dev/null"}, devices.ErrWrongKind, "no serial line")
	})
	t.Run("regular file", func(t *testing.T) {
		if err := os.WriteFile(path("file"), []byte("untouched"), 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, serial.Options{Port: path("file")}, devices.ErrWrongKind, "a regular file")
	})
	t.Run("named pipe", func(t *testing.T) {
		if err := unix.Mkfifo(path("fifo"), 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, serial.Options{Port: path("fifo")}, devices.ErrWrongKind, "a named pipe")
	})
	t.Run("socket", func(t *testing.T) {
		l, err := net.Listen("unix", path("socket"))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		refused(t, serial.Options{Port: path("socket")}, devices.ErrWrongKind, "a socket")
	})
	t.Run("directory", func(t *testing.T) {
		refused(t, serial.Options{Port: dir}, devices.ErrWrongKind, "a directory")
	})
	t.Run("missing", func(t *testing.T) {
		refused(t, serial.Options{Port: path("missing")}, devices.ErrAbsent, "plug the scanner in")
		refused(t, serial.Options{Port: path("missing")}, fs.ErrNotExist)
	})
	t.Run("dangling link", func(t *testing.T) {
		if err := os.Symlink("/dev/pts/none", path("link")); err != nil {
			t.Fatal(err)
		}
		refused(t, serial.Options{Port: path("link")}, devices.ErrAbsent)
	})
	t.Run("below a file", func(t *testing.T) {
		refused(t, serial.Options{Port: path("file/port")}, devices.ErrAbsent)
	})
	t.Run("no name", func(t *testing.T) { refused(t, serial.Options{}, nil, "no port is named") })
	t.Run("speed", func(t *testing.T) {
		refused(t, serial.Options{Port: path("missing"), Baud: 9601}, nil, "9601", "115200")
	})
	t.Run("ended context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := serial.Open(ctx, serial.Options{Port: "/dev/null"}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestDenied(t *testing.T) {
	s := newSocket(t)
	s.plugIn()
	tty, err := filepath.EvalSymlinks(s.port)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(tty, 0); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		// Root may open anything. For files alone this thread is somebody else.
		if err := os.Chmod(filepath.Dir(s.port), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Dir(filepath.Dir(s.port)), 0o755); err != nil {
			t.Fatal(err)
		}
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if _, err := unix.SetfsuidRetUid(65534); err != nil {
			t.Skip("cannot be another user:", err)
		}
		defer unix.SetfsuidRetUid(0)
	}
	_, err = serial.Open(context.Background(), serial.Options{Port: s.port})
	if !errors.Is(err, devices.ErrDenied) || !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "udev rule") {
		t.Errorf("got %v", err)
	}
}

func TestSecondOpenIsRefused(t *testing.T) {
	s := newSocket(t)
	s.plugIn()
	k := start(t, s.port, long, make(chan devices.Scan, 10))
	k.await(devices.Ready)
	me, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	refused(t, serial.Options{Port: s.port, Baud: 115200}, devices.ErrBusy, "end the other program", strings.TrimSpace(string(me)))

	s.send(swipe) // the first has not noticed
	k.scan(devices.Complete, td3a, td3b)

	other := start(t, s.port, long, make(chan devices.Scan, 10))
	other.await(devices.Busy)
	k.stop()
	other.await(devices.Ready)
	s.send(swipe)
	other.scan(devices.Complete, td3a, td3b)
}

func TestExclusive(t *testing.T) {
	s := newSocket(t)
	s.plugIn()
	tty, err := os.OpenFile(s.port, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	exclusive := func(want bool, when string) {
		t.Helper()
		if on, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGEXCL); err != nil || (on != 0) != want {
			t.Errorf("exclusive is %v %s, want %v; %v", on != 0, when, want, err)
		}
	}
	src := open(t, s.port)
	exclusive(false, "on a pseudo-terminal, whose other end would keep it so for ever")
	src.Close()

	serial.TakeForRealPorts(t)
	src = open(t, s.port)
	exclusive(true, "while it is open")
	if _, err := serial.Open(context.Background(), serial.Options{Port: s.port}); !errors.Is(err, devices.ErrBusy) {
		t.Errorf("opened twice: %v", err)
	}
	exclusive(true, "after another was refused")
	src.Close()
	exclusive(false, "after it was closed")
}

func TestExclusiveElsewhere(t *testing.T) {
	s := newSocket(t)
	s.plugIn()
	tty, err := os.OpenFile(s.port, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	fd := int(tty.Fd())
	if err := unix.IoctlSetInt(fd, unix.TIOCEXCL, 0); err != nil {
		t.Fatal(err)
	}
	refused(t, serial.Options{Port: s.port}, devices.ErrBusy)
	if on, err := unix.IoctlGetInt(fd, unix.TIOCGEXCL); err != nil || on == 0 {
		t.Errorf("the other program has lost the port: %v, %v", on, err)
	}
	if err := unix.IoctlSetInt(fd, unix.TIOCNXCL, 0); err != nil {
		t.Fatal(err)
	}
	open(t, s.port)
}

// A program that knows of no lock is found by the file it has open.
func TestHeldWithoutALock(t *testing.T) {
	s := newSocket(t)
	s.plugIn()
	tty, err := os.OpenFile(s.port, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	other := exec.Command("cat") // waits for its stdin, and has the port as well
	other.ExtraFiles = []*os.File{tty}
	stdin, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	end := sync.OnceFunc(func() { stdin.Close(); other.Wait() })
	defer end()
	tty.Close()

	open(t, s.port).Close() // a pseudo-terminal: its other end may be such a program
	serial.TakeForRealPorts(t)
	refused(t, serial.Options{Port: s.port}, devices.ErrBusy, fmt.Sprintf("by process %d (cat)", other.Process.Pid), "end the other program")
	end()
	open(t, s.port)
}
