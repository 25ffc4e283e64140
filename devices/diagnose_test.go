package devices_test

import (
	"context"
	"math/bits"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lintas/devices"
)

// seven is how text looks that a reader sends with 7 bits and parity to a port
// with 8.
func seven(text string, odd int) string {
	b := []byte(text)
	for i, c := range b {
		if bits.OnesCount8(c)&1 != odd {
			b[i] = c | 0x80
		}
	}
	return string(b)
}

// noise is what a wrong speed makes of text.
func noise(n int) string {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(r.UintN(256))
	}
	return string(b)
}

func TestDiagnosis(t *testing.T) {
	track := "%B4000000000000000^DOE/JOHN^2512101?\r"
	half := line1 + "\r"
	for _, c := range []struct {
		name, line string
		sends      []string
		code       string // "" for nothing
		says       []string
	}{
		{"good", "9600 8N1", []string{swipe, swipe}, "", nil},
		{"7E1", "9600 8N1", []string{seven(swipe, 0)}, devices.WrongParity, []string{" of 90 bytes had bit 7 set", `line = "9600 7E1"`}},
		{"7O1", "115200 8N1", []string{seven(swipe, 1)}, devices.WrongParity, []string{" of 90 bytes had bit 7 set", `line = "115200 7O1"`}},
		{"7E1 and the port is", "9600 7E1", []string{swipe}, "", nil},
		{"wrong speed", "9600 8N1", []string{noise(70), noise(90)}, devices.WrongSpeed, []string{"speed is not 9600"}},
		{"noise once, as when a plug is touched", "9600 8N1", []string{noise(300)}, "", nil},
		{"noise on what is no line", "", []string{noise(200)}, "", nil},
		{"too little to tell", "9600 8N1", []string{noise(20)}, "", nil},
		{"mended", "9600 8N1", []string{noise(200), swipe}, "", nil},
		{"three halves", "9600 8N1", []string{half, half, half}, devices.Dirty, []string{"3 documents in a row", "glass"}},
		{"two halves", "9600 8N1", []string{half, half}, "", nil},
		{"two halves, one whole, one half", "9600 8N1", []string{half, half, swipe, half}, "", nil},
		{"cards only", "9600 8N1", []string{track, track, track}, devices.TracksOnly, []string{"OCR"}},
		{"cards between documents", "9600 8N1", []string{swipe, track, track, track}, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				src := newFake()
				r := &devices.Reader{Open: opens(errAbsent, src), Framer: newFramer, Line: c.line}
				got := statuses(r)
				start(t, r, make(chan devices.Scan, 100))
				synctest.Wait()
				for _, b := range c.sends {
					src.send(b)
					time.Sleep(2 * time.Second)
				}
				synctest.Wait()
				s := r.State()
				var found []devices.Diagnosis
				for _, d := range r.Diagnose() {
					if d.Mending {
						found = append(found, d)
					}
					if d.ID == "" || d.EN == "" {
						t.Errorf("%s lacks words", d.Code)
					}
					if w := leaks(d.ID + d.EN); w != "" {
						t.Errorf("it tells what was read: %s", d.EN)
					}
				}
				if c.code == "" {
					if s.Status != devices.Ready || s.Code != "" || len(found) > 0 {
						t.Errorf("state %+v, %+v; want nothing wrong", s, found)
					}
					return
				}
				if s.Status != devices.Degraded || s.Code != c.code || !s.Status.Up() {
					t.Errorf("state is %+v, want %s", s, c.code)
				}
				if len(found) != 1 || found[0].Code != c.code {
					t.Fatalf("found %+v, want %s", found, c.code)
				}
				for _, word := range c.says {
					if !strings.Contains(s.Reason, word) {
						t.Errorf("%q does not say %q", s.Reason, word)
					}
				}
				t.Log(found[0].EN)
				t.Log(found[0].ID)

				// One good document, and all is well again.
				src.send(swipe)
				time.Sleep(time.Second)
				synctest.Wait()
				if s := r.State(); s.Status != devices.Ready || s.Reason != "" {
					t.Errorf("after a good document: %+v", s)
				}
				if n := count(*got, devices.Degraded); n != 1 {
					t.Errorf("told %d times: %v", n, *got)
				}
			})
		})
	}
}

// A scanner that reads boarding passes well is set as it should be, whatever else it
// sends; whether its glass is clean they do not tell.
func TestOtherScans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFake()
		r := &devices.Reader{Open: opens(errAbsent, src), Line: "9600 8N1", Framer: func() devices.Framer { return passes{newFramer()} }}
		start(t, r, make(chan devices.Scan, 100))
		synctest.Wait()
		for range 10 {
			src.send(noise(200) + "pass")
			time.Sleep(2 * time.Second)
		}
		synctest.Wait()
		if s := r.State(); s.Status != devices.Ready {
			t.Errorf("state is %+v", s)
		}
		for range 3 {
			src.send(line1 + "\r")
			time.Sleep(2 * time.Second)
			src.send("pass")
			time.Sleep(2 * time.Second)
		}
		synctest.Wait()
		if s := r.State(); s.Code != devices.Dirty {
			t.Errorf("state is %+v", s)
		}
	})
}

// passes is a framer that also knows boarding passes.
type passes struct{ devices.Framer }

func (p passes) Push(now time.Time, b []byte, emit func(devices.Scan)) {
	if strings.HasSuffix(string(b), "pass") {
		emit(devices.Scan{Status: devices.Pass, First: now, Last: now})
	}
	p.Framer.Push(now, b, emit)
}

// Partial scans far apart are bad luck, not dirt.
func TestPartialsFarApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFake()
		r := &devices.Reader{Open: opens(errAbsent, src), Framer: newFramer}
		start(t, r, make(chan devices.Scan, 100))
		for range 20 {
			src.send(line1 + "\r")
			time.Sleep(6 * time.Minute)
		}
		synctest.Wait()
		if s := r.State(); s.Status != devices.Ready {
			t.Errorf("state is %+v", s)
		}
	})
}

func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFake()
		r := &devices.Reader{Open: opens(errAbsent, src), Framer: newFramer}
		start(t, r, make(chan devices.Scan, 100))
		time.Sleep(71 * time.Hour)
		if d := r.Diagnose(); len(d) > 0 {
			t.Errorf("after a weekend: %+v", d)
		}
		time.Sleep(50 * time.Hour)
		d := r.Diagnose()
		if len(d) != 1 || d[0].Code != devices.Silent || d[0].Mending || !strings.Contains(d[0].EN, "5 days") {
			t.Errorf("after five days: %+v", d)
		}
		if s := r.State(); s.Status != devices.Ready {
			t.Errorf("state is %+v", s)
		}
		src.send(swipe)
		synctest.Wait()
		if d := r.Diagnose(); len(d) > 0 {
			t.Errorf("after a swipe: %+v", d)
		}
	})
}

// counting is a source whose driver counts broken characters.
type counting struct {
	*fakeSource
	errors *devices.LineErrors
}

func (c counting) LineErrors() (devices.LineErrors, error) { return *c.errors, nil }

// A port that is set to parity leaves out what comes with another; only its driver
// knows that something came.
func TestBrokenCharacters(t *testing.T) {
	for _, c := range []struct {
		name string
		errs devices.LineErrors
		code string
		says string
	}{
		{"none", devices.LineErrors{}, "", ""},
		{"one in a while", devices.LineErrors{Framing: 1, Parity: 2}, "", ""},
		{"parity", devices.LineErrors{Parity: 44}, devices.WrongParity, "44 characters came broken, 46 whole"},
		{"speed", devices.LineErrors{Framing: 30, Parity: 14}, devices.WrongSpeed, "speed is not that of 9600 7E1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				errs := devices.LineErrors{Framing: 4_000_000_000, Parity: 4_000_000_000} // from the weeks before
				src := counting{newFake(), &errs}
				opened := false
				open := func(context.Context) (devices.Source, error) {
					if opened {
						return nil, errAbsent
					}
					opened = true
					return src, nil
				}
				r := &devices.Reader{Open: open, Framer: newFramer, Line: "9600 7E1"}
				stop := start(t, r, make(chan devices.Scan, 100))
				synctest.Wait()
				errs.Framing += c.errs.Framing
				errs.Parity += c.errs.Parity
				src.send(swipe[44:])
				time.Sleep(time.Second)
				synctest.Wait()
				s := r.State()
				if s.Code != c.code || !strings.Contains(s.Reason, c.says) {
					t.Errorf("state is %+v, want %s", s, c.code)
				}
				src.send(swipe)
				time.Sleep(time.Second)
				synctest.Wait()
				if s := r.State(); s.Code != "" {
					t.Errorf("after a good document: %+v", s)
				}
				stop()
			})
		})
	}
}

func TestOtherText(t *testing.T) {
	now := time.Now()
	e := devices.Evidence{
		Line: "9600 8N1", Heard: now, Now: now, Bursts: 2,
		Stats: devices.Stats{Bytes: 500, Noise: 400},
		Wire:  devices.Wire{Bytes: 500, Even: 250, Text: 500},
	}
	d := devices.Diagnose(e)
	if len(d) != 1 || d[0].Code != devices.OtherText || d[0].Mending || !strings.Contains(d[0].EN, "400 bytes of text") {
		t.Errorf("found %+v", d)
	}
	e.Stats.Noise = 100
	if d := devices.Diagnose(e); len(d) > 0 {
		t.Errorf("found %+v", d)
	}
}
