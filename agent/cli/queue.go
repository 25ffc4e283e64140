package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"lintas/agent/command"
	"lintas/agent/config"
	"lintas/agent/daemon"
	"lintas/queue/sqlite"
)

func queueCommand() *command.Command {
	return &command.Command{
		Name: "queue", Summary: "Look at what is recorded on this machine, check it, export it.",
		Sub: []*command.Command{queueStatusCommand(), queueLsCommand(), queueVerifyCommand(), queueExportCommand(), queueAckCommand(), queueRetryCommand()},
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
	Parked       int        `json:"parked"` // no broker carries them, and the hub lacks their bodies
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
				if st.Parked > 0 {
					fmt.Fprintf(env.Stdout, "%d are parked, because no broker carries them: see lintas queue ls, retry, export\n", st.Parked)
				}
				return nil
			}
			s := queueStatus{
				Epoch: st.Head.Epoch.String(), Sequence: st.Head.Sequence, Head: st.Head.Hash.String(),
				Depth: st.Depth, Acknowledged: st.Acknowledged, Parked: st.Parked,
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
