package mrz

// Glyphs of OCR-B that readers take for one another, a letter and a digit each.
// Two digits are never held to be twins, however alike (3 and 8): such a change
// is what a forger makes, and no check digit may talk it away.

// digitTwin returns the digit that a character was in a place for digits, 0 if
// there is none.
func digitTwin(c byte) byte {
	switch c {
	case 'O', 'Q', 'D':
		return '0'
	case 'I', 'L', '|', '!':
		return '1'
	case 'Z':
		return '2'
	case 'S', '$':
		return '5'
	case 'G':
		return '6'
	case 'B':
		return '8'
	}
	return 0
}

// letterTwin returns the letter that a character was in a place for letters, 0
// if there is none. Of several twins it is the commonest.
func letterTwin(c byte) byte {
	switch c {
	case '0':
		return 'O'
	case '1', '|', '!':
		return 'I'
	case '2':
		return 'Z'
	case '5', '$':
		return 'S'
	case '6':
		return 'G'
	case '8':
		return 'B'
	}
	return 0
}

// twins returns every twin of a character in a place for letters and digits.
func twins(c byte) string {
	switch c {
	case '0':
		return "ODQ"
	case '1':
		return "IL"
	case '2':
		return "Z"
	case '5':
		return "S"
	case '6':
		return "G"
	case '8':
		return "B"
	case 'O', 'D', 'Q':
		return "0"
	case 'I', 'L':
		return "1"
	case 'Z':
		return "2"
	case 'S':
		return "5"
	case 'G':
		return "6"
	case 'B':
		return "8"
	case '|', '!':
		return "1I"
	case '$':
		return "5S"
	}
	return ""
}

// isNoise reports whether a letter is one of those that readers see in a row of
// fillers.
func isNoise(c byte) bool {
	switch c {
	case 'K', 'L', 'C', 'S', 'G', 'X', 'E':
		return true
	}
	return false
}
