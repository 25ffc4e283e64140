package verdict_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lintas/agent/verdict"
	"lintas/agent/verdict/casefile"
)

// cases reads every case in testdata, by its file's name.
func cases(t testing.TB) map[string]casefile.Case {
	t.Helper()
	paths, err := filepath.Glob("testdata/cases/*.toml")
	if err != nil || len(paths) < 80 {
		t.Fatalf("%d cases, %v", len(paths), err)
	}
	all := map[string]casefile.Case{}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		c, err := casefile.Parse(b)
		if err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		all[strings.TrimSuffix(filepath.Base(p), ".toml")] = c
	}
	return all
}

func TestCases(t *testing.T) {
	for name, c := range cases(t) {
		t.Run(name, func(t *testing.T) {
			v, err := c.Judge()
			if err != nil {
				t.Errorf("%s: %v", c.Title, err)
			}
			checkWords(t, v)
		})
	}
}

// Every code has a case of its own, and every pair of verdicts one that shows
// which is stronger.
func TestCasesAreComplete(t *testing.T) {
	all := cases(t)
	for _, e := range verdict.Catalogue() {
		found, returning := false, false
		for name, c := range all {
			if !strings.HasPrefix(name, strings.ToLower(string(e.Code))) {
				continue
			}
			has := slices.Contains(c.Expect.Reasons, string(e.Code))
			found = found || has
			returning = returning || c.Direction == verdict.Return && !has
		}
		if !found {
			t.Errorf("%s has no case", e.Code)
		}
		// What is given to those who leave only has a case that shows it, unless
		// it is the mild one of a pair.
		if !slices.Contains(e.Directions, verdict.Return) && !returning && e.Code != verdict.P02 {
			t.Errorf("%s has no case of somebody coming home", e.Code)
		}
	}
	order := []verdict.Code{verdict.Stop, verdict.Unsure, verdict.Ask, verdict.Clear, verdict.None}
	for i, strong := range order {
		for _, weak := range order[i+1:] {
			name := "precedence-" + string(strong) + "-" + string(weak)
			c, ok := all[name]
			if !ok {
				t.Errorf("there is no case %s", name)
				continue
			}
			if v := verdict.Judge(c.Case); v.Code != strong {
				t.Errorf("%s: %s", name, v.Code)
			}
		}
	}
}
