package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lintas/agent/crossing"
)

// A reader with every kind of trouble in front of the running agent: each document
// becomes one inspection, in order, and nothing of any is in a log.
func TestAdverseScanner(t *testing.T) {
	for _, c := range []struct{ profile, fault string }{
		{"rte", "merged"}, {"cr100", "garbage"}, {"elyctis", "split"}, {"honeywell", "half"}, {"auto", "flood"}, {"access-is", "pass"}, {"cute", "card"},
	} {
		t.Run(c.profile+" "+c.fault, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "[log]\nlevel = \"debug\"\n")
			text, err := os.ReadFile(s.config())
			if err != nil {
				t.Fatal(err)
			}
			text = bytes.Replace(text, []byte("name = \"passport\"\n"), []byte("name = \"passport\"\nprofile = \""+c.profile+"\"\n"), 1)
			if err := os.WriteFile(s.config(), text, 0o600); err != nil {
				t.Fatal(err)
			}
			sim := exec.Command(filepath.Join(programs, "lintas"), "scanner", "simulate", "--json", "--profile", c.profile, "--fault", c.fault,
				"--count", "6", "--every", "600ms", "--link", s.path("scanner"))
			sim.Stderr = s.logs
			out, err := sim.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := sim.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { sim.Process.Kill() })
			lines := bufio.NewScanner(out)
			if !lines.Scan() { // the port is there
				t.Fatal("the simulation does not begin")
			}
			agent := s.agent()
			var swiped [][]string
			for lines.Scan() {
				var l struct{ Lines []string }
				if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
					t.Fatal(err)
				}
				swiped = append(swiped, l.Lines)
			}
			if err := sim.Wait(); err != nil || len(swiped) < 6 {
				t.Fatalf("%d documents, %v", len(swiped), err)
			}
			var opened []string
			until(t, "each document is an inspection", func() bool {
				opened = nil
				for _, e := range s.queued() {
					if e.note.Type == crossing.InspectionOpened {
						opened = append(opened, e.note.Document)
					}
				}
				return len(opened) >= len(swiped)
			})
			if err := agent.stop(); err != nil {
				t.Errorf("the agent: %v", err)
			}
			if len(opened) != len(swiped) {
				t.Fatalf("%d inspections of %d documents", len(opened), len(swiped))
			}
			for i, d := range swiped {
				number := d[1][:9]
				if len(d) == 3 {
					number = d[0][5:14]
				}
				if want := number[:1] + "•••" + number[6:]; opened[i] != want {
					t.Errorf("inspection %d is of %s, not of %s", i+1, opened[i], want)
				}
				for _, l := range d {
					if strings.Contains(s.logs.String(), l) || strings.Contains(s.logs.String(), number) {
						t.Error("a log shows a document")
					}
				}
			}
		})
	}
}
