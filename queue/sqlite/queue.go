package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"lintas/queue"
)

//go:embed schema.sql
var schemaQueue string

//go:embed schema2.sql
var schemaParked string

// QueueSchema marks queue files: "LntQ".
var QueueSchema = Schema{ApplicationID: 0x4c6e7451, Name: "queue", Steps: []string{schemaQueue, schemaParked}}

// ErrInUse: another process has the queue open.
var ErrInUse = errors.New("another process has the queue open")

// batchLimit bounds how many messages share one transaction.
const batchLimit = 128

// Queue is an open queue. Its methods may be used from many goroutines.
type Queue struct {
	*Reader
	path  string
	seal  queue.Seal
	epoch queue.Epoch
	first int64 // position of sequence 1
	lock  *os.File

	puts   chan *put
	closed chan struct{} // closed by Close
	done   chan struct{} // closed when the writer has ended

	quota   int64      // bytes; guarded by writeMu
	writeMu sync.Mutex // guards append: held by the writer during a transaction, and by Prune
	append  *sql.DB
	ack     *sql.DB
	suspect atomic.Bool // a write has failed since the file was opened: reopen before the next one

	mu      sync.Mutex // guards what follows
	head    queue.Head
	through uint64    // acknowledged watermark
	ackTime time.Time // the far end's time of the last acknowledgement
	leased  uint64    // last sequence handed out
	wake    chan struct{}
}

type put struct {
	message queue.Message
	note    []byte
	receipt queue.Receipt
	err     error
	done    chan struct{}
}

// OpenQueue opens the queue file at path, or makes it with a new epoch. It
// refuses a file that another process has open (ErrInUse).
func OpenQueue(ctx context.Context, path string, seal queue.Seal) (*Queue, error) {
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, fmt.Errorf("cannot open queue %s: %w", path, err)
	}
	q := &Queue{
		path: path, seal: seal, lock: lock,
		puts: make(chan *put, batchLimit), closed: make(chan struct{}), done: make(chan struct{}),
		wake: make(chan struct{}),
	}
	if err := q.load(ctx); err != nil {
		return nil, errors.Join(err, q.closeFiles())
	}
	go q.write()
	return q, nil
}

func (q *Queue) load(ctx context.Context) (err error) {
	if q.append, err = Open(ctx, q.path, Durable, QueueSchema); err != nil {
		return err
	}
	if err := restartLog(ctx, q.append); err != nil {
		return fmt.Errorf("cannot open queue %s: %w", q.path, err)
	}
	if err := q.loadEpoch(ctx); err != nil {
		return fmt.Errorf("cannot read queue %s: %w", q.path, err)
	}
	if q.ack, err = Open(ctx, q.path, Relaxed, QueueSchema); err != nil {
		return err
	}
	if q.Reader, err = OpenReader(ctx, q.path); err != nil {
		return err
	}
	st, err := q.Reader.Status(ctx)
	if err != nil {
		return err
	}
	if st.Acknowledged > st.Head.Sequence {
		return fmt.Errorf("queue %s has lost its end: %d events are acknowledged, the last is %d", q.path, st.Acknowledged, st.Head.Sequence)
	}
	q.epoch, q.first = st.Head.Epoch, q.Reader.first
	q.head, q.through, q.ackTime, q.leased = st.Head, st.Acknowledged, st.AckTime, st.Acknowledged
	return nil
}

func (q *Queue) loadEpoch(ctx context.Context) error {
	var n int
	if err := q.append.QueryRowContext(ctx, "SELECT count(*) FROM epoch").Scan(&n); err != nil || n > 0 {
		return err
	}
	var id queue.Epoch
	rand.Read(id[:])
	_, err := q.append.ExecContext(ctx, "INSERT INTO epoch(id, first, began_ms) VALUES(?, 1, ?)", id[:], time.Now().UnixMilli())
	return err
}

// Put makes the message durable and returns where it stands. A message whose
// id is there already is not stored again: its first receipt is returned. The
// context only bounds the wait for a place in the line; once the message is
// with the writer, Put waits for the disk's answer.
func (q *Queue) Put(ctx context.Context, m queue.Message, note []byte) (queue.Receipt, error) {
	p := &put{message: m, note: note, done: make(chan struct{})}
	select {
	case <-q.closed: // looked at first: a closed queue takes nothing, however empty the line
		return queue.Receipt{}, queue.ErrClosed
	default:
	}
	select {
	case q.puts <- p:
	case <-q.closed:
		return queue.Receipt{}, queue.ErrClosed
	case <-ctx.Done():
		return queue.Receipt{}, ctx.Err()
	}
	select {
	case <-p.done:
	case <-q.done: // the writer ended; it may still have taken p
		select {
		case <-p.done:
		default:
			return queue.Receipt{}, queue.ErrClosed
		}
	}
	return p.receipt, p.err
}

// Find returns the event with this id. ErrNotFound is final: as long as it is
// not known what became of a write that failed, the error is another one.
func (q *Queue) Find(ctx context.Context, id queue.ID) (queue.Event, error) {
	suspect := q.suspect.Load()
	e, err := q.Reader.Find(ctx, id)
	if suspect && errors.Is(err, queue.ErrNotFound) {
		err = fmt.Errorf("queue %s could not be written: what became of the event is not known yet", q.path)
	}
	return e, err
}

// Head is the end of the chain.
func (q *Queue) Head() queue.Head {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.head
}

// Wake returns a channel that is closed at the next Put, Release or
// Acknowledge. Take it before looking, so that nothing is missed.
func (q *Queue) Wake() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.wake
}

func (q *Queue) rouse() { // q.mu is held
	close(q.wake)
	q.wake = make(chan struct{})
}

// Lease returns the next events that have not been handed out since the last
// Release, oldest first, at most max; none when there are none.
func (q *Queue) Lease(ctx context.Context, max int) ([]queue.Event, error) {
	q.mu.Lock()
	from := q.leased + 1
	q.mu.Unlock()
	events, err := q.Reader.page(ctx, from, max)
	if err != nil || len(events) == 0 {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.leased+1 != from {
		return nil, nil // released meanwhile: the caller looks again
	}
	q.leased = events[len(events)-1].Sequence
	return events, nil
}

// Release gives back every leased event that is not acknowledged.
func (q *Queue) Release() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.leased = q.through
	q.rouse()
}

// Close ends the queue: what has been taken is written, what comes later is
// refused. It returns when the files are closed.
func (q *Queue) Close() error {
	select {
	case <-q.closed:
		return queue.ErrClosed
	default:
	}
	close(q.closed)
	<-q.done
	return q.closeFiles()
}

func (q *Queue) closeFiles() error {
	var errs []error
	if q.Reader != nil {
		errs = append(errs, q.Reader.Close())
	}
	// A connection that writes is the last: it moves the write-ahead log into
	// the file.
	for _, db := range []*sql.DB{q.ack, q.append} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(append(errs, q.lock.Close())...)
}

// lockFile holds an advisory lock until the file is closed, also by a crash.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, ErrInUse
		}
		return nil, err
	}
	return f, nil
}
