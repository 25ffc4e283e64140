package mrz

// frenchExpiry computes when a French identity card of the old kind expires,
// which its zone does not say: it has the month of issue only. Cards were valid
// for ten years, from 2014 on fifteen for adults (decree 2013-1188), counted
// here from the first of the month. The same decree lengthened adults' cards
// that were issued from 2004 on; the date printed on them remained, and this is
// that one.
func frenchExpiry(issued string, birth printedDate, today Date) Date {
	d := readDate(issued + "01").past(today)
	if !d.Known() {
		return Date{}
	}
	b := birth.past(d)
	adult := b.Year != 0 && !d.Before(Date{b.Year + 18, b.Month, b.Day})
	if adult && d.Year >= 2014 {
		d.Year += 15
	} else {
		d.Year += 10
	}
	return d
}
