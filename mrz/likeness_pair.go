package mrz

import (
	"slices"
	"strings"
)

// A part is one part of a name being paired.
type part struct {
	text   string
	second bool // of the secondary identifier
	mate   int  // index of the part of the other name that it belongs to, or noMate
}

const noMate = -1

// A pairing finds for the parts of two names those that belong together.
type pairing struct {
	a, b  []part
	why   reasons
	whole bool // at least one pair is more than initials
}

// pair reports whether two names are one but for differences that documents of
// one person show, and which these are. At least one part must be in full on
// both sides.
func pair(n, o *foldedName) (reasons, bool) {
	p := pairing{a: n.separate(), b: o.separate()}
	p.b = p.join(p.a, p.b)
	p.a = p.join(p.b, p.a)
	p.match(0, func(x, y string) bool { return x == y })
	p.match(because(NameShortForm), shortForms)
	p.match(because(NameParticle), sameParticle)
	p.match(because(NameInitial), initialOf)
	if !p.whole || !p.settle() {
		return 0, false
	}
	p.arrange()
	return p.why, true
}

func (n *foldedName) separate() []part {
	parts := make([]part, len(n.parts), maxParts)
	for i, text := range n.parts {
		parts[i] = part{text, i >= n.primary, noMate}
	}
	return parts
}

// maxJoined is how many parts may be one: DE LA CRUZ, DELACRUZ.
const maxJoined = 4

// join replaces neighbouring parts of apart that stand together in others as
// one: NUR AISYAH if there is NURAISYAH.
func (p *pairing) join(others, apart []part) []part {
	for _, whole := range others {
		for i := range apart {
			n := joined(apart[i:], whole.text)
			if n == 0 {
				continue
			}
			if apart[i].second != apart[i+n-1].second {
				p.why |= because(NameBorder)
			}
			apart[i].text = whole.text
			apart = slices.Delete(apart, i+1, i+n)
			p.why |= because(NameJoined)
			break
		}
	}
	return apart
}

// joined returns how many of the first parts make up whole together, 0 if none
// or the first alone does.
func joined(parts []part, whole string) int {
	for n := range min(len(parts), maxJoined) {
		rest, ok := strings.CutPrefix(whole, parts[n].text)
		if !ok {
			return 0
		}
		if rest == "" && n > 0 {
			return n + 1
		}
		whole = rest
	}
	return 0
}

// match makes pairs of parts that have none yet and fit, and notes why if there
// are any. why is 0 if they are equal.
func (p *pairing) match(why reasons, fits func(x, y string) bool) {
	for i := range p.a {
		for j := range p.b {
			if p.a[i].mate != noMate || p.b[j].mate != noMate || !fits(p.a[i].text, p.b[j].text) {
				continue
			}
			p.a[i].mate, p.b[j].mate = j, i
			short := len(p.a[i].text) == 1 || len(p.b[j].text) == 1
			p.whole = p.whole || !short && particleOf(p.a[i].text) == noParticle
			p.why |= why
		}
	}
}

// initialOf reports whether one of two parts is the first letter of the other.
func initialOf(x, y string) bool {
	return len(x) == 1 && strings.HasPrefix(y, x) || len(y) == 1 && strings.HasPrefix(x, y)
}

// settle accounts for the parts that have no mate. Only one of the names may
// have such, because one with another middle name is somebody else; particles
// that cannot be taken for a name may be missing on either side. Where both
// names say whose child somebody is, they must agree: BIN and BINTI do not.
func (p *pairing) settle() bool {
	a, b := leftOver(p.a), leftOver(p.b)
	if a.names > 0 && b.names > 0 || a.parentage && b.parentage {
		return false
	}
	p.why |= a.why | b.why
	return true
}

// A rest is what of a name has no mate.
type rest struct {
	names     int  // how many parts are names, or may be
	parentage bool // one of them is BIN, BINTI or the like
	why       reasons
}

func leftOver(parts []part) (r rest) {
	for i := range parts {
		if parts[i].mate != noMate {
			continue
		}
		if !particleAt(parts, i) {
			r.names++
			r.why |= because(NameMissingPart)
			continue
		}
		r.why |= because(NameParticle)
		if particleOf(parts[i].text) != title {
			r.parentage = true
		}
		if len(parts[i].text) < 3 {
			r.names++
		}
	}
	return r
}

// arrange notes what is different about the places of the pairs.
func (p *pairing) arrange() {
	last, ordered, crossed, stayed := -1, true, 0, 0
	for i := range p.a {
		j := p.a[i].mate
		if j == noMate {
			continue
		}
		ordered = ordered && j > last
		last = j
		if p.a[i].second == p.b[j].second {
			stayed++
		} else {
			crossed++
		}
	}
	switch {
	case !ordered && stayed == 0:
		p.why |= because(NameSwapped)
	case !ordered:
		p.why |= because(NameOrder)
	case crossed > 0:
		p.why |= because(NameBorder)
	}
}
