package uplink

import (
	"context"
	"fmt"
	"slices"

	"lintas/queue"
)

// Retry connects now if there is no connection, and sends the parked events
// once more, which the far end knows only by their tombstones: the broker or
// the way to it may have been mended. It tells how many will be sent; those
// above MaxMessage are not, and neither are those whose tombstones are still
// on their way.
//
// Each is sent alone, while nothing else is on its way, so that one that still
// kills the link keeps nothing else up. It stays parked until the far end says
// that it has the body.
func (u *Uplink) Retry(ctx context.Context) (int, error) {
	parked, err := u.outbox.Parked(ctx)
	if err != nil {
		return 0, fmt.Errorf("cannot send parked events again: %w", err)
	}
	parked = slices.DeleteFunc(parked, func(e queue.Event) bool {
		return !e.Acknowledged || u.o.MaxMessage > 0 && len(e.Sealed) > u.o.MaxMessage
	})
	u.mu.Lock()
	u.owed = parked
	u.mu.Unlock()
	poke(u.again)
	return len(parked), nil
}

// sendOwed sends the next of them, if nothing is on its way.
func (s *session) sendOwed() {
	if len(s.inFlight) > 0 || s.careful.through > 0 {
		return
	}
	s.u.mu.Lock()
	defer s.u.mu.Unlock()
	if len(s.u.owed) == 0 {
		return
	}
	e := s.u.owed[0]
	s.u.owed = s.u.owed[1:] // once, whatever becomes of it
	s.mute.Reset(pubackTimeout)
	s.inFlight = append(s.inFlight, flight{event: s.conn.Publish(s.u.o.Topics.Event, false, e.Sealed), owed: true})
}
