package mrz

import (
	"slices"
	"strconv"
	"strings"
)

// An attempt is one way to read lines.
type attempt struct {
	zone              // after the repairs
	before  zone      // before them
	fits    []Repair  // fillers put in or taken out
	made    []reading // what was repaired
	offered []reading // what could have been
}

// newAttempt lays lines that were fitted against a format.
func newAttempt(l *layout, lines, fitted []string) (a attempt) {
	l.lay(fitted, &a.zone)
	a.before = a.zone
	a.fits = l.filled(lines, fitted)
	return a
}

// attempt reads lines in one format. It succeeds if exactly one way to fit the
// lines makes a right zone. Without mend, a zone in which a field without a
// check digit calls for mending is not right.
func (l *layout) attempt(lines []string, mend bool, work *int) (a attempt, ok bool) {
	for _, way := range l.fitLines(lines) {
		b := newAttempt(l, lines, way)
		if mend {
			b.mend(work)
		}
		if *work >= maxWork {
			return a, false // others were not tried
		}
		d := Parse(b.zone.lines[:l.lines], assumedToday)
		if !d.Valid || d.Format != l.format || !mend && d.mendable() || len(b.fits) > 0 && d.Has(CodeDateImpossible) {
			continue
		}
		if ok && a.zone.lines != b.zone.lines {
			return a, false
		}
		if !ok {
			a, ok = b, true
		}
	}
	return a, ok
}

// closest reads lines in the format and the way in which the fewest digits speak
// against them. It fails if several ways are equally good.
func (l *layout) closest(lines []string, work *int) (best attempt, ok bool) {
	least := -1
	for _, way := range l.fitLines(lines) {
		a := newAttempt(l, lines, way)
		var j judgement
		a.judge(&j)
		wrong := 2 * j.refuted
		if j.odd {
			wrong++
		}
		switch {
		case least < 0 || wrong < least:
			best, least, ok = a, wrong, true
		case wrong == least:
			ok = false
		}
	}
	if ok {
		best.mend(work)
	}
	return best, ok
}

// mend repairs the attempt's zone as far as can be.
func (a *attempt) mend(work *int) {
	a.zone, a.made = a.mendLetters()
	r := repairer{a.zone, work}
	made, offered := r.repair()
	for _, m := range made {
		a.zone = a.with(m.patches...)
	}
	a.made, a.offered = append(a.made, made...), offered

	// What was mended may be ambiguous still.
	r.zone = a.zone
	var j judgement
	r.judge(&j)
	a.offered = append(a.offered, r.lookalikes(&j)...)
}

// document reads the attempt's zone and tells of everything that was changed,
// or could be.
func (a *attempt) document(today Date) Document {
	d := Parse(slices.Clone(a.lines[:a.layout.lines]), today)
	d.Repairs = append(d.Repairs, a.fits...)
	for _, f := range a.fits {
		d.find(CodeFillersMended, f.Field, f.Line, min(f.Column, a.widthOf(f.Line-1)))
	}
	for _, m := range a.made {
		for _, p := range m.patches {
			r := a.describe(m.field, p)
			d.Repairs = append(d.Repairs, r)
			code := CodeRepairedUnproven
			if status := d.Checks.at(r.Field); status != nil {
				code = CodeRepaired
				*status = Repaired
			}
			d.find(code, r.Field, r.Line, r.Column)
		}
	}
	if c := a.compositeDigit; c.exists() && a.before.at(c) == unread { // it speaks for no other field
		for i, status := range d.Checks.OptionalData {
			if status == CompositeOnly {
				d.Checks.OptionalData[i] = Unverifiable
			}
		}
	}
	for _, o := range a.offered {
		if value := a.valueWith(o, today); value != "" {
			d.Candidates = append(d.Candidates, Candidate{o.field, value, a.describeAll(o)})
		}
	}
	a.pointAt(&d)
	d.sortFindings()
	return d
}

func (a *attempt) describe(field string, p patch) Repair {
	if second := a.optional[1]; field == FieldOptionalData && second.exists() && p.line == int(second.line) {
		field = FieldOptionalData2
	}
	return Repair{field, p.line + 1, p.at + 1, a.before.lines[p.line][p.at : p.at+len(p.cells)], p.cells}
}

func (a *attempt) describeAll(r reading) (all []Repair) {
	for _, p := range r.patches {
		all = append(all, a.describe(r.field, p))
	}
	return all
}

// valueWith returns what a field would say in another reading, "" if that is
// nothing to choose between.
func (a *attempt) valueWith(r reading, today Date) string {
	if len(r.patches) == 0 {
		return ""
	}
	other := a.with(r.patches...)
	d := Parse(other.lines[:other.layout.lines], today)
	switch r.field {
	case FieldDocumentNumber:
		return d.DocumentNumber
	case FieldDateOfBirth:
		return d.DateOfBirth.String()
	case FieldDateOfExpiry:
		return d.DateOfExpiry.String()
	case FieldOptionalData:
		return d.OptionalData[0]
	case FieldOptionalData2:
		return d.OptionalData[1]
	}
	return ""
}

// maxPlaces bounds how many places a sentence sends the officer to.
const maxPlaces = 3

// pointAt says which characters of the document number to compare with the
// document: those that could be their twins. It does so in the finding of a
// wrong check digit, or in one of its own.
func (a *attempt) pointAt(d *Document) {
	var places []int // in the whole number, from 1
	for _, o := range a.offered {
		for _, p := range o.patches {
			if at := a.inNumber(p); o.field == FieldDocumentNumber && at > 0 && !slices.Contains(places, at) {
				places = append(places, at)
			}
		}
	}
	s := a.layout.number
	if len(places) == 0 {
		if at := a.oddLetter(d.DocumentNumber); at > 0 && (d.Checks.DocumentNumber == Verified || d.Checks.DocumentNumber == Repaired) {
			d.findAt(CodeNumberLookalike, FieldDocumentNumber, s, min(at, s.width())-1)
		}
		return
	}
	slices.Sort(places)
	switch i := slices.IndexFunc(d.Findings, func(f Finding) bool {
		return f.Code == CodeCheckDigitWrong && f.Field == FieldDocumentNumber
	}); {
	case i >= 0 && len(places) <= maxPlaces:
		d.Findings[i].ID, d.Findings[i].EN = compareSentences(places)
	case d.Checks.DocumentNumber == Verified || d.Checks.DocumentNumber == Repaired:
		d.findAt(CodeNumberLookalike, FieldDocumentNumber, s, min(places[0], s.width())-1)
	}
}

// oddLetter returns the first letter of a number, counted from 1, that its issuer
// would not put there and that a digit may have been; 0 if there is none.
func (a *attempt) oddLetter(number string) int {
	r := repairer{zone: a.zone}
	if !misshapen(number, r.issuer()) {
		return 0
	}
	digit := strings.IndexAny(number, anyDigit)
	for i := range number {
		if digit >= 0 && i > digit && digitTwin(number[i]) != 0 {
			return i + 1
		}
	}
	return 0
}

// inNumber returns which character of the document number a patch is for,
// counted from 1, or 0.
func (a *attempt) inNumber(p patch) int {
	s, rest := a.layout.number, a.optional[0]
	var j judgement
	a.judge(&j)
	switch {
	case p.line == int(s.line) && int(s.from) <= p.at && p.at < int(s.to):
		return p.at - int(s.from) + 1
	case j.number.digit != a.numberDigit && p.line == int(rest.line) && int(rest.from) <= p.at && p.at < int(j.number.digit.from):
		return p.at - int(rest.from) + 1 + s.width()
	}
	return 0
}

// compareSentences tells the officer which characters to compare.
func compareSentences(places []int) (id, en string) {
	var which []string
	for _, p := range places {
		which = append(which, strconv.Itoa(p))
	}
	return "Angka pemeriksa untuk nomor dokumen tidak cocok; bandingkan karakter ke-" +
			strings.Join(which, " dan ke-") + " dengan dokumennya.",
		"The check digit of the document number does not match; compare its character " +
			strings.Join(which, " and ") + " with the document."
}
