// Package tee hands the bytes of a scanner on to a second program that needs the
// same swipes, and what that program says back to the scanner.
//
//	scanner ══► Source ──► our Framer
//	   ▲           │
//	   │           └──► buffer of 64 KiB ──► pty or serial port ══► second program
//	   └───────────── commands ◄─────────────────────────────────── (trigger, beep)
//
// The second program opens a name as its serial port: a link to a pseudo-terminal
// that is made here, or the other end of a cable, if the name is a serial port of
// this machine.
//
// It promises that
//
//   - the second program gets every byte as the scanner sent it, in order, from
//     the moment it has opened its port; nothing is ever echoed or altered,
//   - whatever it does, our side never waits for it: absent, slow, hung, killed,
//     gone and come back. What it does not take in time is dropped and counted,
//   - what came while nobody listened is never handed on later, nor what a program
//     had not taken when it ended: one that is started does not get the passport
//     of the traveller before, unless it is started in the fraction of a
//     millisecond that it takes to notice that the one before has ended,
//   - a command of the second program and one of ours do not mix their bytes.
//
// None of the bytes is looked at, kept or logged. The scanner need not be there
// for the second program to open its port.
package tee

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"lintas/devices"
)

const (
	// slice bounds one attempt to write to the second program. One that takes
	// nothing for so long is stuck.
	slice = time.Second

	// again is the pause before what failed is tried once more.
	again = 2 * time.Second

	// commandSize is the most of the second program's bytes that go to the
	// scanner at once: more than it says without a pause, so that none of our own
	// commands gets in between.
	commandSize = 4096
)

// Options say where the second program is.
type Options struct {
	// Scanner is the scanner's name, for the log.
	Scanner string
	// Path is what the second program opens: a name that is not there yet, for a
	// link to a pseudo-terminal, or a serial port of this machine.
	Path string
	// Open opens Path if it is a serial port. Nil: it may not be one.
	Open devices.Opener
	// Logger gets a line when something changes. Nil: no log.
	Logger *slog.Logger
}

// A Tee serves one second program. Use New.
type Tee struct {
	o       Options
	waiting buffer

	mu      sync.Mutex // guards the rest
	scanner *source    // that is open now; nil if none is
	state   devices.TeeState
}

// New makes a Tee. It does nothing until Run.
func New(o Options) *Tee {
	return &Tee{o: o, waiting: newBuffer(), state: devices.TeeState{Path: o.Path}}
}

// far is the end of the line to the second program.
type far interface {
	Read(p []byte) (int, error)
	// Write takes what it can within a slice; os.ErrDeadlineExceeded if that
	// was not all. It takes nothing if the bytes are no longer to be written,
	// because the program for which they were has closed its port.
	Write(p []byte, still func() bool) (int, error)
	Close() error
}

// Wrap makes an Opener whose sources share their bytes.
func (t *Tee) Wrap(open devices.Opener) devices.Opener {
	return func(ctx context.Context) (devices.Source, error) {
		src, err := open(ctx)
		if err != nil {
			return nil, err
		}
		s := &source{Source: src, tee: t}
		t.mu.Lock()
		t.scanner = s
		t.mu.Unlock()
		return s, nil
	}
}

// source is a scanner whose bytes are handed on.
type source struct {
	devices.Source
	tee     *Tee
	writing sync.Mutex // held for one command
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Source.Read(p)
	if n > 0 {
		s.tee.waiting.put(p[:n])
	}
	return n, err
}

func (s *source) Write(p []byte) (int, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.Source.Write(p)
}

// Unwrap gives the scanner itself.
func (s *source) Unwrap() devices.Source { return s.Source }

func (s *source) Close() error {
	s.tee.mu.Lock()
	if s.tee.scanner == s {
		s.tee.scanner = nil
	}
	s.tee.mu.Unlock()
	return s.Source.Close()
}

// Run serves the second program until ctx ends, and then removes its port.
func (t *Tee) Run(ctx context.Context) {
	for ctx.Err() == nil {
		err := t.serve(ctx)
		if ctx.Err() != nil {
			break
		}
		t.change(func(s *devices.TeeState) { s.Ready, s.Opened, s.Stuck, s.Reason = false, false, false, err.Error() })
		select {
		case <-ctx.Done():
		case <-time.After(again):
		}
	}
	t.change(func(s *devices.TeeState) { s.Ready, s.Opened, s.Stuck, s.Reason = false, false, false, "" })
}

// serve opens the line to the second program and serves it until ctx ends or the
// line fails.
func (t *Tee) serve(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var line far
	serial, err := isPort(t.o.Path)
	switch {
	case err != nil:
		return fmt.Errorf("cannot hand the bytes of scanner %q on at %q: %w", t.o.Scanner, t.o.Path, err)
	case serial:
		line, err = t.openPort(ctx)
	default:
		line, err = openPty(t.o.Path, t.waiting.listen, t.opened)
	}
	if err != nil {
		return fmt.Errorf("cannot hand the bytes of scanner %q on at %q: %w", t.o.Scanner, t.o.Path, err)
	}
	t.change(func(s *devices.TeeState) { s.Ready, s.Reason = true, "" })
	closing := sync.OnceFunc(func() { line.Close() })
	defer context.AfterFunc(ctx, closing)() // ends the Read and the Write that wait
	var commands sync.WaitGroup
	var failed error
	commands.Go(func() {
		failed = t.handBack(line)
		cancel()
	})
	err = t.handOn(ctx, line)
	cancel()
	closing()
	commands.Wait()
	t.waiting.listen(false)
	return errors.Join(err, failed)
}

// opened is told whether the second program has its port open.
func (t *Tee) opened(is bool) {
	t.change(func(s *devices.TeeState) {
		s.Opened = is
		s.Stuck = s.Stuck && is
	})
}

// handOn gives the second program what waits for it.
func (t *Tee) handOn(ctx context.Context, line far) error {
	piece := make([]byte, 4096)
	for {
		n, era := t.waiting.take(ctx, piece)
		still := func() bool { return ctx.Err() == nil && t.waiting.is(era) }
		for rest := piece[:n]; len(rest) > 0 && still(); {
			done, err := line.Write(rest, still)
			rest = rest[done:]
			stuck := errors.Is(err, os.ErrDeadlineExceeded)
			if err != nil && !stuck && ctx.Err() == nil {
				return fmt.Errorf("cannot hand bytes of scanner %q on at %q: %w", t.o.Scanner, t.o.Path, err)
			}
			stuck = stuck && still()
			lost := t.waiting.lostSoFar()
			t.change(func(s *devices.TeeState) { s.Stuck, s.Lost = stuck, lost })
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

// handBack gives the scanner what the second program says. What it says to a
// scanner that is not there is gone, as on a line that is not connected.
func (t *Tee) handBack(line far) error {
	command := make([]byte, commandSize)
	for {
		n, err := line.Read(command)
		if n > 0 {
			t.mu.Lock()
			scanner := t.scanner
			t.mu.Unlock()
			if scanner != nil {
				scanner.Write(command[:n]) // if the scanner is lost its reader finds out
			}
		}
		if err != nil {
			return err
		}
	}
}

// State may be called at any time.
func (t *Tee) State() devices.TeeState {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state
}

// change lets f change the state, and writes a line if somebody should know.
func (t *Tee) change(f func(*devices.TeeState)) {
	t.mu.Lock()
	before := t.state
	f(&t.state)
	after := t.state
	t.mu.Unlock()
	if t.o.Logger == nil || before.Reason == after.Reason && before.Opened == after.Opened && before.Stuck == after.Stuck {
		return
	}
	level, text := slog.LevelInfo, "second program of the scanner"
	if after.Reason != "" || after.Stuck {
		level = slog.LevelWarn
	}
	t.o.Logger.Log(context.Background(), level, text, "scanner", t.o.Scanner,
		"ready", after.Ready, "opened", after.Opened, "stuck", after.Stuck, "lost_bytes", after.Lost, "reason", after.Reason)
}

// isPort says whether the second program is behind a serial port. A link to a
// pseudo-terminal that was made here, before this agent was started, is none: it has
// to be made anew.
func isPort(path string) (bool, error) {
	link, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if link.Mode()&fs.ModeSymlink != 0 {
		to, err := os.Readlink(path)
		if err != nil {
			return false, err
		}
		if strings.HasPrefix(to, "/dev/pts/") && (exists(lockFile(path)) || !exists(to)) {
			return false, nil
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return false, err
	}
	if info.Mode()&fs.ModeCharDevice == 0 {
		return false, fmt.Errorf("there is something else at %s; remove it, or choose another name", filepath.Clean(path))
	}
	return true, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
