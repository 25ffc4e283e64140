package mrz

// A zone prints two digits of a year; the century follows from today's date.

// assumedToday stands in for a today that is not given, so that results stay
// the same from year to year.
var assumedToday = Date{2026, 1, 1}

// oldest is the greatest age, in years, that is taken to be possible.
const oldest = 115

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

func readDate(cells string) (p printedDate) {
	if len(cells) != len("YYMMDD") {
		return printedDate{unknownPart, unknownPart, unknownPart, false}
	}
	p.year = p.part(cells[0], cells[1], 0, 99)
	p.month = p.part(cells[2], cells[3], 1, 12)
	p.day = p.part(cells[4], cells[5], 1, 31)
	if p.year == 0 && p.month == unknownPart && p.day == unknownPart {
		p.year = unknownPart // zeros throughout say nothing, and not the year 2000
	}
	return p
}

func (p *printedDate) part(a, b byte, low, high int) int {
	x, y := a-'0', b-'0'
	if x <= 9 && y <= 9 {
		if n := int(x)*10 + int(y); low <= n && n <= high {
			return n
		}
		p.fault = true
	} else if (a != filler || b != filler) && is(a, digits|fillers) && is(b, digits|fillers) {
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

// past returns the latest day that the date can mean and that is not after
// today.
func (p printedDate) past(today Date) Date {
	century := today.Year - today.Year%100
	d := p.in(century)
	if today.Before(d) {
		d = p.in(century - 100)
	}
	return d
}

// near returns the day within 50 years of today that the date means: today's
// year −50 to +49.
func (p printedDate) near(today Date) Date {
	d := p.in(today.Year - today.Year%100)
	switch {
	case d.Year == 0:
	case d.Year > today.Year+49:
		d.Year -= 100
	case d.Year < today.Year-50:
		d.Year += 100
	}
	return d
}

// births resolves a date of birth by two facts: nobody is born after today, nor
// after the document has expired. The holder of a document that was valid in
// 2019 and who was born in "24" was born in 1924; moving the expiry forward
// instead would invent documents that are valid for another 50 years and more.
// Then moved is true, and other is the reading without that conclusion.
//
// A child's date may also be that of somebody over a hundred years old. Then
// other is that reading; it is zero if there is no other.
func births(p printedDate, expiry, today Date) (birth, other Date, moved bool) {
	birth = p.past(today)
	if birth.Year == 0 {
		return birth, Date{}, false
	}
	before := birth
	before.Year -= 100
	switch {
	case expiry.Before(birth):
		return before, birth, true
	case before.Year >= today.Year-oldest:
		return birth, before, false
	}
	return birth, Date{}, false
}
