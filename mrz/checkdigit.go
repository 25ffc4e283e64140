package mrz

// A Check says what is known about one field that a check digit may protect.
// A document has one for the document number, each date, each optional field
// and the composite, in this order.
type Check struct {
	Field  string `json:"field"`
	Status Status `json:"status"`
}

// Status is what a check digit proves about its field.
type Status string

// The statuses of a Check.
const (
	// Verified: the field's own check digit is printed and right.
	Verified Status = "verified"
	// CompositeOnly: the field has no digit of its own but is part of a
	// composite that is right (optional data of TD1 and TD2).
	CompositeOnly Status = "composite-only"
	// Unverifiable: nothing in the zone can prove the field, by design
	// (optional data of visas) or because a cell was not read.
	Unverifiable Status = "unverifiable"
	// Refuted: the printed check digit contradicts the field, or is missing
	// where the standard demands one.
	Refuted Status = "refuted"
	// Absent: the field is empty and '<' stands for its digit, or the format
	// has no such digit (composite of visas).
	Absent Status = "absent"
	// Repaired: right only after a repair listed in Document.Repairs.
	Repaired Status = "repaired"
)

const (
	filler = '<'
	unread = '_' // a scanner's mark for a cell it could not read
)

// noValue marks characters that carry no value: all but 0-9, A-Z and '<'.
const noValue = -1

// values holds each character's value: digits theirs, A to Z 10 to 35, the
// filler 0 (Doc 9303-3 §4.9).
var values = func() (v [256]int8) {
	for i := range v {
		v[i] = noValue
	}
	for c := '0'; c <= '9'; c++ {
		v[c] = int8(c - '0')
	}
	for c := 'A'; c <= 'Z'; c++ {
		v[c] = int8(c - 'A' + 10)
	}
	v[filler] = 0
	return v
}()

// weights repeat from left to right over everything one digit protects.
var weights = [3]int{7, 3, 1}

// CheckDigit returns the check digit ('0' to '9') of s by Doc 9303-3 §4.9:
// values weighted 7, 3, 1, 7, 3, 1, …, their sum modulo 10. It reports false if
// s holds a character other than A-Z, 0-9 and '<'.
func CheckDigit(s string) (byte, bool) {
	var w weighing
	w.add(s)
	return w.digit(), !w.unread && !w.illegal
}

// A weighing is a check digit being computed over one or more pieces of a zone.
type weighing struct {
	sum     int
	n       int  // index of the weight that is next
	unread  bool // an unread cell was among the pieces
	illegal bool // a character without a value was among the pieces
}

func (w *weighing) add(s string) {
	for i := 0; i < len(s); i++ {
		switch v := values[s[i]]; {
		case v != noValue:
			w.sum += int(v) * weights[w.n]
		case s[i] == unread:
			w.unread = true
		default:
			w.illegal = true
		}
		if w.n++; w.n == len(weights) {
			w.n = 0
		}
	}
}

func (w *weighing) digit() byte { return byte('0' + w.sum%10) }

// against judges the pieces by the digit printed for them.
func (w *weighing) against(printed byte) Status {
	switch {
	case w.illegal:
		return Refuted
	case w.unread || printed == unread:
		return Unverifiable
	case printed == w.digit():
		return Verified
	}
	return Refuted
}

// judge compares one piece with its printed digit.
func judge(piece string, printed byte) Status {
	var w weighing
	w.add(piece)
	return w.against(printed)
}

// judgeOptional is judge for a field whose digit may be '<' while the field is
// empty: optional data of TD3 (Doc 9303-4 §4.2.2), unknown dates and a
// missing number (as seen on real cards).
func judgeOptional(piece string, printed byte) Status {
	if printed == filler && blank(piece) {
		return Absent
	}
	return judge(piece, printed)
}

// blank reports whether a piece consists of fillers only.
func blank(piece string) bool {
	for i := 0; i < len(piece); i++ {
		if piece[i] != filler {
			return false
		}
	}
	return true
}
