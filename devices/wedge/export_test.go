package wedge

import (
	"os"

	"lintas/devices"
)

// FromFile is what Open gives, on a file that is not a keyboard.
func FromFile(name string, file *os.File) (devices.Source, error) {
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, err
	}
	return newSource(name, file, raw), nil
}

// Leave is the look at the other keyboards, with another folder for the kernel's.
func Leave(root, path string) error {
	if err := leave(root, path); err != nil {
		return explain(path, err)
	}
	return nil
}
