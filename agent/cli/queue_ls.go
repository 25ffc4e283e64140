package cli

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"time"

	"github.com/google/uuid"

	"lintas/agent/command"
	"lintas/agent/config"
	"lintas/agent/counter"
	"lintas/queue"
	"lintas/queue/sqlite"
)

// queued is a line of `lintas queue ls --json`.
type queued struct {
	Epoch     string    `json:"epoch"`
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
			var epoch queue.Epoch
			for e, err := range r.Events(ctx, 0) {
				if err != nil {
					return err
				}
				note, err := counter.ReadNote(e.Note)
				if err != nil {
					return fmt.Errorf("event %d: %w", e.Sequence, err)
				}
				note.Tag = "" // of use to the running agent alone
				if epoch != e.Epoch && !asJSON {
					fmt.Fprintf(out, "epoch %s\n", e.Epoch)
				}
				epoch = e.Epoch
				if asJSON {
					err = command.JSON(out, queued{e.Epoch.String(), e.Sequence, uuid.UUID(e.ID).String(), e.At, e.Hash.String(), e.Acknowledged, e.Parked, note})
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
