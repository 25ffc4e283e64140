// Package profile knows what the content of a scanner's bytes cannot tell: how a
// reader is made to read, how its messages are wrapped, how it beeps.
//
// All readers of text share one framer, package frame, which finds documents by
// their content. A Profile is one line of a table besides: bytes to say to the
// reader, and how much of its envelope is understood. The envelope never decides
// what a document is. Its lengths only make a document ready sooner, or say that
// a message has ended; where they lie the content is right.
//
//	rte        SOH len len 'O' 'U' STX flag L1 CR L2 CR L3 CR ETX BCC
//	cute       SOD STX L1 CR L2 CR [L3 CR] ETX EOD
//	cr100      START ⏎ OCR LINE 1: L1 ⏎ OCR LINE 2: L2 ⏎ OCR LINE 3: ⏎ MSR LINE 1: ⏎ END
//	elyctis    'I' len len L1 CR L2 CR
//	honeywell  L1 CR L2            and silence
//	access-is  L1 CR L2 CR
//	auto       any of these that speaks by itself
package profile

import (
	"cmp"
	"slices"
	"time"
)

// Framing is what of a reader's envelope is understood.
type Framing uint8

const (
	Content Framing = iota // nothing: its bytes can be told from text by themselves
	Lengths                // tag, length, value: where a message begins and ends is known
	Sums                   // a checksum stands behind each message
)

// A Profile is a kind of readers.
type Profile struct {
	Name  string
	What  string // whose readers these are
	Line  string // how their line is set in the factory, as serial.ParseLine reads it
	Frame Framing

	// Arm makes the reader read; nil: it reads by itself.
	Arm []byte
	// OneShot: it has to be armed again after each document.
	OneShot bool
	// Again is how long it stays armed when no document comes; 0: for ever.
	Again time.Duration

	// Good, Bad and Ignore let it beep or light a lamp; nil: it cannot be told to.
	Good, Bad, Ignore []byte

	// Encode wraps a document as the reader does, for captures and simulation.
	Encode func(lines []string) []byte
}

// defaultLine is how most readers are set.
const defaultLine = "9600 8N1"

// syn begins a command to an imager (Honeywell, Access-IS).
const syn = "\x16"

// profiles is the table. How sure each line is, and from where:
//
//   - stated: a document of the maker says so,
//   - seen: a program that drives the reader does so,
//   - guessed: neither.
var profiles = []Profile{
	// Any reader that sends text by itself.
	{Name: "auto", What: "any reader that sends text by itself", Line: defaultLine, Encode: encodeText},

	// 3M, Gemalto, Thales RTE670x. Frame: stated (RTE6701 OEM manual, pages 25 and
	// 26); what its checksum covers: guessed, so that a wrong one is counted and
	// nothing more. In the mode RTE Native it sends by itself. RTE Polled and RTE
	// Interrupt stay disabled after each document until they are enabled (stated,
	// MMMReaderSettings.h), by a command that only the maker's manual has: it can
	// be given as the scanner's arm in the configuration. Speed: guessed.
	{Name: "rte", What: "3M, Gemalto, Thales RTE670x", Line: defaultLine, Frame: Sums, OneShot: true, Encode: encodeNative},

	// DESKO Penta, BGR and OCR keyboards in the mode CUTE. Frame: stated (document
	// 7000310001); the values of its first and last byte: guessed, and of no
	// account. Speed: seen.
	{Name: "cute", What: "DESKO readers in CUTE mode", Line: defaultLine, Encode: encodeCute},

	// 3M CR100 and CR series. Frame: seen (two programs, which differ in case and
	// in whether START stands alone). Speed: guessed.
	{Name: "cr100", What: "3M CR100 and CR series, text mode", Line: defaultLine, Encode: encodeWords},

	// Elyctis ID BOX One. Frame and commands: stated (Scanner Command Set 1.7):
	// continuous reading switches itself off after each good read. Line: seen.
	{Name: "elyctis", What: "Elyctis ID BOX One", Line: defaultLine, Frame: Lengths,
		Arm: []byte{'C', 0, 1, 1}, OneShot: true, Encode: encodeTLV},

	// Honeywell imagers with the OCR template for travel documents. Frame and
	// trigger: seen. A trigger lapses after 30 s: stated, as are the escape
	// commands for the beeper (Xenon user guide, host acknowledgement).
	{Name: "honeywell", What: "Honeywell imagers with OCR", Line: defaultLine,
		Arm: []byte(syn + "T\r"), OneShot: true, Again: 25 * time.Second,
		Good: []byte("\x1b7,"), Bad: []byte("\x1b8,"), Encode: encodeOpen},

	// Access-IS LSR110, LSR116, LSR118, ATR110. Line, trigger and AISXXR: stated
	// (product manuals). Ended by '!' the setting is not stored, so that its memory
	// does not wear. That the trigger lapses: guessed.
	{Name: "access-is", What: "Access-IS LSR and ATR readers", Line: "115200 8N1",
		Arm: []byte(syn + "t\r"), OneShot: true, Again: 25 * time.Second,
		Good: []byte(syn + "M\rAISXXR0!"), Bad: []byte(syn + "M\rAISXXR1!"), Ignore: []byte(syn + "M\rAISXXR2!"),
		Encode: encodeText},
}

// Find is the profile of that name; "" is "auto".
func Find(name string) (Profile, bool) {
	name = cmp.Or(name, profiles[0].Name)
	i := slices.IndexFunc(profiles, func(p Profile) bool { return p.Name == name })
	if i < 0 {
		return Profile{}, false
	}
	return profiles[i], true
}

// Names lists the profiles in the order of the table.
func Names() (names []string) {
	for _, p := range profiles {
		names = append(names, p.Name)
	}
	return names
}
