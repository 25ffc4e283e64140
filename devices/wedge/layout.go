package wedge

// A Layout says which characters the keys have.
type Layout string

// The layouts that can be configured.
const (
	Auto       Layout = "auto" // found out from the keys of each swipe
	American   Layout = "us"
	German     Layout = "de"
	French     Layout = "fr"
	Indonesian Layout = "id" // the same keys as American
)

// noise is the character of a key that stands for none that matters.
const noise = ' '

// rows are the codes of the keys with characters, from the top left to the
// bottom right.
var rows = [...]uint16{
	41, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
	16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27,
	30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 43,
	44, 45, 46, 47, 48, 49, 50, 51, 52, 53,
	key102nd,
}

// A table gives the characters of the keys of one layout.
type table struct {
	name    Layout
	witness bool // not one to be configured: it only speaks against others
	no102nd bool // the layout has no such key
	caps    bool // a witness, but a reading like others if Caps Lock was pressed
	plain   [key102nd + 1]byte
	shifted [key102nd + 1]byte
}

// tables are the layouts in which every swipe is read.
//
// Two are nobody's setting. Italian, Spanish and other keyboards have the key
// for '<' of the German one, and Y and Z where Americans have them; and some
// French scanners press Caps Lock and then type digits without Shift. Both look
// German but for the letters.
var tables = [...]table{
	newTable(table{name: American, no102nd: true},
		"`1234567890-="+"qwertyuiop[]"+`asdfghjkl;'\`+"zxcvbnm,./"+"·",
		"~!@#$%^&*()_+"+"QWERTYUIOP{}"+`ASDFGHJKL:"|`+"ZXCVBNM<>?"+"·"),
	newTable(table{name: German},
		"^1234567890ß´"+"qwertzuiopü+"+"asdfghjklöä#"+"yxcvbnm,.-"+"<",
		"°!\"§$%&/()=?`"+"QWERTZUIOPÜ*"+"ASDFGHJKLÖÄ'"+"YXCVBNM;:_"+">"),
	newTable(table{name: French},
		"²&é\"'(-è_çà)="+"azertyuiop^$"+"qsdfghjklmù*"+"wxcvbn,;:!"+"<",
		"·1234567890°+"+"AZERTYUIOP¨£"+"QSDFGHJKLM%µ"+"WXCVBN?./§"+">"),
	newTable(table{name: "european qwerty", witness: true},
		"^1234567890'·"+"qwertyuiop·+"+"asdfghjkl··#"+"zxcvbnm,.-"+"<",
		"·!\"·$%&/()=?·"+"QWERTYUIOP·*"+"ASDFGHJKL···"+"ZXCVBNM;:_"+">"),
	newTable(table{name: French, witness: true, caps: true},
		"·1234567890)="+"azertyuiop^$"+"qsdfghjklmù*"+"wxcvbn,;:!"+"<",
		"·&é\"'(-è_çà°+"+"AZERTYUIOP¨£"+"QSDFGHJKLM%µ"+"WXCVBN?./§"+">"),
}

// newTable makes a table from the characters of rows, without and with Shift.
// Small letters become capitals: a zone has no others.
func newTable(t table, plain, shifted string) table {
	fill := func(to *[key102nd + 1]byte, chars string) {
		for i := range to {
			to[i] = noise
		}
		i := 0
		for _, c := range chars {
			switch {
			case 'a' <= c && c <= 'z':
				c += 'A' - 'a'
			case c > '~':
				c = noise
			}
			to[rows[i]] = byte(c)
			i++
		}
	}
	fill(&t.plain, plain)
	fill(&t.shifted, shifted)
	return t
}

// char is the character that a stroke stands for.
func (t *table) char(s stroke) byte {
	switch {
	case s.char != 0:
		return s.char
	case int(s.key) >= len(t.plain), s.altgr:
		return noise
	}
	plain, shifted := t.plain[s.key], t.shifted[s.key]
	letter := 'A' <= plain && plain <= 'Z'
	switch {
	case s.ctrl && letter:
		return plain - 'A' + 1 // Ctrl+M is CR
	case s.ctrl:
		return noise
	case letter:
		return plain // some layouts have Ä and Ö, none has a letter with Shift only
	case s.shift:
		return shifted
	}
	return plain
}
