package frame

import (
	"strings"

	"lintas/devices"
)

// A bar coded boarding pass (IATA Resolution 792, BCBP) is text:
//
//	M1DESMARAIS/LUC       EABC123 YULFRAAC 0834 326J001A0025 100
//	│││                   ││      │  │  │  │    │  ││   │    │└─ size of what follows, two hexadecimal digits
//	│││                   ││      │  │  │  │    │  ││   │    └── passenger status
//	│││                   ││      │  │  │  │    │  ││   └─────── check-in sequence
//	│││                   ││      │  │  │  │    │  │└─────────── seat
//	│││                   ││      │  │  │  │    │  └──────────── compartment
//	│││                   ││      │  │  │  │    └─────────────── day of the year
//	│││                   ││      │  │  │  └──────────────────── flight, a letter behind it if any
//	│││                   ││      │  │  └─────────────────────── operating carrier
//	│││                   ││      │  └────────────────────────── to
//	│││                   ││      └───────────────────────────── from
//	│││                   │└──────────────────────────────────── booking
//	│││                   └───────────────────────────────────── electronic ticket
//	││└───────────────────────────────────────────────────────── name
//	│└────────────────────────────────────────────────────────── how many legs
//	└─────────────────────────────────────────────────────────── format: M, or S in old ones
//
// From the booking on it is repeated for each leg. What follows a leg has its own
// sizes inside, and behind all legs there may be a signature: `^`, its type, its
// size, its text.
const (
	passHeader = 23
	passLeg    = 37
	maxLegs    = 4
	maxField   = 255 // what two hexadecimal digits can say
	maxPass    = passHeader + maxLegs*(passLeg+maxField) + 4 + maxField
)

// Where the fields of a leg begin.
const (
	legFrom    = 7
	legTo      = 10
	legCarrier = 13
	legFlight  = 16
	legDay     = 21
	legSeat    = 25
	legSize    = 35
)

// ParsePass reads the text of a boarding pass, all of it. False: it is none.
// Name, booking and seat stay in the text.
func ParsePass(text []byte) (*devices.BoardingPass, bool) {
	var r passReader
	if len(text) > maxPass {
		return nil, false
	}
	for i := range text {
		if r.whole && !r.goesOn(text[i]) || r.next(text[:i+1]) == wrong {
			return nil, false
		}
	}
	if !r.whole || r.tail > 0 {
		return nil, false
	}
	return r.pass(), true
}

// reading is what a byte of a boarding pass can be.
type reading uint8

const (
	more  reading = iota // it belongs to one
	wrong                // this is no boarding pass
)

// passReader follows a boarding pass byte by byte.
type passReader struct {
	legs    [maxLegs]devices.Leg
	expect  int  // how many legs it says it has
	found   int  // how many have been read
	leg     int  // where the present one begins
	size    int  // of what follows it; -1: not known yet
	whole   bool // all legs are read
	signing bool // the signature has begun
	tail    int  // how many bytes of the signature are missing
	tailAt  int  // where it begins
}

// pass is what was read.
func (r *passReader) pass() *devices.BoardingPass {
	return &devices.BoardingPass{Legs: append([]devices.Leg{}, r.legs[:r.found]...)}
}

// goesOn says whether a byte behind a whole pass still belongs to it.
func (r *passReader) goesOn(c byte) bool { return r.tail > 0 || !r.signing && c == '^' }

// next looks at the last byte of the text, whose other bytes it has seen.
func (r *passReader) next(text []byte) reading {
	i := len(text) - 1
	c := text[i]
	switch {
	case r.whole:
		return r.signature(text)
	case i == 0:
		return either(c == 'M' || c == 'S')
	case i == 1:
		r.expect = int(c - '0')
		return either(c >= '1' && c <= '0'+maxLegs)
	case i == 2:
		return either(isLetter(c))
	case i < passHeader-1:
		return either(isLetter(c) || strings.IndexByte(" /-.'", c) >= 0)
	case i == passHeader-1:
		r.leg, r.size = passHeader, -1
		return either(c == 'E' || c == ' ')
	}
	if at := i - r.leg; at < passLeg {
		if legField(at, c, text[r.leg:]) == wrong {
			return wrong
		}
		if at < passLeg-1 {
			return more
		}
		r.size = hex(text[i-1])<<4 | hex(c)
		l, ok := readLeg(text[r.leg:])
		if !ok {
			return wrong
		}
		r.legs[r.found] = l
	} else if c < ' ' || c > '~' {
		return wrong
	}
	if i-r.leg < passLeg+r.size-1 {
		return more
	}
	if !conditional(text[r.leg+passLeg:], r.found == 0) {
		return wrong
	}
	r.found++
	r.leg, r.size = i+1, -1
	r.whole = r.found == r.expect
	return more
}

// signature follows `^`, a type, a size and that many characters.
func (r *passReader) signature(text []byte) reading {
	i := len(text) - 1
	c := text[i]
	if !r.signing {
		r.signing, r.tail, r.tailAt = true, 3, i
		return either(c == '^')
	}
	r.tail--
	switch at := i - r.tailAt; {
	case at == 1:
		return either(isLetter(c) || isDigit(c))
	case at == 2:
		return either(hex(c) >= 0)
	case at == 3:
		if hex(c) < 0 {
			return wrong
		}
		r.tail = hex(text[i-1])<<4 | hex(c)
		return more
	}
	return either(c >= ' ' && c <= '~')
}

// legField says whether a character may stand at a place of a leg.
func legField(at int, c byte, leg []byte) reading {
	switch {
	case at == 0:
		return either(isLetter(c) || isDigit(c))
	case at < legFrom:
		return either(isLetter(c) || isDigit(c) || c == ' ')
	case at < legCarrier:
		return either(isLetter(c))
	case at < legCarrier+2:
		return either(isLetter(c) || isDigit(c))
	case at == legCarrier+2:
		return either(isLetter(c) || c == ' ')
	case at < legFlight+4:
		return either(isDigit(c) || c == ' ')
	case at == legFlight+4:
		return either(isLetter(c) || c == ' ')
	case at < legDay+3:
		return either(isDigit(c) || c == ' ')
	case at < legSize:
		return either(isLetter(c) || isDigit(c) || c == ' ')
	}
	return either(hex(c) >= 0)
}

// readLeg reads a leg whose characters are all in their places.
func readLeg(leg []byte) (l devices.Leg, ok bool) {
	l = devices.Leg{
		Carrier: strings.TrimRight(string(leg[legCarrier:legFlight]), " "),
		Flight:  strings.Trim(string(leg[legFlight:legDay]), " "),
		From:    string(leg[legFrom:legTo]),
		To:      string(leg[legTo:legCarrier]),
	}
	if isDigit(l.Carrier[0]) && isDigit(l.Carrier[1]) || strings.Contains(l.Flight, " ") {
		return l, false
	}
	if l.Flight = strings.TrimLeft(l.Flight, "0"); l.Flight == "" || !isDigit(l.Flight[0]) {
		return l, false
	}
	day := string(leg[legDay : legDay+3])
	if day == "   " {
		return l, true // an open date
	}
	for _, c := range []byte(day) {
		if !isDigit(c) {
			return l, false
		}
		l.Day = 10*l.Day + int(c-'0')
	}
	return l, l.Day <= 366
}

// conditional checks the sizes within what follows a leg. Behind the first leg
// stands `>` and the version, then what belongs to all of the journey and what
// belongs to the leg, each after its size; behind others only the latter. The
// rest is the airline's own. Airlines also write nothing but their own there.
func conditional(field []byte, first bool) bool {
	if first {
		if len(field) == 0 || field[0] != '>' {
			return true
		}
		if len(field) < 4 || !isDigit(field[1]) {
			return false
		}
		var ok bool
		if field, ok = sized(field[2:]); !ok {
			return false
		}
	}
	if len(field) == 0 {
		return true
	}
	_, ok := sized(field)
	return ok
}

// sized takes off a field that begins with its size.
func sized(b []byte) (rest []byte, ok bool) {
	if len(b) < 2 || hex(b[0]) < 0 || hex(b[1]) < 0 {
		return nil, false
	}
	n := 2 + hex(b[0])<<4 + hex(b[1])
	if n > len(b) {
		return nil, false
	}
	return b[n:], true
}

func either(ok bool) reading {
	if ok {
		return more
	}
	return wrong
}

func isLetter(c byte) bool { return c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

// hex is the value of a hexadecimal digit, which are upper case in a pass; -1:
// it is none.
func hex(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
