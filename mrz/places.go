package mrz

// A place is one cell that a repair may change.
type place struct {
	line, at int  // both counted from 0
	numeric  bool // holds digits and fillers only
}

// anyCharacter is what an unread cell of a document number may have been.
const anyCharacter = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

const (
	maxUnread   = 2    // cells of one field that are guessed
	maxVariants = 2048 // of one field: two unread characters, and some more
)

// numerals lists the cells of a date or a check digit.
func (r *repairer) numerals(s span) []place { return placesOf(s, true) }

// characters lists the cells of any other span.
func (r *repairer) characters(s span) []place { return placesOf(s, false) }

func placesOf(s span, numeric bool) (list []place) {
	for i := int(s.from); i < int(s.to); i++ {
		list = append(list, place{int(s.line), i, numeric})
	}
	return list
}

func (r *repairer) cell(p place) byte { return r.lines[p.line][p.at] }

// variants returns the ways to replace those cells of places that cannot stand
// as they are: a letter among digits and a sign that is no character of a zone
// by their twins, an unread cell by each of unknown, in numeric places by each
// digit. It returns one empty way if all can stand, and none if a cell cannot be
// replaced or too many are unread.
func (r *repairer) variants(places []place, unknown string) (ways [][]patch) {
	ways = [][]patch{nil}
	guessed := 0
	for _, p := range places {
		c := r.cell(p)
		var choices string
		switch {
		case c == unread:
			if guessed++; guessed > maxUnread {
				return nil
			}
			choices = unknown
			if p.numeric {
				choices = anyDigit
			}
		case p.numeric && is(c, digits|fillers), !p.numeric && is(c, letters|digits|fillers):
			continue
		case p.numeric:
			if twin := digitTwin(c); twin != 0 {
				choices = string(rune(twin))
			}
		default:
			choices = twins(c)
		}
		if len(ways)*len(choices) > maxVariants {
			return nil
		}
		var next [][]patch
		for _, way := range ways {
			for i := range len(choices) {
				next = append(next, append(way[:len(way):len(way)], patch{p.line, p.at, choices[i : i+1]}))
			}
		}
		ways = next
	}
	return ways
}

// twists returns the ways to exchange exactly n characters for their twins, in
// places that are not numeric and that patches leave alone.
func (r *repairer) twists(places []place, taken []patch, n int) [][]patch {
	if n == 0 {
		return [][]patch{nil}
	}
	var ways [][]patch
	for i, p := range places {
		if p.numeric || touches(taken, p) {
			continue
		}
		choices := twins(r.cell(p))
		if choices == "" && r.endsNumber(p) && isNoise(r.cell(p)) {
			choices = string(filler)
		}
		for j := range len(choices) {
			for _, rest := range r.twists(places[i+1:], taken, n-1) {
				ways = append(ways, append([]patch{{p.line, p.at, choices[j : j+1]}}, rest...))
			}
		}
	}
	return ways
}

// endsNumber reports whether a place is the last cell of the document number,
// where a filler stands if the number is shorter.
func (r *repairer) endsNumber(p place) bool {
	return p.line == int(r.number.line) && p.at == int(r.number.to)-1
}
