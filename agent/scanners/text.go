package scanners

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"lintas/agent/config"
	"lintas/devices"
	"lintas/devices/frame"
	"lintas/devices/profile"
)

// text sets up the reader of a scanner that sends text over a serial line, and the
// line if the configuration leaves it open. False: the profile is of another kind.
func text(r *devices.Reader, s *config.Scanner) bool {
	p, ok := profile.Find(s.Profile)
	if !ok {
		return false
	}
	s.Line = cmp.Or(s.Line, p.Line)
	switch s.Arm {
	case "":
	case "none":
		p.Arm = nil
	default:
		arm, err := hex.DecodeString(strings.ReplaceAll(s.Arm, " ", ""))
		if err != nil {
			r.Open = func(context.Context) (devices.Source, error) {
				return nil, fmt.Errorf("cannot arm scanner %q: %w", s.Name, err)
			}
		}
		p.Arm = arm
	}
	gap := s.Gap
	r.Framer = func() devices.Framer { return profile.New(p, frame.Options{Gap: gap}) }
	if r.Open == nil {
		r.Open = port(*s)
	}
	return true
}
