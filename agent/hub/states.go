package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"
	"unicode/utf8"

	"lintas/agent/crossing"
	"lintas/queue/mqtt"
)

// maxState is the largest state message that is kept, in bytes.
const maxState = 16 << 10

// states is what counters have said about themselves and the ledger does not
// know yet, the last of each.
type states struct {
	mu   sync.Mutex // guards what follows
	last map[string]string
}

// take keeps a message if it is a counter's state. It tells whether it came on
// such a topic.
func (s *states) take(m mqtt.Message) bool {
	counter, ok := crossing.CounterOfStateTopic(m.Topic)
	if !ok {
		return false
	}
	var said crossing.State
	if len(m.Payload) <= maxState && utf8.Valid(m.Payload) && json.Unmarshal(m.Payload, &said) == nil && said.Counter == counter {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.last == nil {
			s.last = map[string]string{}
		}
		s.last[counter] = string(m.Payload)
	}
	return true
}

// news gives what has come since the last time.
func (s *states) news() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	news := s.last
	s.last = nil
	return news
}

// KeepStates notes what counters have said about themselves. Only those that
// the ledger has heard of are kept: the messages are not signed.
func (l *Ledger) KeepStates(ctx context.Context, said map[string]string) error {
	if len(said) == 0 {
		return nil
	}
	counters, err := l.Counters(ctx)
	if err != nil {
		return err
	}
	var rows [][]any // in the order of the names, as for locks
	for _, c := range counters {
		if message, ok := said[c]; ok {
			rows = append(rows, []any{c, message, time.Now().UnixMilli()})
		}
	}
	err = l.attempt(ctx, func() error {
		_, err := l.insert(ctx, "state(counter, message, received_ms)", rows,
			"ON CONFLICT(counter) DO UPDATE SET message = excluded.message, received_ms = excluded.received_ms WHERE state.message <> excluded.message")
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot write ledger: %w", err)
	}
	return nil
}
