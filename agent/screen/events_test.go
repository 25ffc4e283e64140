package screen_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"lintas/agent/counter"
	"lintas/agent/health"
	"lintas/agent/screen"
	"lintas/agent/verdict"
)

// message is one server-sent event.
type message struct{ name, data string }

// listener reads a page's stream as a browser does.
type listener struct {
	t        testing.TB
	messages chan message
}

func listen(t testing.TB, s *screen.Screen) *listener {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, "GET", "http://"+s.Addr()+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if kind := answer.Header.Get("Content-Type"); answer.StatusCode != http.StatusOK || !strings.HasPrefix(kind, "text/event-stream") {
		t.Fatalf("%d %s", answer.StatusCode, kind)
	}
	l := &listener{t, make(chan message)}
	done := make(chan struct{})
	t.Cleanup(func() { cancel(); answer.Body.Close(); <-done })
	go func() {
		defer close(done)
		defer close(l.messages)
		var m message
		for lines := bufio.NewReader(answer.Body); ; {
			line, err := lines.ReadString('\n')
			if err != nil {
				return
			}
			field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			switch field {
			case "event":
				m.name = value
			case "data":
				m.data += value + "\n"
			case "":
				select {
				case l.messages <- m:
				case <-ctx.Done():
					return
				}
				m = message{}
			}
		}
	}()
	return l
}

// next waits for an event with this name.
func (l *listener) next(name string) string {
	l.t.Helper()
	for {
		select {
		case m, ok := <-l.messages:
			if !ok {
				l.t.Fatal("the stream ended")
			}
			if m.name == name {
				return m.data
			}
		case <-time.After(10 * time.Second):
			l.t.Fatalf("no %s came", name)
		}
	}
}

func TestEvents(t *testing.T) {
	d, board := newDesk(), health.NewBoard()
	s := serve(t, screen.Options{Desk: d, Health: board}, onlyByChange)
	l := listen(t, s)
	if build := l.next("hello"); len(build) < 8 {
		t.Errorf("build %q", build)
	}
	if whole := l.next("frame"); !strings.Contains(whole, `id="strip"`) || !strings.Contains(whole, `id="fault"`) {
		t.Errorf("the first frame is not whole: %s", whole)
	}
	in := inspections()[verdict.Stop]
	d.show(in)
	frame := l.next("frame")
	for _, want := range []string{"PANGGIL SUPERVISOR", in.ID, in.Document.DocumentNumber, `data-key="F1"`} {
		if !strings.Contains(frame, want) {
			t.Errorf("the new verdict's frame lacks %q", want)
		}
	}
	if strings.Contains(frame, `id="strip"`) {
		t.Error("what did not change was sent again")
	}
	board.Set(health.ScannerMissing, "desk", true, "")
	if frame := l.next("frame"); !strings.Contains(frame, "tidak tersambung") || strings.Contains(frame, `id="banner"`) {
		t.Errorf("after a change of health: %s", frame)
	}
	d.change(func(v *counter.View) { v.Current = nil })
	frame = l.next("frame")
	if !strings.Contains(frame, `id="banner"`) || !strings.Contains(frame, `id="detail"`) || !strings.Contains(frame, `id="keys"`) {
		t.Error("the traveller was not taken away")
	}
	// Whoever listens now learns nothing of who was there.
	now := frame + listen(t, s).next("frame")
	_, page := ask(t, request(t, "GET", "http://"+s.Addr()+"/", nil))
	for _, secret := range []string{in.Document.DocumentNumber, in.Document.Name.Primary(), in.ID, in.Contact} {
		if strings.Contains(now+page, secret) {
			t.Errorf("%q is still there after the decision", secret)
		}
	}
}

// TestBeat: while nothing changes, the loop's own going round is told, and
// only that.
func TestBeat(t *testing.T) {
	var passes atomic.Int64
	s := serve(t, screen.Options{Desk: newDesk(), OnLoop: func() { passes.Add(1) }},
		func(s *screen.Screen) { s.Slow(10 * time.Millisecond) })
	l := listen(t, s)
	l.next("frame")
	before := passes.Load()
	l.next("beat")
	if passes.Load() == before {
		t.Error("a beat came without the loop")
	}
}

func TestListenersAreBounded(t *testing.T) {
	s := serve(t, screen.Options{Desk: newDesk()})
	for range screen.MaxListeners {
		listen(t, s)
	}
	answer, _ := ask(t, request(t, "GET", "http://"+s.Addr()+"/events", nil))
	if answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("one too many: %d", answer.StatusCode)
	}
}

func TestListenerLeaves(t *testing.T) {
	s := serve(t, screen.Options{Desk: newDesk()})
	t.Run("one", func(t *testing.T) {
		listen(t, s).next("frame")
		if n := s.Listeners(); n != 1 {
			t.Errorf("%d listeners", n)
		}
	})
	await(t, func() bool { return s.Listeners() == 0 })
}

// TestStalledListener: a browser that stops reading holds up nobody and is
// dropped.
func TestStalledListener(t *testing.T) {
	d := newDesk()
	var passes atomic.Int64
	s := serve(t, screen.Options{Desk: d, OnLoop: func() { passes.Add(1) }}, onlyByChange,
		func(s *screen.Screen) { s.Impatient(200 * time.Millisecond) })
	c, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.(*net.TCPConn).SetReadBuffer(4 << 10)
	fmt.Fprintf(c, "GET /events HTTP/1.1\r\nHost: %s\r\n\r\n", s.Addr())
	await(t, func() bool { return s.Listeners() == 1 })
	lively := listen(t, s)
	lively.next("frame")
	// Fill the stalled one's buffers with ever new, long notices.
	for i := 0; s.Listeners() == 2; i++ {
		if i > 1000 {
			t.Fatal("the stalled listener was never dropped")
		}
		before := passes.Load()
		text := fmt.Sprintf("%d %s", i, strings.Repeat("x", 100_000))
		d.change(func(v *counter.View) { v.Notice = &counter.Notice{ID: text, EN: text} })
		if frame := lively.next("frame"); !strings.Contains(frame, text) {
			t.Fatal("the lively listener got something else")
		}
		if passes.Load() == before {
			t.Fatal("the loop stood still")
		}
	}
}

// TestLineEndsCannotForgeEvents: a text with a bare CR stays inside its event.
func TestLineEndsCannotForgeEvents(t *testing.T) {
	d := newDesk()
	d.change(func(v *counter.View) {
		v.Notice = &counter.Notice{ID: "a\revent: hello\rdata: forged\r\rb\r\n\r\nevent: beat\n\nc", EN: "x"}
	})
	s := serve(t, screen.Options{Desk: d}, onlyByChange)
	answer, err := http.Get("http://" + s.Addr() + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	names := 0
	lines := bufio.NewReader(answer.Body)
	for names < 2 || lines.Buffered() > 0 { // hello and frame
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(line, "\r") {
			t.Fatalf("a bare CR came through: %q", line)
		}
		if strings.HasPrefix(line, "event: ") {
			names++
		}
	}
	if names != 2 {
		t.Errorf("%d events, want 2", names)
	}
}

// BenchmarkChangeToFragment: from the desk's change to the new banner at the
// end of the stream, over loopback TCP.
func BenchmarkChangeToFragment(b *testing.B) {
	d := newDesk()
	history(d, 14)
	s := serve(b, screen.Options{Desk: d}, onlyByChange)
	l := listen(b, s)
	l.next("frame")
	all := inspections()
	for i := 0; b.Loop(); i++ {
		in := all[codes[i%len(codes)]]
		in.ID = fmt.Sprint(i)
		d.show(in)
		l.next("frame")
	}
}

// BenchmarkIdle: what the loop costs each second while nothing happens.
func BenchmarkIdle(b *testing.B) {
	d := newDesk()
	history(d, 50)
	s := screen.New(screen.Options{Desk: d})
	b.ReportAllocs()
	s.Look(b.N)
}

// BenchmarkChangeToPaint: from the desk's change until a real browser has
// painted the new verdict, one round trip of the debugger included.
func BenchmarkChangeToPaint(b *testing.B) {
	ctx := browser(b)
	d := newDesk()
	history(d, 14)
	s := serve(b, screen.Options{Desk: d})
	do(b, ctx, chromedp.EmulateViewport(1920, 1080), chromedp.Navigate("http://"+s.Addr()))
	until(b, ctx, unguarded)
	eval[bool](b, ctx, `!!(window.painted = (id) => new Promise((done) => {
		const look = () => document.getElementById('keys').dataset.inspection === id
			? requestAnimationFrame(() => setTimeout(() => done(true))) : setTimeout(look);
		look();
	}))`)
	all := inspections()
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		in := all[codes[i%len(codes)]]
		in.ID = fmt.Sprint(i)
		start := time.Now()
		d.show(in)
		eval[bool](b, ctx, `painted("`+in.ID+`")`)
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}
