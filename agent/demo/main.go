// Command demo runs a whole Lintas on one machine, on invented travellers: an
// MQTT broker in this process, the hub and the agent as the programs they are,
// and a scanner that is simulated on a pseudo-terminal. Nothing of it is part
// of what is shipped.
//
// Without -once it swipes a traveller every few seconds until it is
// interrupted; whoever sits at the page can decide, or the simulated officer
// does. With -once it swipes each traveller once, waits until the hub has
// confirmed every event, prints a table and ends with 0 if nothing is missing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	once := flag.Bool("once", false, "swipe each traveller once, wait for the hub, print a table")
	dir := flag.String("dir", "", "keep configuration, keys, queue and ledger in this `folder`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *once, *dir, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// onceLimit is when -once gives up; it takes a few seconds.
const onceLimit = 2 * time.Minute

func run(ctx context.Context, once bool, dir string, out io.Writer) (err error) {
	if dir == "" {
		if dir, err = os.MkdirTemp("", "lintas-demo-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	listen := pageAddress
	if once {
		listen = "127.0.0.1:0"
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, onceLimit, errors.New("it took too long"))
		defer cancel()
	}
	r, err := start(ctx, dir, listen)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	if once {
		return r.onceThrough(ctx, out)
	}
	fmt.Fprintf(out, whatToSee, r.page, dir)
	r.openBrowser()
	return r.forEver(ctx, out)
}

const whatToSee = `
The officer's page:  http://%s/

  Every few seconds an invented traveller is swiped, or scanned as a page. Decide with the keys on the
  page (F1 record and go on, F2 refer, …), or wait: a simulated officer does.
  Every verdict occurs: on record, no record, ask, call supervisor, cannot tell.

  Everything is in %s:
    lintas.toml     the configuration      state/        queue, list, keys of the counter
    hub/            keys and ledger        scanner       the simulated serial port
    pages/          where a page scanner drops its files: try one of your own

  Try in another terminal, with the folder's path for DIR:
    bin/lintas status -c DIR/lintas.toml
    bin/lintas queue ls -c DIR/lintas.toml
    bin/lintas-hub ledger ls --db DIR/hub/ledger.db

  Ctrl-C ends it.

`
