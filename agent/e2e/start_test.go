package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lintas/agent/control"
)

// bare is a site whose configuration has only what cannot be left out.
func bare(t *testing.T) *site {
	t.Helper()
	s := newSite(t, "")
	recipients, err := os.ReadFile(s.path("keys/recipients.txt"))
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("[counter]\nid = %q\n[state]\ndir = \"state\"\nrun = \"run\"\n[screen]\nlisten = \"127.0.0.1:0\"\n"+
		"[hub]\nrecipients = [%q]\nack_keys_file = \"nowhere.jwks\"\n", counterID, strings.TrimSpace(string(recipients)))
	if err := os.WriteFile(s.config(), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// Nothing is attached: the agent starts, records, serves its page, and says
// what is missing.
func TestNothingAttached(t *testing.T) {
	s := bare(t)
	began := time.Now()
	agent := s.agent()
	var st control.Status
	until(t, "the page is served", func() bool {
		var err error
		st, err = s.status()
		return err == nil && st.Page != ""
	})
	t.Logf("from exec to a usable page: %s", time.Since(began).Round(time.Millisecond))
	res, err := http.Get("http://" + st.Page + "/")
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("the page: %v %v", res, err)
	}
	page, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.try("lintas", "status", "--json", "-c", s.config())
	if exitCode(err) != 2 {
		t.Fatalf("lintas status exits with %d", exitCode(err))
	}
	if err := json.Unmarshal([]byte(out), &st); err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, c := range st.Conditions {
		codes = append(codes, c.Code)
		if !strings.Contains(string(page), c.ID) {
			t.Errorf("the page does not say %q", c.ID)
		}
	}
	for _, want := range []string{"scanner-none", "broker-none", "list-absent", "key-new"} {
		if !slices.Contains(codes, want) {
			t.Errorf("condition %s is missing in %v", want, codes)
		}
	}
	if !st.Recording || st.Queue.Sequence != 1 {
		t.Errorf("status %+v: the start was not recorded", st)
	}
	if err := agent.stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.try("lintas", "status", "-c", s.config()); exitCode(err) != 1 {
		t.Errorf("lintas status of an agent that does not run exits with %d", exitCode(err))
	}
}

// A scanner, a broker and a list that come later are used without a restart.
func TestThingsComeLater(t *testing.T) {
	s := newSite(t, `direction = "departure"`)
	port := s.path("scanner")
	target, err := os.Readlink(port)
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(port)
	s.agent()
	until(t, "the agent says what is missing", func() bool {
		st, err := s.status()
		return err == nil && has(st, "scanner-missing") && has(st, "list-absent")
	})
	if err := os.Symlink(target, port); err != nil {
		t.Fatal(err)
	}
	s.broker()
	s.trust()
	s.hub()
	s.installList(traveller(1))
	until(t, "all of it is used", func() bool {
		st, err := s.status()
		return err == nil && !has(st, "scanner-missing") && !has(st, "list-absent") && st.List.Rows > 0 && st.Uplink.Connected && st.Queue.Depth == 0
	})
}

func has(st control.Status, code string) bool {
	return slices.ContainsFunc(st.Conditions, func(c control.Condition) bool { return c.Code == code })
}

func TestWrongConfiguration(t *testing.T) {
	s := bare(t)
	text := "[counter]\nid = \"cgk\"\ndirekton = \"departure\"\nconfirm = \"auto\"\n[screen]\nlisten = \"0.0.0.0:8470\"\n[broker]\npassword = \"hunter2\"\n"
	if err := os.WriteFile(s.config(), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := s.try("lintas", "config", "check", "-c", s.config())
	if exitCode(err) != 78 {
		t.Errorf("config check exits with %d", exitCode(err))
	}
	for _, want := range []string{"lintas.toml:2: counter.id", "lintas.toml:3: counter.direkton", "did you mean direction", ":6: screen.listen",
		":8: broker.password", "password_file", "hub.recipients", "hub.ack_keys_file"} {
		if !strings.Contains(out, want) {
			t.Errorf("the faults do not say %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "hunter2") {
		t.Error("a secret is repeated")
	}
	if _, err := s.try("lintas", "run", "-c", s.config()); exitCode(err) != 78 {
		t.Errorf("run exits with %d", exitCode(err))
	}
	if _, err := s.try("lintas", "rum"); exitCode(err) != 64 {
		t.Errorf("a wrong command exits with %d", exitCode(err))
	}
	if _, err := s.try("lintas", "run", "--colour"); exitCode(err) != 64 {
		t.Errorf("a wrong flag exits with %d", exitCode(err))
	}
}

// What systemd is told: READY once, WATCHDOG while the loops go round,
// STOPPING at the end.
func TestSystemdIsTold(t *testing.T) {
	s := bare(t)
	// A unix socket's path is short; the test's folder may not be.
	dir, err := os.MkdirTemp("", "n")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	socket := filepath.Join(dir, "s")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	agent := s.agent("NOTIFY_SOCKET="+socket, "WATCHDOG_USEC=300000")
	expect := func(want string) {
		t.Helper()
		l.SetReadDeadline(time.Now().Add(patience))
		buf := make([]byte, 256)
		for {
			n, err := l.Read(buf)
			if err != nil {
				t.Fatalf("waiting for %s: %v", want, err)
			}
			if string(buf[:n]) == want {
				return
			}
		}
	}
	expect("READY=1")
	expect("WATCHDOG=1")
	expect("WATCHDOG=1")
	ended := make(chan error, 1)
	go func() { ended <- agent.stop() }()
	expect("STOPPING=1")
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

// Two agents must never write one queue.
func TestSecondAgentIsRefused(t *testing.T) {
	s := bare(t)
	s.agent()
	until(t, "the first runs", func() bool { _, err := s.status(); return err == nil })
	out, err := exec.Command(filepath.Join(programs, "lintas"), "run", "-c", s.config()).CombinedOutput()
	if exitCode(err) != 1 || !strings.Contains(string(out), "another process has the queue open") {
		t.Errorf("the second ended with %d: %s", exitCode(err), out)
	}
}
