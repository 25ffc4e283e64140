package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"lintas/agent/crossing"
	"lintas/agent/health"
	"lintas/agent/placement"
	"lintas/agent/placement/cache"
	"lintas/agent/rule"
	"lintas/agent/screen"
	"lintas/agent/verdict"
	"lintas/mrz"
)

// lists answers look-ups from the newest installed list and notices when
// another one has been put in its place.
type lists struct {
	path   string
	access func() cache.Access
	board  *health.Board

	rules atomic.Pointer[rule.Set] // nil: none

	mu   sync.RWMutex // held for reading during a look-up, for writing during a swap
	list *cache.List
	seen string // stamp of the files that are open
}

func newLists(path string, access func() cache.Access, board *health.Board) *lists {
	return &lists{path: path, access: access, board: board}
}

// Find looks a document up, or says placement.ErrNoList.
func (l *lists) Find(ctx context.Context, doc mrz.Document) (placement.Found, error) {
	l.refresh(ctx)
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.list == nil {
		return placement.Found{}, placement.ErrNoList
	}
	return l.list.Find(ctx, doc)
}

// hubKeys are the hub's keys, as they come with the list.
type hubKeys struct {
	AckKeys    json.RawMessage `json:"ack_keys"` // a JWK Set
	Recipients []struct {
		Recipient  string    `json:"recipient"`
		ValidFrom  time.Time `json:"valid_from"`
		ValidUntil time.Time `json:"valid_until"`
	} `json:"recipients"`
}

// hub gives the hub's keys that came with the list; none without a list.
func (l *lists) hub() (k hubKeys) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.list == nil {
		return k
	}
	if err := json.Unmarshal(l.list.Hub(), &k); err != nil {
		return hubKeys{}
	}
	return k
}

// ackKeys gives the keys that the hub acknowledges with.
func (k hubKeys) ackKeys() crossing.Keys {
	keys, err := crossing.ParseKeys(k.AckKeys)
	if err != nil {
		return nil
	}
	return keys
}

// recipients gives those that are good at a time.
func (k hubKeys) recipients(at time.Time) (list []string) {
	for _, r := range k.Recipients {
		if !at.Before(r.ValidFrom) && (r.ValidUntil.IsZero() || at.Before(r.ValidUntil)) {
			list = append(list, r.Recipient)
		}
	}
	return list
}

// refresh opens the list if its files are others than before.
func (l *lists) refresh(ctx context.Context) {
	stamp := cache.Stamp(l.path)
	if stamp == "" {
		l.swap(nil, "")
		l.judge()
		return
	}
	l.mu.RLock()
	same := l.seen == stamp && l.list != nil
	l.mu.RUnlock()
	if same {
		l.judge()
		return
	}
	list, err := cache.Open(ctx, l.path, l.access())
	if ctx.Err() != nil {
		if list != nil {
			list.Close()
		}
		return // the one that is open goes on being used
	}
	if err != nil {
		l.swap(nil, "")
		l.judge()
		l.board.Set(health.ListUnreadable, "", true, err.Error())
		return
	}
	l.swap(list, stamp)
	l.judge()
}

func (l *lists) swap(list *cache.List, seen string) {
	l.takeRules(list)
	l.mu.Lock()
	old := l.list
	l.list, l.seen = list, seen
	l.mu.Unlock()
	if old != nil {
		old.Close()
	}
}

// judge puts the list's state on the board.
func (l *lists) judge() {
	info, age, present := l.info()
	_, err := os.Stat(l.path)
	detail := ""
	if present {
		detail = "version " + itoa(info.Version) + ", made " + info.Time.Format(time.RFC3339)
		l.board.Set(health.ListUnreadable, "", false, "")
	}
	l.board.Set(health.ListAbsent, "", !present && errors.Is(err, fs.ErrNotExist), "")
	if errors.Is(err, fs.ErrNotExist) {
		l.board.Set(health.ListUnreadable, "", false, "")
	}
	l.board.Set(health.ListAgeing, "", present && age > verdict.ListAgeing && age <= verdict.ListStale, detail)
	l.board.Set(health.ListStale, "", present && age > verdict.ListStale && age <= verdict.ListExpired, detail)
	l.board.Set(health.ListExpired, "", present && age > verdict.ListExpired, detail)
	l.board.Set(health.ListCheap, "", present && info.Cheap, detail)
}

func (l *lists) info() (info placement.Info, age time.Duration, present bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.list == nil {
		return info, 0, false
	}
	info = l.list.Info()
	return info, max(0, time.Since(info.Time)), true
}

func (l *lists) screenInfo() screen.ListInfo {
	info, age, present := l.info()
	return screen.ListInfo{Version: info.Version, Age: age, Present: present}
}

// Close closes the list.
func (l *lists) Close() error {
	l.swap(nil, "")
	return nil
}
