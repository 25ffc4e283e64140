package sqlite

import (
	"context"
	"encoding/binary"
)

// freeIsFree makes sure that what is written next takes the place of nothing: no
// page that the file holds as free, or that is said to lie behind its end, may
// be in use. SQLite believes that without looking. An error that is
// queue.ErrDamaged calls for the whole check: a file from which something was
// given back is longer until that leaves the log.
func freeIsFree(ctx context.Context, db querier, size int64) error {
	var pages int64
	if err := db.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages); err != nil {
		return err
	}
	if pages*filePage < size {
		return damagef("it is longer than it says")
	}
	read := func(n int64) (b []byte, err error) {
		if n < 1 || n > pages {
			return nil, damagef("page %d is not in the file", n)
		}
		err = db.QueryRowContext(ctx, "SELECT data FROM sqlite_dbpage WHERE pgno = ?", n).Scan(&b)
		if err == nil && len(b) != filePage {
			err = damagef("page %d is cut off", n)
		}
		return b, err
	}
	header, err := read(1)
	if err != nil {
		return err
	}
	number := func(b []byte, at int) int64 { return int64(binary.BigEndian.Uint32(b[at:])) }
	free, seen, maps := number(header, 36), make([]bool, pages+1), map[int64][]byte{}
	// Every page is also described in a map page, which comes before those that
	// it describes; in that a free one is marked as such.
	take := func(n int64) (err error) {
		at := (n-2)/(mapped+1)*(mapped+1) + 2
		if at == lockPage {
			at++
		}
		if n < 3 || n > pages || n <= at || seen[n] {
			return damagef("page %d cannot be free", n)
		}
		if maps[at] == nil {
			if maps[at], err = read(at); err != nil {
				return err
			}
		}
		if maps[at][(n-at-1)*mapEntry] != mapFree {
			return damagef("page %d is in use and named as free", n)
		}
		seen[n] = true
		free--
		return nil
	}
	for trunk := number(header, 32); trunk != 0; {
		if err := take(trunk); err != nil {
			return err
		}
		b, err := read(trunk)
		if err != nil {
			return err
		}
		count := number(b, 4)
		if count > filePage/4-2 {
			return damagef("the list of free pages is not as it was written")
		}
		for i := range int(count) {
			if err := take(number(b, 8+4*i)); err != nil {
				return err
			}
		}
		trunk = number(b, 0)
	}
	if free != 0 {
		return damagef("the list of free pages does not end as it should")
	}
	return nil
}

// How SQLite describes pages in a file that can be vacuumed in steps.
const (
	mapEntry = 5                   // bytes for each page
	mapped   = filePage / mapEntry // pages that a map page describes
	mapFree  = 2
	lockPage = 1<<30/filePage + 1 // never used
)
