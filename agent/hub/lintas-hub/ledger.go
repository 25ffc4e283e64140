package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"

	"filippo.io/age"
	"github.com/google/uuid"

	"lintas/agent/command"
	"lintas/agent/crossing"
	"lintas/agent/hub"
)

func ledgerCommand() *command.Command {
	return &command.Command{
		Name: "ledger", Summary: "List, check, open and import what the counters sent.",
		Sub: []*command.Command{ledgerLsCommand(), ledgerVerifyCommand(), ledgerShowCommand(), ledgerImportCommand()},
	}
}

func ledgerLsCommand() *command.Command {
	var db string
	var asJSON bool
	return &command.Command{
		Name: "ls", Summary: "List the events. Records stay sealed.",
		Flags: func(fs *flag.FlagSet) {
			dbFlag(fs, &db)
			command.JSONFlag(fs, &asJSON)
		},
		Run: func(ctx context.Context, env command.Env, args []string) error {
			if err := command.NoArguments(args); err != nil {
				return err
			}
			l, err := hub.ReadLedger(ctx, db)
			if err != nil {
				return err
			}
			defer l.Close()
			out := bufio.NewWriter(env.Stdout)
			for e, err := range l.Entries(ctx) {
				if err != nil {
					return err
				}
				if asJSON {
					err = command.JSON(out, e)
				} else {
					_, err = fmt.Fprintf(out, "%-14s %6d  %s  %s  %s\n", e.Counter, e.Sequence, e.Time, e.ID, e.Type)
				}
				if err != nil {
					return err
				}
			}
			return out.Flush()
		},
	}
}

func ledgerVerifyCommand() *command.Command {
	var db, keys string
	var asJSON bool
	return &command.Command{
		Name: "verify", Summary: "Walk every chain: signatures, sequences, hashes.",
		Flags: func(fs *flag.FlagSet) {
			dbFlag(fs, &db)
			keysFlag(fs, &keys)
			command.JSONFlag(fs, &asJSON)
		},
		Run: func(ctx context.Context, env command.Env, args []string) error {
			if err := command.NoArguments(args); err != nil {
				return err
			}
			l, err := hub.ReadLedger(ctx, db)
			if err != nil {
				return err
			}
			defer l.Close()
			n, err := l.Verify(ctx, hub.NewKeyRing(keys))
			if err != nil {
				return err
			}
			aside, err := l.AsideCount(ctx)
			if err != nil {
				return err
			}
			if asJSON {
				return command.JSON(env.Stdout, map[string]any{"events": n, "whole": true, "aside": aside})
			}
			fmt.Fprintf(env.Stdout, "%d events, every chain whole\n", n)
			for reason, n := range aside {
				fmt.Fprintf(env.Stdout, "%d kept aside: %s\n", n, reason)
			}
			return nil
		},
	}
}

func ledgerShowCommand() *command.Command {
	var db, keys string
	return &command.Command{
		Name: "show", Args: "ID…", Summary: "Open events and print their records as JSON.",
		Help: "Needs the hub's age identity. What is printed is personal data.",
		Flags: func(fs *flag.FlagSet) {
			dbFlag(fs, &db)
			keysFlag(fs, &keys)
		},
		Run: func(ctx context.Context, env command.Env, args []string) error {
			if len(args) == 0 {
				return command.UsageError("ledger show takes the ids of events; see ledger ls")
			}
			l, err := hub.ReadLedger(ctx, db)
			if err != nil {
				return err
			}
			defer l.Close()
			identities, err := hub.Identities(keys)
			if err != nil {
				return err
			}
			ring := hub.NewKeyRing(keys)
			for _, arg := range args {
				id, err := uuid.Parse(arg)
				if err != nil {
					return command.UsageError("%q is not an event's id", arg)
				}
				if err := showEvent(ctx, env, l, ring, identities, id); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func showEvent(ctx context.Context, env command.Env, l *hub.Ledger, ring *hub.KeyRing, identities []age.Identity, id uuid.UUID) error {
	found, err := l.Sealed(ctx, id)
	if err != nil {
		return err
	}
	for _, d := range found {
		s, err := ring.Open(d.Counter, d.Sealed)
		if err != nil {
			return err
		}
		record, err := s.Decrypt(identities...)
		if err != nil {
			return err
		}
		err = command.JSON(env.Stdout, struct {
			Counter string          `json:"counter"`
			ID      string          `json:"id"`
			Type    string          `json:"type"`
			Record  json.RawMessage `json:"record"`
		}{d.Counter, s.ID, s.Type, record})
		if err != nil {
			return err
		}
	}
	return nil
}

// imported is what `lintas-hub ledger import --json` prints.
type imported struct {
	Stored     int            `json:"stored"`
	Duplicates int            `json:"duplicates"`
	Early      int            `json:"early"` // after a gap, not stored
	Aside      map[string]int `json:"aside"`
}

func ledgerImportCommand() *command.Command {
	var db, keys string
	var asJSON bool
	return &command.Command{
		Name: "import", Args: "FILE", Summary: "Take in an export of a counter's queue, any number of times.",
		Help: "Exit status 2 if something in the file was not stored.",
		Flags: func(fs *flag.FlagSet) {
			dbFlag(fs, &db)
			keysFlag(fs, &keys)
			command.JSONFlag(fs, &asJSON)
		},
		Run: func(ctx context.Context, env command.Env, args []string) error {
			if len(args) != 1 {
				return command.UsageError("ledger import takes one file")
			}
			l, err := hub.OpenLedger(ctx, db)
			if err != nil {
				return err
			}
			defer l.Close()
			result, err := importFile(ctx, l, hub.NewKeyRing(keys), args[0])
			if err != nil {
				return err
			}
			if asJSON {
				err = command.JSON(env.Stdout, result)
			} else {
				_, err = fmt.Fprintf(env.Stdout, "%d stored, %d there already, %d after a gap\n", result.Stored, result.Duplicates, result.Early)
				for reason, n := range result.Aside {
					fmt.Fprintf(env.Stdout, "%d kept aside: %s\n", n, reason)
				}
			}
			if err == nil && (result.Early > 0 || len(result.Aside) > 0) {
				err = &command.Exit{Code: command.Warnings}
			}
			return err
		},
	}
}

const importBatch = 256

func importFile(ctx context.Context, l *hub.Ledger, keys *hub.KeyRing, path string) (imported, error) {
	total := imported{Aside: map[string]int{}}
	f, err := os.Open(path)
	if err != nil {
		return total, fmt.Errorf("cannot import: %w", err)
	}
	defer f.Close()
	lines := bufio.NewReaderSize(f, crossing.MaxSealed+2)
	var batch []hub.Delivery
	flush := func() error {
		r, err := l.Ingest(ctx, keys, batch)
		batch = batch[:0]
		total.Stored, total.Duplicates, total.Early = total.Stored+r.Stored, total.Duplicates+r.Duplicates, total.Early+r.Early
		for _, a := range r.Aside {
			total.Aside[a.Reason]++
		}
		return err
	}
	for {
		line, err := nextLine(lines)
		if err == io.EOF {
			return total, flush()
		} else if err != nil {
			return total, fmt.Errorf("cannot import %s: %w", path, err)
		}
		if len(line) == 0 {
			continue
		}
		// A file has no topic: the event itself says whose it is, and its
		// signature is checked against that counter's keys.
		batch = append(batch, hub.Delivery{Counter: crossing.ClaimedCounter(line), Sealed: line})
		if len(batch) == importBatch {
			if err := flush(); err != nil {
				return total, err
			}
		}
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
