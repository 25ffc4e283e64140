package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"

	"lintas/agent/command"
	"lintas/agent/config"
	"lintas/agent/crossing"
	"lintas/agent/daemon"
	"lintas/queue"
	"lintas/queue/sqlite"
)

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
			end, _ := sqlite.ReadAnchor(filepath.Join(cfg.State.Dir, daemon.AnchorFile))
			n, epoch, broken, err := verifyQueue(ctx, r, keys, cfg.Counter.ID, end)
			if err != nil {
				return err
			}
			if asJSON {
				v := map[string]any{"events": n, "whole": broken == nil}
				if broken != nil {
					v["first_bad_sequence"], v["reason"], v["epoch"] = broken.Sequence, broken.Reason, epoch.String()
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

// verifyQueue walks what is retained, and tells in which epoch it found what is
// broken. What is pruned was confirmed: a gap behind the watermark at either end
// means that events were removed; so does an end before the one that is known
// from outside of the file, if any is. Of former epochs only what was confirmed and
// what is parked has stayed, so that there may be gaps.
func verifyQueue(ctx context.Context, r *sqlite.Reader, keys crossing.Keys, counter string, end queue.Head) (n int, epoch queue.Epoch, broken *crossing.ChainError, err error) {
	st, err := r.Status(ctx)
	if err != nil {
		return 0, epoch, nil, err
	}
	now := st.Head.Epoch
	var chain *crossing.Chain
	var last uint64
	for e, err := range r.Events(ctx, 0) {
		if err != nil {
			return n, epoch, nil, err
		}
		first := e.Epoch != epoch || chain == nil
		if first || epoch != now && e.Sequence != last+1 {
			chain = &crossing.Chain{Keys: keys, Counter: counter}
		}
		epoch = e.Epoch
		if first && epoch == now && e.Sequence > st.Acknowledged+1 {
			return n, epoch, &crossing.ChainError{Sequence: st.Acknowledged + 1, Reason: "missing, and not confirmed by the hub"}, nil
		}
		last = e.Sequence
		s, err := chain.Next(e.Sequence, e.Sealed)
		switch {
		case err != nil:
		case s.Hash != e.Hash:
			err = &crossing.ChainError{Sequence: e.Sequence, Reason: "the stored hash differs"}
		case s.Position.Epoch != e.Epoch || queue.ID(s.UUID) != e.ID:
			err = &crossing.ChainError{Sequence: e.Sequence, Reason: "it is listed under another epoch or id"}
		case end == queue.Head{Epoch: e.Epoch, Sequence: e.Sequence, Hash: end.Hash} && end.Hash != e.Hash:
			err = &crossing.ChainError{Sequence: e.Sequence, Reason: "it is not the one that was recorded"}
		}
		if broken, ok := errors.AsType[*crossing.ChainError](err); ok {
			return n, epoch, broken, nil
		} else if err != nil {
			return n, epoch, nil, err
		}
		n++
	}
	if epoch != now {
		epoch, last = now, 0
	}
	known := max(st.Acknowledged, 1)
	if end.Epoch == now {
		known = max(known, end.Sequence)
	}
	if last < known { // the first event is written before anything else
		return n, epoch, &crossing.ChainError{Sequence: last + 1, Reason: "missing: the end was cut off"}, nil
	}
	return n, epoch, nil, nil
}
