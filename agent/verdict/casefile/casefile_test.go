package casefile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lintas/agent/verdict"
	"lintas/agent/verdict/casefile"
)

func TestUsual(t *testing.T) {
	c, err := casefile.Parse([]byte("[expect]\nverdict = \"none\"\nreasons = [\"N01\"]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if v, err := c.Judge(); err != nil || v.ListVersion != 7 || !c.Document.Valid || c.Document.DocumentNumber != "X1234567" {
		t.Errorf("%v, %+v", err, v)
	}
	c.Expect.Verdict = "clear"
	c.Expect.Reasons = []string{"P01"}
	c.Expect.Shadow = []string{"R01"}
	c.Expect.Checklist = "placement"
	if _, err := c.Judge(); err == nil || strings.Count(err.Error(), "expected") != 4 {
		t.Errorf("what differs is not said: %v", err)
	}
}

func TestFaults(t *testing.T) {
	for text, want := range map[string]string{
		"titel = \"x\"":                                  "titel",
		"direction = \"sideways\"":                       "sideways",
		"[traveller]\npurpose = \"fun\"":                 "purpose",
		"[traveller]\nborn = \"yesterday\"":              "date",
		"[traveller]\nissuer = \"INDONESIA\"":            "traveller",
		"[journey]\ntext = \"somewhere\"":                "journey",
		"[list]\nage = \"old\"":                          "age",
		"[[record]]\nstatus = 1":                         "record 1",
		"[[record]]\ncolour = \"red\"":                   "colour",
		"[[negative]]\nuntil = \"never\"":                "negative 1",
		"[[agency]]\nlicense = \"active\"":               "agency 1",
		"[rules]\nformat = \"lintas-rules/1\"":           "version",
		"[traveller\n":                                   "line 1",
		"[counts]\nsame_flight_unlisted_20min = \"six\"": "line 2",
	} {
		if _, err := casefile.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	paths, err := filepath.Glob("../testdata/cases/*.toml")
	if err != nil {
		f.Fatal(err)
	}
	for _, p := range paths[:min(20, len(paths))] {
		b, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := casefile.Parse(b)
		if err != nil {
			return
		}
		v := verdict.Judge(c.Case)
		if len(v.Reasons) == 0 {
			t.Fatal("a verdict without a reason")
		}
		if c.Direction == verdict.Return && v.Code == verdict.Stop && v.Reasons[0].Code[0] != 'X' {
			t.Fatalf("stopped when coming home: %v", v.Codes())
		}
	})
}
