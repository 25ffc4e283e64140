package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"lintas/agent/command"
	"lintas/agent/crossing"
	"lintas/agent/hub"
)

func keysCommand() *command.Command {
	return &command.Command{
		Name: "keys", Summary: "Make and change the hub's keys, show their public parts, trust a counter's key.",
		Sub: []*command.Command{keysInitCommand(), keysShowCommand(), keysTrustCommand(), keysNextCommand(), keysSwitchCommand()},
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
			"To change ack.jwk or age.txt: lintas-hub keys next, and later keys switch.",
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

// changed is what keys next and keys switch print with --json.
type changed struct {
	Key   string    `json:"key"`            // ack or age
	ID    string    `json:"id"`             // thumbprint or recipient
	Until time.Time `json:"until,omitzero"` // until when the one before is good
}

func keysNextCommand() *command.Command {
	return changeCommand("next", "Make the next key, which the counters get with the next list.",
		"ack: the key that signs acknowledgements. It is added to ack.jwks.\n"+
			"age: the identity that opens records. It is added to age.txt, and its recipient to recipients.txt;\n"+
			"counters that have the next list encrypt to both. Keep a copy of age.txt anew.\n"+
			"Build and publish a list; once every counter has it: lintas-hub keys switch.",
		func(dir string, _ time.Time, ack bool) (string, error) {
			if ack {
				return hub.NextAckKey(dir)
			}
			return hub.NextIdentity(dir)
		})
}

func keysSwitchCommand() *command.Command {
	return changeCommand("switch", "Use the next key from now on.",
		"ack: hubs sign with it when they are started anew. What the old one signed is good for 30 days.\n"+
			"age: counters that get a list from now on encrypt to the old recipient for 30 days more. The old\n"+
			"identity stays in age.txt: it opens what was encrypted to it.",
		func(dir string, now time.Time, ack bool) (string, error) {
			if ack {
				return hub.SwitchAckKey(dir, now)
			}
			return hub.SwitchIdentity(dir, now)
		})
}

func changeCommand(name, summary, help string, change func(dir string, now time.Time, ack bool) (string, error)) *command.Command {
	var dir string
	var asJSON bool
	return &command.Command{
		Name: name, Args: "ack|age", Summary: summary, Help: help,
		Flags: func(fs *flag.FlagSet) {
			keysFlag(fs, &dir)
			command.JSONFlag(fs, &asJSON)
		},
		Run: func(_ context.Context, env command.Env, args []string) error {
			if len(args) != 1 || args[0] != "ack" && args[0] != "age" {
				return command.UsageError("keys %s takes ack or age", name)
			}
			now := time.Now()
			id, err := change(dir, now, args[0] == "ack")
			if err != nil {
				return err
			}
			c := changed{Key: args[0], ID: id}
			if name == "switch" {
				c.Until = now.Add(hub.Overlap).UTC().Truncate(time.Second)
			}
			if asJSON {
				return command.JSON(env.Stdout, c)
			}
			fmt.Fprintf(env.Stderr, "%s %s: %s\n", args[0], name, id)
			return nil
		},
	}
}
