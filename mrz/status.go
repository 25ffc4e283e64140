package mrz

import "fmt"

// Status is what a check digit proves about its field. The zero value means
// that the format has no such field.
type Status uint8

// The statuses of a Check.
const (
	// Verified: the field's own check digit is printed and right.
	Verified Status = iota + 1
	// CompositeOnly: the field has no digit of its own but is part of a
	// composite that is right (optional data of TD1 and TD2).
	CompositeOnly
	// Unverifiable: nothing in the zone can prove the field, by design
	// (optional data of visas, everything on a Swiss driving licence) or
	// because a cell was not read.
	Unverifiable
	// Refuted: the printed check digit contradicts the field, or is missing
	// where the standard demands one.
	Refuted
	// Absent: the field is empty and '<' stands for its digit, or the format
	// has no such digit (composite of visas).
	Absent
	// Repaired: right only after a repair listed in Document.Repairs.
	Repaired
)

var statusNames = [...]string{"", "verified", "composite-only", "unverifiable", "refuted", "absent", "repaired"}

// String returns the status as JSON has it: "verified", "composite-only", …
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return ""
}

// MarshalText returns what String returns.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (s *Status) UnmarshalText(text []byte) error {
	for i, name := range statusNames {
		if name == string(text) {
			*s = Status(i)
			return nil
		}
	}
	return fmt.Errorf("no check status %q", text)
}
