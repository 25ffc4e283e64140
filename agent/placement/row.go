package placement

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"lintas/mrz"
)

// Kind says what a row is.
type Kind byte

// The kinds of rows.
const (
	KindRecord   Kind = 1
	KindStub     Kind = 2
	KindNegative Kind = 3
)

// Row is a locked row: 16 bytes of tag, one of kind, the body's length in two
// bytes (big-endian), the body.
type Row struct {
	Tag  Tag
	Kind Kind
	Body []byte
}

// magic begins every file of rows.
const magic = "lintas rows 1\n"

const maxBody = 4 << 10

// rowWriter writes rows in the order given.
type rowWriter struct{ w *bufio.Writer }

func newRowWriter(w io.Writer) (*rowWriter, error) {
	rw := &rowWriter{bufio.NewWriter(w)}
	_, err := rw.w.WriteString(magic)
	return rw, err
}

func (rw *rowWriter) write(r Row) error {
	if len(r.Body) > maxBody {
		return fmt.Errorf("row body is %d bytes, more than %d", len(r.Body), maxBody)
	}
	head := append(r.Tag[:], byte(r.Kind))
	head = binary.BigEndian.AppendUint16(head, uint16(len(r.Body)))
	_, err := rw.w.Write(append(head, r.Body...))
	return err
}

// RowReader reads a file of rows, sorted by tag. It never takes more than a
// row's bound into memory.
type RowReader struct {
	r       *bufio.Reader
	last    Tag
	started bool
}

// NewRowReader reads rows from r.
func NewRowReader(r io.Reader) (*RowReader, error) {
	b := bufio.NewReader(r)
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(b, head); err != nil {
		return nil, cutOff(err)
	}
	if string(head) != magic {
		return nil, errors.New("not a file of rows")
	}
	return &RowReader{r: b}, nil
}

// Next gives the next row, or io.EOF after the last.
func (rr *RowReader) Next() (Row, error) {
	var head [19]byte
	if _, err := io.ReadFull(rr.r, head[:]); err == io.EOF {
		return Row{}, io.EOF
	} else if err != nil {
		return Row{}, cutOff(err)
	}
	row := Row{Tag: Tag(head[:16]), Kind: Kind(head[16])}
	n := int(binary.BigEndian.Uint16(head[17:]))
	if n > maxBody || row.Kind < KindRecord || row.Kind > KindNegative {
		return Row{}, errors.New("file of rows is damaged")
	}
	if rr.started && string(row.Tag[:]) < string(rr.last[:]) {
		return Row{}, errors.New("rows are not sorted")
	}
	rr.last, rr.started = row.Tag, true
	row.Body = make([]byte, n)
	if _, err := io.ReadFull(rr.r, row.Body); err != nil {
		return Row{}, cutOff(err)
	}
	return row, nil
}

// cutOff says in words that a file ended too early, and passes on what else
// the reader found wrong.
func cutOff(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("file of rows is cut off")
	}
	return err
}

// Rows gives the installed rows that carry a tag.
type Rows func(Tag) ([]Row, error)

// Find looks a document up with two slow hashes: the document's tag, and either
// the body's key or the person's tag. On error the negative entries that were
// found are returned all the same.
func (l *Lock) Find(doc mrz.Document, rows Rows) (Found, error) {
	var f Found
	tag, negativeKey, err := l.document(doc.IssuingState, doc.DocumentNumber)
	if err != nil {
		return f, err
	}
	there, err := rows(tag)
	if err != nil {
		return f, err
	}
	// Negative entries first: whatever else fails, they are returned.
	for _, row := range there {
		if row.Kind != KindNegative {
			continue
		}
		var n Negative
		if bad := unseal(negativeKey, KindNegative, tag, row.Body, &n); bad != nil {
			err = fmt.Errorf("negative entry does not open: %w", bad)
			continue
		}
		f.Negatives = append(f.Negatives, n)
	}
	if err != nil {
		return f, err
	}
	var bodyKey []byte
	for _, row := range there {
		if row.Kind != KindRecord {
			continue
		}
		f.Listed = true
		if bodyKey == nil {
			bodyKey = l.body(doc.IssuingState, doc.DocumentNumber, doc.DateOfBirth, doc.DateOfExpiry)
		}
		var r Record
		switch err := unseal(bodyKey, KindRecord, tag, row.Body, &r); {
		case err == nil:
			f.Records = append(f.Records, r)
		case !errors.Is(err, errLocked):
			return f, err
		}
	}
	if f.Listed || doc.Name.IsZero() || doc.DateOfBirth.IsZero() {
		return f, nil
	}
	stubs, err := rows(l.person(doc.Name.Primary(), doc.Name.Secondary(), doc.DateOfBirth))
	if err != nil {
		return f, err
	}
	for _, row := range stubs {
		f.OtherPaper = f.OtherPaper || row.Kind == KindStub
	}
	return f, nil
}
