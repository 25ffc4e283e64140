package hidpos_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lintas/devices"
	"lintas/devices/replay"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestCaptures reads testdata, which the makers of these tests have sent: each a
// passport, a barcode, an identity card in a message a line, half a message, and a
// passport.
func TestCaptures(t *testing.T) {
	for _, m := range makers {
		t.Run(m.name, func(t *testing.T) {
			path := filepath.Join("testdata", strings.ReplaceAll(m.name, " ", "-"))
			if *update {
				var text strings.Builder
				w, err := replay.NewWriter(&text, replay.Header{
					MadeBy: "this package's tests", Reader: "none: " + m.name, Profile: "hid-pos", Date: "2026-11-26", Personal: replay.NoPerson,
				})
				if err != nil {
					t.Fatal(err)
				}
				half := m.reports("]o1", swipe(td3a, td3b))
				for i, b := range [][]byte{
					m.begin(), m.message("]o1", swipe(td3a, td3b)), m.message("]L0", "4006381333931"),
					bytes.Join([][]byte{m.message("]o1", td1a), m.message("]o1", td1b), m.message("]o1", td1c)}, nil),
					record('R', half[0]),
					m.message("]o1", swipe(td3a, td3b)),
				} {
					if err := w.Write(replay.Chunk{At: time.Duration(i) * time.Second, Bytes: b}); err != nil {
						t.Fatal(err)
					}
				}
				if err := os.WriteFile(path+".swipe", []byte(text.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			file, err := os.Open(path + ".swipe")
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			capture, err := replay.Read(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, capture, func(b []byte) int { return len(b) })
			if *update {
				if err := os.WriteFile(path+".golden", got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path + ".golden")
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("whole: got\n%swant\n%s", got, want)
			}
			if got := play(t, capture, func([]byte) int { return 1 }); !bytes.Equal(got, want) {
				t.Errorf("byte by byte: got\n%swant\n%s", got, want)
			}
			random := rand.New(rand.NewPCG(5, 6))
			for range 20 {
				if got := play(t, capture, func(b []byte) int { return 1 + random.IntN(len(b)) }); !bytes.Equal(got, want) {
					t.Errorf("in pieces: got\n%swant\n%s", got, want)
				}
			}
		})
	}
}

// play gives a capture to a framer, with its times, in pieces.
func play(t *testing.T, c *replay.Capture, piece func([]byte) int) (b []byte) {
	t.Helper()
	f := newFramer()
	emit := func(s devices.Scan) {
		var line bytes.Buffer
		e := json.NewEncoder(&line)
		e.SetEscapeHTML(false)
		if err := e.Encode(struct {
			Status devices.Status `json:"status"`
			Kind   string         `json:"kind,omitempty"`
			Lines  []string       `json:"lines"`
		}{s.Status, s.Kind, s.Lines}); err != nil {
			t.Fatal(err)
		}
		b = append(b, line.Bytes()...)
	}
	for _, k := range c.Chunks {
		now := start.Add(k.At)
		if due, held := f.Deadline(); held && !now.Before(due) {
			f.Idle(due, emit)
		}
		for rest := k.Bytes; len(rest) > 0; {
			n := piece(rest)
			f.Push(now, rest[:n], emit)
			rest = rest[n:]
		}
	}
	if due, held := f.Deadline(); held {
		f.Idle(due, emit)
	}
	return b
}
