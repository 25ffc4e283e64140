package hidpos_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"lintas/devices/hidpos"
)

// A keyboard's descriptor, as the HID specification has it in appendix B.
var boardDescriptor = items(page(1), usage(6), collection(1), page(7), item(0x18, 0xe0), item(0x28, 0xe7), item(0x14, 0), item(0x24, 1),
	size(1), count(8), input(2), count(1), size(8), input(1), count(5), size(1), page(8), item(0x18, 1), item(0x28, 5), output(2),
	count(1), size(3), output(1), count(6), size(8), item(0x14, 0), item(0x24, 101), page(7), item(0x18, 0), item(0x28, 101), input(0), end)

func TestParse(t *testing.T) {
	d, err := hidpos.Parse(boardDescriptor)
	if err != nil {
		t.Fatal(err)
	}
	if d.Numbered || d.Bits[hidpos.Input][0] != 64 || d.Bits[hidpos.Output][0] != 8 {
		t.Errorf("got %+v", d)
	}
	modifiers := d.Fields[0]
	if modifiers != (hidpos.Field{Usage: 0x000700e0, Size: 1, Count: 1}) {
		t.Errorf("the first field is %+v", modifiers)
	}
	if keys := d.Fields[len(d.Fields)-1]; keys != (hidpos.Field{Usage: 0x00070000, Bit: 16, Size: 8, Count: 6}) {
		t.Errorf("the last field is %+v", keys)
	}
	if _, err := hidpos.ParseLayout(boardDescriptor); !errors.Is(err, hidpos.ErrNoScanner) {
		t.Errorf("a keyboard is taken for a scanner: %v", err)
	}
}

func TestParseRefuses(t *testing.T) {
	many := func(n int, b []byte) []byte { return bytes.Repeat(b, n) }
	for _, c := range []struct {
		name string
		in   []byte
		want string
	}{
		{"an item cut off", []byte{0x26, 0xff}, "byte 1: an item is cut off"},
		{"a long item cut off", items(page(1), []byte{0xfe, 5, 0, 1}), "byte 3: an item is cut off"},
		{"a collection without an end", collection(1), "no end"},
		{"an end without a collection", end, "not begun"},
		{"a pop without a push", pop, "not pushed"},
		{"pushes without an end", many(17, push), "too many pushed"},
		{"collections without an end", many(17, collection(1)), "too many collections"},
		{"report number 0", number(0), "no report number"},
		{"a usage range backwards", items(item(0x18, 9), item(0x28, 3)), "ends before"},
		{"a usage range of millions", items(item(0x18, 0, 0, 0, 0), item(0x28, 0xff, 0xff, 0xff, 0x7f)), "too many usages"},
		{"a range without a beginning", item(0x28, 3), "no beginning"},
		{"usages without an end", many(1100, usage(1)), "too many usages"},
		{"a report of megabytes", items(size(32), item(0x94, 0xff, 0xff, 0xff, 0x7f), usage(1), input(2)), "too many elements"},
		{"a report that grows", items(size(32), item(0x94, 0, 1), many(2, items(usage(1), input(2)))), "too long"},
		{"a reserved item", []byte{0x0c}, "reserved"},
		{"too long", make([]byte, 5000), "more than 4096"},
		{"a page of 32 bits", item(0x04, 0, 0, 1, 0), "usage page"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := hidpos.Parse(c.in)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, m := range makers {
		f.Add(m.descriptor, m.report("]o1", td3a[:m.room%44], true))
	}
	f.Add(boardDescriptor, []byte{0})
	f.Fuzz(func(t *testing.T, descriptor, report []byte) {
		d, err := hidpos.Parse(descriptor)
		if err != nil {
			return
		}
		for _, field := range d.Fields {
			if field.Count < 1 || field.Size < 1 || field.Bit+field.Size*field.Count > d.Bits[field.Kind][field.Report] {
				t.Fatalf("field %+v is outside of its report", field)
			}
		}
		if _, err := hidpos.ParseLayout(descriptor); err != nil {
			return
		}
		if len(report) > 1000 {
			return
		}
		one, many := newFramer(), newFramer()
		stream := append(record('D', descriptor), record('R', append(report, 0))...)
		if a, b := read(one, stream), read(many, stream, 1); len(a) != len(b) || one.Stats() != many.Stats() {
			t.Fatal("cut to bytes it is something else")
		}
	})
}

func FuzzFramer(f *testing.F) {
	for _, m := range makers {
		f.Add(append(m.begin(), m.message("]o1", swipe(td3a, td3b))...), uint16(m.room))
	}
	f.Fuzz(func(t *testing.T, stream []byte, piece uint16) {
		one, many := newFramer(), newFramer()
		want := read(one, stream)
		got := read(many, stream, int(piece)+1)
		if len(want) != len(got) || one.Stats() != many.Stats() {
			t.Fatalf("cut to %d: %d scans, whole: %d", int(piece)+1, len(got), len(want))
		}
	})
}
