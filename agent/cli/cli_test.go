package cli_test

import (
	"bufio"
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

const specimen = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10\n"

func TestMRZ(t *testing.T) {
	out, _, code := lintas(t, specimen, "mrz", "--json", "--today", "2026-11-23")
	if code != 0 {
		t.Errorf("exit %d", code)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	for k, want := range map[string]any{
		"id": "-", "format": "TD3", "valid": true, "document_code": "P", "issuing_state": "UTO", "primary": "ERIKSSON",
		"secondary": "ANNA MARIA", "name_truncated": false, "document_number": "L898902C3", "nationality": "UTO",
		"date_of_birth": "1974-08-12", "sex": "F", "date_of_expiry": "2012-04-15",
	} {
		if got[k] != want {
			t.Errorf("%s is %v, want %v", k, got[k], want)
		}
	}
	for _, k := range []string{"lines", "optional_data", "checks", "findings", "repairs"} {
		if _, ok := got[k].([]any); !ok {
			t.Errorf("%s is %v, want a list", k, got[k])
		}
	}
}

func TestMRZInputs(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("good.txt", "junk\n"+specimen+"junk\n")
	bad := write("bad.txt", strings.Replace(specimen, "L898902C3", "L898902C4", 1))
	none := write("none.txt", "nothing to see")
	page := write("page.pdf", "%PDF-1.7\n")
	for _, c := range []struct {
		name     string
		args     []string
		code     int
		out, err string
	}{
		{"valid", []string{"mrz", good}, 0, "ERIKSSON", ""},
		{"not valid", []string{"mrz", bad}, 1, "document_number refuted", ""},
		{"one of two", []string{"mrz", "--json", good, bad}, 1, `"valid":false`, ""},
		{"no zone", []string{"mrz", none}, 1, "", "no machine-readable zone"},
		{"no zone, json", []string{"mrz", "--json", none}, 1, `"format":"","valid":false,"findings":[{"code":"format_unknown"`, ""},
		{"a page", []string{"mrz", page}, 1, "", "scanned page"},
		{"no file", []string{"mrz", filepath.Join(dir, "absent")}, 1, "", "no such file"},
		{"bad date", []string{"mrz", "--today", "tomorrow", good}, 64, "", "not a date"},
		{"no such day", []string{"mrz", "--today", "2026-02-30", good}, 64, "", "not a date"},
		{"batch without json", []string{"mrz", "--batch"}, 64, "", "--batch needs --json"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, errs, code := lintas(t, "", c.args...)
			if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(errs, c.err) {
				t.Errorf("exit %d, out %q, err %q", code, out, errs)
			}
		})
	}
}

func TestMRZBatch(t *testing.T) {
	lines, err := json.Marshal(strings.Fields(specimen))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(specimen)
	if err != nil {
		t.Fatal(err)
	}
	in := strings.Join([]string{
		`{"id":7,"lines":` + string(lines) + `}`,
		`{"id":"a","text":` + string(text) + `}`,
		`{"id":{"x":1},"text":"nothing"}`,
		``,
		`{"id":null,"lines":[]}`,
	}, "\n")
	out, _, code := lintas(t, in, "mrz", "--json", "--batch")
	if code != 0 {
		t.Errorf("exit %d", code)
	}
	want := []string{`{"id":7,"format":"TD3","valid":true`, `{"id":"a","format":"TD3","valid":true`, `{"id":{"x":1},"format":"","valid":false`, `{"id":null,"format":"","valid":false`}
	sc := bufio.NewScanner(strings.NewReader(out))
	for i, w := range want {
		if !sc.Scan() || !strings.HasPrefix(sc.Text(), w) {
			t.Errorf("answer %d is %q, want %s…", i, sc.Text(), w)
		}
	}
	if sc.Scan() {
		t.Errorf("one answer too many: %s", sc.Text())
	}
	if _, errs, code := lintas(t, "{\n", "mrz", "--json", "--batch"); code != 1 || !strings.Contains(errs, "line 1") {
		t.Errorf("exit %d: %s", code, errs)
	}
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
