package tee

import (
	"context"
	"errors"
	"os"

	"lintas/devices"
)

// port is a second program behind a serial port of this machine.
type port struct{ devices.Source }

func (t *Tee) openPort(ctx context.Context) (far, error) {
	if t.o.Open == nil {
		return nil, errors.New("a serial port cannot be used here; choose a name that is not there yet")
	}
	src, err := t.o.Open(ctx)
	if err != nil {
		return nil, err
	}
	t.waiting.listen(true)
	t.opened(true) // who listens at the other end of a cable cannot be seen
	return port{src}, nil
}

// Write takes a line that takes nothing for a slow one: it is not given up.
func (p port) Write(b []byte, _ func() bool) (int, error) {
	n, err := p.Source.Write(b)
	if err != nil && !errors.Is(err, devices.ErrUnplugged) && !errors.Is(err, os.ErrClosed) {
		err = os.ErrDeadlineExceeded
	}
	return n, err
}
