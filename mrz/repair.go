package mrz

import "slices"

// A patch is what other cells one place of a zone gets.
type patch struct {
	line, at int // both counted from 0
	cells    string
}

// A reading is one way to read a field, described by what must be changed for
// it.
type reading struct {
	field   string
	patches []patch
	// likely: the change is one that readers of OCR-B call for. Other readings
	// are offered but not made.
	likely bool
}

const (
	maxReadings = 64   // of one field; a field with more is hopeless
	maxWork     = 8192 // zones that are judged for one result
)

// A repairer looks for the readings of a zone that agree with all its digits.
// The work that it may do is shared by all attempts at one result.
type repairer struct {
	zone
	work *int
}

// with returns the zone with patches applied.
func (z *zone) with(patches ...patch) zone {
	other := *z
	for _, p := range patches {
		line := other.lines[p.line]
		other.lines[p.line] = line[:p.at] + p.cells + line[p.at+len(p.cells):]
	}
	return other
}

// try judges the zone with patches applied.
func (r *repairer) try(patches []patch) (other zone, j judgement) {
	*r.work++
	other = r.with(patches...)
	other.judge(&j)
	return other, j
}

func (r *repairer) tired() bool { return *r.work >= maxWork }

// right reports that every digit of a zone agrees, and that no field with a
// digit has a cell that does not belong there.
func (j *judgement) right(z *zone) bool {
	if j.odd || j.refuted > 0 {
		return false
	}
	for _, s := range z.checks(j) {
		if s.digit.exists() && (s.status == Unverifiable || !is(z.at(s.digit), digits|fillers)) {
			return false
		}
	}
	return true
}

// A checkedField is a field with the place of its check digit.
type checkedField struct {
	name         string
	cells, digit span
	status       Status
}

// checks lists the fields that have a digit in most formats.
func (z *zone) checks(j *judgement) [5]checkedField {
	return [...]checkedField{
		{FieldDocumentNumber, z.number, z.numberDigit, j.DocumentNumber},
		{FieldDateOfBirth, z.birth, z.birthDigit, j.DateOfBirth},
		{FieldDateOfExpiry, z.expiry, z.expiryDigit, j.DateOfExpiry},
		{FieldOptionalData, z.optional[0], z.optionalDigit, j.OptionalData[0]},
		{FieldComposite, span{}, z.compositeDigit, j.Composite},
	}
}

// repair looks for what the digits can prove. made is what every reading of the
// zone that agrees with all digits has in common; where there are several for a
// field they are offered, and so are a field's own where no reading of the
// whole zone agrees.
func (r *repairer) repair() (made, offered []reading) {
	var j judgement
	r.judge(&j)
	var fields [][]reading
	for _, f := range r.checks(&j) {
		if options, broken := r.readings(f, &j); broken {
			fields = append(fields, options)
		}
	}
	solutions := r.solve(fields)
	for i, options := range fields {
		var chosen []int
		for _, s := range solutions {
			if !slices.Contains(chosen, s[i]) {
				chosen = append(chosen, s[i])
			}
		}
		switch {
		case len(chosen) == 1 && options[chosen[0]].likely:
			made = append(made, options[chosen[0]])
		case len(chosen) > 0:
			for _, c := range chosen {
				offered = append(offered, options[c])
			}
		default:
			offered = append(offered, options...)
		}
	}
	return made, offered
}

// readings returns how a field can be read so that its own digit agrees, and
// whether it needs to be read otherwise at all.
func (r *repairer) readings(f checkedField, j *judgement) (options []reading, broken bool) {
	if !f.digit.exists() && f.name != FieldOptionalData {
		return nil, false
	}
	// A letter in a date can agree with the digit, as G does for 6.
	stands := (f.status == Verified || f.status == Absent) && !r.misread(f)
	switch f.name {
	case FieldDocumentNumber:
		if stands {
			return nil, false
		}
		return r.readNumbers(j), true
	case FieldDateOfBirth, FieldDateOfExpiry:
		if stands {
			return nil, false
		}
		return r.readDates(f), true
	case FieldOptionalData:
		if f.digit.exists() && stands || !f.digit.exists() && j.Composite != Refuted {
			return nil, false
		}
		return r.readOptional(f, j)
	}
	return r.readComposite(f)
}

// misread reports whether a field has a cell that cannot stand.
func (r *repairer) misread(f checkedField) bool {
	for i, c := range []byte(r.read(f.cells)) {
		legal := digits | fillers
		if f.name == FieldOptionalData || f.name == FieldDocumentNumber && !r.numbered(int(f.cells.from)+i) {
			legal |= letters
		}
		if !is(c, legal) {
			return true
		}
	}
	return false
}

// unproven reports that a check digit was not read and that there is no other
// that covers its field: anything would agree with it.
func (r *repairer) unproven(digit span) bool {
	return r.at(digit) == unread && !r.compositeDigit.exists()
}

// solve returns every choice of one reading a field with which all digits of
// the zone agree.
func (r *repairer) solve(fields [][]reading) (solutions [][]int) {
	if len(fields) == 0 {
		return nil
	}
	choice := make([]int, len(fields))
	for {
		var patches []patch
		for i, options := range fields {
			if len(options) == 0 {
				return nil // a field that cannot be read at all
			}
			patches = append(patches, options[choice[i]].patches...)
		}
		if r.tired() {
			return nil // an unfinished search proves nothing
		}
		if other, j := r.try(patches); j.right(&other) {
			solutions = append(solutions, slices.Clone(choice))
		}
		i := 0
		for ; i < len(choice); i++ {
			if choice[i]++; choice[i] < len(fields[i]) {
				break
			}
			choice[i] = 0
		}
		if i == len(choice) {
			return solutions
		}
	}
}
