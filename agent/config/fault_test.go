package config_test

import (
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"lintas/agent/config"
)

var update = flag.Bool("update", false, "write the golden files anew")

func faults(t testing.TB, text string) config.Faults {
	t.Helper()
	c, err := config.Parse("lintas.toml", []byte(text), nil)
	if err == nil {
		return nil
	}
	var all config.Faults
	if !errors.As(err, &all) || len(all) == 0 {
		t.Fatalf("not faults: %v", err)
	}
	if c != nil {
		t.Error("a configuration came with its faults")
	}
	return all
}

func TestAllFaultsAtOnce(t *testing.T) {
	text, err := os.ReadFile("testdata/wrong.toml")
	if err != nil {
		t.Fatal(err)
	}
	got := faults(t, string(text)).Error() + "\n"
	if strings.Contains(got, "not to be repeated") {
		t.Error("a secret is repeated")
	}
	if *update {
		if err := os.WriteFile("testdata/wrong.golden", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/wrong.golden")
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// One thing at a time: text is added to a file that is right otherwise.
func TestFault(t *testing.T) {
	tests := []struct {
		name, text string
		key, says  string // says "" means no fault
	}{
		{"id too short", "counter.id = 'AB'", "counter.id", `must be 3 to 32 of A-Z, 0-9 and "-", not "AB"`},
		{"id empty", "counter.id = ''", "counter.id", "must be 3 to 32"},
		{"id missing", "log.level = 'info'", "counter.id", `is missing; write it below [counter], like id = "CGK-T3-D07"`},
		{"id wrong kind", "counter.id = 7", "counter.id", "write a text in quotes, not a number"},
		{"auto without direction", "counter = { id = 'AB1', confirm = 'auto' }", "counter.confirm", "needs counter.direction"},
		{"auto with direction", "counter = { id = 'AB1', confirm = 'auto', direction = 'return' }", "", ""},
		{"day", "counter = { id = 'AB1', abandon_after = '1d' }", "", ""},
		{"more than a day", "counter = { id = 'AB1', abandon_after = '1d1s' }", "counter.abandon_after", "must be between 1s and 1d, not 24h0m1s"},
		{"negative", "counter = { id = 'AB1', repeat_after = '-1s' }", "counter.repeat_after", "must be between 0s and 1d, not -1s"},
		{"days that overflow", "queue.retention = '65535d2562047h'", "queue.retention", "is not a duration"},
		{"days twice", "queue.retention = '1d1d'", "queue.retention", "is not a duration"},
		{"days and minus", "queue.retention = '2d-1h'", "queue.retention", "is not a duration"},
		{"too short", "queue.retention = '59m'", "queue.retention", "must be between 1h and 3650d, not 59m"},
		{"zone in address", "screen.listen = '[::1%lo]:80'", "screen.listen", "is not this machine itself"},
		{"mapped address", "screen.listen = '[::ffff:127.0.0.1]:80'", "screen.listen", "is not this machine itself"},
		{"another loopback address", "screen.listen = '127.9.9.9:80'", "", ""},
		{"no port", "screen.listen = '127.0.0.1'", "screen.listen", "must be an address and a port"},
		{"port out of range", "screen.listen = '127.0.0.1:65536'", "screen.listen", "must be an address and a port"},
		{"tcp on this machine", "broker.url = 'tcp://localhost:1883'", "", ""},
		{"tcp on this machine, v6", "broker.url = 'tcp://[::1]:1883'", "", ""},
		{"tcp elsewhere", "broker.url = 'tcp://10.0.0.1:1883'", "broker.url", "the link must be authenticated"},
		{"tcp to a name that only looks local", "broker.url = 'tcp://localhost.example:1883'", "broker.url", "the link must be authenticated"},
		{"tls elsewhere", "broker.url = 'tls://10.0.0.1:8883'", "", ""},
		{"other scheme", "broker.url = 'mqtts://hub:8883'", "broker.url", `the scheme must be tls (or tcp on this machine itself), not "mqtts"`},
		{"no broker port", "broker.url = 'tls://hub'", "broker.url", "the port is missing"},
		{"port 0", "broker.url = 'tls://hub:0'", "broker.url", "the port is missing or wrong"},
		{"port too large", "broker.url = 'tls://hub:65536'", "broker.url", "the port is missing or wrong"},
		{"no host", "broker.url = 'tls://:8883'", "broker.url", "the host is missing"},
		{"no scheme", "broker.url = 'hub:8883'", "broker.url", "must be scheme, host and port"},
		{"path", "broker.url = 'tls://hub:8883/mqtt'", "broker.url", "nothing may follow the port"},
		{"key without certificate", "broker.key_file = 'a'", "broker.key_file", "is of no use without certificate_file"},
		{"key with empty certificate", "broker = { key_file = 'a', certificate_file = '' }", "broker.key_file", "is of no use without certificate_file"},
		{"both empty", "broker = { key_file = '', certificate_file = '' }", "", ""},
		{"password without user", "broker.password_file = 'a'", "broker.password_file", "is of no use without username"},
		{"float", "broker.window = 1.5", "broker.window", "write a whole number without quotes"},
		{"number that overflows", "broker.window = 9223372036854775807", "broker.window", "must be between 1 and 4096"},
		{"number beyond 64 bits", "broker.window = 9223372036854775808", "broker.window", "is not a number this machine can hold"},
		{"control character", `broker.username = "a\u001bb"`, "broker.username", "control characters"},
		{"line break in a path", `broker.ca_file = "a\nb"`, "broker.ca_file", "the secret itself"},
		{"credential without a name", "keys.list_file = 'credential:'", "keys.list_file", "the credential's name"},
		{"credential dot dot", "keys.list_file = 'credential:..'", "keys.list_file", "the credential's name"},
		{"one of a table's names as a value", "counter = 'A'", "counter", "is a table"},
		{"table in a table", "[broker.tls]\na = 1", "broker.tls", "is not a table; did you mean [broker]?"},
		{"value that is a table", "[log.level]\na = 1", "log.level", "is not a table"},
		{"table that is a list", "[[log]]\nlevel = 'info'", "log", "write [log], not [[log]]"},
		{"list of tables that is one", "[scanner]\nname = 'a'", "scanner", "write [[scanner]], not [scanner]"},
		{"scanner without a port", "[[scanner]]\nname = 'a'", "scanner.port", "is missing; add it, like port = "},
		{"key with an escape sequence", "[log]\n\"\\u001b[2J\" = 1", `"log.\x1b[2J"`, "is not a key"},
		{"key in the wrong table", "[log]\nretention = '1d'", "log.retention", "it belongs below [queue]"},
		{"key with hyphen", "[log]\nfor-mat = 'text'", "log.for-mat", "did you mean format?"},
		{"key cut short", "[broker]\ncert_file = 'a'", "broker.cert_file", "did you mean certificate_file?"},
		{"key with letters swapped", "[broker]\nwindwo = 1", "broker.windwo", "did you mean window?"},
		{"key like nothing", "[broker]\nzzz = 1", "broker.zzz", "below [broker] stand url, fallback, ca_file,"},
		{"fallback without a port", "[broker]\nfallback = ['tls://a.example:8883', 'tls://b.example']", "broker.fallback", "broker 2: the port is missing"},
		{"fallback that is empty", "[broker]\nfallback = ['']", "broker.fallback", "broker 1: must not be empty"},
		{"fallback in the open", "[broker]\nfallback = ['tcp://b.example:1883']", "broker.fallback", "write tls://"},
		{"quota too small", "[queue]\nquota_mib = 1", "queue.quota_mib", "must be between 16 and 1048576"},
		{"name twice, as table and value", "log.level = 'info'\n[log]\nformat = 'text'", "log", "stands in line 1 already"},
	}
	hub := classic(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := test.text
			if strings.HasPrefix(text, "[") {
				text = "hub = { recipients = ['" + hub + "'], ack_keys_file = 'a' }\ncounter.id = 'AB1'\n" + text
			} else {
				text += "\nhub = { recipients = ['" + hub + "'], ack_keys_file = 'a' }\n"
				if !strings.Contains(text, "counter") && test.key != "counter.id" {
					text += "counter.id = 'AB1'"
				}
			}
			got := faults(t, text)
			if test.says == "" {
				if got != nil {
					t.Fatalf("got %v", got)
				}
				return
			}
			for _, f := range got {
				if f.Key == test.key && strings.Contains(f.Message, test.says) {
					return
				}
			}
			t.Errorf("got %v\nwant %s: … %s …", got, test.key, test.says)
		})
	}
}

func TestRecipientFaults(t *testing.T) {
	one, quantum := classic(t), postQuantum(t)
	identity := "AGE-SECRET-KEY-1" + strings.Repeat("Q", 58)
	tests := []struct{ name, list, says string }{
		{"none", "", "must not be empty"},
		{"cut short", "'" + one[:len(one)-1] + "'", "recipient 1 is not an age recipient"},
		{"one letter wrong", "'" + one[:10] + swap(one[10]) + one[11:] + "'", "recipient 1 is not an age recipient"},
		{"two in one", "\"" + one + "\\n" + classic(t) + "\"", "one line without control characters"},
		{"a comment", "'# " + one + "'", "recipient 1 is not an age recipient"},
		{"twice", "'" + one + "', '" + one + "'", "recipient 2 stands in the list twice"},
		{"both kinds", "'" + one + "', '" + quantum + "'", "recipient 2 is post-quantum (age1pq1…), the first one is classic (age1…)"},
		{"a secret", "'" + identity + "'", "recipient 1 is a secret identity"},
		{"a secret in small letters", "'" + strings.ToLower(identity) + "'", "recipient 1 is a secret identity"},
		{"an SSH key", "'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAA'", "recipient 1 is not an age recipient"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := faults(t, "counter.id = 'AB1'\nhub = { ack_keys_file = 'a', recipients = ["+test.list+"] }")
			if len(got) != 1 || got[0].Key != "hub.recipients" || got[0].Line != 2 || !strings.Contains(got[0].Message, test.says) {
				t.Errorf("got %v\nwant %s", got, test.says)
			}
			if strings.Contains(strings.ToUpper(got.Error()), strings.Repeat("Q", 20)) {
				t.Errorf("the identity is repeated: %v", got)
			}
		})
	}
}

func swap(c byte) string {
	if c == 'q' {
		return "p"
	}
	return "q"
}

// A secret in the text is refused wherever somebody might put it, the message names
// the key for the file, and does not repeat the secret.
func TestSecretsAreRefused(t *testing.T) {
	const secret = "hunter2hunter2"
	tests := []struct{ name, text, says string }{
		{"password", "[broker]\npassword = '" + secret + "'", "broker.password: is not a key; did you mean password_file? No secret stands in this file"},
		{"passwd", "[broker]\npasswd = '" + secret + "'", "no secret stands in this file"},
		{"key", "[broker]\nkey = '" + secret + "'", "did you mean key_file? No secret"},
		{"private_key", "[broker]\nprivate_key = '" + secret + "'", "no secret stands in this file"},
		{"token", "[hub]\ntoken = '" + secret + "'", "no secret stands in this file"},
		{"list key", "[keys]\nlist = '" + secret + "'", "did you mean list_file?"},
		{"at the top", "password = '" + secret + "'", "no secret stands in this file"},
		{"in the URL", "[broker]\nurl = 'tls://me:" + secret + "@hub:8883'", "no user name or password stands in the URL"},
		{"in a broken URL", "[broker]\nurl = 'tls://me:" + secret + "@hub:x'", "must be scheme, host and port"},
		{"PEM in place of a file", "[broker]\nkey_file = '''-----BEGIN PRIVATE KEY-----\n" + secret + "'''", "this is the secret itself"},
		{"PEM in one line", "[broker]\nkey_file = '-----BEGIN PRIVATE KEY-----" + secret + "'", "this is the secret itself"},
		{"JWK in place of a file", "[keys]\ncounter_file = ' {\"d\":\"" + secret + "\"}'", "this is the secret itself"},
		{"identity in place of a file", "[keys]\nlist_file = 'AGE-SECRET-KEY-1" + secret + "'", "this is the secret itself"},
		{"wrong kind", "[broker]\npassword_file = ['" + secret + "']", "write a text in quotes, not a list"},
		{"broken text", "[broker]\npassword = " + secret + "\n", "not TOML"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := faults(t, test.text).Error()
			if !strings.Contains(got, test.says) {
				t.Errorf("got\n%s\nwant %s", got, test.says)
			}
			if strings.Contains(got, secret) {
				t.Errorf("the secret is repeated:\n%s", got)
			}
		})
	}
}

// What is no TOML is said with line and column, and does not hide the rest.
func TestNotTOML(t *testing.T) {
	tests := []struct {
		name, text string
		lines      []int
		says       string // of the first
	}{
		{"no quotes", "[log]\nlevel = info\nformat = 'x'", []int{2, 3}, "not TOML at column 12: "},
		{"quotation mark forgotten", "[log]\nlevel = \"info\nformat = 'x'", []int{2, 3}, "not TOML at column"},
		{"bracket forgotten", "[log\nlevel = 'info'\n[screen]\nlanguage = 'x'", []int{1, 4}, "not TOML at column 5: "},
		{"equals sign forgotten", "[log]\nlevel 'info'\nformat = 'x'", []int{2, 3}, "not TOML at column 7: "},
		{"list without commas", "[hub]\nrecipients = [\n'a'\n'b',\n]\n[log]\nlevel = 'x'", []int{4, 7}, "not TOML at column 1: "},
		{"list without an end", "[hub]\nrecipients = ['a',\n[log]\nlevel = 'x'", []int{3, 4}, "not TOML at column"},
		{"text without an end", "[log]\nlevel = '''info", []int{2}, "not TOML at column"},
		{"the last character", "[log]\nlevel =", []int{2}, "not TOML at column"},
		{"something else altogether", "<?xml version='1.0'?>\n<a/>", []int{1}, "not TOML at column 1: "},
		{"zeros", "\x00\x00\x00", []int{1}, "not TOML at column 1: "},
		{"not UTF-8", "[log]\nlevel = '\xff'", []int{2}, "not TOML at column 10: "},
		{"leading zero", "[broker]\nwindow = 012", []int{2}, "not TOML at column"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := faults(t, test.text)
			var lines []int
			for _, f := range got {
				lines = append(lines, f.Line)
			}
			if len(lines) != len(test.lines) {
				t.Fatalf("got lines %d, want %d:\n%v", lines, test.lines, got)
			}
			for i := range lines {
				if lines[i] != test.lines[i] {
					t.Fatalf("got lines %d, want %d:\n%v", lines, test.lines, got)
				}
			}
			if !strings.HasPrefix(got[0].Message, test.says) || got[0].Key != "" {
				t.Errorf("got %v", got[0])
			}
		})
	}
}

func TestFaultText(t *testing.T) {
	all := config.Faults{
		{File: "a.toml", Line: 3, Key: "counter.id", Message: "is missing"},
		{File: "a.toml", Line: 9, Message: "not TOML"},
	}
	if got, want := all.Error(), "a.toml:3: counter.id: is missing\na.toml:9: not TOML"; got != want {
		t.Errorf("got %q", got)
	}
}
