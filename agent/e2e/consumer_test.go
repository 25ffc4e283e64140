package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"lintas/agent/crossing"
	"lintas/queue/mqtt"
)

// consumer is the example in configs/example/consumer-node, running.
type consumer struct {
	cmd *exec.Cmd

	mu    sync.Mutex // guards lines
	lines []consumed
}

// consumed is a line that it printed.
type consumed struct {
	ID, Type, Counter, Place, Rejected string
	Record                             map[string]any
}

func (c *consumer) find(ok func(consumed) bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.lines {
		if ok(l) {
			return true
		}
	}
	return false
}

// installConsumer copies the example and installs the libraries of its lock
// file.
func (s *site) installConsumer() {
	s.t.Helper()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			s.t.Skipf("%s is not installed: make setup", program)
		}
	}
	if err := os.CopyFS(s.path("consumer"), os.DirFS(filepath.Join(root, "configs/example/consumer-node"))); err != nil {
		s.t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(s.t.Context(), 3*time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline")
	cmd.Dir = s.path("consumer")
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Skipf("the example's libraries cannot be had: %v\n%s", err, tail(string(out), 5))
	}
}

func (s *site) consume() *consumer {
	s.t.Helper()
	c := &consumer{cmd: exec.Command("node", s.path("consumer/consumer.mjs"), "--broker", fmt.Sprintf("mqtt://127.0.0.1:%d", s.port),
		"--keys", s.path("keys/counters"), "--identity", s.path("keys/age.txt"))}
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	said, err := c.cmd.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(c.kill)
	up := make(chan struct{})
	go func() {
		lines := bufio.NewScanner(said)
		for lines.Scan() {
			if lines.Text() == "receiving" {
				close(up)
			} else {
				fmt.Fprintln(s.logs, "consumer:", lines.Text())
			}
		}
	}()
	go func() {
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var l consumed
			if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
				l.Rejected = "not JSON"
			}
			c.mu.Lock()
			c.lines = append(c.lines, l)
			c.mu.Unlock()
		}
	}()
	select {
	case <-up:
	case <-time.After(patience):
		s.t.Fatal("the consumer does not subscribe")
	}
	return c
}

func (c *consumer) kill() {
	c.cmd.Process.Kill()
	c.cmd.Wait()
}

// The example in Node opens, with other people's libraries, what a counter
// sealed; it is killed, and gets what came meanwhile.
func TestConsumerInNode(t *testing.T) {
	t.Parallel()
	s := newSite(t, "confirm = \"auto\"\ndirection = \"departure\"")
	s.installConsumer()
	s.broker()
	s.installList(traveller(1), traveller(2))
	first := s.consume()
	s.agent()
	s.ready()
	// What comes before the key is trusted is not believed, and comes again
	// until the hub has it.
	until(t, "the counter is not trusted", func() bool {
		return first.find(func(c consumed) bool { return strings.Contains(c.Rejected, "no trusted key") })
	})
	s.trust()
	s.hub()
	departed := func(c *consumer, number string) func() bool {
		return func() bool {
			return c.find(func(l consumed) bool {
				return l.Type == crossing.Departure.Wire() && l.Counter == counterID && l.Record["document_number"] == number && l.Record["primary"] == canaryPrimary
			})
		}
	}
	s.send(strings.Join(zone(t, traveller(1)), "\r") + "\r")
	until(t, "the departure is opened", departed(first, traveller(1).DocumentNumber))
	first.kill()
	before := s.last()
	s.send(strings.Join(zone(t, traveller(2)), "\r") + "\r")
	s.next(before, crossing.Departure)
	s.confirmed()
	second := s.consume()
	until(t, "the departure that came meanwhile is opened", departed(second, traveller(2).DocumentNumber))

	// Somebody else's bytes are told apart.
	conn, err := mqtt.Dial(t.Context(), mqtt.Options{URL: fmt.Sprintf("tcp://127.0.0.1:%d", s.port), ClientID: "stranger"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	other := s.queued()[0].Sealed
	forged := append([]byte{}, other...)
	if at := len(forged) - 20; forged[at] == 'A' { // still base64url, whatever stood there
		forged[at] = 'B'
	} else {
		forged[at] = 'A'
	}
	for topic, payload := range map[string][]byte{crossing.EventTopic(counterID): forged, crossing.EventTopic("CGK-T3-D08"): other} {
		conn.Publish(topic, false, payload)
	}
	until(t, "both are rejected", func() bool {
		return second.find(func(l consumed) bool { return strings.Contains(l.Rejected, "signature verification failed") }) &&
			second.find(func(l consumed) bool { return strings.Contains(l.Rejected, "no trusted key") })
	})
}
