package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"lintas/agent/command"
	"lintas/agent/crossing"
	"lintas/agent/hub"
)

func keysCommand() *command.Command {
	return &command.Command{
		Name: "keys", Summary: "Make the hub's keys, show their public parts, trust a counter's key.",
		Sub: []*command.Command{keysInitCommand(), keysShowCommand(), keysTrustCommand()},
	}
}

func keysInitCommand() *command.Command {
	var dir string
	var quantum bool
	return &command.Command{
		Name: "init", Summary: "Make what is missing of the hub's keys.",
		Help: "Makes ack.jwk (signs acknowledgements), age.txt (opens records) and list.jwk (locks the\n" +
			"placement list), all secret, and for the counters ack.jwks and recipients.txt.\n" +
			"Keep a copy of age.txt where a fire does not reach it: without it no record can be read.\n" +
			"To rotate age.txt, append the new identity to it and the new recipient to recipients.txt;\n" +
			"all recipients are of one kind, classic or post-quantum.",
		Flags: func(fs *flag.FlagSet) {
			keysFlag(fs, &dir)
			fs.BoolVar(&quantum, "pq", false, "make an age identity that withstands a quantum computer; records grow by 2 KB")
		},
		Run: func(_ context.Context, env command.Env, args []string) error {
			if err := command.NoArguments(args); err != nil {
				return err
			}
			if quantum {
				if err := hub.InitPostQuantum(dir); err != nil {
					return err
				}
			}
			if err := hub.InitKeys(dir); err != nil {
				return err
			}
			fmt.Fprintf(env.Stderr, "keys are in %s\n", dir)
			return nil
		},
	}
}

// shown is what `lintas-hub keys show --json` prints.
type shown struct {
	AckKeys    []string            `json:"ack_keys"`   // thumbprints
	Recipients []string            `json:"recipients"` // age
	Counters   map[string][]string `json:"counters"`   // trusted keys of each counter, thumbprints
}

func keysShowCommand() *command.Command {
	var dir string
	var asJSON bool
	return &command.Command{
		Name: "show", Summary: "Show the public parts of the keys and which counters are trusted.",
		Flags: func(fs *flag.FlagSet) {
			keysFlag(fs, &dir)
			command.JSONFlag(fs, &asJSON)
		},
		Run: func(_ context.Context, env command.Env, args []string) error {
			if err := command.NoArguments(args); err != nil {
				return err
			}
			s, err := showKeys(dir)
			if err != nil {
				return err
			}
			if asJSON {
				return command.JSON(env.Stdout, s)
			}
			fmt.Fprintf(env.Stdout, "acknowledgements are signed with  %s\n", strings.Join(s.AckKeys, " "))
			fmt.Fprintf(env.Stdout, "records are encrypted to          %s\n", strings.Join(s.Recipients, " "))
			for counter, ids := range s.Counters {
				fmt.Fprintf(env.Stdout, "counter %-12s signs with    %s\n", counter, strings.Join(ids, " "))
			}
			return nil
		},
	}
}

func showKeys(dir string) (shown, error) {
	s := shown{Counters: map[string][]string{}}
	acks, err := crossing.LoadKeys(filepath.Join(dir, hub.FileAckKeys))
	if err != nil {
		return s, err
	}
	s.AckKeys = ids(acks)
	b, err := os.ReadFile(filepath.Join(dir, hub.FileRecipients))
	if err != nil {
		return s, err
	}
	s.Recipients = strings.Fields(string(b))
	ring := hub.NewKeyRing(dir)
	counters, err := ring.Counters()
	if err != nil {
		return s, err
	}
	for _, c := range counters {
		keys, err := ring.For(c)
		if err != nil {
			return s, err
		}
		s.Counters[c] = ids(keys)
	}
	return s, nil
}

func ids(keys crossing.Keys) (list []string) {
	for id := range keys {
		list = append(list, id)
	}
	slices.Sort(list)
	return list
}

func keysTrustCommand() *command.Command {
	var dir string
	return &command.Command{
		Name: "trust", Args: "COUNTER FILE", Summary: "Accept a counter's public key, the file counter.pub.jwk of its state folder.",
		Help:  "Compare the thumbprint that is printed with the one that lintas status --json shows on the counter.",
		Flags: func(fs *flag.FlagSet) { keysFlag(fs, &dir) },
		Run: func(_ context.Context, env command.Env, args []string) error {
			if len(args) != 2 {
				return command.UsageError("keys trust takes a counter's id and a file")
			}
			keys, err := hub.NewKeyRing(dir).Trust(args[0], args[1])
			if err != nil {
				return err
			}
			fmt.Fprintf(env.Stderr, "counter %s may sign with %s\n", args[0], strings.Join(ids(keys), " "))
			return nil
		},
	}
}
