package sqlite

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"slices"
	"unicode/utf8"

	"lintas/queue"
)

// Salvage reads a database page by page, without SQLite: where a page that
// leads to others is destroyed, those cannot be reached any more but are whole.
// A row counts as an event if its sealed bytes have the hash that stands beside
// them, wherever it is found. The format is that of
// https://www.sqlite.org/fileformat2.html.

// salvaged is what could be read of a damaged queue.
type salvaged struct {
	epochs  []span // by number
	before  map[queue.Epoch]int64
	through int64 // position of the watermark; -1: not found
	pruned  int64 // position up to which a gap is nothing to worry about
	parked  map[int64]string
	rows    []row // by position, each position and id once
	last    int64 // highest position that is named anywhere; 0: none
}

// row is an event and where it can be read.
type row struct {
	position int64
	id       queue.ID
	at       int64
	hash     queue.Hash

	from *image
	page place
	cell int
}

// place is where a page stands: in the file, or in the log.
type place struct {
	log    bool
	offset int64
}

// image is one state of a database: for each page the log may have a newer
// version.
type image struct {
	file, log *os.File // nil: there is none
	pages     int64
	newest    map[int64]int64 // offset in the log, by page number
}

const (
	logHeader   = 32
	frameHeader = 24
	maxCells    = (filePage - 8) / 2
	maxPayload  = 1 << 24 // nothing larger was ever stored
	maxColumns  = 16
)

// salvage reads what can be read of the database at path and its log. The
// images stay open until closed is called.
func salvage(path string) (s *salvaged, closed func(), err error) {
	file, err := openIfThere(path)
	if err != nil {
		return nil, nil, err
	}
	log, err := openIfThere(path + "-wal")
	if err != nil {
		return nil, nil, errors.Join(err, closeIfOpen(file))
	}
	closed = func() { closeIfOpen(file); closeIfOpen(log) }
	s = &salvaged{before: map[queue.Epoch]int64{}, through: -1, parked: map[int64]string{}}

	// First what SQLite would see: the file, and the log as far as it is
	// whole. Then what stands in the log behind that: the end of a commit that
	// was cut off by one bad bit.
	sound, all := &image{file: file, log: log, newest: map[int64]int64{}}, &image{file: file, log: log, newest: map[int64]int64{}}
	if file != nil {
		st, err := file.Stat()
		if err != nil {
			closed()
			return nil, nil, err
		}
		sound.pages = st.Size() / filePage
	}
	loose := readLog(log, sound.newest, all.newest)
	all.pages = sound.pages
	found := map[int64]row{}
	keep := func(r row) {
		if _, there := found[r.position]; !there {
			found[r.position] = r
		}
	}
	var b [filePage]byte
	for n := range sound.newest {
		sound.pages = max(sound.pages, n)
	}
	for n := int64(1); n <= sound.pages; n++ {
		if at, ok := sound.read(n, b[:]); ok {
			s.page(sound, at, n, b[:], true, keep)
		}
	}
	for _, at := range loose {
		if all.readAt(at, b[:]) {
			s.page(all, at, 0, b[:], false, keep)
		}
	}
	for _, r := range found {
		s.rows = append(s.rows, r)
		s.last = max(s.last, r.position)
	}
	// Two places for one message: the later one is where it came to stand.
	slices.SortFunc(s.rows, func(a, b row) int { return cmp.Compare(b.position, a.position) })
	seen := map[queue.ID]bool{}
	s.rows = slices.DeleteFunc(s.rows, func(r row) bool {
		twice := seen[r.id]
		seen[r.id] = true
		return twice
	})
	slices.Reverse(s.rows)
	slices.SortFunc(s.epochs, func(a, b span) int { return cmp.Compare(a.number, b.number) })
	return s, closed, nil
}

func openIfThere(path string) (*os.File, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return f, err
}

func closeIfOpen(f *os.File) error {
	if f == nil {
		return nil
	}
	return f.Close()
}

// readLog fills in where the newest version of each page stands: in sound those
// that were committed, as the checksums tell; in all also those behind. It
// returns the frames that do not count as committed.
func readLog(log *os.File, sound, all map[int64]int64) (loose []place) {
	var h [logHeader]byte
	if log == nil {
		return nil
	}
	if _, err := log.ReadAt(h[:], 0); err != nil {
		return nil
	}
	var order binary.ByteOrder = binary.LittleEndian
	if h[3]&1 != 0 {
		order = binary.BigEndian
	}
	var sum [2]uint32
	sum = logSum(order, sum, h[:24])
	whole := binary.BigEndian.Uint32(h[24:]) == sum[0] && binary.BigEndian.Uint32(h[28:]) == sum[1]
	headless := !whole // then nothing tells this log's frames from those of the one before
	salt := binary.BigEndian.Uint64(h[16:])
	var f [frameHeader + filePage]byte
	pending := map[int64]int64{} // of a commit that has not ended yet
	var frames []place
	for offset := int64(logHeader); ; offset += int64(len(f)) {
		if _, err := log.ReadAt(f[:], offset); err != nil {
			break
		}
		at := offset + frameHeader
		n := int64(binary.BigEndian.Uint32(f[:]))
		fits := binary.BigEndian.Uint64(f[8:]) == salt
		if whole {
			sum = logSum(order, sum, f[:8])
			sum = logSum(order, sum, f[frameHeader:])
			whole = fits && binary.BigEndian.Uint32(f[16:]) == sum[0] && binary.BigEndian.Uint32(f[20:]) == sum[1]
		}
		frames = append(frames, place{true, at})
		if fits || headless {
			all[n] = at
		}
		if !whole {
			continue
		}
		pending[n] = at
		if binary.BigEndian.Uint32(f[4:]) != 0 { // the last one of a commit
			for n, at := range pending {
				sound[n] = at
			}
			clear(pending)
			frames = frames[:0]
		}
	}
	return frames
}

// logSum goes on with the checksum of the log.
func logSum(order binary.ByteOrder, sum [2]uint32, b []byte) [2]uint32 {
	for ; len(b) >= 8; b = b[8:] {
		sum[0] += order.Uint32(b) + sum[1]
		sum[1] += order.Uint32(b[4:]) + sum[0]
	}
	return sum
}

func (m *image) read(n int64, b []byte) (at place, ok bool) {
	at = place{offset: (n - 1) * filePage}
	if offset, there := m.newest[n]; there {
		at = place{true, offset}
	}
	return at, m.readAt(at, b)
}

func (m *image) readAt(at place, b []byte) bool {
	f := m.file
	if at.log {
		f = m.log
	}
	if f == nil {
		return false
	}
	_, err := f.ReadAt(b, at.offset)
	return err == nil
}

// page takes from a page what it holds. Pages of which the first byte is no
// page's are tried as well: an event proves itself. What does not is only
// believed where SQLite would have seen it.
func (s *salvaged) page(m *image, at place, n int64, b []byte, sound bool, keep func(row)) {
	head, index := 0, false
	if n == 1 {
		head = 100
	}
	switch b[head] {
	case 0x05: // leads to other pages of a table
		return
	case 0x02, 0x0a:
		index = true
	}
	pointers := head + 8
	if b[head] == 0x02 {
		pointers += 4
	}
	count := int(binary.BigEndian.Uint16(b[head+3:]))
	for i := range maxCells {
		if pointers+2*i+2 > len(b) {
			return
		}
		cell := int(binary.BigEndian.Uint16(b[pointers+2*i:]))
		if index {
			if i >= count {
				return
			}
			s.entry(m, b, cell, b[head] == 0x02)
			continue
		}
		r, ok := s.cell(m, b, cell, sound && b[head] == 0x0d && i < count)
		if !ok && i >= count { // a count that is too small hides nothing
			return
		}
		if r.position > 0 {
			r.from, r.page, r.cell = m, at, cell
			keep(r)
		}
	}
}

// entry looks which position an entry of the index of ids names.
func (s *salvaged) entry(m *image, page []byte, cell int, interior bool) {
	if interior {
		cell += 4
	}
	size, n := varint(page, cell)
	if n == 0 || size > maxPayload {
		return
	}
	c, ok := columns(m.payload(page, cell+n, int(size), (filePage-12)*64/255-23))
	if ok && len(c) == 2 && len(c[0].bytes) == 16 && c[1].kind == integer {
		if p := c[1].n; p > s.last && p < 1<<48 {
			s.last = p
		}
	}
}

// cell reads a table's row. Other rows than events are only taken if they are
// to be believed.
func (s *salvaged) cell(m *image, page []byte, cell int, believe bool) (r row, ok bool) {
	id, c, ok := m.cell(page, cell)
	if !ok {
		return row{}, false
	}
	if r, _, _, ok := event(id, c); ok {
		return r, true
	}
	is := func(i int, k kind) bool { return c[i].kind == k }
	if !believe || !is(0, null) {
		return row{}, false
	}
	switch len(c) {
	case 2:
		if is(1, integer) && id == 1 {
			s.pruned = c[1].n
		}
	case 3:
		if is(1, text) && is(2, integer) && id > 0 {
			s.parked[id] = string(c[1].bytes)
		}
	case 4:
		switch {
		case is(1, blob) && len(c[1].bytes) == 16 && is(2, integer) && is(3, integer) && id > 0 && c[2].n > 0:
			s.epochs = append(s.epochs, span{number: id, id: queue.Epoch(c[1].bytes), first: c[2].n, began: c[3].n})
		case is(1, integer) && is(2, integer) && (is(3, null) || is(3, integer)) && id == 1 && c[1].n >= 0:
			s.through = c[1].n
		}
	case 8:
		if is(1, text) && is(2, blob) && len(c[2].bytes) == 16 && is(3, integer) {
			s.before[queue.Epoch(c[2].bytes)] = c[3].n
		}
	}
	return row{}, false
}

// event takes a row for an event if its hash proves it.
func event(position int64, c []column) (r row, sealed, note []byte, ok bool) {
	if position <= 0 || len(c) != 6 || c[0].kind != null || len(c[1].bytes) != 16 || c[2].kind != integer ||
		len(c[3].bytes) != 32 || c[4].kind != blob || c[5].kind != blob && c[5].kind != null {
		return row{}, nil, nil, false
	}
	hash := queue.Hash(c[3].bytes)
	if sha256.Sum256(c[4].bytes) != hash {
		return row{}, nil, nil, false
	}
	return row{position: position, id: queue.ID(c[1].bytes), at: c[2].n, hash: hash}, c[4].bytes, c[5].bytes, true
}

// read fetches an event's bytes again.
func (r row) read() (sealed, note []byte, ok bool) {
	var b [filePage]byte
	if !r.from.readAt(r.page, b[:]) {
		return nil, nil, false
	}
	id, c, ok := r.from.cell(b[:], r.cell)
	if !ok {
		return nil, nil, false
	}
	again, sealed, note, ok := event(id, c)
	return sealed, note, ok && again.position == r.position && again.hash == r.hash
}

// cell reads the cell of a table's leaf: its row id and columns.
func (m *image) cell(page []byte, cell int) (id int64, c []column, ok bool) {
	size, n := varint(page, cell)
	rowid, k := varint(page, cell+n)
	if n == 0 || k == 0 || size > maxPayload {
		return 0, nil, false
	}
	c, ok = columns(m.payload(page, cell+n+k, int(size), filePage-35))
	return int64(rowid), c, ok
}

// payload puts together what stands in the page and what flows over into
// others. Local is how much of a payload that does not flow over fits.
func (m *image) payload(page []byte, at, size, local int) []byte {
	if size <= local {
		if at+size > len(page) {
			return nil
		}
		return page[at : at+size]
	}
	const least = (filePage-12)*32/255 - 23
	here := least + (size-least)%(filePage-4)
	if here > local {
		here = least
	}
	if at+here+4 > len(page) {
		return nil
	}
	b := append(make([]byte, 0, size), page[at:at+here]...)
	next := int64(binary.BigEndian.Uint32(page[at+here:]))
	var more [filePage]byte
	for len(b) < size {
		if next == 0 {
			return nil
		}
		if _, ok := m.read(next, more[:]); !ok {
			return nil
		}
		next = int64(binary.BigEndian.Uint32(more[:]))
		b = append(b, more[4:min(filePage, 4+size-len(b))]...)
	}
	return b
}

type kind byte

const (
	null kind = iota
	integer
	blob
	text
)

type column struct {
	kind  kind
	n     int64
	bytes []byte
}

// columns reads a record; not ok is what this package never writes.
func columns(b []byte) (c []column, ok bool) {
	size, n := varint(b, 0)
	if n == 0 || size > uint64(len(b)) || size > 10*maxColumns {
		return nil, false
	}
	head, body := b[n:max(size, uint64(n))], b[size:]
	for len(head) > 0 {
		serial, n := varint(head, 0)
		if n == 0 || len(c) == maxColumns {
			return nil, false
		}
		head = head[n:]
		var col column
		length := uint64(0)
		switch {
		case serial == 0:
		case serial <= 6:
			col.kind, length = integer, [...]uint64{0, 1, 2, 3, 4, 6, 8}[serial]
		case serial == 8, serial == 9:
			col.kind, col.n = integer, int64(serial-8)
		case serial >= 13 && serial%2 == 1:
			col.kind, length = text, (serial-13)/2
		case serial >= 12:
			col.kind, length = blob, (serial-12)/2
		default:
			return nil, false
		}
		if length > uint64(len(body)) {
			return nil, false
		}
		value := body[:length]
		body = body[length:]
		switch {
		case col.kind == integer && length > 0:
			col.n = int64(int8(value[0]))
			for _, x := range value[1:] {
				col.n = col.n<<8 | int64(x)
			}
		case col.kind == text && !utf8.Valid(value):
			return nil, false
		case col.kind == blob || col.kind == text:
			col.bytes = value
		}
		c = append(c, col)
	}
	return c, len(c) > 0
}

// varint reads SQLite's integer of one to nine bytes; n is 0 if it is cut off.
func varint(b []byte, at int) (v uint64, n int) {
	for i := range 9 {
		if at < 0 || at+i >= len(b) {
			return 0, 0
		}
		x := b[at+i]
		if i == 8 {
			return v<<8 | uint64(x), 9
		}
		v = v<<7 | uint64(x&0x7f)
		if x < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}
