package mrz

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode"
)

// A Name is the name of a document's holder: a primary identifier (a surname,
// or a single name) and a secondary one (given names), Doc 9303-3 §3.4 and
// §4.6. Either may be empty and both may have several parts.
//
// A Name comes from a zone or, by NewName, from a record. Use Compare to hold
// one against the other, never ==: one name has many spellings.
//
// A Name is personal data. It shows nothing when printed, logged or marshalled;
// Primary and Secondary give it out. One way round this remains: fmt prints the
// text of a Name that stands in an unexported field of a struct.
type Name struct {
	// Of a zone: its cells, with one or more fillers between the parts and none
	// at the ends. Of a record: as it was given, blanks between the parts.
	primary, secondary string

	// Truncated reports that the name fills its field in the zone to the last
	// cell, so that it must be taken as possibly shortened (Doc 9303-4 §4.2.3).
	Truncated bool
}

// NewName returns a name as a record has it: in any script and case, with its
// diacritics, hyphens and apostrophes. Blanks and fillers separate parts.
func NewName(primary, secondary string) Name {
	return Name{primary: tidy(primary), secondary: tidy(secondary)}
}

// Primary returns the primary identifier, its parts separated by single blanks.
func (n Name) Primary() string { return words(n.primary) }

// Secondary returns the secondary identifier, its parts separated by single
// blanks. A holder of one name has none.
func (n Name) Secondary() string { return words(n.secondary) }

// IsZero reports whether there is no name at all.
func (n Name) IsZero() bool { return n.primary == "" && n.secondary == "" }

// Key returns the name in the form that NameKey describes.
func (n Name) Key() string {
	f := n.folded(style{})
	return strings.Join(f.parts, " ")
}

// words turns fillers into single blanks.
func words(s string) string {
	if strings.IndexByte(s, filler) < 0 {
		return s
	}
	return tidy(s)
}

// tidy leaves single blanks between the parts of a name and none around it.
func tidy(s string) string { return strings.Join(strings.FieldsFunc(s, isGap), " ") }

func isGap(r rune) bool { return r == filler || unicode.IsSpace(r) }

// masked is all that a name shows of itself.
const masked = "name of a document's holder"

// String says what it is and nothing of the content.
func (n Name) String() string { return masked }

// GoString keeps %#v from showing the name.
func (n Name) GoString() string { return "mrz.Name{...}" }

// Format keeps every verb of fmt from showing the name.
func (n Name) Format(s fmt.State, _ rune) { io.WriteString(s, masked) }

// LogValue keeps slog from showing the name.
func (n Name) LogValue() slog.Value { return slog.StringValue(masked) }

// MarshalJSON keeps the name out of JSON that was not meant to hold it. What is
// meant to names Primary and Secondary.
func (n Name) MarshalJSON() ([]byte, error) { return []byte(`"` + masked + `"`), nil }
