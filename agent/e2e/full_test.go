package e2e_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lintas/agent/crossing"
)

// inMemory mounts a small file system, which is in memory, as the counter's
// state folder.
func (s *site) inMemory(size string) {
	s.t.Helper()
	if os.Geteuid() != 0 {
		s.t.Skip("only root can mount a small file system")
	}
	if err := os.MkdirAll(s.path("state"), 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := unix.Mount("none", s.path("state"), "tmpfs", 0, "size="+size); err != nil {
		s.t.Skip("cannot mount a tmpfs:", err)
	}
	s.t.Cleanup(func() {
		if err := unix.Unmount(s.path("state"), unix.MNT_DETACH); err != nil {
			s.t.Error(err)
		}
	})
}

func (s *site) says(code string) bool {
	st, err := s.status()
	if err != nil {
		return false
	}
	for _, c := range st.Conditions {
		if c.Code == code {
			return true
		}
	}
	return false
}

// TestFullDiskMakesRoom fills a counter's disk to the last byte. It starts all
// the same and says so; what the hub has confirmed makes room, and it records
// again without anybody's help.
func TestFullDiskMakesRoom(t *testing.T) {
	t.Parallel()
	s := newSite(t, `direction = "departure"`+"\nconfirm = \"auto\"")
	s.inMemory("40m")
	s.manned()
	s.recordMany(1600)
	f, err := os.Create(s.path("state/filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
	}
	agent := s.agent()
	s.ready()
	if !s.says("state-volatile") {
		t.Error("nothing says that the state folder is in memory")
	}
	recorded := func() int { return len(s.queued()) }
	before := recorded()
	swipe := func(n int) { s.send(strings.Join(zone(t, person(n)), "\r") + "\r") }
	for n := 0; !s.says("disk-full"); n++ { // there may have been room for some
		swipe(n)
		time.Sleep(20 * time.Millisecond)
		if n > 3000 {
			t.Fatalf("the disk is full and nothing says so; %d recorded, before %d", recorded(), before)
		}
	}
	s.broker()
	s.hub()
	s.confirmed()
	full := s.last()
	until(t, "the counter records again", func() bool {
		swipe(int(time.Now().UnixMilli() % 1e6))
		time.Sleep(100 * time.Millisecond)
		for _, e := range s.queued() {
			if e.Sequence > full && e.note.Type == crossing.InspectionOpened {
				return true
			}
		}
		return false
	})
	until(t, "and says so", func() bool { return !s.says("disk-full") })
	s.confirmed()
	if err := agent.stop(); err != nil {
		t.Fatal(err)
	}
	s.tool("lintas", "queue", "verify", "-c", s.config())
	s.tool("lintas-hub", "ledger", "verify", "--db", s.path("ledger.db"), "--keys", s.path("keys"))
}
