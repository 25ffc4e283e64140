package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"

	"lintas/queue"
	"lintas/queue/sqlite"
)

// Whoever waits for his turn may give up, and then nothing of his is written;
// all others are written and answered, in order, also when the queue is closed
// meanwhile; who comes later is refused.
func TestStandingInLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "queue.db")
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		q, err := sqlite.OpenQueue(t.Context(), path, sqlite.Options{Reserve: -1, Seal: func(p queue.Position, m queue.Message) ([]byte, error) {
			<-gate
			return seal(p, m)
		}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, giveUp := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		bodies := []string{"first", "gives up", "second", "third"}
		errs := make([]error, len(bodies))
		for i, body := range bodies {
			c := t.Context()
			if body == "gives up" {
				c = ctx
			}
			wg.Go(func() { _, errs[i] = q.Put(c, message(body), nil) })
			synctest.Wait() // so that they stand in this order
		}
		giveUp()
		synctest.Wait()
		if !errors.Is(errs[1], context.Canceled) {
			t.Errorf("who gave up is told %v", errs[1])
		}
		if _, err := q.Put(ctx, message("never began"), nil); !errors.Is(err, context.Canceled) {
			t.Errorf("who had given up before is told %v", err)
		}
		closed := make(chan error, 1)
		go func() { closed <- q.Close() }()
		synctest.Wait()
		if _, err := q.Put(t.Context(), message("late"), nil); !errors.Is(err, queue.ErrClosed) {
			t.Errorf("who comes late is told %v", err)
		}
		close(gate)
		wg.Wait()
		if err := <-closed; err != nil {
			t.Error(err)
		}
		if err := q.Close(); !errors.Is(err, queue.ErrClosed) {
			t.Errorf("closed twice: %v", err)
		}
		for i, err := range errs {
			if i != 1 && err != nil {
				t.Errorf("%s: %v", bodies[i], err)
			}
		}
		r, err := sqlite.OpenReader(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		var got []string
		for _, e := range all(t, r) {
			got = append(got, string(e.Sealed[len(fmt.Sprintf("%s|%d|", queue.Hash{}, e.Sequence)):]))
		}
		if fmt.Sprint(got) != "[first second third]" {
			t.Errorf("written were %q", got)
		}
	})
}
