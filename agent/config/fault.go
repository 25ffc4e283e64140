package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Fault is one thing that is wrong in a configuration.
type Fault struct {
	File    string `json:"file"`
	Line    int    `json:"line"`    // 1-based
	Key     string `json:"key"`     // "counter.id"; "" if the text is not TOML
	Message string `json:"message"` // what is wrong and what to do
}

// newFault makes sure that a key somebody invented does not spoil the listing.
func newFault(line int, key, format string, a ...any) Fault {
	if strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) || len(key) > 64 {
		key = quote(key)
	}
	return Fault{Line: line, Key: key, Message: fmt.Sprintf(format, a...)}
}

func (f Fault) String() string {
	var b strings.Builder
	b.WriteString(f.File)
	b.WriteByte(':')
	b.WriteString(strconv.Itoa(f.Line))
	b.WriteString(": ")
	if f.Key != "" {
		b.WriteString(f.Key)
		b.WriteString(": ")
	}
	b.WriteString(f.Message)
	return b.String()
}

// Faults are all that is wrong in one file, by line. As an error they are one
// line of text each.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

// in names the file and sorts by line.
func (f Faults) in(name string) Faults {
	if name == "" {
		name = "lintas.toml"
	}
	for i := range f {
		f[i].File = name
	}
	slices.SortStableFunc(f, func(a, b Fault) int { return a.Line - b.Line })
	return f
}
