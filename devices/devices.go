// Package devices reads travellers' documents from the scanners of a counter.
//
// A scanner is an Opener, which finds and opens it, and a Framer, which cuts
// its bytes into scans. A Reader puts the two together and keeps one scanner
// alive:
//
//	Opener ── Source ── bytes ──► Framer ── Scan ──► line of 64 ──► channel
//	  ▲                                                 (Reader)
//	  └── again, when the scanner is unplugged, busy or not there yet
//
// What a scanner is connected by, and whether it is there, is for packages
// serial, wedge, hidpos and folder, and for package plug; package tee serves a
// second program with the same bytes.
//
// The package does not know what a document says. A Scan is the text of a
// machine-readable zone as the scanner sent it, and whether all of its lines
// are there; package mrz judges the content.
//
// It promises that
//
//   - a scanner that is missing, busy or pulled out is never a reason to stop:
//     Run comes back to it until its context ends,
//   - a scanner that reads badly is noticed from what comes, and said in words,
//   - whoever takes the scans can be slow without a byte being lost on the
//     wire; when 64 scans wait the oldest are kept, further ones are counted
//     as lost, and the scanner's state says so,
//   - nothing that was read from a document is ever logged.
//
// It does not promise that a scan survives the process: a scan is durable only
// when its receiver has made it so.
package devices

import (
	"context"
	"errors"
	"io"
	"time"
)

// What an Opener or a Source can report. Their errors wrap one of these, so
// that State can tell the officer what is the matter; any other error is a
// scanner that has failed.
var (
	// ErrAbsent: there is no device at the place that was named.
	ErrAbsent = errors.New("the device is not there")
	// ErrDenied: the device is there, but this process may not use it.
	ErrDenied = errors.New("access is denied")
	// ErrBusy: another program is using the device.
	ErrBusy = errors.New("the device is in use")
	// ErrWrongKind: what is there is not the kind of device that is expected.
	ErrWrongKind = errors.New("it is the wrong kind of device")
	// ErrUnplugged: the device was open and has gone away.
	ErrUnplugged = errors.New("the device was unplugged")
)

// A Source is an open scanner: a serial port, an input device, a folder that
// is watched, a recording.
//
// Read waits for bytes and returns at least one byte or an error, never
// neither. It fails with ErrUnplugged when the device is gone and with
// os.ErrDeadlineExceeded when the read deadline has passed; after the latter
// it can be called again. A deadline in the past ends a Read that is waiting,
// and the zero time means no deadline. SetReadDeadline and Close may be called
// while another goroutine reads; Close ends that Read.
//
// Write returns within a bounded time. It fails with errors.ErrUnsupported if
// nothing can be said to the device.
type Source interface {
	Read(p []byte) (int, error)
	SetReadDeadline(t time.Time) error
	io.WriteCloser
}

// An Opener opens a scanner. It may wait for one to appear, but returns when
// ctx ends. The caller closes the Source.
type Opener func(ctx context.Context) (Source, error)

// A Framer cuts the bytes of one scanner into scans. It does no input or
// output, has no clock and no goroutine, and holds a bounded number of bytes
// whatever it is given: the same bytes give the same scans however they are
// cut into pieces. It is used by one goroutine at a time, and for one session
// with the scanner.
//
// It fills in Lines, Status, First and Last of a Scan. Emit must not call the
// Framer; b belongs to the caller again when Push returns.
type Framer interface {
	// Push takes the bytes that were read at the time now.
	Push(now time.Time, b []byte, emit func(Scan))
	// Idle says that nothing more belongs to what was pushed so far, because
	// the line has been silent until Deadline or the source has ended. All
	// that is held is emitted, or dropped as noise.
	Idle(now time.Time, emit func(Scan))
	// Deadline is the time at which Idle is due if nothing is pushed before;
	// false if nothing is held.
	Deadline() (time.Time, bool)
	// Stats counts since the Framer was made.
	Stats() Stats
}

// A Driver is a Framer for a scanner that must be told to read: what the
// content of the bytes cannot tell. A scanner that speaks by itself needs only
// a Framer. One that can also beep or light a lamp says so by Signaller.
type Driver interface {
	Framer
	// Arm makes the scanner ready to read. It is called after the scanner was
	// opened and again after each scan, because some switch themselves off
	// after a good read. If it fails the scanner is closed and opened anew.
	Arm(w io.Writer) error
}

// Stats counts what a Framer has seen. It tells a technician what is wrong
// with a line without showing anything that was on it.
type Stats struct {
	Bytes    uint64 `json:"bytes"`    // all bytes
	Noise    uint64 `json:"noise"`    // bytes that were neither line ends nor in a scan
	HighBit  uint64 `json:"high_bit"` // bytes above 0x7F: a sign of wrong parity or speed
	Complete uint64 `json:"complete"` // scans with all of their lines
	Partial  uint64 `json:"partial"`  // scans with something missing
	Tracks   uint64 `json:"tracks"`   // magnetic tracks, dropped
	Passes   uint64 `json:"passes"`   // boarding passes
	Barcodes uint64 `json:"barcodes"` // other barcodes that could be named
	BadSums  uint64 `json:"bad_sums"` // messages whose own checksum was wrong, read all the same
}

// minus is what has been counted since t was.
func (s Stats) minus(t Stats) Stats {
	s.Bytes -= t.Bytes
	s.Noise -= t.Noise
	s.HighBit -= t.HighBit
	s.Complete -= t.Complete
	s.Partial -= t.Partial
	s.Tracks -= t.Tracks
	s.Passes -= t.Passes
	s.Barcodes -= t.Barcodes
	s.BadSums -= t.BadSums
	return s
}

// Plus is the sum of two counts.
func (s Stats) Plus(t Stats) Stats {
	s.Bytes += t.Bytes
	s.Noise += t.Noise
	s.HighBit += t.HighBit
	s.Complete += t.Complete
	s.Partial += t.Partial
	s.Tracks += t.Tracks
	s.Passes += t.Passes
	s.Barcodes += t.Barcodes
	s.BadSums += t.BadSums
	return s
}
