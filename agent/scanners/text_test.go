package scanners_test

import (
	"context"
	"io"
	"slices"
	"testing"
	"time"

	"lintas/agent/config"
	"lintas/agent/scanners"
	"lintas/devices"
	"lintas/devices/profile"
	"lintas/devices/replay"
)

// heard reads exactly so much of what was said to the scanner.
func heard(t *testing.T, p *replay.Port, n int) string {
	t.Helper()
	b := make([]byte, n)
	done := make(chan error, 1)
	go func() {
		_, err := io.ReadFull(p, b)
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(time.Minute):
		t.Fatalf("not %d bytes were said to the scanner", n)
	}
	return string(b)
}

// A reader on a real port is armed when it was opened and after each document, and
// beeps when it is told to: each profile with its own bytes.
func TestTextReaders(t *testing.T) {
	lines := []string{"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"}
	for _, c := range []struct{ profile, arm, says, good string }{
		{"elyctis", "", "C\x00\x01\x01", ""},
		{"honeywell", "", "\x16T\r", "\x1b7,"},
		{"honeywell", "none", "", "\x1b7,"},
		{"access-is", "", "\x16t\r", "\x16M\rAISXXR0!"},
		{"rte", "1b 45", "\x1bE", ""},
		{"cute", "", "", ""},
		{"cr100", "", "", ""},
		{"auto", "", "", ""},
	} {
		t.Run(c.profile+" "+c.arm, func(t *testing.T) {
			p, ok := profile.Find(c.profile)
			if !ok {
				t.Fatal("no such profile")
			}
			port, err := replay.NewPort()
			if err != nil {
				t.Fatal(err)
			}
			defer port.Close()
			r := scanners.New(config.Scanner{Name: "desk", Port: port.Path, Profile: c.profile, Arm: c.arm, Gap: 50 * time.Millisecond}, nil)
			if r.Line != p.Line {
				t.Errorf("its line is set to %q", r.Line)
			}
			ready := make(chan bool, 10)
			r.OnChange = func(s devices.State) {
				if s.Status == devices.Ready {
					ready <- true
				}
			}
			ctx, cancel := context.WithCancel(t.Context())
			out, done := make(chan devices.Scan), make(chan error, 1)
			go func() { done <- r.Run(ctx, out) }()
			defer func() {
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
			}()
			<-ready
			for range 2 {
				if got := heard(t, port, len(c.says)); got != c.says {
					t.Fatalf("armed with %q", got)
				}
				if _, err := port.Write(p.Encode(lines)); err != nil {
					t.Fatal(err)
				}
				if s := <-out; s.Status != devices.Complete || !slices.Equal(s.Lines, lines) {
					t.Fatalf("read %v", s)
				}
			}
			if got := heard(t, port, len(c.says)); got != c.says {
				t.Fatalf("armed with %q", got)
			}
			r.Signal(devices.Good)
			if got := heard(t, port, len(c.good)); got != c.good {
				t.Errorf("beeped with %q", got)
			}
		})
	}
}

func TestUnknownProfile(t *testing.T) {
	r := scanners.New(config.Scanner{Name: "desk", Port: "/dev/null", Profile: "none", Gap: time.Second}, nil)
	if _, err := r.Open(t.Context()); err == nil {
		t.Error("it was opened")
	}
}
