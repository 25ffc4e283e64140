package cli

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"lintas/agent/command"
	"lintas/agent/config"
	"lintas/agent/scanners"
	"lintas/devices"
)

func scannerCommand() *command.Command {
	return &command.Command{
		Name: "scanner", Summary: "Find, try, record and simulate scanners.",
		Sub: []*command.Command{
			scannerListCommand(), scannerListenCommand(), scannerDiagnoseCommand(),
			scannerRecordCommand(), scannerReplayCommand(), scannerSimulateCommand(),
		},
	}
}

// which says which scanners a command is about: the configured ones, or one that
// its flags describe.
type which struct {
	path    string // of the configuration
	port    string
	profile string
	line    string
	gap     time.Duration
	layout  string
	grab    bool
}

func (w *which) flags(fs *flag.FlagSet) {
	configFlag(fs, &w.path)
	fs.StringVar(&w.port, "port", "", "only the scanner at this `path` or usb:VID:PID, without a configuration")
	fs.StringVar(&w.profile, "profile", "", "what that scanner is: "+strings.Join(config.Profiles, ", "))
	fs.StringVar(&w.line, "line", "", "how its serial line is set, like \"9600 8N1\"")
	fs.StringVar(&w.layout, "layout", "", "in which layout that scanner types: auto, us, de, fr, id")
	fs.BoolVar(&w.grab, "grab", false, "take that keyboard even if it seems to be yours")
	fs.DurationVar(&w.gap, "gap", 0, "the pause that ends a document (default 250ms)")
}

// scanners are those meant.
func (w *which) scanners(env command.Env) ([]config.Scanner, error) {
	if w.port == "" {
		if w.profile != "" || w.line != "" || w.gap != 0 || w.layout != "" || w.grab {
			return nil, command.UsageError("--profile, --line, --gap, --layout and --grab are about one scanner; name it with --port")
		}
		cfg, err := loadConfig(env, w.path)
		if err != nil {
			return nil, err
		}
		if len(cfg.Scanners) == 0 {
			return nil, fmt.Errorf("no scanner is configured in %s; see what is plugged in with lintas scanner list, or name one with --port", w.path)
		}
		return cfg.Scanners, nil
	}
	if w.profile != "" && !slices.Contains(config.Profiles, w.profile) {
		return nil, command.UsageError("no profile %q; there are %s", w.profile, strings.Join(config.Profiles, ", "))
	}
	if wrong := config.CheckLine(w.line); wrong != "" {
		return nil, command.UsageError("%s", wrong)
	}
	if w.layout != "" && !slices.Contains(layouts, w.layout) {
		return nil, command.UsageError("no layout %q; there are %s", w.layout, strings.Join(layouts, ", "))
	}
	if w.gap < 0 {
		return nil, command.UsageError("--gap must not be negative")
	}
	return []config.Scanner{{
		Name: w.port, Port: w.port, Profile: cmp.Or(w.profile, "auto"), Line: w.line, Gap: cmp.Or(w.gap, 250*time.Millisecond),
		Layout: cmp.Or(w.layout, "auto"), Grab: w.grab, After: "keep",
	}}, nil
}

// layouts are those in which a scanner can type.
var layouts = []string{"auto", "us", "de", "fr", "id"}

// one is the only scanner meant.
func (w *which) one(env command.Env) (config.Scanner, error) {
	all, err := w.scanners(env)
	if err != nil {
		return config.Scanner{}, err
	}
	if len(all) > 1 {
		return config.Scanner{}, command.UsageError("%d scanners are configured; say with --port which one is meant", len(all))
	}
	return all[0], nil
}

// serve runs readers until ctx ends or take fails. What happens to the scanners
// is told on w.
func serve(ctx context.Context, w io.Writer, readers []*devices.Reader, take func(devices.Scan) error) error {
	out := make(chan devices.Scan)
	told := &teller{w: w}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var group errgroup.Group
	for _, r := range readers {
		r.OnChange = told.tell
		group.Go(func() error { return r.Run(ctx, out) })
	}
	done := make(chan error, 1)
	go func() { done <- group.Wait() }()
	for {
		select {
		case s := <-out:
			err := take(s)
			s.Settle(err == nil) // a page that was dropped in a folder leaves it
			if err != nil {
				cancel()
				<-done
				return err
			}
		case err := <-done:
			return err
		}
	}
}

// A teller says what becomes of scanners, once for each state.
type teller struct {
	mu   sync.Mutex // guards the rest
	w    io.Writer
	said map[string]devices.Presence
}

func (t *teller) tell(s devices.State) {
	t.mu.Lock()
	defer t.mu.Unlock()
	status := s.Status
	if status == devices.Reading {
		status = devices.Ready
	}
	if t.said == nil {
		t.said = map[string]devices.Presence{}
	}
	if status == devices.Stopped || t.said[s.Scanner] == status {
		return
	}
	t.said[s.Scanner] = status
	switch {
	case status == devices.Ready:
		fmt.Fprintf(t.w, "scanner %q is ready\n", s.Scanner)
	case status == devices.Busy:
		fmt.Fprintf(t.w, "scanner %q: %s; if that is the running agent, stop it (systemctl stop lintas) for as long as this takes\n", s.Scanner, s.Reason)
	default:
		fmt.Fprintf(t.w, "scanner %q is %s: %s\n", s.Scanner, status, s.Reason)
	}
}

// readers makes the readers of scanners.
func readers(list []config.Scanner) (rs []*devices.Reader) {
	for _, s := range list {
		s.Tee = "" // the second program is served by the agent
		rs = append(rs, scanners.New(s, nil))
	}
	return rs
}
