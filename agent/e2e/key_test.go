package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func (s *site) keyFile() string {
	s.t.Helper()
	files, err := filepath.Glob(s.path("state/counter*.jwk"))
	for _, f := range files {
		if !strings.HasSuffix(f, ".pub.jwk") {
			return f
		}
	}
	s.t.Fatal("the counter's key is not where it is looked for", err)
	return ""
}

// A technician rotates the key as often as he likes, also with the agent killed
// in the middle of it: the hub trusts each by the word of the one before.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	s := newSite(t, `direction = "departure"`+"\nconfirm = \"auto\"")
	s.broker()
	s.hub()
	agent := s.agent()
	first := s.ready().KeyID
	s.trust()
	s.swipe(1)
	seen := map[string]bool{first: true}
	for n := range 3 {
		id := strings.Fields(s.tool("lintas", "key", "rotate", "-c", s.config()))[5]
		if st := s.ready(); st.KeyID != id || seen[id] {
			t.Fatalf("rotated to %s, the agent signs with %s", id, st.KeyID)
		}
		seen[id] = true
		s.swipe(10 + n)
	}
	for n := range 6 { // killed somewhere between beginning and end
		go s.try("lintas", "key", "rotate", "-c", s.config())
		time.Sleep(time.Duration(5+4*n) * time.Millisecond)
		agent.cmd.Process.Signal(syscall.SIGKILL)
		<-agent.done
		agent = s.agent()
		s.ready()
		s.swipe(20 + n)
	}
	s.confirmed()
	if out := s.tool("lintas-hub", "ledger", "verify", "--json", "--db", s.path("ledger.db"), "--keys", s.path("keys")); !strings.Contains(out, `"aside":{}`) {
		t.Errorf("the ledger: %s", out)
	}
	s.tool("lintas", "queue", "verify", "-c", s.config())
}

// A key that is destroyed does not stop the counter, and nobody is fooled: what
// the provisional key signs is kept aside until headquarters accepts it.
func TestKeyThatIsLost(t *testing.T) {
	t.Parallel()
	s := newSite(t, `direction = "departure"`+"\nconfirm = \"auto\"")
	s.broker()
	s.hub()
	agent := s.agent()
	s.ready()
	s.trust()
	s.swipe(1)
	s.confirmed()
	if err := agent.stop(); err != nil {
		t.Fatal(err)
	}
	before := len(s.ledger())
	if err := os.WriteFile(s.keyFile(), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	agent = s.agent()
	st := s.ready()
	if !has(st, "key-provisional") {
		t.Errorf("the board says %+v", st.Conditions)
	}
	if out, err := s.try("lintas", "key", "rotate", "-c", s.config()); exitCode(err) != 1 {
		t.Errorf("a provisional key was rotated: %s", out)
	}
	s.swipe(2)
	until(t, "the hub has kept it aside", func() bool { return strings.Contains(s.logs.String(), "aside") })
	if n := len(s.ledger()); n != before {
		t.Errorf("%d events were taken in from a key that nobody trusts", n-before)
	}
	s.trust()
	s.confirmed()
	var rotated bool
	for _, e := range s.ledger() {
		rotated = rotated || strings.Contains(e.Type, "key.rotated")
	}
	if !rotated {
		t.Error("the ledger does not tell of the other key")
	}
	if err := agent.stop(); err != nil {
		t.Fatal(err)
	}
	s.tool("lintas", "queue", "verify", "-c", s.config())
}
