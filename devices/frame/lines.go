package frame

// The widths of lines (Doc 9303-4 to -7), in the order in which they are tried.
var widths = [...]int{44, 36, 30}

const (
	// maxExcess is how many zone characters an envelope can put before the
	// first line: a flag, the low byte of a length, the end of an AIM identifier.
	maxExcess = 3

	// maxRun is two unseparated documents of the longest kind, merged.
	maxRun = 2*3*30 + maxExcess

	// minFragment is the shortest piece of a line worth telling the officer.
	minFragment = 10

	// maxDigits is the longest sequence of digits in a fragment that has no
	// filler: payment card numbers have 12 and more.
	maxDigits = 11
)

// linesOf is how many lines of that width make a document, 0 if none does.
func linesOf(width int) int {
	switch width {
	case 44, 36: // TD3, MRV-A; TD2, MRV-B, the French card of 1988
		return 2
	case 30: // TD1
		return 3
	}
	return 0
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
func places(line []byte) (s lineSet) {
	if all, _ := count(line); all == len(line) {
		return 0
	}
	if len(line) != 30 {
		digits, unread := count(line[:28])
		if digits < 5 {
			s |= 1 << 1
		}
		if digits+unread >= 5 {
			s |= 1 << 2
		}
		return s
	}
	digits, unread := count(line)
	birth, birthUnread := count(line[:7])
	if birth+birthUnread >= 4 || line[0] == '<' { // '<': the date is not known
		s |= 1 << 2
	}
	numbered := digits+unread > 0 || string(line[5:14]) == "<<<<<<<<<" // there is a check digit, or no number
	if birth < 4 && line[0] != '<' && numbered {
		s |= 1 << 1
	}
	if digits < 4 && line[0] != '<' {
		s |= 1 << 3
	}
	return s
}

// count counts the digits and the unread characters.
func count(line []byte) (digits, unread int) {
	for _, c := range line {
		switch {
		case '0' <= c && c <= '9':
			digits++
		case c == '_':
			unread++
		}
	}
	return digits, unread
}

// beginsDocument says whether a line that was found by its content alone begins
// as ICAO documents do: a code with A, C, I, P or V first, then a state.
func beginsDocument(line []byte) bool {
	switch line[0] {
	case 'A', 'C', 'I', 'P', 'V':
	default:
		return false
	}
	digits, unread := count(line[:5])
	return digits+unread == 0 && places(line).has(1)
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
		case c == '<' || c == '_':
			fillers++
		default:
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
	return letters > 0 && digits > 0 && longest <= maxDigits
}

// cut is how a run falls into lines.
type cut struct {
	excess int // characters before the first line that belong to an envelope
	widths [maxRun / 30]int
	lines  int
}

// split finds the lines in a run. A run of exactly one line's length is that
// line, wherever it stands. A longer one is taken apart only if the lines
// found in this way follow each other as they should, beginning with the one
// expected, or with a first one.
func split(run []byte, expected place) (c cut, ok bool) {
	if linesOf(len(run)) > 0 {
		c.widths[0], c.lines = len(run), 1
		return c, places(run) != 0
	}
	if expected != (place{}) && c.follow(run, expected) {
		return c, true
	}
	for c.excess = 0; c.excess <= min(maxExcess, len(run)); c.excess++ {
		if c.follow(run[c.excess:], place{}) {
			return c, true
		}
	}
	return c, false
}

// follow continues the cut at a place, up to the end of the run.
func (c *cut) follow(run []byte, p place) bool {
	if len(run) == 0 {
		return c.lines > 0
	}
	try := func(width, at int) bool {
		c.widths[c.lines] = width
		c.lines++
		next := place{width, at + 1}
		if at == linesOf(width) {
			next = place{}
		}
		if c.follow(run[width:], next) {
			return true
		}
		c.lines--
		return false
	}
	if p != (place{}) {
		return len(run) >= p.width && places(run[:p.width]).has(p.at) && try(p.width, p.at)
	}
	for _, width := range widths {
		if len(run) >= width && beginsDocument(run[:width]) && try(width, 1) {
			return true
		}
	}
	return false
}
