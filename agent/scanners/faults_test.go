package scanners_test

import (
	"math/bits"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lintas/devices"
)

const (
	other1 = "P<UTOSURYATI<<SITI<NURHALIZA<<<<<<<<<<<<<<<<"
	other2 = "X1234567<4UTO9001015F3001012<<<<<<<<<<<<<<04"

	card1 = "I<UTOD231458907<<<<<<<<<<<<<<<"
	card2 = "7408122F1204159UTO<<<<<<<<<<<6"
	card3 = "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"
)

// The faults that scanners and lines have, on a real pseudo-terminal, from the
// bytes to what the counter gets: every document that came whole is delivered
// once and in order, and nothing is made of what did not.
func TestFaults(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 2))
	garbage := func(n int) string { // no letters of a zone
		b := make([]byte, n)
		for i := range b {
			b[i] = "\x00\x01\x02\x07~{}\x80\xfe\xff#%"[random.IntN(12)]
		}
		return string(b)
	}
	passport, second := []string{td3a, td3b}, []string{other1, other2}
	for _, c := range []struct {
		name  string
		sends []string // with silence in between
		want  [][]string
	}{
		{"garbage before, between and after", []string{garbage(300) + td3a + "\r" + garbage(9) + "\r" + td3b + "\r" + garbage(500)}, [][]string{passport}},
		{"garbage, then silence", []string{garbage(300), swipe, garbage(300), swipe}, [][]string{passport, passport}},
		{"two swipes in one", []string{swipe + other1 + "\r" + other2 + "\r"}, [][]string{passport, second}},
		{"a card, then a passport", []string{card1 + "\r" + card2 + "\r" + card3 + "\r" + swipe}, [][]string{{card1, card2, card3}, passport}},
		{"no end", []string{td3a + "\r" + td3b}, [][]string{passport}},
		{"no separators", []string{td3a + td3b, card1 + card2 + card3}, [][]string{passport, {card1, card2, card3}}},
		{"half a line", []string{td3a[:20]}, nil},
		{"the first line only", []string{td3a + "\r"}, nil},
		{"the second line only", []string{td3b + "\r"}, nil},
		{"half, then whole", []string{td3a + "\r" + td3b[:11], swipe}, [][]string{passport}},
		{"lines of two documents with silence between", []string{td3a + "\r", other2 + "\r"}, nil},
		{"unread characters", []string{strings.Replace(swipe, "ERIKSSON", "ERIK_SON", 1)}, [][]string{{strings.Replace(td3a, "ERIKSSON", "ERIK_SON", 1), td3b}}},
		{"a magnetic card before", []string{"%B4000001234567890^DOE/JOHN^25121011000000000000?\r;4000001234567890=25121011000000000000?\r" + swipe}, [][]string{passport}},
		{"seven bits heard as eight", []string{parity(swipe)}, nil},
		{"another speed", []string{garbage(90), garbage(70)}, nil},
		{"STX and ETX", []string{"\x02" + swipe + "\x03\x02" + swipe + "\x03"}, [][]string{passport, passport}},
		{"a long run of letters", []string{strings.Repeat("A", 100_000) + "\r" + swipe}, [][]string{passport}},
		{"ten swipes at once", []string{strings.Repeat(swipe, 10)}, slices.Repeat([][]string{passport}, 10)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			s := b.plugIn("Reader")
			k := start(t, settings(s.link), 1000)
			k.await(devices.Ready)
			sent := uint64(0)
			for _, piece := range append(c.sends, "\x00") {
				s.send(piece)
				sent += uint64(len(piece))
				until(t, "read", func() bool { return k.r.Stats().Bytes == sent })
				until(t, "quiet", func() bool { return k.r.State().Status != devices.Reading })
			}
			k.stop() // what was held is delivered or lost with the rest
			var got [][]string
			for len(k.scans) > 0 {
				if scan := <-k.scans; scan.Status == devices.Complete {
					got = append(got, scan.Lines)
				} else if scan.Status != devices.Partial {
					t.Errorf("scan %s %q", scan.Status, scan.Lines)
				}
			}
			if !slices.EqualFunc(got, c.want, slices.Equal) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// parity is how a port with eight bits hears seven and even parity.
func parity(text string) string {
	b := []byte(text)
	for i, c := range b {
		if bits.OnesCount8(c)&1 == 1 {
			b[i] = c | 0x80
		}
	}
	return string(b)
}

// Every chunking gives the same, down to single bytes.
func TestPieces(t *testing.T) {
	b := newBench(t)
	s := b.plugIn("Reader")
	set := settings(s.link)
	set.Gap = time.Minute // longer than any test machine is busy
	c := start(t, set, 1000)
	c.await(devices.Ready)
	random := rand.New(rand.NewPCG(1, 1))
	for i := range 200 {
		text := numbered(i)
		for rest := text; rest != ""; {
			n := 1
			if i > 0 {
				n = 1 + random.IntN(len(rest))
			}
			s.send(rest[:n])
			rest = rest[n:]
		}
		if scan := c.scan(devices.Complete, text[:44], text[45:89]); scan.Seq != uint64(i+1) {
			t.Fatalf("Seq is %d, want %d", scan.Seq, i+1)
		}
	}
}

// The receiver stands still during a hundred swipes: the oldest wait for it, in
// order and without a gap in their numbers, the others are counted, and the state
// says so until it goes on.
func TestStalledReceiver(t *testing.T) {
	b := newBench(t)
	s := b.plugIn("Reader")
	c := start(t, settings(s.link), 0)
	c.await(devices.Ready)
	for i := range 100 {
		s.send(numbered(i))
	}
	until(t, "read", func() bool { return c.r.Stats().Complete == 100 })
	if st := c.await(devices.Degraded); st.Code != devices.Stalled {
		t.Errorf("state is %+v", st)
	}
	if st := c.r.State(); st.Dropped != 36 {
		t.Errorf("%d dropped, want 36", st.Dropped)
	}
	for i := range 64 {
		want := numbered(i)
		if scan := c.scan(devices.Complete, want[:44], want[45:89]); scan.Seq != uint64(i+1) {
			t.Fatalf("Seq is %d, want %d", scan.Seq, i+1)
		}
	}
	c.await(devices.Ready)
	s.send(swipe)
	if scan := c.scan(devices.Complete, td3a, td3b); scan.Seq != 65 {
		t.Errorf("Seq is %d, want 65", scan.Seq)
	}
}

// Ten megabytes of noise and of letters, and the swipe after them is read.
func TestFlood(t *testing.T) {
	b := newBench(t)
	s := b.plugIn("Reader")
	c := start(t, settings(s.link), 1000)
	c.await(devices.Ready)
	noise := make([]byte, 5<<20)
	random := rand.New(rand.NewPCG(9, 9))
	for i := range noise {
		noise[i] = byte(random.UintN(256))
	}
	s.send(string(noise))
	s.send(strings.Repeat("A", 5<<20))
	s.send("\r" + swipe)
	c.complete(td3a, td3b)
	until(t, "all counted", func() bool { return c.r.Stats().Bytes == 10<<20+1+uint64(len(swipe)) })
}

// A port that has gone is not asked again and again: for as long as it is absent
// the reader sleeps.
func TestQuietWhileAbsent(t *testing.T) {
	b := newBench(t)
	s := b.plugIn("Reader")
	c := start(t, settings(s.link), 10)
	c.await(devices.Ready)
	s.pull()
	c.await(devices.Absent)
	began, before := time.Now(), cpu(t)
	time.Sleep(2 * time.Second)
	// tarm's own loop would compute all of the time, and this one about 0.1 %. A
	// busy machine makes both numbers larger together.
	if used, took := cpu(t)-before, time.Since(began); used*5 > took {
		t.Errorf("%v computed in %v", used, took)
	}
	for len(c.states) > 0 {
		if st := <-c.states; st.Status != devices.Absent {
			t.Errorf("state %+v", st)
		}
	}
}

// What a second program gets is what the scanner sent, and it is in nobody's log.
func TestTee(t *testing.T) {
	b := newBench(t)
	s := b.plugIn("Reader")
	set := settings(s.link)
	set.Tee = filepath.Join(b.dev, "scanner-1")
	c := start(t, set, 1000)
	c.await(devices.Ready)
	until(t, "ready for a second program", func() bool { return c.r.State().Tee.Ready })
	s.send(swipe) // before it is there
	c.scan(devices.Complete, td3a, td3b)
	f, err := os.OpenFile(set.Tee, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	until(t, "opened", func() bool { return c.r.State().Tee.Opened })
	text := "\x02~\xff" + swipe + "\x03"
	for i := range 3 {
		s.send(text)
		c.scan(devices.Complete, td3a, td3b)
		got := make([]byte, len(text))
		f.SetReadDeadline(time.Now().Add(patience))
		for n := 0; n < len(got); {
			k, err := f.Read(got[n:])
			if err != nil {
				t.Fatalf("%d of the bytes, %v", n, err)
			}
			n += k
		}
		if string(got) != text {
			t.Fatalf("the second program got %q", got)
		}
		command := "\x16T\r"
		f.WriteString(command)
		s.master.SetReadDeadline(time.Now().Add(patience))
		k, err := s.master.Read(got)
		if err != nil || string(got[:k]) != command {
			t.Fatalf("the scanner was told %q, %v", got[:k], err)
		}
		if i == 1 { // the scanner goes and comes back; the program keeps its port
			s.pull()
			c.await(devices.Absent)
			s = b.plugIn("Reader")
			c.await(devices.Ready)
		}
	}
	// It hangs: our side reads on, whatever comes.
	for i := range 3000 {
		s.send(numbered(i))
		want := numbered(i)
		c.scan(devices.Complete, want[:44], want[45:89])
	}
	until(t, "found to be stuck", func() bool { st := c.r.State().Tee; return st.Stuck && st.Lost > 0 })
}
