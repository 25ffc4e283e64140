package sqlite_test

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
)

// sector is what a disk writes wholly or not at all.
const sector = 512

// A platter follows a disk's trace and knows at each moment what is on the
// disk for certain and what may or may not be. Its rules are the weak ones
// that POSIX allows: without a sync, writes reach the disk in any order, in
// parts or never; a file's name is made or removed for certain only when the
// folder is synced.
type platter struct {
	files  map[int][]byte   // what is certain, by file
	doubts map[int][]change // what came after, in order
	names  map[string]int   // certain names
	moves  []op             // creates and removes after the last sync of the folder
	known  promises
	last   int
}

type change struct {
	op
	sure bool // synced, but behind one that is not
	lost bool // a sync of it failed: no later one makes up for it
}

func newPlatter() *platter {
	return &platter{files: map[int][]byte{}, doubts: map[int][]change{}, names: map[string]int{}}
}

func (p *platter) follow(o op) {
	switch o.kind {
	case write, truncate:
		p.doubts[o.file] = append(p.doubts[o.file], change{op: o})
	case syncFile, syncLost:
		doubts := p.doubts[o.file]
		for i := range doubts {
			if o.kind == syncLost {
				doubts[i].lost = doubts[i].lost || !doubts[i].sure
			} else {
				doubts[i].sure = doubts[i].sure || !doubts[i].lost
			}
		}
		n := 0
		for n < len(doubts) && doubts[n].sure {
			p.files[o.file] = doubts[n].apply(p.files[o.file])
			n++
		}
		p.doubts[o.file] = slices.Delete(doubts, 0, n)
	case create, remove:
		p.last = max(p.last, o.file)
		p.moves = append(p.moves, o)
	case syncFolder:
		for _, o := range p.moves {
			move(p.names, o)
		}
		p.moves = nil
	case note:
		o.learn(&p.known)
	}
}

func move(names map[string]int, o op) {
	if o.kind == create {
		names[o.name] = o.file
	} else {
		delete(names, o.name)
	}
}

func (p *platter) clone() *platter {
	c := *p
	c.files, c.doubts, c.names = map[int][]byte{}, map[int][]change{}, maps.Clone(p.names)
	for id, data := range p.files {
		c.files[id] = slices.Clone(data)
	}
	for id, list := range p.doubts {
		c.doubts[id] = slices.Clone(list)
	}
	c.moves, c.known = slices.Clone(p.moves), p.known.copy()
	return &c
}

// A fate decides what the power cut does to what is in doubt: the two ends, or
// by chance.
type fate struct {
	everything bool
	chance     *rand.Rand
}

// cut is what a power cut leaves; nothing of it is in doubt.
func (p *platter) cut(f fate) *platter {
	after := newPlatter()
	after.last, after.known = p.last, p.known.copy()
	names := maps.Clone(p.names)
	for _, o := range p.moves {
		if f.everything || f.chance != nil && f.chance.IntN(2) == 0 {
			move(names, o)
		}
	}
	var whole, junk int // of ten
	if f.chance != nil {
		whole, junk = []int{1, 5, 9}[f.chance.IntN(3)], []int{0, 5}[f.chance.IntN(2)]
	}
	for name, id := range names {
		data := slices.Clone(p.files[id])
		for _, c := range p.doubts[id] {
			switch {
			case c.sure, f.everything, f.chance != nil && f.chance.IntN(10) < whole:
				data = c.apply(data)
			case f.chance != nil && c.kind == write && f.chance.IntN(2) == 0:
				data = tear(c.op, data, f.chance, junk)
			}
		}
		after.names[name], after.files[id] = id, data
	}
	return after
}

// tear applies some sectors of a write. Where the write makes the file longer,
// the others may be anything.
func tear(o op, data []byte, chance *rand.Rand, junk int) []byte {
	for from := int64(0); from < int64(len(o.data)); {
		to := min(int64(len(o.data)), (o.offset+from)/sector*sector+sector-o.offset)
		part := op{kind: write, offset: o.offset + from, data: o.data[from:to]}
		if part.offset >= int64(len(data)) && chance.IntN(10) < junk {
			part.data = make([]byte, to-from)
			for i := range part.data {
				part.data[i] = byte(chance.Uint32())
			}
			data = part.apply(data)
		} else if chance.IntN(2) == 0 {
			data = part.apply(data)
		}
		from = to
	}
	return data
}

// disk is the disk as a process finds it that runs after this moment: after a
// power cut with what was left, without one with all that was written.
func (p *platter) disk() *disk {
	names := maps.Clone(p.names)
	for _, o := range p.moves {
		move(names, o)
	}
	d := newDisk()
	d.last = p.last
	for name, id := range names {
		data := slices.Clone(p.files[id])
		for _, c := range p.doubts[id] {
			data = c.apply(data)
		}
		d.names[name] = &content{id: id, data: data}
	}
	return d
}

// hash is the same for platters that hold the same and promise the same.
func (p *platter) hash() (sum [32]byte) {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(p.names)) {
		fmt.Fprintf(h, "%s %d\n", name, len(p.files[p.names[name]]))
		h.Write(p.files[p.names[name]])
	}
	k := p.known
	fmt.Fprintln(h, len(k.begun), len(k.kept), len(k.absent), k.asked, k.pruning, k.pruned)
	h.Sum(sum[:0])
	return sum
}
