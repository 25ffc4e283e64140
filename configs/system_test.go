package configs_test

import (
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"lintas/configs"
)

func read(t testing.TB, name string) string {
	t.Helper()
	data, err := fs.ReadFile(configs.System, name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// settings gives the values of each setting of a unit, in order.
func settings(text string) map[string][]string {
	all := map[string][]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if name, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			all[name] = append(all[name], value)
		}
	}
	return all
}

func one(t testing.TB, unit map[string][]string, name string) string {
	t.Helper()
	if len(unit[name]) != 1 {
		t.Fatalf("%s is set %d times", name, len(unit[name]))
	}
	return unit[name][0]
}

// What lies in the folder is also in the binary.
func TestEverythingIsEmbedded(t *testing.T) {
	for _, pattern := range []string{"*.service", "*.timer", "*.rules", "*.sysusers", "dropin/*"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %v, %v", pattern, names, err)
		}
		for _, name := range names {
			onDisk, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if read(t, name) != string(onDisk) {
				t.Errorf("%s differs", name)
			}
		}
	}
	onDisk, err := os.ReadFile("lintas.toml")
	if err != nil {
		t.Fatal(err)
	}
	if configs.Default != string(onDisk) {
		t.Error("lintas.toml differs")
	}
}

// systemd's own measure of how much a service could reach if it were taken over, 0
// to 10. Services of this kind are usually shipped with 9.
func TestSandbox(t *testing.T) {
	analyze := systemdAnalyze(t)
	for name, limit := range map[string]float64{"lintas.service": 1.5, "lintas-unseal.service": 2.5, "lintas-hub-list.service": 2} {
		out, err := exec.Command(analyze, "security", "--offline=true", "--no-pager", unitFolder(t)+"/"+name).CombinedOutput()
		if err != nil {
			t.Skipf("systemd-analyze cannot look at files here: %v: %s", err, out)
		}
		found := regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`).FindSubmatch(out)
		if found == nil {
			t.Fatalf("%s: %s", name, out)
		}
		got, err := strconv.ParseFloat(string(found[1]), 64)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %.1f", name, got)
		if got > limit {
			t.Errorf("%s: exposure %.1f, at most %.1f:\n%s", name, got, limit, out)
		}
	}
}

// systemd understands every line of the units, with all drop-ins.
func TestUnitsAreUnderstood(t *testing.T) {
	analyze := systemdAnalyze(t)
	dir := unitFolder(t, "tpm.conf", "broker-only.conf")
	out, err := exec.Command(analyze, "verify", dir+"/lintas.service", dir+"/lintas-unseal.service", dir+"/lintas-hub-list.timer").CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, dir) || strings.Contains(line, "lintas") {
			t.Errorf("%v: %s", err, line)
		}
	}
}

// unitFolder has the units as they would be installed, but for the program itself.
func unitFolder(t *testing.T, dropins ...string) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, as string) {
		t.Helper()
		text := regexp.MustCompile(`/usr/local/bin/lintas(-hub)?`).ReplaceAllString(read(t, name), "/bin/true")
		if err := os.WriteFile(filepath.Join(dir, as), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("lintas.service", "lintas.service")
	for _, name := range []string{"lintas-unseal.service", "lintas-hub-list.service", "lintas-hub-list.timer"} {
		write(name, name)
	}
	if err := os.Mkdir(dir+"/lintas.service.d", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range dropins {
		write("dropin/"+name, "lintas.service.d/"+name)
	}
	return dir
}

func systemdAnalyze(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("there is no systemd-analyze here; nothing was measured")
	}
	return path
}

// The unit, the user, the device rules and the configuration name the same things.
func TestFilesAgree(t *testing.T) {
	unit := settings(read(t, "lintas.service"))
	user := one(t, unit, "User")
	if group := one(t, unit, "Group"); group != user {
		t.Errorf("the user is %s, the group %s", user, group)
	}
	if !regexp.MustCompile(`(?m)^u ` + user + ` `).MatchString(read(t, "lintas.sysusers")) {
		t.Errorf("lintas.sysusers does not make %s", user)
	}
	for _, m := range regexp.MustCompile(`GROUP="(.*?)"`).FindAllStringSubmatch(read(t, "60-lintas.rules"), -1) {
		if m[1] != user {
			t.Errorf("a device goes to %s", m[1])
		}
	}
	for _, line := range []string{
		`dir = "/var/lib/` + one(t, unit, "StateDirectory") + `"`,
		`run = "/run/` + one(t, unit, "RuntimeDirectory") + `"`,
	} {
		if !strings.Contains(configs.Default, "\n"+line+"\n") {
			t.Errorf("lintas.toml does not say %s", line)
		}
	}
	if mode := one(t, unit, "StateDirectoryMode"); mode != "0700" {
		t.Errorf("others may see what the counter keeps: %s", mode)
	}
}

// The hub's list is dated several times in the 24 hours after which counters call
// it ageing, by the user whose keys they are.
func TestListTimer(t *testing.T) {
	if every := one(t, settings(read(t, "lintas-hub-list.timer")), "OnCalendar"); every != "*-*-* 00/6:00:00" {
		t.Errorf("OnCalendar=%s", every)
	}
	unit := settings(read(t, "lintas-hub-list.service"))
	if !regexp.MustCompile(`(?m)^u ` + one(t, unit, "User") + ` `).MatchString(read(t, "lintas-hub.sysusers")) {
		t.Errorf("lintas-hub.sysusers does not make %s", one(t, unit, "User"))
	}
}

// No key that is missing or cannot be opened keeps the counter from starting. With
// systemd that holds for a source without a path, and for one with a default.
func TestCredentialsMayBeMissing(t *testing.T) {
	loaded := func(name, setting string) map[string]string {
		unit := settings(read(t, name))
		defaults := map[string]bool{}
		for _, value := range unit["SetCredential"] {
			id, text, _ := strings.Cut(value, ":")
			defaults[id] = text == `\n`
		}
		all := map[string]string{}
		for _, value := range unit[setting] {
			id, source, _ := strings.Cut(value, ":")
			if strings.Contains(source, "/") && !defaults[id] {
				t.Errorf("%s: the start fails without %s", name, source)
			}
			if id != "" {
				all[id] = source
			}
		}
		return all
	}
	plain := loaded("lintas.service", "LoadCredential")
	sealed := loaded("lintas-unseal.service", "LoadCredentialEncrypted")
	handed := loaded("dropin/tpm.conf", "LoadCredential")
	if !maps.Equal(plain, sealed) {
		t.Errorf("plain %v, sealed %v", plain, sealed)
	}
	for id := range plain {
		if handed[id] != "/run/credentials/lintas-unseal.service/"+id {
			t.Errorf("%s is not handed on: %q", id, handed[id])
		}
	}
	for _, m := range regexp.MustCompile(`"credential:([a-z.]+)"`).FindAllStringSubmatch(configs.Default, -1) {
		if plain[m[1]] == "" {
			t.Errorf("lintas.toml names the credential %s, the unit does not load it", m[1])
		}
	}
}

// A counter starts with the cable out and without a scanner, is never given up, and
// is not started again and again when its configuration is wrong.
func TestStart(t *testing.T) {
	unit := settings(read(t, "lintas.service"))
	for _, order := range []string{"After", "Wants", "Requires", "BindsTo"} {
		for _, value := range unit[order] {
			if strings.Contains(value, "network") {
				t.Errorf("%s=%s", order, value)
			}
		}
	}
	for _, module := range []string{"modprobe@cdc_acm.service", "modprobe@usbserial.service", "modprobe@usbhid.service", "modprobe@evdev.service"} {
		for _, order := range []string{"After", "Wants"} {
			if !slices.Contains(strings.Fields(one(t, unit, order)), module) {
				t.Errorf("%s does not name %s: a scanner plugged in later stays locked out", order, module)
			}
		}
	}
	for name, want := range map[string]string{
		"Type": "notify", "WatchdogSec": "30s", "NotifyAccess": "main", "Restart": "always",
		"RestartPreventExitStatus": "78 64", "StartLimitIntervalSec": "0",
		"ExecStart": "/usr/local/bin/lintas run -c /etc/lintas/lintas.toml",
	} {
		if got := one(t, unit, name); got != want {
			t.Errorf("%s=%s, want %s", name, got, want)
		}
	}
}

// Each rule is a list of KEY operator "value", as udev wants it; a fault in one line
// would silently leave a scanner to ModemManager.
func TestRules(t *testing.T) {
	part := `[A-Z_]+(\{[A-Za-z_/]+\})?(==|!=|=|\+=|-=|:=)"[^"]*"`
	rule := regexp.MustCompile(`^` + part + `(, ` + part + `)*$`)
	meaning := map[string]bool{}
	for line := range strings.Lines(read(t, "60-lintas.rules")) {
		line = strings.TrimSpace(line)
		example := strings.TrimPrefix(line, "# ")
		switch {
		case line == "":
		case strings.HasPrefix(line, "#") && !strings.HasPrefix(example, "SUBSYSTEM"):
		case !rule.MatchString(example):
			t.Errorf("not a rule: %s", line)
		case strings.Contains(example, `ENV{LINTAS_SCANNER}="1"`):
			if len(meaning) > 0 {
				t.Errorf("marked behind what the mark means: %s", line)
			}
			// Whoever marks keyboards by maker alone silences the officer's own.
			if strings.Contains(example, `"input"`) && !strings.Contains(example, "ATTRS{idProduct}") {
				t.Errorf("keyboards marked without their model: %s", line)
			}
		case strings.Contains(example, `ENV{LINTAS_SCANNER}=="1"`):
			subsystem := regexp.MustCompile(`SUBSYSTEM=="(.*?)"`).FindStringSubmatch(example)
			if strings.Contains(example, `GROUP="`) {
				meaning[subsystem[1]] = true
			}
		}
	}
	for _, subsystem := range []string{"tty", "input", "hidraw"} {
		if !meaning[subsystem] {
			t.Errorf("nothing says what a mark means for %s", subsystem)
		}
	}
}

// Every way a scanner can be connected is open to the service, and what it opens
// for a second program can be given to that program.
func TestDevices(t *testing.T) {
	unit := settings(read(t, "lintas.service"))
	want := []string{"char-ttyACM rw", "char-ttyUSB rw", "char-ttyS rw", "char-input r", "char-hidraw rw"}
	if got := unit["DeviceAllow"]; !slices.Equal(got, want) {
		t.Errorf("DeviceAllow: %q, want %q", got, want)
	}
	if one(t, unit, "DevicePolicy") != "closed" {
		t.Error("more devices than these")
	}
	filters := unit["SystemCallFilter"]
	denied, allowed := slices.Index(filters, "~@privileged @resources"), slices.Index(filters, "@chown")
	if denied < 0 || allowed < denied { // @privileged has chown in it; the later line counts
		t.Errorf("the port for a second program cannot be given away: %q", filters)
	}
}
