package e2e_test

import (
	"fmt"
	"io"
	"math/bits"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"lintas/agent/control"
)

// swipeOf is a document as a scanner sends it.
func swipeOf(t testing.TB, n int) string { return strings.Join(zone(t, traveller(n)), "\r") + "\r" }

// shows waits until the status of the agent holds a condition of the scanner with
// the words, or none.
func (s *site) shows(code, words string) {
	s.t.Helper()
	until(s.t, "the status shows "+code+" "+words, func() bool {
		st, err := s.status()
		if err != nil {
			return false
		}
		for _, c := range st.Conditions {
			if c.Code == code && c.Subject == "passport" && strings.Contains(c.Detail, words) {
				return true
			}
		}
		return false
	})
}

func (s *site) showsNot(codes ...string) {
	s.t.Helper()
	until(s.t, fmt.Sprintf("the status does not show %v", codes), func() bool {
		st, err := s.status()
		if err != nil {
			return false
		}
		for _, code := range codes {
			if has(st, code) {
				return false
			}
		}
		return true
	})
}

// What is wrong with a scanner is said for what it is, and no longer when it is
// mended; nobody has to restart anything.
func TestWhatIsWrongWithAScanner(t *testing.T) {
	s := newSite(t, `direction = "departure"`)
	s.agent()
	s.ready()

	seven := []byte(swipeOf(t, 1))
	for i, c := range seven {
		if bits.OnesCount8(c)&1 == 1 {
			seven[i] = c | 0x80
		}
	}
	s.send(string(seven))
	s.shows("scanner-line", "the reader is set to 7E1")
	st, err := s.status()
	if err != nil || len(st.Scanners) != 1 || st.Scanners[0].Status != "degraded" || st.Scanners[0].Code != "wrong-parity" || len(st.Scanners[0].Diagnoses) != 1 {
		t.Errorf("%+v, %v", st.Scanners, err)
	}
	out, err := s.try("lintas", "status", "-c", s.config())
	if exitCode(err) != 2 || !strings.Contains(out, "The scanner's line is set wrongly (passport)") || !strings.Contains(out, "bytes were noise") {
		t.Errorf("exit status %d:\n%s", exitCode(err), out)
	}
	after := s.last()
	s.send(swipeOf(t, 1))
	s.opened(after)
	s.showsNot("scanner-line")

	line := swipeOf(t, 1)[:45]
	for i := range 3 {
		s.send(line)
		until(t, "it is read in part", func() bool {
			st, err := s.status()
			return err == nil && len(st.Scanners) == 1 && st.Scanners[0].Partial == uint64(i+1)
		})
	}
	s.shows("scanner-dirty", "3 documents in a row")

	// Pulled out, and another program is faster when it is there again.
	s.scanner.Close()
	os.Remove(s.path("scanner"))
	s.shows("scanner-missing", "")
	s.showsNot("scanner-dirty")
	master, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	defer tty.Close()
	if err := unix.Flock(int(tty.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(tty.Name(), s.path("scanner")); err != nil {
		t.Fatal(err)
	}
	s.shows("scanner-busy", fmt.Sprintf("process %d", os.Getpid()))
	s.showsNot("scanner-missing")
	if err := unix.Flock(int(tty.Fd()), unix.LOCK_UN); err != nil {
		t.Fatal(err)
	}
	s.showsNot("scanner-busy")
	s.scanner = master
	after = s.last()
	s.send(swipeOf(t, 2))
	s.opened(after)

	// What is there is no scanner at all.
	s.scanner.Close()
	os.Remove(s.path("scanner"))
	if err := os.Symlink("/dev/null", s.path("scanner")); err != nil {
		t.Fatal(err)
	}
	s.shows("scanner-failed", "no serial line")
}

// A second program gets the same swipes and may speak to the scanner; when it
// hangs, the counter goes on and says so.
func TestSecondProgram(t *testing.T) {
	s := newSite(t, `direction = "departure"`)
	text, err := os.ReadFile(s.config())
	if err != nil {
		t.Fatal(err)
	}
	tee := s.path("run/scanner-1")
	text = []byte(strings.Replace(string(text), "[screen]", fmt.Sprintf("tee = %q\n[screen]", tee), 1))
	if err := os.WriteFile(s.config(), text, 0o600); err != nil {
		t.Fatal(err)
	}
	s.agent()
	s.ready()
	state := func(what string, is func(control.Tee) bool) {
		t.Helper()
		until(t, what, func() bool {
			st, err := s.status()
			return err == nil && len(st.Scanners) == 1 && st.Scanners[0].Tee != nil && is(*st.Scanners[0].Tee)
		})
	}
	state("the port is there", func(t control.Tee) bool { return t.Ready && !t.Opened })
	second, err := os.OpenFile(tee, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	state("it is open", func(t control.Tee) bool { return t.Opened })

	for i := range 3 {
		after, swipe := s.last(), swipeOf(t, i+1)
		s.send(swipe)
		s.opened(after)
		got := make([]byte, len(swipe))
		second.SetReadDeadline(time.Now().Add(30 * time.Second))
		if n, err := io.ReadFull(second, got); err != nil || string(got) != swipe {
			t.Fatalf("the second program got %d of %d bytes, %v", n, len(swipe), err)
		}
	}
	if _, err := second.WriteString("\x16T\r"); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 3)
	if n, err := io.ReadFull(s.scanner, got); err != nil || string(got) != "\x16T\r" {
		t.Fatalf("the scanner was told %q, %v", got[:n], err)
	}

	s.send(strings.Repeat(strings.Repeat("~", 99)+"\r", 3000)) // it takes none of it
	s.shows("tee-stuck", tee)
	after := s.last()
	s.send(swipeOf(t, 4))
	s.opened(after)
	second.Close()
	s.showsNot("tee-stuck")
}
