package profile_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lintas/devices"
	"lintas/devices/frame"
	"lintas/devices/profile"
	"lintas/devices/replay"
	"lintas/mrz"
)

var update = flag.Bool("update", false, "write the golden files anew")

var start = time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC)

// capture is one file of testdata.
type capture struct {
	name string
	*replay.Capture
}

func captures(t testing.TB) (list []capture) {
	t.Helper()
	names, err := filepath.Glob("testdata/*.swipe")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		c, err := replay.Read(f)
		f.Close()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if c.Personal != replay.NoPerson || c.MadeBy == "" || c.Reader == "" || c.Date == "" {
			t.Errorf("%s does not say where it comes from, or is not fit to be here", name)
		}
		list = append(list, capture{strings.TrimSuffix(filepath.Base(name), ".swipe"), c})
	}
	return list
}

// driver is the one that a capture's profile has.
func (c capture) driver(t testing.TB) *profile.Driver {
	t.Helper()
	p, ok := profile.Find(c.Profile)
	if !ok {
		t.Fatalf("%s: no profile %q", c.name, c.Profile)
	}
	return profile.New(p, frame.Options{})
}

// bursts are the capture's bytes between silences. Those within a burst come at
// the same time, so that it does not matter how they are cut.
func (c capture) bursts() (list []replay.Chunk) {
	var last time.Duration
	for _, k := range c.Chunks {
		if k.ToScanner {
			continue
		}
		if n := len(list); n > 0 && k.At-last < frame.DefaultGap {
			list[n-1].Bytes = append(list[n-1].Bytes, k.Bytes...)
		} else {
			list = append(list, replay.Chunk{At: k.At, Bytes: slices.Clone(k.Bytes)})
		}
		last = k.At
	}
	return list
}

// play gives the chunks to a framer and lets silences pass.
func play(f devices.Framer, chunks []replay.Chunk, cut func([]byte) [][]byte) (scans []devices.Scan) {
	emit := func(s devices.Scan) { scans = append(scans, s) }
	for _, k := range chunks {
		now := start.Add(k.At)
		if due, held := f.Deadline(); held && !now.Before(due) {
			f.Idle(due, emit)
		}
		for _, b := range cut(k.Bytes) {
			f.Push(now, b, emit)
		}
	}
	if due, held := f.Deadline(); held {
		f.Idle(due, emit)
	}
	return scans
}

func whole(b []byte) [][]byte { return [][]byte{b} }

func single(b []byte) (pieces [][]byte) {
	for i := range b {
		pieces = append(pieces, b[i:i+1])
	}
	return pieces
}

func random(r *rand.Rand) func([]byte) [][]byte {
	return func(b []byte) (pieces [][]byte) {
		for len(b) > 0 {
			n := 1 + r.IntN(min(len(b), 1+r.IntN(60)))
			pieces, b = append(pieces, b[:n]), b[n:]
		}
		return pieces
	}
}

// told is what scans say, without their times.
func told(t testing.TB, scans []devices.Scan) string {
	t.Helper()
	var b bytes.Buffer
	for _, s := range scans {
		line, err := json.Marshal(struct {
			Status devices.Status        `json:"status"`
			Lines  []string              `json:"lines"`
			Kind   string                `json:"kind,omitempty"`
			Pass   *devices.BoardingPass `json:"boarding_pass,omitempty"`
		}{s.Status, s.Lines, s.Kind, s.Pass})
		if err != nil {
			t.Fatal(err)
		}
		b.Write(bytes.ReplaceAll(line, []byte(`\u003c`), []byte("<")))
		b.WriteByte('\n')
	}
	return b.String()
}

func TestCaptures(t *testing.T) {
	for _, c := range captures(t) {
		t.Run(c.name, func(t *testing.T) {
			got := told(t, play(c.driver(t), c.Chunks, whole))
			golden := filepath.Join("testdata", c.name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			bursts := c.bursts()
			for name, cut := range map[string]func([]byte) [][]byte{"whole": whole, "byte by byte": single} {
				if got := told(t, play(c.driver(t), bursts, cut)); got != string(want) {
					t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
				}
			}
			for seed := range uint64(50) {
				if got := told(t, play(c.driver(t), bursts, random(rand.New(rand.NewPCG(seed, 4))))); got != string(want) {
					t.Fatalf("cut at random, seed %d: got\n%s\nwant\n%s", seed, got, want)
				}
			}
			// A framer that knows nothing of the reader finds the same documents, but
			// for lines that only their lengths keep apart.
			if c.name == "elyctis-lies" {
				return
			}
			auto, _ := profile.Find("auto")
			if got := complete(t, play(profile.New(auto, frame.Options{}), c.Chunks, whole)); got != complete(t, play(c.driver(t), c.Chunks, whole)) {
				t.Errorf("by content alone: got\n%s", got)
			}
		})
	}
}

func complete(t testing.TB, scans []devices.Scan) string {
	return told(t, slices.DeleteFunc(scans, func(s devices.Scan) bool { return s.Status == devices.Partial }))
}

// No profile without captures, and none of them without a document.
func TestEveryProfileHasACapture(t *testing.T) {
	documents := map[string]int{}
	for _, c := range captures(t) {
		for _, s := range play(c.driver(t), c.Chunks, whole) {
			if s.Status == devices.Complete && mrz.Parse(s.Lines, mrz.Date{}).Valid {
				documents[c.Profile]++
			}
		}
	}
	for _, name := range profile.Names() {
		if documents[name] < 10 {
			t.Errorf("the captures of %s hold %d valid documents", name, documents[name])
		}
	}
}

// identity is what check digits protect. A document without a valid zone has
// none.
func identity(s devices.Scan) string {
	if s.Status != devices.Complete {
		return ""
	}
	d := mrz.Parse(s.Lines, mrz.Date{})
	if !d.Valid || d.Format == mrz.CHDL {
		return ""
	}
	return strings.Join([]string{string(d.Format), d.IssuingState, d.DocumentNumber, d.DateOfBirth.String(), d.DateOfExpiry.String()}, " ")
}

// One to three flipped bits never make one traveller's document into another's,
// and never pair the lines of two.
func TestFlippedBits(t *testing.T) {
	all := captures(t)
	everybody := map[string]bool{} // in any capture
	owner := map[string]string{}   // line 2, or the number, to the name
	for _, c := range all {
		for _, s := range play(c.driver(t), c.Chunks, whole) {
			if id := identity(s); id != "" {
				everybody[id] = true
				owner[keyLine(s)] = mrz.Parse(s.Lines, mrz.Date{}).Name.Primary()
			}
		}
	}
	rounds := 2000
	if testing.Short() {
		rounds = 40
	}
	valid := 0
	for _, c := range all {
		here := map[string]bool{}
		for _, s := range play(c.driver(t), c.Chunks, whole) {
			here[identity(s)] = true
		}
		bursts := c.bursts()
		if c.name == "elyctis-lies" { // two halves that only one header keeps apart
			bursts = bursts[:len(bursts)-1]
		}
		for seed := range uint64(rounds) {
			r := rand.New(rand.NewPCG(seed, 5))
			flipped := make([]replay.Chunk, len(bursts))
			for i, k := range bursts {
				flipped[i] = replay.Chunk{At: k.At, Bytes: slices.Clone(k.Bytes)}
				for range 1 + r.IntN(3) {
					flipped[i].Bytes[r.IntN(len(k.Bytes))] ^= 1 << r.IntN(8)
				}
			}
			for _, s := range play(c.driver(t), flipped, whole) {
				id := identity(s)
				if id == "" {
					continue
				}
				valid++
				if everybody[id] && !here[id] {
					t.Fatalf("%s, seed %d: the document of another capture", c.name, seed)
				}
				name := mrz.Parse(s.Lines, mrz.Date{}).Name.Primary()
				was, known := owner[keyLine(s)]
				for _, other := range owner {
					if known && other != was && distance(other, name) <= 3 && distance(was, name) > 3 {
						t.Fatalf("%s, seed %d: %s has the number of %s", c.name, seed, name, was)
					}
				}
			}
		}
	}
	if valid < 10*rounds {
		t.Errorf("only %d valid documents: the test tests nothing", valid)
	}
}

// keyLine is the line with the number, and the next one of three.
func keyLine(s devices.Scan) string {
	if len(s.Lines) == 3 {
		return s.Lines[0] + s.Lines[1]
	}
	return s.Lines[1]
}

// distance is how many characters differ.
func distance(a, b string) (n int) {
	if len(a) < len(b) {
		a, b = b, a
	}
	for i := range a {
		if i >= len(b) || a[i] != b[i] {
			n++
		}
	}
	return n
}
