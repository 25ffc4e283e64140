package sync_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	gosync "sync"
	"sync/atomic"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"lintas/agent/placement"
	"lintas/agent/placement/repository"
	"lintas/queue/mqtt"
	"lintas/queue/mqtt/broker"
)

// bulky is a worker whose record takes much room, so that files are large.
func bulky(n int) placement.Entry {
	e := worker(n)
	e.EmployerName = strings.Repeat(fmt.Sprintf("EMPLOYER %d ", n), 250)
	return e
}

func bulk(n int) (list []placement.Entry) {
	for i := range n {
		list = append(list, bulky(i))
	}
	return list
}

// size is that of all targets that a counter without a list fetches; what two of
// them have in common, such as having no rows, it needs once.
func (w *world) size() (sum int64) {
	l, err := w.repo.List()
	w.must(err)
	seen := map[string]bool{}
	for _, t := range l.Targets {
		if !seen[t.SHA256] {
			sum += t.Length
		}
		seen[t.SHA256] = true
	}
	return sum
}

// A web server whose link breaks again and again: the list arrives, and nothing
// of it twice.
func TestBrokenWebLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish(bulk(200)...)
	var sent atomic.Int64
	files := http.FileServer(http.Dir(w.repo.Dir))
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/targets/") {
			files.ServeHTTP(rw, r)
			return
		}
		files.ServeHTTP(&cut{ResponseWriter: rw, sent: &sent, left: 1_500 + sent.Load()%9_000}, r)
	}))
	defer server.Close()
	tries := 0
	for {
		tries++
		r, err := w.sync(server.URL)
		if err == nil {
			if !r.Installed {
				t.Error("nothing was installed")
			}
			break
		}
		if tries > 5000 {
			t.Fatal(err)
		}
	}
	if f := w.find(w.open(), bulky(77)); len(f.Records) != 1 {
		t.Error("the list does not answer")
	}
	if tries < 25 || sent.Load() > w.size()+w.size()/50 {
		t.Errorf("%d tries, %d bytes sent of %d", tries, sent.Load(), w.size())
	}
	t.Logf("%d tries, %d bytes sent of %d", tries, sent.Load(), w.size())
}

// cut is an answer that breaks off.
type cut struct {
	http.ResponseWriter
	sent *atomic.Int64
	left int64
}

func (c *cut) Write(b []byte) (int, error) {
	if int64(len(b)) > c.left {
		n, _ := c.ResponseWriter.Write(b[:c.left])
		c.sent.Add(int64(n))
		http.NewResponseController(c.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	n, err := c.ResponseWriter.Write(b)
	c.sent.Add(int64(n))
	c.left -= int64(n)
	return n, err
}

// A part on the disk that is wrong does not keep the list from coming.
func TestWrongPart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish(workers(20)...)
	server := httptest.NewServer(http.FileServer(http.Dir(w.repo.Dir)))
	defer server.Close()
	w.must(os.MkdirAll(w.path("state/list/parts"), 0o700))
	l, err := w.repo.List()
	w.must(err)
	for name, target := range l.Targets {
		wrong := strings.Repeat("x", int(target.Length)/2)
		if strings.HasSuffix(name, "agencies") {
			wrong = strings.Repeat("x", int(target.Length)) // as long as the whole
		}
		w.must(os.WriteFile(w.path("state/list/parts/"+target.SHA256+".part"), []byte(wrong), 0o600))
	}
	w.mustSync(server.URL)
	if f := w.find(w.open(), worker(7)); len(f.Records) != 1 {
		t.Error("the list does not answer")
	}
}

// A power cut can leave metadata half written. The counter goes on, and still
// refuses what is older than its list.
func TestDamagedMetadata(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish(workers(3)...)
	copyTree(t, w.path("list"), w.path("evil"))
	w.publish(workers(4)...)
	w.mustSync()
	paths, err := filepath.Glob(w.path("state/list/metadata/*.json"))
	w.must(err)
	if len(paths) != 4 {
		t.Fatalf("%d metadata files", len(paths))
	}
	for _, p := range paths {
		for _, size := range []int64{0, 17} {
			w.must(os.Truncate(p, size))
			if r := w.mustSync(); r.Info.Version == 0 {
				t.Errorf("%s cut to %d bytes: %+v", filepath.Base(p), size, r)
			}
		}
	}
	for _, p := range paths {
		w.must(os.Truncate(p, 0))
	}
	if _, err := w.sync(w.path("evil")); err == nil {
		t.Error("an older list was installed once the metadata was lost")
	}
	if f := w.find(w.open(), worker(3)); len(f.Records) != 1 {
		t.Error("the list does not answer")
	}
}

// postOffice is a broker that remembers what was subscribed to.
type postOffice struct {
	*broker.Broker
	hook *watcher
}

type watcher struct {
	mochi.HookBase
	mu      gosync.Mutex
	filters map[string]int // open subscriptions of each client
	most    int
	wild    []string
}

func (h *watcher) ID() string { return "watcher" }
func (h *watcher) Provides(b byte) bool {
	return b == mochi.OnSubscribed || b == mochi.OnUnsubscribed || b == mochi.OnDisconnect
}

func (h *watcher) OnSubscribed(c *mochi.Client, pk packets.Packet, _ []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.filters[c.ID] += len(pk.Filters)
	h.most = max(h.most, h.filters[c.ID])
	for _, f := range pk.Filters {
		if strings.ContainsAny(f.Filter, "#+") {
			h.wild = append(h.wild, f.Filter)
		}
	}
}

func (h *watcher) OnUnsubscribed(c *mochi.Client, pk packets.Packet) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.filters[c.ID] -= len(pk.Filters)
}

func (h *watcher) OnDisconnect(c *mochi.Client, _ error, _ bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.filters, c.ID)
}

func newPostOffice(t *testing.T) *postOffice {
	t.Helper()
	p := &postOffice{hook: &watcher{filters: map[string]int{}}}
	var err error
	if p.Broker, err = broker.Start("127.0.0.1:0", nil, p.hook); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func (w *world) post(address string) int {
	w.t.Helper()
	n, err := w.repo.Publish(w.t.Context(), repository.Broker{Options: mqtt.Options{URL: "tcp://" + address, ClientID: "hub-list"}, State: w.path("list.state/mqtt.json")})
	w.must(err)
	return n
}

func (w *world) listenAt(address string) {
	w.client.MQTT = func() (mqtt.Options, error) {
		return mqtt.Options{URL: "tcp://" + address, ClientID: counterID + "-list"}, nil
	}
}

func TestBroker(t *testing.T) {
	t.Parallel()
	office := newPostOffice(t)
	w := newWorld(t)
	w.listenAt(office.Address)
	w.publish(bulk(500)...)
	first := w.post(office.Address)
	if r := w.mustSync("mqtt:"); !r.Installed || r.Source != "mqtt:" {
		t.Errorf("%+v", r)
	}
	w.publish(bulk(501)...)
	if second := w.post(office.Address); second >= first/10 {
		t.Errorf("a delta took %d messages, the full list %d", second, first)
	}
	w.mustSync("mqtt:")
	if f := w.find(w.open(), bulky(500)); len(f.Records) != 1 {
		t.Error("the list does not answer")
	}
	office.hook.mu.Lock()
	defer office.hook.mu.Unlock()
	if len(office.hook.wild) > 0 || office.hook.most > 64 || office.hook.most < 1 {
		t.Errorf("wildcards %v, at most %d subscriptions at once", office.hook.wild, office.hook.most)
	}
}

// A broker that carries no full list brings deltas all the same, also when there
// is a newer full list.
func TestBrokerWithoutFullLists(t *testing.T) {
	t.Parallel()
	office := newPostOffice(t)
	w := newWorld(t)
	w.listenAt(office.Address)
	post := func() {
		t.Helper()
		_, err := w.repo.Publish(t.Context(), repository.Broker{Options: mqtt.Options{URL: "tcp://" + office.Address, ClientID: "hub-list"},
			State: w.path("list.state/mqtt.json"), MaxFull: 1})
		w.must(err)
	}
	w.publish(workers(5)...)
	post()
	if _, err := w.sync("mqtt:"); err == nil {
		t.Fatal("a full list came from nowhere")
	}
	first := w.mustSync("mqtt:", w.repo.Dir) // as by a stick
	w.publishFull(workers(6)...)
	w.publish(workers(7)...)
	post()
	if r := w.mustSync("mqtt:"); !r.Installed || r.Info.Base != first.Info.Base {
		t.Errorf("%+v", r)
	}
	if f := w.find(w.open(), worker(6)); len(f.Records) != 1 {
		t.Error("the list does not answer")
	}
}

// What is out of date stays for seven days and is then cleared.
func TestBrokerIsCleared(t *testing.T) {
	t.Parallel()
	office := newPostOffice(t)
	w := newWorld(t)
	w.publish(workers(20)...)
	w.post(office.Address)
	retained := func() int { return len(office.Topics.Messages("lintas/v1/list/#")) }
	full := retained()
	w.now = w.now.Add(time.Hour)
	w.publishFull(workers(21)...)
	w.post(office.Address)
	if n := retained(); n < 2*full-30 {
		t.Errorf("%d messages, %d of the list before: too few for both", n, full)
	}
	w.now = w.now.Add(6 * 24 * time.Hour)
	w.date()
	w.post(office.Address)
	if n := retained(); n < 2*full-30 {
		t.Errorf("after 6 days %d messages are left", n)
	}
	w.now = w.now.Add(30 * time.Hour)
	w.date()
	w.post(office.Address)
	if n := retained(); n > full+10 {
		t.Errorf("after 7 days %d messages are left of %d", n, full)
	}
	w.listenAt(office.Address)
	w.mustSync("mqtt:")
}

// A link to the broker that breaks again and again.
func TestBrokenBrokerLink(t *testing.T) {
	t.Parallel()
	office := newPostOffice(t)
	w := newWorld(t)
	w.publish(bulk(700)...)
	w.post(office.Address)
	link := newLink(t, office.Address)
	w.listenAt(link.address)
	tries := 0
	for {
		tries++
		link.allow(int64(130_000 + tries*500))
		if _, err := w.sync("mqtt:"); err == nil {
			break
		} else if tries > 300 {
			t.Fatal(err)
		}
	}
	if f := w.find(w.open(), bulky(77)); len(f.Records) != 1 {
		t.Error("the list does not answer")
	}
	// A part that was on the way is lost, and each connection costs the index
	// and the metadata; a file that was fetched is not fetched again.
	if tries < 10 || link.carried.Load() > 2*w.size()+int64(tries)*100_000 {
		t.Errorf("%d tries, %d bytes carried for %d", tries, link.carried.Load(), w.size())
	}
	t.Logf("%d tries, %d bytes carried for %d", tries, link.carried.Load(), w.size())
}

// link carries a number of bytes from a broker and then breaks.
type link struct {
	address string
	carried atomic.Int64
	left    atomic.Int64
}

func (l *link) allow(n int64) { l.left.Store(n) }

func newLink(t *testing.T, to string) *link {
	t.Helper()
	in, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &link{address: in.Addr().String()}
	var wg gosync.WaitGroup
	wg.Go(func() {
		for {
			a, err := in.Accept()
			if err != nil {
				return
			}
			b, err := net.Dial("tcp", to)
			if err != nil {
				a.Close()
				continue
			}
			wg.Go(func() { io.Copy(b, a); b.Close() })
			wg.Go(func() {
				defer a.Close()
				defer b.Close()
				buf := make([]byte, 4096)
				for {
					n, err := b.Read(buf)
					if err != nil || l.left.Add(-int64(n)) < 0 {
						return
					}
					l.carried.Add(int64(n))
					if _, err := a.Write(buf[:n]); err != nil {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() { in.Close(); wg.Wait() })
	return l
}

// The same on the broker that most run.
func TestMosquitto(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("mosquitto")
	if err != nil {
		if program = "/usr/sbin/mosquitto"; exec.Command(program, "-h").Run() == nil {
			t.Skip("mosquitto is not installed: make setup")
		}
	}
	if _, err := os.Stat(program); err != nil {
		t.Skip("mosquitto is not installed: make setup")
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	_, port, _ := net.SplitHostPort(address)
	conf := filepath.Join(t.TempDir(), "mosquitto.conf")
	if err := os.WriteFile(conf, []byte("listener "+port+" 127.0.0.1\nallow_anonymous true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-c", conf)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			break
		}
		if ctx.Err() != nil {
			t.Fatal("the broker does not come up")
		}
		time.Sleep(20 * time.Millisecond)
	}
	w := newWorld(t)
	w.listenAt(address)
	w.publish(bulk(500)...)
	w.post(address)
	w.mustSync("mqtt:")
	w.publish(bulk(501)...)
	w.post(address)
	if r := w.mustSync("mqtt:"); r.Info.Base == r.Info.Version {
		t.Errorf("%+v", r)
	}
	if f := w.find(w.open(), bulky(500)); len(f.Records) != 1 {
		t.Error("the list does not answer")
	}
	// A second source takes over where the first fails.
	w.publish(bulk(502)...)
	if r := w.mustSync("https://127.0.0.1:1/", "mqtt://"+address, "file://"+w.repo.Dir); r.Installed {
		t.Errorf("the broker gave what was not posted: %+v", r)
	}
	if r := w.mustSync("mqtt://127.0.0.1:1", "file://"+w.repo.Dir); !r.Installed {
		t.Errorf("%+v", r)
	}
}
