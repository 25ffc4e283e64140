package frame

import (
	"bytes"
	"time"

	"lintas/devices"
)

// A magnetic track is `%…?` or `;…?` (ISO/IEC 7811-6 and 7813), made of the
// characters from space to underscore. What it holds is a bank card or another
// country's licence and no business of ours: the runs inside it are dropped.
//
// A '%' or ';' can also be noise that happens to stand before a zone, and a
// document must not be lost for that. No track holds a '<': a run with one is
// taken if it is a line, and is of a damaged track otherwise.

// inTrack takes a byte of a track that is not a zone character.
func (f *Framer) inTrack(now time.Time, c byte, emit func(devices.Scan)) {
	if kind := class[c]; kind != lineEnd {
		f.stats.Noise++
	}
	switch {
	case c == '?':
		f.endTrack()
	case c < ' ' || c > '_':
		f.endTrack()
		f.envelope(c, emit)
	default:
		f.dropRun()
		f.last = now
	}
}

// endTrack ends a track, with or without an end sentinel.
func (f *Framer) endTrack() {
	f.dropRun()
	f.track = false
	f.stats.Tracks++
}

// holdsLine says whether there is a line in the run that nothing but a zone can
// hold.
func (f *Framer) holdsLine() bool {
	if bytes.IndexByte(f.run[:f.length], '<') < 0 {
		return false
	}
	s := f.split()
	for _, p := range s.list[:s.n] {
		if p.line() {
			return true
		}
	}
	return false
}

// dropRun forgets the run.
func (f *Framer) dropRun() {
	f.stats.Noise += uint64(f.length)
	f.length, f.trimmed, f.doubted = 0, false, false
}
