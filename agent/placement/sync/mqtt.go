package sync

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"slices"
	"strings"
	gosync "sync"

	"lintas/agent/placement"
	"lintas/queue/mqtt"
)

// MQTT gives the settings of a connection to the counter's broker. The client
// id must differ from the counter's own, or the broker would end its link.
type MQTT func() (mqtt.Options, error)

// atOnce is how many topics are subscribed to at a time: parts in memory, and
// what a broker must hold ready. The contract allows 64.
const atOnce = 32

// broker is a repository in the retained messages of an MQTT broker. Every
// message is subscribed to by its full name: a wildcard would bring a flood, of
// which brokers drop what they cannot hold.
type broker struct {
	conn  *mqtt.Conn
	index placement.Index

	mu      gosync.Mutex // guards waiting
	waiting map[string]chan []byte
}

func openBroker(ctx context.Context, options MQTT, u *url.URL) (*broker, error) {
	if options == nil {
		return nil, errors.New("no broker is configured")
	}
	o, err := options()
	if err != nil {
		return nil, err
	}
	if u.Host != "" {
		o.URL = map[string]string{"mqtt": "tcp", "mqtts": "tls"}[u.Scheme] + "://" + u.Host
	}
	if o.URL == "" {
		return nil, errors.New("no broker is configured")
	}
	b := &broker{waiting: map[string]chan []byte{}}
	o.Receive, o.Will, o.Filters = b.receive, nil, nil
	ctx, cancel := context.WithTimeoutCause(ctx, grace, errors.New("the broker has no list: its index did not come"))
	defer cancel()
	if b.conn, err = mqtt.Dial(ctx, o); err != nil {
		return nil, err
	}
	text, err := b.one(ctx, placement.IndexTopic)
	if err == nil {
		err = json.Unmarshal(text, &b.index)
	}
	if err == nil {
		err = b.index.Check()
	}
	if err != nil {
		b.conn.Close()
		return nil, fmt.Errorf("cannot read the list's index: %w", err)
	}
	return b, nil
}

func (b *broker) close() error {
	b.conn.Close()
	return nil
}

func (b *broker) receive(m mqtt.Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if ch, ok := b.waiting[m.Topic]; ok && len(m.Payload) > 0 {
		select {
		case ch <- m.Payload:
		default: // published anew while we read
		}
	}
}

// subscribe asks for topics; what comes is in their channels.
func (b *broker) subscribe(ctx context.Context, topics []string) ([]chan []byte, error) {
	channels := make([]chan []byte, len(topics))
	b.mu.Lock()
	for i, t := range topics {
		channels[i] = make(chan []byte, 1)
		b.waiting[t] = channels[i]
	}
	b.mu.Unlock()
	return channels, b.conn.Subscribe(ctx, topics...)
}

func (b *broker) unsubscribe(ctx context.Context, topics []string) error {
	b.mu.Lock()
	for _, t := range topics {
		delete(b.waiting, t)
	}
	b.mu.Unlock()
	return b.conn.Unsubscribe(ctx, topics...)
}

func (b *broker) await(ctx context.Context, ch chan []byte) ([]byte, error) {
	select {
	case p := <-ch:
		return p, nil
	case <-b.conn.Lost():
		select {
		case p := <-ch: // it came before
			return p, nil
		default:
		}
		return nil, errors.Join(errors.New("the link to the broker is lost"), b.conn.Err())
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// one reads one message.
func (b *broker) one(ctx context.Context, topic string) ([]byte, error) {
	channels, err := b.subscribe(ctx, []string{topic})
	if err != nil {
		return nil, err
	}
	p, err := b.await(ctx, channels[0])
	if err != nil {
		return nil, err
	}
	return p, b.unsubscribe(ctx, []string{topic})
}

func (b *broker) open(ctx context.Context, name string, offset, length int64) (io.ReadCloser, int64, error) {
	if file, ok := strings.CutPrefix(name, "metadata/"); ok {
		if !slices.Contains(b.index.Metadata, file) {
			return nil, 0, errNotThere
		}
		p, err := b.one(ctx, placement.MetaTopic(file))
		return io.NopCloser(strings.NewReader(string(p))), 0, err
	}
	sum, _, _ := strings.Cut(path.Base(name), ".")
	if slices.Contains(b.index.Absent, sum) {
		return nil, 0, errNotThere
	}
	first := offset / placement.PartSize
	return &parts{ctx: ctx, broker: b, sum: sum, next: first, end: placement.Parts(length)}, first * placement.PartSize, nil
}

// parts reads a target part by part.
type parts struct {
	ctx       context.Context
	broker    *broker
	sum       string
	next, end int64 // the part to ask for, and the last one
	topics    []string
	coming    []chan []byte
	now       []byte
}

func (p *parts) Read(b []byte) (int, error) {
	for len(p.now) == 0 {
		if err := p.advance(); err != nil {
			return 0, err
		}
	}
	n := copy(b, p.now)
	p.now = p.now[n:]
	return n, nil
}

func (p *parts) advance() (err error) {
	if len(p.coming) == 0 {
		if len(p.topics) > 0 {
			topics := p.topics
			p.topics = nil
			if err := p.broker.unsubscribe(p.ctx, topics); err != nil {
				return err
			}
		}
		if p.next == p.end {
			return io.EOF
		}
		for ; p.next < p.end && len(p.topics) < atOnce; p.next++ {
			p.topics = append(p.topics, placement.PartTopic(p.sum, p.next))
		}
		if p.coming, err = p.broker.subscribe(p.ctx, p.topics); err != nil {
			return err
		}
	}
	if p.now, err = p.broker.await(p.ctx, p.coming[0]); err != nil {
		return err
	}
	if p.coming = p.coming[1:]; len(p.now) > placement.PartSize {
		return fmt.Errorf("a part has %d bytes, more than %d", len(p.now), placement.PartSize)
	}
	return nil
}

func (p *parts) Close() error { return nil }
