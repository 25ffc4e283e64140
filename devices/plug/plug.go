// Package plug knows what is plugged in and when that changes.
//
// [Discover] lists serial ports, keyboards and HID scanners, [Find] turns the
// port of a configuration into the device file to open, and [Watch] tells when
// it is worth to try again. A name is an absolute path, best a link that udev
// keeps below /dev/serial/by-id or /dev/input/by-id, or a USB device:
//
//	/dev/serial/by-id/usb-Elyctis_IDBOX_One_1234-if00
//	usb:2b78:0005          maker and model, in hexadecimal as lsusb prints them
//	usb:2b78:0005:1234     of two alike, the one with this serial number
//
// All of it is read from sysfs and from the names in /dev. No device is ever
// opened to find out what it is: opening a serial port raises its lines, and
// some programs that do so change its speed under the feet of another one.
//
// What is ambiguous is refused with the names of the candidates, never guessed.
package plug

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Kind is a way a scanner can be connected.
type Kind string

const (
	Serial Kind = "serial" // a serial port, also one that is USB underneath
	Input  Kind = "input"  // a device that types: /dev/input/event…
	HIDRaw Kind = "hidraw" // a HID device that is neither keyboard nor mouse
)

// A Device is something that is plugged in and might be a scanner. What is not
// known is empty.
type Device struct {
	Path         string `json:"path"`         // /dev/ttyACM0; may be another device tomorrow
	Link         string `json:"link"`         // /dev/serial/by-id/…, the name that stays
	Kind         Kind   `json:"kind"`         //
	Vendor       string `json:"vendor"`       // four hexadecimal digits
	Product      string `json:"product"`      // four hexadecimal digits
	Serial       string `json:"serial"`       // as the device gives it; many have none
	Manufacturer string `json:"manufacturer"` // in the device's words
	Model        string `json:"model"`        // in the device's words
	Driver       string `json:"driver"`       // the kernel's: cdc_acm, ftdi_sio, usbhid
	Scanner      bool   `json:"scanner"`      // it says itself that it is a scanner: HID usage page 8C
}

// Name is how a configuration names the device: by its link if it has one, else
// by maker, model and serial number, else by its path.
func (d Device) Name() string {
	switch {
	case d.Link != "":
		return d.Link
	case d.Vendor != "" && d.Serial != "":
		return "usb:" + d.Vendor + ":" + d.Product + ":" + d.Serial
	case d.Vendor != "":
		return "usb:" + d.Vendor + ":" + d.Product
	}
	return d.Path
}

// classes says where devices of each kind are, and what their names begin with.
// Links are searched in the order in which they are to be preferred.
var classes = []struct {
	kind   Kind
	class  string // folder in /sys/class
	dev    string // folder of the device files
	prefix string
	links  []string
}{
	{Serial, "tty", "dev", "tty", []string{"dev/serial/by-id", "dev/serial/by-path"}},
	{Input, "input", "dev/input", "event", []string{"dev/input/by-id", "dev/input/by-path"}},
	{HIDRaw, "hidraw", "dev", "hidraw", []string{"dev/lintas"}},
}

// Discover lists what is plugged in: serial ports that are really there, input
// devices that can type letters, HID devices that are no keyboard or mouse.
// Root is the folder in which sys and dev are; "" is "/".
func Discover(root string) ([]Device, error) {
	root = cmp.Or(root, "/")
	var found []Device
	for _, c := range classes {
		entries, err := os.ReadDir(filepath.Join(root, "sys/class", c.class))
		if os.IsNotExist(err) {
			continue // the kernel knows no such devices
		}
		if err != nil {
			return nil, fmt.Errorf("cannot look for devices: %w", err)
		}
		links := linksIn(root, c.links)
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), c.prefix) {
				continue
			}
			// A device can go while it is looked at: then it is not there.
			dir, err := filepath.EvalSymlinks(filepath.Join(root, "sys/class", c.class, e.Name()))
			if err != nil {
				continue
			}
			d := Device{Kind: c.kind, Path: filepath.Join(root, c.dev, e.Name())}
			if !d.describe(dir) {
				continue
			}
			d.Link = links[d.Path]
			found = append(found, d)
		}
	}
	slices.SortFunc(found, func(a, b Device) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(len(a.Path), len(b.Path)), cmp.Compare(a.Path, b.Path))
	})
	return found, nil
}

// linksIn maps device files to their links. Of several links to the same file
// the first in order counts.
func linksIn(root string, folders []string) map[string]string {
	links := map[string]string{}
	for _, folder := range folders {
		dir := filepath.Join(root, folder)
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // udev removes it with the last device
		}
		for _, e := range entries {
			if e.Type() != fs.ModeSymlink {
				continue
			}
			link := filepath.Join(dir, e.Name())
			to, err := os.Readlink(link)
			if err != nil {
				continue
			}
			if !filepath.IsAbs(to) {
				to = filepath.Join(dir, to)
			}
			if _, ok := links[to]; !ok {
				links[to] = link
			}
		}
	}
	return links
}
