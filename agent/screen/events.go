package screen

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
)

const (
	maxListeners = 8
	beatEvery    = 2 * time.Second // the script gives up after three of them
	writeWait    = 5 * time.Second
)

// errUnbelievable: there is nothing that may be shown.
var errUnbelievable = errors.New("the page's state is not known")

// events streams the page's changes. Each listener has its own goroutine and
// asks for the newest frame when it is done with the last one: a slow browser
// skips frames, a stalled one is dropped, and neither is waited for.
func (s *Screen) events(w http.ResponseWriter, r *http.Request) {
	if site := r.Header.Get("Sec-Fetch-Site"); r.Method != http.MethodGet || site != "" && site != "same-origin" && site != "none" {
		http.Error(w, "only this page may listen", http.StatusForbidden)
		return
	}
	if f, _ := s.current(); !s.believable(f) {
		http.Error(w, errUnbelievable.Error(), http.StatusServiceUnavailable)
		return
	}
	if !s.enter() {
		w.Header().Set("Retry-After", "2")
		http.Error(w, "too many listeners", http.StatusServiceUnavailable)
		return
	}
	defer s.leave()
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	out := stream{http.NewResponseController(w), w, s.writeWait}
	err := out.control.SetReadDeadline(time.Time{}) // the server's would end the stream
	if err == nil {
		err = out.send("retry: 1000\n" + event("hello", s.look.build))
	}
	for sent := (frame{}).revision; err == nil; {
		err = s.follow(r.Context(), out, &sent)
	}
}

// follow sends what is new, or a beat, and waits for the next frame.
func (s *Screen) follow(ctx context.Context, out stream, sent *[len(parts)]uint64) error {
	f, next := s.current()
	if !s.believable(f) {
		return errUnbelievable // the browser covers the page and tries again
	}
	var fresh strings.Builder
	for i, revision := range f.revision {
		if revision != sent[i] {
			fresh.WriteString(string(f.html[i]))
		}
	}
	*sent = f.revision
	message := event("beat", "")
	if fresh.Len() > 0 {
		message = event("frame", fresh.String())
	}
	if err := out.send(message); err != nil {
		return err
	}
	quiet := time.NewTimer(beatEvery / 2)
	defer quiet.Stop()
	for waited := false; ; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-quiet.C:
			waited = true
		case <-next:
			// The loop has gone round. Wake for what changed, or for a beat.
			f, next = s.current()
			if waited || f.broken || f.revision != *sent {
				return nil
			}
		}
	}
}

// enter counts a listener in, unless there are too many.
func (s *Screen) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listeners == maxListeners {
		return false
	}
	s.listeners++
	return true
}

func (s *Screen) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listeners--
}

// stream writes events, each within a time.
type stream struct {
	control *http.ResponseController
	w       http.ResponseWriter
	wait    time.Duration
}

func (o stream) send(message string) error {
	if err := o.control.SetWriteDeadline(time.Now().Add(o.wait)); err != nil {
		return err
	}
	if _, err := o.w.Write([]byte(message)); err != nil {
		return err
	}
	if err := o.control.Flush(); err != nil {
		return err
	}
	return o.control.SetWriteDeadline(time.Time{})
}

// event frames data as one server-sent event. Any of CR, LF and CRLF ends a
// line there, so each must begin a new data line: else a text with a bare CR in
// it could forge an event.
func event(name, data string) string {
	var b bytes.Buffer
	b.WriteString("event: " + name + "\n")
	for line := range strings.SplitSeq(newlines.Replace(data), "\n") {
		b.WriteString("data: " + line + "\n")
	}
	b.WriteByte('\n')
	return b.String()
}

var newlines = strings.NewReplacer("\r\n", "\n", "\r", "\n")
