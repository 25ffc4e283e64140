package crossing

import "encoding/json"

// State is what a counter says about itself on its state topic, retained and
// also as its will. It holds no personal data.
type State struct {
	Counter     string           `json:"counter"`
	Online      bool             `json:"online"`
	Time        Time             `json:"time"`
	Version     string           `json:"version"`
	Epoch       string           `json:"epoch"`
	Sequence    uint64           `json:"sequence"`
	Head        string           `json:"head"`
	QueueDepth  uint64           `json:"queue_depth"`  // events that the hub has not confirmed
	QueueOldest *Time            `json:"queue_oldest"` // when the oldest of them was recorded; null if none
	ListVersion int64            `json:"list_version"` // 0: no list
	ListAge     int64            `json:"list_age_s"`
	Conditions  []StateCondition `json:"conditions"`
}

// StateCondition is something that is not as it should be.
type StateCondition struct {
	Code     string `json:"code"`
	Severity string `json:"severity"`
	Since    Time   `json:"since"`
}

// Marshal gives the message.
func (s State) Marshal() []byte {
	if s.Conditions == nil {
		s.Conditions = []StateCondition{}
	}
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // only plain fields
	}
	return b
}
