package wedge_test

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
	"lintas/devices/wedge"
)

var update = flag.Bool("update", false, "write the golden files anew")

// captures are those of testdata, as the typist makes them with -update. They
// stand in files so that other programs can be tried with them.
var captures = map[string]func() *typist{
	"us": func() *typist { return bare("us").types(swipe(td3a, td3b)) },
	"de": func() *typist { return bare("de").types(swipe(idna, idnb)) },
	"fr": func() *typist { return bare("fr").types(swipe(td1a, td1b, td1c)) },
	"undecided": func() *typist {
		y := bare("de")
		y.keypad, y.alt = true, true
		return y.types(swipe(idna, idnb))
	},
	"rough": func() *typist {
		y := bare("us").types(td3a + "\r" + td3b[:9])
		y.event(0, 3, 0)
		y.types(td3b[14:] + "\r").rests(time.Second).types("%B4111111111111111?\r").press(capsKey)
		y.types(swipe(td3a, td3b)).rests(time.Second)
		y.pause = 120 * time.Millisecond
		return y.types("HELLO\r")
	},
}

func bare(layout string) *typist {
	y := newTypist(layout)
	y.bare = true
	return y
}

func TestCaptures(t *testing.T) {
	for name, typed := range captures {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", name+".swipe")
			if *update {
				write(t, path, typed().records)
			}
			file, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			capture, err := replay.Read(file)
			if err != nil {
				t.Fatal(err)
			}
			records := capture.Sent()
			f := newFramer(wedge.Auto)
			got := golden(t, read(f, records))
			path = filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(path, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("whole: got\n%swant\n%s", got, want)
			}
			if got := golden(t, read(newFramer(wedge.Auto), records, 1)); !bytes.Equal(got, want) {
				t.Errorf("byte by byte: got\n%swant\n%s", got, want)
			}
			random := rand.New(rand.NewPCG(3, 4))
			for range 20 {
				var pieces []int
				for range 100 {
					pieces = append(pieces, 1+random.IntN(300))
				}
				if got := golden(t, read(newFramer(wedge.Auto), records, pieces...)); !bytes.Equal(got, want) {
					t.Errorf("in pieces of %v: got\n%swant\n%s", pieces, got, want)
				}
			}
		})
	}
}

func golden(t *testing.T, scans []devices.Scan) (b []byte) {
	t.Helper()
	for _, s := range scans {
		var line bytes.Buffer
		e := json.NewEncoder(&line)
		e.SetEscapeHTML(false)
		if err := e.Encode(struct {
			Status devices.Status `json:"status"`
			Lines  []string       `json:"lines"`
		}{s.Status, s.Lines}); err != nil {
			t.Fatal(err)
		}
		b = append(b, line.Bytes()...)
	}
	return b
}

// write writes a capture, a line for each report of the keyboard.
func write(t *testing.T, path string, records []byte) {
	t.Helper()
	var text strings.Builder
	w, err := replay.NewWriter(&text, replay.Header{
		MadeBy: "the typist of this package's tests", Reader: "none: struct input_event of 64 bits, little-endian", Profile: "keyboard",
		Date: "2026-11-26", Personal: replay.NoPerson,
	})
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Duration(-1)
	for at := 0; at < len(records); {
		end := at
		for records[end+16] != 0 { // up to EV_SYN
			end += 24
		}
		end += 24
		now := time.Duration(uint64(records[at])|uint64(records[at+1])<<8)*time.Second + time.Duration(uint64(records[at+8])|uint64(records[at+9])<<8|uint64(records[at+10])<<16)*time.Microsecond
		if begun < 0 {
			begun = now
		}
		if err := w.Write(replay.Chunk{At: now - begun, Bytes: records[at:end]}); err != nil {
			t.Fatal(err)
		}
		at = end
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}
