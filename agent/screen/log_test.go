package screen_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"lintas/agent/screen"
	"lintas/agent/verdict"
)

// panicky is a desk whose Decide breaks with a traveller's data in its hands.
type panicky struct{ *desk }

func (p panicky) SetDirection(context.Context, verdict.Direction) error {
	panic(p.View().Current.Document.Name.Primary())
}

// TestLogs: whatever goes wrong, no traveller gets into the log.
func TestLogs(t *testing.T) {
	var log bytes.Buffer
	d := newDesk()
	in := inspections()[verdict.Stop]
	doc := in.Document
	d.show(in)
	d.err = errors.New("cannot seal " + doc.DocumentNumber + " " + doc.Name.Primary() + " " + doc.DateOfBirth.String())
	t.Run("use", func(t *testing.T) {
		s := serve(t, screen.Options{Desk: panicky{d}, Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
		listen(t, s).next("frame")
		ask(t, request(t, "GET", "http://"+s.Addr()+"/", nil))
		form := url.Values{"inspection": {in.ID}, "decision": {"proceed"}, "direction": {"return"}}
		ask(t, request(t, "POST", "http://"+s.Addr()+"/decide", form))
		if answer, body := ask(t, request(t, "POST", "http://"+s.Addr()+"/direction", form)); answer.StatusCode != 500 || strings.Contains(body, doc.Name.Primary()) {
			t.Errorf("after a panic: %d %s", answer.StatusCode, body)
		}
		form.Set("decision", doc.Name.Primary())
		ask(t, request(t, "POST", "http://"+s.Addr()+"/decide", form))
	})
	if !strings.Contains(log.String(), "decision was not recorded") || !strings.Contains(log.String(), "page request failed") {
		t.Errorf("the log says too little: %s", &log)
	}
	for _, secret := range []string{doc.Name.Primary(), doc.Name.Secondary(), doc.DocumentNumber, doc.DateOfBirth.String(), doc.Lines[1], "1992"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log says %q: %s", secret, &log)
		}
	}
}
