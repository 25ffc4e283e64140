package config_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"lintas/agent/config"
)

// As shipped, the file lacks what only the operator knows, and nothing else.
func TestShippedFileLacksOnlyTheRequiredKeys(t *testing.T) {
	_, err := config.Parse("lintas.toml", []byte(config.Default()), nil)
	faults, ok := err.(config.Faults)
	if !ok {
		t.Fatalf("got %v", err)
	}
	table := map[string]string{"counter.id": "[counter]", "hub.recipients": "[hub]", "hub.ack_keys_file": "[hub]"}
	lines := strings.Split(config.Default(), "\n")
	for _, f := range faults {
		header, required := table[f.Key]
		if !required || !strings.HasPrefix(f.Message, "is missing; ") {
			t.Errorf("unexpected: %v", f)
		} else if lines[f.Line-1] != header {
			t.Errorf("%v: line %d is %q, not %s", f, f.Line, lines[f.Line-1], header)
		}
		delete(table, f.Key)
	}
	if len(table) > 0 {
		t.Errorf("not asked for: %v", table)
	}
}

var (
	tableLine = regexp.MustCompile(`^(?:# )?\[+([a-z]+)\]+$`)
	keyLine   = regexp.MustCompile(`^(# )?([a-z_]+) = (.+)$`)
)

// Every key stands in the file, once, below its table, with words above it.
func TestShippedFileDocumentsEveryKey(t *testing.T) {
	var found []string
	table, above := "", ""
	for line := range strings.Lines(config.Default()) {
		line = strings.TrimSpace(line)
		if m := tableLine.FindStringSubmatch(line); m != nil {
			table = m[1]
		} else if m := keyLine.FindStringSubmatch(line); m != nil {
			found = append(found, table+"."+m[2])
			if !strings.HasPrefix(above, "# ") {
				t.Errorf("%s.%s has no words above it", table, m[2])
			}
		}
		if len(line) > 100 {
			t.Errorf("too long for a terminal: %s", line)
		}
		above = line
	}
	if want := config.Names(); !slices.Equal(found, want) {
		t.Errorf("the file has  %q\nthe table has %q", found, want)
	}
}

// What stands behind a # is right as well: with every # taken away, the file loads.
func TestShippedExamples(t *testing.T) {
	var text strings.Builder
	for line := range strings.Lines(config.Default()) {
		if m := keyLine.FindStringSubmatch(strings.TrimSpace(line)); m != nil || strings.HasPrefix(line, "# [[") {
			line = strings.TrimPrefix(line, "# ")
		}
		// No real recipient is shown: records for it could be read by nobody.
		text.WriteString(strings.Replace(line, `"age1..."`, `"`+classic(t)+`"`, 1))
	}
	c := parse(t, text.String())
	if len(c.Scanners) != 1 || c.Counter.Site == "" || c.Broker.KeyFile == "" {
		t.Fatalf("not every example was read: %+v", c)
	}
	want := config.NewScanner()
	if s := c.Scanners[0]; s.Line != want.Line || s.Gap != want.Gap {
		t.Errorf("the example's scanner has %q and %v, the default is %q and %v", s.Line, s.Gap, want.Line, want.Gap)
	}
	if strings.Contains(config.Default(), "age1q") {
		t.Error("the shipped file shows a recipient that somebody might use")
	}
}
