package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/user"
	"slices"
	"strings"
	"time"

	"lintas/agent/command"
	"lintas/agent/crossing"
	"lintas/agent/hub"
)

func countersCommand() *command.Command {
	return &command.Command{
		Name: "counters", Summary: "Say which counters are trusted, and see how they stand.",
		Sub: []*command.Command{countersAddCommand(), countersRevokeCommand(), countersListCommand()},
	}
}

// wordFlags take who decides, and why.
func wordFlags(fs *flag.FlagSet, w *hub.Word) {
	fs.StringVar(&w.Officer, "officer", operator(), "`name` of who decides, for the ledger's record")
	fs.StringVar(&w.Why, "why", "", "`reason`, for the ledger's record")
}

// operator is who runs this, also behind sudo.
func operator() string {
	if name := os.Getenv("SUDO_USER"); name != "" {
		return name
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

func countersAddCommand() *command.Command {
	var db, keys, thumbprint string
	var word hub.Word
	var asJSON bool
	return &command.Command{
		Name: "add", Args: "COUNTER [FILE]", Summary: "Trust a counter's key, in the ledger for all hubs and in the key folder.",
		Help: "FILE is counter.pub.jwk of the counter's state folder. Without it the key is one that the counter\n" +
			"itself names in what was kept aside (a provisional key): give its --thumbprint, as lintas status\n" +
			"--json shows it on the counter. What was kept aside for that key is taken in. A counter that was\n" +
			"revoked is trusted again. Exit status 2 if something kept aside waits for events before it.",
		Flags: func(fs *flag.FlagSet) {
			dbFlag(fs, &db)
			keysFlag(fs, &keys)
			fs.StringVar(&thumbprint, "thumbprint", "", "`thumbprint` of the counter's provisional key")
			wordFlags(fs, &word)
			command.JSONFlag(fs, &asJSON)
		},
		Run: func(ctx context.Context, env command.Env, args []string) error {
			if len(args) < 1 || len(args) > 2 || len(args) == 2 && thumbprint != "" {
				return command.UsageError("counters add takes a counter's id, and a file or --thumbprint")
			}
			l, err := hub.OpenLedger(ctx, db)
			if err != nil {
				return err
			}
			defer l.Close()
			ring := hub.NewKeyRing(keys)
			var trusted crossing.Keys
			if len(args) == 2 {
				trusted, err = crossing.LoadKeys(args[1])
			} else {
				trusted, err = provisional(ctx, l, ring, args[0], thumbprint)
			}
			if err != nil {
				return err
			}
			r, err := l.AddCounter(ctx, ring, args[0], trusted, word)
			if err != nil {
				return err
			}
			if asJSON {
				err = command.JSON(env.Stdout, map[string]any{"counter": args[0], "key_ids": ids(trusted), "stored": r.Stored, "owed": r.Owed, "early": r.Early})
			} else {
				fmt.Fprintf(env.Stdout, "counter %s may sign with %s; %d events that were kept aside are in the ledger\n", args[0], strings.Join(ids(trusted), " "), r.Stored+r.Owed)
			}
			if err == nil && r.Early > 0 {
				fmt.Fprintf(env.Stderr, "%d events wait for others before them, which the counter sends again\n", r.Early)
				return &command.Exit{Code: command.Warnings}
			}
			return err
		},
	}
}

// provisional finds the key with a thumbprint that a counter names itself.
func provisional(ctx context.Context, l *hub.Ledger, ring *hub.KeyRing, counter, thumbprint string) (crossing.Keys, error) {
	found, err := l.Provisionals(ctx, ring, counter)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, p := range found {
		if p.KeyID == thumbprint {
			return p.Keys, nil
		}
		names = append(names, fmt.Sprintf("%s, which came %s", p.KeyID, p.ReceivedAt.Format(time.RFC3339)))
	}
	switch {
	case len(found) == 0:
		return nil, fmt.Errorf("counter %s names no key in what was kept aside; give the file counter.pub.jwk of its state folder", counter)
	case thumbprint == "":
		return nil, fmt.Errorf("counter %s names a key: %s; compare it with lintas status --json on the counter and give it with --thumbprint", counter, strings.Join(names, "; "))
	}
	return nil, fmt.Errorf("counter %s names no key %s, but %s", counter, thumbprint, strings.Join(names, "; "))
}

func countersRevokeCommand() *command.Command {
	var db, keys string
	var word hub.Word
	return &command.Command{
		Name: "revoke", Args: "COUNTER", Summary: "Accept nothing new of a counter: its machine was stolen, or is out of use.",
		Help: "What it sends from now on is kept aside (lintas-hub ledger aside), and lists that are built from\n" +
			"now on bring it no key. What it sent before stays and can be verified. Have its certificate revoked\n" +
			"at the broker too. counters add takes it back.",
		Flags: func(fs *flag.FlagSet) {
			dbFlag(fs, &db)
			keysFlag(fs, &keys)
			wordFlags(fs, &word)
		},
		Run: func(ctx context.Context, env command.Env, args []string) error {
			if len(args) != 1 {
				return command.UsageError("counters revoke takes one counter's id")
			}
			if word.Why == "" {
				return command.UsageError("counters revoke needs --why")
			}
			if !crossing.ValidCounter(args[0]) {
				return command.UsageError("%q is not a counter's id (A-Z, 0-9, -, 3 to 32 characters)", args[0])
			}
			l, err := hub.UseLedger(ctx, db)
			if err != nil {
				return err
			}
			defer l.Close()
			if err := l.Revoke(ctx, hub.NewKeyRing(keys), args[0], word); err != nil {
				return err
			}
			fmt.Fprintf(env.Stderr, "counter %s is revoked\n", args[0])
			return nil
		},
	}
}

func countersListCommand() *command.Command {
	var db, keys string
	var asJSON bool
	return &command.Command{
		Name: "list", Summary: "List the counters: trusted or not, heard when, confirmed how far.",
		Help: "With --json one object a line. online, queue_depth and queue_oldest are what the counter said\n" +
			"last about itself, at said_at; null if it never did.",
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
			list, err := l.Standings(ctx, hub.NewKeyRing(keys))
			if err != nil {
				return err
			}
			for _, s := range list {
				if asJSON {
					if err := command.JSON(env.Stdout, s); err != nil {
						return err
					}
					continue
				}
				heard, said := "never heard", ""
				if s.HeardAt != nil {
					heard = "heard " + s.HeardAt.Format(time.RFC3339)
				}
				if s.Online != nil {
					said = map[bool]string{true: "online", false: "offline"}[*s.Online] + fmt.Sprintf(", %d queued", *s.QueueDepth)
				}
				fmt.Fprintf(env.Stdout, "%-14s %-8s %-28s through %-8d %s", s.Counter, s.Trust, heard, s.Through, said)
				for _, reason := range slices.Sorted(maps.Keys(s.Aside)) {
					fmt.Fprintf(env.Stdout, "  %d aside: %s", s.Aside[reason], reason)
				}
				fmt.Fprintln(env.Stdout)
			}
			return nil
		},
	}
}
