package mrz

import "strings"

// A number is the document number as a zone shows it.
type number struct {
	value    string // whole, without fillers at the end
	optional string // cells of the first optional field that are not number
	status   Status
	digit    span   // where its check digit stands
	note     string // a finding's code worth telling, or ""
}

// readNumber reads the document number.
//
// A TD1 or TD2 number of more than nine characters prints its first nine, '<'
// in place of the check digit, and the rest, the check digit and a filler at
// the start of the optional data (Doc 9303-5 §4.2.2). ICAO computes the
// digit over both parts as if they adjoined (§4.2.4). Cards of Belgium and
// Portugal count the '<' between them as a cell with value 0, which moves the
// weights of the rest. Both are accepted; a finding says which one it was.
func (z *zone) readNumber() number {
	head := z.cells(z.number)
	printed := z.cell(z.numberDigit)
	n := number{digit: z.numberDigit, optional: z.cells(z.optional[0])}

	if printed != filler {
		n.value = value(head)
		n.status = judge(head, printed)
		if n.value == "" {
			n.note = CodeNumberMissing
		} else if n.status == Refuted {
			n.note = CodeCheckDigitWrong
		}
		return n
	}
	if blank(head) {
		n.status = Absent
		n.note = CodeNumberMissing
		return n
	}
	n.value = value(head)
	n.status = Refuted
	if !z.longNumber || head[len(head)-1] == filler {
		n.note = CodeCheckDigitMissing
		return n
	}
	// At least one character and the digit, up to a filler.
	end := strings.IndexByte(n.optional, filler)
	if end < 2 {
		n.note = CodeNumberUnfinished
		return n
	}
	rest := n.optional[:end-1]
	printed = n.optional[end-1]
	n.digit = span{z.optional[0].line, z.optional[0].from + end - 1, z.optional[0].from + end}
	n.optional = n.optional[end+1:]
	n.value = printable(head) + printable(rest)

	var icao, counted weighing
	icao.add(head)
	counted = icao
	counted.add("<")
	icao.add(rest)
	counted.add(rest)
	n.status = icao.against(printed)
	other := counted.against(printed)
	switch {
	case n.status == Verified && other == Verified:
		// Cannot tell the rules apart.
	case n.status == Verified:
		n.note = CodeNumberContinuedICAO
	case other == Verified:
		n.status = Verified
		n.note = CodeNumberContinuedFiller
	case n.status == Refuted:
		n.note = CodeCheckDigitWrong
	}
	return n
}
