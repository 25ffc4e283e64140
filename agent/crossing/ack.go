package crossing

import (
	"fmt"

	"lintas/queue"
)

// Ack is the hub's acknowledgement to one counter: all events of each epoch
// up to through, whose hash is head, are committed in the hub's ledger, but
// for those missing (known lost) and nacked (received, kept aside unread).
type Ack struct {
	Counter string     `json:"counter"`
	Time    Time       `json:"time"` // strictly increasing for a counter
	Epochs  []AckEpoch `json:"epochs"`
}

// AckEpoch is the part of an Ack about one epoch that is not closed.
type AckEpoch struct {
	Epoch   string      `json:"epoch"`
	Through uint64      `json:"through"`
	Head    string      `json:"head"`
	Missing [][2]uint64 `json:"missing"` // ranges, both ends included
	Nack    []Nack      `json:"nack"`
}

// hold is the first sequence that the hub could not use, 0 if there is none.
func (e AckEpoch) hold() (first uint64) {
	take := func(n uint64) {
		if n > 0 && (first == 0 || n < first) {
			first = n
		}
	}
	for _, m := range e.Missing {
		take(m[0])
	}
	for _, n := range e.Nack {
		take(n.Sequence)
	}
	return first
}

// Nack names an event that the hub keeps aside, and why.
type Nack struct {
	Sequence uint64 `json:"sequence"`
	Code     string `json:"code"`
}

// AckSigner signs acknowledgements with the hub's key.
type AckSigner struct{ signer signer }

// NewAckSigner signs with the hub's key.
func NewAckSigner(key PrivateKey) (*AckSigner, error) {
	signer, err := newSigner(key, typAck)
	return &AckSigner{signer: signer}, err
}

// Sign gives the acknowledgement as it is published.
func (s *AckSigner) Sign(a Ack) ([]byte, error) {
	for i := range a.Epochs {
		if a.Epochs[i].Missing == nil {
			a.Epochs[i].Missing = [][2]uint64{}
		}
		if a.Epochs[i].Nack == nil {
			a.Epochs[i].Nack = []Nack{}
		}
	}
	if a.Epochs == nil {
		a.Epochs = []AckEpoch{}
	}
	return s.signer.sign(a)
}

// OpenAck checks that an acknowledgement is the hub's and meant for this
// counter, and reads it for the queue.
func OpenAck(sealed []byte, counter string, keys Keys) (Ack, queue.Acknowledgement, error) {
	var a Ack
	if _, err := open(sealed, typAck, keys, &a); err != nil {
		return a, queue.Acknowledgement{}, fmt.Errorf("cannot believe acknowledgement: %w", err)
	}
	if a.Counter != counter {
		return a, queue.Acknowledgement{}, fmt.Errorf("cannot believe acknowledgement: it is for counter %q", a.Counter)
	}
	q := queue.Acknowledgement{Time: a.Time.Time}
	for _, e := range a.Epochs {
		epoch, err := queue.ParseEpoch(e.Epoch)
		if err != nil {
			return a, queue.Acknowledgement{}, fmt.Errorf("cannot believe acknowledgement: %w", err)
		}
		head, err := queue.ParseHash(e.Head)
		if err != nil {
			return a, queue.Acknowledgement{}, fmt.Errorf("cannot believe acknowledgement: %w", err)
		}
		q.Epochs = append(q.Epochs, queue.EpochAck{Epoch: epoch, Through: e.Through, Head: head, Hold: e.hold()})
	}
	return a, q, nil
}
