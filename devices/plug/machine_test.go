package plug_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A machine is a folder with a sys and a dev as the kernel and udev make them.
type machine struct {
	t    testing.TB
	root string
}

func newMachine(t testing.TB) machine {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	m := machine{t, root}
	for _, dir := range []string{"sys/class/tty", "sys/class/input", "sys/class/hidraw", "dev/input", "dev/pts"} {
		m.dir(dir)
	}
	return m
}

func (m machine) path(name string) string { return filepath.Join(m.root, name) }

func (m machine) dir(name string) {
	m.t.Helper()
	if err := os.MkdirAll(m.path(name), 0o755); err != nil {
		m.t.Fatal(err)
	}
}

// write makes a file, and its folders.
func (m machine) write(name, text string) {
	m.t.Helper()
	m.dir(filepath.Dir(name))
	if err := os.WriteFile(m.path(name), []byte(text), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

// link makes a relative link, as sysfs and udev do.
func (m machine) link(name, to string) {
	m.t.Helper()
	m.dir(filepath.Dir(name))
	rel, err := filepath.Rel(filepath.Dir(name), to)
	if err != nil {
		m.t.Fatal(err)
	}
	if err := os.Symlink(rel, m.path(name)); err != nil {
		m.t.Fatal(err)
	}
}

func (m machine) remove(name string) {
	m.t.Helper()
	if err := os.RemoveAll(m.path(name)); err != nil {
		m.t.Fatal(err)
	}
}

// usb is a USB device in a socket such as 1-1.4.
type usb struct{ socket, vendor, product, serial, maker, model string }

const bus = "sys/devices/pci0000:00/0000:00:14.0/usb1/"

// plug makes the device itself; the rest of it comes with its interfaces.
func (m machine) plug(u usb) string {
	m.t.Helper()
	at := bus + u.socket
	m.write(at+"/idVendor", u.vendor+"\n")
	m.write(at+"/idProduct", u.product+"\n")
	for name, value := range map[string]string{"serial": u.serial, "manufacturer": u.maker, "product": u.model} {
		if value != "" {
			m.write(at+"/"+name, value+"\n")
		}
	}
	m.link(at+"/driver", "sys/bus/usb/drivers/usb")
	return at
}

// acm makes an interface with the driver cdc_acm: the port is a child of the
// interface.
func (m machine) acm(device, iface, tty string) {
	m.t.Helper()
	at := device + "/" + filepath.Base(device) + ":" + iface
	m.link(at+"/driver", "sys/bus/usb/drivers/cdc_acm")
	m.dir(at + "/tty/" + tty)
	m.link(at+"/tty/"+tty+"/device", at)
	m.link("sys/class/tty/"+tty, at+"/tty/"+tty)
	m.write("dev/"+tty, "")
}

// adapter makes an interface with a driver of usb-serial: the port has a device of
// its own in between.
func (m machine) adapter(device, driver, tty string) {
	m.t.Helper()
	at := device + "/" + filepath.Base(device) + ":1.0"
	m.link(at+"/driver", "sys/bus/usb/drivers/"+driver)
	m.link(at+"/"+tty+"/driver", "sys/bus/usb-serial/drivers/"+driver)
	m.dir(at + "/" + tty + "/tty/" + tty)
	m.link(at+"/"+tty+"/tty/"+tty+"/device", at+"/"+tty)
	m.link("sys/class/tty/"+tty, at+"/"+tty+"/tty/"+tty)
	m.write("dev/"+tty, "")
}

// hid makes a HID device in an interface, with a hidraw node.
func (m machine) hid(device, iface, vendor, product, uniq, name, node string, descriptor string) string {
	m.t.Helper()
	upper := func(s string) string { return strings.ToUpper("0000" + s) }
	at := device + "/" + filepath.Base(device) + ":" + iface
	m.link(at+"/driver", "sys/bus/usb/drivers/usbhid")
	at += "/0003:" + strings.ToUpper(vendor+":"+product) + ".0001"
	m.link(at+"/driver", "sys/bus/hid/drivers/hid-generic")
	m.write(at+"/uevent", "DRIVER=hid-generic\nHID_ID=0003:"+upper(vendor)+":"+upper(product)+"\nHID_NAME="+name+"\nHID_UNIQ="+uniq+"\n")
	m.write(at+"/report_descriptor", descriptor)
	m.dir(at + "/hidraw/" + node)
	m.link(at+"/hidraw/"+node+"/device", at)
	m.link("sys/class/hidraw/"+node, at+"/hidraw/"+node)
	m.write("dev/"+node, "")
	return at
}

// input makes an input device below what it belongs to.
func (m machine) input(below, name, vendor, product, keys, node string) {
	m.t.Helper()
	at := below + "/input/input" + strings.TrimPrefix(node, "event")
	m.write(at+"/name", name+"\n")
	m.write(at+"/uniq", "\n")
	m.write(at+"/id/vendor", vendor+"\n")
	m.write(at+"/id/product", product+"\n")
	m.write(at+"/capabilities/key", keys+"\n")
	m.dir(at + "/" + node)
	m.link(at+"/"+node+"/device", at)
	m.link("sys/class/input/"+node, at+"/"+node)
	m.write("dev/input/"+node, "")
}

const (
	keyboardKeys = "1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe"
	mouseKeys    = "ff0000 0 0 0 0"
	powerKeys    = "10000000000000 0"

	posDescriptor      = "\x05\x8c\x09\x02\xa1\x01\x09\x12\xa1\x02\x85\x02\xc0\xc0"
	keyboardDescriptor = "\x05\x01\x09\x06\xa1\x01\x05\x07\x19\xe0\x29\xe7\xc0"
	vendorDescriptor   = "\x06\x00\xff\x09\x01\xa1\x01\x09\x02\xc0"
)
