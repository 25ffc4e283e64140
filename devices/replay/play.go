package replay

import (
	"context"
	"io"
	"time"
)

// Play writes what the scanner sent: at the pace at which it did, or without any
// pause (fast). It ends early with ctx.
func (c *Capture) Play(ctx context.Context, w io.Writer, fast bool) error {
	begun := time.Now()
	for _, k := range c.Chunks {
		if k.ToScanner {
			continue
		}
		if !fast {
			if err := Sleep(ctx, time.Until(begun.Add(k.At))); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := w.Write(k.Bytes); err != nil {
			return err
		}
	}
	return nil
}

// Sleep waits, or ends early with ctx and says so.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
