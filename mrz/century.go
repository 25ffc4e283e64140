package mrz

// A zone prints two digits of a year; the century follows from today's date.

// assumedToday stands in for a today that is not given, so that results stay
// the same from year to year.
var assumedToday = Date{2026, 1, 1}

// unknownPart stands for the parts of a printed date that are not known; 0
// would be the year 00.
const unknownPart = -1

// A printedDate is a date of a zone before its century is known: YYMMDD, with
// "<<" for an unknown part (Doc 9303-3 §4.8).
type printedDate struct {
	year, month, day int // unknownPart if not known
	// fault: a part is neither two digits nor unknown, or out of range.
	// Unread and illegal cells are not counted: they are reported as such.
	fault bool
}

func readDate(cells string) printedDate {
	var p printedDate
	p.year = p.part(cells[0:2], 0, 99)
	p.month = p.part(cells[2:4], 1, 12)
	p.day = p.part(cells[4:6], 1, 31)
	return p
}

func (p *printedDate) part(s string, low, high int) int {
	if is(s[0], digits) && is(s[1], digits) {
		n := int(s[0]-'0')*10 + int(s[1]-'0')
		if low <= n && n <= high {
			return n
		}
		p.fault = true
	} else if s != "<<" && is(s[0], digits|fillers) && is(s[1], digits|fillers) {
		p.fault = true
	}
	return unknownPart
}

// in returns the date with its year in the given century (1900, 2000, …).
func (p printedDate) in(century int) Date {
	d := Date{0, max(p.month, 0), max(p.day, 0)}
	if p.year != unknownPart {
		d.Year = century + p.year
	}
	return d
}

// resolve puts a date of birth and a date of expiry into their centuries.
//
// A birth is the latest one that is not after today. An expiry is the one
// within 50 years of today (today's year −50 to +49). If the document would
// then have expired before its holder was born, the birth moves back by 100
// years: the holder of a document that was valid in 2019 and who was born in
// "24" was born in 1924. Moving the expiry forward instead would invent
// documents that are valid for another 50 years and more. Then uncertain is
// true.
func resolve(birth, expiry printedDate, today Date) (b, e Date, uncertain bool) {
	if today.Year == 0 {
		today = assumedToday
	}
	century := today.Year - today.Year%100

	b = birth.in(century)
	if today.Before(b) {
		b = birth.in(century - 100)
	}
	e = expiry.in(century)
	if e.Year != 0 {
		switch {
		case e.Year > today.Year+49:
			e.Year -= 100
		case e.Year < today.Year-50:
			e.Year += 100
		}
	}
	if e.Before(b) {
		b.Year -= 100
		uncertain = true
	}
	return b, e, uncertain
}
