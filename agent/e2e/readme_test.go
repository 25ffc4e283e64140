package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReadme runs the README's commands as they stand, in an empty folder.
// Only the broker's port is another one.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, "")
	s.broker()
	script := "set -e\ntrap 'kill $agent $hub 2>/dev/null || true' EXIT\n"
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 4 {
		t.Fatalf("only %d blocks of commands were found", len(blocks))
	}
	for _, b := range blocks {
		script += b[1]
	}
	script = strings.ReplaceAll(script, "127.0.0.1:1883", fmt.Sprintf("127.0.0.1:%d", s.port))
	cmd := exec.Command("bash", "-c", script)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "PATH="+programs+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"built list version", "installed list version", "chain whole", "every chain whole", "there already", "fires in shadow"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("nothing said %q:\n%s", want, out)
		}
	}
}

// TestReadmeMakeTargets: what the README says about make is in the Makefile.
func TestReadmeMakeTargets(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?m)(?:`|^    )(?:sudo )?make ([a-z]+)").FindAllStringSubmatch(string(readme), -1) {
		if !regexp.MustCompile(`(?m)^` + m[1] + `:`).Match(makefile) {
			t.Errorf("the README speaks of make %s", m[1])
		}
	}
}
