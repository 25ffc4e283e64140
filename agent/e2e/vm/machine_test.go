package vm_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen. The guest is slow, and
// the machine may be busy.
const patience = 3 * time.Minute

// A machine is a running virtual machine.
type machine struct {
	t       *testing.T
	dir     string
	monitor *monitor
	scans   *feed
	log     *feed
	shell   net.Conn
	answer  *feed
	chars   int // made so far
}

// start boots a machine with an image.
func start(t *testing.T, kernel, image string) *machine {
	t.Helper()
	m := &machine{t: t}
	// Names of sockets are limited to some 100 bytes.
	dir, err := os.MkdirTemp("", "vm")
	if err != nil {
		t.Fatal(err)
	}
	m.dir = dir
	t.Cleanup(func() { os.RemoveAll(dir) })

	args := []string{
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-machine", "pc,accel=tcg", "-cpu", "max", "-m", "512", "-smp", "2",
		"-kernel", kernel, "-initrd", image,
		"-append", "console=ttyS0 quiet panic=-1 rdinit=/init mitigations=off tsc=reliable random.trust_cpu=on",
		"-chardev", "file,id=console,path=" + m.path("console"), "-serial", "chardev:console",
		"-qmp", "unix:" + m.path("qmp") + ",server=on,wait=off",
		"-device", "virtio-serial-pci",
		"-device", "qemu-xhci,id=xhci", "-device", "usb-ehci,id=ehci", "-device", "piix3-usb-uhci,id=uhci",
	}
	ports := map[string]*net.Conn{}
	var scans, log net.Conn
	ports["scans"], ports["log"], ports["shell"] = &scans, &log, &m.shell
	listeners := map[string]net.Listener{}
	for name := range ports {
		l, err := net.Listen("unix", m.path(name))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		listeners[name] = l
		args = append(args, "-chardev", "socket,id="+name+",path="+m.path(name), "-device", "virtserialport,chardev="+name+",name="+name)
	}
	cmd := exec.Command("qemu-system-x86_64", args...)
	cmd.Stderr = &said{t: t}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		close(ended)
		for _, l := range listeners {
			l.Close()
		}
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
		if t.Failed() {
			b, _ := os.ReadFile(m.path("console"))
			t.Logf("the console:\n%s", tail(string(b), 40))
			t.Logf("the log:\n%s", tail(strings.Join(m.log.all(), "\n"), 40))
		}
	})
	for name, l := range listeners {
		conn, err := l.Accept()
		if err != nil {
			t.Fatalf("QEMU has ended: %v", err)
		}
		t.Cleanup(func() { conn.Close() })
		*ports[name] = conn
	}
	m.scans, m.log, m.answer = newFeed(t, "scans", scans), newFeed(t, "log", log), newFeed(t, "shell", m.shell)
	m.monitor = newMonitor(t, m.path("qmp"))
	return m
}

func (m *machine) path(name string) string { return filepath.Join(m.dir, name) }

// run gives the guest a line for its shell and returns what that prints.
func (m *machine) run(line string) string {
	m.t.Helper()
	m.begin(line)
	return m.end(line)
}

// begin is run without waiting.
func (m *machine) begin(line string) {
	m.t.Helper()
	if _, err := io.WriteString(m.shell, line+"\n"); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) end(line string) string {
	m.t.Helper()
	var out []string
	for {
		text := m.answer.next()
		if code, ok := strings.CutPrefix(text, "end "); ok {
			if code != "0" {
				m.t.Fatalf("the guest cannot do %q: %s", line, strings.Join(out, "\n"))
			}
			return strings.Join(out, "\n")
		}
		out = append(out, text)
	}
}

// wire makes a new character device of QEMU and returns our end of it.
func (m *machine) wire() (name string, conn net.Conn) {
	m.t.Helper()
	m.chars++
	name = fmt.Sprint("wire", m.chars)
	l, err := net.Listen("unix", m.path(name))
	if err != nil {
		m.t.Fatal(err)
	}
	defer l.Close()
	m.monitor.do("chardev-add", map[string]any{"id": name, "backend": map[string]any{"type": "socket", "data": map[string]any{
		"addr": map[string]any{"type": "unix", "data": map[string]any{"path": m.path(name)}}, "server": false,
	}}})
	if conn, err = l.Accept(); err != nil {
		m.t.Fatal(err)
	}
	return name, conn
}

// plug plugs a device in. Its properties are QEMU's.
func (m *machine) plug(driver, id string, properties map[string]any) {
	m.t.Helper()
	all := map[string]any{"driver": driver, "id": id}
	for k, v := range properties {
		all[k] = v
	}
	m.monitor.do("device_add", all)
}

// pull pulls a device out.
func (m *machine) pull(id string) {
	m.t.Helper()
	m.monitor.do("device_del", map[string]any{"id": id})
}

// A monitor is QEMU's control socket (QMP).
type monitor struct {
	t    *testing.T
	conn net.Conn
	in   *json.Decoder
}

func newMonitor(t *testing.T, path string) *monitor {
	t.Helper()
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	m := &monitor{t: t, conn: conn, in: json.NewDecoder(conn)}
	var greeting any
	if err := m.in.Decode(&greeting); err != nil {
		t.Fatal(err)
	}
	m.do("qmp_capabilities", nil)
	return m
}

// do gives a command and waits until QEMU has done it.
func (m *monitor) do(command string, arguments any) {
	m.t.Helper()
	m.give(command, arguments)
	m.done(command)
}

// give gives a command that done has to be called for.
func (m *monitor) give(command string, arguments any) {
	m.t.Helper()
	request := map[string]any{"execute": command}
	if arguments != nil {
		request["arguments"] = arguments
	}
	m.conn.SetDeadline(time.Now().Add(patience))
	if err := json.NewEncoder(m.conn).Encode(request); err != nil {
		m.t.Fatal(err)
	}
}

func (m *monitor) done(command string) {
	m.t.Helper()
	for {
		var reply struct {
			Return *json.RawMessage
			Error  *struct{ Desc string }
		}
		if err := m.in.Decode(&reply); err != nil {
			m.t.Fatalf("%s: %v", command, err)
		}
		switch {
		case reply.Error != nil:
			m.t.Fatalf("%s: %s", command, reply.Error.Desc)
		case reply.Return != nil:
			return
		}
	}
}

// A feed gives the lines that come from the guest.
type feed struct {
	t     *testing.T
	name  string
	lines chan string

	mu   sync.Mutex
	seen []string
}

func newFeed(t *testing.T, name string, conn net.Conn) *feed {
	f := &feed{t: t, name: name, lines: make(chan string, 10000)}
	go func() {
		defer close(f.lines)
		for in := bufio.NewScanner(conn); in.Scan(); {
			f.mu.Lock()
			f.seen = append(f.seen, in.Text())
			f.mu.Unlock()
			f.lines <- in.Text()
		}
	}()
	return f
}

// next waits for the next line.
func (f *feed) next() string {
	f.t.Helper()
	select {
	case line, ok := <-f.lines:
		if !ok {
			f.t.Fatalf("%s: the guest has ended", f.name)
		}
		return line
	case <-time.After(patience):
		f.t.Fatalf("%s: the guest is silent", f.name)
		return ""
	}
}

// all is every line that has come.
func (f *feed) all() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.seen)
}

// said puts what QEMU has to say into the test's log.
type said struct{ t *testing.T }

func (s *said) Write(b []byte) (int, error) {
	s.t.Logf("QEMU: %s", b)
	return len(b), nil
}

func tail(s string, n int) string {
	lines := strings.Split(s, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
