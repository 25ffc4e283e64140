package daemon

import (
	"context"
	"time"

	"lintas/agent/control"
	"lintas/devices"
)

// status is what `lintas status` shows.
func (d *daemon) status(ctx context.Context) (control.Status, error) {
	s := control.Status{
		Counter: d.cfg.Counter.ID, Version: d.version, Started: d.started, Page: d.page.Load().(string), KeyID: d.key.Load().ID,
		Conditions: []control.Condition{}, Scanners: []control.Scanner{}, Recording: d.counter.View().Fault == "",
		Gaps: d.counter.Gaps(),
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
		s.Scanners = append(s.Scanners, scannerStatus(r))
	}
	for _, c := range d.board.Active() {
		s.Conditions = append(s.Conditions, control.Condition{
			Code: string(c.Code), Severity: string(c.Severity), Subject: c.Subject, Detail: c.Detail, Since: c.Since.UTC(),
			ID: c.ID, EN: c.EN, NextID: c.NextID, NextEN: c.NextEN})
	}
	return s, nil
}

func scannerStatus(r *devices.Reader) control.Scanner {
	st, counts := r.State(), r.Stats()
	s := control.Scanner{
		Name: r.Name, Status: string(st.Status), Reason: st.Reason, Since: moment(st.Since), LastScan: moment(st.LastScan),
		Code: st.Code, Diagnoses: []control.Diagnosis{}, Bytes: counts.Bytes, Noise: counts.Noise,
		Complete: counts.Complete, Partial: counts.Partial, Tracks: counts.Tracks, Dropped: st.Dropped,
	}
	if st.Status.Up() {
		for _, d := range r.Diagnose() {
			s.Diagnoses = append(s.Diagnoses, control.Diagnosis{Code: d.Code, ID: d.ID, EN: d.EN})
		}
	}
	if t := st.Tee; t.Path != "" {
		s.Tee = &control.Tee{Path: t.Path, Ready: t.Ready, Opened: t.Opened, Stuck: t.Stuck, Lost: t.Lost, Reason: t.Reason}
	}
	return s
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
