package mrz

import "strings"

// fitName joins a folded name's identifiers by two blanks, cut so that they fit
// into width cells. A name that is cut ends with a letter in the last cell,
// which is how a reader sees that it was (Doc 9303-4 §4.2.2 and its like in
// parts 5 to 7).
//
// The standard lets the issuer choose which components give up characters. Here
// the secondary identifier does first, down to a quarter of the field, then the
// primary one; in each, shorten says how.
func fitName(primary, secondary string, width int) string {
	if secondary == "" {
		return shorten(primary, width)
	}
	room := width - len("  ")
	if len(primary)+len(secondary) > room {
		primary = shorten(primary, room-min(len(secondary), width/4))
		secondary = shorten(secondary, room-len(primary))
	}
	return primary + "  " + secondary
}

// shorten returns name in at most width characters. The last component gives up
// letters first, down to its initial, then the one before it: CHAYAPA
// DEJTHAMRONG KRASUANG in 13 is CHAYAPA DEJ K (Doc 9303-6, example of names
// truncated to initials). Components for whose initial there is no room are
// left out.
//
// The result has width characters and ends in a letter, with one exception:
// names of nothing but initials where width is even.
func shorten(name string, width int) string {
	if len(name) <= width {
		return name
	}
	parts := strings.Fields(name)
	parts = parts[:min(len(parts), (width+1)/2)]
	spare := width - (2*len(parts) - 1) // beyond initials and blanks
	for i, part := range parts {
		kept := 1 + min(spare, len(part)-1)
		spare -= kept - 1
		parts[i] = part[:kept]
	}
	return strings.Join(parts, " ")
}
