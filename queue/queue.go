// Package queue names what a durable outbox of opaque messages holds and
// promises. It knows bytes only: no passport, no network, no encryption.
//
// A message is put once, sealed at the position it gets, kept until the far
// end has said with proof that it holds it, and then for a retention time
// longer. The words:
//
//	Put          make a message durable; it returns after the disk has it
//	Lease        take the next events to send, in order, each once
//	Release      give back what was leased and not acknowledged: go back N
//	Acknowledge  move the watermark to what the far end proved to hold
//	Prune        forget events that are acknowledged and old enough
//
// Positions. Events form chains. A chain is named by its epoch, 16 random
// bytes made anew whenever the database is made anew; within an epoch the
// sequence starts at 1 and has no gaps, and every event names the hash of the
// one before it.
//
// Promises, kept by queue/sqlite: an event for which Put returned nil is there
// after a power cut; a message put twice under one id is stored once; nothing
// that is not acknowledged is ever removed. Not promised: that an event for
// which Put returned an error is absent (ask with Find), and that a leased
// event has not been sent before (the far end removes duplicates).
package queue

import (
	"encoding/base64"
	"errors"
	"fmt"
	"time"
)

// Errors that callers act on.
var (
	// ErrClosed: the queue has been closed.
	ErrClosed = errors.New("queue is closed")
	// ErrNotFound: no event has this id.
	ErrNotFound = errors.New("no such event")
	// ErrStale: an acknowledgement is older than one that was taken before.
	ErrStale = errors.New("acknowledgement is older than the last one")
	// ErrForeign: an acknowledgement speaks of events that this queue does not
	// have or has with another hash: this queue is an old copy of itself.
	// Nothing was changed; a new epoch is called for.
	ErrForeign = errors.New("acknowledgement does not fit this queue's chain")
	// ErrDamaged: what was stored cannot be read any more. The queue takes
	// nothing further; opening it anew saves what can be saved.
	ErrDamaged = errors.New("queue is damaged")
)

// ID is the message's own identity (a UUID), chosen by the caller: it makes
// Put idempotent.
type ID [16]byte

// Hash is the SHA-256 of an event's sealed bytes.
type Hash [32]byte

// Epoch names one chain.
type Epoch [16]byte

// String gives the hash in unpadded base64url, as on the wire.
func (h Hash) String() string { return base64.RawURLEncoding.EncodeToString(h[:]) }

// String gives the epoch in unpadded base64url, as on the wire.
func (e Epoch) String() string { return base64.RawURLEncoding.EncodeToString(e[:]) }

// ParseHash reads what Hash.String wrote.
func ParseHash(s string) (h Hash, err error) { return h, parse64(h[:], "hash", s) }

// ParseEpoch reads what Epoch.String wrote.
func ParseEpoch(s string) (e Epoch, err error) { return e, parse64(e[:], "epoch", s) }

func parse64(dst []byte, what, s string) error {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != len(dst) {
		return fmt.Errorf("%s is not %d bytes of unpadded base64url", what, len(dst))
	}
	copy(dst, b)
	return nil
}

// Message is what a caller wants to be delivered.
type Message struct {
	ID   ID
	Body []byte
}

// Position is a place in a chain: the epoch, the sequence within it (from 1)
// and the hash of the event before (32 zero bytes for the first).
type Position struct {
	Epoch    Epoch
	Sequence uint64
	Prev     Hash
}

// Seal turns a message into the bytes that go over the wire, bound to the
// position. It is called inside the writing transaction and must neither
// block nor use the queue. It may be called again for the same message at
// another position when a transaction had to be rolled back.
type Seal func(Position, Message) ([]byte, error)

// Rewrap turns sealed bytes into those of the same message at another position:
// same id and content, new epoch, sequence, previous hash and signature. It is
// called inside the writing transaction, like Seal.
type Rewrap func(Position, []byte) ([]byte, error)

// Receipt says where a message came to stand.
type Receipt struct {
	ID       ID
	Epoch    Epoch
	Sequence uint64
	Hash     Hash
	At       time.Time // wall clock at which it was written, millisecond precision
}

// Event is a stored message. Note is the caller's own remark, written in the
// same transaction and never sent.
type Event struct {
	Receipt
	Sealed       []byte
	Note         []byte
	Acknowledged bool
	Parked       string // why it does not go over the wire; "" if it does
}

// Head is the end of the chain: the last event's sequence and hash, both zero
// when the epoch has no event yet.
type Head struct {
	Epoch    Epoch
	Sequence uint64
	Hash     Hash
}

// Acknowledgement is the far end's word, already verified by the caller: for
// each epoch, every event up to and including Through, whose hash is Head, is
// stored there.
type Acknowledgement struct {
	Time   time.Time
	Epochs []EpochAck
}

// EpochAck is the part of an acknowledgement that concerns one epoch.
type EpochAck struct {
	Epoch   Epoch
	Through uint64
	Head    Hash
	// Hold, if not zero, is the first sequence up to Through that the far end
	// could not use: it and what follows must not be pruned yet.
	Hold uint64
}

// Status is what can be told about a queue without opening any message.
type Status struct {
	Head         Head
	Depth        uint64    // events not acknowledged
	Oldest       time.Time // when the oldest of them was written; zero if there is none
	Acknowledged uint64    // watermark in the current epoch
	AckTime      time.Time // the far end's time of the last acknowledgement; zero if none came yet
	Parked       int       // events that no broker carries and whose bodies the far end lacks
}

// Cause says why an epoch ended before its time.
type Cause string

// The causes of a Recovery.
const (
	Deleted  Cause = "deleted"  // the file was gone
	Damaged  Cause = "damaged"  // it could not be read, or not all of it
	Restored Cause = "restored" // it was older than what is known outside of it
	Forked   Cause = "forked"   // the far end holds other events at its positions
)

// Recovery says what was found and done when a chain could not be continued
// and a new epoch began.
type Recovery struct {
	Cause Cause
	// Previous is the end of the chain before, as far as it is known; its
	// Epoch is zero if nothing is.
	Previous Head
	// Missing are ranges of sequences of the previous epoch, both ends
	// included, that are lost here and that the far end had not confirmed.
	Missing [][2]uint64
	// Rewrapped is how many unconfirmed events were taken over into the new
	// epoch.
	Rewrapped int
	// Aside names the folder in which the old files are kept; "" if there is
	// none.
	Aside string
}
