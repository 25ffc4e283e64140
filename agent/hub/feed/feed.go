// Package feed hands crossings on to other agencies' systems: over HTTP, as they
// come, by a cursor that the recipient keeps.
//
// It promises: every crossing of a recipient's share comes at least once, in an
// order that never changes, to whoever asks again with the cursor of the last
// answer; a recipient sees its share and its fields and nothing else; no
// personal data stands in an address or a log.
package feed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"lintas/agent/hub"
)

const (
	limitDefault = 100
	limitMax     = 1000
	waitMax      = time.Minute
	lookEvery    = 200 * time.Millisecond // for what is new, while somebody waits
	beatEvery    = 15 * time.Second       // a stream on which nothing comes is kept alive
	writeWithin  = 30 * time.Second       // a recipient that does not read is left
	// scanMost bounds how many events one answer looks at for a recipient of
	// whose share there is little.
	scanMost = 10_000
)

// Server answers recipients.
type Server struct {
	Ledger     *hub.Ledger
	Recipients *Recipients
	Logger     *slog.Logger
}

// Crossing is one event as a recipient gets it.
type Crossing struct {
	Cursor     string         `json:"cursor"` // of this event: ask for what is after it
	ID         string         `json:"id"`
	Type       string         `json:"type"`
	Counter    string         `json:"counter"`
	OccurredAt time.Time      `json:"occurred_at"`
	ReceivedAt time.Time      `json:"received_at"` // by the hub
	Forgotten  bool           `json:"forgotten"`   // the record was deleted
	Record     map[string]any `json:"record"`      // the recipient's fields of it
	Placement  map[string]any `json:"placement"`   // and of the placement; null: none is known
}

// Answer is what GET /v1/crossings gives.
type Answer struct {
	Crossings []Crossing `json:"crossings"`
	Next      string     `json:"next"` // ask with after=next
	More      bool       `json:"more"` // there is more already
}

// Crossings is GET /v1/crossings.
func (s *Server) Crossings(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	who, err := s.Recipients.Of(r)
	if err != nil {
		s.Logger.Error("recipients cannot be read", "error", err)
		fail(w, http.StatusServiceUnavailable, "recipients cannot be read")
		return
	}
	if who == nil {
		w.Header().Set("WWW-Authenticate", "Bearer")
		fail(w, http.StatusUnauthorized, "a bearer token or a client certificate of a recipient is needed")
		return
	}
	q := r.URL.Query()
	limit, wait := limitDefault, time.Duration(0)
	if text := q.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > limitMax {
			fail(w, http.StatusBadRequest, fmt.Sprintf("limit is not a number from 1 to %d", limitMax))
			return
		}
	}
	if text := q.Get("wait"); text != "" {
		seconds, err := strconv.ParseFloat(strings.TrimSuffix(text, "s"), 64)
		if wait = time.Duration(seconds * float64(time.Second)); err != nil || wait < 0 || wait > waitMax {
			fail(w, http.StatusBadRequest, fmt.Sprintf("wait is not a number of seconds up to %.0f", waitMax.Seconds()))
			return
		}
	}
	stream := strings.Contains(r.Header.Get("Accept"), "text/event-stream")
	after := q.Get("after")
	if last := r.Header.Get("Last-Event-ID"); stream && last != "" {
		after = last
	}
	from, err := s.Ledger.ParseCursor(r.Context(), after)
	switch {
	case errors.Is(err, hub.ErrCursor):
		fail(w, http.StatusBadRequest, "after is not a cursor that this hub has given")
	case errors.Is(err, hub.ErrCursorGone):
		fail(w, http.StatusGone, "the ledger was restored from a backup and does not know this cursor; ask from an older one, or from the beginning, and pass over the ids that you have")
	case err != nil:
		s.broken(w, r, who, err)
	case stream:
		s.stream(w, r, from, after, limit)
	default:
		s.answer(w, r, who, from, after, limit, wait)
	}
}

func fail(w http.ResponseWriter, code int, what string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(map[string]string{"error": what})
}

func (s *Server) broken(w http.ResponseWriter, r *http.Request, who *Recipient, err error) {
	if r.Context().Err() == nil {
		s.Logger.Error("cannot answer a recipient", "recipient", who.Name, "error", err)
		fail(w, http.StatusServiceUnavailable, "the ledger cannot be read now")
	}
}

// answer gives what there is, or waits for it.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, who *Recipient, from int64, at string, limit int, wait time.Duration) {
	ctx, stop := context.WithTimeout(r.Context(), wait)
	defer stop()
	a := Answer{Next: at}
	for {
		list, next, cursor, more, err := s.some(r.Context(), who, from, limit)
		if err != nil {
			s.broken(w, r, who, err)
			return
		}
		if cursor != "" {
			from, a.Next = next, cursor
		}
		if a.Crossings, a.More = list, more; len(list) > 0 || s.await(ctx, from) != nil {
			break
		}
	}
	if a.Next == "" {
		a.Next = "0"
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(a)
}

// some gives up to limit crossings of a recipient's share, and where it looked
// to; cursor is "" if that is where it began.
func (s *Server) some(ctx context.Context, who *Recipient, from int64, limit int) (list []Crossing, next int64, cursor string, more bool, err error) {
	list, next = []Crossing{}, from
	for looked := 0; looked < scanMost; {
		events, end, at, err := s.Ledger.Feed(ctx, next, limit)
		if err != nil {
			return nil, 0, "", false, err
		}
		if end == next {
			return list, next, cursor, false, nil
		}
		for _, e := range events {
			if c, ok := who.share(e); ok {
				list = append(list, c)
			}
			if len(list) == limit {
				return list, e.N, e.Cursor, true, nil
			}
		}
		next, cursor, looked = end, at, looked+max(len(events), 1)
	}
	return list, next, cursor, true, nil
}

// await waits until there is something behind a number.
func (s *Server) await(ctx context.Context, from int64) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			if end, err := s.Ledger.FeedEnd(ctx); err != nil {
				return err
			} else if end > from {
				return nil
			}
		}
	}
}

// stream sends crossings as server-sent events until the recipient leaves, or is
// none any more. The id of each is its cursor.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, from int64, at string, limit int) {
	out := http.NewResponseController(w)
	send := func(format string, args ...any) bool {
		out.SetWriteDeadline(time.Now().Add(writeWithin))
		_, err := fmt.Fprintf(w, format, args...)
		return err == nil
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	if !send(": crossings\nretry: 2000\n\n") || out.Flush() != nil {
		return
	}
	for r.Context().Err() == nil {
		who, err := s.Recipients.Of(r)
		if err != nil || who == nil {
			return // withdrawn
		}
		list, next, cursor, more, err := s.some(r.Context(), who, from, limit)
		if err != nil {
			if r.Context().Err() == nil {
				s.Logger.Error("cannot answer a recipient", "recipient", who.Name, "error", err)
			}
			return // it comes again with its Last-Event-ID
		}
		for _, c := range list {
			data, err := json.Marshal(c)
			if err != nil || !send("id: %s\nevent: crossing\ndata: %s\n\n", c.Cursor, data) {
				return
			}
		}
		if cursor != "" && cursor != at {
			// An id alone moves the cursor past what is not of this share.
			if len(list) == 0 || list[len(list)-1].Cursor != cursor {
				if !send("id: %s\n\n", cursor) {
					return
				}
			}
			from, at = next, cursor
		}
		if out.Flush() != nil {
			return
		}
		if more {
			continue
		}
		ctx, stop := context.WithTimeout(r.Context(), beatEvery)
		err = s.await(ctx, from)
		stop()
		if errors.Is(err, context.DeadlineExceeded) && !send(": nothing new\n\n") {
			return
		}
	}
}
