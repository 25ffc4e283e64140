package mqtt

import (
	"context"
	"fmt"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// Subscribe adds filters at QoS 1. What is retained under them comes through
// Receive, perhaps before Subscribe returns.
func (c *Conn) Subscribe(ctx context.Context, filters ...string) error {
	return c.subscribe(ctx, 1, filters)
}

// Watch adds filters at QoS 0: of what comes while this client is away, the
// broker keeps nothing for it.
func (c *Conn) Watch(ctx context.Context, filters ...string) error {
	return c.subscribe(ctx, 0, filters)
}

func (c *Conn) subscribe(ctx context.Context, qos byte, filters []string) error {
	want := make(map[string]byte, len(filters))
	for _, f := range filters {
		want[f] = qos
	}
	token := c.client.SubscribeMultiple(want, nil)
	err := await(ctx, token)
	if err == nil {
		err = refused(token.(*paho.SubscribeToken).Result())
	}
	if err != nil {
		return fmt.Errorf("cannot subscribe: %w", err)
	}
	return nil
}

// Unsubscribe takes filters back.
func (c *Conn) Unsubscribe(ctx context.Context, filters ...string) error {
	if err := await(ctx, c.client.Unsubscribe(filters...)); err != nil {
		return fmt.Errorf("cannot unsubscribe: %w", err)
	}
	return nil
}
