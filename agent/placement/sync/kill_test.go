package sync_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lintas/agent/placement"
	"lintas/agent/placement/repository"
	"lintas/agent/placement/sync"
)

const (
	killDirEnv = "LINTAS_KILL_SYNC_DIR"
	killURLEnv = "LINTAS_KILL_SYNC_URL"
)

// TestMain runs as the process that is killed, where it is told to.
func TestMain(m *testing.M) {
	if dir := os.Getenv(killDirEnv); dir != "" {
		syncForEver(dir, os.Getenv(killURLEnv))
	}
	os.Exit(m.Run())
}

func syncForEver(dir, url string) {
	c := &sync.Client{
		Path: filepath.Join(dir, "state/placements.db"), Dir: filepath.Join(dir, "state/list"), Root: repository.TrustedRoot(filepath.Join(dir, "keys")),
		Counter: counterID, Site: site, Log: slog.New(slog.DiscardHandler),
	}
	for {
		if r, err := c.Sync(context.Background(), url); err != nil {
			fmt.Fprintln(os.Stderr, err)
		} else if r.Installed {
			fmt.Println(r.Info.Version)
		}
	}
}

// A counter is killed at any moment of fetching and installing list after list.
// There is always one of them, whole, and never an older one than before.
func TestKilledWhileSyncing(t *testing.T) {
	cuts := 12
	if testing.Short() {
		cuts = 6
	}
	w := newWorld(t)
	list := func(rev int64) (all []placement.Entry) {
		for _, e := range workers(20) {
			e.Rev = rev
			all = append(all, e)
		}
		w.source.Rules = fmt.Appendf(nil, `{"version":%d}`, rev)
		return all
	}
	w.publish(list(1)...)
	w.mustSync()
	server := httptest.NewServer(http.FileServer(http.Dir(w.repo.Dir)))
	defer server.Close()
	last := int64(2)
	moved := 0
	whole := w.wholeSync(server.URL, list(2))
	newest := int64(2)
	for newest < int64(2+cuts) || moved < 2 {
		newest++
		rev := newest
		if rev > 300 {
			t.Fatal("the process is always killed too early")
		}
		w.publishAs(rev%4 == 0, list(rev)...)
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), killDirEnv+"="+w.dir, killURLEnv+"="+server.URL)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// There is nothing to wait for: the point is to hit any moment of the time
		// that it takes.
		time.Sleep(rand.N(whole))
		cmd.Process.Kill()
		cmd.Wait()
		l := w.open()
		got := l.Info().RulesVersion
		if got < last || got > rev {
			t.Fatalf("list %d is there, %d was before and %d is the newest", got, last, rev)
		}
		for i := range 20 {
			if f := w.find(l, worker(i)); len(f.Records) != 1 || f.Records[0].Rev != got {
				t.Fatalf("a mixture: list %d, and record %d is %+v", got, i, f.Records)
			}
		}
		if got > last {
			moved++
		} else {
			whole += whole / 8 // the machine may have become slower
		}
		last = got
	}
	t.Logf("%d cuts, %d new lists in between", newest-2, moved)
	if r := w.mustSync(); r.Info.RulesVersion != newest {
		t.Errorf("in the end: %+v", r.Info)
	}
	if stale, err := filepath.Glob(w.path("state/placements*")); err != nil || len(stale) > 4 { // base, overlay, lock, time
		t.Errorf("left behind: %v, %v", stale, err)
	}
}

// A counter that is killed while it fetches a list, again and again, fetches
// nothing of it twice: what has come is on the disk.
func TestKilledWhileFetching(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish(bulk(60)...)
	var sent, mayBe atomic.Int64
	hangs := make(chan struct{}, 1)
	files := http.FileServer(http.Dir(w.repo.Dir))
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/targets/") {
			rw = &hanging{rw, r.Context(), &sent, &mayBe, hangs}
		}
		files.ServeHTTP(rw, r)
	}))
	defer server.Close()
	kills := 0
	for done := false; !done; {
		mayBe.Add(40_000)
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), killDirEnv+"="+w.dir, killURLEnv+"="+server.URL)
		out, err := cmd.StdoutPipe()
		w.must(err)
		w.must(cmd.Start())
		installed := make(chan error, 1)
		go func() {
			_, err := out.Read(make([]byte, 1))
			installed <- err
		}()
		select {
		case err := <-installed:
			w.must(err)
			done = true
		case <-hangs:
			for w.fetched() < sent.Load() { // what is still in the socket
				time.Sleep(time.Millisecond)
			}
			kills++
		}
		cmd.Process.Kill()
		cmd.Wait()
	}
	if size := w.size(); kills < 4 || sent.Load() != size {
		t.Errorf("killed %d times, %d bytes sent of %d", kills, sent.Load(), size)
	}
	if f := w.find(w.open(), bulky(33)); len(f.Records) != 1 {
		t.Error("the list does not answer")
	}
}

// fetched is how much of a list is on the disk.
func (w *world) fetched() (sum int64) {
	entries, err := os.ReadDir(w.path("state/list/parts"))
	w.must(err)
	for _, e := range entries {
		if info, err := e.Info(); err == nil { // it may just have been renamed
			sum += info.Size()
		}
	}
	return sum
}

// hanging is an answer that does not go on once so many bytes have been sent.
type hanging struct {
	http.ResponseWriter
	ctx         context.Context
	sent, mayBe *atomic.Int64
	hangs       chan struct{}
}

func (h *hanging) Write(b []byte) (n int, err error) {
	if left := h.mayBe.Load() - h.sent.Load(); int64(len(b)) > left {
		n, _ = h.ResponseWriter.Write(b[:max(0, left)])
		h.sent.Add(int64(n))
		http.NewResponseController(h.ResponseWriter).Flush()
		h.hangs <- struct{}{}
		<-h.ctx.Done()
		return n, h.ctx.Err()
	}
	n, err = h.ResponseWriter.Write(b)
	h.sent.Add(int64(n))
	return n, err
}

// wholeSync is how long the process takes, now and here, to fetch a list.
func (w *world) wholeSync(url string, list []placement.Entry) time.Duration {
	w.t.Helper()
	w.publish(list...)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killDirEnv+"="+w.dir, killURLEnv+"="+url)
	out, err := cmd.StdoutPipe()
	w.must(err)
	begun := time.Now()
	w.must(cmd.Start())
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	if _, err := out.Read(make([]byte, 1)); err != nil {
		w.t.Fatal("the process fetches no list")
	}
	return time.Since(begun) * 2
}
