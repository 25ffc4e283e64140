package mrz

import "strings"

const anyDigit = "0123456789"

// readDates returns the days that a date with misread or unread cells can be: a
// letter stands for its twin, an unread cell for any digit.
func (r *repairer) readDates(f checkedField) (options []reading) {
	places := append(r.numerals(f.cells), r.numerals(f.digit)...)
	for _, patches := range r.variants(places, anyDigit) {
		if len(patches) == 0 || r.tired() {
			continue // a legal date that its digit refutes: nothing to go by
		}
		other, j := r.try(patches)
		day := readDate(other.read(f.cells))
		if status := *j.at(f.name); status != Verified || day.fault || !day.in(2000).possible() {
			continue
		}
		if options = append(options, reading{f.name, patches, !r.unproven(f.digit)}); len(options) > maxReadings {
			return nil
		}
	}
	return options
}

// readOptional returns how optional data can be read: with letters that were
// fillers, or one character that was its twin. Without a digit of its own the
// composite must speak for it; that is enough for fillers, while of twins, in so
// many cells, one agrees too often by chance.
func (r *repairer) readOptional(f checkedField, j *judgement) (options []reading, broken bool) {
	noise := append(r.noise(r.optional[0]), r.noise(r.optional[1])...)
	if !f.digit.exists() {
		if len(noise) == 0 {
			if j.odd || j.refuted > 1 {
				return nil, false // something else is wrong
			}
			options = r.compositeTwins()
			return options, len(options) > 0
		}
		return []reading{{f.name, nil, true}, {f.name, noise, true}}, true
	}
	consider := func(patches []patch, likely bool) {
		if _, j := r.try(patches); j.OptionalData[0] == Verified || j.OptionalData[0] == Absent {
			options = append(options, reading{f.name, patches, likely})
		}
	}
	places := append(r.characters(f.cells), r.numerals(f.digit)...)
	for _, needed := range r.variants(places, "") {
		if len(needed) > 0 {
			consider(needed, true)
		}
		if len(noise) > 0 {
			consider(append(noise, needed...), true)
		}
		if len(options) > 0 {
			continue
		}
		asRead := trim(r.read(f.cells))
		for _, twins := range r.twists(places, needed, 1) {
			patches := append(twins, needed...)
			other := r.with(patches...)
			consider(patches, r.better(asRead, trim(other.read(f.cells))) && !touches(twins, places[0]))
		}
	}
	return options, true
}

// compositeTwins returns the readings of optional data without a digit of its
// own in which one character was its twin.
func (r *repairer) compositeTwins() (options []reading) {
	for i, field := range [...]string{FieldOptionalData, FieldOptionalData2} {
		for _, patches := range r.twists(r.characters(r.optional[i]), nil, 1) {
			if other, j := r.try(patches); j.right(&other) {
				options = append(options, reading{field, patches, false})
			}
		}
	}
	return options
}

// noise returns the patches that turn letters among fillers into fillers: one
// or two of the letters that readers see in a row of fillers.
func (r *repairer) noise(s span) (patches []patch) {
	cells := r.read(s)
	for i := 0; i < len(cells); {
		n := 0
		for i+n < len(cells) && isNoise(cells[i+n]) {
			n++
		}
		before := i == 0 || cells[i-1] == filler
		after := i+n == len(cells) || cells[i+n] == filler
		if 0 < n && n <= 2 && before && after && n < len(cells) {
			patches = append(patches, patch{int(s.line), int(s.from) + i, strings.Repeat(string(filler), n)})
		}
		i += n + 1
	}
	return patches
}

// readComposite returns what the composite digit can be: as it stands, the twin
// of a letter, or anything if it was not read.
func (r *repairer) readComposite(f checkedField) (options []reading, broken bool) {
	c := r.at(f.digit)
	if is(c, digits|fillers) {
		return nil, false
	}
	for _, patches := range r.variants(r.numerals(f.digit), anyDigit) {
		options = append(options, reading{f.name, patches, true})
	}
	return options, true
}
