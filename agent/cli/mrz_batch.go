package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"lintas/agent/command"
	"lintas/mrz"
)

// question is one line of a batch. Its parts are decoded one by one, so that
// the id is returned also if the rest is not what it should be.
type question struct {
	ID    json.RawMessage `json:"id"`
	Lines json.RawMessage `json:"lines"`
	Text  json.RawMessage `json:"text"`
}

// Why a line of a batch cannot be read. None of them repeats the line, which
// may hold a passport.
var (
	errBatchLong  = fmt.Errorf("it is longer than %d MiB", maxMRZInput>>20)
	errBatchJSON  = errors.New("it is not a JSON object")
	errBatchLines = errors.New("its lines are not a list of strings")
	errBatchText  = errors.New("its text is not a string")
	errBatchEmpty = errors.New("it has neither lines nor text")
)

// maxBatchNotes is how many faulty lines are told of one by one: a caller that
// does not read stderr must not block the answers.
const maxBatchNotes = 20

// runBatch answers every line that is not blank with one line, whatever it
// holds: who feeds thousands counts on getting as many back. A line that cannot
// be read is answered as one without a zone.
func (m *mrzRun) runBatch(ctx context.Context, env command.Env, out *bufio.Writer) error {
	in := bufio.NewReaderSize(&prompt{env.Stdin, out}, 64<<10)
	faulty := 0
	var line []byte
	for n := 1; ctx.Err() == nil; n++ {
		var fits bool
		var end error
		line, fits, end = readLine(in, line[:0])
		if end != nil && end != io.EOF {
			return fmt.Errorf("cannot read batch: %w", end)
		}
		if n == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		if !fits || len(bytes.TrimSpace(line)) > 0 {
			id, d, err := m.answer(line, fits)
			if err != nil {
				if faulty++; faulty <= maxBatchNotes {
					fmt.Fprintf(env.Stderr, "lintas: cannot read line %d of the batch: %v\n", n, err)
				}
			}
			if err := command.JSON(out, result(id, d)); err != nil {
				return err
			}
		}
		if end == io.EOF {
			break
		}
	}
	if faulty > maxBatchNotes {
		fmt.Fprintf(env.Stderr, "lintas: cannot read %d more lines of the batch\n", faulty-maxBatchNotes)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("cannot finish the batch: %w", err)
	}
	return nil
}

// answer gives the document for one line, and why it could not be read. If both
// lines and text are given, the lines count.
func (m *mrzRun) answer(line []byte, fits bool) (id json.RawMessage, d mrz.Document, err error) {
	id, d = json.RawMessage("null"), mrz.Parse(nil, m.date)
	if !fits {
		return id, d, errBatchLong
	}
	var q question
	if json.Unmarshal(line, &q) != nil {
		return id, d, errBatchJSON
	}
	if q.ID != nil {
		id = q.ID
	}
	var lines []string
	var text *string
	switch {
	case q.Lines != nil && json.Unmarshal(q.Lines, &lines) != nil:
		return id, d, errBatchLines
	case len(lines) > 0:
		return id, mrz.Mend(lines, m.date), nil
	case q.Text != nil && json.Unmarshal(q.Text, &text) != nil:
		return id, d, errBatchText
	case text != nil:
		docs := m.read(*text)
		first := max(0, slices.IndexFunc(docs, func(d mrz.Document) bool { return d.Valid }))
		return id, docs[first], nil
	case lines == nil:
		return id, d, errBatchEmpty
	}
	return id, d, nil
}

// readLine appends the next line to buf. One that is too long is read to its
// end and does not fit. The error is that of the reader, also with a last line.
func readLine(in *bufio.Reader, buf []byte) (line []byte, fits bool, err error) {
	fits = true
	for {
		part, err := in.ReadSlice('\n')
		if fits = fits && len(buf)+len(part) <= maxMRZInput; fits {
			buf = append(buf, part...)
		}
		if err != bufio.ErrBufferFull {
			return buf, fits, err
		}
	}
}

// prompt is stdin. It hands out the answers so far before it waits for more, so
// that a program may ask one thing at a time.
type prompt struct {
	in  io.Reader
	out *bufio.Writer
}

func (p *prompt) Read(b []byte) (int, error) {
	if err := p.out.Flush(); err != nil {
		return 0, err
	}
	return p.in.Read(b)
}
