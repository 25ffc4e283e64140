package folder

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"lintas/devices"
)

// times say when a file counts as complete, and when it is tried again.
type times struct {
	closed  time.Duration // after its writer closed it: some open it again at once
	seen    time.Duration // without a change, of a file that was found by looking
	open    time.Duration // the same, of one that was created before our eyes and not closed
	empty   time.Duration // an empty file: its writer has hardly begun
	denied  time.Duration // its writer may still be giving it its rights
	notKept time.Duration // until a file whose scan could not be recorded is read again
}

var usualTimes = times{
	closed: 150 * time.Millisecond, seen: 5 * time.Second, open: 60 * time.Second,
	empty: 30 * time.Second, denied: 2 * time.Second, notKept: 15 * time.Second,
}

const (
	maxAttempts = 3    // to open a file that is denied
	maxNames    = 4096 // that are looked at in one go
)

// Words for files that are put aside without having been opened.
const (
	failedNotFile = "not-a-file" // a link, a pipe, a device
	failedDenied  = "denied"
	failedOpen    = "unreadable"
)

// run is the session's worker: it alone reads, moves and removes files.
func (s *source) run(ctx context.Context, in <-chan news) {
	look := time.NewTimer(0) // at what is there already
	defer look.Stop()
	due := time.NewTimer(time.Hour)
	defer due.Stop()
	writing := map[string]bool{} // created before our eyes, and not closed yet
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return
		case n := <-in:
			switch {
			case n.gone:
				s.fail(errGone)
				return
			case n.name == "":
				s.scan(writing)
			case n.created:
				writing[n.name] = true
			default:
				delete(writing, n.name)
				s.note(n.name, n.renamed)
			}
		case <-look.C:
			if s.place.gone() {
				s.fail(errGone)
				return
			}
			s.scan(writing)
			look.Reset(s.f.o.Rescan)
		case <-due.C:
		case <-s.poke:
		}
		s.finishSettled()
		next, err := s.readDue(ctx)
		if err != nil {
			s.fail(err)
			return
		}
		due.Reset(next)
	}
}

// note makes a file that changed due.
func (s *source) note(name string, renamed bool) {
	st, err := s.place.stat(name)
	if err != nil || st.Mode&unix.S_IFMT == unix.S_IFDIR {
		return
	}
	wait := s.f.times.closed
	if renamed {
		wait = 0
	}
	s.expect(name, &st, wait)
}

// scan looks through the folder.
func (s *source) scan(writing map[string]bool) {
	names, err := s.place.names(maxNames)
	if err != nil {
		s.f.o.Logger.Warn("cannot look through the folder", "error", err)
		return
	}
	present := make(map[string]bool, len(names))
	for _, name := range names {
		present[name] = true
		st, err := s.place.stat(name)
		if err != nil || st.Mode&unix.S_IFMT == unix.S_IFDIR {
			continue
		}
		quiet := s.f.times.seen
		switch {
		case st.Mode&unix.S_IFMT != unix.S_IFREG:
			quiet = 0
		case writing[name]:
			quiet = s.f.times.open
		}
		s.expect(name, &st, max(0, quiet-time.Since(time.Unix(st.Mtim.Unix()))))
	}
	maps.DeleteFunc(writing, func(name string, _ bool) bool { return !present[name] })
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	for name, of := range s.f.files {
		if !present[name] && of.unsettled == 0 && len(names) < maxNames {
			delete(s.f.files, name)
		}
	}
}

// expect makes a file due after a while, unless this content of it is known.
func (s *source) expect(name string, st *unix.Stat_t, wait time.Duration) {
	if st.Size == 0 && st.Mode&unix.S_IFMT == unix.S_IFREG {
		wait = max(wait, s.f.times.empty-time.Since(time.Unix(st.Mtim.Unix())))
	}
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	due := time.Now().Add(wait)
	if wait <= 0 {
		due = time.Unix(st.Mtim.Unix()) // the oldest comes first
	}
	switch of := s.f.files[name]; {
	case of == nil, of.unsettled == 0 && of.identity != identityOf(st):
		s.f.files[name] = &file{identity: identityOf(st), due: due}
	case !of.read && of.identity == identityOf(st) && due.Before(of.due):
		of.due = due
	}
}

// readDue reads every file that is due, the oldest first, and tells when the
// next one will be. An error is one that is not about a single file.
func (s *source) readDue(ctx context.Context) (next time.Duration, err error) {
	for ctx.Err() == nil {
		name, of, wait := s.nextDue()
		if wait > 0 {
			return wait, nil
		}
		if err := s.take(ctx, name, of); err != nil {
			return 0, err
		}
		s.finishSettled()
	}
	return time.Hour, nil
}

// nextDue gives the file to read now; wait > 0: none before that has passed.
func (s *source) nextDue() (name string, of *file, wait time.Duration) {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	if s.f.unsettle >= maxUnsettled {
		return "", nil, time.Hour // settling rouses the worker
	}
	for n, f := range s.f.files {
		if f.read {
			continue
		}
		if of == nil || cmp.Or(f.due.Compare(of.due), cmp.Compare(f.changed.Nano(), of.changed.Nano()), cmp.Compare(n, name)) < 0 {
			name, of = n, f
		}
	}
	if of == nil {
		return "", nil, time.Hour
	}
	return name, of, time.Until(of.due)
}

// forget lets a file be looked at anew.
func (s *source) forget(name string) {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	delete(s.f.files, name)
}

// take reads one file, if it still is what it was when it became due.
func (s *source) take(ctx context.Context, name string, of *file) error {
	st, err := s.place.stat(name)
	if err != nil {
		s.forget(name) // somebody took it away
		return nil
	}
	if now := identityOf(&st); now != of.identity { // it grows
		s.forget(name)
		s.expect(name, &st, s.f.times.seen)
		return nil
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		s.give(name, of, unread(name), failedNotFile)
		return nil
	}
	in, err := s.place.open(name)
	if err != nil {
		if of.attempts++; of.attempts < maxAttempts && (errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM)) {
			s.f.mu.Lock()
			of.due = time.Now().Add(s.f.times.denied)
			s.f.mu.Unlock()
			return nil
		}
		word := failedOpen
		if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
			word = failedDenied
		}
		s.give(name, of, unread(name), word)
		return nil
	}
	defer in.Close()
	s.say(tokenBegin)
	defer s.say(tokenEnd)
	scans, failed, err := s.f.o.Read(ctx, in)
	if err != nil || ctx.Err() != nil {
		s.forget(name)
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	if changed(in, of.identity) {
		s.forget(name)
		if st, err := s.place.stat(name); err == nil {
			s.expect(name, &st, s.f.times.seen)
		}
		return nil
	}
	s.give(name, of, scans, failed)
	return nil
}

// changed tells whether an open file is not what it was.
func changed(in *os.File, was identity) bool {
	var st unix.Stat_t
	return unix.Fstat(int(in.Fd()), &st) != nil || identityOf(&st) != was
}

// give hands the scans of a file to the framer.
func (s *source) give(name string, of *file, scans []devices.Scan, failed string) {
	f := s.f
	f.mu.Lock()
	of.read, of.failed = true, failed
	f.stats.Bytes += uint64(of.size)
	tokens := make([]byte, 0, len(scans))
	for _, scan := range scans {
		if scan.Page == nil {
			scan.Page = &devices.Page{}
		}
		scan.Page.File = name
		settled := false
		scan.Page.Settle = func(kept bool) {
			f.mu.Lock()
			again := settled
			settled = true
			f.mu.Unlock()
			if !again {
				f.settle(name, of, kept)
			}
		}
		of.unsettled++
		f.unsettle++
		f.ready = append(f.ready, scan)
		tokens = append(tokens, tokenScan)
	}
	f.mu.Unlock()
	s.say(tokens...)
}

// unread is the scan of a file that was not opened.
func unread(name string) []devices.Scan {
	now := time.Now()
	return []devices.Scan{{Status: devices.Unread, Mode: devices.Picture, Lines: []string{}, First: now, Last: now,
		Page: &devices.Page{File: name, Findings: slices.Clone(notOpened)}}}
}

// finishSettled takes the files out of the folder whose scans are settled.
func (s *source) finishSettled() {
	s.f.mu.Lock()
	over := map[string]*file{}
	for name, of := range s.f.files {
		switch {
		case !of.read || of.unsettled > 0:
		case of.again:
			// It could not be recorded: once more, later.
			s.f.files[name] = &file{identity: of.identity, due: time.Now().Add(s.f.times.notKept)}
		default:
			over[name] = of
		}
	}
	s.f.mu.Unlock()
	for name, of := range over {
		s.f.finish(s.place, name, of)
	}
}

// finish takes a file out of the folder, if it is still the one that was read.
func (f *Folder) finish(p *place, name string, of *file) {
	st, err := p.stat(name)
	switch {
	case errors.Is(err, unix.ENOENT), err == nil && identityOf(&st) != of.identity:
		err = nil
	case err != nil:
	case of.failed == "" && f.o.Remove:
		err = p.remove(name)
	default:
		err = p.move(name, of.failed)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		if f.files[name] == of {
			delete(f.files, name)
		}
		return
	}
	if !of.warned {
		of.warned = true
		f.o.Logger.Warn("a file that was read cannot be moved; it stays, and is read again after a restart", "error", err)
	}
}
