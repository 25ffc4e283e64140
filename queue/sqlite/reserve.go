package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	lib "modernc.org/sqlite/lib"
)

// ErrFull: there is no room left for new messages. What is stored can be read,
// sent, acknowledged and pruned, which makes room again.
var ErrFull = errors.New("no room left")

const defaultReserve = 8 << 20

// A reserve is room that is kept for a full disk. SQLite needs room even to
// delete: without a reserve a queue that has filled its disk could neither
// take an acknowledgement nor prune, and would stay full for ever.
type reserve struct {
	path string
	size int64 // 0: none is wanted

	mu       sync.Mutex // guards what follows
	released bool       // it was given up for a full disk and is not back yet
}

func newReserve(path string, size int64) *reserve {
	switch {
	case size == 0:
		size = defaultReserve
	case size < 0:
		size = 0
	}
	r := &reserve{path: path, size: size}
	if st, err := os.Stat(path); err == nil && st.Size() == 0 && size > 0 {
		r.released = true // by an earlier process
	}
	return r
}

// restore makes the reserve. For the first time only if there is plenty of room:
// what it takes must not be what makes the disk full. After that at once: it is
// the same room that it had.
func (r *reserve) restore() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.size == 0 {
		return
	}
	if r.standing() {
		r.released = false
		return
	}
	if free, err := freeSpace(r.path); err != nil || !r.released && free < 3*r.size {
		return
	}
	if err := r.make(); err != nil {
		os.Truncate(r.path, 0) // half of it would be in the way; it is tried again later
		return
	}
	r.released = false
}

func (r *reserve) standing() bool {
	var st unix.Stat_t
	return unix.Stat(r.path, &st) == nil && st.Size >= r.size && st.Blocks*512 >= r.size
}

func (r *reserve) make() error {
	f, err := os.OpenFile(r.path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	err = unix.Fallocate(int(f.Fd()), 0, 0, r.size)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		_, err = io.CopyN(f, zeros{}, r.size)
	}
	if err != nil {
		return err
	}
	return f.Sync()
}

// release gives the room up and tells whether there was any.
func (r *reserve) release() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.size == 0 {
		return false
	}
	st, err := os.Stat(r.path)
	if err != nil || st.Size() == 0 || os.Truncate(r.path, 0) != nil {
		return false
	}
	r.released = true
	return true
}

// gone tells that the reserve was given up and that there is hardly any room
// beside it: what is left is for acknowledging and pruning.
func (r *reserve) gone() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.released {
		return false
	}
	free, err := freeSpace(r.path)
	return err == nil && free < 2*r.size
}

func freeSpace(path string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(path), &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * st.Bsize, nil
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// IsFull tells whether err means that there is no room left.
func IsFull(err error) bool {
	return errors.Is(err, ErrFull) || errors.Is(err, unix.ENOSPC) ||
		code(err)&0xff == lib.SQLITE_FULL || code(err) == lib.SQLITE_IOERR_SHMSIZE
}

// withRoom does what must be possible on a full disk too: it is tried once
// more beyond the quota, and then with the reserve. q.writeMu is held, or
// nobody else has the queue yet.
func (q *Queue) withRoom(ctx context.Context, do func() error) error {
	err := do()
	if IsFull(err) && q.quota > 0 && q.append != nil {
		q.full.Store(true)
		// What is allowed beyond it is not much, and is given back: only
		// messages fill a queue, and they never get here.
		if _, e := q.append.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", q.quota+quotaMargin)); e == nil {
			err = do()
			q.limit(ctx)
		}
	}
	if q.cramped(err) && q.reserve.release() {
		q.full.Store(true)
		err = do()
		q.makeRoom(ctx)
	}
	return err
}

// quotaMargin is how many pages an acknowledgement may go beyond the quota.
const quotaMargin = 1024

// cramped tells whether more room could help. A full disk can also look like a
// file that cannot be opened, because beside the database two more are made.
func (q *Queue) cramped(err error) bool {
	if err == nil || IsFull(err) {
		return err != nil
	}
	switch code(err) & 0xff {
	case lib.SQLITE_CANTOPEN, lib.SQLITE_IOERR:
		free, e := freeSpace(q.path)
		return e == nil && free < 1<<20
	}
	return false
}

// limit puts the quota on the connection that takes messages.
func (q *Queue) limit(ctx context.Context) error {
	if q.quota == 0 || q.append == nil {
		return nil
	}
	_, err := q.append.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", q.quota))
	return err
}

// makeRoom gives what is free in the file back to the disk when that was full,
// and makes the reserve again. It goes in small steps, because each needs some
// room in the log before it frees more. q.writeMu is held.
func (q *Queue) makeRoom(ctx context.Context) {
	if q.full.Load() && q.append != nil {
		for range vacuumSteps {
			if !q.truncateLog(ctx) {
				break
			}
			var free int
			err := q.append.QueryRowContext(ctx, "PRAGMA freelist_count").Scan(&free)
			if space, e := freeSpace(q.path); err != nil || free == 0 || e != nil || q.reserve.size > 0 && space > 8*q.reserve.size {
				break
			}
			if _, err := q.append.ExecContext(ctx, fmt.Sprintf("PRAGMA incremental_vacuum(%d)", vacuumPages)); err != nil {
				q.suspect.Store(true)
				break
			}
		}
	}
	q.reserve.restore()
}

const (
	vacuumSteps = 64
	vacuumPages = 64
)

// truncateLog moves the log into the file and gives its room back. It may be in
// vain: a reader is in the way, or not even that is possible.
func (q *Queue) truncateLog(ctx context.Context) bool {
	var busy, frames, moved int
	err := q.append.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved)
	if err != nil {
		q.suspect.Store(true)
	}
	return err == nil && busy == 0
}

// Full tells whether the queue has run out of room and has not taken a message
// since. Acknowledging and pruning make room; Probe finds out whether it is
// enough.
func (q *Queue) Full() bool { return q.full.Load() }
