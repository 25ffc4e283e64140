package sqlite_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lintas/queue"
	"lintas/queue/sqlite"
)

// A workload uses a queue as the agent does and notes in the disk's trace what
// it learns. A seed fixes it: it runs in a bubble of its own time, and callers
// that share a transaction always come in the same order.
type workload struct {
	t      *testing.T
	chance *rand.Rand
	disk   *disk
	path   string
	mutant mutant

	q       *sqlite.Queue
	through uint64
	hold    uint64
	pruned  uint64

	held queue.ID // the message whose sealing waits for gate
	gate chan struct{}
}

// trace runs a workload of some steps from the making of the file on and
// returns what it did to the disk.
func trace(t *testing.T, seed uint64, steps int, m mutant) (ops []op) {
	t.Helper()
	dir := folder(t)
	synctest.Test(t, func(t *testing.T) {
		w := &workload{t: t, chance: random(seed), disk: newDisk(), path: filepath.Join(dir, "queue.db"), mutant: m}
		w.disk.lies, w.disk.forget = m.noSync, m.noFolderSync
		mount(dir, w.disk)
		w.open()
		for range steps {
			w.step()
		}
		w.close()
		ops = w.disk.trace
	})
	return ops
}

func (w *workload) step() {
	switch n := w.chance.IntN(100); {
	case n < 50:
		w.put()
	case n < 62:
		w.putSeveral(2 + w.chance.IntN(6))
	case n < 78:
		w.acknowledge()
	case n < 86:
		w.prune()
	case n < 94:
		w.checkpoint()
	default:
		w.close()
		w.open()
	}
}

func (w *workload) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *workload) open() {
	var err error
	w.q, err = sqlite.OpenQueue(context.Background(), w.path, sqlite.Options{Seal: w.seal, Reserve: -1})
	w.check(err)
	// A thousand pages are more than the workload writes.
	w.q.Exec(w.t, "PRAGMA wal_autocheckpoint = 25")
	if w.mutant.normal {
		w.q.Exec(w.t, "PRAGMA synchronous = NORMAL")
	}
}

func (w *workload) close() { w.check(w.q.Close()) }

func (w *workload) seal(p queue.Position, m queue.Message) ([]byte, error) {
	if w.gate != nil && m.ID == w.held {
		<-w.gate
	}
	b, err := seal(p, m)
	if w.mutant.early {
		w.keep(m, receiptOf(p, m, b))
	}
	return b, err
}

func (w *workload) keep(m queue.Message, r queue.Receipt) {
	w.disk.learn(func(p *promises) { p.kept = append(p.kept, kept{m, r}) })
}

func (w *workload) put() { w.putMessage(messageOf(w.chance)) }

func (w *workload) putMessage(m queue.Message) queue.Receipt {
	w.disk.learn(func(p *promises) { p.begun = append(p.begun, m) })
	r, err := w.q.Put(context.Background(), m, noteOf(m))
	if err != nil {
		w.t.Error(err)
		return r
	}
	w.keep(m, r)
	return r
}

// putSeveral keeps the writer waiting until n callers stand in line behind the
// first: they share the next transaction.
func (w *workload) putSeveral(n int) {
	first := messageOf(w.chance)
	w.held, w.gate = first.ID, make(chan struct{})
	var done sync.WaitGroup
	for i := range n + 1 {
		m := first
		if i > 0 {
			m = messageOf(w.chance)
		}
		done.Go(func() { w.putMessage(m) })
		synctest.Wait()
	}
	close(w.gate)
	done.Wait()
	w.gate = nil
}

// acknowledge confirms a part of what can be leased.
func (w *workload) acknowledge() {
	w.q.Release()
	events, err := w.q.Lease(context.Background(), 1+w.chance.IntN(20))
	w.check(err)
	if len(events) == 0 {
		return
	}
	last := events[w.chance.IntN(len(events))]
	w.through, w.hold = last.Sequence, 0
	if w.chance.IntN(4) == 0 {
		w.hold = 1 + w.chance.Uint64N(w.through)
	}
	time.Sleep(time.Millisecond) // acknowledgements differ in their time
	through := w.through
	w.disk.learn(func(p *promises) { p.asked = max(p.asked, through) })
	w.check(w.q.Acknowledge(context.Background(), queue.Acknowledgement{Time: time.Now(), Epochs: []queue.EpochAck{
		{Epoch: last.Epoch, Through: last.Sequence, Head: last.Hash, Hold: w.hold}}}))
}

func (w *workload) prune() {
	limit := w.through
	if w.hold > 0 {
		limit = min(limit, w.hold-1)
	}
	w.disk.learn(func(p *promises) { p.pruning = max(p.pruning, limit) })
	if w.mutant.purge {
		w.purge(w.through + 1)
	}
	n, _, err := w.q.Prune(context.Background(), time.Now().Add(time.Hour))
	w.check(err)
	w.pruned += uint64(n)
	pruned := w.pruned
	w.disk.learn(func(p *promises) { p.pruned = pruned })
}

// beside runs a statement over a connection that is like the queue's own.
func (w *workload) beside(statement string, args ...any) {
	db, err := sqlite.Open(context.Background(), w.path, sqlite.Durable, sqlite.QueueSchema)
	w.check(err)
	_, err = db.Exec(statement, args...)
	w.check(err)
	w.check(db.Close())
}

func (w *workload) checkpoint() {
	w.beside("PRAGMA wal_checkpoint(" + []string{"PASSIVE", "FULL", "RESTART", "TRUNCATE"}[w.chance.IntN(4)] + ")")
}

// messageOf invents a message: mostly a small one, now and then one of several
// pages.
func messageOf(chance *rand.Rand) (m queue.Message) {
	for i := range m.ID {
		m.ID[i] = byte(chance.Uint32())
	}
	size := 20 + chance.IntN(600)
	if chance.IntN(8) == 0 {
		size = 3000 + chance.IntN(9000)
	}
	m.Body = slices.Repeat(fmt.Appendf(nil, "%x ", m.ID), size/33+1)
	return m
}

func noteOf(m queue.Message) []byte { return fmt.Appendf(nil, "note %x", m.ID[:4]) }

// random returns a source of chance that a seed fixes.
func random(seed ...uint64) *rand.Rand {
	var s [2]uint64
	copy(s[:], seed)
	return rand.New(rand.NewPCG(s[0], s[1]))
}
