package sync

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// open opens a source by its URL: mqtt: is the broker of this counter, or one
// at mqtt://host:port or mqtts://host:port; file:/path a folder, which a path
// alone means too; https://… a web server's.
func (c *Client) open(ctx context.Context, raw string) (source, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("malformed address")
	}
	switch u.Scheme {
	case "mqtt", "mqtts":
		return openBroker(ctx, c.MQTT, u)
	case "https", "http":
		if u.Scheme == "http" && !isLoopback(u.Hostname()) {
			return nil, errors.New("http is for this machine itself; use https")
		}
		return newWeb(raw), nil
	case "file":
		return openFolder(u.Path)
	case "":
		return openFolder(raw)
	}
	return nil, fmt.Errorf("unknown scheme %q: use mqtt, file or https", u.Scheme)
}

func isLoopback(host string) bool {
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}

// Redact drops user information from a source's address before it is shown.
func Redact(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "(malformed address)"
	}
	u.User = nil
	return u.String()
}

// folder is a repository on a disk.
type folder struct{ root *os.Root }

func openFolder(path string) (*folder, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return &folder{root}, nil
}

func (s *folder) close() error { return s.root.Close() }

func (s *folder) open(_ context.Context, name string, offset, _ int64) (io.ReadCloser, int64, error) {
	// Without waiting: a stick may hold a pipe in place of a file.
	f, err := s.root.OpenFile(filepath.FromSlash(name), os.O_RDONLY|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, errNotThere
	} else if err != nil {
		return nil, 0, err
	}
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return nil, 0, errors.Join(errors.New("not a regular file"), err, f.Close())
	}
	return f, 0, nil
}

// web is a repository on a web server.
type web struct {
	root   string
	client *http.Client
}

func newWeb(root string) *web {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = grace
	return &web{strings.TrimSuffix(root, "/") + "/", &http.Client{Transport: transport, CheckRedirect: secureRedirect, Timeout: 24 * time.Hour}}
}

// secureRedirect keeps a server from sending us elsewhere in the clear.
func secureRedirect(req *http.Request, via []*http.Request) error {
	if via[0].URL.Scheme == "https" && req.URL.Scheme != "https" {
		return errors.New("the server redirects from https to " + req.URL.Scheme)
	}
	if len(via) > 4 {
		return errors.New("the server redirects too often")
	}
	return nil
}

func (s *web) close() error {
	s.client.CloseIdleConnections()
	return nil
}

func (s *web) open(ctx context.Context, name string, offset, length int64) (io.ReadCloser, int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.root+name, nil)
	if err != nil {
		return nil, 0, err
	}
	if offset > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
	}
	res, err := s.client.Do(req)
	if err != nil {
		return nil, 0, err
	}
	switch res.StatusCode {
	case http.StatusOK:
		return res.Body, 0, nil
	case http.StatusPartialContent:
		if !strings.HasPrefix(res.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", offset)) {
			return nil, 0, errors.Join(errors.New("the server answers with another part"), res.Body.Close())
		}
		return res.Body, offset, nil
	case http.StatusNotFound, http.StatusForbidden, http.StatusGone:
		res.Body.Close()
		return nil, 0, errNotThere
	case http.StatusRequestedRangeNotSatisfiable:
		res.Body.Close()
		if offset > 0 {
			return s.open(ctx, name, 0, length)
		}
	}
	return nil, 0, errors.Join(fmt.Errorf("the server answers %s", res.Status), res.Body.Close())
}
