package rule

import (
	"fmt"
	"strings"
)

// Fault is one thing that is wrong with a pack.
type Fault struct {
	Rule  string `json:"rule,omitempty"` // id of the rule or order, or its place: "rules[2]"; empty: the pack itself
	Field string `json:"field"`
	Why   string `json:"why"`
}

func (f Fault) String() string {
	if f.Rule == "" {
		return f.Field + ": " + f.Why
	}
	return f.Rule + " " + f.Field + ": " + f.Why
}

// Faults is why a pack is refused: all of it, at once.
type Faults []Fault

func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = "\n  " + f.String()
	}
	return fmt.Sprintf("cannot use the rules: the pack has %d fault(s) and is refused whole; mend it where it was made:%s", len(fs), strings.Join(lines, ""))
}
