package devices

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"
)

// A Diagnosis is what a technician should know about a scanner that answers but
// does not read well, in Indonesian and English. It holds counts only.
type Diagnosis struct {
	Code    string `json:"code"`
	Mending bool   `json:"mending"` // somebody has to do something, or documents are not read
	ID      string `json:"id"`
	EN      string `json:"en"`
}

// The codes of what a diagnosis can find.
const (
	WrongParity = "wrong-parity" // the reader sends 7 bits and parity, the port is set to 8
	WrongSpeed  = "wrong-speed"  // what comes is not text
	OtherText   = "other-text"   // text comes in which there is no zone
	Dirty       = "dirty"        // one document after the other is read in part
	TracksOnly  = "tracks-only"  // magnetic cards are read, documents are not
	Silent      = "silent"       // nothing has come for days
	WrongLayout = "wrong-layout" // a scanner that types is set to another keyboard than the configuration says
	Typed       = "typed"        // a person types on the scanner's keyboard
)

// A Diagnoser is a Framer that knows itself what keeps documents from being read.
type Diagnoser interface {
	Framer
	// Diagnose says what was wrong with what has come last; nothing if that was
	// read.
	Diagnose() []Diagnosis
}

const (
	// enough is how many bytes it takes to say something about all.
	enough = 60

	// dirtyCount partial scans within dirtyWithin, with no good one after them,
	// are more than bad luck.
	dirtyCount  = 3
	dirtyWithin = 10 * time.Minute

	// tracksEnough cards and no document: the reader's OCR is switched off.
	tracksEnough = 3

	// silentAfter is longer than a weekend.
	silentAfter = 3 * 24 * time.Hour
)

// Evidence is what a diagnosis is made from. But for the times it is about what
// has come since something was last read as it should be: a fault of today is not
// hidden by a thousand good reads of yesterday.
type Evidence struct {
	Line     string      // the settings of a serial line, "9600 8N1"; "" if there is none
	Stats    Stats       // as the framer counts
	Wire     Wire        // the bytes themselves
	Bursts   int         // how often bytes have come after a silence
	Errors   LineErrors  // of the serial line
	Partials []time.Time // the last partial scans
	Ever     bool        // a document has been read in full before that
	Heard    time.Time   // when the last byte came, or when listening began
	Now      time.Time
	Framer   []Diagnosis // what a Diagnoser says itself: then nothing else is looked for
}

// LineErrors are characters that came broken, as a serial port's driver counts
// them: what it does with them is another matter.
type LineErrors struct {
	Framing uint32 `json:"framing"` // no stop bit where it should be
	Parity  uint32 `json:"parity"`  // the parity bit is wrong
	Overrun uint32 `json:"overrun"` // lost because nobody took them in time
}

// since is what has been counted since t was. The counters may overflow.
func (e LineErrors) since(t LineErrors) LineErrors {
	return LineErrors{e.Framing - t.Framing, e.Parity - t.Parity, e.Overrun - t.Overrun}
}

// A LineCounter is a Source on a serial line that counts errors. It fails if the
// driver of its port does not.
type LineCounter interface {
	Source
	LineErrors() (LineErrors, error)
}

// Wire counts bytes by what their bits look like.
type Wire struct {
	Bytes   uint64 `json:"bytes"`
	HighBit uint64 `json:"high_bit"` // with bit 7 set
	Even    uint64 `json:"even"`     // with an even number of bits set
	Text    uint64 `json:"text"`     // that would be printable or a line end without bit 7
}

// count adds bytes.
func (w *Wire) count(p []byte) {
	w.Bytes += uint64(len(p))
	for len(p) > 0 {
		piece := p[:min(len(p), 1<<16-1)]
		p = p[len(piece):]
		var sum uint64
		for _, b := range piece {
			sum += looks[b]
		}
		w.HighBit += sum & 0xFFFF
		w.Even += sum >> 16 & 0xFFFF
		w.Text += sum >> 32
	}
}

// looks has a one for each byte in the 16 bits of each count to which it belongs: a
// flood is counted with one addition a byte.
var looks = func() (table [256]uint64) {
	for i := range table {
		b := byte(i)
		table[i] = uint64(b>>7) | uint64(^bits.OnesCount8(b)&1)<<16
		if c := b & 0x7F; c >= ' ' && c < 0x7F || c == '\r' || c == '\n' {
			table[i] |= 1 << 32
		}
	}
	return table
}()

// Diagnose says what is wrong with a scanner that answers. Nothing if nothing can
// be said.
func Diagnose(e Evidence) []Diagnosis {
	if len(e.Framer) > 0 {
		return slices.Clone(e.Framer)
	}
	var found []Diagnosis
	if e.Line != "" {
		found = e.line()
	}
	if n := len(e.Partials); n >= dirtyCount && e.Now.Sub(e.Partials[n-dirtyCount]) <= dirtyWithin {
		found = append(found, Diagnosis{Dirty, true,
			fmt.Sprintf("%d dokumen berturut-turut terbaca sebagian: bersihkan kaca pembaca, dan gesek perlahan.", n),
			fmt.Sprintf("%d documents in a row were read in part: clean the reader's glass, and swipe slowly.", n)})
	}
	if e.Stats.Tracks >= tracksEnough && !e.Ever && e.Stats.Partial == 0 {
		found = append(found, Diagnosis{TracksOnly, true,
			"Hanya kartu magnetik yang terbaca: nyalakan pembacaan OCR di pembaca.",
			"Only magnetic cards are read: switch on the reader's OCR."})
	}
	if quiet := e.Now.Sub(e.Heard); !e.Heard.IsZero() && quiet >= silentAfter {
		days := int(quiet / (24 * time.Hour))
		found = append(found, Diagnosis{Silent, false,
			fmt.Sprintf("Tidak ada data dari pembaca selama %d hari.", days),
			fmt.Sprintf("Nothing has come from the reader for %d days.", days)})
	}
	return found
}

// line says what is wrong with the settings of a serial line: one thing at most.
func (e Evidence) line() []Diagnosis {
	w, s := e.Wire, e.Stats
	speed, _, _ := strings.Cut(e.Line, " ")
	most := func(n, percent uint64) bool { return n*100 >= w.Bytes*percent }

	// Characters with wrong parity are left out by the port, so that hardly a byte
	// may come of all that was sent.
	if broken := uint64(e.Errors.Framing) + uint64(e.Errors.Parity); broken*5 > w.Bytes && broken >= enough/4 {
		code, what, apa := WrongSpeed, "speed", "kecepatan"
		if e.Errors.Parity > e.Errors.Framing {
			code, what, apa = WrongParity, "parity", "paritas"
		}
		return []Diagnosis{{code, true,
			fmt.Sprintf("%d karakter rusak di jalur, %d utuh: %s pembaca bukan seperti %s. Samakan line dengan pembaca.", broken, w.Bytes, apa, e.Line),
			fmt.Sprintf("%d characters came broken, %d whole: the reader's %s is not that of %s. Set line to what the reader is set to.", broken, w.Bytes, what, e.Line)}}
	}
	if w.Bytes < enough {
		return nil
	}
	if bits := e.bits(); bits != "" {
		line := speed + " " + bits
		return []Diagnosis{{WrongParity, true,
			fmt.Sprintf("%d dari %d byte mempunyai bit 7: pembaca disetel %s, port %s. Atur line = %q, atau setel pembaca ke 8N1.", w.HighBit, w.Bytes, bits, e.Line, line),
			fmt.Sprintf("%d of %d bytes had bit 7 set: the reader is set to %s, the port to %s. Set line = %q, or set the reader to 8N1.", w.HighBit, w.Bytes, bits, e.Line, line)}}
	}
	if e.Bursts < 2 || s.Noise*2 <= s.Bytes { // noise once: a plug was touched
		return nil
	}
	if !most(w.Text, 90) || most(w.HighBit, 20) {
		return []Diagnosis{{WrongSpeed, true,
			fmt.Sprintf("%d dari %d byte tidak terbaca sebagai teks: kecepatan pembaca bukan %s. Samakan line dengan pembaca.", s.Noise, s.Bytes, speed),
			fmt.Sprintf("%d of %d bytes make no text: the reader's speed is not %s. Set line to what the reader is set to.", s.Noise, s.Bytes, speed)}}
	}
	if s.Bytes < 4*enough {
		return nil
	}
	return []Diagnosis{{OtherText, false,
		fmt.Sprintf("%d byte teks tanpa zona baca mesin: pembaca mengirim hal lain.", s.Noise),
		fmt.Sprintf("%d bytes of text without a machine-readable zone: the reader sends something else.", s.Noise)}}
}

// bits says to what a reader of 7 bits is set that is heard as one of 8: its
// parity bit comes as bit 7. "" if it is no such reader.
func (e Evidence) bits() string {
	w := e.Wire
	nearly := func(n uint64) bool { return n*50 >= w.Bytes*49 }
	switch {
	case strings.Contains(e.Line, " 7"), !nearly(w.Text), w.HighBit*10 < w.Bytes:
		return ""
	case nearly(w.HighBit):
		return "" // a parity bit that is always set: no port can be set to that
	case nearly(w.Even):
		return "7E1"
	case nearly(w.Bytes - w.Even):
		return "7O1"
	}
	return ""
}
