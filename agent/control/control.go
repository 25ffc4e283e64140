// Package control is the local interface of a running agent: HTTP over a unix
// socket that only the agent's own user and group and root can open. It carries how the
// agent is, never a traveller.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"
)

// Status is how an agent is.
type Status struct {
	Counter    string      `json:"counter"`
	Version    string      `json:"version"`
	Started    time.Time   `json:"started"`
	Page       string      `json:"page"`      // address of the officer's page; "" if it cannot be served
	KeyID      string      `json:"key_id"`    // thumbprint of the counter's signing key
	Recording  bool        `json:"recording"` // false: nothing can be recorded
	Queue      Queue       `json:"queue"`
	Uplink     Uplink      `json:"uplink"`
	List       List        `json:"list"`
	Scanners   []Scanner   `json:"scanners"`
	Conditions []Condition `json:"conditions"`
}

// Queue is how much is recorded and not confirmed.
type Queue struct {
	Epoch        string     `json:"epoch"`
	Sequence     uint64     `json:"sequence"`
	Head         string     `json:"head"`
	Depth        uint64     `json:"depth"`
	Acknowledged uint64     `json:"acknowledged"`
	Oldest       *time.Time `json:"oldest"`
	AckTime      *time.Time `json:"ack_time"`
}

// Uplink is the link to the broker.
type Uplink struct {
	Broker    string     `json:"broker"` // "" if none is configured
	Connected bool       `json:"connected"`
	Since     *time.Time `json:"since"`
	LastError string     `json:"last_error"`
}

// List is the installed placement list.
type List struct {
	Present bool  `json:"present"`
	Version int64 `json:"version"`
	Age     int64 `json:"age_s"`
	Rows    int64 `json:"rows"`
}

// Scanner is one configured scanner.
type Scanner struct {
	Name     string     `json:"name"`
	Status   string     `json:"status"`
	Reason   string     `json:"reason"`
	Since    *time.Time `json:"since"`
	LastScan *time.Time `json:"last_scan"`
}

// Condition is something that is not as it should be.
type Condition struct {
	Code     string    `json:"code"`
	Severity string    `json:"severity"`
	Subject  string    `json:"subject"`
	Detail   string    `json:"detail"`
	Since    time.Time `json:"since"`
	ID       string    `json:"id"`
	EN       string    `json:"en"`
	NextID   string    `json:"next_id"`
	NextEN   string    `json:"next_en"`
}

// ErrNotRunning: nobody answers on the socket.
var ErrNotRunning = errors.New("the agent is not running")

const maxStatus = 1 << 20

// Handler answers with what status gives.
func Handler(status func(context.Context) (Status, error)) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		s, err := status(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(s) // the other side may have gone
	})
	return mux
}

// Serve answers on the socket until ctx ends. A socket that an earlier run left
// behind is replaced; whether another agent runs was settled before, by the
// lock on the queue.
func Serve(ctx context.Context, path string, h http.Handler, log *slog.Logger) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("cannot serve control socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return fmt.Errorf("cannot serve control socket: %w", err)
	}
	if err := os.Chmod(path, 0o660); err != nil { // who gets here, the folder decides
		l.Close()
		return fmt.Errorf("cannot serve control socket: %w", err)
	}
	srv := &http.Server{Handler: h, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("cannot serve control socket: %w", err)
	}
	return nil
}

// Ask asks a running agent how it is.
func Ask(ctx context.Context, path string) (s Status, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	client := http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		},
	}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://lintas/status", nil)
	if err != nil {
		return s, err
	}
	res, err := client.Do(req)
	if errors.Is(err, fs.ErrPermission) {
		return s, fmt.Errorf("cannot ask the agent: %w; be root or in its group", err)
	}
	if _, isOp := errors.AsType[*net.OpError](err); isOp {
		return s, fmt.Errorf("%w, or not with this configuration (%s)", ErrNotRunning, path)
	} else if err != nil {
		return s, fmt.Errorf("cannot ask the agent: %w", err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxStatus))
	if err == nil && res.StatusCode != http.StatusOK {
		err = errors.New(res.Status)
	}
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	if err != nil {
		return s, fmt.Errorf("cannot ask the agent: %w", err)
	}
	return s, nil
}
