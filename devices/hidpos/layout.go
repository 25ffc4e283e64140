package hidpos

import (
	"errors"
	"slices"
)

// The usages that matter (HID Point of Sale Usage Tables 1.02, section 4; byte
// count: HID Usage Tables, Generic Desktop page).
const (
	usageByteCount   = 0x01<<16 | 0x3b
	usageInitiate    = 0x8c<<16 | 0x60 // Initiate Barcode Read
	usageTrigger     = 0x8c<<16 | 0x61 // Trigger State
	usageSymbology1  = 0x8c<<16 | 0xfb
	usageSymbology2  = 0x8c<<16 | 0xfc
	usageSymbology3  = 0x8c<<16 | 0xfd
	usageDecodedData = 0x8c<<16 | 0xfe
	usageContinued   = 0x8c<<16 | 0xff
)

// A Layout says where in the reports of one scanner the text stands. The zero
// value knows no reports.
type Layout struct {
	numbered bool
	reports  []report
	trigger  []byte
}

// report is an input report with text. A field with Count 0 is not in it.
type report struct {
	number    uint8
	data      Field
	length    Field
	symbology [3]Field
	more      Field
}

// ErrNoScanner: the descriptor is not that of a scanner of this class.
var ErrNoScanner = errors.New("it has no report with decoded data")

// ParseLayout finds the text in what a report descriptor describes.
func ParseLayout(descriptor []byte) (Layout, error) {
	d, err := Parse(descriptor)
	if err != nil {
		return Layout{}, err
	}
	l := Layout{numbered: d.Numbered, trigger: d.trigger()}
	for _, f := range d.Fields {
		if f.Kind == Input && f.Usage == usageDecodedData && f.Size == 8 && f.Bit%8 == 0 {
			l.reports = append(l.reports, d.textReport(f))
		}
	}
	if len(l.reports) == 0 {
		return Layout{}, ErrNoScanner
	}
	return l, nil
}

// textReport describes the report that data stands in.
func (d *Descriptor) textReport(data Field) report {
	r := report{number: data.Report, data: data}
	for _, f := range d.Fields {
		if f.Kind != Input || f.Report != data.Report {
			continue
		}
		switch f.Usage {
		case usageByteCount:
			r.length = f
		case usageSymbology1, usageSymbology2, usageSymbology3:
			first := int(f.Usage - usageSymbology1)
			for i := range min(f.Count, 3-first) { // one usage for all three is the first's
				r.symbology[first+i] = Field{Bit: f.Bit + i*f.Size, Size: f.Size, Count: 1}
			}
		case usageContinued:
			r.more = f
		}
	}
	return r
}

// trigger is the output report that makes the scanner read, nil if it has none.
func (d *Descriptor) trigger() []byte {
	for _, usage := range []uint32{usageInitiate, usageTrigger} {
		i := slices.IndexFunc(d.Fields, func(f Field) bool { return f.Kind == Output && f.Usage == usage })
		if i < 0 {
			continue
		}
		f := d.Fields[i]
		report := make([]byte, 1+(d.Bits[Output][f.Report]+7)/8)
		report[0] = f.Report
		report[1+f.Bit/8] |= 1 << (f.Bit % 8)
		return report
	}
	return nil
}

// Trigger is the output report, its number in front, that tells the scanner to
// read; nil if the scanner has none.
func (l Layout) Trigger() []byte { return slices.Clone(l.trigger) }

// message is what one report carries.
type message struct {
	aim  [3]byte // 0: not known
	text []byte
	more bool // the next report goes on
}

// message reads an input report. A report that is shorter than it should be has
// zeros at its end; a length beyond it is cut.
func (l Layout) message(b []byte) (m message, ok bool) {
	var number uint8
	if l.numbered {
		if len(b) == 0 {
			return m, false
		}
		number, b = b[0], b[1:]
	}
	i := slices.IndexFunc(l.reports, func(r report) bool { return r.number == number })
	if i < 0 {
		return m, false
	}
	r := &l.reports[i]
	start := r.data.Bit / 8
	if start >= len(b) {
		return m, false
	}
	m.text = b[start:min(start+r.data.Count, len(b))]
	if r.length.Count > 0 {
		m.text = m.text[:min(uint32(len(m.text)), r.length.value(b))]
	} else {
		for len(m.text) > 0 && m.text[len(m.text)-1] == 0 {
			m.text = m.text[:len(m.text)-1]
		}
	}
	for i, f := range r.symbology {
		m.aim[i] = byte(f.value(b))
	}
	m.more = r.more.value(b) != 0
	return m, true
}

// value is the first element of a field, 0 if the report does not reach it.
func (f Field) value(b []byte) (v uint32) {
	if f.Count == 0 {
		return 0
	}
	for i := range f.Size {
		if bit := f.Bit + i; bit/8 < len(b) && b[bit/8]&(1<<(bit%8)) != 0 {
			v |= 1 << i
		}
	}
	return v
}
