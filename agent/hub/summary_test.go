package hub_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"lintas/agent/crossing"
	"lintas/agent/hub"
)

// Whatever the ledger should have and has not is listed, and goes when it comes.
func TestGaps(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		gaps := func() string {
			t.Helper()
			list, err := p.ledger.Gaps(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			for _, g := range list {
				lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %d-%d %d %s", g.Kind, g.Counter, g.From, g.To, g.Count, g.Reason)))
			}
			return strings.Join(lines, "\n")
		}
		e := p.events(6)
		p.ingest(e[:3]...)
		if got := gaps(); got != "" {
			t.Error(got)
		}
		head := p.queue.Head()
		said := crossing.State{Counter: p.id, Online: true, Epoch: head.Epoch.String(), Sequence: head.Sequence}
		if err := p.ledger.KeepStates(t.Context(), map[string]string{p.id: string(said.Marshal())}); err != nil {
			t.Fatal(err)
		}
		p.ingest([]byte("junk"))
		if got, want := gaps(), fmt.Sprintf("aside %s 0-0 1 unreadable\noutstanding %s 4-6 3", p.id, p.id); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		p.ingest(e[3:]...)
		other, err := age.GenerateX25519Identity()
		if err != nil {
			t.Fatal(err)
		}
		p.recorder.Encrypter = crossing.NewEncrypter(other.Recipient())
		p.ingest(p.events(1)...)
		p.opened()
		if got, want := gaps(), fmt.Sprintf("aside %s 0-0 1 unreadable\nunopened %s 7-7 1 %s", p.id, p.id, hub.SealedToOthers); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		days, err := p.ledger.CounterDays(t.Context(), time.Now().Add(-48*time.Hour))
		if err != nil || len(days) == 0 || days[0].Counter != p.id || days[0].Departures != 0 {
			t.Errorf("%+v, %v", days, err)
		}
		heard, err := p.ledger.Heard(t.Context())
		if err != nil || time.Since(heard[p.id]) > time.Minute {
			t.Errorf("%v, %v", heard, err)
		}
	})
}
