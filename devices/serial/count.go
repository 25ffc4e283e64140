package serial

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"lintas/devices"
)

// counters is the kernel's struct serial_icounter_struct (linux/serial.h).
type counters struct {
	cts, dsr, rng, dcd                 int32
	rx, tx                             int32
	frame, overrun, parity, brk, bufOv int32
	_                                  [9]int32
}

// LineErrors gives what the driver has counted since the machine was started or
// the port was plugged in. A port that does not count, such as a pseudo-terminal,
// gives an error.
func (p *port) LineErrors() (devices.LineErrors, error) {
	var c counters
	err := p.control(func(fd int) error {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCGICOUNT, uintptr(unsafe.Pointer(&c)))
		if errno != 0 {
			return errno
		}
		return nil
	})
	if err != nil {
		return devices.LineErrors{}, fmt.Errorf("serial port %q does not count: %w", p.name, err)
	}
	return devices.LineErrors{
		Framing: uint32(c.frame), Parity: uint32(c.parity), Overrun: uint32(c.overrun) + uint32(c.bufOv),
	}, nil
}
