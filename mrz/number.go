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

// readNumber reads the document number, whose first cells are head.
//
// A TD1 or TD2 number of more than nine characters prints its first nine, '<'
// in place of the check digit, and the rest, the check digit and a filler at
// the start of the optional data (Doc 9303-5 §4.2.2). ICAO computes the
// digit over both parts as if they adjoined (§4.2.4). Cards of Belgium and
// Portugal count the '<' between them as a cell with value 0, which moves the
// weights of the rest. Both are accepted; a finding says which one it was.
func (z *zone) readNumber(head piece, n *number) {
	n.value, n.optional, n.digit = trim(z.read(z.number)), z.read(z.optional[0]), z.numberDigit
	if head.seen&illegal != 0 {
		n.value = printable(n.value)
	}
	if !z.numberDigit.exists() {
		n.status = Unverifiable
		if n.value == "" {
			n.note = CodeNumberMissing
		}
		return
	}
	printed := z.at(z.numberDigit)
	switch {
	case printed != filler:
		n.status = head.against(printed)
		if n.value == "" {
			n.note = CodeNumberMissing
		} else if n.status == Refuted {
			n.note = CodeCheckDigitWrong
		}
	case n.value == "":
		n.status = Absent
		n.note = CodeNumberMissing
	case !z.longNumber || z.lines[z.number.line][z.number.to-1] == filler:
		n.status = Refuted
		n.note = CodeCheckDigitMissing
	default:
		z.readLongNumber(head, n)
	}
}

// readLongNumber reads the part of the number that stands in the optional data:
// at least one character and the digit, up to a filler.
func (z *zone) readLongNumber(head piece, n *number) {
	n.status = Refuted
	end := strings.IndexByte(n.optional, filler)
	if end < 2 {
		n.note = CodeNumberUnfinished
		return
	}
	cells := n.optional[:end-1]
	printed := n.optional[end-1]
	n.digit = z.optional[0]
	n.digit.from += uint8(end - 1)
	n.digit.to = n.digit.from + 1
	n.optional = n.optional[end+1:]
	n.value = printable(z.read(z.number)) + printable(cells)

	var icao, counted sum
	rest := weigh(cells)
	icao.add(head)
	icao.add(rest)
	counted.add(head)
	counted.addCell(filler)
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
}
