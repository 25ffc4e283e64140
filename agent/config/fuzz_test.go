package config_test

import (
	"os"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/pelletier/go-toml/v2"

	"lintas/agent/config"
)

// Whatever the text is: no panic, and either a configuration that keeps its
// promises or faults that can be shown.
func FuzzParse(f *testing.F) {
	wrong, err := os.ReadFile("testdata/wrong.toml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(wrong))
	f.Add(config.Default())
	f.Add(strings.ReplaceAll(config.Default(), "# ", ""))
	f.Add(mustHave(f) + "[[scanner]]\nname='a'\nport='/dev/a'")
	f.Add("counter = { id = 'AB1', x.y = {}, z = [{}, 1] }\nscanner = [{}, 1, [{}]]\n[[scanner.a]]")
	f.Add("a.b.c = 1\n[a.b]\n\"\" = '''\n[\"\\u0000\"]\n[[]]\n[''")
	f.Add("x = " + strings.Repeat("[", 3000))
	f.Add("counter = " + strings.Repeat("{a=", 3000))
	f.Add("log = " + strings.Repeat("[{a=", 300) + "1" + strings.Repeat("}]", 300))
	f.Fuzz(func(t *testing.T, text string) {
		c, err := config.Parse("/etc/lintas.toml", []byte(text), nil)
		if err == nil {
			checkPromises(t, c, text)
			return
		}
		if c != nil {
			t.Error("a configuration came with its faults")
		}
		last, lines := 1, strings.Count(text, "\n")+1
		for _, fault := range err.(config.Faults) {
			if fault.Line < last || fault.Line > lines {
				t.Errorf("line %d of %d, after %d: %v", fault.Line, lines, last, fault)
			}
			if strings.ContainsFunc(fault.String(), unicode.IsControl) {
				t.Errorf("control characters: %q", fault)
			}
			last = fault.Line
		}
	})
}

func checkPromises(t *testing.T, c *config.Config, text string) {
	t.Helper()
	var all map[string]any
	if err := toml.Unmarshal([]byte(strings.TrimPrefix(text, "\ufeff")), &all); err != nil {
		t.Errorf("accepted what is not TOML: %v", err)
	}
	if c.Counter.ID == "" || len(c.Hub.Recipients) == 0 || c.Hub.AckKeysFile == "" {
		t.Errorf("a required key is missing: %+v", c)
	}
	for _, path := range []string{c.State.Dir, c.State.Run, c.Hub.AckKeysFile, c.Keys.CounterFile, c.Keys.ListFile} {
		if !strings.HasPrefix(path, "/") {
			t.Errorf("not absolute: %q", path)
		}
	}
	if c.Broker.Window < 1 || c.Broker.AckTimeout < time.Second || c.Queue.Retention < time.Hour || c.Counter.AbandonAfter <= 0 {
		t.Errorf("out of range: %+v", c)
	}
	for _, s := range c.Scanners {
		if s.Name == "" || s.Port == "" || s.Gap <= 0 {
			t.Errorf("not complete: %+v", s)
		}
	}
	c.Warnings()
}
