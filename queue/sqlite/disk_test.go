package sqlite_test

import (
	"fmt"
	"slices"
	"sync"

	lib "modernc.org/sqlite/lib"
)

// A disk is one folder of files in memory. It writes down everything that
// changes it, so that it can be told afterwards what a power cut at any moment
// would have left; and it can be told to fail.
type disk struct {
	mu     sync.Mutex
	names  map[string]*content
	last   int // id of the newest file
	trace  []op
	fault  fault
	count  int  // changes and syncs that could have failed so far
	reads  int  // reads that could have failed so far
	lies   bool // says that it has synced files and has not
	forget bool // the same for the folder
}

// op is an entry of the trace: a change, a sync, or what the workload learnt
// at this moment.
type op struct {
	kind   kind
	file   int    // id; a name can belong to one file after the other
	name   string // for people, and for create and remove
	offset int64
	data   []byte
	size   int64
	learn  func(*promises)
}

type kind int

const (
	write kind = iota
	truncate
	syncFile
	syncLost // a sync that failed, after which the system believes that nothing is left to write
	create
	remove
	syncFolder
	note
	readFile // never in a trace
)

func (o op) String() string {
	switch o.kind {
	case write:
		return fmt.Sprintf("write %s %d+%d", o.name, o.offset, len(o.data))
	case truncate:
		return fmt.Sprintf("truncate %s to %d", o.name, o.size)
	}
	return [...]string{syncFile: "sync ", syncLost: "failed sync ", create: "create ", remove: "remove ", syncFolder: "sync folder", note: "note", readFile: "read "}[o.kind] + o.name
}

// fault is asked before each operation that can fail, with its number from 1;
// reads are numbered apart.
type fault func(n int, o op) failure

// failure is how an operation fails; the zero value lets it pass. A write that
// fails has written its first part bytes. A sync that fails may lose what was
// to be synced: Linux takes the pages for clean then, and reports the error
// once to everybody who has the file open.
type failure struct {
	rc   int32
	part int
	lost bool
}

// content is a file, whatever its name is by now.
type content struct {
	id   int
	data []byte

	opened   []*file
	shared   int // connections that hold a lock
	reserved *file
	pending  bool // reserved waits for the others to end, or is alone

	regions []uintptr // memory that connections share, for the index of the write-ahead log
	mapped  int
	slots   [lib.SQLITE_SHM_NLOCK]struct {
		shared    int
		exclusive *file
	}
}

// file is a content opened once.
type file struct {
	disk       *disk
	content    *content
	name       string
	syncFolder bool // the first sync also makes the name durable
	level      int32
	failed     bool // a sync over another file failed: this one's next says so too
	mapped     bool
	shared     [lib.SQLITE_SHM_NLOCK]bool
}

func newDisk() *disk { return &disk{names: map[string]*content{}} }

// learn puts into the trace what the workload knows from here on.
func (d *disk) learn(f func(*promises)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.trace = append(d.trace, op{kind: note, learn: f})
}

// fail sets or, with nil, ends what goes wrong.
func (d *disk) fail(f fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = f
}

// try asks whether an operation fails. d.mu is held.
func (d *disk) try(o op) failure {
	n := &d.count
	if o.kind == readFile {
		n = &d.reads
	}
	*n++
	if d.fault == nil {
		return failure{}
	}
	return d.fault(*n, o)
}

func (d *disk) open(name string, flags int32) (*file, int32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.names[name]
	if c == nil {
		if flags&lib.SQLITE_OPEN_CREATE == 0 {
			return nil, lib.SQLITE_CANTOPEN
		}
		o := op{kind: create, file: d.last + 1, name: name}
		if f := d.try(o); f.rc != 0 {
			return nil, lib.SQLITE_CANTOPEN
		}
		d.last++
		c = &content{id: d.last}
		d.names[name] = c
		d.trace = append(d.trace, o)
	}
	log := flags&(lib.SQLITE_OPEN_WAL|lib.SQLITE_OPEN_MAIN_JOURNAL|lib.SQLITE_OPEN_SUPER_JOURNAL) != 0
	f := &file{disk: d, content: c, name: name, syncFolder: log && flags&lib.SQLITE_OPEN_CREATE != 0}
	c.opened = append(c.opened, f)
	return f, lib.SQLITE_OK
}

func (d *disk) remove(name string, sync bool) int32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.names[name]
	if c == nil {
		return lib.SQLITE_IOERR_DELETE_NOENT
	}
	o := op{kind: remove, file: c.id, name: name}
	if f := d.try(o); f.rc != 0 {
		return lib.SQLITE_IOERR_DELETE
	}
	delete(d.names, name)
	d.trace = append(d.trace, o)
	if sync {
		d.syncNames()
	}
	return lib.SQLITE_OK
}

func (d *disk) syncNames() {
	if !d.forget {
		d.trace = append(d.trace, op{kind: syncFolder})
	}
}

// exists says no of an empty file, as the system's VFS does.
func (d *disk) exists(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.names[name]
	return c != nil && len(c.data) > 0
}

func (f *file) read(b []byte, offset int64) int32 {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if how := f.disk.try(op{kind: readFile, file: f.content.id, name: f.name}); how.rc != 0 {
		return how.rc
	}
	n := 0
	if offset < int64(len(f.content.data)) {
		n = copy(b, f.content.data[offset:])
	}
	if n < len(b) {
		clear(b[n:])
		return lib.SQLITE_IOERR_SHORT_READ
	}
	return lib.SQLITE_OK
}

func (f *file) write(b []byte, offset int64) int32 {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	o := op{kind: write, file: f.content.id, name: f.name, offset: offset, data: slices.Clone(b)}
	how := f.disk.try(o)
	if how.rc != 0 {
		o.data = o.data[:min(how.part, len(o.data))]
	}
	if len(o.data) > 0 {
		f.content.data = o.apply(f.content.data)
		f.disk.trace = append(f.disk.trace, o)
	}
	return how.rc
}

func (f *file) truncate(size int64) int32 {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	o := op{kind: truncate, file: f.content.id, name: f.name, size: size}
	if how := f.disk.try(o); how.rc != 0 {
		return how.rc
	}
	f.content.data = o.apply(f.content.data)
	f.disk.trace = append(f.disk.trace, o)
	return lib.SQLITE_OK
}

func (f *file) sync() int32 {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	o := op{kind: syncFile, file: f.content.id, name: f.name}
	if how := f.disk.try(o); how.rc != 0 {
		if how.lost {
			o.kind = syncLost
			f.disk.trace = append(f.disk.trace, o)
			for _, other := range f.content.opened {
				other.failed = other != f
			}
		}
		return how.rc
	}
	if f.failed {
		f.failed = false
		return lib.SQLITE_IOERR_FSYNC
	}
	if f.disk.lies {
		return lib.SQLITE_OK
	}
	f.disk.trace = append(f.disk.trace, o)
	if f.syncFolder {
		f.disk.syncNames()
		f.syncFolder = false
	}
	return lib.SQLITE_OK
}

func (f *file) size() int64 {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	return int64(len(f.content.data))
}

// apply does to a file's bytes what o does.
func (o op) apply(data []byte) []byte {
	end := o.size
	if o.kind == write {
		end = max(o.offset+int64(len(o.data)), int64(len(data)))
	}
	if grow := end - int64(len(data)); grow > 0 {
		data = append(data, make([]byte, grow)...)
	}
	data = data[:end]
	if o.kind == write {
		copy(data[o.offset:], o.data)
	}
	return data
}

// lock follows the five levels that SQLite's documentation describes.
func (f *file) lock(level int32) int32 {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	c := f.content
	if f.level >= level {
		return lib.SQLITE_OK
	}
	if other := c.reserved != nil && c.reserved != f; other && (c.pending || level > lib.SQLITE_LOCK_SHARED) {
		return lib.SQLITE_BUSY
	}
	switch level {
	case lib.SQLITE_LOCK_SHARED:
		c.shared++
	case lib.SQLITE_LOCK_RESERVED:
		c.reserved = f
	default:
		c.reserved, c.pending = f, true
		if c.shared > 1 {
			f.level = lib.SQLITE_LOCK_PENDING
			return lib.SQLITE_BUSY
		}
	}
	f.level = level
	return lib.SQLITE_OK
}

func (f *file) unlock(level int32) int32 {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	c := f.content
	if f.level <= level {
		return lib.SQLITE_OK
	}
	if c.reserved == f {
		c.reserved, c.pending = nil, false
	}
	if level == lib.SQLITE_LOCK_NONE {
		c.shared--
	}
	f.level = level
	return lib.SQLITE_OK
}

func (f *file) reserved() bool {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	return f.content.reserved != nil
}

// sharedMemory returns a region that all connections to the file see, or 0 if
// there is none and none shall be made.
func (f *file) sharedMemory(region, size int, extend bool) uintptr {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	c := f.content
	if !f.mapped {
		f.mapped = true
		c.mapped++
	}
	for extend && len(c.regions) <= region {
		c.regions = append(c.regions, allocate(size))
	}
	if region >= len(c.regions) {
		return 0
	}
	return c.regions[region]
}

func (f *file) lockShared(offset, n int, flags int32) int32 {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	slots := f.content.slots[offset : offset+n]
	shared := flags&lib.SQLITE_SHM_SHARED != 0
	for i := range slots {
		s, mine := &slots[i], &f.shared[offset+i]
		switch {
		case flags&lib.SQLITE_SHM_UNLOCK != 0:
			if *mine {
				*mine = false
				s.shared--
			}
			if s.exclusive == f {
				s.exclusive = nil
			}
		case s.exclusive != nil && s.exclusive != f, !shared && (s.shared > 1 || s.shared == 1 && !*mine):
			return lib.SQLITE_BUSY
		}
	}
	if flags&lib.SQLITE_SHM_LOCK == 0 {
		return lib.SQLITE_OK
	}
	for i := range slots {
		if !shared {
			slots[i].exclusive = f
		} else if mine := &f.shared[offset+i]; !*mine {
			*mine = true
			slots[i].shared++
		}
	}
	return lib.SQLITE_OK
}

// unmap gives the memory back when the last connection ends; what was in it is
// then found out anew from the log.
func (f *file) unmap() {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	c := f.content
	if !f.mapped {
		return
	}
	f.mapped = false
	if c.mapped--; c.mapped == 0 {
		for _, p := range c.regions {
			free(p)
		}
		c.regions = nil
	}
}

func (f *file) close() {
	f.unlock(lib.SQLITE_LOCK_NONE)
	f.unmap()
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.content.opened = slices.DeleteFunc(f.content.opened, func(o *file) bool { return o == f })
}
