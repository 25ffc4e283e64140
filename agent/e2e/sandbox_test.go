package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/sys/unix"
)

// unitCalls are the system calls that the unit's SystemCallFilter= lines allow:
// the first line is a list of what is allowed, "~" takes away, others add.
func unitCalls(t *testing.T) []string {
	t.Helper()
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze, which knows the groups of calls, is not installed")
	}
	unit, err := os.ReadFile(filepath.Join(root, "configs/lintas.service"))
	if err != nil {
		t.Fatal(err)
	}
	var expand func(name string) []string
	expand = func(name string) (calls []string) {
		if !strings.HasPrefix(name, "@") {
			return []string{name}
		}
		out, err := exec.Command(analyze, "syscall-filter", name).Output()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for line := range strings.Lines(string(out)) {
			line = strings.TrimSpace(line)
			if line != "" && line != name && !strings.HasPrefix(line, "#") {
				calls = append(calls, expand(line)...)
			}
		}
		return calls
	}
	allowed := map[string]bool{}
	for line := range strings.Lines(string(unit)) {
		list, ok := strings.CutPrefix(strings.TrimSpace(line), "SystemCallFilter=")
		if !ok {
			continue
		}
		list, without := strings.CutPrefix(list, "~")
		for _, name := range strings.Fields(list) {
			for _, call := range expand(name) {
				allowed[call] = !without
			}
		}
	}
	var calls []string
	for call, yes := range allowed {
		if yes {
			calls = append(calls, call)
		}
	}
	slices.Sort(calls)
	return calls
}

// sandboxed runs a program under a filter of system calls, without memory that
// can be written and run, as the unit does. It does not return.
func sandboxed(calls string, command []string) {
	info, err := arch.GetInfo("")
	if err != nil {
		panic(err)
	}
	names := slices.DeleteFunc(strings.Split(calls, ","), func(name string) bool {
		_, exists := info.SyscallNames[name]
		return !exists
	})
	unix.Prctl(65 /* PR_SET_MDWE */, 1, 0, 0, 0)
	err = seccomp.LoadFilter(seccomp.Filter{NoNewPrivs: true, Flag: seccomp.FilterFlagTSync, Policy: seccomp.Policy{
		DefaultAction: seccomp.ActionErrno,
		Syscalls:      []seccomp.SyscallGroup{{Action: seccomp.ActionAllow, Names: names}},
	}})
	if err == nil {
		err = unix.Exec(command[0], command, []string{})
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(99)
}

// Within the unit's sandbox a page is read, and its child still gets all of its
// own walls.
func TestPageInTheUnitsSandbox(t *testing.T) {
	lines := zone(t, traveller(1))
	name := filepath.Join(t.TempDir(), "page.pdf")
	if err := os.WriteFile(name, pdf(t, plain(t, lines)), 0o600); err != nil {
		t.Fatal(err)
	}
	calls := strings.Join(unitCalls(t), ",")
	run := func(stdin string, command ...string) []byte {
		t.Helper()
		cmd := exec.Command("/proc/self/exe", append([]string{"sandboxed", calls}, command...)...)
		if stdin != "" {
			f, err := os.Open(stdin)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			cmd.Stdin = f
		}
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return out
	}
	program := filepath.Join(programs, "lintas")
	free := exec.Command(program, "read-page")
	free.Stdin, _ = os.Open(name)
	want, err := free.Output()
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := bytes.Cut(want, []byte("\n"))
	got, _, _ := bytes.Cut(run(name, program, "read-page"), []byte("\n"))
	if !bytes.Equal(got, first) || !bytes.Contains(got, []byte("seccomp")) {
		t.Errorf("the child begins with %s, outside the sandbox with %s", got, first)
	}
	if out := run("", program, "mrz", "--json", name); !bytes.Contains(out, []byte(`"valid":true`)) {
		t.Errorf("read %s", out)
	}
}
