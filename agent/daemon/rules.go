package daemon

import (
	"context"
	"os"
	"path/filepath"

	"lintas/agent/config"
	"lintas/agent/health"
	"lintas/agent/placement/cache"
	"lintas/agent/rule"
)

// takeRules reads the rules of the list that comes into use. Rules with a fault
// are refused whole; the list itself is used all the same, and none of its
// rules, nor those of the list before.
func (l *lists) takeRules(list *cache.List) {
	var set *rule.Set
	why := ""
	if list != nil && len(list.Rules()) > 0 {
		var err error
		if set, err = rule.Parse(list.Rules()); err != nil {
			set, why = nil, err.Error()
		}
	}
	l.rules.Store(set)
	l.board.Set(health.RulesRefused, "", why != "", why)
}

// OpenList opens the installed list as the running agent does, for commands
// that look into it. fs.ErrNotExist: none is installed.
func OpenList(ctx context.Context, cfg *config.Config) (*cache.List, error) {
	path := filepath.Join(cfg.State.Dir, ListFile)
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	return cache.Open(ctx, path, ListAccess(cfg))
}
