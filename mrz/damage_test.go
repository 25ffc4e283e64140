package mrz_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"lintas/mrz"
)

// damages are what scanners, and forgers, do to a zone. Each returns false if
// the zone gives no occasion for it.
var damages = []struct {
	name string
	do   func(*damager) bool
	// wrong is how many in a thousand documents may come out as valid with a
	// number or date that a repair got wrong.
	wrong int
	// lost is how many in a thousand may come out without the truth: neither
	// read, nor mended, nor offered.
	lost int
}{
	{"one confusion", times(1, (*damager).confuse), 0, 2},
	{"two confusions", times(2, (*damager).confuse), 10, 12},
	{"three confusions", times(3, (*damager).confuse), 20, 50},
	{"one unread", times(1, (*damager).smear), 0, 0},
	{"two unread", times(2, (*damager).smear), 0, 60},
	{"unread and confusion", both((*damager).smear, (*damager).confuse), 5, 40},
	{"one filler lost", times(1, (*damager).lose), 2, 15},
	{"two fillers lost", times(2, (*damager).lose), 2, 35},
	{"one filler doubled", times(1, (*damager).double), 0, 2},
	{"filler lost and confusion", both((*damager).confuse, (*damager).lose), 8, 50},
	{"one digit forged", times(1, (*damager).forge), 0, 1000},
	{"two digits forged", times(2, (*damager).forge), 0, 1000},
}

// Thousands of documents are damaged in known ways. What must never happen is a
// document that counts as valid with a number or date that Read made up; and
// what can be known of the truth must be among what Read gives.
//
// A perfect score is not to be had. L and 1, and G and 6, have the same value
// for a check digit, so that a number in which one is read for the other is
// right as far as anything in the zone goes: Read warns of it where the number's
// shape tells, and repairs beside it do not make it right. That is the residue
// of two and three confusions, and of a confusion beside an unread check digit.
// Two confusions in one number may also cancel each other, or leave one of them
// to explain both. Two unread cells in one number have more than a hundred
// readings, which are not listed.
//
// A forged digit is another matter: no repair may ever make it good.
func TestDamage(t *testing.T) {
	const documents = 120 // of each format and damage
	for _, damage := range damages {
		var all tally
		r := rand.New(rand.NewPCG(9303, 1))
		for _, format := range []mrz.Format{mrz.TD1, mrz.TD2, mrz.TD3, mrz.MRVA, mrz.MRVB} {
			for range documents {
				truth := invent(t, r, format)
				d := damager{r, slices.Clone(truth.Lines), map[[2]int]bool{}}
				if !damage.do(&d) {
					continue
				}
				doc := mrz.Read(d.lines, today)
				all.count(truth, doc)
				if strings.Contains(damage.name, "forged") && doc.Valid && len(doc.Repairs) > 0 {
					t.Errorf("%s: %q became %q by %v", damage.name, truth.Lines, doc.Lines, doc.Repairs)
				}
				if doc.Valid && !mrz.Parse(doc.Lines, today).Valid {
					t.Errorf("%s: %q is called valid", damage.name, doc.Lines)
				}
			}
		}
		t.Logf("%-26s %d documents: %4.1f %% read right, %4.1f %% offered, %4.1f %% refused; right to the digits but not the truth %4.1f %%, of which a repair got wrong %.2f %%",
			damage.name, all.n, all.part(all.right), all.part(all.offered), all.part(all.refused), all.part(all.blind), all.part(all.wrong))
		if all.wrong*1000 > damage.wrong*all.n {
			t.Errorf("%s: %d of %d repaired wrongly", damage.name, all.wrong, all.n)
		}
		if all.refused*1000 > damage.lost*all.n {
			t.Errorf("%s: %d of %d without the truth", damage.name, all.refused, all.n)
		}
	}
}

// A tally counts what became of damaged documents.
type tally struct {
	n       int
	right   int // valid, with the right number and dates
	offered int // not valid, the truth read or among the candidates
	refused int // not valid, and the truth is not there
	blind   int // valid, but not the truth
	wrong   int // of these, with a repair in the field that is wrong
}

func (t *tally) part(n int) float64 { return 100 * float64(n) / float64(t.n) }

func (t *tally) count(truth, got mrz.Document) {
	t.n++
	wrong := map[string]bool{}
	known := true
	for field, value := range essentials(truth) {
		if essentials(got)[field] == value {
			continue
		}
		wrong[field] = true
		known = known && slices.ContainsFunc(got.Candidates, func(c mrz.Candidate) bool {
			return c.Field == field && c.Value == value
		})
	}
	switch {
	case got.Valid && len(wrong) == 0:
		t.right++
	case got.Valid:
		t.blind++
		if slices.ContainsFunc(got.Repairs, func(r mrz.Repair) bool { return wrong[r.Field] }) {
			t.wrong++
		}
	case known:
		t.offered++
	default:
		t.refused++
	}
}

// essentials are what an officer acts upon.
func essentials(d mrz.Document) map[string]string {
	return map[string]string{
		mrz.FieldDocumentNumber: d.DocumentNumber,
		mrz.FieldDateOfBirth:    d.DateOfBirth.String(),
		mrz.FieldDateOfExpiry:   d.DateOfExpiry.String(),
	}
}

// invent makes a document such as travellers have.
func invent(t *testing.T, r *rand.Rand, format mrz.Format) mrz.Document {
	t.Helper()
	letter, digit, any := "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	draw := func(from string, n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = from[r.IntN(len(from))]
		}
		return string(b)
	}
	pick := func(list string) string {
		all := strings.Fields(list)
		return strings.ReplaceAll(all[r.IntN(len(all))], "-", " ")
	}
	f := mrz.Fields{
		DocumentCode: "P", IssuingState: pick("IDN MYS SGP AUS UTO GBR USA CHN JPN IND D"),
		Primary:      pick("SUSANTO WIDODO ERIKSSON OBRIEN BIN-ABDULLAH TAN GARCIA-LOPEZ ZULKIFLI OKONKWO DELACROIX GUNAWAN"),
		Secondary:    pick("ANNA-MARIA BUDI SITI-NURHALIZA JOHN PETER-JAN OLGA LI-WEI ISABELLA ZOE SCOTT-LEE"),
		DateOfBirth:  mrz.Date{Year: 1930 + r.IntN(95), Month: 1 + r.IntN(12), Day: 1 + r.IntN(28)},
		DateOfExpiry: mrz.Date{Year: 2026 + r.IntN(10), Month: 1 + r.IntN(12), Day: 1 + r.IntN(28)},
		Sex:          []string{"M", "F", "M", "F", ""}[r.IntN(5)],
	}
	f.Nationality = f.IssuingState
	switch r.IntN(5) {
	case 0, 1:
		f.DocumentNumber = draw(letter, 1) + draw(digit, 7) // Indonesia and others
	case 2:
		f.DocumentNumber = draw(letter, 2) + draw(digit, 7)
	case 3:
		f.DocumentNumber = draw(digit, 9)
	case 4:
		f.DocumentNumber = draw(any, 9)
	}
	if r.IntN(2) == 0 {
		f.OptionalData = []string{[]string{draw(digit, 7), draw(any, 6)}[r.IntN(2)]}
	}
	long := r.IntN(3) == 0
	switch format {
	case mrz.TD1:
		f.DocumentCode = "I"
		if long {
			f.DocumentNumber = draw([]string{digit, any}[r.IntN(2)], 10+r.IntN(4))
		}
		if r.IntN(2) == 0 {
			f.OptionalData = append(append(f.OptionalData, "")[:1], draw(digit, 11))
		}
	case mrz.TD2:
		f.DocumentCode = "I"
		if long {
			f.DocumentNumber, f.OptionalData = draw(digit, 10+r.IntN(3)), nil
		}
	case mrz.MRVA, mrz.MRVB:
		f.DocumentCode = "V"
	}
	lines, err := f.Lines(format)
	if err != nil {
		t.Fatal(err)
	}
	doc := mrz.Parse(lines, today)
	if !doc.Valid {
		t.Fatalf("%q is not valid", lines)
	}
	return doc
}

// A damager damages the lines of one zone, never the same cell twice.
type damager struct {
	*rand.Rand
	lines []string
	taken map[[2]int]bool
}

func times(n int, f func(*damager) bool) func(*damager) bool {
	return func(d *damager) bool {
		for range n {
			if !f(d) {
				return false
			}
		}
		return true
	}
}

func both(f, g func(*damager) bool) func(*damager) bool {
	return func(d *damager) bool { return f(d) && g(d) }
}

// at looks for a cell that change has something for, and puts it there.
func (d *damager) at(change func(c byte) (string, bool)) bool {
	for range 1000 {
		l := d.IntN(len(d.lines))
		i := d.IntN(len(d.lines[l]))
		if text, ok := change(d.lines[l][i]); ok && !d.taken[[2]int{l, i}] {
			d.taken[[2]int{l, i}] = true
			d.lines[l] = d.lines[l][:i] + text + d.lines[l][i+1:]
			return true
		}
	}
	return false
}

func (d *damager) confuse() bool {
	alike := map[byte]string{'0': "ODQ", '1': "IL", '2': "Z", '5': "S", '6': "G", '8': "B",
		'O': "0", 'D': "0", 'Q': "0", 'I': "1", 'L': "1", 'Z': "2", 'S': "5", 'G': "6", 'B': "8"}
	return d.at(func(c byte) (string, bool) {
		twins, ok := alike[c]
		if !ok {
			return "", false
		}
		i := d.IntN(len(twins))
		return twins[i : i+1], true
	})
}

func (d *damager) smear() bool {
	return d.at(func(c byte) (string, bool) { return "_", c != '<' })
}

func (d *damager) lose() bool {
	return d.at(func(c byte) (string, bool) { return "", c == '<' })
}

func (d *damager) double() bool {
	return d.at(func(c byte) (string, bool) { return "<<", c == '<' })
}

func (d *damager) forge() bool {
	return d.at(func(c byte) (string, bool) {
		other := byte('0' + d.IntN(10))
		return string(rune(other)), '0' <= c && c <= '9' && other != c
	})
}
