package wedge

import (
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// inputs is where the kernel describes its input devices. Tests replace it.
var inputs = "/sys/class/input"

// The buses of linux/input.h on which scanners come.
const (
	busUSB       = 0x03
	busBluetooth = 0x05
	busVirtual   = 0x06
)

// errOfficers: the keyboard seems to be the officer's.
var errOfficers = errors.New("it seems to be the keyboard that the officer types on")

// leave fails if a keyboard seems to be the officer's: if it is built in, or if
// there is no other on which somebody could type. It looks only at what the
// kernel says of the devices and opens none.
func leave(path string) error {
	node := filepath.Base(path)
	if bus, known := bus(node); known && bus != busUSB && bus != busBluetooth && bus != busVirtual {
		return errOfficers
	}
	nodes, err := filepath.Glob(filepath.Join(inputs, "event*"))
	if err != nil || len(nodes) == 0 {
		return nil // nothing is known; the officer would have noticed
	}
	for _, other := range nodes {
		if name := filepath.Base(other); name != node && typesAt(name) {
			return nil
		}
	}
	return errOfficers
}

func bus(node string) (int64, bool) {
	b, err := os.ReadFile(filepath.Join(inputs, node, "device/id/bustype"))
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 16, 32)
	return n, err == nil
}

// typesAt says whether an input device is a whole keyboard. The kernel writes
// the set of its keys as words of 64 bits, the highest first.
func typesAt(node string) bool {
	b, err := os.ReadFile(filepath.Join(inputs, node, "device/capabilities/key"))
	if err != nil {
		return false
	}
	var all big.Int
	for _, word := range strings.Fields(string(b)) {
		n, err := strconv.ParseUint(word, 16, 64)
		if err != nil {
			return false
		}
		all.Lsh(&all, 64).Or(&all, new(big.Int).SetUint64(n))
	}
	var keys keySet
	for key := range uint16(keyMax) {
		if all.Bit(int(key)) != 0 {
			keys[key/8] |= 1 << (key % 8)
		}
	}
	return keys.types()
}
