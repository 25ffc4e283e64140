package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"lintas/queue/sqlite"
)

// TestKilled kills a real process while it writes, again and again, and finds
// everything that it said was durable.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "queue.db")
	if p := os.Getenv("LINTAS_TEST_WRITE"); p != "" {
		writeForEver(p)
	}
	told := uint64(0)
	for round := range 8 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		cmd.Env = append(os.Environ(), "LINTAS_TEST_WRITE="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		sc := bufio.NewScanner(out)
		for lines := 0; sc.Scan(); lines++ {
			n, err := strconv.ParseUint(sc.Text(), 10, 64)
			if err != nil {
				continue // the test runner's own words
			}
			told = max(told, n)
			if lines == 40+13*round {
				cmd.Process.Signal(syscall.SIGKILL)
			}
		}
		cmd.Wait()
		r, err := sqlite.OpenReader(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		events := all(t, r)
		checkChain(t, events)
		if got := uint64(len(events)); got < told {
			t.Fatalf("round %d: %d events are there, the process had said %d", round, got, told)
		}
		r.Close()
	}
	if told < 100 {
		t.Fatalf("only %d events were written", told)
	}
}

func writeForEver(path string) {
	q, err := sqlite.OpenQueue(context.Background(), path, sqlite.Options{Seal: seal, Reserve: -1})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				r, err := q.Put(context.Background(), message("m"), nil)
				if err != nil {
					os.Exit(1)
				}
				os.Stdout.WriteString(strconv.FormatUint(r.Sequence, 10) + "\n")
			}
		})
	}
	wg.Wait()
}
