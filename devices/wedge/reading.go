package wedge

import (
	"slices"
	"time"

	"lintas/devices"
	"lintas/mrz"
)

// A reading is what the keys say in one layout.
type reading struct {
	*table
	text    devices.Framer
	found   []devices.Scan // since the last decision; times are the kernel's
	foreign bool           // a key was typed that the layout does not have
	char    [1]byte
	collect func(devices.Scan)
}

func newReading(t *table, text devices.Framer) *reading {
	r := &reading{table: t, text: text}
	r.collect = func(s devices.Scan) {
		if s.Status == devices.Complete || len(r.found) < maxHeld {
			r.found = append(r.found, s)
		}
	}
	return r
}

// push takes a stroke and says whether there is a complete scan.
func (r *reading) push(t time.Time, s stroke) bool {
	if s.key == key102nd && r.no102nd {
		r.foreign = true
	}
	before := len(r.found)
	r.char[0] = r.table.char(s)
	r.text.Push(t, r.char[:], r.collect)
	return len(r.found) > before && r.complete() != nil
}

// idle says that the text has ended, and whether there is a complete scan.
func (r *reading) idle(t time.Time) bool {
	r.text.Idle(t, r.collect)
	return r.complete() != nil
}

func (r *reading) forget() { r.found, r.foreign = r.found[:0], false }

// complete is the first complete scan, nil if there is none.
func (r *reading) complete() *devices.Scan {
	i := slices.IndexFunc(r.found, func(s devices.Scan) bool { return s.Status == devices.Complete })
	if i < 0 {
		return nil
	}
	return &r.found[i]
}

// length is how many characters were found. A boarding pass counts as many, since
// no wrong layout makes one.
func (r *reading) length() (n int) {
	for _, s := range r.found {
		if s.Status == devices.Pass {
			n += 100
		}
		for _, line := range s.Lines {
			n += len(line)
		}
	}
	return n
}

// equal says whether two layouts give the same text.
func (r *reading) equal(other *reading) bool { return slices.EqualFunc(r.found, other.found, same) }

// sound says whether check digits, states and document code of the complete scan
// are as they should be: what a wrong layout hardly achieves.
func (r *reading) sound(today time.Time) bool {
	d := mrz.Parse(r.complete().Lines, mrz.DateOf(today))
	return d.Valid && !d.Has(mrz.CodeStateUnknown) && !d.Has(mrz.CodeDocumentCodeUnknown)
}

// fixed is the layout of the configuration, Auto if it has none.
func (f *Framer) fixed() Layout {
	if f.layout == Indonesian {
		return American
	}
	return f.layout
}

// decide emits the complete scan in the layout that the keys prove, or refuses.
func (f *Framer) decide(emit func(devices.Scan)) {
	believed, trouble := f.believe()
	if believed == nil {
		first := f.first
		f.begin(nil)
		f.capsed = false
		f.refuse(first, trouble, emit)
		return
	}
	found := slices.Clone(believed.found)
	f.proven = believed.name
	f.begin(believed)
	f.capsed = false
	for _, scan := range found {
		if !f.person(scan) {
			f.hand(scan, emit)
		}
	}
}

// believe is the layout that can be believed, nil with a reason if there is none.
func (f *Framer) believe() (*reading, []devices.Diagnosis) {
	var own *reading     // in the layout that is configured
	var whole []*reading // with a complete scan, in layouts that can be
	var doubt []*reading // the same of witnesses
	for _, r := range f.reading {
		may := !r.witness || f.capsed && r.caps
		if r.name == f.fixed() && may && (own == nil || own.complete() == nil) {
			own = r
		}
		switch {
		case r.complete() == nil || r.foreign:
		case may:
			whole = append(whole, r)
		default:
			doubt = append(doubt, r)
		}
	}
	if own != nil {
		switch {
		case own.foreign || own.complete() == nil:
			return nil, otherThan(f.layout, whole)
		}
		if r := f.contradicts(own, slices.Concat(whole, doubt)); r != nil {
			return nil, otherThan(f.layout, []*reading{r})
		}
		return own, nil
	}

	if len(whole) == 0 {
		return nil, unknown
	}
	best := whole[0]
	if slices.ContainsFunc(whole, func(r *reading) bool { return !sameText(r, best) }) {
		sound := slices.DeleteFunc(slices.Clone(whole), func(r *reading) bool { return !r.sound(f.now) })
		if len(sound) == 0 || slices.ContainsFunc(sound, func(r *reading) bool { return !sameText(r, sound[0]) }) {
			return nil, undecided
		}
		best = sound[0]
	}
	if f.contradicts(best, doubt) != nil {
		return nil, unknown
	}
	return best, nil
}

// contradicts finds a reading that is right where r is wrong.
func (f *Framer) contradicts(r *reading, others []*reading) *reading {
	if r.sound(f.now) {
		return nil
	}
	for _, other := range others {
		if !sameText(other, r) && other.sound(f.now) {
			return other
		}
	}
	return nil
}

func sameText(a, b *reading) bool { return same(*a.complete(), *b.complete()) }

func same(a, b devices.Scan) bool {
	if (a.Pass == nil) != (b.Pass == nil) || a.Pass != nil && !slices.Equal(a.Pass.Legs, b.Pass.Legs) {
		return false
	}
	return a.Status == b.Status && a.Kind == b.Kind && slices.Equal(a.Lines, b.Lines)
}
