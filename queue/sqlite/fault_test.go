package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	lib "modernc.org/sqlite/lib"

	"lintas/queue"
	"lintas/queue/sqlite"
)

// faults are the ways in which a disk fails: whether the operation with number
// n does when number k is to be the first.
var faults = []struct {
	name string
	how  func(n, k int, o op) failure
}{
	{"an error once", func(n, k int, o op) failure {
		if n != k || o.kind == readFile {
			return failure{}
		}
		return failure{rc: ioError(o)}
	}},
	{"errors until it is mended", func(n, k int, o op) failure {
		if n < k || o.kind == readFile {
			return failure{}
		}
		return failure{rc: ioError(o)}
	}},
	{"no room until it is mended", func(n, k int, o op) failure {
		if n < k || o.kind != write && o.kind != create {
			return failure{}
		}
		return failure{rc: lib.SQLITE_FULL}
	}},
	{"half a write", func(n, k int, o op) failure {
		if n != k || o.kind != write {
			return failure{}
		}
		return failure{rc: lib.SQLITE_FULL, part: len(o.data) / 2}
	}},
	{"an error of reading", func(n, k int, o op) failure {
		if n != k || o.kind != readFile {
			return failure{}
		}
		return failure{rc: ioError(o)}
	}},
	{"a sync that loses what it was for", func(n, k int, o op) failure {
		if n != k || o.kind != syncFile {
			return failure{}
		}
		return failure{rc: ioError(o), lost: true}
	}},
	{"syncs that lose what they were for until it is mended", func(n, k int, o op) failure {
		if n < k || o.kind != syncFile {
			return failure{}
		}
		return failure{rc: ioError(o), lost: true}
	}},
}

func ioError(o op) int32 {
	switch o.kind {
	case write:
		return lib.SQLITE_IOERR_WRITE
	case truncate:
		return lib.SQLITE_IOERR_TRUNCATE
	case syncFile:
		return lib.SQLITE_IOERR_FSYNC
	case remove:
		return lib.SQLITE_IOERR_DELETE
	case readFile:
		return lib.SQLITE_IOERR_READ
	}
	return lib.SQLITE_IOERR
}

// A patient is a queue on a failing disk, used as the agent does it: what
// could not be put is looked up, and what is broken is probed until it works.
type patient struct {
	t      testing.TB
	disk   *disk
	path   string
	q      *sqlite.Queue
	struck op  // at which the disk failed first
	opened int // how many changes and syncs the start took
	acks   int
	last   queue.Receipt
	cuts   []int // places in the trace at which the power is cut
	wrong  string
}

func (p *patient) complain(format string, a ...any) {
	if p.wrong == "" {
		p.wrong = fmt.Sprintf(format, a...)
	}
}

func (p *patient) put(m queue.Message) error {
	p.disk.learn(func(k *promises) { k.begun = append(k.begun, m) })
	r, err := p.q.Put(context.Background(), m, noteOf(m))
	if err != nil {
		e, found := p.q.Find(context.Background(), m.ID)
		switch {
		case found == nil:
			r = e.Receipt
		case errors.Is(found, queue.ErrNotFound):
			p.disk.learn(func(k *promises) { k.absent = append(k.absent, m.ID) })
			p.cuts = append(p.cuts, len(p.disk.trace))
			return err
		default:
			return err
		}
	}
	p.last = r
	p.disk.learn(func(k *promises) { k.kept = append(k.kept, kept{m, r}) })
	if p.struck.name != "" {
		p.cuts = append(p.cuts, len(p.disk.trace))
	}
	return err
}

func (p *patient) acknowledge() error {
	through := p.last.Sequence
	p.disk.learn(func(k *promises) { k.asked = max(k.asked, through) })
	p.acks++
	return p.q.Acknowledge(context.Background(), queue.Acknowledgement{Time: time.UnixMilli(int64(p.acks)), Epochs: []queue.EpochAck{
		{Epoch: p.last.Epoch, Through: through, Head: p.last.Hash}}})
}

func (p *patient) prune() error {
	through := p.q.Acknowledged()
	p.disk.learn(func(k *promises) { k.pruning = max(k.pruning, through) })
	_, _, err := p.q.Prune(context.Background(), time.Now().Add(time.Hour))
	return err
}

// live does a little of everything. Errors are expected; what follows from
// them is looked at.
func (p *patient) live() {
	chance := random(7)
	small := func() queue.Message { m := messageOf(chance); m.Body = m.Body[:20]; return m }
	big := func() queue.Message { m := small(); m.Body = slices.Repeat(m.Body, 300); return m }
	p.put(small())
	p.acknowledge() // not synced before the next put
	p.put(small())
	p.put(big())
	p.prune()
	p.put(small())
	p.put(small())
	p.acknowledge()
	p.put(big())
	p.put(small())
}

// recover mends the disk and wants the queue to work again, as it is or opened
// anew.
func (p *patient) recover() {
	ctx := context.Background()
	p.disk.fail(nil)
	chance := random(8)
	if err := p.q.Probe(ctx); err != nil {
		p.complain("probe on a mended disk: %v", err)
	}
	if err := p.put(messageOf(chance)); err != nil {
		p.complain("put on a mended disk: %v", err)
	}
	if err := p.acknowledge(); err != nil {
		p.complain("acknowledge on a mended disk: %v", err)
	}
	if err := p.prune(); err != nil {
		p.complain("prune on a mended disk: %v", err)
	}
	if err := p.put(messageOf(chance)); err != nil {
		p.complain("second put on a mended disk: %v", err)
	}
}

// TestFaults lets the disk fail at every operation of a queue's life, one
// after the other and in several ways. Put never says that something is there
// which a power cut takes away, and never gives up what is there.
func TestFaults(t *testing.T) {
	dir, grave := folder(t), folder(t)
	fresh, used := newPlatter(), newPlatter()
	d := newDisk()
	mount(dir, d)
	open(t, filepath.Join(dir, "queue.db")).Close()
	for _, o := range d.trace {
		used.follow(o)
	}
	step := 1
	if raced() {
		step = 12 // each way begins with another operation
	}
	for i, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			lives, images := 0, 0
			for _, begin := range []*platter{fresh, used.cut(fate{everything: true})} {
				for k, over := 1+i%step, false; !over; k += step {
					p := &patient{t: t, disk: begin.disk(), path: filepath.Join(dir, "queue.db")}
					p.suffer(func(n int, o op) failure { return f.how(n, k, o) })
					over = max(p.disk.count, p.disk.reads) < k || begin == fresh && p.opened > 0 && p.opened < k
					if p.struck.name == "" {
						continue
					}
					lives++
					where := fmt.Sprintf("%s at operation %d (%v)", f.name, k, p.struck)
					if p.wrong != "" {
						t.Errorf("%s: %s", where, p.wrong)
					}
					after := begin.clone()
					for i, o := range append(p.disk.trace, op{kind: note, learn: func(*promises) {}}) {
						if i == p.cuts[0] || i == p.cuts[len(p.cuts)-1] {
							for _, all := range []bool{false, true} {
								images++
								if _, err := inspect(grave, after.cut(fate{everything: all})); err != nil {
									t.Errorf("%s, then a power cut before operation %d that spares the unsynced: %v: %v", where, i, all, err)
								}
							}
						}
						after.follow(o)
					}
				}
			}
			t.Logf("%d lives, %d images", lives, images)
		})
	}
}

// suffer is a life on a disk that fails and is mended again. What was written
// when the queue is closed is not looked at any more.
func (p *patient) suffer(f fault) {
	p.t.Helper()
	if err := place(p.path, p.disk); err != nil {
		p.t.Fatal(err)
	}
	mount(filepath.Dir(p.path), p.disk)
	p.disk.fail(func(n int, o op) failure {
		how := f(n, o)
		if how.rc != 0 && p.struck.name == "" {
			p.struck = o
		}
		return how
	})
	if err := p.open(); err == nil {
		p.opened = p.disk.count
	} else {
		p.disk.fail(nil)
		if err := p.open(); err != nil {
			p.t.Fatalf("after %v failed, on a mended disk: %v", p.struck, err)
		}
	}
	p.live()
	p.recover()
	p.cuts = append(p.cuts, len(p.disk.trace))
	if err := p.q.Close(); err != nil {
		p.complain("close: %v", err)
	}
	p.disk.trace = p.disk.trace[:p.cuts[len(p.cuts)-1]]
}

func (p *patient) open() (err error) {
	if p.q, err = sqlite.OpenQueue(context.Background(), p.path, sqlite.Options{Seal: seal, Reserve: -1}); err == nil {
		p.q.Exec(p.t, "PRAGMA wal_autocheckpoint = 8") // so that there are some
	}
	return err
}
