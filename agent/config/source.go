package config

import (
	"fmt"
	"net/url"
	"path/filepath"

	"github.com/pelletier/go-toml/v2/unstable"
)

// listSources checks where the placement list may come from. What it is there,
// signatures tell: the way there need not be trusted, but nothing personal
// belongs in a URL.
func listSources(items []value) (wrong []complaint) {
	for i, item := range items {
		if item.kind == unstable.Invalid {
			continue
		}
		if message := listSource(item.text); message != "" {
			wrong = append(wrong, complaint{item.line, fmt.Sprintf("source %d: %s", i+1, message)})
		}
	}
	return wrong
}

func listSource(s string) string {
	const like = `like "mqtt:", "file:/media/usb/list" or "https://lists.example/lintas"`
	u, err := url.Parse(s)
	if err != nil {
		return "must be an address, " + like
	}
	switch {
	case u.User != nil:
		return "no user name or password stands in the URL"
	case u.Scheme == "mqtt" && u.Opaque == "" && u.Host == "" && u.Path == "":
		return ""
	case u.Scheme == "mqtt":
		return `the broker is the one of [broker]; write "mqtt:"`
	case u.Scheme == "file" && u.Host == "" && filepath.IsAbs(u.Path):
		return ""
	case u.Scheme == "file":
		return "must be an absolute path, " + like
	case u.Scheme == "https" && u.Host != "", u.Scheme == "http" && isLoopback(u.Hostname()):
		return ""
	case u.Scheme == "http":
		return "http is for this machine itself; write https"
	}
	return "must be an address, " + like
}
