package frame

import (
	"strings"

	"lintas/mrz"
)

// A shape is how many lines of which width make a document.
type shape uint8

const (
	none    shape = iota
	long          // 2 × 44: TD3, MRV-A (Doc 9303-4, -7)
	medium        // 2 × 36: TD2, MRV-B, the French card of 1988 (Doc 9303-6, -7)
	short         // 3 × 30: TD1 (Doc 9303-5)
	licence       // 9 + 2 × 30: the Swiss and Liechtenstein driving licence
)

// shapes in the order in which they are tried.
var shapes = [...]shape{long, medium, short, licence}

func (s shape) lines() int {
	switch s {
	case long, medium:
		return 2
	case short, licence:
		return 3
	}
	return 0
}

// width of the at-th line.
func (s shape) width(at int) int {
	switch {
	case s == long:
		return 44
	case s == medium:
		return 36
	case s == licence && at == 1:
		return headWidth
	}
	return 30
}

// maxWidth is that of the longest line.
const maxWidth = 44

// headWidth is the width of a Swiss licence's first line: its blank card's
// number and language.
const headWidth = 9

const (
	// maxExcess is how many zone characters an envelope can put before the
	// first line: a flag, the low byte of a length, the end of an AIM identifier.
	maxExcess = 3

	// maxRun bounds a run: five unseparated documents, merged.
	maxRun = 512
	// keptRun is what is kept of a longer one.
	keptRun = maxRun / 2

	// minFragment is the shortest piece of a line worth telling the officer.
	minFragment = 10

	// minDigits is the least number of digits in one that has no filler: such a
	// piece is of the line that holds number and dates, and no name.
	minDigits = 5

	// maxDigits is the longest sequence of digits in a fragment that has no
	// filler: payment card numbers have 12 and more.
	maxDigits = 11
)

// place says where a line stands: it is the at-th, from 1, of a document of that
// shape. The zero place is none.
type place struct {
	shape shape
	at    int
}

// width of a line in this place.
func (p place) width() int { return p.shape.width(p.at) }

// takes says whether a line could stand in this place.
func (p place) takes(line []byte) bool {
	switch {
	case p.shape == none || len(line) != p.width():
		return false
	case p.shape == licence && p.at == 1:
		return isHead(line)
	case p.shape == licence && p.at == 2:
		return string(line[:2]) == "FA" && (string(line[2:5]) == "CHE" || string(line[2:5]) == "LIE")
	}
	return places(line).has(p.at)
}

// isHead knows the first line of a Swiss licence: "AAA001D<<".
func isHead(line []byte) bool {
	if len(line) != headWidth || !mayBeHead(line) || !strings.Contains("DFIR", string(line[6])) {
		return false
	}
	for i, c := range line[:6] {
		if i < 3 && (c < 'A' || c > 'Z') || i >= 3 && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// mayBeHead is a quick look whether such a line can begin.
func mayBeHead(run []byte) bool {
	return len(run) >= headWidth && run[7] == '<' && run[8] == '<' && isLetter(run[6])
}

// lineSet is a set of places of a line in its document: bit n is the n-th.
type lineSet uint8

func (s lineSet) has(n int) bool { return s&(1<<n) != 0 }

// places says which lines of a document a whole line could be. It looks at where
// the digits are, counts an unread character as whatever is needed, and
// forgives some that were misread.
//
// With two lines, the first holds names up to its 28th character, the second
// number, birth and expiry. With three, the first holds the document number, the
// second begins with the date of birth, the third holds names.
//
// A line of digits alone has no place: it could be a card number.
func places(line []byte) lineSet {
	return placesOf(line, count(line[:telling(len(line))]), count(line))
}

// telling is how many characters of a line tell by their digits where it stands.
func telling(width int) int {
	if width == short.width(1) {
		return 7
	}
	return 28
}

// placesOf is places of a line that has been counted, its telling characters too.
func placesOf(line []byte, head, all tally) (s lineSet) {
	if int(all.digits) == len(line) {
		return 0
	}
	if len(line) != short.width(1) {
		if head.digits < 5 {
			s |= 1 << 1
		}
		if head.digits+head.unread >= 5 {
			s |= 1 << 2
		}
		return s
	}
	if head.digits+head.unread >= 4 || line[0] == '<' { // '<': the date is not known
		s |= 1 << 2
	}
	numbered := all.digits+all.unread > 0 || string(line[5:14]) == "<<<<<<<<<" // there is a check digit, or no number
	if head.digits < 4 && line[0] != '<' && numbered {
		s |= 1 << 1
	}
	if all.digits < 4 && line[0] != '<' {
		s |= 1 << 3
	}
	return s
}

// count counts the digits and the unread characters.
func count(line []byte) (t tally) {
	for _, c := range line {
		switch {
		case isDigit(c):
			t.digits++
		case c == '_':
			t.unread++
		}
	}
	return t
}

// begins are the letters that ICAO documents begin with.
var begins = [256]bool{'A': true, 'C': true, 'I': true, 'P': true, 'V': true}

// opening is how many characters say what kind of document begins, and of which
// State.
const opening = 5

// beginsDocument says whether a line that was found by its content alone begins
// as ICAO documents do: a code with A, C, I, P or V first, then a State. Up to
// that many of these five may be unread.
func beginsDocument(line []byte, unread int) bool {
	if !begins[line[0]] && !(line[0] == '_' && unread > 0) {
		return false
	}
	t := count(line[:opening])
	return t.digits == 0 && int(t.unread) <= unread
}

// surelyBegins says whether characters begin a document beyond doubt: with a
// code of one, and a State that there is.
func surelyBegins(run []byte) bool {
	if len(run) < opening || !begins[run[0]] || run[1] != '<' && !isLetter(run[1]) {
		return false
	}
	end := opening
	for end > 2 && run[end-1] == '<' {
		end--
	}
	return mrz.KnownState(string(run[2:end]))
}

// isName says whether a field looks like a name: a letter first, read or not, and two fillers
// before a letter once at most.
func isName(field []byte) bool {
	if (field[0] < 'A' || field[0] > 'Z') && field[0] != '_' {
		return false
	}
	parts := 0
	for i := 2; i < len(field); i++ {
		if field[i] >= 'A' && field[i] <= 'Z' && field[i-1] == '<' && field[i-2] == '<' {
			parts++
		}
	}
	return parts <= 1
}

// isFragment says whether a run that is no line could be a piece of one: long
// enough, not just a word or a rule, and nothing that could be a card number.
func isFragment(run []byte) bool {
	letters, digits, fillers := 0, 0, 0
	row, longest := 0, 0
	for _, c := range run {
		switch {
		case '0' <= c && c <= '9':
			digits++
			row++
			longest = max(longest, row)
			continue
		case c == '<':
			fillers++
		case c != '_':
			letters++
		}
		row = 0
	}
	switch {
	case len(run) < minFragment:
		return false
	case fillers > 0: // only zones have these
		return letters+digits > 0
	}
	return letters > 0 && digits >= minDigits && longest <= maxDigits
}
