package plug_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lintas/devices"
	"lintas/devices/plug"
)

// counterMachine has about everything that stands on a counter.
func counterMachine(t testing.TB) machine {
	m := newMachine(t)

	elyctis := m.plug(usb{"1-1", "2B78", "0005", "1234", "Elyctis", "IDBOX One"})
	m.acm(elyctis, "1.0", "ttyACM0")
	m.link("dev/serial/by-id/usb-Elyctis_IDBOX_One_1234-if00", "dev/ttyACM0")
	m.link("dev/serial/by-path/pci-0000:00:14.0-usb-0:1:1.0", "dev/ttyACM0")

	for i, socket := range []string{"1-2", "1-3"} { // two alike, without a serial number
		bridge := m.plug(usb{socket, "1a86", "7523", "", "", "USB Serial"})
		tty := []string{"ttyUSB0", "ttyUSB1"}[i]
		m.adapter(bridge, "ch341-uart", tty)
		m.link("dev/serial/by-path/pci-0000:00:14.0-usb-0:"+socket[2:]+":1.0-port0", "dev/"+tty)
	}
	m.link("dev/serial/by-id/usb-1a86_USB_Serial-if00-port0", "dev/ttyUSB1") // the later one wins

	for i, serial := range []string{"A1", "A2"} { // two alike, with one
		ftdi := m.plug(usb{"1-4." + []string{"1", "2"}[i], "0403", "6001", serial, "FTDI", "FT232R USB UART"})
		tty := []string{"ttyUSB2", "ttyUSB3"}[i]
		m.adapter(ftdi, "ftdi_sio", tty)
		m.link("dev/serial/by-id/usb-FTDI_FT232R_USB_UART_"+serial+"-if00-port0", "dev/"+tty)
	}

	wedge := m.plug(usb{"1-5", "0db5", "013a", "", "Access-IS", "OCR Reader"})
	kbd := m.hid(wedge, "1.0", "0db5", "013a", "", "Access-IS OCR Reader", "hidraw0", keyboardDescriptor)
	m.input(kbd, "Access-IS OCR Reader", "0db5", "013a", keyboardKeys, "event3")
	m.link("dev/input/by-id/usb-Access-IS_OCR_Reader-event-kbd", "dev/input/event3")
	m.input(kbd, "Access-IS OCR Reader Consumer Control", "0db5", "013a", powerKeys, "event4")

	pos := m.plug(usb{"1-6", "0c2e", "0b61", "S7", "Honeywell", "Xenon"})
	m.hid(pos, "1.0", "0c2e", "0b61", "S7", "Honeywell Xenon", "hidraw1", posDescriptor)
	m.hid(pos, "1.1", "0c2e", "0b61", "S7", "Honeywell Xenon", "hidraw10", vendorDescriptor)

	mouse := m.plug(usb{"1-7", "046d", "c077", "", "Logitech", "Mouse"})
	m.input(m.hid(mouse, "1.0", "046d", "c077", "", "Mouse", "hidraw2", "\x05\x01\x09\x02\xa1\x01\xc0"), "Mouse", "046d", "c077", mouseKeys, "event5")

	// Made by a program (uinput): there is no USB device above.
	m.input("sys/devices/virtual", "Simulated Reader", "1209", "0001", keyboardKeys, "event6")

	// What is in every machine and no scanner.
	m.dir("sys/devices/virtual/tty/tty1")
	m.link("sys/class/tty/tty1", "sys/devices/virtual/tty/tty1")
	for tty, kind := range map[string]string{"ttyS0": "4\n", "ttyS1": "0\n"} {
		at := "sys/devices/platform/serial8250/tty/" + tty
		m.write(at+"/type", kind)
		m.link("sys/devices/platform/serial8250/driver", "sys/bus/platform/drivers/serial8250")
		m.link(at+"/device", "sys/devices/platform/serial8250")
		m.link("sys/class/tty/"+tty, at)
		m.write("dev/"+tty, "")
		m.remove("sys/devices/platform/serial8250/driver")
	}
	m.link("sys/devices/platform/serial8250/driver", "sys/bus/platform/drivers/serial8250")
	return m
}

func TestDiscover(t *testing.T) {
	m := counterMachine(t)
	found, err := plug.Discover(m.root)
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return m.path("dev/" + name) }
	byID, byPath := at("serial/by-id/"), at("serial/by-path/")+"/pci-0000:00:14.0-usb-0:"
	want := []plug.Device{
		{at("hidraw1"), "", plug.HIDRaw, "0c2e", "0b61", "S7", "Honeywell", "Xenon", "hid-generic", true},
		{at("hidraw10"), "", plug.HIDRaw, "0c2e", "0b61", "S7", "Honeywell", "Xenon", "hid-generic", false},
		{at("input/event3"), at("input/by-id/usb-Access-IS_OCR_Reader-event-kbd"), plug.Input, "0db5", "013a", "", "Access-IS", "OCR Reader", "hid-generic", false},
		{at("input/event6"), "", plug.Input, "1209", "0001", "", "", "Simulated Reader", "", false},
		{at("ttyS0"), "", plug.Serial, "", "", "", "", "", "serial8250", false},
		{at("ttyACM0"), byID + "/usb-Elyctis_IDBOX_One_1234-if00", plug.Serial, "2b78", "0005", "1234", "Elyctis", "IDBOX One", "cdc_acm", false},
		{at("ttyUSB0"), byPath + "2:1.0-port0", plug.Serial, "1a86", "7523", "", "", "USB Serial", "ch341-uart", false},
		{at("ttyUSB1"), byID + "/usb-1a86_USB_Serial-if00-port0", plug.Serial, "1a86", "7523", "", "", "USB Serial", "ch341-uart", false},
		{at("ttyUSB2"), byID + "/usb-FTDI_FT232R_USB_UART_A1-if00-port0", plug.Serial, "0403", "6001", "A1", "FTDI", "FT232R USB UART", "ftdi_sio", false},
		{at("ttyUSB3"), byID + "/usb-FTDI_FT232R_USB_UART_A2-if00-port0", plug.Serial, "0403", "6001", "A2", "FTDI", "FT232R USB UART", "ftdi_sio", false},
	}
	if !slices.Equal(found, want) {
		for _, d := range found {
			t.Logf("found %+v", d)
		}
		for _, d := range want {
			t.Logf("want  %+v", d)
		}
		t.Error("they differ")
	}
}

func TestDiscoverNothing(t *testing.T) {
	found, err := plug.Discover(t.TempDir())
	if err != nil || len(found) > 0 {
		t.Errorf("%v, %v", found, err)
	}
}

func TestDiscoverThisMachine(t *testing.T) {
	found, err := plug.Discover("")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range found {
		if d.Path == "" || d.Kind == "" {
			t.Errorf("%+v", d)
		}
		t.Logf("%+v", d)
	}
}

func TestFind(t *testing.T) {
	m := counterMachine(t)
	for _, c := range []struct {
		name string
		kind plug.Kind
		want string
	}{
		{"usb:2b78:0005", plug.Serial, "ttyACM0"},
		{"usb:2B78:0005", plug.Serial, "ttyACM0"},
		{"usb:2b78:0005:1234", plug.Serial, "ttyACM0"},
		{"usb:0403:6001:A2", plug.Serial, "ttyUSB3"},
		{"usb:0db5:013a", plug.Input, "input/event3"}, // not the interface that has other keys
		{"usb:1209:0001", plug.Input, "input/event6"},
		{"usb:0c2e:0b61", plug.HIDRaw, "hidraw1"}, // not the maker's own interface
		{m.path("dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A1-if00-port0"), plug.Serial, "ttyUSB2"},
		{m.path("dev/ttyUSB0"), plug.Serial, "ttyUSB0"},
	} {
		got, err := plug.FindIn(m.root, c.name, c.kind)
		if err != nil || got != m.path("dev/"+c.want) {
			t.Errorf("%s: %s, %v; want %s", c.name, got, err, c.want)
		}
	}
}

func TestNotFound(t *testing.T) {
	m := counterMachine(t)
	for _, c := range []struct {
		name  string
		kind  plug.Kind
		class error
		says  []string
	}{
		{"usb:dead:beef", plug.Serial, devices.ErrAbsent, []string{"plug the scanner in"}},
		{"usb:2b78:0005:9", plug.Serial, devices.ErrAbsent, nil},
		{"usb:0db5:013a", plug.Serial, devices.ErrAbsent, []string{"as serial", "it is as input", "event3", "set the profile"}},
		{"/dev/serial/by-id/none", plug.Serial, devices.ErrAbsent, []string{"plug the scanner in"}},
		{"usb:0403:6001", plug.Serial, plug.ErrAmbiguous, []string{"UART_A1-if00-port0", "UART_A2-if00-port0"}},
		{"usb:1a86:7523", plug.Serial, plug.ErrAmbiguous, []string{"-usb-0:2:1.0-port0", "usb-1a86_USB_Serial-if00-port0"}},
		{"usb:1a86", plug.Serial, nil, []string{"usb:VID:PID"}},
		{"usb:1a86:xyz1", plug.Serial, nil, []string{"usb:VID:PID"}},
		{"usb:", plug.Serial, nil, []string{"usb:VID:PID"}},
	} {
		path, err := plug.FindIn(m.root, c.name, c.kind)
		if err == nil {
			t.Errorf("%s: found %s", c.name, path)
			continue
		}
		if c.class != nil && !errors.Is(err, c.class) {
			t.Errorf("%s: %v is not %v", c.name, err, c.class)
		}
		for _, word := range append(c.says, "cannot ") {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %q does not say %q", c.name, err, word)
			}
		}
	}
	// The kernel has the device before udev has made its file.
	m.remove("dev/ttyACM0")
	if _, err := plug.FindIn(m.root, "usb:2b78:0005", plug.Serial); !errors.Is(err, devices.ErrAbsent) {
		t.Errorf("without a device file: %v", err)
	}
}

// None of the device files is ever opened: here each is a named pipe, and opening
// one without a writer would block for ever.
func TestNothingIsOpened(t *testing.T) {
	m := counterMachine(t)
	err := filepath.WalkDir(m.path("dev"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		if err := os.Remove(path); err != nil {
			return err
		}
		return mkfifo(path)
	})
	if err != nil {
		t.Fatal(err)
	}
	if found, err := plug.Discover(m.root); err != nil || len(found) != 10 {
		t.Errorf("%d found, %v", len(found), err)
	}
	if _, err := plug.FindIn(m.root, "usb:2b78:0005", plug.Serial); err != nil {
		t.Error(err)
	}
}
