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
func (f *Framer) split() (s parts) {
	run := f.run[:f.length]
	whole := part{to: len(run)}
	if !f.trimmed {
		if f.padded(run, &s) {
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
		if s := f.lineUp(run); s.n > 0 {
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

// chains are the best ways to go on at each place of a run.
type chains [maxRun + 1]chain

// lineUp looks for the lines in a run that is not one. No parts: there are none.
func (f *Framer) lineUp(run []byte) (s parts) {
	// From the end to the beginning: the best way to go on where a document may
	// begin, and where something that is no document has come before.
	var clean, dirty chains
	for i := len(run); i >= 0; i-- {
		clean[i], dirty[i] = chain{score: -1}, chain{}
		if i == len(run) {
			clean[i].score = 0
			continue
		}
		dirty[i].score = dirty[i+1].score
		for _, sh := range shapes {
			c, sure, ok := f.begin(run, i, sh, &clean, &dirty)
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
	best, at, continues, state, junk := int16(0), 0, 0, &dirty, false
	if p := f.doc.next(); p.shape != none && !f.trimmed {
		for e := 0; e <= maxExcess; e++ {
			if n, c := f.goOn(run, e, p, &clean, &dirty); c.score > best {
				best, at, continues, junk = c.score, e, n, c.junk
			}
		}
	}
	if !f.trimmed {
		for e := 0; e <= min(maxExcess, len(run)-1); e++ {
			if clean[e].score > best {
				best, at, continues, state = clean[e].score, e, 0, &clean
			}
		}
	}
	if dirty[0].score > best {
		best, at, continues, state = dirty[0].score, 0, 0, &dirty
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
			state = &clean
		}
	}
	from := pos
	for pos < len(run) {
		c := state[pos]
		if c.shape == none {
			pos++
			state = &dirty
			continue
		}
		s.put(part{from: from, to: pos})
		for at := 1; at <= int(c.lines); at++ {
			p := place{c.shape, at}
			s.put(part{from: pos, to: pos + p.width(), place: p})
			pos += p.width()
		}
		from = pos
		if state = &clean; c.junk {
			state = &dirty
		}
	}
	s.put(part{from: from, to: len(run)})
	return s
}

// begin tries a document of a shape at a position. Sure: it begins beyond doubt.
func (f *Framer) begin(run []byte, i int, sh shape, clean, dirty *chains) (c chain, sure, ok bool) {
	if len(run)-i < sh.width(1) {
		return c, false, false
	}
	first := run[i : i+sh.width(1)]
	if sh == licence {
		sure = isHead(first)
		ok = sure
	} else {
		unread := 0
		if i <= maxExcess && i+len(first) == len(run) {
			unread = 2 // what stands before it is told by its length alone
		}
		ok = beginsDocument(first, unread) && (place{sh, 1}).takes(first)
		sure = ok && surelyBegins(first) && (sh == short || isName(first[5:]))
	}
	if !ok {
		return c, false, false
	}
	c.shape = sh
	if sure {
		c.score += sureScore
	}
	pos := i
	var lines [maxLines][]byte
	for at := 1; at <= sh.lines(); at++ {
		p := place{sh, at}
		if pos == len(run) && at == 2 { // the rest is to come, each line for itself
			return c, sure, true
		}
		if len(run)-pos < p.width() || !p.takes(run[pos:pos+p.width()]) {
			return c, false, false
		}
		lines[at-1] = run[pos : pos+p.width()]
		pos += p.width()
		c.lines++
		c.score += int16(p.width())
	}
	var alone document
	return c, sure, f.behind(&c, run, pos, clean, dirty, lines[:sh.lines()], alone.prove(lines[:sh.lines()]...))
}

// goOn tries to continue the document at a position: with how many lines, and
// how good that is.
func (f *Framer) goOn(run []byte, i int, p place, clean, dirty *chains) (n int, c chain) {
	pos, start := i, p
	c.shape = p.shape
	var lines [maxLines][]byte
	for ; p.at <= p.shape.lines(); p.at++ {
		if pos == len(run) && n > 0 {
			break
		}
		if len(run)-pos < p.width() || !p.takes(run[pos:pos+p.width()]) {
			return 0, chain{}
		}
		lines[n] = run[pos : pos+p.width()]
		pos += p.width()
		n++
		c.score += int16(p.width())
	}
	whole, proof := p.at > p.shape.lines(), nothing
	if whole {
		proof = f.doc.prove(lines[:n]...)
	}
	if i > 0 && !(proof != nothing && start.shape.lines() == 2) && !(start == place{short, 2} && datesProve(lines[0])) {
		return 0, chain{}
	}
	if whole && !f.behind(&c, run, pos, clean, dirty, lines[:n], proof) {
		return 0, chain{}
	}
	return n, c
}

// behind adds what stands behind the last of a document's lines in this run, unless
// it must not stand there, or half of another document is in them.
func (f *Framer) behind(c *chain, run []byte, pos int, clean, dirty *chains, lines [][]byte, proof proof) bool {
	last := lines[len(lines)-1]
	switch two := c.shape.lines() == 2; {
	case two && proof != bounded && holdsBegin(last):
		return false
	case !two && proof == nothing && len(lines) > 1 && holdsBegin(lines[len(lines)-2]):
		return false
	case !two && pos < len(run) && !isName(last):
		return false
	}
	if proof != nothing {
		c.score += validScore
	}
	rest := clean[pos].score
	if surelyBegins(run[pos:]) || proof == bounded {
		c.junk = dirty[pos].score > rest
		rest = max(rest, dirty[pos].score)
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
	var lines [][]byte
	for ; p.at <= p.shape.lines(); p.at++ {
		line := run[n : n+p.width()]
		if !p.takes(line) {
			return 0
		}
		lines = append(lines, line)
		n += p.width()
	}
	if !(surelyBegins(run[n:]) && (p.shape.lines() == 2 || isName(lines[len(lines)-1]))) && d.prove(lines...) != bounded {
		return 0
	}
	return n
}
