package scanners_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lintas/agent/config"
	"lintas/agent/scanners"
	"lintas/devices"
)

// What is no keyboard and no HID scanner is refused with what to do. That real ones
// are read is tested in agent/e2e/vm.
func TestUSBProfiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		profile, port string
		want          error
	}{
		{"keyboard", "/dev/input/by-id/usb-none-event-kbd", devices.ErrAbsent},
		{"keyboard", "usb:0db5:ffff", devices.ErrAbsent},
		{"keyboard", "/dev/null", devices.ErrWrongKind},
		{"keyboard", file, devices.ErrWrongKind},
		{"hid-pos", "/dev/hidraw99", devices.ErrAbsent},
		{"hid-pos", "usb:0db5:ffff", devices.ErrAbsent},
		{"hid-pos", "/dev/null", devices.ErrWrongKind},
	} {
		t.Run(c.profile+" "+filepath.Base(c.port), func(t *testing.T) {
			r := scanners.New(config.Scanner{Name: "desk", Port: c.port, Profile: c.profile, Layout: "auto", Grab: true}, nil)
			_, err := r.Open(context.Background())
			if !errors.Is(err, c.want) || !strings.HasPrefix(err.Error(), "cannot ") || !strings.Contains(err.Error(), "; ") {
				t.Errorf("got %v", err)
			}
			if want := map[string]devices.Mode{"keyboard": devices.Keyboard}[c.profile]; r.Mode != want {
				t.Errorf("mode is %q", r.Mode)
			}
		})
	}
}
