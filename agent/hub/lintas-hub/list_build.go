package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"lintas/agent/command"
	"lintas/agent/crossing"
	"lintas/agent/hub"
	"lintas/agent/placement"
	"lintas/agent/placement/build"
	"lintas/agent/placement/repository"
	"lintas/agent/rule"
)

var errNotExist = fs.ErrNotExist

type listBuild struct {
	keys, placements, changes, postgres, query string
	ledger                                     string
	cleared, negatives, agencies               string
	officers, counters, rules, out, at         string
	version                                    int64
	cheap, full                                bool
}

func listBuildCommand() *command.Command {
	b := &listBuild{}
	return &command.Command{
		Name: "build", Summary: "Make the files of a list, and sign what can be signed here.",
		Help: "Placements come from a file or from a PostgreSQL query, all of them or the changes since the\n" +
			"last build. Files are JSON Lines, one object a line, or CSV if their name ends in .csv, with the\n" +
			"fields' names in the first line; lists in a cell are separated by blanks, documents are written\n" +
			"\"IDN ZZ0000101 2031-11-23; IDN ZZ0000102 2030-01-01\". All that is wrong is reported with file, line\n" +
			"and column, and then nothing is built. Locking takes about 20 ms of one core for each new record;\n" +
			"DIR.state, beside the list, keeps the locked ones. Keep it: it is needed for deltas.\n\n" +
			"A first build, one with another list key, and one when the last full list is 7 days old, make a\n" +
			"full list; every build but the first makes a delta. What is not given stays as it was.",
		Flags: func(fs *flag.FlagSet) {
			keysFlag(fs, &b.keys)
			fs.StringVar(&b.placements, "placements", "", "`file` of all placement records")
			fs.StringVar(&b.changes, "changes", "", "`file` of new and changed records, and of removed ones (placement_id and \"removed\":true)")
			fs.StringVar(&b.postgres, "postgres", "", "`address` of a PostgreSQL database instead, postgres://…; $PGPASSWORD and ~/.pgpass work")
			fs.StringVar(&b.query, "query", "", "`SQL` that gives all placement records, columns called as the fields")
			fs.StringVar(&b.ledger, "db", "", "`ledger` whose placements to take instead, as crossings have advanced them (lintas-hub placements load)")
			fs.StringVar(&b.cleared, "cleared", "", "`file` of documents that were found to belong to a placement's person (A04)")
			fs.StringVar(&b.negatives, "negatives", "", "`file` of all negative entries")
			fs.StringVar(&b.agencies, "agencies", "", "`file` of all agencies and their licences")
			fs.StringVar(&b.officers, "officers", "", "`file` of all officers of all sites; needs --counters")
			fs.StringVar(&b.counters, "counters", "", "`file` that says at which site each counter stands")
			fs.StringVar(&b.rules, "rules", "", "`file` of the rule pack")
			fs.StringVar(&b.out, "o", "", "`folder` of the list, new or that of the list before")
			fs.Int64Var(&b.version, "version", 0, "the list's version `number` (default the time in seconds); counters refuse to go back")
			fs.StringVar(&b.at, "time", "", "the `time` the list is signed as of, RFC 3339 (default now); 7 days later counters refuse to install it")
			fs.BoolVar(&b.full, "full", false, "make a full list also where a delta would do")
			fs.BoolVar(&b.cheap, "cheap", false, "lock weakly, for benchmarks and demonstrations; the counters say so")
		},
		Run: func(ctx context.Context, env command.Env, args []string) error {
			if err := command.NoArguments(args); err != nil {
				return err
			}
			if b.out == "" {
				return command.UsageError("list build needs -o")
			}
			if count(b.placements != "", b.changes != "", b.postgres != "", b.ledger != "") > 1 || (b.postgres == "") != (b.query == "") {
				return command.UsageError("list build takes one of --placements, --changes, --db, and --postgres with --query")
			}
			if b.officers != "" && b.counters == "" {
				return command.UsageError("--officers needs --counters: rosters are sealed to the counters of their site")
			}
			return b.run(ctx, env)
		},
	}
}

func count(all ...bool) (n int) {
	for _, b := range all {
		if b {
			n++
		}
	}
	return n
}

func (b *listBuild) run(ctx context.Context, env command.Env) error {
	now := time.Now()
	if b.at != "" {
		var err error
		if now, err = time.Parse(time.RFC3339, b.at); err != nil {
			return command.UsageError("--time %q is not RFC 3339", b.at)
		}
	}
	r := repository.Repository{Dir: b.out, Now: func() time.Time { return now }}
	if err := os.MkdirAll(b.out, 0o755); err != nil {
		return fmt.Errorf("cannot build list: %w", err)
	}
	if err := r.AddRoots(repository.KeyFolder(b.keys)); err != nil {
		return fmt.Errorf("cannot build list: no keys to sign it with: %w; make them with lintas-hub list keys init --keys %s", err, b.keys)
	}
	before, err := r.List()
	if err != nil {
		return err
	}
	ring, err := listKeyring(b.keys)
	if err != nil {
		return err
	}
	source, err := b.source(ctx, now)
	if err != nil {
		return err
	}
	if b.ledger != "" {
		l, err := hub.ReadLedger(ctx, b.ledger)
		if err != nil {
			return err
		}
		defer l.Close()
		source.Placements = l.Placements(ctx)
	}
	o := build.Options{
		State: strings.TrimSuffix(statePath(b.out, ""), "/"), Out: r.Targets(), Keys: ring, Key: ring[0], Cost: placement.DefaultCost, Version: b.version, Full: b.full,
		Now: now, Last: before.Version, LastFull: before.Full, FullAge: before.FullAge, LastKey: before.KeyID, Targets: before.Targets,
	}
	if b.cheap {
		o.Cost = placement.CheapCost
	}
	result, err := build.Run(ctx, o, source)
	if err != nil {
		return err
	}
	path, err := r.Stage(result.Targets)
	if err != nil {
		return fmt.Errorf("cannot build list: %w", err)
	}
	kind := "delta"
	if result.Full {
		kind = "full list"
	}
	fmt.Fprintf(env.Stderr, "built list version %d with %d rows in %s: %s, %d placements new or changed, %d ambiguous persons left out\n",
		result.Version, result.Rows, b.out, kind, result.Changed, result.LeftOut)
	keys, err := repository.RoleKeys(repository.KeyFolder(b.keys), repository.RoleTargets)
	if err != nil {
		return err
	}
	if err := repository.Sign(path, keys...); err != nil {
		return err
	}
	if err := r.Signed(); err != nil {
		fmt.Fprintf(env.Stderr, "next: sign %s with two of the targets keys (lintas-hub list sign), then lintas-hub list publish %s\n", path, b.out)
		return nil
	}
	return date(r, b.keys)
}

func (b *listBuild) source(ctx context.Context, now time.Time) (s build.Source, err error) {
	switch {
	case b.placements != "":
		s.Placements = file(b.placements)
	case b.changes != "":
		s.Placements, s.Changes = file(b.changes), true
	case b.postgres != "":
		s.Placements = build.Postgres(ctx, b.postgres, b.query)
	}
	var counters []placement.CounterSite
	err = errors.Join(
		read(b.cleared, placement.Clearings, &s.Cleared),
		read(b.negatives, placement.Negatives, &s.Negatives),
		read(b.agencies, placement.Agencies, &s.Agencies),
		read(b.officers, placement.Officers, &s.Officers),
		read(b.counters, placement.Counters, &counters),
	)
	if err != nil {
		return s, fmt.Errorf("nothing was built:\n%w", err)
	}
	if b.rules != "" {
		if s.Rules, err = os.ReadFile(b.rules); err != nil {
			return s, err
		}
		if _, err := rule.Parse(s.Rules); err != nil {
			return s, fmt.Errorf("nothing was built: %s: %w", b.rules, err)
		}
	}
	if s.Hub, err = hubKeys(b.keys, now); err != nil {
		return s, err
	}
	return s, b.trusted(&s, counters)
}

// trusted adds the counters whose keys are trusted: what is sealed is sealed to
// them.
func (b *listBuild) trusted(s *build.Source, sites []placement.CounterSite) error {
	ring := hub.NewKeyRing(b.keys)
	all, err := ring.Counters()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s.Counters, s.Sites = map[string]crossing.Keys{}, map[string]crossing.Keys{}
	for _, counter := range all {
		if s.Counters[counter], err = ring.For(counter); err != nil {
			return err
		}
	}
	for _, c := range sites {
		if s.Sites[c.Site] == nil {
			s.Sites[c.Site] = crossing.Keys{}
		}
		for id, k := range s.Counters[c.Counter] {
			s.Sites[c.Site][id] = k
		}
	}
	return nil
}

// recipient is one of the hub's age recipients. Without bounds it is always
// good.
type recipient struct {
	Recipient  string     `json:"recipient"`
	ValidFrom  *time.Time `json:"valid_from,omitempty"`
	ValidUntil *time.Time `json:"valid_until,omitempty"`
}

// hubKeys makes the target of that name of what is in the key folder and good
// at a time.
func hubKeys(dir string, now time.Time) ([]byte, error) {
	acks, err := crossing.LoadKeys(filepath.Join(dir, hub.FileAckKeys))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(dir, hub.FileRecipients))
	if err != nil {
		return nil, err
	}
	until, err := hub.Validity(dir)
	if err != nil {
		return nil, err
	}
	for id := range acks {
		if t, set := until[id]; set && now.After(t) {
			delete(acks, id)
		}
	}
	jwks, err := acks.MarshalJWKS()
	if err != nil {
		return nil, err
	}
	list := []recipient{}
	for _, r := range strings.Fields(string(text)) {
		if t, set := until[r]; !set {
			list = append(list, recipient{Recipient: r})
		} else if now.Before(t) {
			list = append(list, recipient{Recipient: r, ValidUntil: &t})
		}
	}
	return json.Marshal(map[string]any{"ack_keys": json.RawMessage(jwks), "recipients": list})
}

func file(path string) build.Stream {
	return func(each func(placement.Entry) error) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		return placement.Read(path, f, placement.Entries, each)
	}
}

// read reads a source that may be missing; one that is there and empty is not
// nil.
func read[T any](path string, table placement.Table[T], to *[]T) error {
	if path == "" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	list, err := placement.ReadAll(path, f, table)
	*to = append([]T{}, list...)
	return err
}
