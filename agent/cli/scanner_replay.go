package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"lintas/agent/command"
	"lintas/devices/replay"
)

func scannerReplayCommand() *command.Command {
	var asJSON, fast, now bool
	return &command.Command{
		Name: "replay", Args: "FILE", Summary: "Play a recording on a pseudo-terminal, at its own pace.",
		Help: "Prints the path of the port, waits until a program opens it, plays once and ends.",
		Flags: func(fs *flag.FlagSet) {
			command.JSONFlag(fs, &asJSON)
			fs.BoolVar(&fast, "fast", false, "without the pauses")
			fs.BoolVar(&now, "now", false, "begin before anybody has opened the port")
		},
		Run: func(ctx context.Context, env command.Env, args []string) error {
			if len(args) != 1 {
				return command.UsageError("replay takes one file")
			}
			file, err := os.Open(args[0])
			if err != nil {
				return fmt.Errorf("cannot replay: %w", err)
			}
			capture, err := replay.Read(file)
			file.Close()
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			port, err := replay.NewPort()
			if err != nil {
				return err
			}
			defer port.Close()
			ear, err := port.Listen()
			if err != nil {
				return err
			}
			defer ear.Close()
			if capture.Personal == replay.RealData {
				fmt.Fprintln(env.Stderr, "this recording holds documents of people")
			}
			err = onPort(ctx, env, port, ear, asJSON, now, func() error {
				if err := capture.Play(ctx, port, fast); err != nil {
					return err
				}
				if err := port.Drain(ctx); err != nil {
					return err
				}
				return replay.Sleep(ctx, pauseTime) // until what is not terminated is taken for ended
			})
			if errors.Is(err, replay.ErrUnheard) {
				return fmt.Errorf("cannot replay %s: %w; open %s, or a program that has it open has hung", args[0], err, port.Path)
			}
			if ctx.Err() != nil {
				return nil // interrupted
			}
			return err
		},
	}
}

// onPort prints the path of a port, waits for somebody who opens it, and does
// something.
func onPort(ctx context.Context, env command.Env, port *replay.Port, ear *replay.Ear, asJSON, now bool, do func() error) (err error) {
	if asJSON {
		err = command.JSON(env.Stdout, map[string]string{"port": port.Path})
	} else {
		_, err = fmt.Fprintln(env.Stdout, port.Path)
	}
	if err != nil {
		return err
	}
	if !now {
		if err := ear.Wait(ctx); err != nil {
			return err
		}
	}
	return do()
}
