package uplink

import "time"

// Hurry makes an uplink try again sooner than is good for a broker.
func (u *Uplink) Hurry() {
	u.pace = pace{
		backoffMin: 10 * time.Millisecond, backoffMax: 200 * time.Millisecond,
		dwellMin: 20 * time.Millisecond, dwellMax: 100 * time.Millisecond,
	}
}
