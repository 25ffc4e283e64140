package config

import (
	"regexp"
	"strings"
	"time"
)

// keys are all there are. A new key is one line here, one field of [Config] and
// one comment in the shipped file. Keys of [[scanner]] are set for each scanner.
var keys = []key{
	text("counter.id", required, func(p place) *string { return &p.Counter.ID }, form(counterID)),
	text("counter.site", optional, func(p place) *string { return &p.Counter.Site }, form(code)),
	text("counter.terminal", optional, func(p place) *string { return &p.Counter.Terminal }, form(code)),
	text("counter.lane", optional, func(p place) *string { return &p.Counter.Lane }, form(code)),
	text("counter.lane_kind", optional, func(p place) *string { return &p.Counter.LaneKind }, oneOf("normal", "fast", "crew", "autogate")),
	text("counter.direction", optional, func(p place) *string { return &p.Counter.Direction }, oneOf("departure", "return", "")),
	text("counter.confirm", optional, func(p place) *string { return &p.Counter.Confirm }, oneOf("officer", "auto")),
	duration("counter.abandon_after", func(p place) *time.Duration { return &p.Counter.AbandonAfter }, between(time.Second, day)),
	duration("counter.repeat_after", func(p place) *time.Duration { return &p.Counter.RepeatAfter }, between(0, day)),
	flag("counter.drill", func(p place) *bool { return &p.Counter.Drill }),

	path("state.dir", func(p place) *string { return &p.State.Dir }),
	path("state.run", func(p place) *string { return &p.State.Run }),

	text("scanner.name", required, func(p place) *string { return &p.scanner.Name }, form(scannerName)),
	text("scanner.port", required, func(p place) *string { return &p.scanner.Port }, devicePort),
	text("scanner.profile", optional, func(p place) *string { return &p.scanner.Profile }, oneOf(Profiles...)),
	text("scanner.line", optional, func(p place) *string { return &p.scanner.Line }, serialLine),
	text("scanner.arm", optional, func(p place) *string { return &p.scanner.Arm }, armBytes),
	duration("scanner.gap", func(p place) *time.Duration { return &p.scanner.Gap }, between(10*time.Millisecond, 10*time.Second)),
	text("scanner.tee", optional, func(p place) *string { return &p.scanner.Tee }, absoluteOrNone),
	text("scanner.layout", optional, func(p place) *string { return &p.scanner.Layout }, oneOf("auto", "us", "de", "fr", "id")),
	flag("scanner.grab", func(p place) *bool { return &p.scanner.Grab }),
	text("scanner.after", optional, func(p place) *string { return &p.scanner.After }, oneOf("keep", "remove")),

	text("screen.listen", optional, func(p place) *string { return &p.Screen.Listen }, loopback),
	text("screen.language", optional, func(p place) *string { return &p.Screen.Language }, oneOf("id", "en")),
	text("screen.theme", optional, func(p place) *string { return &p.Screen.Theme }, oneOf("dark", "light", "auto")),

	list("hub.recipients", required, func(p place) *[]string { return &p.Hub.Recipients }, recipients),
	file("hub.ack_keys_file", required, func(p place) *string { return &p.Hub.AckKeysFile }),

	file("keys.counter_file", optional, func(p place) *string { return &p.Keys.CounterFile }),
	file("keys.list_file", optional, func(p place) *string { return &p.Keys.ListFile }),

	list("list.sources", optional, func(p place) *[]string { return &p.List.Sources }, listSources),
	file("list.root_file", optional, func(p place) *string { return &p.List.RootFile }),
	duration("list.every", func(p place) *time.Duration { return &p.List.Every }, between(time.Minute, 7*day)),

	text("broker.url", optional, func(p place) *string { return &p.Broker.URL }, brokerURL),
	list("broker.fallback", optional, func(p place) *[]string { return &p.Broker.Fallback }, brokerURLs),
	file("broker.ca_file", optional, func(p place) *string { return &p.Broker.CAFile }),
	file("broker.certificate_file", optional, func(p place) *string { return &p.Broker.CertificateFile }),
	file("broker.key_file", optional, func(p place) *string { return &p.Broker.KeyFile }),
	text("broker.username", optional, func(p place) *string { return &p.Broker.Username }, atMost(256)),
	file("broker.password_file", optional, func(p place) *string { return &p.Broker.PasswordFile }),
	duration("broker.ack_timeout", func(p place) *time.Duration { return &p.Broker.AckTimeout }, between(time.Second, time.Hour)),
	duration("broker.keep_alive", func(p place) *time.Duration { return &p.Broker.KeepAlive }, between(time.Second, time.Hour), wholeSeconds),
	number("broker.window", func(p place) *int { return &p.Broker.Window }, between(1, 4096)),

	duration("queue.retention", func(p place) *time.Duration { return &p.Queue.Retention }, between(time.Hour, 3650*day)),
	number("queue.quota_mib", func(p place) *int { return &p.Queue.QuotaMiB }, between(16, 1<<20)),

	text("log.level", optional, func(p place) *string { return &p.Log.Level }, oneOf("debug", "info", "warn", "error")),
	text("log.format", optional, func(p place) *string { return &p.Log.Format }, oneOf("text", "json")),
}

// newScanner has the defaults of a [[scanner]] table. The shipped file shows the
// same in its example.
func newScanner() Scanner {
	return Scanner{Profile: "auto", Gap: 250 * time.Millisecond, Layout: "auto", After: "keep"}
}

// Profiles are the kinds of scanners: the readers of text on a serial line,
// keyboards, barcode readers of the HID point-of-sale class, folders of pages.
var Profiles = []string{"auto", "rte", "cute", "cr100", "elyctis", "honeywell", "access-is", "keyboard", "hid-pos", "folder"}

// arrays are the tables written [[so]], of which there may be many.
var arrays = map[string]bool{"scanner": true}

// The forms of names.
var (
	counterID   = shape{regexp.MustCompile(`^[A-Z0-9-]{3,32}$`), `3 to 32 of A-Z, 0-9 and "-"`}
	code        = shape{regexp.MustCompile(`^[A-Z0-9-]{0,16}$`), `at most 16 of A-Z, 0-9 and "-"`}
	scannerName = shape{regexp.MustCompile(`^[A-Za-z0-9-]{1,32}$`), `1 to 32 of A-Z, a-z, 0-9 and "-"`}
)

const (
	optional = false
	required = true

	day = 24 * time.Hour
)

// key is one line of the table.
type key struct {
	table, name string
	required    bool
	set         func(place, value) []complaint // puts the value in its field
}

func (k key) String() string { return k.table + "." + k.name }

// place is what a key is set in.
type place struct {
	*Config
	scanner *Scanner // for keys of [[scanner]]
	folder  string   // of the configuration file
	env     func(string) string
}

// complaint is a fault whose key is known from where it arose.
type complaint struct {
	line    int
	message string
}

// define makes a key out of its three parts: how its kind is read from the text,
// where it goes, and what is allowed.
func define[T any](name string, need bool, read func(place, value) (T, string), field func(place) *T, checks []func(T) string) key {
	table, name, _ := strings.Cut(name, ".")
	set := func(p place, v value) []complaint {
		got, wrong := read(p, v)
		for _, check := range checks {
			if wrong == "" {
				wrong = check(got)
			}
		}
		if wrong != "" {
			return []complaint{{v.line, wrong}}
		}
		*field(p) = got
		return nil
	}
	return key{table, name, need, set}
}
