package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// unstablePort matches names that go to whichever device is found first.
var unstablePort = regexp.MustCompile(`^/dev/(tty(USB|ACM)[0-9]+|input/event[0-9]+|hidraw[0-9]+)$`)

// longestSocketFolder leaves room for a name below it: a socket's whole path may
// have 107 bytes.
const longestSocketFolder = 90

// Warnings are what is allowed and yet probably not meant, in the order of the
// file. Nothing of it keeps the counter from working.
func (c *Config) Warnings() []string {
	var all []string
	warn := func(key, format string, a ...any) {
		all = append(all, key+": "+fmt.Sprintf(format, a...))
	}
	if c.Counter.Drill {
		warn("counter.drill", "every record is marked as a drill; set it to false for work")
	}
	if len(c.State.Run) > longestSocketFolder {
		warn("state.run", "%s is too long for the path of a socket; \"lintas status\" will not work", quote(c.State.Run))
	}
	if len(c.Scanners) == 0 {
		warn("scanner", "there is none; documents have to be typed by hand")
	}
	for _, s := range c.Scanners {
		if unstablePort.MatchString(s.Port) {
			warn("scanner.port", "%s may be another device after the next start; take the name below /dev/serial/by-id or /dev/input/by-id", s.Port)
		}
	}
	for _, f := range c.files() {
		if wrong := lookAt(f); wrong != "" {
			warn(f.key, "%s", wrong)
		}
	}
	switch {
	case c.Broker.URL == "":
		warn("broker.url", "is empty; records wait on this machine until there is a broker")
	case isTLS(c.Broker.URL) && c.Broker.CertificateFile == "" && c.Broker.Username == "":
		warn("broker.certificate_file", "neither a certificate nor a user name says who this counter is; most brokers will refuse it")
	case !isTLS(c.Broker.URL) && c.Broker.CAFile+c.Broker.CertificateFile != "":
		warn("broker.url", "certificates are used with tls:// only")
	}
	return all
}

// named is a file the configuration names.
type named struct {
	key, path string
	secret    bool
}

// files are those that were named, not those the counter makes itself.
func (c *Config) files() []named {
	all := []named{
		{"hub.ack_keys_file", c.Hub.AckKeysFile, false},
		{"keys.counter_file", c.Keys.CounterFile, true},
		{"keys.list_file", c.Keys.ListFile, true},
		{"list.root_file", c.List.RootFile, false},
		{"broker.ca_file", c.Broker.CAFile, false},
		{"broker.certificate_file", c.Broker.CertificateFile, false},
		{"broker.key_file", c.Broker.KeyFile, true},
		{"broker.password_file", c.Broker.PasswordFile, true},
	}
	return slices.DeleteFunc(all, func(f named) bool {
		return f.path == "" || f.path == c.counterFile() || f.path == c.listFile() || f.path == filepath.Join(folder(c.Path), rootFile)
	})
}

func lookAt(f named) string {
	info, err := os.Stat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Sprintf("%s is not there; put it there or correct the path", f.path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("%s could not be looked at; try again as root", f.path)
	case err != nil:
		return fmt.Sprintf("%s could not be looked at: %v", f.path, err)
	case info.IsDir():
		return fmt.Sprintf("%s is a folder; name a file", f.path)
	case info.Size() == 0:
		return fmt.Sprintf("%s is empty", f.path)
	case f.secret && info.Mode()&0o004 != 0:
		return fmt.Sprintf("everybody on this machine can read %s; chmod o-r it", f.path)
	}
	return ""
}
