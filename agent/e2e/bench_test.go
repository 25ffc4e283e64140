package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"lintas/agent/control"
	"lintas/agent/counter"
	"lintas/agent/crossing"
	"lintas/queue"
	"lintas/queue/sqlite"
)

// idle is how long nothing happens.
const idle = 20 * time.Second

// waiting is how many events the hub has not confirmed yet.
const waiting = 100_000

// fillQueue puts events of the size of crossings into a queue. Nobody sends
// them, so nobody needs to be able to read them.
func fillQueue(b testing.TB, dir string, n int) {
	b.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		b.Fatal(err)
	}
	q, err := sqlite.OpenQueue(context.Background(), filepath.Join(dir, "queue.db"), sqlite.Options{
		Seal:   func(_ queue.Position, m queue.Message) ([]byte, error) { return m.Body, nil },
		Anchor: filepath.Join(dir, "queue.anchor"),
	})
	if err != nil {
		b.Fatal(err)
	}
	var filling sync.WaitGroup
	for range 64 {
		filling.Go(func() {
			for range n / 64 {
				m := queue.Message{ID: queue.ID(crossing.NewID()), Body: make([]byte, 2300)}
				if _, err := q.Put(context.Background(), m, counter.NoteOf(crossing.DeviceUp)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	filling.Wait()
	if err := q.Close(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkStart measures from exec to a page that answers, with weeks of events
// in the queue, and what the idle process takes: memory, and processor time
// while nothing happens. DESIGN.md wants 0.5 s, 30 MB and 0.1 %.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	run := func(args ...string) {
		b.Helper()
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
	}
	run(filepath.Join(programs, "lintas-hub"), "keys", "init", "--keys", "keys")
	recipients, err := os.ReadFile(filepath.Join(dir, "keys/recipients.txt"))
	if err != nil {
		b.Fatal(err)
	}
	text := fmt.Sprintf("[counter]\nid = \"CGK-T3-D07\"\n[state]\ndir = \"state\"\nrun = \"run\"\n[screen]\nlisten = \"127.0.0.1:0\"\n"+
		"[hub]\nrecipients = [%q]\nack_keys_file = \"keys/ack.jwks\"\n", strings.TrimSpace(string(recipients)))
	if err := os.WriteFile(filepath.Join(dir, "lintas.toml"), []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	fillQueue(b, filepath.Join(dir, "state"), waiting)
	var rss, cpu float64
	for b.Loop() {
		cmd := exec.Command(filepath.Join(programs, "lintas"), "run", "-c", "lintas.toml")
		cmd.Dir = dir
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		for {
			st, err := control.Ask(context.Background(), filepath.Join(dir, "run/lintas.sock"))
			if err == nil && st.Page != "" {
				if res, err := http.Get("http://" + st.Page + "/"); err == nil {
					res.Body.Close()
					break
				}
			}
			time.Sleep(time.Millisecond)
		}
		b.StopTimer()
		if rss == 0 { // once is enough
			before := settled(b, cmd.Process.Pid) // with it the check of the queue
			time.Sleep(idle)
			cpu = (processorTime(b, cmd.Process.Pid) - before) / idle.Seconds() * 100
			rss = residentMB(b, cmd.Process.Pid)
		}
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
		b.StartTimer()
	}
	b.ReportMetric(rss, "MB-RSS(want_30)")
	b.ReportMetric(cpu, "%CPU-idle(want_0.1)")
}

// settled waits until a process has little to do, and returns its processor
// time.
func settled(b *testing.B, pid int) float64 {
	b.Helper()
	for before := processorTime(b, pid); ; {
		time.Sleep(time.Second)
		now := processorTime(b, pid)
		if now-before < 0.01 {
			return now
		}
		before = now
	}
}

// processorTime is what all threads have used so far, in seconds.
func processorTime(b *testing.B, pid int) (seconds float64) {
	b.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(threads) == 0 {
		b.Fatal("cannot read the threads' times", err)
	}
	for _, path := range threads {
		var nanoseconds float64
		if text, err := os.ReadFile(path); err == nil { // a thread may have ended
			fmt.Sscan(string(text), &nanoseconds)
		}
		seconds += nanoseconds / 1e9
	}
	return seconds
}

func residentMB(b *testing.B, pid int) (mb float64) {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			fmt.Sscan(rest, &mb)
		}
	}
	return mb / 1024
}
