package daemon

import (
	"context"
	"os"
	"path/filepath"

	"lintas/agent/config"
	"lintas/agent/health"
	"lintas/agent/placement"
	"lintas/agent/placement/cache"
	"lintas/agent/rule"
)

// takeRules reads the rules of the list that comes into use. Rules with a fault
// are refused whole; the list itself is used all the same, and none of its
// rules, nor those of the list before.
func (l *lists) takeRules(list *cache.List) {
	var set *rule.Set
	why := ""
	if b := RulesOf(list); len(b) > 0 {
		var err error
		if set, err = rule.Parse(b); err != nil {
			set, why = nil, err.Error()
		}
	}
	l.rules.Store(set)
	l.board.Set(health.RulesRefused, "", why != "", why)
}

// RulesOf gives a list's rules as they were signed; empty if it has none.
func RulesOf(list *cache.List) []byte {
	if list == nil {
		return nil
	}
	if l, ok := any(list).(interface{ Rules() []byte }); ok {
		return l.Rules()
	}
	return nil
}

// OpenList opens the installed list as the running agent does, for commands
// that look into it. fs.ErrNotExist: none is installed.
func OpenList(ctx context.Context, cfg *config.Config) (*cache.List, error) {
	path := filepath.Join(cfg.State.Dir, ListFile)
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	key, err := placement.LoadKey(cfg.Keys.ListFile)
	if err != nil {
		return nil, err
	}
	return cache.Open(ctx, path, key)
}
