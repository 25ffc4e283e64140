package replay_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"lintas/devices"
	"lintas/devices/replay"
	"lintas/devices/serial"
)

// The port opens as a scanner's does, carries every byte both ways and can be
// pulled out.
func TestPort(t *testing.T) {
	p, err := replay.NewPort()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	src, err := serial.Open(context.Background(), serial.Options{Port: p.Path})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	if _, err := p.Write(all); err != nil {
		t.Fatal(err)
	}
	var got []byte
	buf := make([]byte, 512)
	for len(got) < len(all) {
		n, err := src.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, buf[:n]...)
	}
	if string(got) != string(all) {
		t.Errorf("got % x", got)
	}
	if _, err := src.Write([]byte("C\x00\x01\x01")); err != nil {
		t.Fatal(err)
	}
	if n, err := p.Read(buf); err != nil || string(buf[:n]) != "C\x00\x01\x01" {
		t.Errorf("the scanner heard %q, %v", buf[:n], err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := src.Read(buf); !errors.Is(err, devices.ErrUnplugged) {
		t.Errorf("pulled out, and the reader got %v", err)
	}
}

// Who opens the port is heard, and waiting for it can be ended.
func TestEar(t *testing.T) {
	p, err := replay.NewPort()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	ear, err := p.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer ear.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := ear.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nobody opened it, and Wait says %v", err)
	}
	if ear, err = p.Listen(); err != nil {
		t.Fatal(err)
	}
	defer ear.Close()
	src, err := serial.Open(t.Context(), serial.Options{Port: p.Path})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if err := ear.Wait(t.Context()); err != nil {
		t.Errorf("it was opened, and Wait says %v", err)
	}
	if err := p.Drain(t.Context()); err != nil {
		t.Error(err)
	}
}

// A port that nobody reads takes what it can hold and then says so.
func TestUnheard(t *testing.T) {
	p, err := replay.NewPort()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	n, err := p.Write(make([]byte, 1<<20))
	if !errors.Is(err, replay.ErrUnheard) || n == 0 || n == 1<<20 {
		t.Errorf("%d bytes, %v", n, err)
	}
}
