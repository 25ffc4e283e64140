package config

import (
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"

	"lintas/configs"
)

// decoder fills a configuration from a document and collects what is wrong.
type decoder struct {
	place
	faults Faults
	lines  map[string]int  // where each key and table stands, the first one
	given  map[string]bool // keys that are not just empty: whether they are right
}

func newDecoder(c *Config, folder string, env func(string) string) *decoder {
	if env == nil {
		env = func(string) string { return "" }
	}
	return &decoder{place: place{Config: c, folder: folder, env: env}, lines: map[string]int{}, given: map[string]bool{}}
}

func (d *decoder) fault(line int, key, format string, a ...any) {
	d.faults = append(d.faults, newFault(line, key, format, a...))
}

func (d *decoder) decode(doc document) {
	d.settings(doc)
	if !doc.broken {
		d.missing(doc)
	}
	d.together()
}

// settings puts every value in its field.
func (d *decoder) settings(doc document) {
	d.faults = append(d.faults, doc.faults...)
	for _, s := range doc.sections {
		switch {
		case s.name == "":
			for _, set := range s.settings {
				d.topLevel(set)
			}
		case !isTable(s.name):
			d.fault(s.line, s.name, "is not a table; %s", meantTable(s.name))
		case s.array && !arrays[s.name]:
			d.fault(s.line, s.name, "there is only one: write [%s], not [[%[1]s]]", s.name)
		case !s.array && arrays[s.name]:
			d.fault(s.line, s.name, "there may be several: write [[%s]], not [%[1]s]", s.name)
		default:
			d.section(s)
		}
	}
}

func (d *decoder) topLevel(set setting) {
	if arrays[set.name] && set.value.kind == unstable.Array && len(set.value.items) == 0 {
		return // scanner = []
	}
	if isTable(set.name) {
		d.fault(set.line, set.name, "is a table; write [%s] on a line of its own and its keys below", set.name)
		return
	}
	d.fault(set.line, set.name, "is not a key; %s", meantKey("", set.name))
}

func (d *decoder) section(s *section) {
	d.note(s.name, s.line)
	if arrays[s.name] {
		scanner := newScanner()
		d.place.scanner = &scanner
	}
	first := map[string]int{}
	for _, set := range s.settings {
		name := s.name + "." + set.name
		i := slices.IndexFunc(keys, func(k key) bool { return k.String() == name })
		switch {
		case i < 0:
			d.fault(set.line, name, "is not a key; %s", meantKey(s.name, set.name))
			continue
		case first[set.name] > 0:
			d.fault(set.line, name, "stands in line %d already; keep one of the two", first[set.name])
			continue
		}
		first[set.name] = set.line
		d.note(name, set.line)
		wrong := keys[i].set(d.place, set.value)
		for _, c := range wrong {
			d.fault(c.line, name, "%s", c.message)
		}
		if set.value.kind != unstable.String || set.value.text != "" {
			d.given[name] = wrong == nil
		}
	}
	if arrays[s.name] {
		d.addScanner(*d.place.scanner, s, first)
	}
}

func (d *decoder) note(name string, line int) {
	if d.lines[name] == 0 {
		d.lines[name] = line
	}
}

// addScanner tells scanners apart: two with one name could not be told apart in
// records, two on one port would take each other's characters.
func (d *decoder) addScanner(s Scanner, at *section, lines map[string]int) {
	for _, other := range d.Scanners {
		if s.Name != "" && other.Name == s.Name {
			d.fault(lines["name"], "scanner.name", "%s is the name of another scanner already; give each its own", quote(s.Name))
		}
		if s.Port != "" && other.Port == s.Port {
			d.fault(lines["port"], "scanner.port", "scanner %s has this port already; name the other device", quote(other.Name))
		}
	}
	d.Scanners = append(d.Scanners, s)
	for _, k := range keys {
		if k.table == at.name && k.required && lines[k.name] == 0 {
			d.fault(at.line, k.String(), "is missing; add it, like %s", example(k))
		}
	}
}

// missing asks for the required keys. It is not asked where parts of the text
// could not be read: the key may stand there.
func (d *decoder) missing(doc document) {
	for _, k := range keys {
		if !k.required || arrays[k.table] || d.lines[k.String()] > 0 {
			continue
		}
		line := max(d.lines[k.table], 1)
		d.fault(line, k.String(), "is missing; write it below [%s], like %s", k.table, example(k))
	}
}

// together checks what keys mean for each other.
func (d *decoder) together() {
	if _, given := d.given["counter.direction"]; d.Counter.Confirm == "auto" && !given {
		d.fault(d.lines["counter.confirm"], "counter.confirm", `"auto" needs counter.direction: nobody is there to choose it; write "departure" or "return"`)
	}
	both := func(one, other string) {
		if _, given := d.given[other]; d.given[one] && !given {
			_, name, _ := strings.Cut(other, ".")
			d.fault(d.lines[one], one, "is of no use without %s; write both or none", name)
		}
	}
	both("broker.certificate_file", "broker.key_file")
	both("broker.key_file", "broker.certificate_file")
	both("broker.password_file", "broker.username")
}

// example is the line of the shipped file that shows how a key is written.
func example(k key) string {
	inside := false
	for line := range strings.Lines(configs.Default) {
		line = strings.TrimSpace(strings.TrimPrefix(line, "#"))
		if strings.HasPrefix(line, "[") {
			inside = strings.Trim(line, "[]") == k.table
		}
		if inside && strings.HasPrefix(line, k.name+" = ") {
			return line
		}
	}
	return k.name + " = …"
}
