package uplink

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"lintas/queue"
	"lintas/queue/mqtt"
)

var (
	errLost      = errors.New("connection lost")
	errPreferred = errors.New("a broker that is preferred can be reached again")
)

// round tries the brokers in order, without a pause, until one has served: it
// brought an acknowledgement or stayed for long. When a broker that served is
// lost the next round begins with the most preferred one; one that takes
// connections and is good for nothing does not keep the others from their turn.
func (u *Uplink) round(ctx context.Context) (served bool, err error) {
	var failed []error
	for i := range u.o.Connections {
		began := time.Now()
		progress, err := u.session(ctx, i)
		if ctx.Err() != nil || errors.Is(err, queue.ErrDamaged) {
			return false, err
		}
		failed = append(failed, err)
		u.change(func(s *Status) { s.Connected, s.LastError = false, text(failed) })
		if errors.Is(err, errPreferred) {
			return true, err
		}
		if progress || time.Since(began) > u.pace.backoffMax {
			served = true
			break
		}
	}
	if t := text(failed); t != u.logged {
		u.logged = t
		u.o.Logger.Warn("uplink down", "error", t)
	}
	return served, errors.Join(failed...)
}

func text(failed []error) string {
	var all []string
	for _, err := range failed {
		if err != nil {
			all = append(all, err.Error())
		}
	}
	return strings.Join(all, "; ")
}

// settings asks for those of one broker; name is what it is called in messages.
func (u *Uplink) settings(broker int) (o mqtt.Options, name string, err error) {
	o, err = u.o.Connections[broker]()
	name = fmt.Sprint("number ", broker+1)
	if o.URL != "" {
		name = mqtt.Redact(o.URL)
	}
	if err != nil {
		err = fmt.Errorf("broker %s: %w", name, err)
	}
	return o, name, err
}

// session connects to a broker and works until the connection is lost or ctx
// ends; progress tells that an acknowledgement was taken.
func (u *Uplink) session(ctx context.Context, broker int) (progress bool, err error) {
	o, name, err := u.settings(broker)
	if err != nil {
		return false, err
	}
	s := u.newSession(broker)
	o.Filters = []string{u.o.Topics.Ack}
	o.Receive = s.receive
	o.Will = &mqtt.Message{Topic: u.o.Topics.State, Payload: u.o.State(false), Retained: true}
	if s.conn, err = mqtt.Dial(ctx, o); err != nil {
		return false, err
	}
	u.outbox.Release()
	u.o.Logger.Info("uplink up", "broker", name)
	u.logged = ""
	u.change(func(st *Status) {
		if st.Connected, st.Broker = true, broker; !st.Failing {
			st.LastError = ""
		}
	})
	s.control = s.publishState(true)

	before := u.outbox.Acknowledged()
	err = s.run(ctx)
	if ctx.Err() != nil {
		s.publishState(false) // a DISCONNECT keeps the broker from publishing the will
	}
	s.conn.Close()
	if err != nil {
		if errors.Is(err, errLost) {
			err = errors.Join(err, u.killer.lost(ctx, s))
		}
		err = fmt.Errorf("broker %s: %w", name, err)
	}
	progress = u.outbox.Acknowledged() != before
	u.flaps.lost(u, s, progress)
	return progress, err
}

// lookOut looks from time to time whether a more preferred broker can be
// reached, and pokes when one can. It ends with ctx.
func (u *Uplink) lookOut(ctx context.Context, broker int, back chan struct{}) {
	every := time.NewTicker(u.o.PreferEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		for i := range broker {
			o, _, err := u.settings(i)
			if err == nil && mqtt.Reach(ctx, o) == nil {
				poke(back)
				return
			}
		}
	}
}
