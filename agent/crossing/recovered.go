package crossing

import (
	"path/filepath"

	"lintas/queue"
)

// unknown stands where a record would name something that nothing is known of.
const unknown = "unknown"

// missingLimit bounds how many ranges a record names, so that no disk can be
// so riddled that its loss cannot be reported.
const missingLimit = 256

// Recovered is the first event of an epoch that began because the one before
// could not be continued. It says what the hub will never get of that one.
type Recovered struct {
	Stamp
	Place
	Cause            string      `json:"cause"`             // deleted, damaged, restored, forked
	PreviousEpoch    string      `json:"previous_epoch"`    // or "unknown"
	PreviousSequence uint64      `json:"previous_sequence"` // 0 if unknown
	PreviousHead     string      `json:"previous_head"`     // or "unknown"
	Missing          [][2]uint64 `json:"missing"`           // sequences of the epoch before, both ends included
	Rewrapped        int         `json:"rewrapped"`         // how many of its events follow in this epoch, wrapped anew
	Aside            string      `json:"aside,omitempty"`   // the folder in which the old files are kept, its name alone
}

// RecoveredOf makes the record of what the queue found.
func RecoveredOf(place Place, r queue.Recovery) *Recovered {
	rec := &Recovered{
		Place: place, Cause: string(r.Cause), PreviousEpoch: unknown, PreviousHead: unknown,
		Missing: [][2]uint64{}, Rewrapped: r.Rewrapped,
	}
	if r.Previous.Epoch != (queue.Epoch{}) {
		rec.PreviousEpoch, rec.PreviousSequence = r.Previous.Epoch.String(), r.Previous.Sequence
		if r.Previous.Hash != (queue.Hash{}) {
			rec.PreviousHead = r.Previous.Hash.String()
		}
	}
	rec.Missing = append(rec.Missing, r.Missing...)
	if n := len(rec.Missing); n > missingLimit {
		// The rest as one range that spans them. What lies between and did
		// arrive, the hub knows better.
		rec.Missing[missingLimit-1][1] = rec.Missing[n-1][1]
		rec.Missing = rec.Missing[:missingLimit]
	}
	if r.Aside != "" {
		rec.Aside = filepath.Base(r.Aside) // the path could name a person's home
	}
	return rec
}
