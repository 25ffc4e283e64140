// Package hidpos reads scanners of the USB class for points of sale (HID Point of
// Sale Usage Tables 1.02, usage page 0x8C, "Bar Code Scanner") through hidraw.
//
// Such a scanner sends reports of fixed size. What stands where in them it says
// itself, in its report descriptor; makers differ, so the descriptor is read and
// nothing is assumed. One maker's report of 64 bytes:
//
//	02 │ 2D │ 5D 6F 31 │ P < U T O … │ 00 00 │ 01
//	id   n    AIM "]o1"  n of 56 bytes          bit 0: the next report goes on
//
// Open gives a stream of records. The first is the descriptor, so that a stream,
// and a recording of it, can be understood by itself:
//
//	'D' length uint16 (little-endian) report descriptor
//	'R' length uint16 (little-endian) input report, with its number in front if it has one
//
// A Framer takes the text out of the reports and leaves it to a framer of text.
// The end of a message ends a line. What kind of barcode the scanner has read, if
// it is one, stands in front of the text as on a serial line: an AIM identifier
// (ISO/IEC 15424).
//
// The package promises that no descriptor and no report makes it fail or hold
// more than one record, and that nothing that was read is part of an error.
package hidpos

import (
	"encoding/binary"
	"errors"
	"io"
	"time"

	"lintas/devices"
)

const (
	recordDescriptor = 'D'
	recordReport     = 'R'

	// headerSize is that of the record's kind and length.
	headerSize = 3

	// maxRecord bounds a record: no kernel hands over longer descriptors (4096,
	// HID_MAX_DESCRIPTOR_SIZE) or reports.
	maxRecord = 16384

	// DefaultGap is the silence after which a message is over, if it has no end.
	DefaultGap = 250 * time.Millisecond
)

// Options adjust a Framer.
type Options struct {
	// Gap is the silence that ends a document and a message; 0: DefaultGap.
	Gap time.Duration
	// Text makes the framer of the text. Needed.
	Text func() devices.Framer
}

// Framer turns records into scans. It is a Driver: a scanner that has a trigger
// report is told to read.
type Framer struct {
	gap    time.Duration
	text   devices.Framer
	layout Layout

	header [headerSize]byte
	have   int    // bytes of the header, then of the record
	record []byte // of maxRecord at most
	want   int    // its length

	open    bool // a message goes on
	last    time.Time
	ignored devices.Stats // bytes that are not text
}

var _ devices.Driver = (*Framer)(nil)

// New makes a Framer.
func New(o Options) *Framer {
	if o.Gap <= 0 {
		o.Gap = DefaultGap
	}
	return &Framer{gap: o.Gap, text: o.Text()}
}

// Push takes records that were read at the time now.
func (f *Framer) Push(now time.Time, b []byte, emit func(devices.Scan)) {
	if due, held := f.Deadline(); held && !now.Before(due) {
		f.Idle(now, emit)
	}
	for len(b) > 0 {
		if f.have < headerSize {
			f.header[f.have] = b[0]
			b = b[1:]
			f.begin()
			continue
		}
		n := min(len(b), f.want-len(f.record))
		f.record = append(f.record, b[:n]...)
		b = b[n:]
		if len(f.record) < f.want {
			return
		}
		f.have = 0
		f.take(now, f.header[0], f.record, emit)
	}
}

// begin takes the byte of a header that was just added. One that begins no
// record is noise.
func (f *Framer) begin() {
	f.have++
	switch f.have {
	case 1:
		if f.header[0] != recordDescriptor && f.header[0] != recordReport {
			f.have = 0
			f.noise(1)
		}
	case headerSize:
		f.want = int(binary.LittleEndian.Uint16(f.header[1:]))
		f.record = f.record[:0]
		if f.want == 0 || f.want > maxRecord {
			f.have = 0
			f.noise(headerSize)
		}
	}
}

func (f *Framer) noise(n int) {
	f.ignored.Bytes += uint64(n)
	f.ignored.Noise += uint64(n)
}

// take takes a whole record.
func (f *Framer) take(now time.Time, kind byte, record []byte, emit func(devices.Scan)) {
	if kind == recordDescriptor {
		layout, err := ParseLayout(record)
		if err != nil {
			f.noise(len(record))
			return
		}
		f.layout = layout
		return
	}
	m, ok := f.layout.message(record)
	if !ok {
		f.noise(len(record))
		return
	}
	f.last = now
	if !f.open && m.aim[0] == ']' && m.aim[1] != 'o' { // ]o is OCR: text as it stands
		f.text.Push(now, m.aim[:], emit)
	}
	f.text.Push(now, m.text, emit)
	if f.open = m.more; !f.open {
		f.text.Push(now, []byte{'\r'}, emit)
	}
}

// Idle says that nothing more comes: a message without an end is over.
func (f *Framer) Idle(now time.Time, emit func(devices.Scan)) {
	f.open = false
	f.text.Idle(now, emit)
}

// Deadline is when Idle is due.
func (f *Framer) Deadline() (time.Time, bool) {
	due, held := f.text.Deadline()
	if f.open && (!held || due.Before(f.last.Add(f.gap))) {
		return f.last.Add(f.gap), true
	}
	return due, held
}

// Stats counts the text, and as noise what was no text.
func (f *Framer) Stats() devices.Stats { return f.text.Stats().Plus(f.ignored) }

// Arm tells a scanner to read that has a report for it. One that does not take
// the report reads by itself, or shows that it is gone when it is read.
func (f *Framer) Arm(w io.Writer) error {
	layout := f.layout
	for inner := any(w); ; { // nothing has been read yet when a scanner is armed first
		if d, ok := inner.(interface{ Descriptor() []byte }); ok {
			if l, err := ParseLayout(d.Descriptor()); err == nil {
				layout = l
			}
			break
		}
		u, ok := inner.(interface{ Unwrap() devices.Source })
		if !ok {
			break
		}
		inner = u.Unwrap()
	}
	report := layout.Trigger()
	if report == nil {
		return nil
	}
	if _, err := w.Write(report); errors.Is(err, devices.ErrUnplugged) {
		return err
	}
	return nil
}
