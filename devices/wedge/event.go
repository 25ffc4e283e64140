package wedge

import (
	"encoding/binary"
	"time"
)

// recordSize is the size of struct input_event on machines of 64 bits
// (linux/input.h).
const recordSize = 24

// The types of events and the codes that matter (linux/input-event-codes.h).
const (
	evSyn = 0x00
	evKey = 0x01

	synReport  = 0
	synDropped = 3

	keyUp   = 0
	keyDown = 1 // 2 is auto-repeat
)

// event is one struct input_event.
type event struct {
	seconds, micros int64
	kind, code      uint16
	value           int32
}

func readEvent(b []byte) event {
	return event{
		seconds: int64(binary.NativeEndian.Uint64(b)),
		micros:  int64(binary.NativeEndian.Uint64(b[8:])),
		kind:    binary.NativeEndian.Uint16(b[16:]),
		code:    binary.NativeEndian.Uint16(b[18:]),
		value:   int32(binary.NativeEndian.Uint32(b[20:])),
	}
}

// time is when the event happened. It can be compared with other events of the
// same keyboard only: the clock it was taken from is not known here.
func (e event) time() time.Time { return time.Unix(e.seconds, e.micros*1000) }
