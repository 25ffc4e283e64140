package plug_test

import (
	"strings"
	"testing"

	"lintas/devices/plug"
)

// A device describes itself: what it says is looked through to its end, whatever it
// is, and says the same when more of no consequence follows.
func FuzzDescriptor(f *testing.F) {
	for _, d := range []string{posDescriptor, keyboardDescriptor, vendorDescriptor, "", "\x05", "\xfe", "\xfe\xff\x00", "\x07\x8c\x00\x00\x00", "\xfe\x02\x10\x05\x8c\x05\x8c"} {
		f.Add([]byte(d))
	}
	f.Fuzz(func(t *testing.T, d []byte) {
		scanner, vendor := plug.Uses(d)
		if (scanner || vendor) && len(d) < 2 {
			t.Errorf("%x says that it is something", d)
		}
		if again, more := plug.Uses(append([]byte("\x05\x01\xa1\x01\xc0"), d...)); again != scanner || more != vendor {
			t.Errorf("%x behind another collection: %v %v, alone %v %v", d, again, more, scanner, vendor)
		}
	})
}

// A name that is not understood is refused, and no name is taken for another.
func FuzzName(f *testing.F) {
	m := counterMachine(f)
	for _, name := range []string{"usb:2b78:0005", "usb:2b78:0005:1234", "usb:", "usb:::", "usb:2b78:0005:", "usb:2B78:0005:12:34", "/dev/null", ""} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if !strings.HasPrefix(name, "usb:") {
			t.Skip()
		}
		path, err := plug.FindIn(m.root, name, plug.Serial)
		if (path == "") != (err != nil) {
			t.Fatalf("%q: %q, %v", name, path, err)
		}
		if path == m.path("dev/ttyACM0") {
			switch strings.ToLower(name) {
			case "usb:2b78:0005", "usb:2b78:0005:", "usb:2b78:0005:1234":
			default:
				t.Errorf("%q is taken for the reader", name)
			}
		}
	})
}
