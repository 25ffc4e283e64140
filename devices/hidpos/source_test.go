package hidpos_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lintas/devices"
	"lintas/devices/hidpos"
)

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// plug makes a scanner whose reports come through a pair of sockets, which keep
// them apart as hidraw does.
func plug(t *testing.T, m maker) (scanner *os.File, src devices.Source) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	scanner = os.NewFile(uintptr(fds[0]), "scanner")
	src, err = hidpos.FromFile("test", os.NewFile(uintptr(fds[1]), "hidraw"), m.descriptor)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { scanner.Close(); src.Close() })
	return scanner, src
}

func TestReader(t *testing.T) {
	for _, m := range makers {
		t.Run(m.name, func(t *testing.T) {
			scanner, src := plug(t, m)
			r := &devices.Reader{
				Name: "desk",
				Open: func(context.Context) (devices.Source, error) {
					if src == nil {
						return nil, devices.ErrAbsent
					}
					defer func() { src = nil }()
					return src, nil
				},
				Framer: func() devices.Framer { return newFramer() },
			}
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan error, 1)
			out := make(chan devices.Scan, 10)
			go func() { done <- r.Run(ctx, out) }()
			defer func() { cancel(); <-done }()

			told := func() { // that it shall read
				t.Helper()
				if m.trigger == "" {
					return
				}
				scanner.SetReadDeadline(time.Now().Add(patience))
				b := make([]byte, 64)
				if n, err := scanner.Read(b); err != nil || string(b[:n]) != m.trigger {
					t.Errorf("told %q, %v", b[:n], err)
				}
			}
			told()
			for range 3 {
				for _, report := range m.reports("]o1", swipe(td3a, td3b)) {
					if _, err := scanner.Write(report); err != nil {
						t.Fatal(err)
					}
				}
				select {
				case s := <-out:
					wantLines(t, s, devices.Complete, td3a, td3b)
				case <-time.After(patience):
					t.Fatal("no scan")
				}
				told()
			}
			torn := m.reports("]o1", swipe(td3a, td3b))
			for _, report := range torn[:len(torn)-1] {
				scanner.Write(report)
			}
			scanner.Close()
			select {
			case s := <-out:
				if s.Status != devices.Partial {
					t.Errorf("torn message is %s", s.Status)
				}
			case <-time.After(patience):
				t.Fatal("the torn message is not told")
			}
		})
	}
}

func TestSource(t *testing.T) {
	m := makers[0]
	scanner, src := plug(t, m)
	b := make([]byte, 7)
	var got []byte
	for range (len(m.descriptor) + 3 + 6) / 7 {
		n, err := src.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, b[:n]...)
	}
	if string(got) != string(m.begin()) {
		t.Error("the stream does not begin with the descriptor")
	}
	src.SetReadDeadline(time.Unix(1, 0))
	if _, err := src.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after the deadline: %v", err)
	}
	// What came before it is given all the same.
	scanner.Write([]byte{2, 0})
	if n, err := src.Read(b); err != nil || string(b[:n]) != "R\x02\x00\x02\x00" {
		t.Errorf("a report that waits: %q, %v", b[:n], err)
	}
	scanner.Close()
	if _, err := src.Read(b); !errors.Is(err, devices.ErrUnplugged) {
		t.Errorf("unplugged: %v", err)
	}
	src.Close()
	if _, err := src.Read(b); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, port string
		want       error
	}{
		{"nothing there", filepath.Join(dir, "none"), devices.ErrAbsent},
		{"a file", file, devices.ErrWrongKind},
		{"a folder", dir, devices.ErrWrongKind},
		{"no hidraw", "/dev/null", devices.ErrWrongKind},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := hidpos.Open(t.Context(), c.port)
			if !errors.Is(err, c.want) || !strings.HasPrefix(err.Error(), "cannot open scanner ") || !strings.Contains(err.Error(), "; ") {
				t.Errorf("got %v", err)
			}
		})
	}
}
