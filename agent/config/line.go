package config

import "lintas/devices/serial"

// serialLine checks a serial line's settings, "9600 8N1", as the port will.
func serialLine(s string) string {
	if _, err := serial.ParseLine(s); err != nil {
		return err.Error()
	}
	return ""
}
