package config

import (
	"encoding/hex"
	"fmt"
	"strings"

	"lintas/devices/serial"
)

// serialLine checks a serial line's settings, "9600 8N1", as the port will. Empty:
// those of the profile.
func serialLine(s string) string {
	if s == "" {
		return ""
	}
	if _, err := serial.ParseLine(s); err != nil {
		return err.Error()
	}
	return ""
}

// CheckLine says what is wrong with the settings of a serial line; "" if nothing
// is.
func CheckLine(s string) string { return serialLine(s) }

// maxArm is the longest command that makes a reader read.
const maxArm = 64

// armBytes checks bytes in hexadecimal, with or without blanks between them.
func armBytes(s string) string {
	if s == "" || s == "none" {
		return ""
	}
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil || len(b) == 0 || len(b) > maxArm {
		return fmt.Sprintf(`must be 1 to %d bytes in hexadecimal, like "43 00 01 01", or "none", not %s`, maxArm, quote(s))
	}
	return ""
}
