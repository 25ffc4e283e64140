package sqlite

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"time"

	"lintas/queue"
)

// An anchor is a small file outside the database that says how far the chain
// had come. A database that was deleted, or replaced by an older copy of
// itself, is sound; only something beside it can tell.
//
// The file holds two slots that are written in turn, each with a checksum: a
// write that is cut in half leaves the other one. It is not synced, because it
// may lag behind the database; it must only never be ahead of it. So it is
// written after the commit that it tells of, and what it says of the watermark,
// whose commit is not synced either, is only used to send more again.
//
//	0   8  magic        "LntAnch1"
//	8   8  generation   the slot with the higher one is the newer
//	16 16  epoch
//	32  8  sequence     of the last event
//	40 32  hash         of the last event
//	72  8  through      sequence up to which all is acknowledged
//	80  8  ack time     Unix milliseconds, 0: none
//	88  8  written      Unix milliseconds
//	96  8  first        position of sequence 1 in the database
//	104 32 SHA-256 of the above
type anchor struct {
	path       string
	file       *os.File // nil: it could not be opened
	generation uint64
	err        error // why it could not be written last
}

// anchored is what an anchor says.
type anchored struct {
	head    queue.Head
	first   int64
	through uint64
	ackTime time.Time
	written time.Time
}

const (
	anchorMagic    = "LntAnch1"
	anchorSummed   = 104
	anchorSlot     = anchorSummed + sha256.Size
	anchorDistance = 512 // between slots: a sector is written wholly or not at all
)

// openAnchor reads the anchor file at path. There tells whether the file
// exists; known is nil if nothing can be read from it. The error is only about
// writing it later.
func openAnchor(path string) (a *anchor, known *anchored, there bool) {
	if path == "" {
		return nil, nil, false
	}
	a = &anchor{path: path}
	b, err := os.ReadFile(path)
	there = err == nil
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		a.err = err
	}
	for slot := range 2 {
		if from := slot * anchorDistance; len(b) >= from+anchorSlot {
			if s, generation, ok := decodeAnchor(b[from : from+anchorSlot]); ok && generation > a.generation {
				a.generation, known = generation, s
			}
		}
	}
	return a, known, there
}

// ReadAnchor tells what an anchor says of the end of the chain, to somebody who
// only reads. It may lag behind the database, so read it first.
func ReadAnchor(path string) (head queue.Head, ok bool) {
	_, known, _ := openAnchor(path)
	if known == nil {
		return head, false
	}
	return known.head, true
}

func decodeAnchor(b []byte) (s *anchored, generation uint64, ok bool) {
	if string(b[:8]) != anchorMagic || [sha256.Size]byte(b[anchorSummed:]) != sha256.Sum256(b[:anchorSummed]) {
		return nil, 0, false
	}
	u := binary.LittleEndian.Uint64
	s = &anchored{
		head:    queue.Head{Epoch: queue.Epoch(b[16:32]), Sequence: u(b[32:]), Hash: queue.Hash(b[40:72])},
		through: u(b[72:]), ackTime: fromMillis(int64(u(b[80:]))), written: fromMillis(int64(u(b[88:]))),
		first: int64(u(b[96:])),
	}
	return s, u(b[8:]), true
}

// write puts the next slot down. Without an anchor it does nothing.
func (a *anchor) write(s anchored) {
	if a == nil {
		return
	}
	if a.file == nil {
		if a.err = a.create(); a.err != nil {
			return
		}
	}
	var b [anchorSlot]byte
	le := binary.LittleEndian
	copy(b[:], anchorMagic)
	le.PutUint64(b[8:], a.generation+1)
	copy(b[16:], s.head.Epoch[:])
	le.PutUint64(b[32:], s.head.Sequence)
	copy(b[40:], s.head.Hash[:])
	le.PutUint64(b[72:], s.through)
	le.PutUint64(b[80:], uint64(millis(s.ackTime)))
	le.PutUint64(b[88:], uint64(time.Now().UnixMilli()))
	le.PutUint64(b[96:], uint64(s.first))
	sum := sha256.Sum256(b[:anchorSummed])
	copy(b[anchorSummed:], sum[:])
	if _, a.err = a.file.WriteAt(b[:], int64((a.generation+1)%2)*anchorDistance); a.err == nil {
		a.generation++
	}
}

// create opens the file for writing and makes its name durable once.
func (a *anchor) create() (err error) {
	if a.file, err = os.OpenFile(a.path, os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		a.file = nil
		return err
	}
	return SyncDir(filepath.Dir(a.path))
}

func (a *anchor) close() {
	if a != nil && a.file != nil {
		a.file.Sync() // an orderly end leaves it whole; nothing hangs on it
		a.file.Close()
		a.file = nil
	}
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
