package frame

// A survey is what lineUp asks about a run, counted in one pass: documents are
// tried at every place of a run, in every shape, and a flood must not make that
// dear. What a line could be is then a matter of a few subtractions.
type survey struct {
	run    []byte
	before [maxRun + 1]tally
	marked [maxRun + 1]uint16 // digits and unread characters before each place
	// next is where a document begins beyond doubt, at a place or behind it;
	// the end of the run if none does.
	next [maxRun + 1]uint16
	// second are the shapes whose second line may stand at a place, all of them at
	// the end of the run, none behind it.
	second [maxRun + 1 + maxWidth]shapeSet

	// The best ways to go on where a document may begin, and where something that
	// is no document has come before.
	clean, dirty [maxRun + 1]chain
}

// A tally counts what tells lines apart.
type tally struct {
	digits, unread uint16
	parts          uint16 // letters behind two fillers
}

// start makes the survey one of another run: what can be counted from its front.
func (s *survey) start(run []byte) {
	s.run = run
	var t tally
	for i, c := range run {
		s.before[i], s.marked[i] = t, t.digits+t.unread
		switch {
		case isDigit(c):
			t.digits++
		case c == '_':
			t.unread++
		case i >= 2 && c != '<' && run[i-1] == '<' && run[i-2] == '<':
			t.parts++
		}
	}
	end := len(run)
	s.before[end], s.marked[end] = t, t.digits+t.unread
	s.next[end] = uint16(end)
	s.clean[end], s.dirty[end] = chain{}, chain{}
	clear(s.second[end:])
	s.second[end] = ^shapeSet(0)
}

// A shapeSet is a set of shapes.
type shapeSet uint8

func of(sh shape) shapeSet { return 1 << sh }

func (s shapeSet) has(sh shape) bool { return s&of(sh) != 0 }

// count counts between two places.
func (s *survey) count(from, to int) tally {
	a, b := &s.before[from], &s.before[to]
	return tally{b.digits - a.digits, b.unread - a.unread, b.parts - a.parts}
}

// takes says whether a line at that place of the run could stand in p.
func (s *survey) takes(p place, from int) bool {
	to := from + p.width()
	if to > len(s.run) {
		return false
	}
	line := s.run[from:to]
	if p.shape == licence && p.at < 3 {
		return p.takes(line)
	}
	return placesOf(line, s.count(from, from+telling(len(line))), s.count(from, to)).has(p.at)
}

// surely says whether a document begins at that place beyond doubt.
func (s *survey) surely(at int) bool { return int(s.next[at]) == at && at < len(s.run) }

// holdsBegin says whether one does within a line.
func (s *survey) holdsBegin(from, to int) bool { return int(s.next[from+1]) <= to-opening }

// beginsDocument is beginsDocument of what stands at that place.
func (s *survey) beginsDocument(at, unread int) bool {
	if c := s.run[at]; !begins[c] && !(c == '_' && unread > 0) {
		return false
	}
	t := s.count(at, at+opening)
	return t.digits == 0 && int(t.unread) <= unread
}

// mayBeUnread is how much of a document's opening may be unread where all of the run
// is its first line: what stands before that is told by its length alone.
func (s *survey) mayBeUnread(at int) int {
	if at <= maxExcess {
		return 2
	}
	return 0
}

// look sees to next and second at a place, whatever is behind it having been seen to.
func (s *survey) look(at int) {
	s.next[at] = s.next[at+1]
	if c := s.run[at]; begins[c] && surelyBegins(s.run[at:]) {
		s.next[at] = uint16(at)
	}
	var set shapeSet
	room := len(s.run) - at
	if room >= medium.width(2) && s.marks(at, at+28) >= 5 {
		if set = of(medium); room >= long.width(2) {
			set |= of(long)
		}
	}
	if room >= short.width(2) && (s.run[at] == '<' || s.marks(at, at+7) >= 4) {
		set |= of(short)
	}
	s.second[at] = set
}

// mayBegin is a quick look at which documents could begin at a place: how they would
// open, and what stands where their second line would.
func (s *survey) mayBegin(at int) (set shapeSet) {
	if begins[s.run[at]] && s.marks(at, min(at+opening, len(s.run))) == 0 || at <= maxExcess {
		set = s.second[at+long.width(1)]&of(long) | s.second[at+medium.width(1)]&of(medium) | s.second[at+short.width(1)]&of(short)
	}
	if mayBeHead(s.run[at:]) {
		set |= of(licence)
	}
	return set
}

// marks counts the digits and the unread characters between two places.
func (s *survey) marks(from, to int) uint16 { return s.marked[to] - s.marked[from] }

// isName is isName of the field between two places.
func (s *survey) isName(from, to int) bool {
	c := s.run[from]
	return (isLetter(c) || c == '_') && s.count(from+2, to).parts <= 1
}

// lines are n lines of the run, from p on.
func (s *survey) lines(from int, p place, n int) (lines [maxLines][]byte) {
	for i := range n {
		lines[i] = s.run[from : from+p.width()]
		from += p.width()
		p.at++
	}
	return lines
}
