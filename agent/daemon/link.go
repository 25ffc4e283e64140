package daemon

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"lintas/agent/config"
	"lintas/agent/crossing"
	"lintas/agent/health"
	"lintas/queue"
	"lintas/queue/mqtt"
	"lintas/queue/uplink"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func (d *daemon) newUplink() *uplink.Uplink {
	b := d.cfg.Broker
	d.board.Set(health.BrokerNone, "", b.URL == "", "")
	if b.URL == "" {
		return nil
	}
	id := d.cfg.Counter.ID
	d.board.Set(health.BrokerDown, "", true, "not connected yet")
	return uplink.New(d.queue, uplink.Options{
		Connections: d.connections(),
		Tombstone:   func(e queue.Event) ([]byte, error) { return d.sealer.Tombstone(e.Sealed) },
		MaxMessage:  crossing.MaxSealed,
		Topics:      uplink.Topics{Event: crossing.EventTopic(id), Ack: crossing.AckTopic(id), State: crossing.StateTopic(id)},
		Verify:      d.verifyAck,
		Foreign:     d.fork,
		State:       d.state,
		Window:      b.Window,
		AckTimeout:  b.AckTimeout,
		OnChange: func(s uplink.Status) {
			d.board.Set(health.BrokerDown, "", !s.Connected || s.Failing, s.LastError)
			d.board.Set(health.HubUnconfirmed, "", s.Unconfirmed, "")
			d.board.Set(health.HubLacksPruned, "", s.Pruned, "")
			d.board.Set(health.AckNotBelieved, "", s.AckFault != "", s.AckFault)
		},
		Logger: d.log,
	})
}

// connections gives the ways to the brokers, the preferred one first.
func (d *daemon) connections() (all []func() (mqtt.Options, error)) {
	for _, url := range append([]string{d.cfg.Broker.URL}, d.cfg.Broker.Fallback...) {
		all = append(all, func() (mqtt.Options, error) { return d.connection(url) })
	}
	return all
}

// connection reads certificates and passwords anew for each connection, so
// that renewed ones are taken up.
func (d *daemon) connection(url string) (mqtt.Options, error) { return connection(d.cfg, url) }

func connection(cfg *config.Config, url string) (mqtt.Options, error) {
	b := cfg.Broker
	o := mqtt.Options{URL: url, ClientID: cfg.Counter.ID, Username: b.Username, KeepAlive: b.KeepAlive}
	if b.PasswordFile != "" {
		secret, err := os.ReadFile(b.PasswordFile)
		if err != nil {
			return o, fmt.Errorf("cannot read broker password: %w", err)
		}
		o.Password = strings.TrimRight(string(secret), "\r\n")
	}
	if strings.HasPrefix(url, "tls://") {
		conf, err := mqtt.ClientTLS(b.CAFile, b.CertificateFile, b.KeyFile)
		if err != nil {
			return o, err
		}
		o.TLS = conf
	}
	return o, nil
}

// state is the message about this counter; with online false it is the will.
func (d *daemon) state(online bool) []byte {
	st, err := d.queue.Status(context.Background())
	if err != nil {
		d.log.Warn("cannot read queue", "error", err)
	}
	s := crossing.State{
		Counter: d.cfg.Counter.ID, Online: online, Time: crossing.TimeOf(time.Now()), Version: d.version,
		Epoch: st.Head.Epoch.String(), Sequence: st.Head.Sequence, Head: st.Head.Hash.String(), QueueDepth: st.Depth,
	}
	if !st.Oldest.IsZero() {
		t := crossing.TimeOf(st.Oldest)
		s.QueueOldest = &t
	}
	if info, age, present := d.lists.info(); present {
		s.ListVersion, s.ListAge = info.Version, int64(age.Seconds())
	}
	for _, c := range d.board.Active() {
		s.Conditions = append(s.Conditions, crossing.StateCondition{
			Code: string(c.Code), Severity: string(c.Severity), Since: crossing.TimeOf(c.Since)})
	}
	return s.Marshal()
}
