package plug

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"lintas/devices"
)

// ErrAmbiguous: several devices that are plugged in have the name.
var ErrAmbiguous = errors.New("the name is ambiguous")

// Find turns the name of a device into the path to open. It does not look
// whether the path may be opened, nor what is there: whoever opens it does. The
// error wraps [devices.ErrAbsent] or [ErrAmbiguous] and says what to do.
func Find(name string, kind Kind) (string, error) { return FindIn("/", name, kind) }

// FindIn is Find with the folder in which sys and dev are. A path is taken as it
// is.
func FindIn(root, name string, kind Kind) (string, error) {
	if !strings.HasPrefix(name, "usb:") {
		path, err := filepath.EvalSymlinks(name)
		if err != nil && !errors.Is(err, fs.ErrPermission) { // not there, below what is no folder, a link to itself
			return "", fmt.Errorf("cannot find %q: %w; plug the scanner in, or correct the port in the configuration", name, devices.ErrAbsent)
		}
		if err != nil {
			return "", fmt.Errorf("cannot find %q: %w (%w); let the service's user enter the folders on the way", name, devices.ErrDenied, err)
		}
		return path, nil
	}
	want, err := parse(name)
	if err != nil {
		return "", err
	}
	all, err := Discover(root)
	if err != nil {
		return "", err
	}
	var found, other []Device
	for _, d := range all {
		switch {
		case d.Vendor != want.Vendor || d.Product != want.Product || want.Serial != "" && d.Serial != want.Serial:
		case d.Kind == kind:
			found = append(found, d)
		default:
			other = append(other, d)
		}
	}
	found = preferred(found)
	switch {
	case len(found) == 1:
		if _, err := os.Stat(found[0].Path); errors.Is(err, fs.ErrNotExist) { // the kernel has it, udev not yet
			return "", fmt.Errorf("cannot find %q: %w; %s is not there yet", name, devices.ErrAbsent, found[0].Path)
		}
		return found[0].Path, nil
	case len(found) > 1:
		return "", fmt.Errorf("cannot tell which device %q is: %w; set the port to one of %s", name, ErrAmbiguous, choice(found))
	case len(other) > 0:
		return "", fmt.Errorf("cannot find %q: %w as %s, but it is as %s (%s); switch the scanner to the other mode, or set the profile that suits",
			name, devices.ErrAbsent, kind, other[0].Kind, other[0].Path)
	}
	return "", fmt.Errorf("cannot find %q: %w; plug the scanner in, or correct the port in the configuration", name, devices.ErrAbsent)
}

// parse takes usb:VID:PID[:serial] apart.
func parse(name string) (d Device, err error) {
	part := strings.SplitN(strings.TrimPrefix(name, "usb:"), ":", 3)
	if len(part) < 2 || !isHex(part[0]) || !isHex(part[1]) {
		return d, fmt.Errorf("cannot find %q: it is not of the form usb:VID:PID or usb:VID:PID:serial, such as usb:0c2e:0b61", name)
	}
	d.Vendor, d.Product = strings.ToLower(part[0]), strings.ToLower(part[1])
	if len(part) == 3 {
		d.Serial = part[2]
	}
	return d, nil
}

func isHex(s string) bool {
	return len(s) == 4 && strings.Trim(strings.ToLower(s), "0123456789abcdef") == ""
}

// preferred leaves out interfaces of a maker's own where there is one that says
// that it is a scanner.
func preferred(found []Device) []Device {
	var scanners []Device
	for _, d := range found {
		if d.Scanner {
			scanners = append(scanners, d)
		}
	}
	if len(scanners) > 0 {
		return scanners
	}
	return found
}

// choice names devices so that one of them can be chosen.
func choice(found []Device) string {
	usb := map[string]int{}
	for _, d := range found {
		usb["usb:"+d.Vendor+":"+d.Product+":"+d.Serial]++
	}
	var names []string
	for _, d := range found {
		name := d.Name()
		if strings.HasPrefix(name, "usb:") && (d.Serial == "" || usb[name] > 1) {
			name = d.Path // the name is what was ambiguous
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}
