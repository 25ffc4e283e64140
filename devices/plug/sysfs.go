package plug

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// describe fills in what sysfs says about the device whose folder is dir. It is
// false for what cannot be a scanner.
func (d *Device) describe(dir string) bool {
	device, err := filepath.EvalSymlinks(filepath.Join(dir, "device"))
	if err != nil {
		return false // a console, a pseudo-terminal: there is nothing behind it
	}
	switch d.Kind {
	case Serial:
		if attr(dir, "type") == "0" {
			return false // the driver has a place for a port that this machine has not
		}
	case Input:
		if !types(attr(device, "capabilities/key")) {
			return false
		}
		d.Vendor, d.Product = attr(device, "id/vendor"), attr(device, "id/product")
		d.Model, d.Serial = attr(device, "name"), attr(device, "uniq")
	case HIDRaw:
		descriptor, err := os.ReadFile(filepath.Join(device, "report_descriptor"))
		if err == nil {
			var other bool
			if d.Scanner, other = uses(descriptor); !d.Scanner && !other {
				return false
			}
		}
		for line := range strings.Lines(attr(device, "uevent")) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			switch key {
			case "HID_ID": // 0003:00000DB5:0000013A
				if part := strings.Split(value, ":"); len(part) == 3 && len(part[1]) >= 4 && len(part[2]) >= 4 {
					d.Vendor, d.Product = part[1][len(part[1])-4:], part[2][len(part[2])-4:]
				}
			case "HID_NAME":
				d.Model = value
			case "HID_UNIQ":
				d.Serial = value
			}
		}
	}
	// The USB device, if there is one, is a folder further up.
	for at := device; filepath.Dir(at) != at && filepath.Base(at) != "devices"; at = filepath.Dir(at) {
		if d.Driver == "" {
			if driver, err := os.Readlink(filepath.Join(at, "driver")); err == nil {
				d.Driver = filepath.Base(driver)
			}
		}
		if vendor := attr(at, "idVendor"); vendor != "" {
			d.Vendor, d.Product, d.Serial = vendor, attr(at, "idProduct"), attr(at, "serial")
			d.Manufacturer = attr(at, "manufacturer")
			if model := attr(at, "product"); model != "" {
				d.Model = model
			}
			break
		}
	}
	d.Vendor, d.Product = strings.ToLower(d.Vendor), strings.ToLower(d.Product)
	return true
}

// attr reads an attribute of sysfs, "" if it is not there.
func attr(dir, name string) string {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(strings.ToValidUTF8(string(b), "?"))
}

// types says whether a device with these keys could type letters: whether it has
// KEY_Q, KEY_ENTER and KEY_A (linux/input-event-codes.h). The keys are a bitmap in
// hexadecimal, in words of the kernel's size, the lowest last.
func types(keys string) bool {
	const letters = 1<<16 | 1<<28 | 1<<30
	words := strings.Fields(keys)
	if len(words) == 0 {
		return false
	}
	low, err := strconv.ParseUint(words[len(words)-1], 16, 64)
	return err == nil && low&letters == letters
}

// uses looks through a HID report descriptor (HID 1.11, 6.2.2) for its usage
// pages: 8C is that of bar code scanners (HID Point of Sale Usage Tables), those
// from FF00 are a maker's own.
func uses(descriptor []byte) (scanner, vendor bool) {
	for b := descriptor; len(b) > 0; {
		if b[0] == 0xFE { // a long item: prefix, size, tag
			if len(b) < 3 || len(b) < 3+int(b[1]) {
				return scanner, vendor
			}
			b = b[3+int(b[1]):]
			continue
		}
		size := []int{0, 1, 2, 4}[b[0]&3]
		if len(b) < 1+size {
			return scanner, vendor
		}
		if b[0]&^3 == 0x04 { // global item, usage page
			var page uint32
			for i := size; i > 0; i-- {
				page = page<<8 | uint32(b[i])
			}
			scanner = scanner || page == 0x8C
			vendor = vendor || page >= 0xFF00
		}
		b = b[1+size:]
	}
	return scanner, vendor
}
