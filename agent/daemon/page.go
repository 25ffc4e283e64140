package daemon

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"lintas/agent/health"
	"lintas/agent/screen"
)

// servePage keeps the officer's page up. A port that somebody else holds must
// not keep the counter from recording.
func (d *daemon) servePage(ctx context.Context) error {
	for ctx.Err() == nil {
		s := screen.New(screen.Options{
			Listen: d.cfg.Screen.Listen, Language: d.cfg.Screen.Language, Theme: d.cfg.Screen.Theme, Desk: d.counter, Health: d.board,
			Link: d.link, List: d.lists.screenInfo, Logger: d.log, Version: d.version, OnLoop: d.beats.of("page"),
		})
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		var err error
		select {
		case <-s.Ready():
			d.page.Store(s.Addr())
			d.board.Set(health.ScreenDown, "", false, "")
			err = <-ended
		case err = <-ended:
		}
		d.page.Store("")
		d.beats.rest("page")
		if ctx.Err() != nil {
			return nil
		}
		d.board.Set(health.ScreenDown, "", true, fmt.Sprint(err))
		select {
		case <-ctx.Done():
		case <-time.After(retryAfter):
		}
	}
	return nil
}

// link tells the page about delivery. The page asks every second and must not
// wait for the disk: what the queue holds was read by watch.
func (d *daemon) link() screen.Link {
	l := *d.waiting.Load()
	if d.uplink != nil {
		u := d.uplink.Status()
		l.Connected, l.Unconfirmed = u.Connected, u.Unconfirmed
	}
	return l
}

// lookAtQueue reads how much waits for the hub.
func (d *daemon) lookAtQueue(ctx context.Context) {
	st, err := d.queue.Status(ctx)
	if err != nil {
		d.log.Warn("cannot read queue", "error", err)
		return
	}
	d.board.Set(health.EventParked, "", st.Parked > 0, strconv.Itoa(st.Parked))
	d.waiting.Store(&screen.Link{Depth: st.Depth, Oldest: st.Oldest})
}
