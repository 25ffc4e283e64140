package screen_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"lintas/agent/counter"
	"lintas/agent/screen"
	"lintas/agent/verdict"
)

// code reads a problem's code; empty if all went well.
func code(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
	answer, body := ask(t, r)
	if body == "" {
		return answer.StatusCode, ""
	}
	var p struct{ Code string }
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	if _, ok := screen.Words()["message-"+p.Code]; !ok {
		t.Errorf("the page has no message for %q", p.Code)
	}
	return answer.StatusCode, p.Code
}

func TestDecide(t *testing.T) {
	d := newDesk()
	s := serve(t, screen.Options{Desk: d})
	for _, decision := range verdict.Decisions() {
		form := url.Values{"inspection": {"id-1"}, "decision": {string(decision)}, "direction": {"departure"}}
		if status, c := code(t, request(t, "POST", "http://"+s.Addr()+"/decide", form)); status != http.StatusNoContent || c != "" {
			t.Errorf("%s: %d %s", decision, status, c)
		}
		all := d.chosen()
		want := counter.Choice{Inspection: "id-1", Decision: decision, Direction: verdict.Departure}
		if got := all[len(all)-1]; !reflect.DeepEqual(got, want) {
			t.Errorf("the desk got %+v, want %+v", got, want)
		}
	}
}

func TestDecideRefused(t *testing.T) {
	good := func() url.Values {
		return url.Values{"inspection": {"id-1"}, "decision": {"proceed"}, "direction": {"return"}}
	}
	for _, c := range []struct {
		name   string
		err    error
		change func(url.Values)
		status int
		code   string
		asked  bool
	}{
		{"already decided", counter.ErrDecided, nil, http.StatusConflict, "decided", true},
		{"no direction", counter.ErrDirection, func(f url.Values) { f.Del("direction") }, http.StatusUnprocessableEntity, "direction", true},
		{"cannot record", errors.New("disk full"), nil, http.StatusServiceUnavailable, "not-recorded", true},
		{"too late", context.DeadlineExceeded, nil, http.StatusServiceUnavailable, "not-recorded", true},
		{"no inspection", nil, func(f url.Values) { f.Del("inspection") }, http.StatusBadRequest, "bad-request", false},
		{"no such decision", nil, func(f url.Values) { f.Set("decision", "refuse") }, http.StatusBadRequest, "bad-request", false},
		{"no such direction", nil, func(f url.Values) { f.Set("direction", "up") }, http.StatusBadRequest, "bad-request", false},
		{"too long", nil, func(f url.Values) { f.Set("x", strings.Repeat("x", 5000)) }, http.StatusBadRequest, "bad-request", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk()
			d.err = c.err
			s := serve(t, screen.Options{Desk: d})
			form := good()
			if c.change != nil {
				c.change(form)
			}
			status, got := code(t, request(t, "POST", "http://"+s.Addr()+"/decide", form))
			if status != c.status || got != c.code {
				t.Errorf("%d %s, want %d %s", status, got, c.status, c.code)
			}
			if asked := len(d.chosen()) > 0; asked != c.asked {
				t.Errorf("the desk was asked: %t", asked)
			}
		})
	}
	t.Run("not a form", func(t *testing.T) {
		s := serve(t, screen.Options{Desk: newDesk()})
		r := request(t, "POST", "http://"+s.Addr()+"/decide", good())
		r.Header.Set("Content-Type", "text/plain")
		if status, _ := code(t, r); status != http.StatusBadRequest {
			t.Errorf("%d", status)
		}
	})
}

// TestDecideGoesOn: what the officer pressed counts, even if the browser is
// closed at that moment.
func TestDecideGoesOn(t *testing.T) {
	d := newDesk()
	in := inspections()[verdict.None]
	d.show(in)
	d.hold = make(chan struct{})
	s := serve(t, screen.Options{Desk: d})
	ctx, leave := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		r := request(t, "POST", "http://"+s.Addr()+"/decide", url.Values{"inspection": {in.ID}, "decision": {"proceed"}})
		_, err := http.DefaultClient.Do(r.WithContext(ctx))
		gone <- err
	}()
	await(t, func() bool { return len(d.chosen()) == 1 })
	leave()
	if err := <-gone; err == nil {
		t.Fatal("the browser did not go away")
	}
	select {
	case <-d.context.Done():
		t.Error("the decision went away with the browser")
	case <-time.After(300 * time.Millisecond): // long enough to see it happen
	}
	close(d.hold)
	await(t, func() bool { return d.View().Current == nil })
}

func TestDirection(t *testing.T) {
	d := newDesk()
	s := serve(t, screen.Options{Desk: d})
	post := func(form url.Values) (int, string) {
		return code(t, request(t, "POST", "http://"+s.Addr()+"/direction", form))
	}
	for _, way := range []verdict.Direction{verdict.Return, verdict.Departure, ""} {
		if status, c := post(url.Values{"direction": {string(way)}}); status != http.StatusNoContent || d.View().Direction != way {
			t.Errorf("%q: %d %s", way, status, c)
		}
	}
	for _, form := range []url.Values{{}, {"direction": {"sideways"}}} {
		if status, c := post(form); status != http.StatusBadRequest || c != "bad-request" {
			t.Errorf("%v: %d %s", form, status, c)
		}
	}
	d.err = counter.ErrDirection // fixed by the configuration
	if status, c := post(url.Values{"direction": {"return"}}); status != http.StatusConflict || c != "fixed" {
		t.Errorf("fixed: %d %s", status, c)
	}
}

func TestDismiss(t *testing.T) {
	d := newDesk()
	d.change(func(v *counter.View) { v.Notice = &counter.Notice{ID: "Gesek sekali lagi.", EN: "Swipe again."} })
	s := serve(t, screen.Options{Desk: d})
	if status, c := code(t, request(t, "POST", "http://"+s.Addr()+"/dismiss", url.Values{})); status != http.StatusNoContent || d.View().Notice != nil {
		t.Errorf("%d %s", status, c)
	}
}
