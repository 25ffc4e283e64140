package wedge_test

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"lintas/devices"
	"lintas/devices/frame"
	"lintas/devices/wedge"
)

const (
	td3a = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"
	td3b = "L898902C36UTO7408122F1204159ZE184226B<<<<<10"
	// A name and nothing else tells German keys from American ones here.
	idna = "P<IDNSURYATI<<SITI<NURHALIZA<<<<<<<<<<<<<<<<"
	idnb = "X1234567<4IDN9001015F3001012<<<<<<<<<<<<<<04"

	td1a = "I<UTOD231458907<<<<<<<<<<<<<<<"
	td1b = "7408122F1204159UTO<<<<<<<<<<<6"
	td1c = "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"
)

// A typist makes the records of a scanner that types. It knows the keys from
// linux/input-event-codes.h and the layouts from the keyboards' own legends, not
// from the package.
type typist struct {
	layout  string // us, de, fr, "fr caps", italian, hungarian
	keypad  bool   // digits on the keypad
	alt     bool   // fillers by their number
	allAlt  bool   // everything by its number
	bare    bool   // without the scan codes that USB keyboards send
	pause   time.Duration
	at      time.Duration
	records []byte
}

func newTypist(layout string) *typist { return &typist{layout: layout, pause: 2 * time.Millisecond} }

func (y *typist) event(kind, code uint16, value int32) {
	var b [24]byte
	binary.LittleEndian.PutUint64(b[0:], uint64(y.at/time.Second)+1000)
	binary.LittleEndian.PutUint64(b[8:], uint64(y.at%time.Second/time.Microsecond))
	binary.LittleEndian.PutUint16(b[16:], kind)
	binary.LittleEndian.PutUint16(b[18:], code)
	binary.LittleEndian.PutUint32(b[20:], uint32(value))
	y.records = append(y.records, b[:]...)
}

func (y *typist) key(code uint16, value int32) {
	if !y.bare {
		y.event(4, 4, 0x70000|int32(code)) // EV_MSC MSC_SCAN
	}
	y.event(1, code, value)
	y.event(0, 0, 0)
}

func (y *typist) press(code uint16) { y.key(code, 1); y.key(code, 0) }

const shiftKey, altKey, capsKey, enterKey = 42, 56, 58, 28

func (y *typist) shifted(code uint16) {
	y.key(shiftKey, 1)
	y.press(code)
	y.key(shiftKey, 0)
}

// places of the letters on an American keyboard.
const letters = "QWERTYUIOP\x00\x00\x00\x00ASDFGHJKL\x00\x00\x00\x00\x00ZXCVBNM"

var keypadKeys = []uint16{82, 79, 80, 81, 75, 76, 77, 71, 72, 73}

// number types a character by its number.
func (y *typist) number(c byte) {
	y.key(altKey, 1)
	for _, d := range []byte{0, c / 100, c / 10 % 10, c % 10} {
		y.press(keypadKeys[d])
	}
	y.key(altKey, 0)
}

func (y *typist) char(c byte) {
	y.at += y.pause
	switch {
	case c == '\r':
		y.press(enterKey)
	case c == '\t':
		y.press(15)
	case y.allAlt, y.alt && c == '<':
		y.number(c)
	case c == '<' && y.layout == "hungarian":
		y.key(100, 1) // AltGr
		y.press(86)
		y.key(100, 0)
	case c == '0' && y.layout == "hungarian":
		y.press(41)
	case c == '<' && y.layout == "us":
		y.shifted(51)
	case c == '<':
		y.press(86)
	case '0' <= c && c <= '9' && y.keypad:
		y.press(keypadKeys[c-'0'])
	case '0' <= c && c <= '9':
		code := uint16(c-'0') + 1
		if c == '0' {
			code = 11
		}
		if y.layout == "fr" {
			y.shifted(code)
		} else {
			y.press(code)
		}
	case 'A' <= c && c <= 'Z':
		swap := map[string]string{"de": "YZZY", "hungarian": "YZZY", "fr": "AQQAWZZW", "fr caps": "AQQAWZZW"}[y.layout]
		code := uint16(0)
		if strings.HasPrefix(y.layout, "fr") && c == 'M' {
			code = 39
		}
		for i := 0; i < len(swap); i += 2 {
			if c == swap[i] {
				c = swap[i+1]
				break
			}
		}
		if code == 0 {
			code = 16 + uint16(strings.IndexByte(letters, c))
		}
		y.shifted(code)
	case c == '%' && y.layout == "us":
		y.shifted(6)
	case c == '?' && y.layout == "us":
		y.shifted(53)
	default:
		panic("the typist has no such key")
	}
}

func (y *typist) types(text string) *typist {
	for i := range len(text) {
		y.char(text[i])
	}
	return y
}

// rests lets time pass.
func (y *typist) rests(d time.Duration) *typist { y.at += d; return y }

func swipe(lines ...string) string { return strings.Join(lines, "\r") + "\r" }

// start is when the tests' records begin on the caller's clock.
var start = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func newFramer(layout wedge.Layout) *wedge.Framer {
	return wedge.New(wedge.Options{Layout: layout, Text: func() devices.Framer { return frame.New(frame.Options{}) }})
}

// read gives all records to a framer, and lets it be idle.
func read(f *wedge.Framer, records []byte, pieces ...int) (scans []devices.Scan) {
	emit := func(s devices.Scan) { scans = append(scans, s) }
	now := start
	for len(records) > 0 {
		n := len(records)
		if len(pieces) > 0 {
			n, pieces = min(n, pieces[0]), append(pieces[1:], pieces[0])
		}
		f.Push(now, records[:n], emit)
		records = records[n:]
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

// trouble is what a framer says is wrong, in English.
func trouble(f *wedge.Framer) string {
	var all []string
	for _, d := range f.Diagnose() {
		all = append(all, d.EN)
	}
	return strings.Join(all, " ")
}
