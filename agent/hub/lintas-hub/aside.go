package main

import (
	"context"
	"flag"
	"fmt"
	"strconv"
	"time"

	"lintas/agent/command"
	"lintas/agent/hub"
)

func ledgerAsideCommand() *command.Command {
	return &command.Command{
		Name: "aside", Summary: "See and decide on what was not accepted.",
		Sub: []*command.Command{asideListCommand(), asideDecideCommand("accept"), asideDecideCommand("reject")},
	}
}

func asideListCommand() *command.Command {
	var db, counter, reason string
	var all, asJSON bool
	return &command.Command{
		Name: "list", Summary: "List what was kept aside, and why. Nothing is opened or believed.",
		Help: "unknown-key    trust the key (lintas-hub counters add), and it is taken in\n" +
			"revoked        sent by a counter after it was revoked\n" +
			"equivocation   another event stands at its place: the machine was copied, or somebody forges\n" +
			"chain          it does not name the event before it\n" +
			"topic          it came on a topic of somebody else\n" +
			"unreadable     it is no event, or its signature does not fit\n\n" +
			"With --json one object a line.",
		Flags: func(fs *flag.FlagSet) {
			dbFlag(fs, &db)
			fs.StringVar(&counter, "counter", "", "only what a `counter` sent, or says that it did")
			fs.StringVar(&reason, "reason", "", "only what is kept aside for a `reason`")
			fs.BoolVar(&all, "all", false, "also what was rejected")
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
			list, err := l.Kept(ctx)
			if err != nil {
				return err
			}
			for _, k := range list {
				if k.Decision != "" && !all || reason != "" && k.Reason != reason || counter != "" && k.Counter != counter && k.Claims != counter {
					continue
				}
				if asJSON {
					err = command.JSON(env.Stdout, k)
				} else {
					_, err = fmt.Fprintf(env.Stdout, "%6d  %s  %-14s %-12s %6d  key %s %s\n", k.N, k.ReceivedAt.Format(time.RFC3339), k.Claims, k.Reason, k.Sequence, k.KeyID, k.Decision)
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// asideDecideCommand makes accept and reject.
func asideDecideCommand(name string) *command.Command {
	var db, keys string
	var word hub.Word
	var asJSON bool
	c := &command.Command{
		Name: name, Args: "NUMBER…", Summary: "Take in what was kept aside after all.",
		Help: "In the order of the chains, also of a counter that is revoked. A key must be trusted first, and\n" +
			"what does not fit its chain is not taken in: exit status 2, and it stays.",
		Flags: func(fs *flag.FlagSet) {
			dbFlag(fs, &db)
			if name == "accept" {
				keysFlag(fs, &keys)
			}
			wordFlags(fs, &word)
			command.JSONFlag(fs, &asJSON)
		},
	}
	if name == "reject" {
		c.Summary, c.Help = "Decide that it is not to be taken in.", "It stays in the ledger, with who decided and why, and is not listed any more but with --all."
	}
	c.Run = func(ctx context.Context, env command.Env, args []string) error {
		if len(args) == 0 {
			return command.UsageError("ledger aside %s takes numbers; see ledger aside list", name)
		}
		if word.Why == "" {
			return command.UsageError("ledger aside %s needs --why", name)
		}
		var numbers []int64
		for _, arg := range args {
			n, err := strconv.ParseInt(arg, 10, 64)
			if err != nil {
				return command.UsageError("%q is not a number of ledger aside list", arg)
			}
			numbers = append(numbers, n)
		}
		l, err := hub.UseLedger(ctx, db)
		if err != nil {
			return err
		}
		defer l.Close()
		var ruled []hub.Ruled
		if name == "accept" {
			ruled, err = l.Accept(ctx, hub.NewKeyRing(keys), numbers, word)
		} else {
			ruled, err = l.Reject(ctx, numbers, word)
		}
		refused := 0
		for _, r := range ruled { // also those before an error
			if r.Reason != "" {
				refused++
			}
			switch {
			case asJSON:
				command.JSON(env.Stdout, r)
			case r.Reason != "":
				fmt.Fprintf(env.Stdout, "%6d  %s  not taken in: %s\n", r.N, r.Counter, r.Reason)
			default:
				fmt.Fprintf(env.Stdout, "%6d  %s  %sed\n", r.N, r.Counter, name)
			}
		}
		if err == nil && refused > 0 {
			return &command.Exit{Code: command.Warnings}
		}
		return err
	}
	return c
}
