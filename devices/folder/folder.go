// Package folder is a scanner that is a folder: a page scanner, or somebody,
// drops files in it, and each becomes the scans of what is on it.
//
//	folder/scan-1.pdf ──► Options.Read ──► scans ──► receiver ──► Settle
//	                                                                │
//	folder/done/scan-1.pdf  ◄── moved, or removed ──────────────────┤
//	folder/failed/scan-1.no-zone.pdf  ◄── could not be read ────────┘
//
// New files are noticed at once (inotify), and by looking through the folder
// every few seconds: that finds what was there before, what a server's share
// does not tell of, and what was missed.
//
// The package promises:
//
//   - Only complete files are read: a file counts when its writer has closed it
//     or has renamed it to its place, or, if nobody saw that, when it has not
//     changed for a while. One that changes while it is read is read anew. Names
//     that begin with a dot, names of unfinished downloads, and subfolders are
//     left alone.
//   - Links, pipes and devices are not opened. Files are opened relative to the
//     folder and never through a link that stands in it.
//   - A file leaves the folder when all of its scans are settled, that is, when
//     their receiver has made them durable, and not before: after a crash in
//     between it is read again. So every file is given at least once, and once
//     only while the process lives and the folder can be written. A file that
//     cannot be moved, on a full disk, stays and is not read again by this
//     process; moving it is tried again.
//   - Nothing is overwritten: a name that is taken in done or failed gets a
//     number. A file that could not be read is never removed.
//   - No file's name is logged: it may name a traveller.
//
// It does not look at what is in a file; that is for Options.Read. It does not
// clear done and failed.
package folder

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"lintas/devices"
)

// The folders that a file goes to.
const (
	Done   = "done"
	Failed = "failed"
)

// Options of a Folder. Dir and Read are needed.
type Options struct {
	Dir string
	// Remove: files that were read are removed, not kept in done.
	Remove bool
	// Read reads one file. Every file gives at least one scan, be it one with the
	// status Unread. failed is a word for why the file is to be put aside; "":
	// it was read. An error leaves the file where it is, to be read later.
	Read func(ctx context.Context, file *os.File) (scans []devices.Scan, failed string, err error)
	// Rescan is how often the folder is looked through; 0: 5 s.
	Rescan time.Duration
	// Logger is told of files that cannot be moved; nil: nobody.
	Logger *slog.Logger
}

const (
	defaultRescan = 5 * time.Second
	// maxUnsettled bounds the scans on their way to the receiver. It is below
	// what a Reader's line holds, so that none is ever refused there.
	maxUnsettled = 32
)

// Folder is a folder that is read. Its methods Open and Framer are those of one
// devices.Reader.
type Folder struct {
	o     Options
	times times

	mu       sync.Mutex // guards what follows
	session  *source    // nil: none is open
	files    map[string]*file
	ready    []devices.Scan // handed to the framer one by one, see source.Read
	unsettle int            // scans of files that were read and are not settled
	given    int            // those of them that the framer was given
	stats    devices.Stats  // of this session
}

// file is what is known of a file by its name.
type file struct {
	identity
	unsettled int    // scans that are given and not settled
	failed    string // why it could not be read
	read      bool   // its scans are given
	again     bool   // a scan of it was not kept
	warned    bool   // that it cannot be moved was told
	attempts  int    // to open it
	due       time.Time
}

// New makes a folder; nothing is opened before Open. It panics without Dir or
// Read.
func New(o Options) *Folder {
	if o.Dir == "" || o.Read == nil {
		panic("folder: Options.Dir or Options.Read is missing")
	}
	if o.Rescan <= 0 {
		o.Rescan = defaultRescan
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Folder{o: o, times: usualTimes, files: map[string]*file{}}
}

// Open begins to watch the folder. It fails with devices.ErrAbsent if there is
// none, and with devices.ErrDenied if files cannot be taken out of it.
func (f *Folder) Open(ctx context.Context) (devices.Source, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f.mu.Lock()
	busy := f.session != nil
	f.mu.Unlock()
	if busy {
		return nil, fmt.Errorf("cannot watch folder %s: %w", f.o.Dir, devices.ErrBusy)
	}
	place, err := openPlace(f.o.Dir)
	if err != nil {
		return nil, fmt.Errorf("cannot watch folder %s: %w", f.o.Dir, err)
	}
	return f.begin(place), nil
}

// settle notes that the receiver is done with a scan of a file.
func (f *Folder) settle(name string, of *file, kept bool) {
	f.mu.Lock()
	of.unsettled--
	f.unsettle--
	f.given--
	of.again = of.again || !kept
	s := f.session
	over := of.unsettled == 0 && !of.again
	f.mu.Unlock()
	switch {
	case s != nil:
		s.change(func() {}) // Read may wait for this
		s.rouse()
	case over:
		// The folder is not watched any more; this is the last chance.
		if place, err := openPlace(f.o.Dir); err == nil {
			f.finish(place, name, of)
			place.close()
		}
	}
}
