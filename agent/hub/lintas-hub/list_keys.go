package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"lintas/agent/command"
	"lintas/agent/crossing"
	"lintas/agent/hub"
	"lintas/agent/placement/repository"
)

func listKeysCommand() *command.Command {
	return &command.Command{
		Name: "keys", Summary: "Make keys that sign lists, and change the one that locks them.",
		Sub: []*command.Command{listKeysInitCommand(), listKeysMakeCommand(), listKeysNextCommand(), listKeysSwitchCommand()},
	}
}

func listKeysInitCommand() *command.Command {
	var keys string
	return &command.Command{
		Name: "init", Summary: "Make all keys that sign lists on this machine, and the first root.",
		Help: "Makes list/root-1.jwk to root-3.jwk, targets-1.jwk to targets-3.jwk, snapshot.jwk and\n" +
			"timestamp.jwk, and list-root.json, which every counter is given ([list] root_file).\n" +
			"Then take the keys of root and targets off this machine: who has two of a kind can forge lists.\n" +
			"To have them never on one machine, make each with lintas-hub list keys make and the root with\n" +
			"lintas-hub list root.",
		Flags: func(fs *flag.FlagSet) { keysFlag(fs, &keys) },
		Run: func(_ context.Context, env command.Env, args []string) error {
			if err := command.NoArguments(args); err != nil {
				return err
			}
			if err := repository.Init(keys); err != nil {
				return err
			}
			fmt.Fprintf(env.Stderr, "keys are in %s; give the counters %s\n", repository.KeyFolder(keys), repository.TrustedRoot(keys))
			fmt.Fprintln(env.Stderr, "next: move the root and targets keys to machines of their own")
			return nil
		},
	}
}

func listKeysMakeCommand() *command.Command {
	return &command.Command{
		Name: "make", Args: "FILE", Summary: "Make one key; its public half goes to FILE.pub.",
		Run: func(_ context.Context, env command.Env, args []string) error {
			if len(args) != 1 {
				return command.UsageError("list keys make takes one file")
			}
			if _, err := os.Stat(args[0]); !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("cannot make key: %s is there already", args[0])
			}
			k, _, err := crossing.LoadOrCreatePrivateKey(args[0])
			if err != nil {
				return err
			}
			b, err := k.Public().MarshalJWKS()
			if err != nil {
				return err
			}
			if err := crossing.WriteFile(args[0]+".pub", b, 0o644); err != nil {
				return err
			}
			fmt.Fprintf(env.Stderr, "key %s is in %s\n", k.ID, args[0])
			return nil
		},
	}
}

func listKeysNextCommand() *command.Command {
	var keys string
	return &command.Command{
		Name: "next", Summary: "Make the next list key, which the counters get with the next list.",
		Flags: func(fs *flag.FlagSet) { keysFlag(fs, &keys) },
		Run: func(_ context.Context, env command.Env, args []string) error {
			if err := command.NoArguments(args); err != nil {
				return err
			}
			id, err := hub.NextListKey(keys)
			if err != nil {
				return err
			}
			fmt.Fprintf(env.Stderr, "list key %s is next; once every counter has a list built from now on: lintas-hub list keys switch\n", id)
			return nil
		},
	}
}

func listKeysSwitchCommand() *command.Command {
	var keys string
	return &command.Command{
		Name: "switch", Summary: "Lock lists with the next list key from now on.",
		Help:  "The next build locks every record anew and makes a full list. The key before goes on being sent.",
		Flags: func(fs *flag.FlagSet) { keysFlag(fs, &keys) },
		Run: func(_ context.Context, env command.Env, args []string) error {
			if err := command.NoArguments(args); err != nil {
				return err
			}
			id, err := hub.SwitchListKey(keys)
			if err != nil {
				return err
			}
			fmt.Fprintf(env.Stderr, "lists are locked with key %s from now on\n", id)
			return nil
		},
	}
}

func listRootCommand() *command.Command {
	var from, out string
	var root, targets, snapshot, timestamp string
	return &command.Command{
		Name: "root", Summary: "Make root metadata: which keys may sign what.",
		Help: "The first one names the keys of every role. Its successor (--from) names those that are new; to\n" +
			"recover from a lost online key, replace snapshot and timestamp together, so that counters forget\n" +
			"what the old ones had signed. Then sign it with two root keys, of the old root and of the new one\n" +
			"(lintas-hub list sign), put it as <version>.root.json beside the others in list/ of the hub's keys,\n" +
			"and publish. A counter goes on from root to root by itself.",
		Flags: func(fs *flag.FlagSet) {
			fs.StringVar(&from, "from", "", "root metadata `file` before this one")
			fs.StringVar(&root, "root", "", "public key `files` of the role, separated by commas; two of them must sign")
			fs.StringVar(&targets, "targets", "", "the same of targets")
			fs.StringVar(&snapshot, "snapshot", "", "public key `file` of the snapshot")
			fs.StringVar(&timestamp, "timestamp", "", "public key `file` of the timestamp")
			fs.StringVar(&out, "o", "", "`file` to write")
		},
		Run: func(_ context.Context, env command.Env, args []string) error {
			if err := command.NoArguments(args); err != nil {
				return err
			}
			if out == "" {
				return command.UsageError("list root needs -o")
			}
			var before []byte
			var err error
			if from != "" {
				if before, err = os.ReadFile(from); err != nil {
					return err
				}
			}
			var roles repository.Roles
			for _, r := range []struct {
				files string
				keys  *crossing.Keys
			}{{root, &roles.Root}, {targets, &roles.Targets}, {snapshot, &roles.Snapshot}, {timestamp, &roles.Timestamp}} {
				if *r.keys, err = publicKeys(r.files); err != nil {
					return err
				}
			}
			b, err := repository.Repository{}.NewRoot(before, roles)
			if err != nil {
				return fmt.Errorf("cannot make root metadata: %w", err)
			}
			if err := crossing.WriteFile(out, b, 0o644); err != nil {
				return fmt.Errorf("cannot make root metadata: %w", err)
			}
			fmt.Fprintf(env.Stderr, "next: sign %s with two root keys\n", filepath.Clean(out))
			return nil
		},
	}
}

func publicKeys(files string) (crossing.Keys, error) {
	all := crossing.Keys{}
	for path := range strings.SplitSeq(files, ",") {
		if path == "" {
			continue
		}
		keys, err := crossing.LoadKeys(path)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, keys)
	}
	return all, nil
}
