package config

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

const (
	// credentialPrefix before a name means $CREDENTIALS_DIRECTORY/name.
	credentialPrefix = "credential:"

	// credentialFolder is where systemd keeps the credentials of the shipped unit.
	// It is used outside of the unit, where there is no CREDENTIALS_DIRECTORY:
	// root can then see whether they are there.
	credentialFolder = "/run/credentials/lintas.service"

	// listCredential is the credential that is used without being named.
	listCredential = "list.key"
)

var credentialName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,255}$`)

func (p place) credential(name string) string {
	if dir := p.env("CREDENTIALS_DIRECTORY"); dir != "" {
		return filepath.Join(dir, name)
	}
	return filepath.Join(credentialFolder, name)
}

// isSecret reports whether a text that ought to name a file is the secret itself.
// What is found so is never repeated in a message.
func isSecret(s string) bool {
	return strings.Contains(s, "\n") || strings.Contains(s, "-----BEGIN") ||
		strings.HasPrefix(strings.TrimSpace(s), "{") || isIdentity(s)
}

// isIdentity reports whether s has a secret age identity in it.
func isIdentity(s string) bool {
	return strings.Contains(strings.ToUpper(s), "AGE-SECRET-KEY-")
}

// counterFile and listFile are where the counter's own keys are if nobody says
// otherwise.
func (c *Config) counterFile() string { return filepath.Join(c.State.Dir, "counter.jwk") }
func (c *Config) listFile() string    { return filepath.Join(c.State.Dir, "list.key") }

// rootFile is the list's trusted root, in the folder of the configuration if
// nobody says otherwise: the agent itself must not be able to change it.
const rootFile = "list-root.json"

func (d *decoder) fillKeys() {
	if d.Keys.CounterFile == "" {
		d.Keys.CounterFile = d.counterFile()
	}
	if d.Keys.ListFile == "" {
		d.Keys.ListFile = d.listFile()
		if d.env("CREDENTIALS_DIRECTORY") != "" && holdsSomething(d.credential(listCredential)) {
			d.Keys.ListFile = d.credential(listCredential)
		}
	}
	if d.List.RootFile == "" {
		d.List.RootFile = filepath.Join(d.folder, rootFile)
	}
}

// holdsSomething reports whether there is more than blanks in a file. systemd
// hands over a blank credential in place of one it could not open.
func holdsSomething(path string) bool {
	data, err := os.ReadFile(path)
	return err == nil && len(bytes.TrimSpace(data)) > 0
}
