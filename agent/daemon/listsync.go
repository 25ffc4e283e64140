package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"lintas/agent/config"
	"lintas/agent/crossing"
	"lintas/agent/health"
	"lintas/agent/placement/cache"
	"lintas/agent/placement/sync"
	"lintas/queue/mqtt"
)

// ListClient is what brings the list to the counter of a configuration.
func ListClient(cfg *config.Config, log *slog.Logger) *sync.Client {
	return &sync.Client{
		Path: filepath.Join(cfg.State.Dir, ListFile), Dir: filepath.Join(cfg.State.Dir, listFolder), Root: cfg.List.RootFile,
		Counter: cfg.Counter.ID, Site: cfg.Counter.Site, Log: log,
		MQTT: func() (mqtt.Options, error) {
			o, err := connection(cfg, cfg.Broker.URL)
			o.ClientID += "-list" // beside the link that carries the events
			return o, err
		},
	}
}

// busyPause is how long to wait for another import to end, or for the root to
// be put in its place.
const busyPause = 5 * time.Second

// syncList asks for a new list now and then. It ends nothing that the officer
// needs, whatever happens.
func (d *daemon) syncList(ctx context.Context) error {
	sources := d.listSources()
	if len(sources) == 0 {
		return nil
	}
	client := ListClient(d.cfg, d.log)
	client.Access = d.listAccess
	failing := false
	for {
		pause := d.cfg.List.Every
		_, err := os.Stat(d.cfg.List.RootFile)
		d.board.Set(health.ListRoot, "", err != nil, d.cfg.List.RootFile)
		if err != nil {
			pause = busyPause
		} else {
			r, err := client.Sync(ctx, sources...)
			switch {
			case ctx.Err() != nil:
				return nil
			case errors.Is(err, cache.ErrBusy):
				pause = busyPause
			case err != nil:
				if !failing {
					d.log.Warn("no list could be fetched", "error", err)
				}
				failing = true
				d.refuse(ctx, err)
			default:
				failing = false
				d.refuse(ctx, r.Passed)
				if r.Installed {
					d.log.Info("list installed", "version", r.Info.Version, "source", r.Source, "fetched_bytes", r.Fetched)
				}
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// listSources leaves out the broker where there is none.
func (d *daemon) listSources() (list []string) {
	for _, s := range d.cfg.List.Sources {
		if !strings.HasPrefix(s, "mqtt:") || d.cfg.Broker.URL != "" {
			list = append(list, s)
		}
	}
	return list
}

// refuse records that a list was not believed, once for each reason and source.
func (d *daemon) refuse(ctx context.Context, err error) {
	n, refused := refusalOf(err)
	d.board.Set(health.ListRefused, "", refused, n.Reason+" "+n.Source)
	if said := n.Reason + n.Source; !refused || said == d.listRefused {
		return
	} else if err := d.record(ctx, crossing.ListRefused, d.refusedRecord(n)); err != nil {
		d.log.Error("cannot record", "error", err)
	} else {
		d.listRefused = said
	}
}

func (d *daemon) refusedRecord(n refusedNote) *crossing.Refused {
	info, _, _ := d.lists.info()
	return &crossing.Refused{Place: d.place(), Reason: n.Reason, Source: n.Source, ListVersion: info.Version}
}

// refusedNote tells the agent that a command has refused a list: only the agent
// records.
type refusedNote struct {
	Reason string `json:"reason"`
	Source string `json:"source"`
}

const refusedFile = "refused.json"

// refusalOf finds the refusal in what went wrong with several sources.
func refusalOf(err error) (n refusedNote, refused bool) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			if n, refused = refusalOf(e); refused {
				return n, true
			}
		}
		return n, false
	}
	if n.Reason, refused = sync.Refusal(err); !refused {
		return n, false
	}
	if from, ok := errors.AsType[*sync.SourceError](err); ok {
		n.Source = from.Source
	}
	return n, true
}

// NoteRefused leaves word for the agent that a list was refused, if err says
// so.
func NoteRefused(cfg *config.Config, err error) error {
	n, refused := refusalOf(err)
	if !refused {
		return nil
	}
	b, err := json.Marshal(n)
	if err != nil {
		return err
	}
	path := filepath.Join(cfg.State.Dir, listFolder, refusedFile)
	if err := errors.Join(crossing.WriteFile(path, b, 0o600), giveTo(path, cfg.State.Dir)); err != nil {
		return fmt.Errorf("cannot leave word for the agent: %w", err)
	}
	return nil
}

// giveTo gives a file that root has made to the owner of a folder.
func giveTo(path, folder string) error {
	st, err := os.Stat(folder)
	if err != nil || os.Geteuid() != 0 {
		return err
	}
	owner, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return os.Chown(path, int(owner.Uid), int(owner.Gid))
}

// recordRefused records what a command has refused.
func (d *daemon) recordRefused(ctx context.Context) {
	path := filepath.Join(d.cfg.State.Dir, listFolder, refusedFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var n refusedNote
	if err == nil {
		err = json.Unmarshal(b, &n)
	}
	if err == nil {
		err = d.record(ctx, crossing.ListRefused, d.refusedRecord(n))
	}
	if err != nil && n.Reason != "" {
		return // the queue may take it later, and says itself what is wrong
	}
	if rerr := os.Remove(path); err != nil || rerr != nil {
		d.log.Error("word of a refused list is lost", "error", errors.Join(err, rerr))
	}
}
