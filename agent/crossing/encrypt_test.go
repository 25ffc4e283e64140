package crossing_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"lintas/agent/crossing"
)

// Encryptions that were begun ahead are each used once, by however many
// callers, and Run ends when it is told to.
func TestEncryptedAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPost(t)
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- p.recorder.Encrypter.Run(ctx) }()
		var mu sync.Mutex
		seen := map[string]bool{}
		for range 3 { // with some begun, and faster than they can be
			synctest.Wait()
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() {
					e, err := crossing.NewEvent(counterID, crossing.NewID(), crossing.AgentStopped, crossing.Time{}, &crossing.Stopped{Reason: "signal"}, p.recorder.Encrypter)
					if err != nil {
						t.Error(err)
						return
					}
					plain, err := e.Decrypt(p.identity)
					if err != nil || !strings.Contains(string(plain), `"signal"`) {
						t.Errorf("%v: %s", err, plain)
					}
					mu.Lock()
					defer mu.Unlock()
					if seen[e.Data] {
						t.Error("an encryption was used twice")
					}
					seen[e.Data] = true
				})
			}
			wg.Wait()
		}
		// The header alone, which holds the key for this one record.
		headers := map[string]bool{}
		for data := range seen {
			headers[data[:200]] = true
		}
		if len(headers) != 60 {
			t.Errorf("60 records have %d keys", len(headers))
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
