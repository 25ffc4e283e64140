package serial_test

import (
	"strings"
	"testing"

	"lintas/devices/serial"
)

func TestParseLine(t *testing.T) {
	for _, c := range []struct {
		in   string
		want serial.Options
		line string
	}{
		{"9600 8N1", serial.Options{Baud: 9600, DataBits: 8, Parity: serial.None, StopBits: 1}, "9600 8N1"},
		{"115200", serial.Options{Baud: 115200, DataBits: 8, Parity: serial.None, StopBits: 1}, "115200 8N1"},
		{" 19200   7e2 ", serial.Options{Baud: 19200, DataBits: 7, Parity: serial.Even, StopBits: 2}, "19200 7E2"},
		{"300 7O1", serial.Options{Baud: 300, DataBits: 7, Parity: serial.Odd, StopBits: 1}, "300 7O1"},
	} {
		got, err := serial.ParseLine(c.in)
		if err != nil || got != c.want {
			t.Errorf("%q: got %+v, %v", c.in, got, err)
		}
		if got.Line() != c.line {
			t.Errorf("%q is written %q, want %q", c.in, got.Line(), c.line)
		}
		if again, err := serial.ParseLine(got.Line()); err != nil || again != got {
			t.Errorf("%q read again: %+v, %v", got.Line(), again, err)
		}
	}
	if got := (serial.Options{}).Line(); got != "9600 8N1" {
		t.Errorf("the default is %q", got)
	}
}

func TestParseLineErrors(t *testing.T) {
	for _, c := range []struct{ in, says string }{
		{"", "empty"},
		{"  ", "empty"},
		{"8N1", `"8N1" is no speed`},
		{"9601 8N1", "speed 9601"},
		{"0 8N1", "no speed"},
		{"-9600 8N1", "speed -9600"},
		{"99999999999999999999 8N1", "no speed"},
		{"9600 8N", "data bits, parity and stop bits"},
		{"9600 8N1.5", "data bits, parity and stop bits"},
		{"9600 8 N 1", "more than two words"},
		{"9600 9N1", "data bits must be"},
		{"9600 6N1", "data bits must be"},
		{"9600 0N1", "0 bits"},
		{"9600 8M1", "parity must be"},
		{"9600 8N3", "stop bits must be"},
		{"9600 8N0", "0 bits"},
		{"9600 8é", "parity must be"},
	} {
		_, err := serial.ParseLine(c.in)
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), `write it like "9600 8N1"`) {
			t.Errorf("%q: got %v, want %q", c.in, err, c.says)
		}
	}
}
