// Package hub is the receiving end: it takes sealed events from the broker or
// from a file, checks them, keeps each exactly once in a ledger, and answers
// every counter with a signed acknowledgement.
//
// It promises: what it acknowledges is committed in the ledger; an event that
// comes again is stored once; the chain of every counter and epoch is checked
// as it grows, so that what is removed, altered, reordered or cut is found;
// what cannot be accepted is kept aside with a reason, within bounds, and never
// acknowledged: what does not fit the chain is simply not confirmed. Of an
// event that no broker would carry only a tombstone comes; its position is
// acknowledged and its body is owed until it follows, by the broker or from a
// file.
//
// The ledger holds sealed events: reading a record needs the hub's age
// identity. The hub itself reads two kinds of records, if it has the identity:
// key.rotated, after which it trusts the counter's new key, and
// queue.recovered, after which it knows what of a chain is lost and closes it
// when everything else has come.
//
// The ledger is a SQLite file of one hub, or a PostgreSQL database that any
// number of hubs share, each dealt a part of the messages. Whoever takes in a
// counter's events or acknowledges them holds its row; transactions that the
// database refuses are done anew, and what cannot be committed is neither
// acknowledged nor taken from the broker.
package hub

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"lintas/agent/crossing"
	"lintas/queue/mqtt"
)

const (
	batchLimit = 512
	ackWait    = 15 * time.Second // for the broker to take acknowledgements
	backoffMin = time.Second
	backoffMax = 30 * time.Second
	keysEvery  = 2 * time.Second // how soon a newly trusted counter is answered
)

var errLost = errors.New("connection lost")

// Hub serves one ledger on one broker. Several hubs, each a process with a
// client id of its own, share the load of one PostgreSQL ledger if they are of
// one Group. Whatever order the broker deals the messages in, a counter's row
// in the ledger is locked while its events are taken in, and while its
// acknowledgement is published: what comes before the event that it follows
// waits in the ledger, and no acknowledgement comes after a newer one.
type Hub struct {
	Ledger *Ledger
	Keys   *KeyRing
	Signer *crossing.AckSigner
	// Connection gives the settings of the next connection; Filters, Receive
	// and ManualAck are filled in.
	Connection func() (mqtt.Options, error)
	Logger     *slog.Logger
	// Group is the name of the shared subscription, see GroupOf; "": this hub is
	// alone and gets everything. A group keeps no session at the broker: what was dealt
	// to a hub that died would wait there for it, and not go to another one.
	Group string

	states    states
	connected atomic.Bool
}

// Connected tells whether the hub is connected to its broker.
func (h *Hub) Connected() bool { return h.connected.Load() }

// GroupOf names the group of the hubs that have this signing key. Nobody else
// can guess the name: whoever is in the group is dealt events, and a broker that
// checks only what it hands out (mosquitto) lets everybody join.
func GroupOf(key crossing.PrivateKey) string {
	mac := hmac.New(sha256.New, key.Signer().Seed())
	mac.Write([]byte("lintas-hub group"))
	return "lintas-hub-" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:15])
}

// Run receives until ctx ends, over as many connections as it takes.
func (h *Hub) Run(ctx context.Context) error {
	wait := backoffMin
	for ctx.Err() == nil {
		began := time.Now()
		err := h.session(ctx)
		if ctx.Err() != nil {
			break
		}
		what := "cannot go on, trying again" // the broker has the messages, or the counters send them again
		if errors.Is(err, errLost) {
			what = "broker connection ended"
		}
		h.Logger.Warn(what, "error", err)
		if time.Since(began) > backoffMax {
			wait = backoffMin
		}
		timer := time.NewTimer(rand.N(wait))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
		wait = min(2*wait, backoffMax)
	}
	return nil
}

func (h *Hub) session(ctx context.Context) error {
	o, err := h.Connection()
	if err != nil {
		return err
	}
	messages := make(chan mqtt.Message, batchLimit)
	gone := make(chan struct{})
	leave := sync.OnceFunc(func() { close(gone) })
	defer leave()
	o.Filters, o.ManualAck = []string{crossing.EventFilter}, true
	if h.Group != "" {
		o.Filters[0], o.KeepSession = "$share/"+h.Group+"/"+crossing.EventFilter, false
	}
	o.Receive = func(m mqtt.Message) {
		if h.states.take(m) {
			return
		}
		select {
		case messages <- m:
		case <-gone:
		}
	}
	conn, err := mqtt.Dial(ctx, o)
	if err != nil {
		return err
	}
	var watching sync.WaitGroup
	defer watching.Wait()
	defer conn.Close()
	defer leave() // before: a connection is not closed while Receive waits
	acks := conn
	if h.Group != "" {
		// One of its own: the broker's PUBACK must not stand in line behind
		// events that are taken in only after it has come.
		o.ClientID += "-acks"
		o.Filters, o.Receive, o.ManualAck = nil, nil, false
		if acks, err = mqtt.Dial(ctx, o); err != nil {
			return err
		}
		defer acks.Close()
	}
	watching.Go(func() { // a broker may forbid it, or answer only when what it has kept has been taken
		if err := conn.Watch(ctx, crossing.StateFilter); err != nil && !conn.IsLost() {
			h.Logger.Warn("what counters say about themselves is not heard", "error", err)
		}
	})
	h.connected.Store(true)
	defer h.connected.Store(false)
	h.Logger.Info("receiving", "broker", mqtt.Redact(o.URL))
	// Every counter learns where it stands, also that this ledger was restored
	// from a backup; those whose key is new learn that they are heard.
	trusted := h.Keys.watch()
	look := time.NewTicker(keysEvery)
	defer look.Stop()
	counters, err := h.Ledger.Counters(ctx)
	if err != nil {
		return err
	}
	if _, err := h.Ledger.Learn(ctx, h.Keys); err != nil {
		return err
	}
	first := trusted.changed()
	if err := h.tell(ctx, first); err != nil {
		return err
	}
	if err := h.welcome(ctx, first); err != nil {
		return err
	}
	known, err := h.Keys.Counters()
	if err != nil {
		known = nil // no folder: nobody is trusted
	}
	if err := h.answer(ctx, acks, union(counters, known)); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-conn.Lost():
			return errors.Join(errLost, conn.Err())
		case <-acks.Lost():
			return errors.Join(errLost, acks.Err())
		case <-look.C:
			if err := h.Ledger.KeepStates(ctx, h.states.news()); err != nil {
				return err
			}
			if _, err := h.Ledger.Learn(ctx, h.Keys); err != nil {
				return err
			}
			changed := trusted.changed()
			if err := h.tell(ctx, changed); err != nil {
				return err
			}
			if err := h.welcome(ctx, changed); err != nil {
				return err
			}
			if err := h.answer(ctx, acks, changed); err != nil {
				return err
			}
		case m := <-messages:
			if err := h.batch(ctx, acks, m, messages); err != nil {
				return err
			}
		}
	}
}

// batch takes what waits behind the first message, commits it, answers, and
// only then tells the broker that it has been received.
func (h *Hub) batch(ctx context.Context, acks *mqtt.Conn, first mqtt.Message, more <-chan mqtt.Message) error {
	batch := []mqtt.Message{first}
collect:
	for len(batch) < batchLimit {
		select {
		case m := <-more:
			batch = append(batch, m)
		default:
			break collect
		}
	}
	deliveries := make([]Delivery, 0, len(batch))
	for _, m := range batch {
		if m.Retained {
			continue // nobody retains events; somebody else's message
		}
		counter, _ := crossing.CounterOfTopic(m.Topic)
		deliveries = append(deliveries, Delivery{Counter: counter, Sealed: m.Payload})
	}
	if h.Ledger.Waits { // the broker deals them in any order
		deliveries = inOrder(deliveries)
	}
	result, err := h.Ledger.Ingest(ctx, h.Keys, deliveries)
	if err != nil {
		return err
	}
	h.log(result)
	if err := h.welcome(ctx, result.Trusted); err != nil {
		return err
	}
	if err := h.answer(ctx, acks, result.Counters); err != nil {
		return err
	}
	for _, m := range batch {
		m.Ack()
	}
	return nil
}

// tell lets the other hubs of the group know which keys this one trusts.
func (h *Hub) tell(ctx context.Context, counters []string) error {
	if h.Group == "" {
		return nil
	}
	return h.Ledger.Tell(ctx, h.Keys, counters)
}

// welcome takes in what came before its key was trusted.
func (h *Hub) welcome(ctx context.Context, counters []string) error {
	for _, counter := range counters {
		result, err := h.Ledger.Retake(ctx, h.Keys, counter)
		if err != nil {
			return err
		}
		if n := result.Stored + result.Owed; n > 0 {
			h.Logger.Info("took in what came before its key was trusted", "counter", counter, "count", n)
		}
		h.log(result)
	}
	return nil
}

func (h *Hub) log(r Result) {
	count := map[Aside]int{}
	for _, a := range r.Aside {
		count[a]++
	}
	for a, n := range count {
		h.Logger.Warn("events kept aside", "counter", a.Counter, "reason", a.Reason, "count", n)
	}
	for _, n := range r.Notices {
		h.Logger.Warn(n.What, append([]any{"counter", n.Counter}, n.Args...)...)
	}
}

func union(a, b []string) []string {
	all := append(slices.Clone(a), b...)
	slices.Sort(all)
	return slices.Compact(all)
}

// answer publishes acknowledgements, retained. A hub of a group waits until the
// broker has them: see Ledger.Acks.
func (h *Hub) answer(ctx context.Context, conn *mqtt.Conn, counters []string) error {
	return h.Ledger.Acks(ctx, counters, func(acks []crossing.Ack) error {
		var taken []mqtt.Token
		for _, a := range acks {
			signed, err := h.Signer.Sign(a)
			if err != nil {
				return err
			}
			taken = append(taken, conn.Publish(crossing.AckTopic(a.Counter), true, signed))
		}
		if h.Group == "" {
			return nil
		}
		wait := time.NewTimer(ackWait)
		defer wait.Stop()
		for _, t := range taken {
			select {
			case <-t.Done():
				if err := t.Error(); err != nil {
					return err
				}
			case <-conn.Lost():
				return errors.Join(errLost, conn.Err())
			case <-wait.C:
				return errors.New("the broker does not take acknowledgements")
			}
		}
		return nil
	})
}

// inOrder puts events in the order of their chains, as far as they say
// themselves where they stand.
func inOrder(deliveries []Delivery) []Delivery {
	type placed struct {
		Delivery
		epoch    string
		sequence uint64
	}
	list := make([]placed, len(deliveries))
	for i, d := range deliveries {
		at, _ := crossing.ClaimedPosition(d.Sealed)
		list[i] = placed{d, string(at.Epoch[:]), at.Sequence}
	}
	slices.SortStableFunc(list, func(a, b placed) int {
		return cmp.Or(strings.Compare(a.Counter, b.Counter), strings.Compare(a.epoch, b.epoch), cmp.Compare(a.sequence, b.sequence))
	})
	for i, p := range list {
		deliveries[i] = p.Delivery
	}
	return deliveries
}
