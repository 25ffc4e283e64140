package mrz

// A judgement is what the digits of a zone prove, and its document number, on
// which the optional data depend.
type judgement struct {
	Checks
	number  number
	refuted int // digits that contradict their fields
	// odd: number, dates or the first optional data have a cell that does not
	// belong there.
	odd bool
}

// judge weighs every field once. The composite is put together from the same
// pieces, in the order of the layout's composite.
func (z *zone) judge(j *judgement) {
	number, optional := weigh(z.read(z.number)), weigh(z.read(z.optional[0]))
	birth, expiry := weigh(z.read(z.birth)), weigh(z.read(z.expiry))

	j.odd = (number.seen|optional.seen)&(unreads|illegal) != 0 || (birth.seen|expiry.seen)&^(digits|fillers) != 0
	z.readNumber(number, &j.number)
	j.DocumentNumber = j.number.status
	j.DateOfBirth = z.judgeDate(z.birthDigit, birth)
	j.DateOfExpiry = z.judgeDate(z.expiryDigit, expiry)
	if z.compositeDigit.exists() {
		all := z.sumComposite(number, birth, expiry, optional)
		j.Composite = all.against(z.at(z.compositeDigit))
	} else {
		j.Composite = Absent
	}
	if z.optionalDigit.exists() {
		j.OptionalData[0] = optional.againstOptional(z.at(z.optionalDigit))
	} else {
		j.OptionalData[0] = byComposite(j.Composite)
	}
	if z.optional[1].exists() {
		j.OptionalData[1] = byComposite(j.Composite)
	}
	j.refuted = j.Checks.count(Refuted)
}

// judgeDate judges a date of a format that has it.
func (z *zone) judgeDate(digit span, date piece) Status {
	switch {
	case digit.exists():
		return date.againstOptional(z.at(digit))
	case date.width > 0:
		return Unverifiable
	}
	return 0
}

// sumComposite adds up everything that the composite digit covers: of Doc
// 9303's formats number, dates and optional data, each with its digit; TD1 has
// the first optional data next to the number (Doc 9303-4, -5 and -6, §4.2.4).
func (z *zone) sumComposite(number, birth, expiry, optional piece) (all sum) {
	if z.format == FRID {
		for _, s := range z.composite {
			p := weigh(z.read(s))
			all.add(p)
		}
		return all
	}
	early := z.optional[0].line < z.birth.line
	all.add(number)
	all.addCell(z.at(z.numberDigit))
	if early {
		all.add(optional)
	}
	all.add(birth)
	all.addCell(z.at(z.birthDigit))
	all.add(expiry)
	all.addCell(z.at(z.expiryDigit))
	if !early {
		all.add(optional)
	}
	if z.optionalDigit.exists() {
		all.addCell(z.at(z.optionalDigit))
	}
	if z.optional[1].exists() {
		p := weigh(z.read(z.optional[1]))
		all.add(p)
	}
	return all
}

// byComposite is the status of a field that has no check digit of its own.
func byComposite(composite Status) Status {
	if composite == Verified {
		return CompositeOnly
	}
	return Unverifiable
}
