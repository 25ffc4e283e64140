package config

// Names are all keys of the table.
func Names() []string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.String()
	}
	return names
}

// NewScanner has the defaults of a [[scanner]] table.
var NewScanner = newScanner
