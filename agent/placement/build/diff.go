package build

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"lintas/agent/placement"
	"lintas/mrz"
)

const digestSize = 16

// An item of the sort by placement: digest of its id, the entry as JSON.
// An item of the sort by tag: tag, kind, digest of the id, operation, body.
const (
	opDelete = 0 // before an insertion in its place
	opInsert = 1

	itemHead = 16 + 1 + digestSize + 1
)

// changes are what a build alters in the state, to be taken in order.
type changes struct{ rows, names *spill }

func (c *changes) close() error { return errors.Join(c.rows.close(), c.names.close()) }

// diff reads the placements and finds out which are new, changed or gone.
func (b *builder) diff() (c *changes, err error) {
	entries, err := newSpill(b.spill, "entries")
	if err != nil {
		return nil, err
	}
	defer entries.close()
	if err := b.collect(entries); err != nil {
		return nil, err
	}
	c = &changes{}
	if c.rows, err = newSpill(b.spill, "rows"); err != nil {
		return nil, err
	}
	if c.names, err = newSpill(b.spill, "names"); err != nil {
		return nil, err
	}
	for i := range buckets {
		if err := b.diffBucket(entries, i, c); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	return c, nil
}

// collect reads all placements, and adds the documents that headquarters has
// cleared.
func (b *builder) collect(entries *spill) error {
	cleared := map[string][]placement.DocumentRef{}
	for _, c := range b.source.Cleared {
		cleared[c.PlacementID] = append(cleared[c.PlacementID], c.DocumentRef)
	}
	err := b.source.Placements(func(e placement.Entry) error {
		if err := b.ctx.Err(); err != nil {
			return err
		}
		if e.Removed && !b.source.Changes {
			return errors.New("removed stands among changes only")
		}
		e.Home = placement.Home{} // no business of a counter's
		if !e.Removed {
			e.Documents = append(slices.Clone(e.Documents), cleared[e.PlacementID]...)
			slices.SortFunc(e.Documents, compareDocuments)
			e.Documents = slices.CompactFunc(e.Documents, func(a, b placement.DocumentRef) bool {
				return a.IssuingState == b.IssuingState && a.DocumentNumber == b.DocumentNumber
			})
		}
		delete(cleared, e.PlacementID)
		text, err := json.Marshal(e)
		if err != nil {
			return err
		}
		id := b.Key.Digest("placement", []byte(e.PlacementID))
		return entries.put(append(id[:], text...))
	})
	if err != nil {
		return fmt.Errorf("nothing was built:\n%w", err)
	}
	for id := range cleared {
		return fmt.Errorf("a document was cleared for placement %s, which is not among the placements given", id)
	}
	return nil
}

func compareDocuments(a, b placement.DocumentRef) int {
	return cmpStrings(a.IssuingState, b.IssuingState, a.DocumentNumber, b.DocumentNumber, b.DateOfExpiry.String(), a.DateOfExpiry.String())
}

func cmpStrings(pairs ...string) int {
	for i := 0; i < len(pairs); i += 2 {
		if c := bytes.Compare([]byte(pairs[i]), []byte(pairs[i+1])); c != 0 {
			return c
		}
	}
	return 0
}

// known is a placement as the state has it.
type known struct {
	id, sum [digestSize]byte
	name    int64
	rows    []byte
}

// change is a placement that differs from the state's. No entry: it is gone.
type change struct {
	id, sum [digestSize]byte
	old     *known // nil: it is new
	entry   *placement.Entry
	rows    []placement.Row
}

func (b *builder) diffBucket(entries *spill, bucket int, changes *changes) error {
	items, err := entries.take(bucket)
	if err != nil {
		return err
	}
	if b.source.Changes && len(items) == 0 {
		return nil
	}
	before, err := b.known(bucket, items)
	if err != nil {
		return err
	}
	var list []*change
	next := 0
	for at := 0; at < len(items); {
		id := [digestSize]byte(items[at][:digestSize])
		e, n, err := newest(items[at:])
		if err != nil {
			return err
		}
		at += n
		for ; next < len(before) && bytes.Compare(before[next].id[:], id[:]) < 0; next++ {
			list = append(list, &change{id: before[next].id, old: &before[next]}) // gone
		}
		var old *known
		if next < len(before) && before[next].id == id {
			old = &before[next]
			next++
		}
		c := &change{id: id, entry: &e}
		text, err := json.Marshal(e)
		if err != nil {
			return err
		}
		c.sum = b.Key.Digest("content", text)
		switch {
		case e.Removed && old == nil:
			continue
		case e.Removed:
			c.entry, c.old = nil, old
		case old != nil && old.sum == c.sum:
			continue
		case old != nil:
			c.old = old
		}
		list = append(list, c)
	}
	for ; next < len(before); next++ {
		list = append(list, &change{id: before[next].id, old: &before[next]})
	}
	b.result.Changed += len(list)
	if err := b.lockAll(list); err != nil {
		return err
	}
	return b.record(list, changes)
}

// newest takes all items of the placement that the first is of, and gives the
// one with the highest revision.
func newest(items [][]byte) (best placement.Entry, n int, err error) {
	for ; n < len(items) && bytes.Equal(items[n][:digestSize], items[0][:digestSize]); n++ {
		var e placement.Entry
		if err := json.Unmarshal(items[n][digestSize:], &e); err != nil {
			return best, n, err
		}
		if n > 0 && e.Rev == best.Rev && !bytes.Equal(items[n], items[n-1]) {
			return best, n, fmt.Errorf("placement %s is given twice with revision %d and different content", e.PlacementID, e.Rev)
		}
		if n == 0 || e.Rev > best.Rev {
			best = e
		}
	}
	return best, n, nil
}

// known gives what the state has in a bucket, in order; of changes, only what
// they concern.
func (b *builder) known(bucket int, items [][]byte) (list []known, err error) {
	if b.fresh {
		return nil, nil
	}
	scan := func(query string, args ...any) error {
		rows, err := b.tx.QueryContext(b.ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id, sum []byte
			var k known
			if err := rows.Scan(&id, &sum, &k.name, &k.rows); err != nil {
				return err
			}
			k.id, k.sum = [digestSize]byte(id), [digestSize]byte(sum)
			list = append(list, k)
		}
		return rows.Err()
	}
	if !b.source.Changes {
		from, to := bounds(bucket)
		return list, scan("SELECT id, sum, name, rows FROM entry WHERE id >= ? AND id < ? ORDER BY id", from, to)
	}
	for i, item := range items {
		if i > 0 && bytes.Equal(item[:digestSize], items[i-1][:digestSize]) {
			continue
		}
		if err := scan("SELECT id, sum, name, rows FROM entry WHERE id = ?", item[:digestSize]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// bounds are those of the keys that begin with a byte.
func bounds(bucket int) (from, to []byte) {
	if bucket == buckets-1 {
		return []byte{byte(bucket)}, bytes.Repeat([]byte{0xff}, digestSize+1)
	}
	return []byte{byte(bucket)}, []byte{byte(bucket + 1)}
}

// lockAll locks what is new. The slow hashes use every core.
func (b *builder) lockAll(list []*change) error {
	g, ctx := errgroup.WithContext(b.ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, c := range list {
		if c.entry == nil {
			continue
		}
		if ctx.Err() != nil {
			break
		}
		g.Go(func() (err error) {
			c.rows, err = b.lock.Entry(*c.entry)
			return err
		})
	}
	return errors.Join(g.Wait(), b.ctx.Err())
}

// record writes the placements of a bucket to the state and hands their rows
// on, to be written in order of the tags.
func (b *builder) record(list []*change, changes *changes) error {
	put, err := b.tx.PrepareContext(b.ctx, "INSERT OR REPLACE INTO entry(id, sum, name, rows) VALUES(?, ?, ?, ?)")
	if err != nil {
		return err
	}
	defer put.Close()
	for _, c := range list {
		if c.old != nil {
			if err := changes.names.put(nameItem(c.old.name, opDelete)); err != nil {
				return err
			}
			for old := c.old.rows; len(old) >= 17; old = old[17:] {
				if err := changes.rows.put(slices.Concat(old[:17], c.id[:], []byte{opDelete})); err != nil {
					return err
				}
			}
		}
		if c.entry == nil {
			if _, err := b.tx.ExecContext(b.ctx, "DELETE FROM entry WHERE id = ?", c.id[:]); err != nil {
				return err
			}
			continue
		}
		name := b.name(*c.entry)
		if err := changes.names.put(nameItem(name, opInsert)); err != nil {
			return err
		}
		vague := byte(0)
		if placement.VagueBirth(c.entry.DateOfBirth) {
			vague = 1
		}
		var own []byte
		documents := append(binary.BigEndian.AppendUint64(nil, uint64(name)), vague)
		for _, r := range c.rows {
			own = append(append(own, r.Tag[:]...), byte(r.Kind))
			if r.Kind == placement.KindRecord {
				documents = append(documents, r.Tag[:]...)
			}
		}
		for _, r := range c.rows {
			body := r.Body
			if r.Kind == placement.KindStub {
				body = documents
			}
			if err := changes.rows.put(slices.Concat(r.Tag[:], []byte{byte(r.Kind)}, c.id[:], []byte{opInsert}, body)); err != nil {
				return err
			}
		}
		if _, err := put.ExecContext(b.ctx, c.id[:], c.sum[:], name, own); err != nil {
			return err
		}
	}
	return nil
}

// name is the digest of a person's name.
func (b *builder) name(e placement.Entry) int64 {
	sum := b.Key.Digest("name", []byte(mrz.NameKey(e.Primary, e.Secondary)))
	return int64(binary.BigEndian.Uint64(sum[:]) >> 1)
}

// An item of the sort by name: digest, operation.
func nameItem(name int64, op byte) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(name)<<1), op) // spread over all first bytes
}

// count writes how many placements there are of each name.
func (b *builder) count(names *spill) error {
	put, err := b.tx.PrepareContext(b.ctx, "INSERT INTO name(key, n) VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET n = n + excluded.n")
	if err != nil {
		return err
	}
	defer put.Close()
	for i := range buckets {
		items, err := names.take(i)
		if err != nil {
			return err
		}
		for at := 0; at < len(items); {
			key, n := items[at][:8], 0
			for ; at < len(items) && bytes.Equal(items[at][:8], key); at++ {
				if items[at][8] == opInsert {
					n++
				} else {
					n--
				}
			}
			if n == 0 {
				continue
			}
			if _, err := put.ExecContext(b.ctx, int64(binary.BigEndian.Uint64(key)>>1), n); err != nil {
				return err
			}
		}
	}
	return nil
}

// apply writes the changes to the state, the rows in order of their tags.
func (b *builder) apply(changes *changes) (err error) {
	defer func() { err = errors.Join(err, changes.close()) }()
	if err := b.count(changes.names); err != nil {
		return err
	}
	del, err := b.tx.PrepareContext(b.ctx, "DELETE FROM row WHERE tag = ? AND kind = ? AND id = ?")
	if err != nil {
		return err
	}
	defer del.Close()
	put, err := b.tx.PrepareContext(b.ctx, "INSERT OR REPLACE INTO row(tag, kind, id, body) VALUES(?, ?, ?, ?)")
	if err != nil {
		return err
	}
	defer put.Close()
	touch, err := b.tx.PrepareContext(b.ctx, "INSERT OR IGNORE INTO touched(version, tag) VALUES(?, ?)")
	if err != nil {
		return err
	}
	defer touch.Close()
	for i := range buckets {
		items, err := changes.rows.take(i)
		if err != nil {
			return err
		}
		for _, it := range items {
			tag, kind, id := it[:16], it[16], it[17:17+digestSize]
			if it[itemHead-1] == opDelete {
				_, err = del.ExecContext(b.ctx, tag, kind, id)
			} else {
				_, err = put.ExecContext(b.ctx, tag, kind, id, it[itemHead:])
			}
			if err == nil && !b.fresh {
				_, err = touch.ExecContext(b.ctx, b.head.Version, tag)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}
