package wedge_test

import (
	"testing"
	"time"

	"lintas/devices"
	"lintas/devices/wedge"
)

// compact writes records in two bytes each, and expand reads them, so that
// fuzzing works on keys and not on the zeros between. The first byte is a key's
// code, or 0 and above 0x7f for what is not one; of the second the lowest two
// bits are the value, the others milliseconds since the record before.
func compact(records []byte) (b []byte) {
	for at := 0; at < len(records); at += 24 {
		kind, code, value := records[at+16], records[at+18], records[at+20]
		switch {
		case kind == 1:
			b = append(b, code, value|2<<2)
		case kind == 0 && code == 3:
			b = append(b, 0x80, 0)
		case kind == 0:
			b = append(b, 0, 0)
		}
	}
	return b
}

func expand(b []byte) []byte {
	var y typist
	for ; len(b) >= 2; b = b[2:] {
		y.at += time.Duration(b[1]>>2) * time.Millisecond
		switch code := b[0]; {
		case code == 0x80:
			y.event(0, 3, 0)
		case code == 0x81:
			y.at += time.Second
		case code == 0x82:
			y.at = 0 // a clock that goes back
		case code == 0:
			y.event(0, 0, 0)
		default:
			y.event(1, uint16(code), int32(b[1]&3))
		}
	}
	return append(y.records, b...)
}

// The same records give the same scans however they are cut, nothing panics, and
// what comes out is a zone.
func FuzzFramer(f *testing.F) {
	f.Add(compact(newTypist("us").types(swipe(td1b, td1c)).records), uint16(7))
	f.Add(compact(newTypist("de").types(swipe(idna, idnb)).records), uint16(100))
	f.Add(compact(newTypist("fr").types(swipe(td1a, td1b, td1c)).records), uint16(24))
	f.Add([]byte{42, 1, 51, 1, 51, 0, 42, 0, 0x80, 0, 0, 0, 56, 1, 82, 1, 76, 1, 56, 0, 0x82, 0, 28, 1, 0x81, 0, 58, 1, 86, 1}, uint16(0))
	f.Fuzz(func(t *testing.T, keys []byte, piece uint16) {
		records := expand(keys)
		for _, layout := range []wedge.Layout{wedge.Auto, wedge.American, wedge.German} {
			one, many := newFramer(layout), newFramer(layout)
			want := read(one, records)
			got := read(many, records, int(piece)+1)
			if shape(got) != shape(want) || one.Stats() != many.Stats() || trouble(one) != trouble(many) {
				t.Fatalf("cut to %d: %d scans, whole: %d", int(piece)+1, len(got), len(want))
			}
			for _, s := range want {
				for _, line := range s.Lines {
					for i := range len(line) {
						if c := line[i]; !('A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '<' || c == '_') {
							t.Fatalf("a scan holds byte %#x", c)
						}
					}
				}
				if s.Status == devices.Complete && len(s.Lines) < 2 {
					t.Fatal("a complete scan of one line")
				}
			}
		}
	})
}
