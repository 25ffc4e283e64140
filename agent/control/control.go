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
	Gaps       int         `json:"gaps_24h"`  // crossings that followed one that is not on record (Q01)
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

	Code      string      `json:"code"`      // why it is degraded
	Diagnoses []Diagnosis `json:"diagnoses"` // what is to be said about it although it answers
	Bytes     uint64      `json:"bytes"`     // that came from it, since the agent started
	Noise     uint64      `json:"noise"`     // of these, the ones that were in no scan
	Complete  uint64      `json:"complete"`  // scans with all of their lines
	Partial   uint64      `json:"partial"`   // scans with something missing
	Tracks    uint64      `json:"tracks"`    // magnetic tracks, dropped
	Dropped   uint64      `json:"dropped"`   // scans that nobody took
	Tee       *Tee        `json:"tee"`       // the second program; null if there is none
}

// Diagnosis is what the bytes of a scanner say about it.
type Diagnosis struct {
	Code string `json:"code"`
	ID   string `json:"id"`
	EN   string `json:"en"`
}

// Tee is a second program that gets a scanner's bytes.
type Tee struct {
	Path   string `json:"path"`
	Ready  bool   `json:"ready"`  // it could open its port
	Opened bool   `json:"opened"` // it has
	Stuck  bool   `json:"stuck"`  // it takes nothing
	Lost   uint64 `json:"lost"`   // bytes that it did not take
	Reason string `json:"reason"`
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

// Agent is what the interface asks of a running agent.
type Agent struct {
	Status func(context.Context) (Status, error)
	// Acknowledge takes an acknowledgement of the hub that came as a file; it
	// is believed by its signature, whoever brings it.
	Acknowledge func(context.Context, []byte) error
	// Retry sends once more what no broker carried, and tells how many events
	// that are.
	Retry func(context.Context) (int, error)
	// RotateKey lets the counter sign with a new key and returns its id.
	RotateKey func(context.Context) (string, error)
}

// Retried is the answer to a request to send again.
type Retried struct {
	Events int `json:"events"`
}

// Rotated is the answer to a request for a new key.
type Rotated struct {
	KeyID string `json:"key_id"`
}

const maxAcknowledgement = 1 << 20

// Handler answers for an agent.
func Handler(a Agent) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		s, err := a.Status(r.Context())
		answer(w, s, err)
	})
	mux.HandleFunc("POST /retry", func(w http.ResponseWriter, r *http.Request) {
		n, err := a.Retry(r.Context())
		answer(w, Retried{n}, err)
	})
	mux.HandleFunc("POST /key", func(w http.ResponseWriter, r *http.Request) {
		id, err := a.RotateKey(r.Context())
		answer(w, Rotated{id}, err)
	})
	mux.HandleFunc("POST /acknowledgement", func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAcknowledgement))
		if err == nil {
			err = a.Acknowledge(r.Context(), b)
		}
		answer(w, struct{}{}, err)
	})
	return mux
}

// answer says what came of a request; the words of an error are for the
// technician.
func answer(w http.ResponseWriter, v any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v) // the other side may have gone
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
