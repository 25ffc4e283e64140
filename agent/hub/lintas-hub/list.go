package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"lintas/agent/command"
	"lintas/agent/crossing"
	"lintas/agent/hub"
	"lintas/agent/placement"
	"lintas/agent/placement/repository"
)

func listCommand() *command.Command {
	return &command.Command{
		Name: "list", Summary: "Build, sign and publish the placement list for the counters.",
		Sub: []*command.Command{listBuildCommand(), listSignCommand(), listPublishCommand(), listShowCommand(), listKeysCommand(), listRootCommand()},
	}
}

func listSignCommand() *command.Command {
	var key string
	return &command.Command{
		Name: "sign", Args: "FILE…", Summary: "Add a signature to root or targets metadata.",
		Help: "Needs nothing but the key and the file, and so runs on a machine that is never on a network:\n" +
			"carry DIR/metadata/<v>.targets.json there and back. Two of the three keys must sign.",
		Flags: func(fs *flag.FlagSet) { fs.StringVar(&key, "key", "", "private key `file` (JWK)") },
		Run: func(_ context.Context, env command.Env, args []string) error {
			if len(args) == 0 || key == "" {
				return command.UsageError("list sign takes --key and at least one file")
			}
			k, err := crossing.LoadPrivateKey(key)
			if err != nil {
				return err
			}
			for _, path := range args {
				if err := repository.Sign(path, k); err != nil {
					return err
				}
				fmt.Fprintf(env.Stderr, "signed %s with key %s\n", path, k.ID)
			}
			return nil
		},
	}
}

func listPublishCommand() *command.Command {
	var keys string
	var to destinations
	var b broker
	return &command.Command{
		Name: "publish", Args: "DIR", Summary: "Date a list that is signed, and put it where counters find it.",
		Help: "Signs the snapshot and the timestamp, which says for 7 days that the list is current: run it\n" +
			"several times a day, also when nothing is new (lintas-hub-list.timer does). Then copies the list\n" +
			"to each --to: a folder (a web server's, a USB stick), or \"mqtt\" for the broker given with\n" +
			"--broker. The folder DIR itself can be served too.\n" +
			"Brokers are given full lists up to 256 MiB; deltas always.\n" +
			"Exit status: 0 published; 2 published, but something must be signed offline: it says what.",
		Flags: func(fs *flag.FlagSet) {
			keysFlag(fs, &keys)
			fs.Var(&to, "to", "`destination`, a folder or mqtt; may be repeated")
			b.flags(fs)
			fs.Lookup("client-id").DefValue, b.id = "lintas-hub-list", "lintas-hub-list"
		},
		Run: func(ctx context.Context, env command.Env, args []string) error {
			if len(args) != 1 {
				return command.UsageError("list publish takes one list's folder")
			}
			r := repository.Repository{Dir: args[0]}
			if err := r.AddRoots(repository.KeyFolder(keys)); err != nil {
				return err
			}
			if err := date(r, keys); err != nil {
				return err
			}
			for _, d := range to {
				if err := publish(ctx, env, r, d, b); err != nil {
					return err
				}
			}
			l, err := r.Current()
			if err != nil {
				return err
			}
			fmt.Fprintf(env.Stderr, "published list version %d, current for %d days\n", l.Version, int(placement.Lifetime.Hours()/24))
			return tellDue(env, r)
		},
	}
}

// tellDue warns of what must soon be signed offline.
func tellDue(env command.Env, r repository.Repository) error {
	due, err := r.Due()
	if err != nil {
		return err
	}
	waits := r.Signed()
	if waits != nil {
		fmt.Fprintf(env.Stderr, "warning: a newer list is not published yet: %v\n", waits)
	}
	if len(due) == 0 && waits == nil {
		return nil
	}
	next := map[string]string{
		repository.RoleRoot:    "make and sign its successor with lintas-hub list root",
		repository.RoleTargets: "build the list again with lintas-hub list build and sign it",
	}
	for _, d := range due {
		fmt.Fprintf(env.Stderr, "warning: the %s metadata expires on %s, and counters install nothing from then on; %s\n", d.Role, d.Expires.Format(time.DateOnly), next[d.Role])
	}
	return &command.Exit{Code: command.Warnings}
}

// destinations is a flag that may be repeated.
type destinations []string

func (d *destinations) String() string     { return strings.Join(*d, " ") }
func (d *destinations) Set(s string) error { *d = append(*d, s); return nil }

func publish(ctx context.Context, env command.Env, r repository.Repository, to string, b broker) error {
	if to != "mqtt" {
		n, err := r.CopyTo(to)
		if err == nil {
			fmt.Fprintf(env.Stderr, "copied %d files to %s\n", n, to)
		}
		return err
	}
	o, err := b.options()
	if err != nil {
		return err
	}
	o.KeepSession = false
	n, err := r.Publish(ctx, repository.Broker{Options: o, State: statePath(r.Dir, "mqtt-"+fileSafe(b.url)+".json")})
	if err == nil {
		fmt.Fprintf(env.Stderr, "sent %d messages to %s\n", n, b.url)
	}
	return err
}

func fileSafe(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(":/?#@[]", r) {
			return '-'
		}
		return r
	}, s)
}

// statePath is a file of a list's state, which is kept beside the list.
func statePath(dir, name string) string {
	return filepath.Join(strings.TrimSuffix(dir, string(filepath.Separator))+".state", name)
}

// date signs with the online keys.
func date(r repository.Repository, keys string) error {
	dir := repository.KeyFolder(keys)
	var online []crossing.PrivateKey
	for _, role := range []string{repository.RoleSnapshot, repository.RoleTimestamp} {
		found, err := repository.RoleKeys(dir, role)
		if err != nil {
			return err
		}
		online = append(online, found...)
	}
	if err := r.Date(online...); err != nil {
		return fmt.Errorf("cannot date list: %w", err)
	}
	return nil
}

// shownList is what `lintas-hub list show --json` prints.
type shownList struct {
	Version int64  `json:"version"`
	Full    int64  `json:"full"`
	KeyID   string `json:"key_id"`
	Targets int    `json:"targets"`
	Signed  bool   `json:"signed"`
}

func listShowCommand() *command.Command {
	var asJSON bool
	return &command.Command{
		Name: "show", Args: "DIR", Summary: "Show which list is in a folder.",
		Flags: func(fs *flag.FlagSet) { command.JSONFlag(fs, &asJSON) },
		Run: func(_ context.Context, env command.Env, args []string) error {
			if len(args) != 1 {
				return command.UsageError("list show takes one list's folder")
			}
			r := repository.Repository{Dir: args[0]}
			l, err := r.List()
			if err != nil {
				return err
			}
			if l.Version == 0 {
				return fmt.Errorf("%s holds no list: build one with lintas-hub list build", args[0])
			}
			signed := r.Signed()
			if asJSON {
				return command.JSON(env.Stdout, shownList{l.Version, l.Full, l.KeyID, len(l.Targets), signed == nil})
			}
			fmt.Fprintf(env.Stdout, "version %d, full list %d, list key %s, %d files\n", l.Version, l.Full, l.KeyID, len(l.Targets))
			if signed != nil {
				fmt.Fprintf(env.Stdout, "not signed: %v\n", signed)
			}
			return nil
		},
	}
}

// listKeyring reads the list keys of the key folder: the one in use first.
func listKeyring(keys string) (ring placement.Keyring, err error) {
	for i, name := range []string{hub.FileListKey, hub.FileNextListKey, hub.FileOldListKey} {
		k, err := placement.LoadKey(filepath.Join(keys, name))
		if i > 0 && errors.Is(err, errNotExist) {
			continue
		} else if err != nil {
			return nil, err
		}
		ring = append(ring, k)
	}
	return ring, nil
}
