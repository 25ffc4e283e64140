package crossing

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"lintas/queue"
)

// Putter is the queue as a Recorder uses it.
type Putter interface {
	Put(context.Context, queue.Message, []byte) (queue.Receipt, error)
}

// Recorder makes records durable: it stamps, encrypts and queues them. It may
// be used from many goroutines; encryption runs in the caller.
type Recorder struct {
	Counter   string
	Encrypter *Encrypter
	Queue     Putter
	Stamp     func() Stamp // Schema is filled in by the Recorder
}

// NewID makes an event's id. Ids sort by time.
func NewID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// Record writes one record under the given id; when it returns nil, the record
// survives a power cut. note stays on this machine.
func (r *Recorder) Record(ctx context.Context, id uuid.UUID, t Type, rec Record, note []byte) (queue.Receipt, error) {
	m, err := r.Message(id, t, rec)
	if err != nil {
		return queue.Receipt{}, err
	}
	receipt, err := r.Queue.Put(ctx, m, note)
	if err != nil {
		return receipt, fmt.Errorf("cannot record %s: %w", t, err)
	}
	return receipt, nil
}

// Message stamps and encrypts a record without putting it: for an event that
// the queue itself puts first into a new epoch. It does not use the queue.
func (r *Recorder) Message(id uuid.UUID, t Type, rec Record) (queue.Message, error) {
	stamp := rec.stamp()
	*stamp = r.Stamp()
	e, err := NewEvent(r.Counter, id, t, stamp.OccurredAt, rec, r.Encrypter)
	if err != nil {
		return queue.Message{}, fmt.Errorf("cannot record %s: %w", t, err)
	}
	body, err := json.Marshal(e)
	if err != nil {
		return queue.Message{}, fmt.Errorf("cannot record %s: %w", t, err)
	}
	// The hub would refuse it, and with it the whole chain behind it.
	if len(body) > maxBody {
		return queue.Message{}, fmt.Errorf("cannot record %s: %d bytes are more than an event may have", t, len(body))
	}
	return queue.Message{ID: queue.ID(id), Body: body}, nil
}
