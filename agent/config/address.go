package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// loopback checks where the officer's page is served. The page shows passports;
// it is for this machine's own screen.
func loopback(s string) string {
	address, err := netip.ParseAddrPort(s)
	switch ip := address.Addr(); {
	case err != nil:
		return fmt.Sprintf(`must be an address and a port, like "127.0.0.1:8470", not %s`, quote(s))
	case !ip.IsLoopback() || ip.Zone() != "" || ip.Is4In6():
		return fmt.Sprintf("%s is not this machine itself; the page shows passports, write 127.0.0.1 or [::1]", ip)
	}
	return ""
}

// brokerURL checks the broker's address. The URL itself is not repeated in what
// could be wrong before the user name is known not to be in it.
func brokerURL(s string) string {
	const like = `like "tls://broker.example:8883"`
	if s == "" {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return "must be scheme, host and port, " + like
	}
	if u.User != nil {
		return "no user name or password stands in the URL; use username and password_file"
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	switch {
	case u.Scheme != "tls" && u.Scheme != "tcp":
		return fmt.Sprintf("the scheme must be tls (or tcp on this machine itself), not %s", quote(u.Scheme))
	case u.Hostname() == "":
		return "the host is missing; write it " + like
	case u.Port() == "" || err != nil || port == 0:
		return "the port is missing or wrong; write it " + like
	case u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "nothing may follow the port; write it " + like
	case u.Scheme == "tcp" && !isLoopback(u.Hostname()):
		return "tcp is for a broker on this machine only: over a network the link must be authenticated; write tls://"
	}
	return ""
}

// brokerURLs checks a list of brokers, each with its own line.
func brokerURLs(items []value) (wrong []complaint) {
	for i, item := range items {
		message := brokerURL(item.text)
		if item.kind == unstable.Invalid {
			continue
		}
		if item.text == "" {
			message = notEmpty(item.text)
		}
		if message != "" {
			wrong = append(wrong, complaint{item.line, fmt.Sprintf("broker %d: %s", i+1, message)})
		}
	}
	return wrong
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.Unmap().IsLoopback()
}

func isTLS(url string) bool { return strings.HasPrefix(url, "tls:") }
