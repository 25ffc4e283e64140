package mrz

const (
	filler = '<'
	unread = '_' // a scanner's mark for a cell it could not read
)

// Character classes, to be combined.
const (
	letters uint8 = 1 << iota
	digits
	fillers
	sexes   // M, F, X: letters too
	unreads // the mark of an unread cell
	illegal // belongs in no zone
)

// A cell says what one character is: its classes in the low byte, its value in
// the high one. Values are a digit's own, 10 to 35 for A to Z, and 0 for the
// filler (Doc 9303-3 §4.9); characters without a value count 0.
type cell uint16

func (c cell) class() uint8 { return uint8(c) }

func (c cell) value() int { return int(c >> 8) }

var cells = func() (t [256]cell) {
	for i := range t {
		t[i] = cell(illegal)
	}
	for c := '0'; c <= '9'; c++ {
		t[c] = cell(c-'0')<<8 | cell(digits)
	}
	for c := 'A'; c <= 'Z'; c++ {
		t[c] = cell(c-'A'+10)<<8 | cell(letters)
	}
	for _, c := range "MFX" {
		t[c] |= cell(sexes)
	}
	t[filler] = cell(fillers)
	t[unread] = cell(unreads)
	return t
}()

// is reports whether c belongs to one of the classes.
func is(c byte, class uint8) bool { return cells[c].class()&class != 0 }

// allIn reports whether every character of s belongs to one of the classes.
func allIn(s string, class uint8) bool {
	for i := 0; i < len(s); i++ {
		if !is(s[i], class) {
			return false
		}
	}
	return true
}

// seen returns the classes of all characters of s together.
func seen(s string) uint8 {
	var all cell
	for i := 0; i < len(s); i++ {
		all |= cells[s[i]]
	}
	return all.class()
}

// blank reports whether a piece consists of fillers only.
func blank(piece string) bool { return allIn(piece, fillers) }

// printable turns cells into a value that is safe to show: what is no
// character of a zone becomes the mark for unread.
func printable(s string) string {
	if seen(s)&illegal == 0 {
		return s
	}
	b := []byte(s)
	for i := range b {
		if is(b[i], illegal) {
			b[i] = unread
		}
	}
	return string(b)
}

// value is printable without the fillers at the end.
func value(s string) string { return printable(trim(s)) }

// trim drops the fillers at the end.
func trim(s string) string {
	const many = "<<<<<<<<"
	for len(s) >= len(many) && s[len(s)-len(many):] == many {
		s = s[:len(s)-len(many)]
	}
	for s != "" && s[len(s)-1] == filler {
		s = s[:len(s)-1]
	}
	return s
}
