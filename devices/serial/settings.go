package serial

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Parity is the parity bit of a line, as it is written: 'N', 'E' or 'O'.
type Parity byte

const (
	None Parity = 'N'
	Even Parity = 'E'
	Odd  Parity = 'O'
)

// bauds are the speeds that a line can have.
var bauds = []int{300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600}

// ParseLine reads the settings of a line as they stand on scanners and in the
// configuration: speed, then data bits, parity and stop bits, "9600 8N1". The
// latter may be left out. Port is empty in what it returns.
func ParseLine(s string) (Options, error) {
	fail := func(reason string) (Options, error) {
		return Options{}, fmt.Errorf("cannot use line %q: %s; write it like \"9600 8N1\"", s, reason)
	}
	words := strings.Fields(s)
	if len(words) == 0 {
		return fail("it is empty")
	}
	if len(words) > 2 {
		return fail("it has more than two words")
	}
	var o Options
	var err error
	if o.Baud, err = strconv.Atoi(words[0]); err != nil || o.Baud == 0 {
		return fail(fmt.Sprintf("%q is no speed", words[0]))
	}
	if len(words) == 2 {
		format := strings.ToUpper(words[1])
		if len(format) != 3 {
			return fail(fmt.Sprintf("%q is not data bits, parity and stop bits", words[1]))
		}
		o.DataBits, o.Parity, o.StopBits = int(format[0])-'0', Parity(format[1]), int(format[2])-'0'
		if o.DataBits == 0 || o.StopBits == 0 {
			return fail("0 bits")
		}
	}
	o = o.withDefaults()
	if err := o.checkLine(); err != nil {
		return fail(err.Error())
	}
	return o, nil
}

// Line writes the settings as ParseLine reads them.
func (o Options) Line() string {
	o = o.withDefaults()
	return fmt.Sprintf("%d %d%c%d", o.Baud, o.DataBits, o.Parity, o.StopBits)
}

func (o Options) withDefaults() Options {
	if o.Baud == 0 {
		o.Baud = 9600
	}
	if o.DataBits == 0 {
		o.DataBits = 8
	}
	if o.Parity == 0 {
		o.Parity = None
	}
	if o.StopBits == 0 {
		o.StopBits = 1
	}
	return o
}

func (o Options) check() error {
	if o.Port == "" {
		return errors.New("no port is named; set it to the scanner's device, such as /dev/serial/by-id/usb-…")
	}
	if err := o.checkLine(); err != nil {
		return fmt.Errorf("%w; set the line as the scanner's manual says", err)
	}
	return nil
}

// checkLine takes defaults for given.
func (o Options) checkLine() error {
	switch {
	case !slices.Contains(bauds, o.Baud):
		known := strings.Trim(fmt.Sprint(bauds), "[]")
		return fmt.Errorf("no line has the speed %d, only %s", o.Baud, known)
	case o.DataBits != 7 && o.DataBits != 8:
		return errors.New("data bits must be 7 or 8")
	case o.Parity != None && o.Parity != Even && o.Parity != Odd:
		return errors.New("parity must be N, E or O")
	case o.StopBits != 1 && o.StopBits != 2:
		return errors.New("stop bits must be 1 or 2")
	}
	return nil
}
