package placement_test

import (
	"testing"

	"lintas/agent/placement"
)

// What a crossing makes of a placement; whatever is not named stays as it is.
func TestStatusAfter(t *testing.T) {
	changes := map[string]placement.Status{
		"siap departure": placement.Departed, "cuti departure": placement.Departed,
		"berangkat return": placement.Returned, "aktif return": placement.Returned, "selesai return": placement.Returned,
		"berangkat return leave": placement.OnLeave, "aktif return leave": placement.OnLeave, "selesai return leave": placement.Returned,
	}
	for _, s := range []placement.Status{placement.InProcess, placement.Ready, placement.Departed, placement.Abroad, placement.OnLeave, placement.Ended,
		placement.Returned, placement.Suspended, placement.Revoked, placement.Cancelled, placement.Deceased} {
		for _, c := range [][2]string{{"departure", ""}, {"return", ""}, {"return", "leave"}, {"", ""}} {
			key := string(s) + " " + c[0]
			if c[1] != "" {
				key += " " + c[1]
			}
			want, changed := changes[key]
			if !changed {
				want = s
			}
			if got := s.After(c[0], c[1]); got != want {
				t.Errorf("%s: %s, want %s", key, got, want)
			}
		}
	}
}
