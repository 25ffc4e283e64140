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

var (
	//go:embed schema.sql
	schemaQueue string
	//go:embed schema2.sql
	schemaParked string
	//go:embed schema3.sql
	schemaRecovery string
	//go:embed schema4.sql
	schemaConfirmed string
)

// QueueSchema marks queue files: "LntQ".
var QueueSchema = Schema{ApplicationID: 0x4c6e7451, Name: "queue", Steps: []string{schemaQueue, schemaParked, schemaRecovery, schemaConfirmed}, Cache: 384}

// ErrInUse: another process has the queue open.
var ErrInUse = errors.New("another process has the queue open")

// Options of a Queue.
type Options struct {
	// Seal binds a message to its position.
	Seal queue.Seal
	// Rewrap binds an event to another position when a new epoch begins, and
	// Recovered makes the message that the epoch begins with, and its note.
	// Without them a queue that cannot be continued is an error.
	Rewrap    queue.Rewrap
	Recovered func(queue.Recovery) (queue.Message, []byte, error)
	// Anchor is a file outside the database that keeps its last epoch,
	// sequence and head, best in another folder; "": none. Without it a file
	// that was deleted or is an old copy is not noticed here.
	Anchor string
	// CheckLater leaves the check of a file that is larger than so many bytes
	// to Check, which must be called soon; what removes events had better wait
	// for it. It takes seconds for weeks of events. 0: every file is checked
	// when it is opened.
	CheckLater int64
	// Quota bounds the database file, in bytes; 0: nothing but the disk does.
	// Beside it stand the write-ahead log, mostly below 16 MiB, and the
	// reserve.
	Quota int64
	// Reserve is how many bytes are kept free beside the file for a full disk;
	// 0: 8 MiB; negative: none.
	Reserve int64
}

// Queue is an open queue. Its methods may be used from many goroutines.
type Queue struct {
	*Reader
	path    string
	o       Options
	quota   int64 // in pages; 0: none
	lock    *os.File
	reserve *reserve

	line line

	writeMu sync.Mutex // guards append, ack and anchor: held during every transaction that writes
	append  *appender
	ack     *sql.DB
	lease   *sql.Stmt   // of the Reader: what Lease asks
	anchor  *anchor     // nil: none
	suspect atomic.Bool // a write has failed since the file was opened: reopen before the next one
	full    atomic.Bool
	damaged atomic.Pointer[error] // set once something stored could not be read

	unchecked atomic.Bool // Check has not gone through the file yet
	stopCheck atomic.Pointer[context.CancelFunc]

	recovery *queue.Recovery // what OpenQueue did; nil: nothing

	// Guards what follows. Epoch and first are also read by who holds writeMu:
	// they change only while both are held.
	mu      sync.Mutex
	epoch   queue.Epoch
	first   int64 // position of sequence 1
	head    queue.Head
	through uint64    // acknowledged watermark
	ackTime time.Time // the far end's time of the last acknowledgement
	leased  uint64    // last sequence handed out
	wake    chan struct{}
}

// OpenQueue opens the queue file at path, or makes it with a new epoch. It
// refuses a file that another process has open (ErrInUse) and a database of
// another kind (ErrNotOurs).
//
// A file that is damaged, gone or older than the anchor says does not keep it
// from opening: what can be read is taken over into a new file with a new
// epoch, the old files are put aside, and Recovery tells about it. Neither does
// a full disk, if there is a reserve: see Full.
func OpenQueue(ctx context.Context, path string, o Options) (*Queue, error) {
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, fmt.Errorf("cannot open queue %s: %w", path, err)
	}
	q := &Queue{
		path: path, o: o, lock: lock, quota: o.Quota / filePage, reserve: newReserve(path+".reserve", o.Reserve),
		line: line{done: make(chan struct{})}, wake: make(chan struct{}),
	}
	if err := q.withRoom(ctx, func() error { return q.begin(ctx) }); err != nil {
		return nil, errors.Join(err, q.closeFiles())
	}
	q.makeRoom(ctx)
	q.full.Store(q.reserve.gone())
	return q, nil
}

// begin finds out what there is and opens it. It may be called again.
func (q *Queue) begin(ctx context.Context) error {
	err := q.beginWith(ctx, q.o.CheckLater)
	if err != nil && q.o.CheckLater > 0 && unreadable(err) { // what its ends do not show
		err = q.beginWith(ctx, 0)
	}
	return err
}

func (q *Queue) beginWith(ctx context.Context, checkLater int64) error {
	if err := q.closeDatabases(); err != nil {
		return err
	}
	if err := q.finishRecovery(ctx); err != nil {
		return err
	}
	a, known, there := openAnchor(q.o.Anchor)
	q.anchor = a
	f, err := q.inspect(ctx, known, there, checkLater)
	if err != nil {
		return err
	}
	if f.cause != "" {
		if err := q.recover(ctx, f, known); err != nil {
			return err
		}
	}
	if err := q.load(ctx); err != nil {
		return err
	}
	if err := q.lowerWatermark(ctx, f, known); err != nil {
		return err
	}
	q.unchecked.Store(f.later && f.cause == "")
	q.drop()
	return nil
}

func (q *Queue) load(ctx context.Context) (err error) {
	if q.append, err = openAppender(ctx, q.path); err != nil {
		return err
	}
	if err := q.limit(ctx); err != nil {
		return fmt.Errorf("cannot open queue %s: %w", q.path, err)
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
	q.Reader.note = q.note
	if q.lease, err = q.Reader.db.PrepareContext(ctx, dueQuery); err != nil {
		return err
	}
	return q.reload(ctx)
}

// reload takes from the file how things stand.
func (q *Queue) reload(ctx context.Context) error {
	epochs, err := readEpochs(ctx, q.append)
	if err != nil {
		return err
	}
	head, through, ackTime, err := readEnds(ctx, q.append, epochs[len(epochs)-1])
	if err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if now := epochs[len(epochs)-1]; q.epoch != now.id {
		q.epoch, q.first = now.id, now.first
		q.leased = through
	}
	q.head, q.through, q.ackTime = head, through, ackTime
	q.rouse()
	return nil
}

// drop lets the anchor say where the chain ends. q.writeMu is held, or nobody
// else has the queue yet.
func (q *Queue) drop() {
	if q.anchor == nil {
		return
	}
	q.mu.Lock()
	s := anchored{head: q.head, first: q.first, through: q.through, ackTime: q.ackTime}
	q.mu.Unlock()
	q.anchor.write(s)
}

// AnchorError tells why the anchor could not be written last; nil if it could.
// The queue works without it.
func (q *Queue) AnchorError() error {
	q.writeMu.Lock()
	defer q.writeMu.Unlock()
	if q.anchor == nil || q.anchor.err == nil {
		return nil
	}
	return fmt.Errorf("cannot write anchor: %w", q.anchor.err)
}

// Recovery tells what OpenQueue found and did if the chain that was there could
// not be continued.
func (q *Queue) Recovery() (queue.Recovery, bool) {
	if q.recovery == nil {
		return queue.Recovery{}, false
	}
	return *q.recovery, true
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

// note looks whether an error means damage. From then on the queue takes
// nothing: a file that cannot be read may say anything, also that an event has
// been acknowledged.
func (q *Queue) note(err error) error {
	if IsFull(err) {
		q.full.Store(true)
	}
	err = damage(err)
	if errors.Is(err, queue.ErrDamaged) {
		q.damaged.CompareAndSwap(nil, &err)
	}
	return err
}

// trusted makes sure that the queue can be written. q.writeMu is held.
func (q *Queue) trusted(ctx context.Context) error {
	if err := q.damaged.Load(); err != nil {
		return *err
	}
	if q.suspect.Load() {
		return q.note(q.reopen(ctx))
	}
	return nil
}

// Put makes the message durable and returns where it stands. A message whose
// id is there already is not stored again: its first receipt is returned. The
// context only bounds the wait for its turn; once the message is being
// written, Put waits for the disk's answer.
func (q *Queue) Put(ctx context.Context, m queue.Message, note []byte) (queue.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return queue.Receipt{}, err
	}
	p := &put{message: m, note: note, done: make(chan bool, 1)}
	write, err := q.line.join(p)
	if err == nil && !write {
		write, err = q.line.wait(ctx, p)
	}
	if err != nil {
		return queue.Receipt{}, err
	}
	if write {
		q.write(p)
	}
	return p.receipt, p.err
}

// Find returns the event with this id. ErrNotFound is final: as long as it is
// not known what became of a write that failed, the error is another one.
func (q *Queue) Find(ctx context.Context, id queue.ID) (queue.Event, error) {
	suspect, damaged := q.suspect.Load(), q.damaged.Load()
	e, err := q.Reader.Find(ctx, id)
	if damaged != nil && err != nil {
		return e, *damaged
	}
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

func (q *Queue) wakeUp() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.rouse()
}

func (q *Queue) rouse() { // q.mu is held
	close(q.wake)
	q.wake = make(chan struct{})
}

// Lease returns the next events of the current epoch that have not been handed
// out since the last Release, oldest first, at most max; none when there are
// none.
func (q *Queue) Lease(ctx context.Context, max int) ([]queue.Event, error) {
	if err := q.damaged.Load(); err != nil {
		return nil, *err
	}
	q.mu.Lock()
	from, epoch, position := q.leased+1, q.epoch, q.first+int64(q.leased)
	q.mu.Unlock()
	events, err := q.due(ctx, position, max)
	if err != nil || len(events) == 0 {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.leased+1 != from || q.epoch != epoch || events[0].Epoch != epoch {
		return nil, nil // released, or a new epoch meanwhile: the caller looks again
	}
	q.leased = events[len(events)-1].Sequence
	return events, nil
}

// SQLite looks up the epoch once for each page.
const dueQuery = `SELECT position, id, at_ms, hash, sealed, note, position <= coalesce((SELECT through FROM watermark), 0),
	(SELECT reason FROM parked WHERE parked.position = event.position),
	(SELECT id FROM epoch ORDER BY number DESC LIMIT 1), position + 1 - (SELECT first FROM epoch ORDER BY number DESC LIMIT 1)
	FROM event WHERE position >= ?1 ORDER BY position LIMIT ?2`

// due returns what stands in the current epoch from a position on, in order.
func (q *Queue) due(ctx context.Context, position int64, max int) ([]queue.Event, error) {
	rows, err := q.lease.QueryContext(ctx, position, max)
	if err != nil {
		return nil, q.note(err)
	}
	events, _, err := scanEvents(rows)
	return events, q.note(err)
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
	if !q.line.close() {
		return queue.ErrClosed
	}
	return q.closeFiles()
}

func (q *Queue) closeFiles() error {
	err := q.closeDatabases()
	q.reserve.restore() // what has been beside the file is gone
	q.anchor.close()
	return errors.Join(err, q.lock.Close())
}

func (q *Queue) closeDatabases() error {
	var errs []error
	if q.Reader != nil {
		errs = append(errs, q.Reader.Close()) // and with it its statement
		q.Reader, q.lease = nil, nil
	}
	// A connection that writes is the last: it moves the write-ahead log into
	// the file.
	if q.ack != nil {
		errs = append(errs, q.ack.Close())
		q.ack = nil
	}
	if q.append != nil {
		errs = append(errs, q.append.Close())
		q.append = nil
	}
	return errors.Join(errs...)
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
