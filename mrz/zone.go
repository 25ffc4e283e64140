package mrz

import "strings"

// A zone is a set of lines laid against the layout of their format. Each line
// has exactly the layout's width, so that spans can be cut without a look at
// lengths.
type zone struct {
	*layout
	lines [maxLines]string
	// given is how many cells of each line were really handed in; those
	// beyond are unread.
	given [maxLines]int
	// whole: every line had the right length.
	whole bool
}

// read returns the cells of a span.
func (z *zone) read(s span) string { return z.lines[s.line][s.from:s.to] }

// at returns the one cell of a span.
func (z *zone) at(s span) byte { return z.lines[s.line][s.from] }

// fits reports whether lines have the layout's number and at least one of them
// its width.
func (l *layout) fits(lines []string) bool {
	if len(lines) != l.lines || l.first > 0 && !within(len(lines[0]), l.first, 2) {
		return false
	}
	for i, line := range lines {
		if len(line) == l.widthOf(i) {
			return true
		}
	}
	return false
}

func within(n, want, slack int) bool { return want-slack <= n && n <= want+slack }

// lay cuts or pads lines to the layout's width. Cells that were not handed in
// are unread: what stood there is not known.
func (l *layout) lay(lines []string, z *zone) {
	z.layout, z.whole = l, true
	for i, line := range lines {
		width := l.widthOf(i)
		z.given[i] = min(len(line), width)
		if len(line) != width {
			z.whole = false
			line = line[:z.given[i]] + strings.Repeat(string(unread), width-z.given[i])
		}
		z.lines[i] = line
	}
}

// The formats of each shape. Where an opening does not decide and nor do the
// digits, the first one stands.
var (
	twoLongLines  = []*layout{of(TD3), of(MRVA)}
	twoShortLines = []*layout{of(TD2), of(MRVB), of(FRID)}
	threeLines    = []*layout{of(TD1)}
	swissLines    = []*layout{of(CHDL)}
)

// recognise lays lines against the format that they are in and says what the
// digits prove. Shape comes first: number and lengths of the lines, of which
// one right length is enough, so that a line that lost or gained a character at
// its end is still shown. Where several formats share a shape, every reading
// that the opening leaves possible is tried: a reading that no digit refutes
// comes before one whose opening is the usual one, and that before the others.
func recognise(lines []string, z *zone, j *judgement) bool {
	shape := shapeOf(lines)
	best := -1
	for _, l := range shape {
		opening := l.opening(lines)
		if opening == impossible && (len(shape) > 1 || l.format == CHDL) {
			continue
		}
		if best < 0 {
			l.lay(lines, z)
			z.judge(j)
			best = j.rank(opening)
		} else {
			var other zone
			var judged judgement
			l.lay(lines, &other)
			other.judge(&judged)
			if rank := judged.rank(opening); rank > best {
				*z, *j, best = other, judged, rank
			}
		}
		if best == usual+consistent {
			break
		}
	}
	return best >= 0
}

// shapeOf returns the formats that lines have the shape of, none if that is no
// shape of a zone, or one line is of one shape and one of another.
func shapeOf(lines []string) []*layout {
	switch long, short := twoLongLines[0].fits(lines), twoShortLines[0].fits(lines); {
	case long && short:
		return nil
	case long:
		return twoLongLines
	case short:
		return twoShortLines
	case swissLines[0].fits(lines):
		return swissLines
	case threeLines[0].fits(lines):
		return threeLines
	}
	return nil
}

// How well lines open for a format, and what is added if no digit speaks
// against it.
const (
	impossible = iota
	doubtful
	usual
	consistent
)

// rank says how good a reading of lines is whose opening is known.
func (j *judgement) rank(opening int) int {
	if j.refuted == 0 {
		opening += consistent
	}
	return opening
}

// opening judges the first letters of a zone. A visa's V and the French card's
// IDFRA belong to their formats alone; a cell that is no letter may have been
// any.
func (l *layout) opening(lines []string) int {
	first := byte(unread)
	if lines[0] != "" {
		first = lines[0][0]
	}
	switch {
	case l.format == FRID:
		return nearly(lines[0], "IDFRA")
	case l.format == CHDL:
		return swiss(lines)
	case !is(first, letters):
		return doubtful
	case l.visa:
		if first == 'V' {
			return usual
		}
		return impossible
	case first == 'V', l.format == TD2 && strings.HasPrefix(lines[0], "IDFRA"):
		return doubtful
	}
	return usual
}

// swiss reports how lines open for a driving licence, in which no digit tells
// it from other lines: the number of the blank card and the letter of a language,
// FA, and one of the two States.
func swiss(lines []string) int {
	if len(lines) < 2 || len(lines[0]) < len("AAA001D") || !allIn(lines[0][:3], letters) ||
		!allIn(lines[0][3:6], digits) || !is(lines[0][6], letters) {
		return impossible
	}
	if strings.HasPrefix(lines[1], "FACHE") || strings.HasPrefix(lines[1], "FALIE") {
		return usual
	}
	return impossible
}

// nearly reports how line opens for a format that begins with want. It is
// doubtful if want may have been misread: at most two cells differ, and none of
// those by being another letter.
func nearly(line, want string) int {
	if strings.HasPrefix(line, want) {
		return usual
	}
	wrong := 0
	for i := range want {
		if i >= len(line) || line[i] != want[i] {
			if i < len(line) && is(line[i], letters|fillers) {
				return impossible
			}
			wrong++
		}
	}
	if wrong > 2 {
		return impossible
	}
	return doubtful
}
