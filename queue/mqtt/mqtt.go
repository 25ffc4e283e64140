// Package mqtt is one MQTT 3.1.1 connection, from CONNECT to its loss. It is
// the only importer of the client library.
//
// The library's own reconnection, persistence and resumption are off: after a
// reconnection they report messages as delivered that no broker ever
// confirmed. A Conn is therefore used once; whoever needs the next connection
// dials it. What Publish returned is settled exactly once: with nil when the
// broker's PUBACK came, with an error in every other case, also when the
// connection was lost.
//
// A PUBACK says that a broker has the message. It does not say that anybody
// received or stored it.
package mqtt

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// Limits of one connection. A broker from which nothing has come for keepAlive
// is pinged, and must answer within answerTime: a link that is half open is
// found after 14 s at most, also when it is idle. That is a packet each way
// every 8 s, about 3 MB a day; TCP's own keep-alive would cost the same and
// would not notice a broker that hangs while its system answers.
const (
	connectTimeout = 15 * time.Second
	writeTimeout   = 10 * time.Second // a peer that takes nothing is gone
	userTimeout    = 12 * time.Second // so is one that acknowledges no TCP segment
	keepAlive      = 8 * time.Second
	answerTime     = 4 * time.Second
	closeQuiesce   = 250 * time.Millisecond
)

// Message is an application message.
type Message struct {
	Topic    string
	Payload  []byte
	Retained bool
	ack      func()
}

// Ack sends the PUBACK for a received message of a connection with ManualAck.
func (m Message) Ack() {
	if m.ack != nil {
		m.ack()
	}
}

// Token is the future of a Publish.
type Token interface {
	Done() <-chan struct{} // closed when the outcome is known
	Error() error          // nil only if the broker confirmed
}

// Options of a connection.
type Options struct {
	URL       string // tcp://host:port or tls://host:port
	ClientID  string
	Username  string
	Password  string
	TLS       *tls.Config   // for tls://
	KeepAlive time.Duration // silence after which the broker is pinged, whole seconds; zero: 8 s
	Will      *Message      // published by the broker when the connection is lost; QoS 1
	Filters   []string      // subscribed at QoS 1 before Dial returns; see KeepSession
	// Receive gets what arrives, in order, on one goroutine. It must not wait
	// for this connection's own Publish.
	Receive func(Message)
	// ManualAck: PUBACK is sent by Message.Ack and not after Receive.
	ManualAck bool
	// KeepSession asks the broker to keep subscriptions and undelivered
	// messages while the client is away. What it has kept may come before its
	// answer to the subscription, and be more than Receive takes without
	// anybody at work on it. Dial therefore does not wait for the answer; a
	// refusal ends the connection.
	KeepSession bool
	// Dial opens the transport instead of the one the URL names.
	Dial func(context.Context) (net.Conn, error)
}

func (o Options) keepAlive() time.Duration {
	if o.KeepAlive == 0 {
		return keepAlive
	}
	return max(o.KeepAlive, time.Second) // zero would end the pings
}

// Conn is an open connection.
type Conn struct {
	client paho.Client
	lost   chan struct{}
	once   sync.Once
	mu     sync.Mutex // guards err
	err    error
}

// Dial connects and subscribes. The context bounds both.
func Dial(ctx context.Context, o Options) (*Conn, error) {
	c := &Conn{lost: make(chan struct{})}
	c.client = paho.NewClient(c.options(ctx, o))
	if err := await(ctx, c.client.Connect()); err != nil {
		c.client.Disconnect(0)
		return nil, fmt.Errorf("cannot connect to broker %s: %w", Redact(o.URL), explain(err, o))
	}
	if len(o.Filters) > 0 {
		filters := make(map[string]byte, len(o.Filters))
		for _, f := range o.Filters {
			filters[f] = 1
		}
		token := c.client.SubscribeMultiple(filters, nil).(*paho.SubscribeToken)
		if o.KeepSession {
			go func() {
				if err := c.subscribed(context.Background(), token, o); err != nil {
					c.lose(err)
					c.client.Disconnect(0)
				}
			}()
		} else if err := c.subscribed(ctx, token, o); err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

// subscribed waits for the broker's answer to a subscription.
func (c *Conn) subscribed(ctx context.Context, token *paho.SubscribeToken, o Options) error {
	var err error
	select {
	case <-token.Done():
		if err = token.Error(); err == nil {
			err = refused(token.Result())
		}
	case <-c.lost:
		return c.Err()
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		err = fmt.Errorf("cannot subscribe at broker %s: %w", Redact(o.URL), explain(err, o))
	}
	return err
}

func (c *Conn) options(ctx context.Context, o Options) *paho.ClientOptions {
	po := paho.NewClientOptions().
		AddBroker(o.URL).
		SetClientID(o.ClientID).
		SetUsername(o.Username).
		SetPassword(o.Password).
		SetProtocolVersion(4).
		SetAutoReconnect(false).
		SetConnectRetry(false).
		SetCleanSession(!o.KeepSession).
		SetOrderMatters(true).
		SetAutoAckDisabled(o.ManualAck).
		SetConnectTimeout(connectTimeout).
		SetWriteTimeout(writeTimeout).
		SetKeepAlive(o.keepAlive()).
		SetPingTimeout(time.Hour). // see watched
		SetCustomOpenConnectionFn(func(*url.URL, paho.ClientOptions) (net.Conn, error) { return dial(ctx, o) }).
		SetConnectionLostHandler(func(_ paho.Client, err error) { c.lose(explain(err, o)) }).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
			if o.Receive != nil {
				o.Receive(Message{Topic: m.Topic(), Payload: m.Payload(), Retained: m.Retained(), ack: m.Ack})
			}
		})
	if o.Will != nil {
		po.SetBinaryWill(o.Will.Topic, o.Will.Payload, 1, o.Will.Retained)
	}
	return po
}

// Publish sends a message with QoS 1. It may block for writeTimeout when the
// peer takes nothing.
func (c *Conn) Publish(topic string, retained bool, payload []byte) Token {
	return c.client.Publish(topic, 1, retained, payload)
}

// Lost is closed when the connection is gone, by Close too.
func (c *Conn) Lost() <-chan struct{} { return c.lost }

// IsLost tells whether Lost is closed.
func (c *Conn) IsLost() bool {
	select {
	case <-c.lost:
		return true
	default:
		return false
	}
}

// Err says why the connection was lost; nil after Close.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Close sends DISCONNECT, so that the broker does not publish the will, and
// closes the connection.
func (c *Conn) Close() {
	c.client.Disconnect(uint(closeQuiesce.Milliseconds()))
	c.lose(nil)
}

func (c *Conn) lose(err error) {
	c.once.Do(func() {
		c.mu.Lock()
		c.err = err
		c.mu.Unlock()
		close(c.lost)
	})
}

func await(ctx context.Context, t paho.Token) error {
	select {
	case <-t.Done():
		return t.Error()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// refused finds a filter that the broker did not grant (return code 0x80).
func refused(granted map[string]byte) error {
	for filter, code := range granted {
		if code == 0x80 {
			return fmt.Errorf("broker refused the filter %s", filter)
		}
	}
	return nil
}

// Redact drops user information from a URL before it is shown.
func Redact(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "(malformed address)"
	}
	return u.Scheme + "://" + u.Host
}
