package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"time"
)

// ErrNotRunning: nobody answers on the socket.
var ErrNotRunning = errors.New("the agent is not running")

const maxStatus = 1 << 20

// Ask asks a running agent how it is.
func Ask(ctx context.Context, path string) (s Status, err error) {
	b, err := request(ctx, path, http.MethodGet, "/status", nil)
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	if err != nil {
		return s, fmt.Errorf("cannot ask the agent: %w", err)
	}
	return s, nil
}

// Acknowledge hands an acknowledgement to a running agent.
func Acknowledge(ctx context.Context, path string, ack []byte) error {
	_, err := request(ctx, path, http.MethodPost, "/acknowledgement", ack)
	return err
}

// Retry asks a running agent to send once more what no broker carried.
func Retry(ctx context.Context, path string) (r Retried, err error) {
	return r, post(ctx, path, "/retry", &r)
}

// RotateKey asks a running agent to sign with a new key.
func RotateKey(ctx context.Context, path string) (r Rotated, err error) {
	return r, post(ctx, path, "/key", &r)
}

func post(ctx context.Context, path, what string, into any) error {
	b, err := request(ctx, path, http.MethodPost, what, nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}

// request does one request over the socket and gives the answer's body.
func request(ctx context.Context, path, method, what string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	client := http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		},
	}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, method, "http://lintas"+what, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	res, err := client.Do(req)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("%w; be root or in its group", err)
	}
	if _, isOp := errors.AsType[*net.OpError](err); isOp {
		return nil, fmt.Errorf("%w, or not with this configuration (%s)", ErrNotRunning, path)
	} else if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxStatus))
	if err == nil && res.StatusCode/100 != 2 {
		if err = errors.New(strings.TrimSpace(string(b))); len(b) == 0 {
			err = errors.New(res.Status)
		}
	}
	return b, err
}
