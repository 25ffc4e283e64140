package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// make install puts everything in its place, and leaves a configuration that
// is there alone.
func TestInstall(t *testing.T) {
	dest := t.TempDir()
	install := func() {
		t.Helper()
		cmd := exec.Command("make", "install", "DESTDIR="+dest, "PREFIX=/usr")
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	install()
	for _, name := range []string{"usr/bin/lintas", "etc/lintas/lintas.toml", "usr/lib/systemd/system/lintas.service",
		"usr/lib/sysusers.d/lintas.conf", "usr/lib/udev/rules.d/60-lintas.rules", "usr/share/doc/lintas/hub/lintas-hub-list.timer"} {
		if _, err := os.Stat(filepath.Join(dest, name)); err != nil {
			t.Error(err)
		}
	}
	unit, err := os.ReadFile(filepath.Join(dest, "usr/lib/systemd/system/lintas.service"))
	if err != nil || !strings.Contains(string(unit), "ExecStart=/usr/bin/lintas run") {
		t.Errorf("the unit does not start the installed binary: %v", err)
	}
	if out, err := exec.Command(filepath.Join(dest, "usr/bin/lintas"), "version").CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	own := filepath.Join(dest, "etc/lintas/lintas.toml")
	if err := os.WriteFile(own, []byte("# mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	install()
	if b, err := os.ReadFile(own); err != nil || string(b) != "# mine\n" {
		t.Errorf("a second install replaced the configuration: %v", err)
	}
}
