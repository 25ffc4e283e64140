package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"time"

	"lintas/agent/command"
	"lintas/devices/page"
	"lintas/mrz"
)

// Bounds on what the command takes. They are those of mrz.ReadText, so that
// nothing is left out without a word.
const (
	maxMRZInput = 1 << 20 // bytes of a file, or of a line of a batch
	maxMRZZones = 64      // in one file
)

func mrzCommand() *command.Command {
	m := &mrzRun{}
	return &command.Command{
		Name: "mrz", Args: "[FILE…]", Summary: "Read machine-readable zones from text or scanned pages (- or none: stdin).",
		Help: "Text may hold other lines, small letters, blanks and &lt; for fillers. Characters\n" +
			"are mended where the check digits leave one answer, and every change is told.\n" +
			"Exit status: 0 if every document found is valid, 1 otherwise.\n" +
			"With --json --batch, reads one JSON object a line from stdin,\n" +
			"{\"id\":…,\"lines\":[\"…\",\"…\"]}, taken at their word, or {\"id\":…,\"text\":\"…\"}, of which the\n" +
			"first valid zone counts; answers one line for each, and exits 0.\n" +
			"Scanned pages are PDF, TIFF, JPEG or PNG, whatever they are called. A character that\n" +
			"was not read with certainty keeps a document from being valid: compare it.",
		Flags: func(fs *flag.FlagSet) {
			command.JSONFlag(fs, &m.json)
			fs.BoolVar(&m.batch, "batch", false, "read one JSON object a line from stdin (with --json)")
			fs.StringVar(&m.today, "today", "", "the `date` YYYY-MM-DD that centuries are resolved against")
		},
		Run: m.run,
	}
}

type mrzRun struct {
	json, batch bool
	today       string
	date        mrz.Date
}

func (m *mrzRun) run(ctx context.Context, env command.Env, args []string) (err error) {
	m.date = mrz.DateOf(time.Now())
	if m.today != "" {
		d, err := mrz.ParseDate(m.today)
		if _, exists := d.Time(); err != nil || !exists {
			return command.UsageError("--today %q is not a date YYYY-MM-DD", m.today)
		}
		m.date = d
	}
	switch {
	case m.batch && !m.json:
		return command.UsageError("--batch needs --json")
	case m.batch && len(args) > 0:
		return command.UsageError("--batch reads stdin and takes no file")
	}
	out := bufio.NewWriter(env.Stdout)
	defer func() {
		if failed := out.Flush(); failed != nil {
			err = failed
		}
	}()
	if m.batch {
		return m.runBatch(ctx, env, out)
	}
	return m.files(ctx, env, out, args)
}

// files reads every input, also after one that cannot be read: that one is told
// of, and the exit code is 1.
func (m *mrzRun) files(ctx context.Context, env command.Env, out *bufio.Writer, names []string) error {
	if len(names) == 0 {
		names = []string{"-"}
	}
	valid := true
	for _, name := range names {
		ok, err := m.input(ctx, env, out, name)
		if failed := out.Flush(); failed != nil { // before the next input is told of
			return failed
		}
		if unread, is := errors.AsType[unreadError](err); is {
			fmt.Fprintf(env.Stderr, "lintas: %v\n", unread)
			ok, err = false, nil
		}
		if err != nil {
			return err
		}
		valid = valid && ok
	}
	if !valid {
		return &command.Exit{Code: command.Failed}
	}
	return nil
}

// unreadError is why one input could not be read; the others still are.
type unreadError struct{ error }

func unread(format string, args ...any) error { return unreadError{fmt.Errorf(format, args...)} }

// input reads one input, text or a scanned page, and tells whether every
// document in it is valid, and that there is one.
func (m *mrzRun) input(ctx context.Context, env command.Env, out *bufio.Writer, name string) (valid bool, err error) {
	in := env.Stdin
	if name != "-" {
		f, err := os.Open(name)
		switch {
		case err != nil && zoneLike.MatchString(name): // somebody's passport: not to be repeated
			return false, unread("cannot read a zone that is given as a file's name; give its lines in a file or on stdin")
		case err != nil:
			return false, unread("cannot read %s: %w", name, errors.Unwrap(err)) // without the name again
		}
		defer f.Close()
		in = f
	}
	start := make([]byte, page.SniffLength)
	n, err := io.ReadFull(in, start)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return false, unread("cannot read %s: %w", title(name), cause(err))
	}
	start = start[:n]
	kind, other := page.Sniff(start)
	switch {
	case kind != "":
		return m.page(ctx, env, out, name, in, start)
	case other != "":
		return false, unread("cannot read %s: it is %s; scanned pages are read from PDF, TIFF, JPEG and PNG, zones from text", title(name), other)
	}
	b, err := io.ReadAll(io.MultiReader(bytes.NewReader(start), io.LimitReader(in, maxMRZInput+1-int64(n))))
	switch {
	case err != nil:
		return false, unread("cannot read %s: %w", title(name), cause(err))
	case len(b) > maxMRZInput:
		return false, unread("cannot read %s: it is larger than %d MiB; give the part that holds the zones", title(name), maxMRZInput>>20)
	}
	return m.file(env, out, name, string(b))
}

// cause is an error of a file without the file's name.
func cause(err error) error {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return p.Err
	}
	return err
}

// file reads the text of one input and tells whether every document in it is
// valid, and that there is one.
func (m *mrzRun) file(env command.Env, out *bufio.Writer, name, text string) (valid bool, err error) {
	docs := m.read(text)
	if len(docs) == maxMRZZones {
		fmt.Fprintf(env.Stderr, "%s: no more than %d zones are read; divide the file if there are others\n", title(name), maxMRZZones)
	}
	valid = true
	for _, d := range docs {
		valid = valid && d.Valid
		switch {
		case m.json:
			err = command.JSON(out, result(name, d))
		case d.Format == "":
			_, err = fmt.Fprintf(env.Stderr, "%s: no machine-readable zone found; scan again or type its lines from the document\n", title(name))
		default:
			printDocument(out, title(name), d, false)
		}
		if err != nil {
			return false, err
		}
	}
	return valid, nil
}

// read reads all zones of a text. If there is none, it returns one document
// whose findings say so.
func (m *mrzRun) read(text string) []mrz.Document {
	if docs := mrz.ReadText(text, m.date); len(docs) > 0 {
		return docs
	}
	return []mrz.Document{mrz.Parse(nil, m.date)}
}

// title is what an input is called in text for people.
func title(name string) string {
	if name == "-" {
		return "stdin"
	}
	return name
}

// zoneLike matches what could be a line of a zone.
var zoneLike = regexp.MustCompile(`<|^[A-Za-z0-9]{25,}$`)
