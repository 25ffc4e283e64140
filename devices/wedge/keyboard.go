package wedge

// The keys that have a meaning of their own in every layout.
const (
	keyTab       = 15
	keyEnter     = 28
	keyLeftCtrl  = 29
	keyLeftShift = 42
	keyRShift    = 54
	keyKPStar    = 55
	keyLeftAlt   = 56
	keyCapsLock  = 58
	keyKP7       = 71
	keyKPMinus   = 74
	keyKPPlus    = 78
	keyKPDot     = 83
	key102nd     = 86
	keyKPEnter   = 96
	keyRightCtrl = 97
	keyKPSlash   = 98
	keyRightAlt  = 100
	keyLeftMeta  = 125
	keyRightMeta = 126
)

// keypad are the characters of the keys from KEY_KP7 to KEY_KPDOT.
const keypad = "789-456+1230."

// A stroke is a key that was typed, or a character that says itself.
type stroke struct {
	char  byte // 0: it depends on the layout
	key   uint16
	shift bool
	ctrl  bool
	altgr bool
}

// keyboard knows which modifiers are pressed. Its zero value has none.
type keyboard struct {
	shift, ctrl, alt, altgr, meta uint8 // bit 0 left, bit 1 right

	code    int // the number being typed with Alt held
	numbers int // its digits
}

// take takes a key that went down or up. It returns a stroke if that typed
// something.
func (k *keyboard) take(key uint16, down bool) (s stroke, ok bool) {
	set := func(keys *uint8, bit uint8) {
		if *keys &^= bit; down {
			*keys |= bit
		}
	}
	switch key {
	case keyLeftShift:
		set(&k.shift, 1)
	case keyRShift:
		set(&k.shift, 2)
	case keyLeftCtrl:
		set(&k.ctrl, 1)
	case keyRightCtrl:
		set(&k.ctrl, 2)
	case keyRightAlt:
		set(&k.altgr, 2)
	case keyLeftMeta:
		set(&k.meta, 1)
	case keyRightMeta:
		set(&k.meta, 2)
	case keyLeftAlt:
		set(&k.alt, 1)
		code, numbers := k.code, k.numbers
		k.code, k.numbers = 0, 0
		if !down && numbers > 0 {
			return stroke{char: visible(code)}, true
		}
	case keyCapsLock:
	default:
		if !down || key == 0 {
			return s, false
		}
		return k.press(key)
	}
	return s, false
}

// press takes a key that is no modifier.
func (k *keyboard) press(key uint16) (s stroke, ok bool) {
	char := fixed(key)
	if k.alt != 0 {
		if '0' <= char && char <= '9' {
			k.code, k.numbers = (k.code*10+int(char-'0'))%100000, k.numbers+1
			return s, false
		}
		return stroke{char: noise}, true // a command to a window
	}
	if k.meta != 0 {
		return stroke{char: noise}, true
	}
	if char != 0 {
		return stroke{char: char}, true
	}
	return stroke{key: key, shift: k.shift != 0, ctrl: k.ctrl != 0, altgr: k.altgr != 0}, true
}

// fixed is the character of a key that has the same in every layout, 0 for
// others.
func fixed(key uint16) byte {
	switch {
	case key == keyEnter, key == keyKPEnter:
		return '\r'
	case key == keyTab:
		return '\n' // ends a line as well
	case key == keyKPStar:
		return '*'
	case key == keyKPSlash:
		return '/'
	case keyKP7 <= key && key <= keyKPDot:
		return keypad[key-keyKP7]
	}
	return 0
}

// visible is the character with a number that was typed with Alt: Alt+60 and
// Alt+060 are '<'.
func visible(code int) byte {
	switch c := byte(code); {
	case 'a' <= c && c <= 'z':
		return c - 'a' + 'A'
	case c == '\r', c == '\n', ' ' <= c && c <= '~':
		return c
	}
	return noise
}
