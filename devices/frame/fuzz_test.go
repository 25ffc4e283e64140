package frame_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"lintas/devices"
	"lintas/devices/frame"
)

// FuzzFramer frames any bytes, whole and cut at random, and checks what every
// scan promises.
func FuzzFramer(f *testing.F) {
	for i, c := range cases {
		f.Add([]byte(c.in), uint64(i))
	}
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) {
		whole, cut := frame.New(frame.Options{}), frame.New(frame.Options{})
		want := run(whole, string(in))
		got := run(cut, pieces(rand.New(rand.NewPCG(seed, 1)), string(in))...)
		if !same(got, want) {
			t.Fatalf("cut: got%s\nwhole: got%s", show(got), show(want))
		}
		if a, b := whole.Stats(), cut.Stats(); a != b {
			t.Fatalf("stats %+v cut, %+v whole", b, a)
		}
		s := whole.Stats()
		if s.Bytes != uint64(len(in)) || s.Noise > s.Bytes || s.Complete+s.Partial+s.Passes+s.Barcodes != uint64(len(want)) {
			t.Fatalf("stats %+v for %d bytes and %d scans", s, len(in), len(want))
		}
		for _, s := range want {
			check(t, in, s)
		}
	})
}

// unreadAs is what becomes of the marks for characters that could not be read.
var unreadAs = strings.NewReplacer("*", "_", "?", "_")

func check(t *testing.T, in []byte, s devices.Scan) {
	t.Helper()
	switch s.Status {
	case devices.Pass:
		if len(s.Lines) != 0 || s.Pass == nil || len(s.Pass.Legs) == 0 || len(s.Pass.Legs) > 4 {
			t.Fatalf("boarding pass %+v with lines %q", s.Pass, s.Lines)
		}
		return
	case devices.Barcode:
		if len(s.Lines) != 0 || s.Kind == "" {
			t.Fatalf("barcode %q with lines %q", s.Kind, s.Lines)
		}
		return
	}
	if len(s.Lines) == 0 || len(s.Lines) > 3 {
		t.Fatalf("%d lines", len(s.Lines))
	}
	for _, l := range s.Lines {
		if strings.Trim(l, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<_") != "" {
			t.Fatalf("line %q has other characters", l)
		}
		if !strings.Contains(unreadAs.Replace(string(in)), l) {
			t.Fatalf("line %q was not in the input", l)
		}
		if len(l) >= 12 && strings.Trim(l, "0123456789") == "" {
			t.Fatalf("line %q could be a card number", l)
		}
	}
	if s.Status == devices.Partial {
		return
	}
	want := map[int]int{44: 2, 36: 2, 30: 3, 9: 3}[len(s.Lines[0])]
	if s.Status != devices.Complete || len(s.Lines) != want {
		t.Fatalf("status %q with %d lines of %d", s.Status, len(s.Lines), len(s.Lines[0]))
	}
	for i, l := range s.Lines {
		if len(s.Lines[0]) == 9 {
			if i > 0 && len(l) != 30 {
				t.Fatalf("a licence with lines %q", s.Lines)
			}
			continue
		}
		if len(l) != len(s.Lines[0]) || strings.Count(l, "_") > 4 {
			t.Fatalf("complete with lines %q", s.Lines)
		}
	}
}
