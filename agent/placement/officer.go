package placement

import (
	"fmt"
	"io"
	"log/slog"

	"lintas/mrz"
)

// Officer is somebody who may work at a site's counters. The roster of a site
// is the target officers/<site>, a JSON array, sealed to the site's counters.
type Officer struct {
	Site       string   `json:"site"`
	ID         string   `json:"officer_id"`
	Name       string   `json:"name"`
	Supervisor bool     `json:"supervisor,omitempty"`
	PINHash    string   `json:"pin_hash"` // Argon2id in the PHC string format: $argon2id$v=19$m=…,t=…,p=…$salt$hash
	Until      mrz.Date `json:"until,omitzero"`
}

// Format keeps the officer out of whatever prints one by mistake.
func (o Officer) Format(f fmt.State, _ rune) { io.WriteString(f, "officer "+o.ID) }

// LogValue does the same for logs.
func (o Officer) LogValue() slog.Value { return slog.StringValue("officer " + o.ID) }

// CounterSite says at which site a counter stands: its keys and its site's
// officers are sealed to it.
type CounterSite struct {
	Counter string `json:"counter"`
	Site    string `json:"site"`
}

// Cleared is a document that headquarters has found to belong to the person of
// a placement, after a counter had asked (A04). With the next list, the
// document is one of the record's.
type Cleared struct {
	PlacementID string `json:"placement_id"`
	DocumentRef
}
