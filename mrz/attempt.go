package mrz

import (
	"fmt"
	"slices"
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

func newAttempt(l *layout, lines []string) (a attempt) {
	l.lay(lines, &a.zone)
	a.before = a.zone
	return a
}

// attempt reads lines in one format. It succeeds if exactly one way to fit the
// lines makes a right zone. Without mend, a zone in which a field without a
// check digit calls for mending is not right.
func (l *layout) attempt(lines []string, mend bool, work *int) (a attempt, ok bool) {
	for _, way := range l.fitLines(lines) {
		b := newAttempt(l, way.lines)
		b.fits = way.repairs
		if mend {
			b.mend(work)
		}
		if d := Parse(b.zone.lines[:l.lines], assumedToday); !d.Valid || d.Format != l.format || !mend && d.mendable() {
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

// mend repairs the attempt's zone as far as can be.
func (a *attempt) mend(work *int) {
	a.zone, a.made = a.mendLetters()
	r := repairer{a.zone, work}
	made, offered := r.repair()
	for _, m := range made {
		a.zone = a.with(m.patches...)
	}
	a.made, a.offered = append(a.made, made...), offered
}

// document reads the attempt's zone and tells of everything that was changed,
// or could be.
func (a *attempt) document(today Date) Document {
	d := Parse(slices.Clone(a.lines[:a.layout.lines]), today)
	d.Repairs = append(d.Repairs, a.fits...)
	for _, f := range a.fits {
		d.find(CodeFillersMended, f.Field, f.Line, f.Column)
	}
	for _, m := range a.made {
		code := CodeRepaired
		if d.Checks.at(m.field) == nil {
			code = CodeRepairedUnproven
		}
		for _, p := range m.patches {
			d.Repairs = append(d.Repairs, a.describe(m.field, p))
			d.find(code, m.field, p.line+1, p.at+1)
		}
		if status := d.Checks.at(m.field); status != nil && *status != 0 {
			*status = Repaired
		}
	}
	for _, o := range a.offered {
		if value := a.valueWith(o, today); value != "" {
			d.Candidates = append(d.Candidates, Candidate{o.field, value, a.describeAll(o)})
		}
	}
	a.pointAt(&d)
	return d
}

func (a *attempt) describe(field string, p patch) Repair {
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
	}
	return ""
}

// maxPlaces bounds how many places a sentence sends the officer to.
const maxPlaces = 3

// pointAt adds to the finding of a wrong check digit which characters of the
// field to compare with the document: those that could be their twins.
func (a *attempt) pointAt(d *Document) {
	for i, f := range d.Findings {
		s := a.layout.number
		if f.Code != CodeCheckDigitWrong || f.Field != FieldDocumentNumber {
			continue
		}
		var places []string
		for _, o := range a.offered {
			for _, p := range o.patches {
				place := fmt.Sprint(p.at - int(s.from) + 1)
				if o.field == f.Field && p.line == int(s.line) && p.at < int(s.to) && !slices.Contains(places, place) {
					places = append(places, place)
				}
			}
		}
		if len(places) == 0 || len(places) > maxPlaces {
			continue
		}
		slices.Sort(places)
		d.Findings[i].ID = "Angka pemeriksa untuk nomor dokumen tidak cocok; bandingkan karakter ke-" +
			strings.Join(places, " dan ke-") + " dengan dokumennya."
		d.Findings[i].EN = "The check digit of the document number does not match; compare its character " +
			strings.Join(places, " and ") + " with the document."
	}
}
