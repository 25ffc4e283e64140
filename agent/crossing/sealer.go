package crossing

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"

	"lintas/queue"
)

// Sealer signs events at their position. It may be used from many goroutines.
type Sealer struct{ signers atomic.Pointer[signers] }

type signers struct{ event, tombstone signer }

// NewSealer signs with the counter's key.
func NewSealer(key PrivateKey) (*Sealer, error) {
	s := &Sealer{}
	return s, s.Use(key)
}

// Use signs with another key from now on. Call it after the event key.rotated,
// which the old key signs, has been put.
func (s *Sealer) Use(key PrivateKey) error {
	event, err := newSigner(key, typEvent)
	if err != nil {
		return err
	}
	tombstone, err := newSigner(key, typTombstone)
	if err != nil {
		return err
	}
	s.signers.Store(&signers{event, tombstone})
	return nil
}

// Seal is the queue's Seal: the message's body is an Event as JSON that has no
// position yet, as a Recorder makes it. All callers of the queue wait while it
// works, so the position is put where it belongs and the rest left as it is.
func (s *Sealer) Seal(at queue.Position, m queue.Message) ([]byte, error) {
	before, after, ok := bytes.Cut(m.Body, []byte(unplaced))
	if !ok {
		return nil, errors.New("not an event without a position")
	}
	payload := make([]byte, 0, len(m.Body)+maxPlace)
	payload = append(payload, before...)
	payload = fmt.Appendf(payload, placed, at.Epoch, strconv.FormatUint(at.Sequence, 10), at.Prev)
	payload = append(payload, after...)
	return s.signers.Load().event.signBytes(payload)
}

// The members of an Event that say where it stands, next to each other as
// encoding/json writes them. In a string there would be a backslash before each
// quotation mark.
const (
	unplaced = `"epoch":"","sequence":"","prevhash":""`
	placed   = `"epoch":"%s","sequence":"%s","prevhash":"%s"`
	maxPlace = 22 + 20 + 43 // base64url of 16 bytes, 64 bits in decimal, base64url of 32 bytes
)

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
	return s.signers.Load().event.sign(e)
}

// Tombstone gives what goes over the wire in the place of one of our own
// sealed events that no broker will carry. Like Rewrap it does not check the
// old signature.
func (s *Sealer) Tombstone(sealed []byte) ([]byte, error) {
	e, err := readUnverified(sealed)
	if err != nil {
		return nil, fmt.Errorf("cannot make tombstone: %w", err)
	}
	return s.signers.Load().tombstone.sign(Tombstone{
		Source: e.Source, Epoch: e.Epoch, Sequence: e.Sequence, PrevHash: e.PrevHash, Original: e.Hash.String(),
	})
}
