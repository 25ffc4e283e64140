package hidpos_test

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"lintas/devices"
	"lintas/devices/frame"
	"lintas/devices/hidpos"
)

const (
	td3a = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"
	td3b = "L898902C36UTO7408122F1204159ZE184226B<<<<<10"
	td1a = "I<UTOD231458907<<<<<<<<<<<<<<<"
	td1b = "7408122F1204159UTO<<<<<<<<<<<6"
	td1c = "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"
)

// item writes a short item of a report descriptor.
func item(prefix byte, value ...byte) []byte {
	size := map[int]byte{0: 0, 1: 1, 2: 2, 4: 3}[len(value)]
	return append([]byte{prefix | size}, value...)
}

func items(list ...[]byte) []byte { return slices.Concat(list...) }

// The items that the descriptors below are made of.
func page(p byte) []byte       { return item(0x04, p) }
func usage(u ...byte) []byte   { return item(0x08, u...) }
func size(n byte) []byte       { return item(0x74, n) }
func count(n byte) []byte      { return item(0x94, n) }
func number(n byte) []byte     { return item(0x84, n) }
func collection(k byte) []byte { return item(0xa0, k) }
func input(f byte) []byte      { return item(0x80, f) }
func output(f byte) []byte     { return item(0x90, f) }

var (
	end  = item(0xc0)
	push = item(0xa4)
	pop  = item(0xb4)
)

// A maker is a scanner: its descriptor, and how it writes a report.
type maker struct {
	name       string
	descriptor []byte
	room       int // text in one report
	report     func(aim string, text string, more bool) []byte
	trigger    string // what it is told to read
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

var makers = []maker{
	{
		// Report 2: length, AIM identifier, 56 bytes, 2 of the maker's, 8 flags.
		// Report 4: a trigger. Report 253: bytes for the scanner.
		name: "length and flags",
		descriptor: items(page(0x8c), usage(0x02), collection(1),
			usage(0x12), collection(2), number(2), item(0x14, 0), item(0x24, 0xff, 0), size(8), count(1),
			page(0x01), usage(0x3b), input(2),
			page(0x8c), count(3), usage(0xfb), usage(0xfc), usage(0xfd), input(2),
			count(56), usage(0xfe), item(0x80, 0x02, 0x01),
			item(0x04, 0x66, 0xff), count(2), usage(0x04), usage(0x00), input(2),
			page(0x8c), size(1), count(8), usage(0xff), input(2), end,
			usage(0x14), collection(2), number(4), size(1), count(8),
			usage(0), usage(0x5f), usage(0x60), usage(0), output(0x86), end,
			item(0x04, 0x66, 0xff), size(8), usage(1), collection(2), number(0xfd), count(1), usage(0x21), output(2), count(62), usage(0x22), output(2), end,
			end),
		room: 56,
		report: func(aim, text string, more bool) []byte {
			b := make([]byte, 64)
			b[0], b[1], b[63] = 2, byte(len(text)), bit(more)
			copy(b[2:], aim)
			copy(b[5:], text)
			return b
		},
		trigger: "\x04\x04",
	},
	{
		// No numbers, the flag first and seven bits of padding, the text before the
		// identifier, no length; the state of the page is pushed and brought back.
		name: "other way round",
		descriptor: items(page(0x8c), usage(0x02), collection(1), size(1), count(1), usage(0xff), input(2),
			push, count(7), page(0x01), input(1), pop,
			size(8), count(20), usage(0xfe), input(2),
			count(3), item(0x18, 0xfb), item(0x28, 0xfd), input(2), end),
		room: 20,
		report: func(aim, text string, more bool) []byte {
			b := make([]byte, 24)
			b[0] = bit(more)
			copy(b[1:], text)
			copy(b[21:], aim)
			return b
		},
	},
	{
		// Usages of 32 bits, a length of 16 bits that is not at a byte, a status
		// report beside it, and a trigger without a number of its own.
		name: "odd bits",
		descriptor: items(page(0x01), usage(0x02, 0, 0x8c, 0), collection(1),
			number(7), size(4), count(1), usage(0xff, 0, 0x8c, 0), input(2), size(16), usage(0x3b), input(2), size(4), input(1),
			size(8), count(8), usage(0xfe, 0, 0x8c, 0), input(2),
			number(8), count(4), usage(0x30, 0, 0x8c, 0), input(2),
			number(9), size(1), count(1), input(1), usage(0x61, 0, 0x8c, 0), output(2), end),
		room: 8,
		report: func(_, text string, more bool) []byte {
			b := make([]byte, 12)
			b[0] = 7
			bits := uint32(bit(more)) | uint32(len(text))<<4
			b[1], b[2], b[3] = byte(bits), byte(bits>>8), byte(bits>>16)
			copy(b[4:], text)
			return b
		},
		trigger: "\x09\x01",
	},
}

func record(kind byte, b []byte) []byte {
	return append(binary.LittleEndian.AppendUint16([]byte{kind}, uint16(len(b))), b...)
}

// reports are those of one message.
func (m *maker) reports(aim, text string) (list [][]byte) {
	for {
		n := min(m.room, len(text))
		list = append(list, m.report(aim, text[:n], n < len(text)))
		if text = text[n:]; text == "" {
			return list
		}
	}
}

// message is what Open's stream has for one message.
func (m *maker) message(aim, text string) (b []byte) {
	for _, r := range m.reports(aim, text) {
		b = append(b, record('R', r)...)
	}
	return b
}

func (m *maker) begin() []byte { return record('D', m.descriptor) }

func swipe(lines ...string) string { return strings.Join(lines, "\r") }

var start = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func newFramer() *hidpos.Framer {
	return hidpos.New(hidpos.Options{Text: func() devices.Framer { return frame.New(frame.Options{}) }})
}

func read(f *hidpos.Framer, stream []byte, pieces ...int) (scans []devices.Scan) {
	emit := func(s devices.Scan) { scans = append(scans, s) }
	for len(stream) > 0 {
		n := len(stream)
		if len(pieces) > 0 {
			n, pieces = min(n, pieces[0]), append(pieces[1:], pieces[0])
		}
		f.Push(start, stream[:n], emit)
		stream = stream[n:]
	}
	if due, held := f.Deadline(); held {
		f.Idle(due, emit)
	}
	return scans
}

func wantLines(t *testing.T, s devices.Scan, status devices.Status, lines ...string) {
	t.Helper()
	if s.Status != status || strings.Join(s.Lines, "\n") != strings.Join(lines, "\n") {
		t.Errorf("got %s %q,\nwant %s %q", s.Status, s.Lines, status, lines)
	}
}
