// Package broker is an MQTT broker inside this process, for tests and the
// demonstration. It promises nothing about durability; whoever wants to see how
// a real broker behaves starts one.
package broker

import (
	"crypto/tls"
	"fmt"
	"log/slog"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// Broker is a running broker that lets everybody in.
type Broker struct {
	*mochi.Server
	Address string // host:port
}

// Start begins to serve on the address, with TLS if a configuration is given.
func Start(address string, conf *tls.Config, hooks ...mochi.Hook) (*Broker, error) {
	b := &Broker{Server: mochi.New(&mochi.Options{InlineClient: true, Logger: slog.New(slog.DiscardHandler)})}
	for _, h := range append([]mochi.Hook{new(auth.AllowHook)}, hooks...) {
		if err := b.AddHook(h, nil); err != nil {
			return nil, fmt.Errorf("cannot start broker: %w", err)
		}
	}
	l := listeners.NewTCP(listeners.Config{ID: "tcp", Address: address, TLSConfig: conf})
	if err := b.AddListener(l); err != nil {
		return nil, fmt.Errorf("cannot start broker: %w", err)
	}
	b.Address = l.Address()
	if err := b.Serve(); err != nil {
		return nil, fmt.Errorf("cannot start broker: %w", err)
	}
	return b, nil
}

// Close ends every connection and the broker. The library's own way to look
// for the clients takes a lock twice, and hangs for ever when a client leaves
// between; so they are sent away before it looks.
func (b *Broker) Close() error {
	b.Listeners.CloseAll(func(string) {
		for _, c := range b.Clients.GetAll() {
			if !c.Closed() && !c.Net.Inline {
				_ = b.DisconnectClient(c, packets.ErrServerShuttingDown)
			}
		}
	})
	return b.Server.Close()
}
