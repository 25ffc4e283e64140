package sqlite_test

import (
	"errors"
	"flag"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
	"time"
)

var (
	crashImages = flag.Int("crash.images", 2000, "how many images of power cuts to look at, at least")
	crashSeed   = flag.Uint64("crash.seed", 1, "what the power cuts begin with; 0 takes one by chance")
)

// raced tells whether the race detector watches. It makes everything ten times
// as slow and finds little where one goroutine acts at a time.
func raced() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// An explorer cuts the power at every moment of a workload and looks at what
// the queue makes of the rest.
type explorer struct {
	t      *testing.T
	seed   uint64 // of the first round
	images int    // how many to look at, at least
	mutant mutant
	until  string // end when this promise is broken

	mu      sync.Mutex // guards what follows
	count   int
	broken  map[string]int // by promise
	example []string
	seen    map[[32]byte]bool // images that need no second look
}

// cut is one power cut to look at.
type cut struct {
	seed  uint64 // of the round
	where string
	left  *platter
	again bool // cut the power again while the queue starts and goes on
}

// stepsPerRound makes a round long enough for several checkpoints.
const stepsPerRound = 24

// run looks at one round after the other until there are enough images.
func (e *explorer) run() {
	e.t.Helper()
	e.broken, e.seen = map[string]int{}, map[[32]byte]bool{}
	cuts := make(chan cut)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		dir := folder(e.t)
		workers.Go(func() {
			for c := range cuts {
				e.look(dir, c)
			}
		})
	}
	for seed := e.seed; e.more(); seed++ {
		p := newPlatter()
		ops := trace(e.t, seed, stepsPerRound, e.mutant)
		for i, o := range ops {
			p.follow(o)
			if o.kind == note || !e.more() || e.until != "" && len(p.known.kept) == 0 {
				continue
			}
			where := fmt.Sprintf("after operation %d (%v)", i, o)
			for name, f := range fates(2, seed, uint64(i)) {
				if left := p.cut(f); e.fresh(left) {
					cuts <- cut{seed, fmt.Sprintf("power cut %s with %s of what was not synced", where, name), left, e.chosen(i, seed)}
				}
			}
			// A process that dies before a sync leaves what only the power
			// keeps.
			if i+1 < len(ops) && ops[i+1].kind == syncFile && random(seed, uint64(i)).IntN(10) == 0 {
				cuts <- cut{seed, "killed " + where, p.clone(), true}
			}
		}
	}
	close(cuts)
	workers.Wait()
}

// chosen says for which operations the queue has two accidents.
func (e *explorer) chosen(i int, seed uint64) bool { return i%100 == int(seed*40%100) }

// fates are those that each moment is looked at with: the two ends, and parts
// by chance.
func fates(parts int, seed ...uint64) iter.Seq2[string, fate] {
	return func(yield func(string, fate) bool) {
		if !yield("nothing", fate{}) || !yield("everything", fate{everything: true}) {
			return
		}
		chance := random(seed...)
		for range parts {
			if !yield("a part", fate{chance: chance}) {
				return
			}
		}
	}
}

// fresh tells whether there was no such image yet.
func (e *explorer) fresh(p *platter) bool {
	h := p.hash()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.seen[h] {
		return false
	}
	e.seen[h] = true
	return true
}

func (e *explorer) more() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.count < e.images && (e.until == "" || e.broken[e.until] == 0)
}

func (e *explorer) look(dir string, c cut) {
	p := c.left.clone()
	d, err := inspect(dir, c.left)
	e.tell(c, err)
	if err != nil || !c.again {
		return
	}
	for i, o := range d.trace {
		p.follow(o)
		if o.kind == note {
			continue
		}
		for name, f := range fates(1, c.seed, uint64(i)) {
			if left := p.cut(f); e.fresh(left) && e.more() {
				_, err := inspect(dir, left)
				e.tell(cut{seed: c.seed, where: fmt.Sprintf("%s, power cut after operation %d (%v) of the next start with %s", c.where, i, o, name)}, err)
			}
		}
	}
}

func (e *explorer) tell(c cut, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.count++
	if err == nil {
		return
	}
	promise := "the test works"
	if b, ok := errors.AsType[*broken](err); ok {
		promise = b.promise
	}
	e.broken[promise]++
	if len(e.example) < 5 {
		e.example = append(e.example, fmt.Sprintf("%s: %v; repeat with -crash.seed=%d", c.where, err, c.seed))
	}
}

// TestPowerCut finds every promise kept, whenever the power is cut.
func TestPowerCut(t *testing.T) {
	seed := *crashSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	e := &explorer{t: t, seed: seed, images: *crashImages}
	began := time.Now()
	e.run()
	t.Logf("%d images from seed %d, %.0f a second", e.count, seed, float64(e.count)/time.Since(began).Seconds())
	for _, x := range e.example {
		t.Error(x)
	}
	if len(e.broken) > 0 {
		t.Errorf("in %d images: %v", e.count, e.broken)
	}
}
