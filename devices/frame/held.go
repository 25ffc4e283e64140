package frame

import (
	"time"

	"lintas/devices"
)

// held is what may be a boarding pass. Its bytes are kept back, with the times
// at which they came, until it is one or cannot be one any more; then they are
// framed as if nothing had been.
type held struct {
	passReader
	raw   [maxPass]byte
	after [maxPass]time.Duration // since first
	n     int
	first time.Time
}

func (h *held) begin(now time.Time, c byte) {
	h.passReader, h.n, h.first = passReader{}, 0, now
	h.add(now, c)
	h.next(h.raw[:h.n])
}

func (h *held) add(now time.Time, c byte) {
	h.raw[h.n], h.after[h.n] = c, now.Sub(h.first)
	h.n++
}

// drop takes the first n bytes out.
func (h *held) drop(n int) {
	copy(h.after[:], h.after[n:h.n])
	copy(h.raw[:], h.raw[n:h.n])
	clear(h.raw[h.n-n : h.n]) // there are names in passes
	h.n -= n
}

// again reads what is held from its beginning: n bytes of it are a whole pass,
// or what is held can be the beginning of one, or is wrong.
func (h *held) again() (n int, is reading) {
	h.passReader = passReader{}
	for i := range h.n {
		if h.whole && !h.goesOn(h.raw[i]) {
			return i, more
		}
		whole := h.whole
		if h.next(h.raw[:i+1]) == wrong {
			if whole {
				return i, more
			}
			return 0, wrong
		}
	}
	return 0, more
}

// mayBeginPass says whether a boarding pass could begin here: not in a line, nor
// in something else that has begun.
func (f *Framer) mayBeginPass(c byte) bool {
	return (c == 'M' || c == 'S') && !f.track && (f.length == 0 && !f.trimmed || f.aim.done && f.length <= 2)
}

// hold takes a byte behind held ones. False: it is not part of them, and is still
// to be framed.
func (f *Framer) hold(now time.Time, c byte, emit func(devices.Scan)) bool {
	h := &f.held
	if h.whole && !h.goesOn(c) || h.n == maxPass {
		f.endHeld(emit)
		return false
	}
	h.add(now, c)
	f.last = now
	if h.next(h.raw[:h.n]) == wrong {
		if h.whole { // only its security data is broken off
			h.n--
			f.endHeld(emit)
			return false
		}
		f.reject(emit)
	}
	return true
}

// endHeld decides about what is held, because nothing more belongs to it.
func (f *Framer) endHeld(emit func(devices.Scan)) {
	for f.held.n > 0 {
		if f.held.whole {
			f.emitPass(f.held.n, emit)
			continue
		}
		f.reject(emit)
	}
}

// emitPass emits the boarding pass that the first n held bytes are.
func (f *Framer) emitPass(n int, emit func(devices.Scan)) {
	h := &f.held
	f.stats.Passes++
	scan := devices.Scan{
		Status: devices.Pass, Pass: h.pass(), Lines: []string{},
		First: h.first.Add(h.after[0]), Last: h.first.Add(h.after[n-1]),
	}
	h.drop(n)
	f.dropRun() // the end of an AIM identifier
	f.code = code{silent: true}
	f.fresh, f.aim = false, aim{}
	emit(scan)
}

// reject frames held bytes that are no boarding pass. One may begin behind the
// first of them.
func (f *Framer) reject(emit func(devices.Scan)) {
	h := &f.held
	f.spoilt()
	for none := true; h.n > 0; {
		if none || !f.mayBeginPass(h.raw[0]) {
			f.replay(emit)
			none = false
			continue
		}
		n, is := h.again()
		switch {
		case n > 0:
			f.emitPass(n, emit)
		case is == more:
			return
		}
		if none = is == wrong; none {
			f.spoilt()
		}
	}
}

// spoilt keeps what is left of a boarding pass from being shown as half a
// document: there is a name in it.
func (f *Framer) spoilt() {
	if f.held.n >= passHeader {
		f.code = code{silent: true}
	}
}

// replay frames the first held byte.
func (f *Framer) replay(emit func(devices.Scan)) {
	h := &f.held
	c, now := h.raw[0], h.first.Add(h.after[0])
	h.drop(1)
	f.plain(now, c, emit)
}

// passBehindRun finds the beginning of a boarding pass that is glued to the end
// of a document: `…<<<10M1ERIKSSON/ANNA`. The byte is the first that belongs to
// no zone.
func (f *Framer) passBehindRun(now time.Time, c byte, emit func(devices.Scan)) bool {
	if f.held.n > 0 {
		return false
	}
	at := f.length
	for at > 0 && f.run[at-1] >= 'A' && f.run[at-1] <= 'Z' {
		at--
	}
	if at < 3 || at == f.length || f.run[at-1] < '1' || f.run[at-1] > '0'+maxLegs || f.run[at-2] != 'M' && f.run[at-2] != 'S' {
		return false
	}
	at -= 2
	var tail [maxRun]byte
	n := copy(tail[:], f.run[at:f.length])
	whole := f.length
	f.length = at
	if s := f.split(); !s.completes() {
		f.length = whole
		return false
	}
	last := f.last
	f.endRun(emit)
	for _, t := range tail[:n] {
		f.feed(last, t, emit)
	}
	f.feed(now, c, emit)
	return true
}
