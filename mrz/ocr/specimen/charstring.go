package specimen

import "encoding/binary"

// A charstring draws one glyph (Adobe note 5177, the Type 2 charstring format)
// and keeps its contours, curves cut into short lines.
type charstring struct {
	font     *cff
	stack    []float64
	at       point
	contours [][]point
	hints    int
	done     bool
}

const maxSubroutines = 10 // calls inside calls, the format's own limit

func bias(subrs [][]byte) int {
	switch {
	case len(subrs) < 1240:
		return 107
	case len(subrs) < 33900:
		return 1131
	}
	return 32768
}

func (s *charstring) run(code []byte, depth int) error {
	if depth > maxSubroutines {
		return errFont
	}
	for len(code) > 0 && !s.done {
		b := code[0]
		switch {
		case b == 255:
			s.stack = append(s.stack, float64(int32(binary.BigEndian.Uint32(code[1:])))/65536)
			code = code[5:]
			continue
		case b >= 32 || b == 28:
			v, n := number(code)
			s.stack = append(s.stack, v)
			code = code[n:]
			continue
		}
		code = code[1:]
		switch b {
		case 1, 3, 18, 23: // hstem, vstem, hstemhm, vstemhm
			s.hints += len(s.stack) / 2
			s.stack = s.stack[:0]
		case 19, 20: // hintmask, cntrmask
			s.hints += len(s.stack) / 2
			s.stack = s.stack[:0]
			code = code[(s.hints+7)/8:]
		case 10, 29: // callsubr, callgsubr
			subrs := s.font.local
			if b == 29 {
				subrs = s.font.global
			}
			i := int(s.pop()) + bias(subrs)
			if err := s.run(subrs[i], depth+1); err != nil {
				return err
			}
		case 11: // return
			return nil
		case 14: // endchar
			s.done = true
		case 12:
			if err := s.flex(code[0]); err != nil {
				return err
			}
			code = code[1:]
		default:
			if err := s.draw(b); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *charstring) pop() float64 {
	v := s.stack[len(s.stack)-1]
	s.stack = s.stack[:len(s.stack)-1]
	return v
}

// draw does the operators that move and draw; each takes the whole stack.
func (s *charstring) draw(operator byte) error {
	a := s.stack
	defer func() { s.stack = s.stack[:0] }()
	switch operator {
	case 21: // rmoveto; a width may stand before the operands
		s.move(a[len(a)-2], a[len(a)-1])
	case 22: // hmoveto
		s.move(a[len(a)-1], 0)
	case 4: // vmoveto
		s.move(0, a[len(a)-1])
	case 5: // rlineto
		for ; len(a) >= 2; a = a[2:] {
			s.line(a[0], a[1])
		}
	case 6, 7: // hlineto, vlineto: alternating
		for horizontal := operator == 6; len(a) > 0; a, horizontal = a[1:], !horizontal {
			if horizontal {
				s.line(a[0], 0)
			} else {
				s.line(0, a[0])
			}
		}
	case 8, 24: // rrcurveto, rcurveline
		for ; len(a) >= 6; a = a[6:] {
			s.curve(a[0], a[1], a[2], a[3], a[4], a[5])
		}
		if operator == 24 {
			s.line(a[0], a[1])
		}
	case 25: // rlinecurve
		for ; len(a) >= 8; a = a[2:] {
			s.line(a[0], a[1])
		}
		s.curve(a[0], a[1], a[2], a[3], a[4], a[5])
	case 26: // vvcurveto
		first := 0.0
		if len(a)%4 == 1 {
			first, a = a[0], a[1:]
		}
		for ; len(a) >= 4; a = a[4:] {
			s.curve(first, a[0], a[1], a[2], 0, a[3])
			first = 0
		}
	case 27: // hhcurveto
		first := 0.0
		if len(a)%4 == 1 {
			first, a = a[0], a[1:]
		}
		for ; len(a) >= 4; a = a[4:] {
			s.curve(a[0], first, a[1], a[2], a[3], 0)
			first = 0
		}
	case 30, 31: // vhcurveto, hvcurveto: alternating
		for horizontal := operator == 31; len(a) >= 4; horizontal = !horizontal {
			last := 0.0
			if len(a) == 5 {
				last = a[4]
			}
			if horizontal {
				s.curve(a[0], 0, a[1], a[2], last, a[3])
			} else {
				s.curve(0, a[0], a[1], a[2], a[3], last)
			}
			a = a[4:]
		}
	default:
		return errFont
	}
	return nil
}

// flex does the operators of two bytes: two curves in one.
func (s *charstring) flex(operator byte) error {
	a := s.stack
	defer func() { s.stack = s.stack[:0] }()
	switch operator {
	case 34: // hflex
		s.curve(a[0], 0, a[1], a[2], a[3], 0)
		s.curve(a[4], 0, a[5], -a[2], a[6], 0)
	case 35: // flex
		s.curve(a[0], a[1], a[2], a[3], a[4], a[5])
		s.curve(a[6], a[7], a[8], a[9], a[10], a[11])
	case 36: // hflex1
		s.curve(a[0], a[1], a[2], a[3], a[4], 0)
		s.curve(a[5], 0, a[6], a[7], a[8], -(a[1] + a[3] + a[7]))
	case 37: // flex1: the last operand is along the longer way
		dx := a[0] + a[2] + a[4] + a[6] + a[8]
		dy := a[1] + a[3] + a[5] + a[7] + a[9]
		s.curve(a[0], a[1], a[2], a[3], a[4], a[5])
		if max(dx, -dx) > max(dy, -dy) {
			s.curve(a[6], a[7], a[8], a[9], a[10], -dy)
		} else {
			s.curve(a[6], a[7], a[8], a[9], -dx, a[10])
		}
	default:
		return errFont
	}
	return nil
}

func (s *charstring) move(dx, dy float64) {
	s.at.x += dx
	s.at.y += dy
	s.contours = append(s.contours, []point{s.at})
}

func (s *charstring) line(dx, dy float64) {
	s.at.x += dx
	s.at.y += dy
	last := &s.contours[len(s.contours)-1]
	*last = append(*last, s.at)
}

// curve cuts a Bézier curve into lines.
func (s *charstring) curve(ax, ay, bx, by, cx, cy float64) {
	const steps = 6
	p0 := s.at
	p1 := point{p0.x + ax, p0.y + ay}
	p2 := point{p1.x + bx, p1.y + by}
	p3 := point{p2.x + cx, p2.y + cy}
	last := &s.contours[len(s.contours)-1]
	for i := 1; i <= steps; i++ {
		t := float64(i) / steps
		u := 1 - t
		a, b, c, d := u*u*u, 3*u*u*t, 3*u*t*t, t*t*t
		*last = append(*last, point{a*p0.x + b*p1.x + c*p2.x + d*p3.x, a*p0.y + b*p1.y + c*p2.y + d*p3.y})
	}
	s.at = p3
}
