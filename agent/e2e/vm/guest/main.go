// Command guest runs the readers of a configuration inside of the virtual machine
// of package vm. Scans go to stdout, what becomes of the readers to stderr, as JSON
// lines.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"

	"golang.org/x/sync/errgroup"

	"lintas/agent/config"
	"lintas/agent/scanners"
	"lintas/devices"
)

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(path string) error {
	cfg, err := config.Load(path, os.Getenv)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	out := make(chan devices.Scan)
	group, ctx := errgroup.WithContext(context.Background())
	for _, s := range cfg.Scanners {
		r := scanners.New(s, log)
		if s.Profile == "keyboard" {
			r.Open = counted(r.Open, log)
		}
		group.Go(func() error { return r.Run(ctx, out) })
	}
	group.Go(func() error {
		lines := json.NewEncoder(os.Stdout)
		for scan := range out {
			if err := lines.Encode(scan); err != nil {
				return err
			}
		}
		return nil
	})
	return group.Wait()
}

// counted tells how many keys have gone down or up whenever a keyboard is read, so
// that nobody types faster than they are taken.
func counted(open devices.Opener, log *slog.Logger) devices.Opener {
	return func(ctx context.Context) (devices.Source, error) {
		src, err := open(ctx)
		if err != nil {
			return nil, err
		}
		return &counter{Source: src, log: log}, nil
	}
}

type counter struct {
	devices.Source
	log  *slog.Logger
	rest []byte // of a record
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Source.Read(p)
	keys := 0
	for c.rest = append(c.rest, p[:n]...); len(c.rest) >= 24; c.rest = c.rest[24:] { // struct input_event
		if c.rest[16] == 1 && c.rest[20] != 2 { // EV_KEY, not repeated
			keys++
		}
	}
	if keys > 0 {
		c.log.Debug("keys taken", "keys", keys)
	}
	return n, err
}
