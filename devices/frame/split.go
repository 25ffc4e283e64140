package frame

import "lintas/mrz"

// A part of a run is a line, or what is none.
type part struct {
	from, to int
	place    place
	loose    bool // a whole line, but it does not stand where it could
	padded   bool // what filled it up was taken off its document
}

func (p part) line() bool { return p.place.shape != none || p.loose }

// maxParts is how many a run can fall into: lines of thirty, and something
// before and behind each.
const maxParts = 2*(maxRun/30) + 3

// parts are what a run falls into, in order and without a gap.
type parts struct {
	list [maxParts]part
	n    int
}

func (s *parts) put(p part) {
	if p.to > p.from && s.n < maxParts {
		s.list[s.n] = p
		s.n++
	}
}

// completes says whether the run ends with the last line of a document.
func (s *parts) completes() bool {
	if s.n == 0 {
		return false
	}
	p := s.list[s.n-1].place
	return p.shape != none && p.at == p.shape.lines()
}

// split finds the lines in the run.
//
// A run of exactly one line's length is that line, wherever it stands. A longer
// one is taken apart so that as much of it as possible is in lines that follow
// each other as they should. What is glued to them must be told from them for
// certain:
//
//   - up to three characters may stand before a first line that looks like one,
//   - more only before one that begins beyond doubt,
//   - some before a line that continues a document, and any behind a document,
//     only if check digits prove where the line begins and ends.
//
// The parts are good until the next call.
func (f *Framer) split() *parts {
	run, s := f.run[:f.length], &f.parts
	s.n = 0
	whole := part{to: len(run)}
	if !f.trimmed {
		if f.padded(run, s) {
			return s
		}
		if whole.place = f.exact(run); whole.place.shape != none && !f.glued(whole.place, run) {
			s.put(whole)
			return s
		}
		glued := whole.place.shape != none
		whole.place = place{}
		if n := len(run) - 1; n > 0 && run[n] == '_' { // or a sentinel behind the line
			if p := f.exact(run[:n]); p.shape != none {
				s.put(part{to: n, place: p})
				s.put(part{from: n, to: n + 1})
				return s
			}
		}
		switch len(run) {
		case long.width(1), medium.width(1), short.width(1):
			if glued || holdsBegin(run) {
				break
			}
			whole.loose = places(run) != 0
			s.put(whole)
			return s
		}
	}
	if len(run) > short.width(1) {
		if f.lineUp(run); s.n > 0 {
			return s
		}
	}
	s.put(whole)
	return s
}

// exact is the place of a run that is one line.
func (f *Framer) exact(run []byte) place {
	if p := f.doc.next(); p.takes(run) {
		return p
	}
	for _, sh := range shapes {
		if p := (place{sh, 1}); p.takes(run) && !shifted(run) {
			return p
		}
	}
	return place{}
}

// glued says whether a line with number and dates is half of one and half of the
// first line of another document, which happen to have the right length together.
// If the check digits are right it is not.
func (f *Framer) glued(p place, line []byte) bool {
	return p.at == 2 && p.shape.lines() == 2 && holdsBegin(line) && f.doc.prove(line) != bounded
}

// holdsBegin says whether a document begins beyond doubt within a line with number
// and dates.
func holdsBegin(line []byte) bool {
	for i := 1; i < len(line); i++ {
		if surelyBegins(line[i:]) {
			return true
		}
	}
	return false
}

// shifted says whether a run that has the width of a first line is one that lacks
// characters at its end, with those of an envelope before it.
func shifted(run []byte) bool {
	if surelyBegins(run) {
		return false
	}
	for e := 1; e <= maxExcess && e < len(run); e++ {
		if surelyBegins(run[e:]) {
			return true
		}
	}
	return false
}

// padded takes the unread characters off the end of a line that a reader has
// filled up to the length of its longest line, as 3M's RTE does. Whether that
// was right is for the check digits to say when the document is there.
func (f *Framer) padded(run []byte, s *parts) bool {
	expected := f.doc.next()
	content := len(run)
	for content > 0 && run[content-1] == '_' {
		content--
	}
	if content == len(run) || expected.takes(run) {
		return false
	}
	for e := 0; e <= maxExcess; e++ {
		if w := len(run) - e; w != long.width(1) && w != medium.width(1) {
			continue
		}
		for _, sh := range [...]shape{medium, short} {
			w := e + sh.width(1)
			if w >= len(run) || content > w || content <= w-maxUnread {
				continue
			}
			p := place{sh, 1}
			if expected.shape == sh && e == 0 {
				p = expected
			}
			if p.takes(run[e:w]) && (p.at > 1 || beginsDocument(run[e:w], 0)) {
				s.put(part{to: e})
				s.put(part{from: e, to: w, place: p, padded: true})
				s.put(part{from: w, to: len(run)})
				return true
			}
		}
	}
	return false
}

// A chain is the best way to go on at one place of a run.
type chain struct {
	score int16 // how good it is; -1: there is no way
	shape shape // of the document that begins here; none: this character is in no line
	lines uint8 // how many lines of it there are
	junk  bool  // something may stand behind it that is no document
}

// The score of a chain is how many characters are in its lines, and more for what
// speaks for a document being where it seems to be: lines without separators can
// often be cut in several ways.
const (
	sureScore  = 30  // it begins beyond doubt
	validScore = 300 // all of its check digits are right
)

// lineUp looks for the lines in a run that is not one. No parts: there are none.
func (f *Framer) lineUp(run []byte) *parts {
	v, s := &f.survey, &f.parts
	s.n = 0
	v.start(run)
	// From the end to the beginning.
	clean, dirty := &v.clean, &v.dirty
	for i := len(run) - 1; i >= 0; i-- {
		clean[i], dirty[i] = chain{score: -1}, chain{score: dirty[i+1].score}
		v.look(i)
		may := v.mayBegin(i)
		if may == 0 {
			continue
		}
		for _, sh := range shapes {
			if !may.has(sh) {
				continue
			}
			c, sure, ok := v.begin(i, sh)
			if !ok {
				continue
			}
			if c.score > clean[i].score {
				clean[i] = c
			}
			if sure && c.score > dirty[i].score {
				dirty[i] = c
			}
		}
	}
	best, at, continues, state, junk := int16(0), 0, 0, dirty, false
	if p := f.doc.next(); p.shape != none && !f.trimmed {
		for e := 0; e <= maxExcess; e++ {
			if n, c := f.goOn(e, p); c.score > best {
				best, at, continues, junk = c.score, e, n, c.junk
			}
		}
	}
	if !f.trimmed {
		for e := 0; e <= min(maxExcess, len(run)-1); e++ {
			if clean[e].score > best {
				best, at, continues, state = clean[e].score, e, 0, clean
			}
		}
	}
	if dirty[0].score > best {
		best, at, continues, state = dirty[0].score, 0, 0, dirty
	}
	if best == 0 {
		return s
	}
	s.put(part{to: at})
	pos := at
	if continues > 0 {
		p := f.doc.next()
		for range continues {
			s.put(part{from: pos, to: pos + p.width(), place: p})
			pos += p.width()
			p.at++
		}
		if !junk {
			state = clean
		}
	}
	from := pos
	for pos < len(run) {
		c := state[pos]
		if c.shape == none {
			pos++
			state = dirty
			continue
		}
		s.put(part{from: from, to: pos})
		for at := 1; at <= int(c.lines); at++ {
			p := place{c.shape, at}
			s.put(part{from: pos, to: pos + p.width(), place: p})
			pos += p.width()
		}
		from = pos
		if state = clean; c.junk {
			state = dirty
		}
	}
	s.put(part{from: from, to: len(run)})
	return s
}

// begin tries a document of a shape at a place. Sure: it begins beyond doubt.
func (v *survey) begin(i int, sh shape) (c chain, sure, ok bool) {
	second := i + sh.width(1)
	switch {
	case second > len(v.run):
		return c, false, false
	case sh == licence:
		sure = isHead(v.run[i:second])
		ok = sure
	default:
		unread := 0
		if second == len(v.run) {
			unread = v.mayBeUnread(i)
		}
		ok = v.beginsDocument(i, unread) && v.takes(place{sh, 1}, i)
		sure = ok && v.surely(i) && (sh == short || v.isName(i+opening, second))
	}
	if !ok {
		return c, false, false
	}
	c.shape, c.lines, c.score = sh, 1, int16(sh.width(1))
	if sure {
		c.score += sureScore
	}
	pos := second
	if pos == len(v.run) { // the rest is to come, each line for itself
		return c, sure, true
	}
	for at := 2; at <= sh.lines(); at++ {
		p := place{sh, at}
		if !v.takes(p, pos) {
			return c, false, false
		}
		pos += p.width()
		c.lines++
		c.score += int16(p.width())
	}
	return c, sure, v.behind(&c, pos, sh.lines(), func() proof {
		lines := v.lines(i, place{sh, 1}, sh.lines())
		return prove(lines[:sh.lines()])
	})
}

// goOn tries to continue the document at a place: with how many lines, and how
// good that is.
func (f *Framer) goOn(i int, p place) (n int, c chain) {
	v := &f.survey
	pos, start := i, p
	c.shape = p.shape
	for ; p.at <= p.shape.lines(); p.at++ {
		if pos == len(v.run) && n > 0 {
			break
		}
		if !v.takes(p, pos) {
			return 0, chain{}
		}
		pos += p.width()
		n++
		c.score += int16(p.width())
	}
	whole, proven := p.at > p.shape.lines(), nothing
	if whole {
		lines := v.lines(i, start, n)
		proven = f.doc.prove(lines[:n]...)
	}
	if i > 0 && !(proven != nothing && start.shape.lines() == 2) && !(start == place{short, 2} && datesProve(v.run[i:])) {
		return 0, chain{}
	}
	if whole && !v.behind(&c, pos, n, func() proof { return proven }) {
		return 0, chain{}
	}
	return n, c
}

// behind adds what stands behind the last of a document's n lines in this run, which
// ends at pos, unless it must not stand there, or half of another document is in
// them. It asks for the proof last: that is what takes time.
func (v *survey) behind(c *chain, pos, n int, ask func() proof) bool {
	two := c.shape.lines() == 2
	last := pos - c.shape.width(c.shape.lines())
	if !two && pos < len(v.run) && !v.isName(last, pos) {
		return false
	}
	rest, sure := v.clean[pos].score, v.surely(pos)
	if mayBeBounded := two && isDigit(v.run[pos-1]); !mayBeBounded && (rest < 0 && !sure || two && v.holdsBegin(last, pos)) {
		return false // only a composite digit could allow it
	}
	proof := ask()
	switch {
	case two && proof != bounded && v.holdsBegin(last, pos):
		return false
	case !two && proof == nothing && n > 1 && v.holdsBegin(last-c.shape.width(2), last):
		return false
	}
	if proof != nothing {
		c.score += validScore
	}
	if sure || proof == bounded {
		c.junk = v.dirty[pos].score > rest
		rest = max(rest, v.dirty[pos].score)
	}
	c.score += rest
	return rest >= 0
}

// datesProve says whether both dates in the second line of a TD1 have the right
// check digit: then the line begins where it seems to.
func datesProve(line []byte) bool {
	for _, at := range [...]int{0, 8} {
		if c, ok := mrz.CheckDigit(string(line[at : at+6])); !ok || c != line[at+6] {
			return false
		}
	}
	return true
}

// certain is how many characters at the front of a run complete a document
// beyond doubt, whatever follows.
func (f *Framer) certain(run []byte) int {
	if f.trimmed {
		return 0
	}
	p, n := f.doc.next(), 0
	d := &f.doc
	if p.shape == none || !p.takes(run[:p.width()]) {
		d, p = new(document), place{}
		for _, sh := range shapes {
			if first := run[:sh.width(1)]; (place{sh, 1}).takes(first) && (sh == licence || beginsDocument(first, 0)) {
				p = place{sh, 1}
				break
			}
		}
	}
	if p.shape == none {
		return 0
	}
	var lines [maxLines][]byte
	count := 0
	for ; p.at <= p.shape.lines(); p.at++ {
		line := run[n : n+p.width()]
		if !p.takes(line) {
			return 0
		}
		lines[count] = line
		count++
		n += p.width()
	}
	if !(surelyBegins(run[n:]) && (p.shape.lines() == 2 || isName(lines[count-1]))) && d.prove(lines[:count]...) != bounded {
		return 0
	}
	return n
}
