package cli

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"lintas/agent/command"
	"lintas/agent/config"
	"lintas/agent/counter"
	"lintas/agent/crossing"
	"lintas/agent/daemon"
	"lintas/queue/sqlite"
)

func queueCommand() *command.Command {
	return &command.Command{
		Name: "queue", Summary: "Look at what is recorded on this machine, check it, export it.",
		Sub: []*command.Command{queueStatusCommand(), queueLsCommand(), queueVerifyCommand(), queueExportCommand(), queueAckCommand()},
	}
}

// queueRun opens the queue that a configuration names, beside a running agent.
func queueRun(path *string, run func(context.Context, command.Env, *config.Config, *sqlite.Reader) error) func(context.Context, command.Env, []string) error {
	return withConfig(path, func(ctx context.Context, env command.Env, cfg *config.Config) error {
		r, err := sqlite.OpenReader(ctx, filepath.Join(cfg.State.Dir, daemon.QueueFile))
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("nothing is recorded yet: %w", err)
		} else if err != nil {
			return err
		}
		return errors.Join(run(ctx, env, cfg, r), r.Close())
	})
}

// queueStatus is what `lintas queue status --json` prints.
type queueStatus struct {
	Epoch        string     `json:"epoch"`
	Sequence     uint64     `json:"sequence"`
	Head         string     `json:"head"`
	Depth        uint64     `json:"depth"`
	Oldest       *time.Time `json:"oldest"`
	Acknowledged uint64     `json:"acknowledged"`
	AckTime      *time.Time `json:"ack_time"`
}

func queueStatusCommand() *command.Command {
	var path string
	var asJSON bool
	return &command.Command{
		Name: "status", Summary: "Show how much waits for the hub.",
		Flags: func(fs *flag.FlagSet) {
			configFlag(fs, &path)
			command.JSONFlag(fs, &asJSON)
		},
		Run: queueRun(&path, func(ctx context.Context, env command.Env, _ *config.Config, r *sqlite.Reader) error {
			st, err := r.Status(ctx)
			if err != nil {
				return err
			}
			if !asJSON {
				fmt.Fprintf(env.Stdout, "%d recorded, %d confirmed by the hub, %d waiting\n", st.Head.Sequence, st.Acknowledged, st.Depth)
				if st.Depth > 0 {
					fmt.Fprintf(env.Stdout, "the oldest has waited %s\n", time.Since(st.Oldest).Round(time.Second))
				}
				return nil
			}
			s := queueStatus{
				Epoch: st.Head.Epoch.String(), Sequence: st.Head.Sequence, Head: st.Head.Hash.String(),
				Depth: st.Depth, Acknowledged: st.Acknowledged,
			}
			if !st.Oldest.IsZero() {
				s.Oldest = &st.Oldest
			}
			if !st.AckTime.IsZero() {
				s.AckTime = &st.AckTime
			}
			return command.JSON(env.Stdout, s)
		}),
	}
}

// queued is a line of `lintas queue ls --json`.
type queued struct {
	Sequence  uint64    `json:"sequence"`
	ID        string    `json:"id"`
	Time      time.Time `json:"time"`
	Hash      string    `json:"hash"`
	Confirmed bool      `json:"confirmed"`
	Parked    string    `json:"parked"` // why no broker carries it; "" if one does
	counter.Note
}

func queueLsCommand() *command.Command {
	var path string
	var asJSON bool
	return &command.Command{
		Name: "ls", Summary: "List the retained events with their notes. Records cannot be read here.",
		Flags: func(fs *flag.FlagSet) {
			configFlag(fs, &path)
			command.JSONFlag(fs, &asJSON)
		},
		Run: queueRun(&path, func(ctx context.Context, env command.Env, _ *config.Config, r *sqlite.Reader) error {
			out := bufio.NewWriter(env.Stdout)
			for e, err := range r.Events(ctx, 1) {
				if err != nil {
					return err
				}
				note, err := counter.ReadNote(e.Note)
				if err != nil {
					return fmt.Errorf("event %d: %w", e.Sequence, err)
				}
				note.Tag = "" // of use to the running agent alone
				if asJSON {
					err = command.JSON(out, queued{e.Sequence, uuid.UUID(e.ID).String(), e.At, e.Hash.String(), e.Acknowledged, e.Parked, note})
				} else {
					_, err = fmt.Fprintf(out, "%6d  %s  %-9s  %-20s  %-10s %s %s\n", e.Sequence, e.At.Format(time.RFC3339),
						stage(e.Parked, e.Acknowledged), note.Type, note.Document, note.Verdict, note.Decision)
				}
				if err != nil {
					return err
				}
			}
			return out.Flush()
		}),
	}
}

// stage says in a word how far an event has come.
func stage(parked string, confirmed bool) string {
	switch {
	case parked != "":
		return "parked"
	case confirmed:
		return "confirmed"
	}
	return "saved"
}

func queueVerifyCommand() *command.Command {
	var path string
	var asJSON bool
	return &command.Command{
		Name: "verify", Summary: "Walk the chain: every signature, sequence and hash.",
		Help: "Exit status 1 and the first bad sequence if an event was removed, altered or reordered.",
		Flags: func(fs *flag.FlagSet) {
			configFlag(fs, &path)
			command.JSONFlag(fs, &asJSON)
		},
		Run: queueRun(&path, func(ctx context.Context, env command.Env, cfg *config.Config, r *sqlite.Reader) error {
			keys, err := daemon.VerifyKeys(cfg)
			if err != nil {
				return err
			}
			n, broken, err := verifyQueue(ctx, r, &crossing.Chain{Keys: keys, Counter: cfg.Counter.ID})
			if err != nil {
				return err
			}
			if asJSON {
				v := map[string]any{"events": n, "whole": broken == nil}
				if broken != nil {
					v["first_bad_sequence"], v["reason"] = broken.Sequence, broken.Reason
				}
				err = command.JSON(env.Stdout, v)
			} else if broken == nil {
				_, err = fmt.Fprintf(env.Stdout, "%d events, chain whole\n", n)
			}
			if err == nil && broken != nil {
				return broken
			}
			return err
		}),
	}
}

// verifyQueue walks what is retained. What is pruned was confirmed: a gap
// behind the watermark at either end means that events were removed.
func verifyQueue(ctx context.Context, r *sqlite.Reader, chain *crossing.Chain) (n int, broken *crossing.ChainError, err error) {
	st, err := r.Status(ctx)
	if err != nil {
		return 0, nil, err
	}
	var first, last uint64
	for e, err := range r.Events(ctx, 1) {
		if err != nil {
			return n, nil, err
		}
		if last = e.Sequence; first == 0 {
			first = e.Sequence
			if first > st.Acknowledged+1 {
				return n, &crossing.ChainError{Sequence: st.Acknowledged + 1, Reason: "missing, and not confirmed by the hub"}, nil
			}
		}
		s, err := chain.Next(e.Sequence, e.Sealed)
		if err == nil && s.Hash != e.Hash {
			err = &crossing.ChainError{Sequence: e.Sequence, Reason: "the stored hash differs"}
		}
		if broken, ok := errors.AsType[*crossing.ChainError](err); ok {
			return n, broken, nil
		} else if err != nil {
			return n, nil, err
		}
		n++
	}
	if last < max(st.Acknowledged, 1) { // the first event is written before anything else
		return n, &crossing.ChainError{Sequence: last + 1, Reason: "missing: the end was cut off"}, nil
	}
	return n, nil, nil
}

func queueExportCommand() *command.Command {
	var path, to string
	var all bool
	return &command.Command{
		Name: "export", Summary: "Write sealed events, one a line, for a USB stick.",
		Help: "lintas-hub ledger import takes the file, any number of times. Nothing is removed from the queue.",
		Flags: func(fs *flag.FlagSet) {
			configFlag(fs, &path)
			fs.StringVar(&to, "o", "-", "`file` to write; - is stdout")
			fs.BoolVar(&all, "all", true, "also events that the hub has confirmed")
		},
		Run: queueRun(&path, func(ctx context.Context, env command.Env, _ *config.Config, r *sqlite.Reader) error {
			n := 0
			write := func(w io.Writer) error {
				out := bufio.NewWriter(w)
				for e, err := range r.Events(ctx, 1) {
					if err != nil {
						return err
					}
					if e.Acknowledged && !all {
						continue
					}
					n++
					if _, err := out.Write(append(e.Sealed, '\n')); err != nil {
						return err
					}
				}
				return out.Flush()
			}
			if to == "-" {
				return write(env.Stdout)
			}
			if err := writeFile(to, write); err != nil {
				return fmt.Errorf("cannot export: %w", err)
			}
			fmt.Fprintf(env.Stderr, "wrote %d sealed events to %s\n", n, to)
			return nil
		}),
	}
}

// writeFile makes a file that is on the medium when it returns.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Sync(), f.Close(), sqlite.SyncDir(filepath.Dir(path)))
}
