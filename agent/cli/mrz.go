package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"lintas/agent/command"
	"lintas/mrz"
)

// Bounds on what the command takes.
const (
	maxMRZFile = 16 << 20
	maxMRZLine = 1 << 20
)

func mrzCommand() *command.Command {
	m := &mrzRun{}
	return &command.Command{
		Name: "mrz", Args: "[FILE…]", Summary: "Read machine-readable zones from text (- or none: stdin).",
		Help: "Exit status: 0 if every document found is valid, 1 otherwise.\n" +
			"With --json --batch, reads one JSON object a line, {\"id\":…,\"lines\":[\"…\",\"…\"]} or\n" +
			"{\"id\":…,\"text\":\"…\"}, answers one line for each, and exits 0.\n" +
			"Scanned pages (PDF, TIFF, JPEG, PNG) are not read by this version.",
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

func (m *mrzRun) run(_ context.Context, env command.Env, args []string) error {
	m.date = mrz.DateOf(time.Now())
	if m.today != "" {
		d, err := mrz.ParseDate(m.today)
		if _, exists := d.Time(); err != nil || !exists {
			return command.UsageError("--today %q is not a date YYYY-MM-DD", m.today)
		}
		m.date = d
	}
	out := bufio.NewWriter(env.Stdout)
	defer out.Flush()
	switch {
	case m.batch && !m.json:
		return command.UsageError("--batch needs --json")
	case m.batch && len(args) > 0:
		return command.UsageError("--batch reads stdin and takes no file")
	case m.batch:
		return m.runBatch(env.Stdin, out)
	}
	if len(args) == 0 {
		args = []string{"-"}
	}
	valid := true
	for _, name := range args {
		ok, err := m.file(env, out, name)
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

// file reads one input and tells whether every document in it is valid, and
// that there is one.
func (m *mrzRun) file(env command.Env, out io.Writer, name string) (valid bool, err error) {
	text, err := readText(env, name)
	if err != nil {
		return false, fmt.Errorf("cannot read %s: %w", name, err)
	}
	docs := mrz.ReadText(text, m.date)
	if len(docs) == 0 {
		docs = []mrz.Document{{}}
	}
	valid = true
	for _, d := range docs {
		valid = valid && d.Valid
		switch {
		case m.json:
			err = command.JSON(out, result(name, d))
		case d.Format == "":
			_, err = fmt.Fprintf(env.Stderr, "%s: no machine-readable zone found\n", name)
		default:
			err = printDocument(out, d)
		}
		if err != nil {
			return false, err
		}
	}
	return valid, nil
}

func readText(env command.Env, name string) (string, error) {
	r := env.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return "", errors.Unwrap(err) // without the name, which the caller says
		}
		defer f.Close()
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, maxMRZFile+1))
	switch {
	case err != nil:
		return "", err
	case len(b) > maxMRZFile:
		return "", fmt.Errorf("it is larger than %d MiB", maxMRZFile>>20)
	}
	for _, picture := range []string{"%PDF-", "\x89PNG", "\xff\xd8\xff", "II*\x00", "MM\x00*"} {
		if bytes.HasPrefix(b, []byte(picture)) {
			return "", errors.New("it is a scanned page, and this version reads text only; give the lines as text")
		}
	}
	return string(b), nil
}

func (m *mrzRun) runBatch(in io.Reader, out io.Writer) error {
	sc := bufio.NewScanner(in)
	sc.Buffer(nil, maxMRZLine)
	for n := 1; sc.Scan(); n++ {
		if len(bytes.TrimSpace(sc.Bytes())) == 0 {
			continue
		}
		var q struct {
			ID    json.RawMessage `json:"id"`
			Lines []string        `json:"lines"`
			Text  *string         `json:"text"`
		}
		if err := json.Unmarshal(sc.Bytes(), &q); err != nil {
			return fmt.Errorf("line %d is not a JSON object with id and lines or text", n)
		}
		if q.ID == nil {
			q.ID = json.RawMessage("null")
		}
		if err := command.JSON(out, m.answer(q.ID, q.Lines, q.Text)); err != nil {
			return err
		}
	}
	if err := sc.Err(); err != nil {
		return fmt.Errorf("cannot read batch: %w", err)
	}
	return nil
}

// answer gives one result.
func (m *mrzRun) answer(id json.RawMessage, lines []string, text *string) any {
	if text == nil {
		return result(id, mrz.Mend(lines, m.date))
	}
	docs := mrz.ReadText(*text, m.date)
	if len(docs) == 0 {
		docs = []mrz.Document{{}}
	}
	return result(id, docs[0])
}

func printDocument(w io.Writer, d mrz.Document) error {
	out := bufio.NewWriter(w)
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(out, "%-16s %s\n", name, value)
		}
	}
	row("format", string(d.Format))
	row("valid", map[bool]string{true: "yes", false: "no"}[d.Valid])
	row("document code", d.DocumentCode)
	row("issuing state", d.IssuingState)
	row("document number", d.DocumentNumber)
	row("primary", d.Name.Primary())
	row("secondary", d.Name.Secondary())
	row("nationality", d.Nationality)
	row("date of birth", d.DateOfBirth.String())
	row("sex", d.Sex)
	row("date of expiry", d.DateOfExpiry.String())
	for _, o := range d.Optional() {
		row("optional data", o)
	}
	for _, c := range d.Checks.List() {
		row("check", c.Field+" "+c.Status.String())
	}
	for _, r := range d.Repairs {
		row("repair", fmt.Sprintf("%s, line %d, column %d: %q read, %q taken", r.Field, r.Line, r.Column, r.From, r.To))
	}
	for _, c := range d.Candidates {
		row("candidate", c.Field+" "+c.Value)
	}
	for _, f := range d.Findings {
		row(string(f.Severity), fmt.Sprintf("line %d, column %d: %s", f.Line, f.Column, f.EN))
	}
	fmt.Fprintln(out)
	return out.Flush()
}
