package config

import (
	"cmp"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A check says what is wrong with a value and what to do, or nothing.

// shape is a regular expression and what it means in words.
type shape struct {
	*regexp.Regexp
	words string
}

func form(f shape) func(string) string {
	return func(s string) string {
		if f.MatchString(s) {
			return ""
		}
		wrong := fmt.Sprintf("must be %s, not %s", f.words, quote(s))
		if upper := strings.ToUpper(s); f.MatchString(upper) {
			wrong += fmt.Sprintf("; write %s", quote(upper))
		}
		return wrong
	}
}

func oneOf(allowed ...string) func(string) string {
	return func(s string) string {
		if slices.Contains(allowed, s) {
			return ""
		}
		quoted := make([]string, len(allowed))
		for i, a := range allowed {
			quoted[i] = strconv.Quote(a)
		}
		last := len(quoted) - 1
		wrong := fmt.Sprintf("must be %s or %s, not %s", strings.Join(quoted[:last], ", "), quoted[last], quote(s))
		if meant := nearest(s, allowed); meant != "" {
			wrong += fmt.Sprintf("; did you mean %q?", meant)
		}
		return wrong
	}
}

func between[T cmp.Ordered](low, high T) func(T) string {
	return func(got T) string {
		if low <= got && got <= high {
			return ""
		}
		return fmt.Sprintf("must be between %s and %s, not %s", written(low), written(high), written(got))
	}
}

func wholeSeconds(d time.Duration) string {
	if d%time.Second == 0 {
		return ""
	}
	return fmt.Sprintf("must be whole seconds, not %s", written(d))
}

func notEmpty(s string) string {
	if s == "" {
		return "must not be empty"
	}
	return ""
}

func atMost(n int) func(string) string {
	return func(s string) string {
		if len(s) <= n {
			return ""
		}
		return fmt.Sprintf("must be at most %d bytes, not %d", n, len(s))
	}
}

func absolute(s string) string {
	if filepath.IsAbs(s) {
		return ""
	}
	return fmt.Sprintf("must be an absolute path, like /dev/serial/by-id/…, not %s", quote(s))
}

func absoluteOrNone(s string) string {
	if s == "" {
		return ""
	}
	return absolute(s)
}

// usbPort is a device named by maker, model and, where it has one, serial number.
var usbPort = regexp.MustCompile(`^usb:[0-9A-Fa-f]{4}:[0-9A-Fa-f]{4}(:[!-~]{1,64})?$`)

func devicePort(s string) string {
	if filepath.IsAbs(s) || usbPort.MatchString(s) {
		return ""
	}
	return fmt.Sprintf("must be an absolute path, like /dev/serial/by-id/…, or usb:VID:PID or usb:VID:PID:SERIAL, not %s", quote(s))
}

// written is a value as one would write it in the file: "10m", not "10m0s".
func written(v any) string {
	d, ok := v.(time.Duration)
	if !ok {
		return fmt.Sprint(v)
	}
	if d != 0 && d%day == 0 {
		return strconv.Itoa(int(d/day)) + "d"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// quote repeats what somebody wrote, not all of it if it is long.
func quote(s string) string {
	const most = 40
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "…"
	}
	return strconv.Quote(s)
}
