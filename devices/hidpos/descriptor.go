package hidpos

import (
	"errors"
	"fmt"
)

// The bounds of a report descriptor. The kernel's are wider; no scanner comes
// near these.
const (
	maxDescriptor = 4096
	maxFields     = 1024
	maxUsages     = 1024 // of one main item
	maxDepth      = 16   // of collections, and of pushed states
	maxSize       = 32   // bits of an element
	maxReport     = 8192 // bits of a report
)

// The kinds of reports.
const (
	Input   = 0
	Output  = 1
	Feature = 2
)

// A Field is a sequence of elements of one report that have the same usage.
type Field struct {
	Kind   int    // Input, Output or Feature
	Report uint8  // its number; 0 if reports have none
	Usage  uint32 // usage page << 16 | usage
	Bit    int    // of the first element, counted from the report's first byte after the number
	Size   int    // bits of an element
	Count  int
}

// A Descriptor is what a report descriptor says (Device Class Definition for HID
// 1.11, section 6.2.2).
type Descriptor struct {
	Fields   []Field // without padding, in order
	Numbered bool    // a report begins with its number
	Bits     [3]map[uint8]int
}

// The types of items, and their tags.
const (
	typeMain   = 0
	typeGlobal = 1
	typeLocal  = 2

	tagInput         = 8
	tagOutput        = 9
	tagCollection    = 10
	tagFeature       = 11
	tagEndCollection = 12

	tagUsagePage   = 0
	tagReportSize  = 7
	tagReportID    = 8
	tagReportCount = 9
	tagPush        = 10
	tagPop         = 11

	tagUsage        = 0
	tagUsageMinimum = 1
	tagUsageMaximum = 2

	longItem = 0xfe

	flagConstant = 1
	flagVariable = 2
)

// global is the state that Push keeps and Pop brings back.
type global struct {
	page        uint32
	size, count int
	report      uint8
}

// parser walks through a descriptor.
type parser struct {
	Descriptor
	global
	stack  []global
	depth  int
	usages []uint32 // each with its page
	from   uint32   // of a range that has begun
	ranged bool
}

// Parse reads a report descriptor. It fails if the descriptor contradicts itself
// or goes beyond the bounds, and then says at which byte.
func Parse(b []byte) (Descriptor, error) {
	if len(b) > maxDescriptor {
		return Descriptor{}, fmt.Errorf("cannot read the report descriptor: it has %d bytes, more than %d", len(b), maxDescriptor)
	}
	var p parser
	for kind := range p.Bits {
		p.Bits[kind] = map[uint8]int{}
	}
	for at := 0; at < len(b); {
		n, err := p.item(b[at:])
		if err != nil {
			return Descriptor{}, fmt.Errorf("cannot read the report descriptor at byte %d: %w", at+1, err)
		}
		at += n
	}
	if p.depth != 0 {
		return Descriptor{}, errors.New("cannot read the report descriptor: a collection has no end")
	}
	return p.Descriptor, nil
}

var errCut = errors.New("an item is cut off")

// item takes one item and returns its length.
func (p *parser) item(b []byte) (int, error) {
	prefix := b[0]
	if prefix == longItem {
		if len(b) < 3 || len(b) < 3+int(b[1]) {
			return 0, errCut
		}
		return 3 + int(b[1]), nil // there are none with a meaning
	}
	size := int(prefix & 3)
	if size == 3 {
		size = 4
	}
	if len(b) < 1+size {
		return 0, errCut
	}
	var value uint32
	for i := range size {
		value |= uint32(b[1+i]) << (8 * i)
	}
	var err error
	switch tag := prefix >> 4; prefix >> 2 & 3 {
	case typeMain:
		err = p.main(tag, value)
		p.usages, p.ranged = p.usages[:0], false
	case typeGlobal:
		err = p.globally(tag, value)
	case typeLocal:
		err = p.local(tag, value, size)
	default:
		err = errors.New("a reserved kind of item")
	}
	return 1 + size, err
}

func (p *parser) globally(tag byte, value uint32) error {
	switch tag {
	case tagUsagePage:
		if value > 0xffff {
			return errors.New("a usage page above 16 bits")
		}
		p.page = value
	case tagReportSize:
		if value > maxReport {
			return errors.New("an element is too large")
		}
		p.size = int(value)
	case tagReportCount:
		if value > maxReport {
			return errors.New("a report has too many elements")
		}
		p.count = int(value)
	case tagReportID:
		if value == 0 || value > 255 {
			return fmt.Errorf("%d is no report number", value)
		}
		p.report, p.Numbered = uint8(value), true
	case tagPush:
		if len(p.stack) == maxDepth {
			return errors.New("too many pushed states")
		}
		p.stack = append(p.stack, p.global)
	case tagPop:
		if len(p.stack) == 0 {
			return errors.New("a state is brought back that was not pushed")
		}
		p.global = p.stack[len(p.stack)-1]
		p.stack = p.stack[:len(p.stack)-1]
	}
	return nil
}

func (p *parser) local(tag byte, value uint32, size int) error {
	if size < 4 {
		value |= p.page << 16
	}
	switch tag {
	case tagUsage:
		return p.use(value, value)
	case tagUsageMinimum:
		p.from, p.ranged = value, true
	case tagUsageMaximum:
		if !p.ranged {
			return errors.New("a range of usages has no beginning")
		}
		p.ranged = false
		return p.use(p.from, value)
	}
	return nil
}

func (p *parser) use(from, to uint32) error {
	if to < from || int(to-from) >= maxUsages-len(p.usages) {
		return errors.New("too many usages, or a range that ends before it begins")
	}
	for u := from; ; u++ {
		p.usages = append(p.usages, u)
		if u == to {
			return nil
		}
	}
}

func (p *parser) main(tag byte, flags uint32) error {
	switch tag {
	case tagCollection:
		if p.depth++; p.depth > maxDepth {
			return errors.New("too many collections in each other")
		}
	case tagEndCollection:
		if p.depth--; p.depth < 0 {
			return errors.New("the end of a collection that has not begun")
		}
	case tagInput:
		return p.field(Input, flags)
	case tagOutput:
		return p.field(Output, flags)
	case tagFeature:
		return p.field(Feature, flags)
	}
	return nil
}

// field adds the elements of a main item. Each takes the next usage, and when
// there is none left, the last one again. Elements of arrays name what is
// pressed and not what they are; they are kept under their first usage.
func (p *parser) field(kind int, flags uint32) error {
	bit := p.Bits[kind][p.report]
	if p.size*p.count > maxReport-bit {
		return errors.New("a report is too long")
	}
	p.Bits[kind][p.report] = bit + p.size*p.count
	if flags&flagConstant != 0 || len(p.usages) == 0 || p.size == 0 || p.size > maxSize {
		return nil // nothing that can be understood
	}
	usages := p.usages
	if flags&flagVariable == 0 {
		usages = usages[:1]
	}
	for i := 0; i < p.count; {
		f := Field{Kind: kind, Report: p.report, Usage: usages[min(i, len(usages)-1)], Bit: bit + i*p.size, Size: p.size, Count: 1}
		if i >= len(usages)-1 {
			f.Count = p.count - i
		}
		if len(p.Fields) == maxFields {
			return errors.New("too many fields")
		}
		p.Fields = append(p.Fields, f)
		i += f.Count
	}
	return nil
}
