package hidpos

import (
	"os"

	"lintas/devices"
)

// FromFile is what Open gives, on a file that is not a hidraw device.
func FromFile(name string, file *os.File, descriptor []byte) (devices.Source, error) {
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, err
	}
	return newSource(name, file, raw, descriptor), nil
}
