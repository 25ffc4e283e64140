package frame

import (
	"time"

	"lintas/devices"
)

// symbologies are the kinds of barcodes by the letter of their AIM identifier,
// `]` letter digit (ISO/IEC 15424). Letters that stand for "other" name nothing.
var symbologies = [256]string{
	'A': "Code 39", 'C': "Code 128", 'd': "Data Matrix", 'E': "EAN", 'e': "GS1 DataBar", 'F': "Codabar", 'G': "Code 93",
	'I': "Interleaved 2 of 5", 'L': "PDF417", 'M': "MSI", 'Q': "QR code", 'U': "MaxiCode", 'z': "Aztec",
}

// minCode is the shortest barcode worth a word.
const minCode = 3

// aim follows an AIM identifier at the beginning of a message. Its characters are
// also given to the run: what looks like one can be noise before a line.
type aim struct {
	at     int // how many bytes of it have come
	letter byte
	done   bool // it has just ended
}

func (a *aim) next(c byte, fresh bool) {
	a.done = false
	switch {
	case c == ']' && fresh:
		a.at = 1
	case a.at == 1 && (c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'):
		a.at, a.letter = 2, c
	case a.at == 2 && c >= '0' && c <= '9':
		a.at, a.done = 0, true
	default:
		a.at = 0
	}
}

// kind is what the identifier names, "" if nothing certain.
func (a *aim) kind() string { return symbologies[a.letter] }

// A code is a barcode, from its AIM identifier to the end of its line. What it
// says is not kept, unless it is a zone or a boarding pass.
type code struct {
	kind   string
	silent bool // the rest of a boarding pass's line: nobody needs to know of it
	length int
	zone   bool // there was a line of a document in it
	first  time.Time
}

func (c *code) active() bool { return c.kind != "" || c.silent }

// inCode takes a byte of a barcode that is not a zone character.
func (f *Framer) inCode(now time.Time, c byte, emit func(devices.Scan)) {
	f.endRun(emit)
	f.last = now
	if class[c] != lineEnd {
		f.stats.Noise++
	}
	switch {
	case class[c] == lineEnd:
		f.endCode(emit)
	case c < ' ' && c != '\t' && c < 0x1c, c >= 0x7f: // 0x1c to 0x1f separate fields
		f.code = code{} // it was not one
		f.envelope(c, emit)
	default:
		f.code.length++
	}
}

// endRunInCode takes a run of a barcode: a line of a zone, or nothing.
func (f *Framer) endRunInCode(run []byte, emit func(devices.Scan)) {
	if !f.holdsLine() {
		f.stats.Noise += uint64(len(run))
		return
	}
	f.code.zone = true
	f.take(f.split(), run, emit)
}

// endCode says what kind of barcode has come, if it was one.
func (f *Framer) endCode(emit func(devices.Scan)) {
	c := f.code
	f.code = code{}
	if c.kind == "" || c.zone || c.length < minCode {
		return
	}
	f.stats.Barcodes++
	emit(devices.Scan{Status: devices.Barcode, Kind: c.kind, Lines: []string{}, First: c.first, Last: f.last})
}
