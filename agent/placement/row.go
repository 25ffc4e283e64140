package placement

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Kind says what a row is.
type Kind byte

// The kinds of rows.
const (
	KindGone     Kind = 0 // in a delta: nothing has this tag any more
	KindRecord   Kind = 1
	KindStub     Kind = 2
	KindNegative Kind = 3
)

// Row is a locked row: 16 bytes of tag, one of kind, the body's length in two
// bytes (big-endian), the body. A delta holds all rows that a tag has from now
// on, or one of KindGone.
type Row struct {
	Tag  Tag
	Kind Kind
	Body []byte
}

// magic begins every file of rows. The header follows: its length in four
// bytes (big-endian) and itself, as JSON.
const magic = "lintas rows 2\n"

const (
	maxBody   = 4 << 10
	maxHeader = 4 << 10
	rowHead   = 19
)

// Append appends a row as files have it.
func (r Row) Append(b []byte) ([]byte, error) {
	if len(r.Body) > maxBody {
		return b, fmt.Errorf("row body is %d bytes, more than %d", len(r.Body), maxBody)
	}
	b = append(append(b, r.Tag[:]...), byte(r.Kind))
	return append(binary.BigEndian.AppendUint16(b, uint16(len(r.Body))), r.Body...), nil
}

// WriteRows writes a file of rows. The rows are in order of their tags.
func WriteRows(w io.Writer, h Header, rows []Row) error {
	h.Rows = int64(len(rows))
	head, err := json.Marshal(h)
	if err != nil {
		return err
	}
	b := binary.BigEndian.AppendUint32([]byte(magic), uint32(len(head)))
	out := bufio.NewWriterSize(w, 64<<10)
	out.Write(append(b, head...)) // errors come back from Flush
	b = b[:0]
	for _, r := range rows {
		if b, err = r.Append(b[:0]); err != nil {
			return err
		}
		out.Write(b)
	}
	return out.Flush()
}

// RowReader reads a file of rows, sorted by tag. It never takes more than a
// row's bound into memory.
type RowReader struct {
	r       *bufio.Reader
	head    Header
	left    int64
	last    Tag
	started bool
	body    []byte
}

// NewRowReader reads the header, and rows from then on.
func NewRowReader(r io.Reader) (*RowReader, error) {
	rr := &RowReader{r: bufio.NewReaderSize(r, 64<<10)}
	var head [len(magic) + 4]byte
	if _, err := io.ReadFull(rr.r, head[:]); err != nil {
		return nil, cutOff(err)
	}
	if string(head[:len(magic)]) != magic {
		return nil, errors.New("not a file of rows")
	}
	n := binary.BigEndian.Uint32(head[len(magic):])
	if n > maxHeader {
		return nil, fmt.Errorf("header of %d bytes, more than %d", n, maxHeader)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(rr.r, b); err != nil {
		return nil, cutOff(err)
	}
	if err := json.Unmarshal(b, &rr.head); err != nil {
		return nil, errors.New("file of rows has no readable header")
	}
	rr.left = rr.head.Rows
	return rr, rr.head.Check()
}

// Header is what the file says of itself.
func (rr *RowReader) Header() Header { return rr.head }

// Next gives the next row, or io.EOF after the last. The body is good until the
// next call.
func (rr *RowReader) Next() (Row, error) {
	var head [rowHead]byte
	if _, err := io.ReadFull(rr.r, head[:]); err == io.EOF && rr.left == 0 {
		return Row{}, io.EOF
	} else if err != nil {
		return Row{}, cutOff(err)
	}
	row, n := readHead(head[:])
	if rr.left--; rr.left < 0 || n > maxBody || row.Kind > KindNegative {
		return Row{}, errors.New("file of rows is damaged")
	}
	if rr.started && bytes.Compare(row.Tag[:], rr.last[:]) < 0 {
		return Row{}, errors.New("rows are not sorted")
	}
	rr.last, rr.started = row.Tag, true
	if cap(rr.body) < n {
		rr.body = make([]byte, maxBody)
	}
	row.Body = rr.body[:n]
	if _, err := io.ReadFull(rr.r, row.Body); err != nil {
		return Row{}, cutOff(err)
	}
	return row, nil
}

// ParseRows reads rows that Append wrote one after the other. Bodies alias b.
func ParseRows(b []byte) (rows []Row, err error) {
	for len(b) > 0 {
		if len(b) < rowHead {
			return nil, errors.New("rows are cut off")
		}
		row, n := readHead(b)
		if b = b[rowHead:]; len(b) < n {
			return nil, errors.New("rows are cut off")
		}
		row.Body, b = b[:n:n], b[n:]
		rows = append(rows, row)
	}
	return rows, nil
}

func readHead(b []byte) (Row, int) {
	return Row{Tag: Tag(b[:16]), Kind: Kind(b[16])}, int(binary.BigEndian.Uint16(b[17:]))
}

// cutOff says in words that a file ended too early, and passes on what else
// the reader found wrong.
func cutOff(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("file of rows is cut off")
	}
	return err
}
