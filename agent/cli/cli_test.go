package cli_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lintas/agent/cli"
	"lintas/agent/command"
)

// lintas runs a command line and returns what it printed and its exit code.
func lintas(t *testing.T, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	env := command.Env{Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &errs, Getenv: func(string) string { return "" }}
	code = command.Run(t.Context(), env, "lintas", "", cli.Commands(), args)
	return out.String(), errs.String(), code
}

func TestConfig(t *testing.T) {
	out, _, code := lintas(t, "", "config", "default")
	if code != 0 || !strings.Contains(out, "[counter]") {
		t.Errorf("exit %d", code)
	}
	path := filepath.Join(t.TempDir(), "lintas.toml")
	if err := os.WriteFile(path, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _, code = lintas(t, "", "config", "check", "--json", path)
	var got struct {
		Valid  bool
		Faults []struct {
			Line int
			Key  string
		}
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if code != 78 || got.Valid || len(got.Faults) != 3 { // what has no default: id, recipients, ack keys
		t.Errorf("exit %d, %+v", code, got)
	}
	if _, _, code := lintas(t, "", "config", "check", filepath.Join(t.TempDir(), "absent")); code != 78 {
		t.Errorf("a file that is not there: exit %d", code)
	}
}
