package serial_test

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lintas/devices"
)

func TestSource(t *testing.T) {
	s := newSocket(t)
	s.plugIn()
	src := open(t, s.port)
	buf := make([]byte, 100)

	t.Run("deadline", func(t *testing.T) {
		for _, d := range []time.Duration{-time.Hour, 0, time.Millisecond} {
			src.SetReadDeadline(time.Now().Add(d))
			if n, err := src.Read(buf); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("deadline in %v: %d, %v", d, n, err)
			}
		}
		src.SetReadDeadline(time.Time{})
	})
	t.Run("deadline while waiting", func(t *testing.T) {
		go src.SetReadDeadline(time.Unix(1, 0))
		if n, err := src.Read(buf); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%d, %v", n, err)
		}
		src.SetReadDeadline(time.Time{})
	})
	t.Run("read", func(t *testing.T) {
		s.send("abc")
		if n, err := io.ReadFull(src, buf[:3]); err != nil || string(buf[:n]) != "abc" {
			t.Errorf("%q, %v", buf[:n], err)
		}
	})
	t.Run("no room", func(t *testing.T) {
		if n, err := src.Read(nil); n != 0 || err == nil {
			t.Errorf("%d, %v", n, err)
		}
	})
	t.Run("write", func(t *testing.T) {
		if n, err := src.Write([]byte("\x16M\r\n")); n != 4 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		if n, err := io.ReadFull(s.scanner, buf[:4]); err != nil || string(buf[:n]) != "\x16M\r\n" {
			t.Errorf("the scanner got %q, %v", buf[:n], err)
		}
	})
	t.Run("write to a scanner that does not listen", func(t *testing.T) {
		if n, err := src.Write(make([]byte, 1<<20)); err == nil || !strings.Contains(err.Error(), "has not taken") {
			t.Errorf("%d, %v", n, err)
		}
	})
	t.Run("errors of the line", func(t *testing.T) {
		_, err := src.(devices.LineCounter).LineErrors() // no line, no errors
		if !errors.Is(err, unix.ENOTTY) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("unplugged", func(t *testing.T) {
		s.pull()
		for range 3 {
			if n, err := src.Read(buf); n != 0 || !errors.Is(err, devices.ErrUnplugged) {
				t.Errorf("read %d, %v", n, err)
			}
			if n, err := src.Write([]byte("x")); n != 0 || !errors.Is(err, devices.ErrUnplugged) {
				t.Errorf("wrote %d, %v", n, err)
			}
		}
	})
	t.Run("closed", func(t *testing.T) {
		for range 2 {
			if err := src.Close(); err != nil {
				t.Error(err)
			}
		}
		if n, err := src.Read(buf); n != 0 || !errors.Is(err, os.ErrClosed) {
			t.Errorf("%d, %v", n, err)
		}
	})
}

func TestCloseEndsRead(t *testing.T) {
	s := newSocket(t)
	s.plugIn()
	src := open(t, s.port)
	done := make(chan error)
	go func() {
		_, err := src.Read(make([]byte, 1))
		done <- err
	}()
	src.Close()
	select {
	case err := <-done:
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("Read: %v", err)
		}
	case <-time.After(patience):
		t.Fatal("Read does not return")
	}
}
