package frame_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"lintas/devices"
	"lintas/devices/frame"
)

// pieces cuts s at random.
func pieces(r *rand.Rand, s string) []string {
	var p []string
	for s != "" {
		n := 1 + r.IntN(min(len(s), 1+r.IntN(60)))
		p, s = append(p, s[:n]), s[n:]
	}
	return p
}

func TestAnyChunking(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := run(frame.New(frame.Options{}), strings.Split(c.in, "")...); !same(got, c.want) {
				t.Errorf("byte by byte: got%s\nwant%s", show(got), show(c.want))
			}
			for i := 0; i < len(c.in); i += 1 + len(c.in)/500 { // in the longest not everywhere
				if got := run(frame.New(frame.Options{}), c.in[:i], c.in[i:]); !same(got, c.want) {
					t.Fatalf("cut before byte %d: got%s\nwant%s", i, show(got), show(c.want))
				}
			}
			for seed := range uint64(30) {
				p := pieces(rand.New(rand.NewPCG(seed, 1)), c.in)
				if got := run(frame.New(frame.Options{}), p...); !same(got, c.want) {
					t.Fatalf("seed %d, %d pieces: got%s\nwant%s", seed, len(p), show(got), show(c.want))
				}
			}
		})
	}
}

// All cases after each other, a silence between them, in one framer: nothing
// of one case is left for the next.
func TestNothingIsLeftOver(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 3))
	f := frame.New(frame.Options{})
	now := start
	for range 5 {
		for _, i := range r.Perm(len(cases)) {
			c := cases[i]
			now = now.Add(time.Second)
			if got := runAt(now, f, pieces(r, c.in)...); !same(got, c.want) {
				t.Fatalf("%s: got%s\nwant%s", c.name, show(got), show(c.want))
			}
		}
	}
}

// Cutting a stream into pieces that come at the same time changes nothing,
// whatever silences are in it.
func TestAnyChunkingWithSilences(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 7))
		var got, want []devices.Scan
		whole, cut := frame.New(frame.Options{}), frame.New(frame.Options{})
		now := start
		for range 10 {
			for _, burst := range pieces(r, cases[r.IntN(len(cases))].in) {
				now = now.Add(time.Duration(r.Int64N(int64(frame.DefaultGap) * 11 / 10)))
				whole.Push(now, []byte(burst), func(s devices.Scan) { want = append(want, s) })
				for _, p := range pieces(r, burst) {
					cut.Push(now, []byte(p), func(s devices.Scan) { got = append(got, s) })
				}
			}
		}
		if !same(got, want) {
			t.Fatalf("seed %d: got%s\nwant%s", seed, show(got), show(want))
		}
		if a, b := whole.Stats(), cut.Stats(); a != b {
			t.Fatalf("seed %d: stats %+v and %+v", seed, a, b)
		}
	}
}

// A document is never put together out of two travellers' lines as long as
// anything recognisable is left of the lines between: streams of two documents
// with lines lost, lines cut short and bits flipped.
func TestNeverTwoTravellers(t *testing.T) {
	complete := 0
	for seed := range uint64(5_000) {
		r := rand.New(rand.NewPCG(seed, 11))
		lines := []string{td3a, td3b, td3c, td3d}
		var b strings.Builder
		for _, l := range lines {
			switch r.IntN(5) {
			case 0: // lost
				continue
			case 1: // cut short
				l = l[:12+r.IntN(len(l)-12)]
			case 2: // a bit flipped in the line
				c := []byte(l)
				c[r.IntN(len(c))] ^= 1 << r.IntN(8)
				l = string(c)
			}
			b.WriteString(l)
			if r.IntN(4) > 0 {
				b.WriteByte('\r')
			}
		}
		for _, s := range run(frame.New(frame.Options{}), b.String()) {
			if s.Status != devices.Complete {
				continue
			}
			complete++
			// The whole line of one traveller with the whole line of the other.
			if s.Lines[0] == td3a && s.Lines[1] == td3d && !strings.Contains(b.String(), td3a+"\r"+td3d) && !strings.Contains(b.String(), td3a+td3d) {
				t.Fatalf("seed %d: two travellers in one document, from %q", seed, b.String())
			}
		}
	}
	if complete < 500 {
		t.Errorf("only %d complete documents: the test tests nothing", complete)
	}
}
