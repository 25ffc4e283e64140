package config

import (
	"fmt"
	"regexp"
	"slices"
)

var (
	lineForm = regexp.MustCompile(`^([0-9]+) [5-8][NEO][12]$`)
	speeds   = []string{"300", "600", "1200", "2400", "4800", "9600", "19200", "38400", "57600", "115200", "230400"}
)

// serialLine checks a serial line's settings, "9600 8N1".
func serialLine(s string) string {
	found := lineForm.FindStringSubmatch(s)
	switch {
	case found == nil:
		return fmt.Sprintf(`must be speed, data bits, parity (N, E, O) and stop bits, like "9600 8N1", not %s`, quote(s))
	case !slices.Contains(speeds, found[1]):
		return fmt.Sprintf("%s is no usual speed; see the reader's manual, most have 9600 or 115200", found[1])
	}
	return ""
}
