package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"lintas/agent/config"
	"lintas/agent/control"
	"lintas/agent/crossing"
	"lintas/queue"
	"lintas/queue/sqlite"
)

// verifyAck believes an acknowledgement only with the hub's signature. The
// keys are read each time: they may come later than the first event.
func (d *daemon) verifyAck(payload []byte) (queue.Acknowledgement, error) {
	ack, err := verifyAck(d.cfg, payload)
	if err == nil {
		return ack, nil
	}
	keys := d.lists.hub().ackKeys()
	if len(keys) == 0 {
		return ack, err
	}
	// The hub may sign with a key that came with the list.
	if _, later, err := crossing.OpenAck(payload, d.cfg.Counter.ID, keys); err == nil {
		return later, nil
	}
	return ack, err
}

func verifyAck(cfg *config.Config, payload []byte) (queue.Acknowledgement, error) {
	keys, err := crossing.LoadKeys(cfg.Hub.AckKeysFile)
	if err != nil {
		return queue.Acknowledgement{}, err
	}
	_, ack, err := crossing.OpenAck(payload, cfg.Counter.ID, keys)
	return ack, err
}

// takeAcknowledgement takes what came as a file.
func (d *daemon) takeAcknowledgement(ctx context.Context, file []byte) error {
	return takeAcknowledgements(file, func(line []byte) error {
		if d.uplink != nil {
			return d.uplink.Take(ctx, line)
		}
		err := acknowledge(ctx, d.cfg, d.queue, line)
		if errors.Is(err, queue.ErrForeign) { // said once: nobody retains it, and brings it again
			err = errors.Join(err, d.fork(ctx))
		}
		return err
	})
}

// retry sends once more what no broker carried.
func (d *daemon) retry(ctx context.Context) (int, error) {
	if d.uplink == nil {
		return 0, errors.New("cannot send again: no broker is configured; set [broker] url")
	}
	return d.uplink.Retry(ctx)
}

func acknowledge(ctx context.Context, cfg *config.Config, q *sqlite.Queue, line []byte) error {
	ack, err := verifyAck(cfg, line)
	if err != nil {
		return err
	}
	return q.Acknowledge(ctx, ack)
}

// Acknowledge takes a file of the hub's acknowledgements, one a line. It hands
// the file to the running agent, or does its work if none runs.
func Acknowledge(ctx context.Context, cfg *config.Config, file []byte) error {
	err := control.Acknowledge(ctx, filepath.Join(cfg.State.Run, SocketFile), file)
	if !errors.Is(err, control.ErrNotRunning) {
		return err
	}
	o := queueOptions(cfg)
	o.Seal = func(queue.Position, queue.Message) ([]byte, error) { return nil, errors.New("only the agent records") }
	q, err := sqlite.OpenQueue(ctx, queuePath(cfg), o)
	if err != nil {
		return err
	}
	err = takeAcknowledgements(file, func(line []byte) error { return acknowledge(ctx, cfg, q, line) })
	return errors.Join(err, q.Close())
}

// takeAcknowledgements passes over what is for other counters. That an
// acknowledgement is older than what the queue knows is no fault.
func takeAcknowledgements(file []byte, take func([]byte) error) error {
	taken := false
	fault := errors.New("the file holds none")
	for line := range bytes.Lines(file) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if err := take(line); err != nil && !errors.Is(err, queue.ErrStale) {
			fault = err
			continue
		}
		taken = true
	}
	if !taken {
		return fmt.Errorf("cannot take acknowledgement: %w", fault)
	}
	return nil
}
