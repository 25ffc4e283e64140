package repository

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"lintas/agent/crossing"
	"lintas/agent/placement"
	"lintas/queue/mqtt"
)

// Broker is where a list is published in retained messages.
type Broker struct {
	Options mqtt.Options
	State   string // file that remembers what is retained there, and since when it need not be
	MaxFull int64  // larger full lists are not carried; 0: placement.MaxCarried
}

// window is how many messages are on the way at once.
const window = 16

// retained remembers a broker's messages: zero for those that are current,
// else since when they are not.
type retained map[string]time.Time

// Publish puts the repository on a broker: parts first, then metadata, the
// index last, so that a counter finds the old list or the new one. What has
// been out of date for 7 days is cleared. It gives how many messages it sent.
func (r Repository) Publish(ctx context.Context, b Broker) (sent int, err error) {
	p := &publication{repository: r, maxFull: cmp.Or(b.MaxFull, placement.MaxCarried), now: r.now(), before: retained{}, current: map[string]bool{}}
	text, err := os.ReadFile(b.State)
	if err == nil {
		err = json.Unmarshal(text, &p.before)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("cannot publish list: %w", err)
	}
	if p.conn, err = mqtt.Dial(ctx, b.Options); err != nil {
		return 0, fmt.Errorf("cannot publish list: %w", err)
	}
	defer p.conn.Close()
	err = p.run(ctx)
	if err == nil {
		text, err = json.Marshal(p.before)
	}
	if err == nil {
		err = crossing.WriteFile(b.State, text, 0o600)
	}
	if err != nil {
		return p.sent, fmt.Errorf("cannot publish list: %w", err)
	}
	return p.sent, nil
}

type publication struct {
	repository Repository
	maxFull    int64
	conn       *mqtt.Conn
	now        time.Time
	before     retained
	current    map[string]bool
	open       []mqtt.Token
	sent       int
}

func (p *publication) run(ctx context.Context) error {
	l, err := p.repository.Current()
	if err != nil {
		return err
	}
	files, err := p.repository.Files()
	if err != nil {
		return err
	}
	index := placement.Index{Time: p.now, Metadata: files}
	var full int64
	for name, t := range l.Targets {
		if _, _, ok := placement.ParseFullName(name); ok {
			full += t.Length
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.Targets)) {
		t := l.Targets[name]
		if _, _, ok := placement.ParseFullName(name); ok && full > p.maxFull {
			index.Absent = append(index.Absent, t.SHA256)
			continue
		}
		if err := p.target(ctx, name, t); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, name := range files {
		b, err := os.ReadFile(p.repository.meta(name))
		if err != nil {
			return err
		}
		if err := p.send(ctx, placement.MetaTopic(name), b); err != nil {
			return err
		}
	}
	if err := p.settle(ctx); err != nil { // the broker has all of it before it has the index
		return err
	}
	text, err := json.Marshal(index)
	if err != nil {
		return err
	}
	if len(text) > placement.PartSize {
		return fmt.Errorf("the index has %d bytes, more than %d", len(text), placement.PartSize)
	}
	if err := p.send(ctx, placement.IndexTopic, text); err != nil {
		return err
	}
	if err := p.clear(ctx); err != nil {
		return err
	}
	return p.settle(ctx)
}

// target sends a target's parts, unless the broker has them: their topic names
// their content.
func (p *publication) target(ctx context.Context, name string, t placement.Target) error {
	n := placement.Parts(t.Length)
	there := n > 0
	for i := range n {
		topic := placement.PartTopic(t.SHA256, i)
		_, known := p.before[topic]
		there = there && known
		p.current[topic] = true
	}
	if there {
		return nil
	}
	f, err := os.Open(filepath.Join(p.repository.Targets(), placement.FileName(name, t.SHA256)))
	if err != nil {
		return err
	}
	defer f.Close()
	for i := range n {
		part := make([]byte, min(placement.PartSize, t.Length-i*placement.PartSize))
		if _, err := io.ReadFull(f, part); err != nil {
			return err
		}
		if err := p.send(ctx, placement.PartTopic(t.SHA256, i), part); err != nil {
			return err
		}
	}
	return nil
}

func (p *publication) send(ctx context.Context, topic string, payload []byte) error {
	p.current[topic] = true
	for len(p.open) >= window {
		if err := p.first(ctx); err != nil {
			return err
		}
	}
	p.open = append(p.open, p.conn.Publish(topic, true, payload))
	p.sent++
	return nil
}

// first waits for the oldest message that is on the way.
func (p *publication) first(ctx context.Context) error {
	token := p.open[0]
	p.open = p.open[1:]
	select {
	case <-token.Done():
		return token.Error()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *publication) settle(ctx context.Context) error {
	for len(p.open) > 0 {
		if err := p.first(ctx); err != nil {
			return err
		}
	}
	return nil
}

// clear deletes what nobody can need any more, and notes what is retained now.
func (p *publication) clear(ctx context.Context) error {
	for topic := range p.current {
		p.before[topic] = time.Time{}
	}
	for topic, since := range p.before {
		switch {
		case p.current[topic]:
		case since.IsZero():
			p.before[topic] = p.now
		case p.now.Sub(since) >= superseded:
			if err := p.send(ctx, topic, nil); err != nil { // an empty retained message deletes
				return err
			}
			delete(p.before, topic)
		}
	}
	return nil
}
