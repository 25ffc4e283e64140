package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"

	"filippo.io/age"
	"github.com/google/uuid"

	"lintas/agent/command"
	"lintas/agent/hub"
)

func ledgerCommand() *command.Command {
	return &command.Command{
		Name: "ledger", Summary: "List, check, open and import what the counters sent, answer who has not returned, and decide on what was kept aside.",
		Sub: []*command.Command{ledgerLsCommand(), ledgerVerifyCommand(), ledgerShowCommand(), ledgerImportCommand(), ledgerAsideCommand(), ledgerOpenCommand(),
			ledgerOpenStaysCommand(), ledgerTravellerCommand(), ledgerReconcileCommand(), ledgerCountersCommand(), ledgerGapsCommand(),
			ledgerForgetCommand(), ledgerAccessCommand()},
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
				} else if e.Owed {
					_, err = fmt.Fprintf(out, "%-14s %6d  owed: only a tombstone came\n", e.Counter, e.Sequence)
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
		Help: "Exit status 1 and the first bad sequence if an event was removed, altered or reordered.\n" +
			"A body that is still owed does not break a chain: its tombstone names its hash.",
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
			whole, err := l.Verify(ctx, hub.NewKeyRing(keys))
			if broken, ok := errors.AsType[*hub.BrokenError](err); ok && asJSON {
				v := map[string]any{"events": whole.Events, "whole": false, "counter": broken.Counter, "epoch": broken.Epoch,
					"first_bad_sequence": broken.Sequence, "reason": broken.Reason}
				return errors.Join(command.JSON(env.Stdout, v), err)
			} else if err != nil {
				return err
			}
			aside, err := l.AsideCount(ctx)
			if err != nil {
				return err
			}
			if asJSON {
				return command.JSON(env.Stdout, map[string]any{"events": whole.Events, "whole": true, "aside": aside,
					"owed": whole.Owed, "missing": whole.Missing})
			}
			fmt.Fprintf(env.Stdout, "%d events, every chain whole\n", whole.Events)
			if whole.Owed > 0 {
				fmt.Fprintf(env.Stdout, "%d bodies owed: only a tombstone came; import them from the counter's export\n", whole.Owed)
			}
			if whole.Missing > 0 {
				fmt.Fprintf(env.Stdout, "%d events missing: their counter has lost them\n", whole.Missing)
			}
			for _, reason := range slices.Sorted(maps.Keys(aside)) {
				fmt.Fprintf(env.Stdout, "%d kept aside: %s\n", aside[reason], reason)
			}
			return nil
		},
	}
}

func ledgerShowCommand() *command.Command {
	var db, keys string
	o := opening{purpose: "not stated"}
	return &command.Command{
		Name: "show", Args: "ID…", Summary: "Open events and print their records as JSON.",
		Help: "Needs the hub's age identity. What is printed is personal data: it is noted in the access log who\n" +
			"opens it, by --officer or else the user's name, and what for. What was forgotten stays closed.",
		Flags: func(fs *flag.FlagSet) {
			dbFlag(fs, &db)
			keysFlag(fs, &keys)
			o.flags(fs)
		},
		Run: func(ctx context.Context, env command.Env, args []string) error {
			if len(args) == 0 {
				return command.UsageError("ledger show takes the ids of events; see ledger ls")
			}
			var ids []uuid.UUID
			for _, arg := range args {
				id, err := uuid.Parse(arg)
				if err != nil {
					return command.UsageError("%q is not an event's id", arg)
				}
				ids = append(ids, id)
			}
			identities, err := hub.Identities(keys)
			if err != nil {
				return err
			}
			if o.officer == "" {
				o.officer = operator()
			}
			ring := hub.NewKeyRing(keys)
			return withLedger(ctx, db, func(l *hub.Ledger) error {
				for _, id := range ids {
					if forgotten, err := l.Forgotten(ctx, id); err != nil {
						return err
					} else if forgotten {
						return fmt.Errorf("event %s was forgotten; see lintas-hub ledger access", id)
					}
				}
				if err := o.note(ctx, l, "ledger show", ids); err != nil {
					return err
				}
				for _, id := range ids {
					if err := showEvent(ctx, env, l, ring, identities, id); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}

func ledgerOpenCommand() *command.Command {
	var db, keys string
	var asJSON bool
	return &command.Command{
		Name: "open", Summary: "Open the records that are not open yet, for the reports.",
		Help: "lintas-hub run does so by itself within a second. Exit status 2 if records cannot be opened; they\n" +
			"are kept and tried again when the identities change.",
		Flags: func(fs *flag.FlagSet) {
			dbFlag(fs, &db)
			keysFlag(fs, &keys)
			command.JSONFlag(fs, &asJSON)
		},
		Run: func(ctx context.Context, env command.Env, args []string) error {
			if err := command.NoArguments(args); err != nil {
				return err
			}
			identities, err := hub.Identities(keys)
			if err != nil {
				return err
			}
			return withLedger(ctx, db, func(l *hub.Ledger) error {
				all, err := l.OpenAll(ctx, identities)
				if err != nil {
					return err
				}
				if asJSON {
					err = command.JSON(env.Stdout, map[string]any{"opened": all.Opened, "unreadable": all.Unreadable})
				} else {
					fmt.Fprintf(env.Stdout, "%d records opened\n", all.Opened)
					for _, reason := range slices.Sorted(maps.Keys(all.Unreadable)) {
						fmt.Fprintf(env.Stdout, "%d not opened: %s\n", all.Unreadable[reason], reason)
					}
				}
				if err == nil && len(all.Unreadable) > 0 {
					err = &command.Exit{Code: command.Warnings}
				}
				return err
			})
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
