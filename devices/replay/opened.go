package replay

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// settle is how long a program takes from opening a port, for the last time if it
// does so several times, to listening: what came before that it throws away.
const settle = 500 * time.Millisecond

// An Ear notices that a program opens a port.
type Ear struct {
	inotify *os.File
}

// Listen begins to notice who opens the port, so that nobody who opens it once
// its path is known is missed.
func (p *Port) Listen() (*Ear, error) {
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("cannot watch %s: %w", p.Path, err)
	}
	e := &Ear{os.NewFile(uintptr(fd), "inotify")}
	if _, err := unix.InotifyAddWatch(fd, p.Path, unix.IN_OPEN); err != nil {
		e.inotify.Close()
		return nil, fmt.Errorf("cannot watch %s: %w", p.Path, err)
	}
	return e, nil
}

// Wait returns when a program has opened the port and had time to set it up.
func (e *Ear) Wait(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { e.inotify.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	var buf [4096]byte
	for {
		_, err := e.inotify.Read(buf[:])
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, os.ErrDeadlineExceeded): // nobody has opened it again
			return nil
		case err != nil:
			return err
		}
		if err := e.inotify.SetReadDeadline(time.Now().Add(settle)); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil { // its own deadline may just have been replaced
			return err
		}
	}
}

// Close ends it.
func (e *Ear) Close() error { return e.inotify.Close() }
