package vm_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"lintas/devices"
	"lintas/mrz"
)

// boot boots the one machine that the tests share.
func boot(t *testing.T) *machine {
	t.Helper()
	root := os.Getenv("LINTAS_VM")
	if root == "" {
		t.Skip("LINTAS_VM does not name a folder with Debian's kernel; make vm fetches it")
	}
	dir := t.TempDir()
	for program, from := range map[string]string{"guest": "./guest", "lintas": "lintas/agent"} {
		build := exec.Command("go", "build", "-buildvcs=false", "-ldflags", "-s -w", "-o", filepath.Join(dir, program), from)
		if b, err := build.CombinedOutput(); err != nil {
			t.Fatalf("cannot build %s: %v\n%s", program, err, b)
		}
	}
	m := newImage(t)
	m.modules(root, "virtio_pci", "virtio_console", "xhci_pci", "ehci_pci", "uhci_hcd", "usbhid", "hid_generic", "evdev",
		"ftdi_sio", "cdc_acm", "configfs", "dummy_hcd num=2", "usb_f_hid", "usb_f_acm")
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatal("busybox is not installed; make vm installs it")
	}
	m.program("bin/busybox", busybox)
	m.file("init", "guest/init.sh", 0o755)
	m.file("etc/mdev.conf", "guest/mdev.conf", 0o644)
	m.file("etc/name", "guest/name.sh", 0o755)
	m.program("bin/guest", filepath.Join(dir, "guest"))
	m.program("bin/lintas", filepath.Join(dir, "lintas"))
	for _, folder := range []string{"proc", "sys", "dev", "tmp", "run"} {
		m.entry(folder, 0o040755, nil)
	}
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	m.text("etc/lintas.toml", fmt.Sprintf(configuration, key.Recipient()))
	m.save(filepath.Join(dir, "image"))
	kernels, err := filepath.Glob(filepath.Join(root, "boot/vmlinuz-*"))
	if err != nil || len(kernels) != 1 {
		t.Fatalf("%s holds %d kernels, want one", root, len(kernels))
	}
	return start(t, kernels[0], filepath.Join(dir, "image"))
}

const (
	linkedPort   = "/dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_LINKED-if00-port0"
	numberedPort = "/dev/serial/by-id/usb-QEMU_QEMU_USB_SERIAL_NUMBERED-if00-port0"
	modemPort    = "/dev/serial/by-id/usb-Lintas_Modem_CDC-if00"
	typingPort   = "/dev/input/by-id/usb-QEMU_QEMU_USB_Keyboard_TYPING-event-kbd"
	boardPort    = "/dev/input/by-id/usb-Lintas_Board_FAST-event-kbd"
	salePort     = "usb:0db5:0138"
)

// configuration is the guest's. The scanners have the names of their devices in
// QEMU, or of their gadgets. On a busy machine the guest hears the pieces of a swipe
// far apart, so the gap is wide.
var configuration = `
[counter]
id = "CGK-T3-D07"
[hub]
recipients = [%q]
ack_keys_file = "hub.jwks"
` + scanner("linked", linkedPort, "auto") + scanner("numbered", numberedPort, "auto") + scanner("modem", modemPort, "auto") +
	scanner("typing", typingPort, "keyboard") + scanner("board", boardPort, "keyboard") + scanner("sale", salePort, "hid-pos")

func scanner(name, port, profile string) string {
	return fmt.Sprintf("[[scanner]]\nname = %q\nport = %q\nprofile = %q\ngap = \"5s\"\n", name, port, profile)
}

// cycles is how often each scanner is pulled out in the middle of a swipe.
const (
	serialCycles   = 50
	keyboardCycles = 3
	gadgetCycles   = 5
)

// A site is the machine and what the guest has told.
type site struct {
	*machine
	state map[string]string         // of each reader, the newest
	got   map[string][]devices.Scan // that were not looked at yet
	seq   map[string]uint64         // of the last one that was
	docs  [][]string                // that were swiped
	keys  int                       // that have gone down or up, as the reader sees them
	taken int                       // the same, as they were pressed
}

// until reads what the readers say until one has a state.
func (s *site) until(scanner string, states ...string) {
	s.t.Helper()
	for !slices.Contains(states, s.state[scanner]) {
		s.tell(s.log.next())
	}
}

// gone waits until a scanner is absent and its name has been taken away. One that
// came back before would be found by the old name and lost with it.
func (s *site) gone(scanner, link string) {
	s.t.Helper()
	s.until(scanner, "absent")
	s.run("while [ -L " + link + " ]; do usleep 20000; done")
}

// tell takes a line of the guest's log.
func (s *site) tell(text string) {
	s.t.Helper()
	var line struct {
		Msg, Scanner, Status string
		Keys                 int
	}
	if err := json.Unmarshal([]byte(text), &line); err != nil {
		s.t.Fatalf("%s: %v", text, err)
	}
	switch {
	case line.Msg == "keys taken":
		s.keys += line.Keys
	case line.Status != "" && line.Msg != "scan read":
		s.state[line.Scanner] = line.Status
	}
}

// next waits for the next scan of a scanner. Whatever comes in between from others
// is kept for them.
func (s *site) next(scanner string) devices.Scan {
	s.t.Helper()
	for len(s.got[scanner]) == 0 {
		var scan devices.Scan
		text := s.scans.next()
		if err := json.Unmarshal([]byte(text), &scan); err != nil {
			s.t.Fatalf("%s: %v", text, err)
		}
		s.got[scan.Scanner] = append(s.got[scan.Scanner], scan)
	}
	got := s.got[scanner][0]
	s.got[scanner] = s.got[scanner][1:]
	if s.seq[scanner]++; got.Seq != s.seq[scanner] {
		s.t.Fatalf("%s: scan %d, want %d", scanner, got.Seq, s.seq[scanner])
	}
	return got
}

// scan is next with what it must be.
func (s *site) scan(scanner string, status devices.Status, lines ...string) {
	s.t.Helper()
	got := s.next(scanner)
	if got.Status != status || status == devices.Complete && !slices.Equal(got.Lines, lines) {
		s.t.Fatalf("%s: got %s %q,\nwant %s %q", scanner, got.Status, got.Lines, status, lines)
	}
}

// passport invents one. Its name has the letters that layouts disagree about.
func (s *site) passport() []string {
	s.t.Helper()
	lines, err := mrz.Fields{
		DocumentCode: "P", IssuingState: "IDN", Nationality: "IDN", DocumentNumber: fmt.Sprintf("ZY%06d", len(s.docs)),
		Primary: "KENARIKUNING", Secondary: "BERKICAU", Sex: "F",
		DateOfBirth: mrz.Date{Year: 1991, Month: 2, Day: 27}, DateOfExpiry: mrz.Date{Year: 2033, Month: 10, Day: 19},
	}.Lines(mrz.TD3)
	if err != nil {
		s.t.Fatal(err)
	}
	s.docs = append(s.docs, lines)
	return lines
}

func swipe(lines []string) string { return strings.Join(lines, "\r") + "\r" }

func TestScannersOnRealUSB(t *testing.T) {
	s := &site{machine: boot(t), state: map[string]string{}, got: map[string][]devices.Scan{}, seq: map[string]uint64{}}
	t.Logf("Linux %s", s.run("uname -r"))
	// What the kernel's own keyboard handler gets, ends here.
	s.run("cat /dev/tty1 > /tmp/console &")
	for _, part := range []struct {
		name string
		test func(*site)
	}{
		{"FTDI", (*site).serial},
		{"keyboard", (*site).keyboard},
		{"CDC-ACM", (*site).modem},
		{"fast keyboard", (*site).board},
		{"HID POS", (*site).sale},
		{"lintas scanner", (*site).shipped},
	} {
		begun := time.Now()
		part.test(s)
		t.Logf("%s: %.1f s", part.name, time.Since(begun).Seconds())
	}
	for scanner, left := range s.got {
		if len(left) > 0 {
			t.Errorf("%s: %d more scans than swipes", scanner, len(left))
		}
	}
	s.nothingLogged()
}

// serial pulls a scanner in the middle of a swipe, again and again, while another
// one works.
func (s *site) serial() {
	attach := func(id, bus string) net.Conn {
		name, conn := s.wire()
		s.plug("usb-serial", id, map[string]any{"chardev": name, "bus": bus, "serial": strings.ToUpper(id)})
		s.until(id, "ready")
		return conn
	}
	send := func(conn net.Conn, text string) {
		s.t.Helper()
		if _, err := io.WriteString(conn, text); err != nil {
			s.t.Fatal(err)
		}
	}
	other := attach("numbered", "uhci.0")
	defer other.Close()
	for i := range serialCycles {
		conn := attach("linked", "xhci.0")
		whole, torn := s.passport(), s.passport()
		send(conn, swipe(whole))
		s.scan("linked", devices.Complete, whole...)

		send(conn, swipe(torn)[:30+i])
		s.until("linked", "reading")
		if i%5 == 0 {
			beside := s.passport()
			send(other, swipe(beside))
			s.scan("numbered", devices.Complete, beside...)
		}
		s.pull("linked")
		s.scan("linked", devices.Partial)
		s.gone("linked", linkedPort)
		conn.Close()
		if i%5 == 1 {
			beside := s.passport()
			send(other, swipe(beside))
			s.scan("numbered", devices.Complete, beside...)
		}
	}
	s.pull("numbered")
	s.until("numbered", "absent")
}

// keyboard types, in three layouts, and pulls the keyboard in the middle.
func (s *site) keyboard() {
	for i := range keyboardCycles {
		s.plug("usb-kbd", "typing", map[string]any{"bus": "xhci.0", "serial": "TYPING"})
		s.until("typing", "ready")
		layout := []string{"us", "de", "fr"}[i%3]
		for range 2 {
			doc := s.passport()
			s.types(layout, swipe(doc))
			s.scan("typing", devices.Complete, doc...)
		}
		s.types(layout, s.passport()[0])
		s.until("typing", "reading")
		s.pull("typing")
		s.scan("typing", devices.Partial)
		s.gone("typing", typingPort)
	}
	if n := s.run("wc -c < /tmp/console"); n != "0" {
		s.t.Errorf("%s bytes of a keyboard that was taken have come to the console", n)
	}
	// That they would have, another keyboard shows.
	s.press("us", "A\r", func(int) {})
	for s.run("wc -c < /tmp/console") == "0" {
		s.run("usleep 100000")
	}
}

// queued is how many keys going down or up QEMU's keyboard remembers. The kernel
// makes three records of each, and remembers 64.
const queued = 16

// types presses the keys of a scanner that is set to a layout, as many at a time
// as are remembered, and waits until the reader has taken them.
func (s *site) types(layout, text string) {
	s.t.Helper()
	s.press(layout, text, func(sent int) {
		for s.taken += sent; s.keys < s.taken; {
			s.tell(s.log.next())
		}
	})
}

func (s *site) press(layout, text string, sent func(n int)) {
	s.t.Helper()
	var events []any
	send := func() {
		s.monitor.do("input-send-event", map[string]any{"events": events})
		sent(len(events))
		events = nil
	}
	key := func(name string, down bool) {
		events = append(events, map[string]any{"type": "key", "data": map[string]any{
			"down": down, "key": map[string]any{"type": "qcode", "data": name}}})
		if len(events) == queued {
			send()
		}
	}
	held := false
	hold := func(shift bool) {
		if held != shift {
			held = shift
			key("shift", shift)
		}
	}
	for _, c := range text {
		shift, name := keyOf(layout, c)
		hold(shift)
		key(name, true)
		key(name, false)
	}
	hold(false)
	if len(events) > 0 {
		send()
	}
}

// keyOf is QEMU's name of the key for a character, by its place on an American
// keyboard.
func keyOf(layout string, c rune) (shift bool, key string) {
	key = strings.ToLower(string(c))
	digit := '0' <= c && c <= '9'
	switch {
	case c == '\r':
		key = "ret"
	case c == '<' && layout == "us":
		return true, "comma"
	case c == '<':
		key = "less"
	case layout == "fr" && c == 'M':
		key = "semicolon"
	case layout == "fr":
		key = strings.NewReplacer("a", "q", "q", "a", "z", "w", "w", "z").Replace(key)
	case layout == "de":
		key = strings.NewReplacer("z", "y", "y", "z").Replace(key)
	}
	return layout == "fr" && digit, key
}

// gadget makes a USB device out of a function of the kernel's gadgets. It is
// plugged into a host controller that exists in the guest only.
func (s *site) gadget(name, function, product, serial, more string) {
	s.t.Helper()
	s.run(fmt.Sprintf(`set -e; mkdir /sys/kernel/config/usb_gadget/%[1]s; cd /sys/kernel/config/usb_gadget/%[1]s; `+
		`echo 0x0db5 > idVendor; echo %[3]s > idProduct; mkdir -p strings/0x409 configs/c.1 functions/%[2]s; `+
		`echo Lintas > strings/0x409/manufacturer; echo %[5]s > strings/0x409/product; echo %[4]s > strings/0x409/serialnumber; `+
		`%[6]s; ln -s functions/%[2]s configs/c.1`, name, function, product, serial, strings.ToUpper(name[:1])+name[1:], more))
}

// gadgetFile is the device file through which a bound HID gadget sends reports.
func (s *site) gadgetFile(name, function string) string {
	s.t.Helper()
	return "/dev/" + s.run("basename $(readlink /sys/dev/char/$(cat /sys/kernel/config/usb_gadget/"+name+"/functions/"+function+"/dev))")
}

func (s *site) bind(name, controller string) {
	s.t.Helper()
	s.run("echo " + controller + " > /sys/kernel/config/usb_gadget/" + name + "/UDC")
}

func (s *site) unbind(name string) {
	s.t.Helper()
	s.run("echo > /sys/kernel/config/usb_gadget/" + name + "/UDC")
}

// modem is a scanner with a virtual COM port (CDC-ACM).
func (s *site) modem() {
	s.gadget("modem", "acm.usb0", "0x013a", "CDC", "true")
	send := func(text string) {
		s.run("printf '%s' '" + strings.ReplaceAll(text, "\r", "'\"$(printf '\\015')\"'") + "' > /dev/ttyGS0")
	}
	for i := range gadgetCycles {
		s.bind("modem", "dummy_udc.0")
		s.until("modem", "ready")
		s.run("stty -F /dev/ttyGS0 raw -echo")
		whole := s.passport()
		send(swipe(whole))
		s.scan("modem", devices.Complete, whole...)
		send(swipe(s.passport())[:50+i])
		s.until("modem", "reading")
		s.unbind("modem")
		s.scan("modem", devices.Partial)
		s.gone("modem", modemPort)
	}
}

// board is a scanner that types as fast as USB takes it, a key each 2 ms, in the
// German layout. The kernel keeps 64 events; a virtual machine that gets no time
// can lose some, and then the swipe must be void and not wrong: it is swiped again.
func (s *site) board() {
	s.gadget("board", "hid.usb1", "0x0139", "FAST", "echo 8 > functions/hid.usb1/report_length; echo 1 > functions/hid.usb1/subclass; "+
		"echo 1 > functions/hid.usb1/protocol; printf '"+octal(boardDescriptor)+"' > functions/hid.usb1/report_desc")
	var device string
	send := func(text string) {
		var reports []byte
		for _, c := range text {
			reports = append(reports, boardReport(c)...)
			reports = append(reports, make([]byte, 8)...)
		}
		s.run("echo " + base64.StdEncoding.EncodeToString(reports) + " | base64 -d > /tmp/reports; dd if=/tmp/reports of=" + device + " bs=8 2>/dev/null")
	}
	for range gadgetCycles {
		s.bind("board", "dummy_udc.0")
		s.until("board", "ready")
		device = s.gadgetFile("board", "hid.usb1")
		for range 2 {
			doc := s.passport()
			for lost := 0; ; lost++ {
				send(swipe(doc))
				got := s.next("board")
				if got.Status == devices.Complete && slices.Equal(got.Lines, doc) {
					break
				}
				if got.Status != devices.Partial || len(got.Lines) > 0 || lost == 3 {
					s.t.Fatalf("board: got %s %q,\nwant %q", got.Status, got.Lines, doc)
				}
				s.t.Log("board: the kernel has lost keys")
				s.state["board"] = "" // the swipe is void until it is over; the next one must not be a part of it
				s.until("board", "ready")
			}
		}
		send(s.passport()[0])
		s.until("board", "reading")
		s.unbind("board")
		s.scan("board", devices.Partial)
		s.gone("board", boardPort)
	}
}

// boardDescriptor is that of a boot keyboard (HID 1.11, appendix B.1) without
// lamps.
var boardDescriptor = []byte{
	0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0x05, 0x07, 0x19, 0xe0, 0x29, 0xe7, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x08, 0x81, 0x02,
	0x95, 0x01, 0x75, 0x08, 0x81, 0x01, 0x95, 0x06, 0x75, 0x08, 0x15, 0x00, 0x25, 0x65, 0x19, 0x00, 0x29, 0x65, 0x81, 0x00, 0xc0,
}

// boardReport is the report of a key that goes down (HID Usage Tables, keyboard
// page), with Shift for capitals.
func boardReport(c rune) []byte {
	r := make([]byte, 8)
	switch {
	case c == '\r':
		r[2] = 0x28
	case c == '<':
		r[2] = 0x64 // the key beside the left Shift
	case c == '0':
		r[2] = 0x27
	case '1' <= c && c <= '9':
		r[2] = 0x1e + byte(c-'1')
	default:
		switch c {
		case 'Y':
			c = 'Z'
		case 'Z':
			c = 'Y'
		}
		r[0], r[2] = 2, 0x04+byte(c-'A')
	}
	return r
}

// octal writes bytes for the printf of a shell.
func octal(b []byte) string {
	var text strings.Builder
	for _, c := range b {
		fmt.Fprintf(&text, "\\%03o", c)
	}
	return text.String()
}

// sale is a scanner of the HID point-of-sale class, as Access-IS makes them.
func (s *site) sale() {
	s.gadget("sale", "hid.usb0", "0x0138", "POS", "echo 64 > functions/hid.usb0/report_length; "+
		"printf '"+octal(saleDescriptor)+"' > functions/hid.usb0/report_desc")
	var device string
	send := func(reports ...[]byte) {
		line := "true"
		for _, r := range reports {
			line += "; echo " + base64.StdEncoding.EncodeToString(r) + " | base64 -d > " + device
		}
		s.run(line)
	}
	for range gadgetCycles {
		s.bind("sale", "dummy_udc.1")
		s.until("sale", "ready")
		device = s.gadgetFile("sale", "hid.usb0")
		told := func() { // that it shall read
			if got := s.run("dd if=" + device + " bs=64 count=1 2>/dev/null | xxd -p"); got != "0404" {
				s.t.Fatalf("the scanner is told %q", got)
			}
		}
		told()
		whole := s.passport()
		send(saleReports(swipe(whole))...)
		s.scan("sale", devices.Complete, whole...)
		told()
		send(saleReports(swipe(s.passport()))[0])
		s.until("sale", "reading")
		s.unbind("sale")
		s.scan("sale", devices.Partial)
		s.until("sale", "absent")
	}
}

// saleDescriptor describes report 2: length, AIM identifier, 56 bytes, 2 more, a
// flag for more to come; and report 4: the trigger.
var saleDescriptor = []byte{
	0x05, 0x8c, 0x09, 0x02, 0xa1, 0x01,
	0x09, 0x12, 0xa1, 0x02, 0x85, 0x02, 0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08,
	0x95, 0x01, 0x05, 0x01, 0x09, 0x3b, 0x81, 0x02,
	0x95, 0x03, 0x05, 0x8c, 0x09, 0xfb, 0x09, 0xfc, 0x09, 0xfd, 0x81, 0x02,
	0x95, 0x38, 0x09, 0xfe, 0x82, 0x02, 0x01,
	0x95, 0x02, 0x81, 0x01,
	0x25, 0x01, 0x75, 0x01, 0x95, 0x01, 0x09, 0xff, 0x81, 0x02, 0x95, 0x07, 0x81, 0x01, 0xc0,
	0x09, 0x14, 0xa1, 0x02, 0x85, 0x04, 0x75, 0x01, 0x95, 0x08, 0x09, 0x00, 0x09, 0x5f, 0x09, 0x60, 0x09, 0x00, 0x91, 0x02, 0xc0,
	0xc0,
}

func saleReports(text string) (reports [][]byte) {
	for text != "" {
		r := make([]byte, 64)
		n := copy(r[5:61], text)
		text = text[n:]
		r[0], r[1] = 2, byte(n)
		copy(r[2:], "]o1")
		if text != "" {
			r[63] = 1
		}
		reports = append(reports, r)
	}
	return reports
}

// shipped tries what a technician does with the program itself, beside readers
// that are running.
func (s *site) shipped() {
	const port = "usb:0403:6001:SHIPPED"
	listen := func(name, more string) {
		s.run("lintas scanner listen --json " + more + " > /tmp/" + name + ".scans 2> /tmp/" + name + ".said & echo $! > /tmp/" + name + ".pid")
	}
	await := func(name, text string) {
		s.run("until grep -q '" + text + "' /tmp/" + name + "; do usleep 50000; done")
	}
	end := func(name string) { s.run("kill $(cat /tmp/" + name + ".pid)") }

	name, conn := s.wire()
	defer conn.Close()
	s.plug("usb-serial", "shipped", map[string]any{"chardev": name, "bus": "xhci.0", "serial": "SHIPPED"})
	s.run("until lintas scanner list --json > /tmp/list 2>&1; grep -q SHIPPED /tmp/list; do usleep 50000; done")
	listen("port", "--port "+port)
	await("port.said", "ready")
	doc := s.passport()
	if _, err := io.WriteString(conn, swipe(doc)); err != nil {
		s.t.Fatal(err)
	}
	await("port.scans", "}")
	var scan devices.Scan
	if text := s.run("cat /tmp/port.scans"); json.Unmarshal([]byte(text), &scan) != nil || scan.Status != devices.Complete || !slices.Equal(scan.Lines, doc) {
		s.t.Errorf("lintas scanner listen has printed %s", text)
	}
	listen("second", "--port "+port)
	await("second.said", "in use by process [0-9]* (lintas)")
	end("second")
	s.pull("shipped")
	await("port.said", "absent")
	end("port")

	s.plug("usb-kbd", "typing", map[string]any{"bus": "xhci.0", "serial": "TYPING"})
	s.until("typing", "ready")
	listen("taken", "--profile keyboard --port "+typingPort)
	await("taken.said", "in use by process [0-9]* (guest)")
	end("taken")
	s.pull("typing")
	s.gone("typing", typingPort)

	listen("builtin", "--profile keyboard --port /dev/input/event0")
	await("builtin.said", "set grab = true")
	end("builtin")
	listen("wrong", "--profile hid-pos --port /dev/input/event0")
	await("wrong.said", "wrong kind\\|no hidraw")
	end("wrong")
}

// nothingLogged looks for the documents in what the guest has logged: any five
// characters that are not the same in every line.
func (s *site) nothingLogged() {
	s.t.Helper()
	console, err := os.ReadFile(s.path("console"))
	if err != nil {
		s.t.Fatal(err)
	}
	text := strings.Join(s.log.all(), "\n") + string(console)
	if !strings.Contains(text, "scanner ready") || !strings.Contains(text, "44+44") {
		s.t.Error("there is no log")
	}
	for _, doc := range s.docs {
		for _, line := range doc {
			for i := range len(line) - 4 {
				w := line[i : i+5]
				digits := strings.Trim(w, "0123456789") == "" // of a time or an address
				if w != "<<<<<" && !digits && strings.Contains(text, w) {
					s.t.Fatal("the log holds five characters of a document")
				}
			}
		}
	}
}
