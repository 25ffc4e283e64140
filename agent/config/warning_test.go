package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lintas/agent/config"
)

func TestWarnings(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	write("hub-ack.jwks", "{}", 0o644)
	write("own.pem", "certificate", 0o644)
	write("own.key", "key", 0o600)
	write("open.key", "key", 0o644)
	write("empty", "", 0o600)

	const good = `
[[scanner]]
name = "desk"
port = "/dev/serial/by-id/usb-A"
[broker]
url = "tls://hub.example:8883"
certificate_file = "own.pem"
key_file = "own.key"
`
	tests := []struct {
		name, text string
		want       []string // how each warning begins
	}{
		{"none", good, nil},
		{"as little as can be", "", []string{
			"scanner: there is none",
			"broker.url: is empty",
		}},
		{"drill", "counter.drill = true\n" + good, []string{"counter.drill: every record"}},
		{"unstable names", good + strings.ReplaceAll(`
[[scanner]]
name = "b"
port = "/dev/ttyUSB0"
[[scanner]]
name = "c"
port = "/dev/input/event3"
[[scanner]]
name = "d"
port = "/dev/ttyS0"
`, "\t", ""), []string{
			"scanner.port: /dev/ttyUSB0 may be another device",
			"scanner.port: /dev/input/event3 may be another device",
		}},
		{"files", good + `
ca_file = "none.pem"
username = "me"
password_file = "empty"
[keys]
counter_file = "open.key"
list_file = "."
`, []string{
			"keys.counter_file: everybody on this machine can read " + dir + "/open.key",
			"keys.list_file: " + dir + " is a folder",
			"broker.ca_file: " + dir + "/none.pem is not there",
			"broker.password_file: " + dir + "/empty is empty",
		}},
		{"credential that is not there", good + `
[keys]
list_file = "credential:no-such-credential"
`, []string{"keys.list_file: /run/credentials/lintas.service/no-such-credential is not there"}},
		{"nobody", strings.SplitAfter(good, "8883\"\n")[0], []string{"broker.certificate_file: neither a certificate nor"}},
		{"certificates without TLS", strings.Replace(good, "tls://hub.example", "tcp://127.0.0.1", 1), []string{"broker.url: certificates are used with tls:// only"}},
		{"long path", "state.run = '/" + strings.Repeat("long", 30) + "'" + good, []string{"state.run: "}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			// The required keys in dotted form, so that a case may begin with such keys too.
			text := "counter.id = 'AB1'\nhub.ack_keys_file = 'hub-ack.jwks'\nhub.recipients = ['" + classic(t) + "']\n" + test.text
			c, err := config.Parse(filepath.Join(dir, "lintas.toml"), []byte(text), nil)
			if err != nil {
				t.Fatal(err)
			}
			got := c.Warnings()
			if !slices.EqualFunc(got, test.want, strings.HasPrefix) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}
