package e2e_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"lintas/agent/crossing"
)

// A counter that holds nothing but its own key and the trusted root fetches its
// list from the broker, with the key that opens it and those that the hub
// confirms with, and records that. What it
// refuses it records too, and goes on with the list it has.
func TestListFromBroker(t *testing.T) {
	t.Parallel()
	s := newSite(t, `direction = "departure"`)
	b, err := os.ReadFile(s.config())
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(b), "sources = []", `sources = ["mqtt:"]`, 1)
	text = strings.Replace(text, `list_file = "keys/list.jwk"`, "", 1)
	text = strings.Replace(text, `"keys/ack.jwks"`, `"keys/none.jwks"`, 1) // they come with the list too
	if err := os.WriteFile(s.config(), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.broker()
	first := s.agent() // it makes its key
	until(t, "the agent asks for the root", func() bool {
		st, err := s.status()
		return err == nil && has(st, "list-root-missing")
	})
	first.stop()
	s.trust()
	s.build(traveller(1))
	s.tool("lintas-hub", "list", "publish", "--keys", s.path("keys"), "--broker", fmt.Sprintf("tcp://127.0.0.1:%d", s.port), "--to", "mqtt", s.path("list"))
	agent := s.agent()
	until(t, "the list is there", func() bool {
		st, err := s.status()
		return err == nil && st.List.Present && !has(st, "list-unreadable")
	})
	s.hub()
	installed := s.next(0, crossing.ListInstalled)
	s.ready()
	s.send(strings.Join(zone(t, traveller(1)), "\r") + "\r")
	if e := s.next(installed.Sequence, crossing.InspectionOpened); e.note.Verdict != "clear" {
		t.Errorf("verdict %s", e.note.Verdict)
	}

	// A stick on which somebody has changed a byte.
	if err := os.CopyFS(s.path("stick"), os.DirFS(s.path("list"))); err != nil {
		t.Fatal(err)
	}
	s.build(traveller(1), traveller(2))
	if err := os.CopyFS(s.path("stick2"), os.DirFS(s.path("list"))); err != nil {
		t.Fatal(err)
	}
	agencies, err := filepath.Glob(s.path("stick2/targets/*.agencies"))
	if err != nil || len(agencies) != 1 {
		t.Fatal(agencies, err)
	}
	if err := os.WriteFile(agencies[0], []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := s.try("lintas", "list", "import", "-c", s.config(), s.path("stick2")); err == nil {
		t.Errorf("it was imported: %s", out)
	}
	s.next(installed.Sequence, crossing.ListRefused)
	s.confirmed()
	_, rec := s.recordOf(s.next(installed.Sequence, crossing.ListRefused))
	if rec["reason"] != "altered" || !strings.HasSuffix(fmt.Sprint(rec["source"]), "stick2") {
		t.Errorf("recorded: %v", rec)
	}
	if _, rec := s.recordOf(installed); rec["source"] != "mqtt:" {
		t.Errorf("recorded: %v", rec)
	}
	// The whole one.
	s.tool("lintas", "list", "import", "-c", s.config(), s.path("list"))
	s.next(installed.Sequence, crossing.ListInstalled)
	if out, err := s.try("lintas", "list", "import", "-c", s.config(), s.path("stick")); err == nil {
		t.Errorf("an older list was imported: %s", out)
	}

	var info struct {
		Present, Opens bool
		Version, Base  int64
	}
	for _, command := range []string{"status", "verify"} {
		if err := json.Unmarshal([]byte(s.tool("lintas", "list", command, "-c", s.config(), "--json")), &info); err != nil || !info.Present || !info.Opens || info.Base == info.Version {
			t.Errorf("list %s: %+v, %v", command, info, err)
		}
	}
	// The counter's next key opens what was sealed to the one before.
	s.tool("lintas", "key", "rotate", "-c", s.config())
	agent.stop()
	s.agent()
	s.ready()
	until(t, "the list opens with the next key", func() bool {
		st, err := s.status()
		return err == nil && st.List.Present && !has(st, "list-unreadable")
	})
	s.noCanary()
}

func (s *site) recordOf(e event) (typ string, rec map[string]any) {
	s.t.Helper()
	return s.record(uuid.UUID(e.ID).String())
}
