package profile

// What envelopes are made of (ISO/IEC 646).
const (
	soh = 0x01
	stx = 0x02
	etx = 0x03
)

// tag begins a message of Elyctis with a zone in it.
const tag = 'I'

// lengths follows tag, length (two bytes, the high one first) and value. A zone
// with all of its line ends has 93 bytes, so that the high one is zero; and no zone
// holds a zero byte, so that wherever tag and zero follow each other a message
// begins, whatever the length of the one before said.
type lengths struct {
	at   int // how many bytes of a header have come
	left int // of the value
}

func (l *lengths) next(c byte) (begins, ends bool) {
	if l.left > 0 {
		l.left--
		ends = l.left == 0
	}
	switch {
	case l.at == 1 && c == 0:
		l.at = 2
		return true, false
	case l.at == 2:
		l.at, l.left = 0, int(c)
		return false, false
	case c == tag:
		l.at = 1
	default:
		l.at = 0
	}
	return false, ends
}

func (l *lengths) badSums() uint64 { return 0 }
func (l *lengths) reset()          { *l = lengths{} }

// sums follows SOH, length, 'O' 'U', STX … ETX and a checksum over them. What
// exactly the checksum covers no source says that could be read; exclusive or is
// a guess. So a sum counts as wrong only if it is so for each likely reach, and a
// wrong one is counted and nothing else.
type sums struct {
	at    int  // how many bytes of a message have come
	sum   byte // of them, but the first
	inner byte // of those behind STX
	bad   uint64
	ended bool
}

func (s *sums) next(c byte) (begins, ends bool) {
	switch {
	case s.ended:
		s.ended, s.at = false, 0
		if c == soh { // the reader sends no checksums
			s.begin()
			return false, false
		}
		if c != s.sum && c != s.sum^soh && c != s.sum^etx && c != s.sum^soh^etx && c != s.inner && c != s.inner^etx {
			s.bad++
		}
		return false, false
	case c == soh && s.at >= messageHead: // the one before was cut off
		s.begin()
		return false, false
	case s.at >= messageHead:
		s.sum ^= c
		s.inner ^= c
		s.ended = c == etx
		if s.at++; s.at > maxMessage {
			s.at = 0
		}
		return false, false
	case s.at > 0:
		if want := nativeHead[s.at]; want != size && c != want {
			s.at = 0
			break
		}
		s.at++
		s.sum ^= c
		return false, false
	}
	if c == soh {
		s.begin()
	}
	return false, false
}

func (s *sums) begin() { s.at, s.sum, s.inner = 1, 0, 0 }

// nativeHead is how a message begins; size stands for a byte of its length.
const size = 0

var nativeHead = [...]byte{soh, size, size, 'O', 'U', stx}

const (
	messageHead = len(nativeHead)
	maxMessage  = 1 << 10
)

func (s *sums) badSums() uint64 { return s.bad }
func (s *sums) reset()          { *s = sums{bad: s.bad} }
