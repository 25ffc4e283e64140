package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"lintas/agent/command"
	"lintas/agent/crossing"
	"lintas/agent/hub"
)

// imported is what `lintas-hub ledger import --json` prints.
type imported struct {
	Stored     int            `json:"stored"`
	Duplicates int            `json:"duplicates"`
	Owed       int            `json:"owed"`  // tombstones
	Early      int            `json:"early"` // after a gap, not stored
	Aside      map[string]int `json:"aside"`
	FirstBad   *bad           `json:"first_bad"` // null if everything was stored
	Ack        string         `json:"ack"`       // the acknowledgement file; "" if none was written

	counters []string // who is to be answered
}

// bad is a line that was not stored.
type bad struct {
	Line     int    `json:"line"`
	Counter  string `json:"counter"`
	Sequence uint64 `json:"sequence"` // what should stand there; 0 if not even that is known
	Reason   string `json:"reason"`
}

func ledgerImportCommand() *command.Command {
	var db, keys, ack string
	var asJSON bool
	return &command.Command{
		Name: "import", Args: "FILE", Summary: "Take in an export of a counter's queue, any number of times.",
		Help: "FILE has one sealed event a line, as lintas queue export writes it. The answer is written to\n" +
			"FILE.ack: one signed acknowledgement a line, one for each counter of which something was taken.\n" +
			"Carry it back, and lintas queue ack FILE.ack confirms at the counter what this hub holds. It\n" +
			"says what an acknowledgement over the broker says, and the newer of the two counts.\n" +
			"Exit status 2 if something in the file was not stored, or no acknowledgement could be written;\n" +
			"the first bad line is named.",
		Flags: func(fs *flag.FlagSet) {
			dbFlag(fs, &db)
			keysFlag(fs, &keys)
			fs.StringVar(&ack, "ack", "", "acknowledgement `file` to write (default FILE.ack)")
			command.JSONFlag(fs, &asJSON)
		},
		Run: func(ctx context.Context, env command.Env, args []string) error {
			if len(args) != 1 {
				return command.UsageError("ledger import takes one file")
			}
			if ack == "" {
				ack = args[0] + ".ack"
			}
			l, err := hub.OpenLedger(ctx, db)
			if err != nil {
				return err
			}
			defer l.Close()
			in := importer{ledger: l, keys: hub.NewKeyRing(keys), stderr: env.Stderr, last: map[string]uint64{}}
			result, err := in.file(ctx, args[0])
			if err != nil {
				return err
			}
			acked := writeAcks(ctx, l, filepath.Join(keys, hub.FileAckKey), ack, result.counters)
			if acked == nil && len(result.counters) > 0 {
				result.Ack = ack
			}
			if err := result.print(env.Stdout, asJSON); err != nil {
				return err
			}
			if acked != nil {
				fmt.Fprintf(env.Stderr, "no acknowledgement was written: %v\n", acked)
			}
			if acked != nil || result.FirstBad != nil {
				return &command.Exit{Code: command.Warnings}
			}
			return nil
		},
	}
}

func (r imported) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return command.JSON(w, r)
	}
	_, err := fmt.Fprintf(w, "%d stored, %d there already, %d after a gap\n", r.Stored, r.Duplicates, r.Early)
	if r.Owed > 0 {
		fmt.Fprintf(w, "%d tombstones: their bodies are owed\n", r.Owed)
	}
	for _, reason := range slices.Sorted(maps.Keys(r.Aside)) {
		fmt.Fprintf(w, "%d kept aside: %s\n", r.Aside[reason], reason)
	}
	if b := r.FirstBad; b != nil {
		fmt.Fprintf(w, "the first bad line is %d: counter %s, sequence %d: %s\n", b.Line, b.Counter, b.Sequence, b.Reason)
	}
	if r.Ack != "" {
		fmt.Fprintf(w, "acknowledgement in %s\n", r.Ack)
	}
	return err
}

// writeAcks writes where the counters stand, a line each.
func writeAcks(ctx context.Context, l *hub.Ledger, keyFile, path string, counters []string) error {
	if len(counters) == 0 {
		return nil
	}
	key, err := crossing.LoadPrivateKey(keyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w; import where the hub's keys are, or say where with --keys", err)
	} else if err != nil {
		return err
	}
	signer, err := crossing.NewAckSigner(key)
	if err != nil {
		return err
	}
	var text []byte
	for _, counter := range counters {
		a, err := l.Ack(ctx, counter)
		if err != nil {
			return err
		}
		signed, err := signer.Sign(a)
		if err != nil {
			return err
		}
		text = append(append(text, signed...), '\n')
	}
	return crossing.WriteFile(path, text, 0o644)
}

const importBatch = 256

// importer takes a file in, batch by batch.
type importer struct {
	ledger *hub.Ledger
	keys   *hub.KeyRing
	stderr io.Writer

	total   imported
	batch   []hub.Delivery
	lines   []int             // of the batch
	last    map[string]uint64 // the last sequence of each counter that was good
	counter string            // whose event was the last good one
}

func (in *importer) file(ctx context.Context, path string) (imported, error) {
	in.total.Aside = map[string]int{}
	f, err := os.Open(path)
	if err != nil {
		return in.total, fmt.Errorf("cannot import: %w", err)
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, crossing.MaxSealed+2)
	for n := 1; ; n++ {
		line, err := nextLine(r)
		if err == io.EOF {
			return in.total, in.flush(ctx)
		} else if err != nil {
			return in.total, fmt.Errorf("cannot import %s: %w", path, err)
		}
		if len(line) == 0 {
			continue
		}
		// A file has no topic: the event itself says whose it is, and its
		// signature is checked against that counter's keys.
		in.batch = append(in.batch, hub.Delivery{Counter: crossing.ClaimedCounter(line), Sealed: line})
		if in.lines = append(in.lines, n); len(in.batch) == importBatch {
			if err := in.flush(ctx); err != nil {
				return in.total, err
			}
		}
	}
}

func (in *importer) flush(ctx context.Context) error {
	r, err := in.ledger.Ingest(ctx, in.keys, in.batch)
	if err != nil {
		return err
	}
	t := &in.total
	t.Stored, t.Duplicates, t.Owed, t.Early = t.Stored+r.Stored, t.Duplicates+r.Duplicates, t.Owed+r.Owed, t.Early+r.Early
	for _, a := range r.Aside {
		t.Aside[a.Reason]++
	}
	for i, o := range r.Outcomes {
		in.look(in.lines[i], o)
	}
	for _, c := range r.Counters {
		if !slices.Contains(t.counters, c) {
			t.counters = append(t.counters, c)
		}
	}
	for _, n := range r.Notices {
		fmt.Fprintf(in.stderr, "counter %s: %s %v\n", n.Counter, n.What, n.Args)
	}
	in.batch, in.lines = in.batch[:0], in.lines[:0]
	return nil
}

// look keeps the first line that was not stored. Of one that cannot be read
// only its neighbours tell what it should be: the good line before it or, at
// the beginning, the first line after it of which something is known.
func (in *importer) look(line int, o hub.Outcome) {
	b := in.total.FirstBad
	switch {
	case b == nil && o.Reason != "":
		b = &bad{line, o.Counter, o.Sequence, o.Reason}
		if b.Counter == "" {
			b.Counter = in.counter
		}
		if b.Sequence == 0 && in.last[b.Counter] > 0 {
			b.Sequence = in.last[b.Counter] + 1
		}
		in.total.FirstBad = b
	case b != nil && b.Sequence == 0 && o.Sequence > 0:
		if b.Counter, b.Sequence = o.Counter, o.Sequence; o.Reason != hub.Early {
			b.Sequence -= min(uint64(line-b.Line), o.Sequence)
		}
	}
	if o.Reason == "" {
		in.last[o.Counter], in.counter = o.Sequence, o.Counter
	}
}

// nextLine gives a line of its own memory. Of one that is too long to be an
// event it gives only the beginning: enough to be counted as unreadable.
func nextLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	line = bytes.Clone(line)
	for err == bufio.ErrBufferFull {
		_, err = r.ReadSlice('\n')
	}
	if err == io.EOF && len(line) > 0 {
		err = nil
	}
	return bytes.TrimSpace(line), err
}
