package devices

import "context"

// A Tee hands the bytes of a scanner on to a second program.
type Tee interface {
	// Run serves the second program until ctx ends. It never fails: what is in
	// the way is in State and is tried again.
	Run(ctx context.Context)
	// State may be called at any time.
	State() TeeState
}

// TeeState is how the second program gets on.
type TeeState struct {
	Path   string `json:"path"`             // what it opens; "" if the scanner has no second program
	Ready  bool   `json:"ready"`            // it could open it
	Opened bool   `json:"opened"`           // it has
	Stuck  bool   `json:"stuck"`            // it takes nothing, and bytes wait for it
	Lost   uint64 `json:"lost"`             // bytes that it did not take in time
	Reason string `json:"reason,omitempty"` // in words, if it is not ready
}
