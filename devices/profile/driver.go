package profile

import (
	"io"
	"strings"
	"time"

	"lintas/devices"
	"lintas/devices/frame"
)

// A Driver frames the bytes of a reader of its profile and knows what to say to
// it. It promises what devices.Framer asks.
type Driver struct {
	*frame.Framer
	profile  Profile
	envelope envelope
	begun    bool // the byte before began a message: this one is its length
}

// signs begin a magnetic track or an AIM identifier, but not where a length
// stands.
const signs = "%;]"

var (
	_ devices.Rearmer   = (*Driver)(nil)
	_ devices.Signaller = (*Driver)(nil)
)

// envelope looks at the bytes of a message before they are framed.
type envelope interface {
	// next takes a byte. Begins: with the byte before it, which is no character of
	// a document, a message has begun. Ends: with it one has ended.
	next(c byte) (begins, ends bool)
	// badSums counts messages whose checksum was wrong.
	badSums() uint64
	// reset forgets a message that was begun, after a silence.
	reset()
}

// New makes the driver of a reader of profile p.
func New(p Profile, o frame.Options) *Driver {
	d := &Driver{Framer: frame.New(o), profile: p}
	switch p.Frame {
	case Lengths:
		d.envelope = new(lengths)
	case Sums:
		d.envelope = new(sums)
	}
	return d
}

// Push takes bytes read at the time now.
func (d *Driver) Push(now time.Time, b []byte, emit func(devices.Scan)) {
	if d.envelope == nil {
		d.Framer.Push(now, b, emit)
		return
	}
	if due, held := d.Framer.Deadline(); held && !now.Before(due) {
		d.Idle(now, emit)
	}
	from := 0
	for i, c := range b {
		begins, ends := d.envelope.next(c)
		if begins {
			d.Framer.Push(now, b[from:i], emit)
			d.Framer.Break(1, emit)
			from = i
		}
		if d.begun && strings.IndexByte(signs, c) >= 0 { // a length that looks like the beginning of something
			d.Framer.Push(now, b[from:i], emit)
			d.Framer.Push(now, []byte{0}, emit)
			from = i + 1
		}
		d.begun = begins
		if ends {
			d.Framer.Push(now, b[from:i+1], emit)
			d.Framer.End(emit)
			from = i + 1
		}
	}
	d.Framer.Push(now, b[from:], emit)
}

// Idle says that the line has been silent.
func (d *Driver) Idle(now time.Time, emit func(devices.Scan)) {
	if d.envelope != nil {
		d.envelope.reset()
		d.begun = false
	}
	d.Framer.Idle(now, emit)
}

// Stats counts since the Driver was made.
func (d *Driver) Stats() devices.Stats {
	s := d.Framer.Stats()
	if d.envelope != nil {
		s.BadSums = d.envelope.badSums()
	}
	return s
}

// Arm makes the reader read.
func (d *Driver) Arm(w io.Writer) error { return say(w, d.profile.Arm) }

// ArmAgain is how long the reader stays armed when no document comes.
func (d *Driver) ArmAgain() time.Duration {
	if len(d.profile.Arm) == 0 {
		return 0
	}
	return d.profile.Again
}

// Signal lets the reader beep.
func (d *Driver) Signal(w io.Writer, s devices.Signal) error {
	switch s {
	case devices.Good:
		return say(w, d.profile.Good)
	case devices.Bad:
		return say(w, d.profile.Bad)
	case devices.Ignore:
		return say(w, d.profile.Ignore)
	}
	return nil
}

func say(w io.Writer, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	_, err := w.Write(b)
	return err
}
