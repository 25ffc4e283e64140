package daemon

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

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
	path  string
	key   func() (placement.Key, error)
	board *health.Board

	rules atomic.Pointer[rule.Set] // nil: none

	mu   sync.RWMutex // held for reading during a look-up, for writing during a swap
	list *cache.List
	seen os.FileInfo
}

func newLists(path string, key func() (placement.Key, error), board *health.Board) *lists {
	return &lists{path: path, key: key, board: board}
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

// refresh opens the list file if it is another one than before.
func (l *lists) refresh(ctx context.Context) {
	st, err := os.Stat(l.path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			l.swap(nil, nil)
		}
		l.judge()
		return
	}
	l.mu.RLock()
	same := l.seen != nil && os.SameFile(st, l.seen) && st.ModTime().Equal(l.seen.ModTime())
	open := l.list != nil
	l.mu.RUnlock()
	if same && open {
		l.judge()
		return
	}
	key, err := l.key()
	var list *cache.List
	if err == nil {
		list, err = cache.Open(ctx, l.path, key)
	}
	if err != nil {
		l.swap(nil, nil)
		l.judge()
		l.board.Set(health.ListUnreadable, "", true, err.Error())
		return
	}
	l.swap(list, st)
	l.judge()
}

func (l *lists) swap(list *cache.List, seen os.FileInfo) {
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
	l.swap(nil, nil)
	return nil
}
