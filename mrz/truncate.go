package mrz

import "strings"

// fitName joins a folded name's identifiers by two blanks, cut so that they fit
// into width cells. A name that is cut ends with a letter in the last cell,
// which is how a reader sees that it was (Doc 9303-4 §4.2.3).
//
// The end of the secondary identifier goes first, down to a quarter of the field;
// then the end of the primary one.
func fitName(primary, secondary string, width int) string {
	whole := primary
	if secondary != "" {
		whole += "  " + secondary
	}
	if len(whole) <= width {
		return whole
	}
	if secondary == "" {
		return cutName(primary, width)
	}
	kept := min(len(secondary), width/4)
	if room := width - len("  ") - kept; len(primary) > room {
		primary = cutName(primary, room)
	}
	room := width - len("  ") - len(primary)
	if len(secondary) <= room {
		return primary + "  " + secondary
	}
	return primary + "  " + cutName(secondary, room)
}

// cutName returns the first n characters of a name that has more. Where the
// last of them would be the blank between two parts, an earlier part of more
// than one letter gives up its last one so that the next part's initial takes
// the cell: ARNPOL PETCH CHARONGUANG in 13 cells is ARNPOL PETC C.
func cutName(name string, n int) string {
	if name[n-1] != ' ' {
		return name[:n]
	}
	parts := strings.Split(name[:n-1], " ")
	for i := len(parts) - 1; i >= 0; i-- {
		if len(parts[i]) > 1 {
			parts[i] = parts[i][:len(parts[i])-1]
			return strings.Join(parts, " ") + " " + name[n:n+1]
		}
	}
	// Nothing but initials in every second cell: the last cell stays empty.
	return name[:n-1]
}
