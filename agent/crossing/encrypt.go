package crossing

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"filippo.io/age"
)

// An Encrypter encrypts records to the hub's recipients. It may be used from
// many goroutines.
//
// Nearly all the work of age is to agree on a key with each recipient, and that
// does not depend on what is encrypted. While Run runs, a few encryptions have
// always been begun, each for one record, so that nobody waits for it; without
// Run, and when records come faster, it is done when it is needed.
type Encrypter struct {
	to    []age.Recipient
	begun chan *encryption
}

// encryption is one that has been begun: all but the record itself is in the
// buffer.
type encryption struct {
	bytes.Buffer
	w io.WriteCloser
}

// begunAhead is how many are kept. Each takes about 70 KB.
const begunAhead = 2

// NewEncrypter encrypts to all of the recipients.
func NewEncrypter(to ...age.Recipient) *Encrypter {
	return &Encrypter{to: to, begun: make(chan *encryption, begunAhead)}
}

// Run begins encryptions ahead until ctx ends.
func (e *Encrypter) Run(ctx context.Context) error {
	for {
		x, err := e.begin()
		if err != nil {
			return err
		}
		select {
		case e.begun <- x:
		case <-ctx.Done():
			return nil
		}
	}
}

func (e *Encrypter) begin() (x *encryption, err error) {
	x = &encryption{}
	if x.w, err = age.Encrypt(&x.Buffer, e.to...); err != nil {
		return nil, fmt.Errorf("cannot encrypt to the hub: %w", err)
	}
	return x, nil
}

func (e *Encrypter) encrypt(plain []byte) (sealed []byte, err error) {
	var x *encryption
	select {
	case x = <-e.begun:
	default:
		if x, err = e.begin(); err != nil {
			return nil, err
		}
	}
	if _, err := x.w.Write(plain); err != nil {
		return nil, fmt.Errorf("cannot encrypt to the hub: %w", err)
	}
	if err := x.w.Close(); err != nil {
		return nil, fmt.Errorf("cannot encrypt to the hub: %w", err)
	}
	return x.Bytes(), nil
}
