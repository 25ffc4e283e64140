package mrz

// A Check says what is known about one field that a check digit may protect.
type Check struct {
	Field  string `json:"field"`
	Status Status `json:"status"`
}

// Checks says what is proved of each field that a check digit may protect; 0
// where the format has no such field.
type Checks struct {
	DocumentNumber Status
	DateOfBirth    Status
	DateOfExpiry   Status
	OptionalData   [2]Status // as Document.OptionalData
	Composite      Status
}

// at returns where the status of a field is kept, nil for other fields.
func (c *Checks) at(field string) *Status {
	switch field {
	case FieldDocumentNumber:
		return &c.DocumentNumber
	case FieldDateOfBirth:
		return &c.DateOfBirth
	case FieldDateOfExpiry:
		return &c.DateOfExpiry
	case FieldOptionalData:
		return &c.OptionalData[0]
	case FieldOptionalData2:
		return &c.OptionalData[1]
	case FieldComposite:
		return &c.Composite
	}
	return nil
}

// count returns how many fields have a status.
func (c *Checks) count(status Status) (n int) {
	for _, s := range [...]Status{c.DocumentNumber, c.DateOfBirth, c.DateOfExpiry, c.OptionalData[0], c.OptionalData[1], c.Composite} {
		if s == status {
			n++
		}
	}
	return n
}

// checked lists the fields of Checks in the order in which they are told.
var checked = [...]string{
	FieldDocumentNumber, FieldDateOfBirth, FieldDateOfExpiry,
	FieldOptionalData, FieldOptionalData2, FieldComposite,
}

// List returns the checks that the format has, in a fixed order: document
// number, dates, optional data, composite.
func (c Checks) List() []Check {
	list := []Check{}
	for _, field := range checked {
		if status := *c.at(field); status != 0 {
			list = append(list, Check{field, status})
		}
	}
	return list
}

// CheckDigit returns the check digit ('0' to '9') of s by Doc 9303-3 §4.9:
// values weighted 7, 3, 1, 7, 3, 1, …, their sum modulo 10. It reports false if
// s holds a character other than A-Z, 0-9 and '<'.
func CheckDigit(s string) (byte, bool) {
	p := weigh(s)
	return p.digit(), p.seen&(unreads|illegal) == 0
}

// weights repeat from left to right over everything one digit protects.
var weights = [3]int{7, 3, 1}

// A piece is a run of cells as check digits see it: the values of every third
// cell summed up, so that the piece can be weighed at any offset without
// another look at its cells. It is small enough for the processor's registers.
type piece struct {
	sums  uint64 // of cells 0, 3, 6, …; from bit 16, 1, 4, 7, …; from bit 32, 2, 5, 8, …
	width int
	rest  uint8 // width modulo 3
	seen  uint8 // the classes of all cells together
}

func weigh(s string) (p piece) {
	p.width = len(s)
	var all cell
	for ; len(s) >= 3; s = s[3:] {
		x, y, z := cells[s[0]], cells[s[1]], cells[s[2]]
		all |= x | y | z
		p.sums += uint64(x>>8) | uint64(y>>8)<<16 | uint64(z>>8)<<32
	}
	if len(s) > 0 {
		all |= cells[s[0]]
		p.sums += uint64(cells[s[0]] >> 8)
	}
	if len(s) > 1 {
		all |= cells[s[1]]
		p.sums += uint64(cells[s[1]]>>8) << 16
	}
	p.rest, p.seen = uint8(len(s)), all.class()
	return p
}

// at returns the piece's weighted sum if so many cells of a digit, modulo 3, come
// before it.
func (p piece) at(before uint8) int {
	a, b, c := int(p.sums&0xffff), int(p.sums>>16&0xffff), int(p.sums>>32)
	switch before {
	case 1:
		return 3*a + b + 7*c
	case 2:
		return a + 7*b + 3*c
	}
	return 7*a + 3*b + c
}

// digit returns the piece's own check digit.
func (p piece) digit() byte { return byte('0' + uint(p.at(0))%10) }

// against judges the piece by the digit printed for it.
func (p piece) against(printed byte) Status { return verdict(p.seen, p.digit(), printed) }

// verdict compares a computed digit with the printed one; seen are the classes
// of what the digit was computed over.
func verdict(seen uint8, computed, printed byte) Status {
	switch {
	case seen&illegal != 0:
		return Refuted
	case seen&unreads != 0 || printed == unread:
		return Unverifiable
	case computed == printed:
		return Verified
	}
	return Refuted
}

// againstOptional is against for a field whose digit may be '<' while the field
// is empty: optional data of TD3 (Doc 9303-4 §4.2.2), unknown dates and a
// missing number (as seen on real cards).
func (p piece) againstOptional(printed byte) Status {
	if printed == filler && p.seen == fillers {
		return Absent
	}
	return p.against(printed)
}

// A sum is a check digit being computed over several pieces as if they
// adjoined.
type sum struct {
	total int
	cells uint8 // their number modulo 3
	seen  uint8
}

func (t *sum) add(p piece) {
	t.total += p.at(t.cells)
	t.step(p.rest)
	t.seen |= p.seen
}

func (t *sum) addCell(c byte) {
	t.total += weights[t.cells] * cells[c].value()
	t.step(1)
	t.seen |= cells[c].class()
}

func (t *sum) step(n uint8) {
	if t.cells += n; t.cells >= 3 {
		t.cells -= 3
	}
}

func (t *sum) digit() byte { return byte('0' + uint(t.total)%10) }

func (t *sum) against(printed byte) Status { return verdict(t.seen, t.digit(), printed) }
