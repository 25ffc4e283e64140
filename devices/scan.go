package devices

import (
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Status says whether a scan has all that belongs to its document.
type Status string

const (
	// Complete: every line of one of the formats came, in its full length.
	// Single characters may be unread, and any may be wrong: that is for the
	// check digits to find.
	Complete Status = "complete"
	// Partial: something is missing. The officer is asked to swipe again.
	Partial Status = "partial"
	// Pass: not a document but a boarding pass. Lines is empty, Pass is set.
	Pass Status = "boarding-pass"
	// Barcode: not a document but another kind of barcode, named in Kind. What
	// it said is not kept.
	Barcode Status = "barcode"
	// Unread: a page that could not be read at all. Page says why.
	Unread Status = "unread"
)

// Mode says how a document came in. It is the entry_mode of its records.
type Mode string

const (
	Swipe    Mode = "scan"  // a reader that sends text
	Keyboard Mode = "wedge" // a reader that types like a keyboard
	Picture  Mode = "ocr"   // a page that was read as a picture
)

// A Scan is one document as a scanner read it.
//
// Its JSON form is what `lintas scanner listen --json` prints. Printed or
// logged as a value it shows its shape only.
type Scan struct {
	Scanner string    `json:"scanner"` // the scanner's name in the configuration
	Seq     uint64    `json:"seq"`     // 1, 2, 3 … per Reader without a gap
	Status  Status    `json:"status"`
	Lines   []string  `json:"lines"` // [A-Z0-9<], and _ for a character that could not be read
	First   time.Time `json:"-"`     // when its first byte was read
	Last    time.Time `json:"at"`    // when its last byte was read; both with a monotonic reading

	Mode Mode          `json:"entry_mode,omitempty"`    // set by the Reader
	Kind string        `json:"kind,omitempty"`          // of a Barcode: what it is
	Pass *BoardingPass `json:"boarding_pass,omitempty"` // of a Pass
	Page *Page         `json:"page,omitempty"`          // of a Picture, also of one that is Unread
}

// shape is the number of characters in each line: "44+44".
func (s Scan) shape() string {
	var b strings.Builder
	for i, line := range s.Lines {
		if i > 0 {
			b.WriteByte('+')
		}
		fmt.Fprint(&b, len(line))
	}
	return b.String()
}

// String tells which scan this is and its shape, and nothing that is in it.
func (s Scan) String() string {
	return fmt.Sprintf("scan %d of %q, %s, %s", s.Seq, s.Scanner, s.Status, s.shape())
}

// GoString is String: %#v must not show a document either.
func (s Scan) GoString() string { return s.String() }

// LogValue is the scan as a log may show it.
func (s Scan) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("scanner", s.Scanner),
		slog.Uint64("seq", s.Seq),
		slog.String("status", string(s.Status)),
		slog.String("shape", s.shape()),
	)
}
