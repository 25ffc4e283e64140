package frame

import (
	"bytes"
	"time"

	"lintas/devices"
)

// A magnetic track is `%…?` or `;…?` (ISO/IEC 7811-6 and 7813), made of the
// characters from space to underscore. What it holds is a bank card or another
// country's licence and no business of ours: the run inside it is dropped.
//
// A '%' or ';' can also be noise that happens to stand before a zone, and a
// document must not be lost for that. Therefore a track that is ended by
// anything but '?' gives back the run that stands at its end if that is a whole
// line with a filler in it. No track holds one: '<' is not used in them. A '?'
// behind a filler is a character that was not read.

// endsTrack says whether a '?' ends a track.
func (f *Framer) endsTrack() bool {
	if f.track && bytes.IndexByte(f.run[:f.length], '<') >= 0 {
		f.track = false
	}
	return f.track
}

// inTrack takes a byte of a track that is not a zone character.
func (f *Framer) inTrack(now time.Time, c byte, emit func(devices.Scan)) {
	if kind := class[c]; kind != lineEnd {
		f.stats.Noise++
	}
	switch {
	case c == '?':
		f.dropRun()
		f.track = false
		f.stats.Tracks++
	case c < ' ' || c > '_':
		f.endTrack(emit)
		f.envelope(c, emit)
	default:
		f.dropRun()
		f.last = now
	}
}

// endTrack ends a track without an end sentinel.
func (f *Framer) endTrack(emit func(devices.Scan)) {
	f.track = false
	if f.holdsLine() {
		f.endRun(emit)
		return
	}
	f.dropRun()
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
	f.length, f.trimmed = 0, false
}
