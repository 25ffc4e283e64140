package screen_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"lintas/agent/counter"
	"lintas/agent/health"
	"lintas/agent/screen"
	"lintas/agent/verdict"
)

// ask sends a request and gives the answer with its body read.
func ask(t *testing.T, r *http.Request) (*http.Response, string) {
	t.Helper()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

func request(t *testing.T, method, address string, form url.Values) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

func TestHeaders(t *testing.T) {
	s := serve(t, screen.Options{Desk: newDesk()})
	want := map[string]string{
		"Content-Security-Policy":      screen.Policy,
		"Cache-Control":                "no-store",
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
	}
	for _, path := range []string{"/", "/screen.js", "/screen.css", "/icon.svg", "/healthz", "/nothing"} {
		answer, _ := ask(t, request(t, "GET", "http://"+s.Addr()+path, nil))
		for name, value := range want {
			if got := answer.Header.Get(name); got != value {
				t.Errorf("%s: %s is %q, want %q", path, name, got, value)
			}
		}
	}
	for _, word := range []string{"unsafe", "http:", "https:", "data:", "*"} {
		if strings.Contains(screen.Policy, word) {
			t.Errorf("the policy allows %q", word)
		}
	}
}

func TestHost(t *testing.T) {
	s := serve(t, screen.Options{Desk: newDesk()})
	_, port, _ := net.SplitHostPort(s.Addr())
	for host, want := range map[string]int{
		"127.0.0.1:" + port:              http.StatusOK,
		"localhost:" + port:              http.StatusOK,
		"[::1]:" + port:                  http.StatusOK,
		"evil.example":                   http.StatusForbidden,
		"evil.example:" + port:           http.StatusForbidden,
		"127.0.0.1":                      http.StatusForbidden,
		"localhost.evil.example:" + port: http.StatusForbidden,
	} {
		for _, path := range []string{"/", "/healthz", "/screen.js"} {
			r := request(t, "GET", "http://"+s.Addr()+path, nil)
			r.Host = host
			if answer, _ := ask(t, r); answer.StatusCode != want {
				t.Errorf("Host %s, %s: %d, want %d", host, path, answer.StatusCode, want)
			}
		}
	}
}

func TestCrossOrigin(t *testing.T) {
	d := newDesk()
	s := serve(t, screen.Options{Desk: d})
	form := url.Values{"inspection": {"1"}, "decision": {"proceed"}, "direction": {"return"}}
	for name, header := range map[string][2]string{
		"cross-site":       {"Sec-Fetch-Site", "cross-site"},
		"same-site":        {"Sec-Fetch-Site", "same-site"}, // another port of this machine
		"another origin":   {"Origin", "http://localhost:1"},
		"an opaque origin": {"Origin", "null"},
	} {
		for _, path := range []string{"/decide", "/confirm", "/direction", "/dismiss"} {
			r := request(t, "POST", "http://"+s.Addr()+path, form)
			r.Header.Set(header[0], header[1])
			if answer, _ := ask(t, r); answer.StatusCode != http.StatusForbidden {
				t.Errorf("%s, %s: %d", name, path, answer.StatusCode)
			}
		}
	}
	r := request(t, "GET", "http://"+s.Addr()+"/events", nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if answer, _ := ask(t, r); answer.StatusCode != http.StatusForbidden {
		t.Errorf("a foreign page could listen: %d", answer.StatusCode)
	}
	if len(d.chosen())+len(d.directions)+d.dismissed != 0 {
		t.Error("a refused request reached the desk")
	}
	r = request(t, "POST", "http://"+s.Addr()+"/decide", form)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if answer, _ := ask(t, r); answer.StatusCode != http.StatusNoContent {
		t.Errorf("the page's own post: %d", answer.StatusCode)
	}
}

func TestGetChangesNothing(t *testing.T) {
	d := newDesk()
	d.show(inspections()[verdict.None])
	s := serve(t, screen.Options{Desk: d})
	q := "?" + url.Values{"inspection": {d.view.Current.ID}, "decision": {"proceed"}, "direction": {"return"}}.Encode()
	for _, method := range []string{"GET", "HEAD"} {
		for _, path := range []string{"/decide", "/confirm", "/direction", "/dismiss"} {
			if answer, _ := ask(t, request(t, method, "http://"+s.Addr()+path+q, nil)); answer.StatusCode != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: %d", method, path, answer.StatusCode)
			}
		}
		ask(t, request(t, method, "http://"+s.Addr()+"/"+q, nil))
	}
	// A decision in the address of a post does not count either.
	r := request(t, "POST", "http://"+s.Addr()+"/decide"+q, url.Values{})
	if answer, _ := ask(t, r); answer.StatusCode != http.StatusBadRequest {
		t.Errorf("decision in the address: %d", answer.StatusCode)
	}
	if len(d.chosen())+len(d.directions)+d.dismissed != 0 {
		t.Error("a request that must change nothing reached the desk")
	}
}

func TestListenHereOnly(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:8470", "example.org:80", "127.0.0.1", ""} {
		o := screen.Options{Desk: newDesk(), Listen: address}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		err := screen.New(o).Run(ctx)
		if address == "" {
			continue // the default, which is this machine
		}
		if err == nil || !strings.Contains(err.Error(), "cannot serve the page on") {
			t.Errorf("%q: %v", address, err)
		}
	}
	for _, address := range []string{"localhost:0", "[::1]:0"} {
		if l, err := net.Listen("tcp", address); err != nil {
			t.Logf("%s cannot be listened on here: %v", address, err)
			continue
		} else {
			l.Close()
		}
		s := serve(t, screen.Options{Desk: newDesk(), Listen: address})
		if answer, _ := ask(t, request(t, "GET", "http://"+s.Addr()+"/", nil)); answer.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", address, answer.StatusCode)
		}
	}
	taken := serve(t, screen.Options{Desk: newDesk()})
	if err := screen.New(screen.Options{Desk: newDesk(), Listen: taken.Addr()}).Run(t.Context()); err == nil {
		t.Error("a port that is taken was served")
	}
}

// TestRunEnds: neither an open stream nor a desk that hangs keeps Run.
func TestRunEnds(t *testing.T) {
	d := newDesk()
	d.hold = make(chan struct{})
	s := screen.New(screen.Options{Desk: d})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	answer, err := http.Get("http://" + s.Addr() + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := bufio.NewReader(answer.Body).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	go http.PostForm("http://"+s.Addr()+"/decide", url.Values{"inspection": {"1"}, "decision": {"refer"}})
	for len(d.chosen()) == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("Run: %v", err)
		}
	case <-time.After(5 * time.Second): // a second is promised; machines are slow at times
		t.Fatal("Run does not end")
	}
}

func TestHealthz(t *testing.T) {
	d, board := newDesk(), health.NewBoard()
	in := inspections()[verdict.Stop]
	d.show(in)
	s := serve(t, screen.Options{Desk: d, Health: board, Version: "1.2.3"}, onlyByChange)
	board.Set(health.ListExpired, "", true, "not for the monitor")
	see := func() (int, map[string]any, string) {
		answer, body := ask(t, request(t, "GET", "http://"+s.Addr()+"/healthz", nil))
		var v map[string]any
		if err := json.Unmarshal([]byte(body), &v); err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, v, body
	}
	await(t, func() bool { _, _, body := see(); return strings.Contains(body, "list-expired") })
	code, v, body := see()
	if code != http.StatusOK || v["status"] != "ok" || v["version"] != "1.2.3" {
		t.Errorf("%d %s", code, body)
	}
	for _, word := range []string{in.ID, in.Document.DocumentNumber, in.Document.Name.Primary(), "not for the monitor", d.view.Counter} {
		if strings.Contains(body, word) {
			t.Errorf("it says %q: %s", word, body)
		}
	}
	d.change(func(v *counter.View) { v.Fault = "disk full" })
	await(t, func() bool { _, v, _ := see(); return v["status"] == "cannot-record" })
}

// await waits until something holds.
func await(t testing.TB, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never came to hold")
		}
	}
}
