package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lintas/agent/cli"
	"lintas/agent/command"
	"lintas/devices/replay"
)

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// process is a command that runs until it ends or is ended.
type process struct {
	lines  chan string // of stdout; closed at the end
	stderr *buffer
	code   chan int
	end    context.CancelFunc
}

// begin starts a command line.
func begin(t *testing.T, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	p := &process{make(chan string, 1000), &buffer{}, make(chan int, 1), cancel}
	env := command.Env{Stdin: strings.NewReader(""), Stdout: w, Stderr: p.stderr, Getenv: func(string) string { return "" }}
	go func() {
		p.code <- command.Run(ctx, env, "lintas", "", cli.Commands(), args)
		w.Close()
	}()
	go func() {
		defer close(p.lines)
		s := bufio.NewScanner(r)
		for s.Scan() {
			p.lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		cancel()
		for range p.lines { // until it has ended
		}
	})
	return p
}

const patience = 60 * time.Second

// line is the next line of stdout.
func (p *process) line(t *testing.T) string {
	t.Helper()
	select {
	case l, ok := <-p.lines:
		if !ok {
			t.Fatalf("it has ended: %s", p.stderr)
		}
		return l
	case <-time.After(patience):
		t.Fatalf("nothing was printed: %s", p.stderr)
	}
	return ""
}

// exit is the exit code.
func (p *process) exit(t *testing.T) int {
	t.Helper()
	select {
	case code := <-p.code:
		return code
	case <-time.After(patience):
		t.Fatal("it does not end")
	}
	return 0
}

// read reads a line of JSON.
func read[T any](t *testing.T, line string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(line), &v); err != nil {
		t.Fatalf("%v in %q", err, line)
	}
	return v
}

type (
	madePort  struct{ Port string }
	madeSwipe struct{ Lines []string }
	heard     struct {
		Scanner string
		Seq     uint64
		Status  string
		Lines   []string
		At      time.Time
		Kind    string
	}
)

// like compares what was swiped with what was heard, but for what was unread.
func like(swiped, heard []string) bool {
	return slices.EqualFunc(swiped, heard, func(a, b string) bool {
		if len(a) != len(b) {
			return false
		}
		for i := range a {
			if a[i] != b[i] && b[i] != '_' {
				return false
			}
		}
		return true
	})
}

// Every document that a simulated scanner swipes is heard, once and in order,
// whatever goes wrong around it.
func TestScannerSimulateAndListen(t *testing.T) {
	type run struct{ profile, fault string }
	var runs []run
	for _, f := range []string{"none", "garbage", "unterminated", "merged", "split", "half", "unread", "card", "pass", "flood"} {
		runs = append(runs, run{"auto", f})
	}
	for _, p := range []string{"rte", "cute", "cr100", "elyctis", "honeywell", "access-is"} {
		runs = append(runs, run{p, "none"}, run{p, "merged"}, run{p, "split"})
	}
	for _, c := range runs {
		t.Run(c.profile+" "+c.fault, func(t *testing.T) {
			t.Parallel()
			every := "20ms"
			if c.profile == "honeywell" || c.fault == "unterminated" {
				every = "400ms" // only the gap ends a document
			}
			sim := begin(t, "scanner", "simulate", "--json", "--profile", c.profile, "--fault", c.fault, "--count", "3", "--every", every)
			port := read[madePort](t, sim.line(t)).Port
			listen := begin(t, "scanner", "listen", "--json", "--port", port, "--profile", c.profile)
			var want [][]string
			for l := range sim.lines {
				want = append(want, read[madeSwipe](t, l).Lines)
			}
			if code := sim.exit(t); code != 0 || len(want) < 3 {
				t.Fatalf("exit %d after %d documents: %s", code, len(want), sim.stderr)
			}
			seq := uint64(0)
			for _, w := range want {
				for {
					h := read[heard](t, listen.line(t))
					if seq++; h.Seq != seq || h.Scanner != port || h.At.IsZero() || h.Lines == nil {
						t.Errorf("number %d of %q: %+v", seq, port, h)
					}
					if h.Status != "complete" {
						continue
					}
					if !like(w, h.Lines) {
						t.Errorf("heard %q, swiped %q", h.Lines, w)
					}
					break
				}
			}
			listen.end()
			if code := listen.exit(t); code != 0 {
				t.Errorf("interrupted: exit %d", code)
			}
			for _, w := range want {
				for _, l := range w {
					if strings.Contains(listen.stderr.String(), l) {
						t.Error("stderr shows a document")
					}
				}
			}
		})
	}
}

// A scanner that is pulled out in the middle and comes back under the same link
// goes on.
func TestScannerSimulateUnplug(t *testing.T) {
	link := filepath.Join(t.TempDir(), "scanner")
	sim := begin(t, "scanner", "simulate", "--json", "--fault", "unplug", "--count", "4", "--every", "100ms", "--link", link)
	sim.line(t)
	listen := begin(t, "scanner", "listen", "--json", "--port", link)
	complete, partial := 0, 0
	for complete < 4 {
		if h := read[heard](t, listen.line(t)); h.Status == "complete" {
			complete++
		} else {
			partial++
		}
	}
	if code := sim.exit(t); code != 0 || partial > 2 {
		t.Errorf("exit %d, %d halves", code, partial)
	}
	if _, err := os.Lstat(link); err == nil {
		t.Error("the link is left")
	}
}

func TestScannerUsage(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("P<UTO"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"scanner", 64, "listen"},
		{"scanner listen --profile rte", 64, "--port"},
		{"scanner listen --port /dev/x --profile best", 64, "there are auto, rte"},
		{"scanner listen --port /dev/x --line 9601", 64, "9601"},
		{"scanner listen --port /dev/x --profile keyboard --layout it", 64, "there are auto, us"},
		{"scanner listen --grab", 64, "--port"},
		{"scanner listen -c " + dir + "/none", 78, "none"},
		{"scanner listen more", 64, "more"},
		{"scanner record --port /dev/x", 64, "one file"},
		{"scanner record --port /dev/x " + file, 1, "exists already"},
		{"scanner record --port /dev/x --specimen --yes-record-personal-data " + dir + "/new", 64, "exclude"},
		{"scanner record --port /dev/x --profile keyboard " + dir + "/new", 64, "cannot be masked"},
		{"scanner record --port /dev/x --profile hid-pos " + dir + "/new", 64, "cannot be masked"},
		{"scanner replay", 64, "one file"},
		{"scanner replay " + dir + "/none", 1, "none"},
		{"scanner replay " + file, 1, "line 1"},
		{"scanner simulate --fault best", 64, "there are none, garbage"},
		{"scanner simulate --profile keyboard", 64, "there are auto"},
		{"scanner simulate --every -1s", 64, "negative"},
		{"scanner simulate --link " + file, 1, "something else"},
		{"scanner diagnose --port /dev/does-not-exist --for 150ms", 1, ""},
	} {
		out, errs, code := lintas(t, "", strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(errs, c.says) || strings.Contains(errs, "P<UTO") {
			t.Errorf("%s: exit %d, %q %q", c.args, code, out, errs)
		}
	}
}

func TestScannerDiagnose(t *testing.T) {
	type diagnosis struct {
		Scanner, Status string
		Stats           struct{ Bytes, Complete uint64 }
		Findings        []struct{ Code, ID, EN string }
	}
	for _, c := range []struct {
		fault string
		code  int
		find  string
	}{
		{"none", 0, ""},
		{"seven", 2, "wrong-parity"},
	} {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			sim := begin(t, "scanner", "simulate", "--json", "--fault", c.fault, "--every", "200ms")
			port := read[madePort](t, sim.line(t)).Port
			d := begin(t, "scanner", "diagnose", "--json", "--port", port, "--for", "4s")
			got := read[diagnosis](t, d.line(t))
			if code := d.exit(t); code != c.code || got.Scanner != port || got.Stats.Bytes == 0 {
				t.Errorf("exit %d, %+v", code, got)
			}
			if c.find == "" && len(got.Findings) > 0 || c.find != "" && (len(got.Findings) == 0 || got.Findings[0].Code != c.find) {
				t.Errorf("found %+v", got.Findings)
			}
		})
	}
	t.Run("busy", func(t *testing.T) {
		t.Parallel()
		sim := begin(t, "scanner", "simulate", "--json")
		port := read[madePort](t, sim.line(t)).Port
		listen := begin(t, "scanner", "listen", "--json", "--port", port)
		listen.line(t) // it has the port
		out, errs, code := lintas(t, "", "scanner", "diagnose", "--port", port, "--for", "300ms")
		if code != 1 || !strings.Contains(errs, "running agent") || !strings.Contains(out, "cannot be used") {
			t.Errorf("exit %d, %q %q", code, out, errs)
		}
	})
}

// What is recorded says what it is, and is played back as it was.
func TestScannerRecordAndReplay(t *testing.T) {
	for _, c := range []struct {
		flag string
		want replay.Personal
	}{{"", replay.Masked}, {"--specimen", replay.NoPerson}, {"--yes-record-personal-data", replay.RealData}} {
		t.Run(string(c.want), func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "capture")
			sim := begin(t, "scanner", "simulate", "--json", "--profile", "elyctis", "--count", "2", "--every", "400ms")
			port := read[madePort](t, sim.line(t)).Port
			args := []string{"scanner", "record", "--port", port, "--profile", "elyctis", "--reader", "a simulation", file}
			if c.flag != "" {
				args = append(args, c.flag)
			}
			rec := begin(t, args...)
			var want [][]string
			for l := range sim.lines {
				want = append(want, read[madeSwipe](t, l).Lines)
			}
			for strings.Count(rec.stderr.String(), ": complete") < 2 { // the simulation has waited until all was read
				time.Sleep(time.Millisecond)
			}
			rec.end()
			if code := rec.exit(t); code != 0 || !strings.Contains(rec.stderr.String(), "personal data: "+string(c.want)) {
				t.Fatalf("exit %d, %s", code, rec.stderr)
			}
			if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%v, %v", info.Mode(), err)
			}
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			got, err := replay.Read(f)
			f.Close()
			if err != nil {
				t.Fatal(err)
			}
			if got.Personal != c.want || got.Profile != "elyctis" || got.Line != "9600 8N1" || got.Reader != "a simulation" {
				t.Errorf("head %+v", got.Header)
			}
			armed := 0
			for _, k := range got.Chunks {
				if k.ToScanner && string(k.Bytes) == "C\x00\x01\x01" {
					armed++
				}
			}
			if armed != 3 { // when it was opened and after each document
				t.Errorf("armed %d times", armed)
			}
			sent := string(got.Sent())
			for _, w := range want {
				if kept := strings.Contains(sent, strings.Join(w, "\r")); kept != (c.want != replay.Masked) {
					t.Errorf("document in the file: %v", kept)
				}
			}
			if c.want == replay.Masked {
				return
			}
			play := begin(t, "scanner", "replay", "--json", "--fast", file)
			listen := begin(t, "scanner", "listen", "--json", "--port", read[madePort](t, play.line(t)).Port, "--profile", "elyctis")
			for _, w := range want {
				if h := read[heard](t, listen.line(t)); h.Status != "complete" || !slices.Equal(h.Lines, w) {
					t.Errorf("played back: %+v", h)
				}
			}
			if code := play.exit(t); code != 0 {
				t.Errorf("exit %d: %s", code, play.stderr)
			}
		})
	}
}

func TestScannerList(t *testing.T) {
	dir := t.TempDir()
	port, err := replay.NewPort()
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	path := filepath.Join(dir, "lintas.toml")
	text := `[counter]
id = "UTO-01"
[hub]
recipients = ["age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"]
ack_keys_file = "ack.jwks"
[[scanner]]
name = "desk"
port = "` + port.Path + `"
profile = "elyctis"
[[scanner]]
name = "gone"
port = "/dev/serial/by-id/usb-gone"
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errs, code := lintas(t, "", "scanner", "list", "--json", "-c", path)
	type list struct {
		Devices []struct{ Name, Path, Kind, Configured, Profile string }
		Missing []struct{ Configured, Port, Profile, Reason string }
	}
	got := read[list](t, out)
	i := slices.IndexFunc(got.Devices, func(d struct{ Name, Path, Kind, Configured, Profile string }) bool { return d.Path == port.Path })
	if code != 2 || i < 0 || got.Devices[i].Configured != "desk" || got.Devices[i].Profile != "elyctis" || got.Devices[i].Kind != "serial" {
		t.Errorf("exit %d, %+v %s", code, got, errs)
	}
	if len(got.Missing) != 1 || got.Missing[0].Configured != "gone" || got.Missing[0].Reason == "" {
		t.Errorf("missing %+v", got.Missing)
	}
	if out, _, code := lintas(t, "", "scanner", "list", "-c", path); code != 2 || !strings.Contains(out, "desk (elyctis)") || !strings.Contains(out, "missing") {
		t.Errorf("exit %d, %s", code, out)
	}
	if _, errs, code := lintas(t, "", "scanner", "list", "-c", dir+"/none"); code != 0 || !strings.Contains(errs, "no configuration") {
		t.Errorf("without a configuration: exit %d, %s", code, errs)
	}
}
