package profile_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"lintas/devices"
	"lintas/devices/frame"
	"lintas/devices/profile"
	"lintas/devices/replay"
	"lintas/devices/serial"
)

const (
	line1 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"
	line2 = "L898902C36UTO7408122F1204159ZE184226B<<<<<10"
)

var lines = []string{line1, line2}

func find(t testing.TB, name string) profile.Profile {
	t.Helper()
	p, ok := profile.Find(name)
	if !ok {
		t.Fatalf("no profile %q", name)
	}
	return p
}

func TestTable(t *testing.T) {
	for _, name := range profile.Names() {
		p := find(t, name)
		if p.Name != name || p.What == "" || p.Encode == nil {
			t.Errorf("%s is not complete", name)
		}
		if _, err := serial.ParseLine(p.Line); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if p.Again > 0 && len(p.Arm) == 0 {
			t.Errorf("%s falls asleep and cannot be woken", name)
		}
	}
	if p, ok := profile.Find(""); !ok || p.Name != "auto" {
		t.Error("no profile is not auto")
	}
	if _, ok := profile.Find("AUTO"); ok {
		t.Error("a profile that is not in the table was found")
	}
}

// What is said to readers, byte for byte as their manuals have it.
func TestCommands(t *testing.T) {
	for _, c := range []struct {
		name, arm, good, bad, ignore string
	}{
		{"auto", "", "", "", ""},
		{"rte", "", "", "", ""},
		{"cute", "", "", "", ""},
		{"cr100", "", "", "", ""},
		{"elyctis", "\x43\x00\x01\x01", "", "", ""},
		{"honeywell", "\x16\x54\x0d", "\x1b7,", "\x1b8,", ""},
		{"access-is", "\x16\x74\x0d", "\x16\x4d\x0dAISXXR0!", "\x16\x4d\x0dAISXXR1!", "\x16\x4d\x0dAISXXR2!"},
	} {
		d := profile.New(find(t, c.name), frame.Options{})
		say := func(f func(w *bytes.Buffer) error) string {
			var b bytes.Buffer
			if err := f(&b); err != nil {
				t.Error(err)
			}
			return b.String()
		}
		if got := say(func(w *bytes.Buffer) error { return d.Arm(w) }); got != c.arm {
			t.Errorf("%s is armed with % x", c.name, got)
		}
		for s, want := range map[devices.Signal]string{devices.Good: c.good, devices.Bad: c.bad, devices.Ignore: c.ignore, "other": ""} {
			if got := say(func(w *bytes.Buffer) error { return d.Signal(w, s) }); got != want {
				t.Errorf("%s, %s: %q", c.name, s, got)
			}
		}
	}
}

// push gives bytes without the silence behind them.
func push(d devices.Framer, pieces ...string) (scans []devices.Scan) {
	for _, p := range pieces {
		d.Push(start, []byte(p), func(s devices.Scan) { scans = append(scans, s) })
	}
	return scans
}

// Framed readers deliver with the last byte of the document, before any silence.
func TestLastByteIsEnough(t *testing.T) {
	for _, name := range profile.Names() {
		p := find(t, name)
		b := string(p.Encode(lines))
		got := push(profile.New(p, frame.Options{}), b)
		if name == "honeywell" {
			if len(got) != 0 {
				t.Errorf("%s has no end, and something was delivered", name)
			}
			continue
		}
		if len(got) != 1 || !slices.Equal(got[0].Lines, lines) {
			t.Errorf("%s: %d scans", name, len(got))
		}
	}
	// The length tells the end where no line end does, however it is cut.
	d := profile.New(find(t, "elyctis"), frame.Options{})
	message := "I\x00\x59" + line1 + "\r" + line2
	if got := push(d, message[:1], message[1:2], message[2:3], message[3:60], message[60:]); len(got) != 1 || !slices.Equal(got[0].Lines, lines) {
		t.Errorf("without a last line end: %d scans", len(got))
	}
}

func TestChecksums(t *testing.T) {
	p := find(t, "rte")
	good := string(p.Encode(lines))
	flip := func(at int) string {
		b := []byte(good)
		b[at] ^= 0x04
		return string(b)
	}
	end := len(good) - 1
	for _, c := range []struct {
		name, in string
		bad      uint64
		scans    int
	}{
		{"right", good, 0, 1},
		{"wrong", flip(end), 1, 1},
		{"wrong in the text", flip(60), 1, 1},
		{"none", good[:end] + good[:end], 0, 2},
		{"right after wrong", flip(end) + good, 1, 2},
		{"no message", "\x01\x02OU\x03A", 0, 0},
		{"cut off", good[:30] + good, 0, 1},
	} {
		d := profile.New(p, frame.Options{})
		complete := 0
		for _, s := range push(d, strings.Split(c.in, "")...) {
			if s.Status == devices.Complete {
				complete++
			}
		}
		if s := d.Stats(); s.BadSums != c.bad || complete != c.scans {
			t.Errorf("%s: %d bad sums, %d documents", c.name, s.BadSums, complete)
		}
	}
}

// FuzzDriver: whatever comes, the scans do not depend on how it is cut, and a
// document behind it is read.
func FuzzDriver(f *testing.F) {
	for i, c := range captures(f) {
		f.Add(c.Sent(), uint8(i), uint64(i))
	}
	names := profile.Names()
	f.Fuzz(func(t *testing.T, in []byte, which uint8, seed uint64) {
		p := find(t, names[int(which)%len(names)])
		a, b := profile.New(p, frame.Options{}), profile.New(p, frame.Options{})
		after := replay.Chunk{At: 2 * frame.DefaultGap, Bytes: p.Encode(lines)}
		chunks := []replay.Chunk{{Bytes: in}, after}
		want := told(t, play(a, chunks, whole))
		if got := told(t, play(b, chunks, random(rand.New(rand.NewPCG(seed, 2))))); got != want {
			t.Fatalf("cut: got\n%s\nwhole: got\n%s", got, want)
		}
		if a.Stats() != b.Stats() {
			t.Fatalf("counts %+v cut, %+v whole", b.Stats(), a.Stats())
		}
		if !strings.HasSuffix(want, told(t, []devices.Scan{{Status: devices.Complete, Lines: lines}})) {
			t.Fatalf("the document after it was lost:\n%s", want)
		}
	})
}
