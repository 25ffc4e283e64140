package config_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"lintas/agent/config"
)

// mustHave are the three keys that have no default.
func mustHave(t testing.TB) string {
	return `
[counter]
id = "CGK-T3-D07"
[hub]
recipients = ["` + classic(t) + `"]
ack_keys_file = "hub-ack.jwks"
`
}

func classic(t testing.TB) string {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return identity.Recipient().String()
}

func postQuantum(t testing.TB) string {
	t.Helper()
	identity, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return identity.Recipient().String()
}

func parse(t testing.TB, text string) *config.Config {
	t.Helper()
	c, err := config.Parse("/etc/lintas/lintas.toml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDefaults(t *testing.T) {
	got := parse(t, mustHave(t))
	want := &config.Config{
		Path: "/etc/lintas/lintas.toml",
		Counter: config.Counter{
			ID: "CGK-T3-D07", LaneKind: "normal", Confirm: "officer",
			AbandonAfter: 10 * time.Minute, RepeatAfter: 5 * time.Minute,
		},
		State:  config.State{Dir: "/var/lib/lintas", Run: "/run/lintas"},
		Screen: config.Screen{Listen: "127.0.0.1:8470", Language: "id", Theme: "dark"},
		Hub:    config.Hub{Recipients: got.Hub.Recipients, AckKeysFile: "/etc/lintas/hub-ack.jwks"},
		Keys:   config.Keys{CounterFile: "/var/lib/lintas/counter.jwk", ListFile: "/var/lib/lintas/list.key"},
		List:   config.List{Sources: []string{"mqtt:"}, RootFile: "/etc/lintas/list-root.json", Every: 15 * time.Minute},
		Broker: config.Broker{AckTimeout: 30 * time.Second, KeepAlive: 8 * time.Second, Window: 256},
		Queue:  config.Queue{Retention: 30 * 24 * time.Hour, QuotaMiB: 1024},
		Log:    config.Log{Level: "info", Format: "text"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if len(got.Hub.Recipients) != 1 {
		t.Errorf("recipients: %q", got.Hub.Recipients)
	}
}

func TestEveryKey(t *testing.T) {
	hub, second := classic(t), classic(t)
	got := parse(t, `
[counter]
id = "BTH-1"
site = "IDBTH"
terminal = "FERRY-2"
lane = "04"
lane_kind = "crew"
direction = "return"
confirm = "auto"
abandon_after = "1d"
repeat_after = "0s"
drill = true
[state]
dir = "state"
run = "../run"
[[scanner]]
name = "desk"
port = "/dev/serial/by-id/usb-A"
[[scanner]]
name = "Spare-2"
port = "/dev/ttyS0"
profile = "honeywell"
line = "115200 7E2"
gap = "1s"
tee = "/run/lintas/scanner-1"
layout = "de"
grab = true
after = "remove"
[screen]
listen = "[::1]:0"
language = "en"
theme = "auto"
[hub]
recipients = ["`+hub+`",
  "`+second+`"]
ack_keys_file = "/srv/ack.jwks"
[keys]
counter_file = "keys/own.jwk"
list_file = "credential:list.key"
[list]
sources = ["https://lists.example/lintas", "file:/media/usb"]
root_file = "root.json"
every = "1h"
[broker]
url = "tls://hub.example:8883"
fallback = ["tls://second.example:8883",
  "tcp://127.0.0.1:1883"]
ca_file = "ca.pem"
certificate_file = "own.pem"
key_file = "credential:broker.key"
username = "counter"
password_file = "../secret/password"
ack_timeout = "1m30s"
keep_alive = "1m"
window = 0x10
[queue]
retention = "1d12h"
quota_mib = 16
[log]
level = "debug"
format = "json"
`)
	want := &config.Config{
		Path: "/etc/lintas/lintas.toml",
		Counter: config.Counter{
			ID: "BTH-1", Site: "IDBTH", Terminal: "FERRY-2", Lane: "04", LaneKind: "crew", Direction: "return",
			Confirm: "auto", AbandonAfter: 24 * time.Hour, Drill: true,
		},
		State: config.State{Dir: "/etc/lintas/state", Run: "/etc/run"},
		Scanners: []config.Scanner{
			{Name: "desk", Port: "/dev/serial/by-id/usb-A", Profile: "auto", Gap: 250 * time.Millisecond, Layout: "auto", After: "keep"},
			{Name: "Spare-2", Port: "/dev/ttyS0", Profile: "honeywell", Line: "115200 7E2", Gap: time.Second,
				Tee: "/run/lintas/scanner-1", Layout: "de", Grab: true, After: "remove"},
		},
		Screen: config.Screen{Listen: "[::1]:0", Language: "en", Theme: "auto"},
		Hub:    config.Hub{Recipients: []string{hub, second}, AckKeysFile: "/srv/ack.jwks"},
		Keys:   config.Keys{CounterFile: "/etc/lintas/keys/own.jwk", ListFile: "/run/credentials/lintas.service/list.key"},
		List:   config.List{Sources: []string{"https://lists.example/lintas", "file:/media/usb"}, RootFile: "/etc/lintas/root.json", Every: time.Hour},
		Broker: config.Broker{
			URL: "tls://hub.example:8883", Fallback: []string{"tls://second.example:8883", "tcp://127.0.0.1:1883"}, CAFile: "/etc/lintas/ca.pem",
			CertificateFile: "/etc/lintas/own.pem", KeyFile: "/run/credentials/lintas.service/broker.key",
			Username: "counter", PasswordFile: "/etc/secret/password",
			AckTimeout: 90 * time.Second, KeepAlive: time.Minute, Window: 16,
		},
		Queue: config.Queue{Retention: 36 * time.Hour, QuotaMiB: 16},
		Log:   config.Log{Level: "debug", Format: "json"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TOML has several ways to write the same.
func TestWaysToWrite(t *testing.T) {
	hub := classic(t)
	tests := []struct{ name, text string }{
		{"dotted", "counter.id = \"CGK-1\"\nscanner = []\nhub.recipients = ['" + hub + "']\nhub.ack_keys_file = 'a'\nlog.level = 'warn'"},
		{"in one line", "counter = { id = \"CGK-1\" }\nhub = { recipients = ['" + hub + "'], ack_keys_file = 'a' }\nlog = { level = 'warn' }"},
		{"quoted keys", "[\"counter\"]\n\"id\" = 'CGK-1'\n[ hub ]\n'recipients' = ['" + hub + "', # the hub's\n]\nack_keys_file = \"\"\"\na\"\"\"\n[log]\nlevel=\"w\\u0061rn\""},
		{"Windows line ends and a byte order mark", "\ufeff[counter]\r\nid = \"CGK-1\"\r\n[hub]\r\nrecipients = ['" + hub + "']\r\nack_keys_file = 'a'\r\n[log]\r\nlevel = 'warn'\r\n"},
	}
	want := parse(t, "[counter]\nid = 'CGK-1'\n[hub]\nrecipients = ['"+hub+"']\nack_keys_file = 'a'\n[log]\nlevel = 'warn'")
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := parse(t, test.text); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
	t.Run("scanners in one line", func(t *testing.T) {
		c := parse(t, `scanner = [{ name = "a", port = "/dev/a" }, { name = "b", port = "/dev/b" }]`+mustHave(t))
		if len(c.Scanners) != 2 || c.Scanners[1].Port != "/dev/b" || c.Scanners[1].Line != "" {
			t.Errorf("got %+v", c.Scanners)
		}
	})
}

func TestPostQuantumRecipients(t *testing.T) {
	one, two := postQuantum(t), postQuantum(t)
	c := parse(t, "[counter]\nid = 'CGK-1'\n[hub]\nack_keys_file = 'a'\nrecipients = ['"+one+"','"+two+"']")
	if len(c.Hub.Recipients) != 2 || c.Hub.Recipients[1] != two {
		t.Errorf("got %q", c.Hub.Recipients)
	}
}

func TestCredentials(t *testing.T) {
	dir := t.TempDir()
	env := func(name string) string {
		if name == "CREDENTIALS_DIRECTORY" {
			return dir
		}
		return ""
	}
	load := func(t *testing.T, text string) config.Keys {
		t.Helper()
		c, err := config.Parse("lintas.toml", []byte(text), env)
		if err != nil {
			t.Fatal(err)
		}
		return c.Keys
	}
	base := mustHave(t)
	if got := load(t, base).ListFile; got != "/var/lib/lintas/list.key" {
		t.Errorf("without the credential: %s", got)
	}
	credential := filepath.Join(dir, "list.key")
	// What systemd hands over for a key that could not be opened.
	if err := os.WriteFile(credential, []byte("\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	if got := load(t, base).ListFile; got != "/var/lib/lintas/list.key" {
		t.Errorf("with a blank credential: %s", got)
	}
	if err := os.Remove(credential); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(credential, []byte("key\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	if got := load(t, base).ListFile; got != credential {
		t.Errorf("with the credential: %s", got)
	}
	if got := load(t, base+"[keys]\nlist_file = '/srv/list.key'").ListFile; got != "/srv/list.key" {
		t.Errorf("another file was named: %s", got)
	}
	if got := load(t, base+"[keys]\ncounter_file = 'credential:counter.jwk'").CounterFile; got != filepath.Join(dir, "counter.jwk") {
		t.Errorf("a credential was named: %s", got)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "lintas.toml")
	if err := os.WriteFile(path, []byte(mustHave(t)+"[state]\ndir = 'state'"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path, os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	if c.Path != path || c.State.Dir != filepath.Join(dir, "state") || c.Keys.CounterFile != filepath.Join(dir, "state", "counter.jwk") {
		t.Errorf("got %+v", c)
	}

	_, err = config.Load(filepath.Join(dir, "none.toml"), os.Getenv)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}

	if err := os.WriteFile(path, []byte(strings.Repeat("#", 1<<17)), 0o600); err != nil {
		t.Fatal(err)
	}
	var faults config.Faults
	if _, err = config.Load(path, os.Getenv); !errors.As(err, &faults) || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("a huge file: %v", err)
	}
}

// A configuration changed by its user does not change the next one.
func TestDefaultsAreNotShared(t *testing.T) {
	text := mustHave(t) + "[[scanner]]\nname = 'a'\nport = '/dev/a'"
	parse(t, text).Scanners[0].Name = "changed"
	parse(t, text).Hub.Recipients[0] = "changed"
	if c := parse(t, text); c.Scanners[0].Name != "a" || c.Hub.Recipients[0] == "changed" || len(c.Scanners) != 1 {
		t.Errorf("got %+v", c)
	}
}
