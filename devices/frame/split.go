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
		if whole.place = f.exact(run); whole.place.shape != none {
			s.put(whole)
			return s
		}
		switch len(run) {
		case long.width(1), medium.width(1), short.width(1):
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
	score int16 // how many characters are in lines from here on; -1: there is no way
	shape shape // of the document that begins here; none: this character is in no line
	lines uint8 // how many lines of it there are
}

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
	best, at, continues, state := int16(0), 0, 0, &dirty
	if p := f.doc.next(); p.shape != none && !f.trimmed {
		for e := 0; e <= maxExcess; e++ {
			if n, score := f.goOn(run, e, p, &clean, &dirty); score > best {
				best, at, continues = score, e, n
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
		state = after(pos, &clean)
		if state == nil {
			state = &dirty
		}
	}
	junk := pos
	for pos < len(run) {
		c := state[pos]
		if c.shape == none {
			pos++
			state = &dirty
			continue
		}
		s.put(part{from: junk, to: pos})
		for at := 1; at <= int(c.lines); at++ {
			p := place{c.shape, at}
			s.put(part{from: pos, to: pos + p.width(), place: p})
			pos += p.width()
		}
		junk = pos
		if state = after(pos, &clean); state == nil {
			state = &dirty
		}
	}
	s.put(part{from: junk, to: len(run)})
	return s
}

// after is the clean table if a document begins, or the run ends, at a position.
func after(pos int, clean *chains) *chains {
	if clean[pos].score >= 0 {
		return clean
	}
	return nil
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
		sure = ok && surelyBegins(first)
	}
	if !ok {
		return c, false, false
	}
	c.shape = sh
	pos := i
	var lines [maxLines][]byte
	for at := 1; at <= sh.lines(); at++ {
		p := place{sh, at}
		if pos == len(run) { // the rest is to come
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
	var nothing document
	rest := f.rest(run, pos, clean, dirty, func() bool { return sh.proves() && nothing.valid(lines[:sh.lines()]...) })
	c.score += rest
	return c, sure, rest >= 0
}

// proves says whether check digits can prove where the last line of a document
// begins and ends. In three lines the last has none.
func (s shape) proves() bool { return s == long || s == medium }

// goOn tries to continue the document at a position: with how many lines, and
// how good that is.
func (f *Framer) goOn(run []byte, i int, p place, clean, dirty *chains) (n int, score int16) {
	pos, start := i, p
	var lines [maxLines][]byte
	for ; p.at <= p.shape.lines(); p.at++ {
		if pos == len(run) && n > 0 {
			break
		}
		if len(run)-pos < p.width() || !p.takes(run[pos:pos+p.width()]) {
			return 0, 0
		}
		lines[n] = run[pos : pos+p.width()]
		pos += p.width()
		n++
		score += int16(p.width())
	}
	whole := p.at > p.shape.lines()
	valid := func() bool { return whole && start.shape.proves() && f.doc.valid(lines[:n]...) }
	if i > 0 && !valid() && !(start == place{short, 2} && datesProve(lines[0])) {
		return 0, 0
	}
	if !whole {
		return n, score
	}
	rest := f.rest(run, pos, clean, dirty, valid)
	if rest < 0 {
		return 0, 0
	}
	return n, score + rest
}

// rest is the score of what stands behind a document, -1 if it must not stand
// there.
func (f *Framer) rest(run []byte, pos int, clean, dirty *chains, valid func() bool) int16 {
	switch {
	case clean[pos].score >= 0:
		return clean[pos].score
	case surelyBegins(run[pos:]) || valid():
		return dirty[pos].score
	}
	return -1
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
	if !surelyBegins(run[n:]) && !(p.shape.proves() && d.valid(lines...)) {
		return 0
	}
	return n
}
