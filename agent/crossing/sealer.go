package crossing

import (
	"encoding/json"
	"fmt"
	"strconv"
	"sync/atomic"

	"github.com/go-jose/go-jose/v4"

	"lintas/queue"
)

// Sealer signs events at their position. It may be used from many goroutines.
type Sealer struct{ signers atomic.Pointer[signers] }

type signers struct{ event, tombstone jose.Signer }

// NewSealer signs with the counter's key.
func NewSealer(key PrivateKey) (*Sealer, error) {
	s := &Sealer{}
	return s, s.Use(key)
}

// Use signs with another key from now on. Call it after the event key.rotated,
// which the old key signs, has been put.
func (s *Sealer) Use(key PrivateKey) error {
	event, err := key.signer(typEvent)
	if err != nil {
		return err
	}
	tombstone, err := key.signer(typTombstone)
	if err != nil {
		return err
	}
	s.signers.Store(&signers{event, tombstone})
	return nil
}

// Seal is the queue's Seal: the message's body is an Event as JSON.
func (s *Sealer) Seal(at queue.Position, m queue.Message) ([]byte, error) {
	var e Event
	if err := json.Unmarshal(m.Body, &e); err != nil {
		return nil, err
	}
	return s.seal(at, e)
}

// Rewrap is the queue's Rewrap: one of our own sealed events at another
// position, with the same id, type, time and encrypted record. Its old
// signature is not checked, because the key may have changed since; the queue
// knows its own events by their hashes.
func (s *Sealer) Rewrap(at queue.Position, sealed []byte) ([]byte, error) {
	old, err := readUnverified(sealed)
	if err != nil {
		return nil, fmt.Errorf("cannot wrap event anew: %w", err)
	}
	return s.seal(at, old.Event)
}

func (s *Sealer) seal(at queue.Position, e Event) ([]byte, error) {
	e.Epoch, e.Sequence, e.PrevHash = at.Epoch.String(), strconv.FormatUint(at.Sequence, 10), at.Prev.String()
	return sign(s.signers.Load().event, e)
}

// Tombstone gives what goes over the wire in the place of one of our own
// sealed events that no broker will carry. Like Rewrap it does not check the
// old signature.
func (s *Sealer) Tombstone(sealed []byte) ([]byte, error) {
	e, err := readUnverified(sealed)
	if err != nil {
		return nil, fmt.Errorf("cannot make tombstone: %w", err)
	}
	return sign(s.signers.Load().tombstone, Tombstone{
		Source: e.Source, Epoch: e.Epoch, Sequence: e.Sequence, PrevHash: e.PrevHash, Original: e.Hash.String(),
	})
}
