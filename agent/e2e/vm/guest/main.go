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
