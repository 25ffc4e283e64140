package daemon

import (
	"context"
	"time"

	"lintas/agent/control"
)

// status is what `lintas status` shows.
func (d *daemon) status(ctx context.Context) (control.Status, error) {
	s := control.Status{
		Counter: d.cfg.Counter.ID, Version: d.version, Started: d.started, Page: d.page.Load().(string), KeyID: d.key.Load().ID,
		Conditions: []control.Condition{}, Scanners: []control.Scanner{}, Recording: d.counter.View().Fault == "",
	}
	q, err := d.queue.Status(ctx)
	if err != nil {
		return s, err
	}
	s.Queue = control.Queue{
		Epoch: q.Head.Epoch.String(), Sequence: q.Head.Sequence, Head: q.Head.Hash.String(),
		Depth: q.Depth, Acknowledged: q.Acknowledged, Oldest: moment(q.Oldest), AckTime: moment(q.AckTime),
	}
	if d.uplink != nil {
		u := d.uplink.Status()
		s.Uplink = control.Uplink{Broker: d.cfg.Broker.URL, Connected: u.Connected, Since: moment(u.Since), LastError: u.LastError}
	}
	if info, age, present := d.lists.info(); present {
		s.List = control.List{Present: true, Version: info.Version, Age: int64(age.Seconds()), Rows: info.Rows}
	}
	for _, r := range d.readers {
		st := r.State()
		s.Scanners = append(s.Scanners, control.Scanner{
			Name: r.Name, Status: string(st.Status), Reason: st.Reason, Since: moment(st.Since), LastScan: moment(st.LastScan)})
	}
	for _, c := range d.board.Active() {
		s.Conditions = append(s.Conditions, control.Condition{
			Code: string(c.Code), Severity: string(c.Severity), Subject: c.Subject, Detail: c.Detail, Since: c.Since.UTC(),
			ID: c.ID, EN: c.EN, NextID: c.NextID, NextEN: c.NextEN})
	}
	return s, nil
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Round(0)
	return &t
}

// agent is what the control socket may ask for.
func (d *daemon) agent() control.Agent {
	return control.Agent{Status: d.status, Acknowledge: d.takeAcknowledgement, Retry: d.retry, RotateKey: d.rotateKey}
}
