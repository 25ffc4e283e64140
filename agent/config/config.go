// Package config reads the one configuration file of a counter, TOML, and says
// everything that is wrong with it at once, each with its line and what to do:
//
//	/etc/lintas/lintas.toml:9: counter.id: must be 3 to 32 of A-Z, 0-9 and "-", not "cgk"; write "CGK"
//	/etc/lintas/lintas.toml:31: broker.password: is not a key; did you mean password_file? No secret stands in this file: name a file or a credential
//
// The shipped file is the default: it is read first, then the counter's own file
// over it. What a key is called, what kind of value it takes and what is allowed
// stands in one table, in key.go; a new key is a line there, a field here and a
// comment in the shipped file.
//
// Secrets never stand in the text. Keys ending in _file name a file, relative to
// the folder of the configuration, or "credential:NAME", a systemd credential.
// Whether the file exists is not this package's business, except in
// [Config.Warnings]: a missing certificate must not keep a counter from starting.
package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"lintas/configs"
)

// maxSize bounds the text. The shipped file has four kilobytes, a post-quantum
// recipient two.
const maxSize = 64 << 10

// Config is a complete configuration: every value is checked, every path
// absolute, and what the file left out has its default.
type Config struct {
	Path     string // the file it came from, "" for the built-in one
	Counter  Counter
	State    State
	Scanners []Scanner
	Screen   Screen
	Hub      Hub
	Keys     Keys
	List     List
	Broker   Broker
	Queue    Queue
	Log      Log
}

// Counter says which counter this is and how it works.
type Counter struct {
	ID                   string // also the MQTT client id and the CN of the certificate
	Site, Terminal, Lane string // "" if not given
	LaneKind             string // normal, fast, crew, autogate
	Direction            string // departure, return, or "": the officer chooses
	Confirm              string // officer, auto
	AbandonAfter         time.Duration
	RepeatAfter          time.Duration // 0: repetitions are not pointed out
	Drill                bool
}

// State is where the counter keeps things.
type State struct {
	Dir string // what must last
	Run string // the control socket
}

// Scanner is one document scanner.
type Scanner struct {
	Name    string
	Port    string // an absolute path of a device or folder, or usb:VID:PID[:serial]
	Profile string // what it is: one of [Profiles]
	Line    string // "9600 8N1"; "" for what the profile's readers have from the factory
	Arm     string // bytes in hexadecimal that make it read, "none", or "" for the profile's
	Gap     time.Duration
	Tee     string // where its bytes are handed on, "" for nowhere
	Layout  string // of a keyboard: auto, us, de, fr, id
	Grab    bool   // a keyboard although somebody types on it
	After   string // what becomes of a file that was read: keep, remove
}

// Screen is the officer's page.
type Screen struct {
	Listen   string // a loopback address and a port
	Language string // id, en
	Theme    string // dark, light, auto
}

// Hub is whom records are for and whose acknowledgements count.
type Hub struct {
	Recipients  []string // age recipients, all of one kind
	AckKeysFile string   // a JWK Set
}

// Keys are the counter's own.
type Keys struct {
	CounterFile string // the signing key, a JWK; made at the first start
	ListFile    string // the key of the placement list
}

// List is where the placement list comes from.
type List struct {
	Sources  []string // mqtt:, file:/…, https://…; the first that has it
	RootFile string   // the TUF root that is trusted to begin with
	Every    time.Duration
}

// Broker is the way to the hub.
type Broker struct {
	URL                      string   // "" if there is none yet
	Fallback                 []string // tried in this order when URL cannot be reached
	CAFile                   string   // "" for the system's authorities
	CertificateFile, KeyFile string   // both or none
	Username, PasswordFile   string
	AckTimeout, KeepAlive    time.Duration
	Window                   int
}

// Queue is what is kept for the hub.
type Queue struct {
	Retention time.Duration
	QuotaMiB  int // the queue's file does not grow beyond this
}

// Log is what the technician reads.
type Log struct {
	Level  string // debug, info, warn, error
	Format string // text, json
}

// Load reads the file at path. What is wrong in it comes back as [Faults]; any
// other error means that it could not be read.
func Load(path string, env func(string) string) (*Config, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the configuration: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read the configuration: %w", err)
	}
	return Parse(path, data, env)
}

// Parse reads a configuration from data. The name is used in faults, and its
// folder is what relative paths are relative to. From env it takes
// CREDENTIALS_DIRECTORY only. An error is always of type [Faults], sorted by line.
func Parse(name string, data []byte, env func(string) string) (*Config, error) {
	c := builtIn()
	c.Path = name
	d := newDecoder(&c, folder(name), env)
	if len(data) > maxSize {
		d.fault(1, "", "the file is larger than a configuration can be (%d bytes)", maxSize)
	} else {
		d.decode(readDocument(data))
	}
	if len(d.faults) > 0 {
		return nil, d.faults.in(name)
	}
	d.fillKeys()
	return &c, nil
}

// Default is the shipped file, which documents every key.
func Default() string { return configs.Default }

// builtIn gives the shipped file's values. They lack the required keys, which
// have no default.
func builtIn() Config {
	c := *shipped()
	return c
}

var shipped = sync.OnceValue(func() *Config {
	c := new(Config)
	d := newDecoder(c, "/", nil)
	d.settings(readDocument([]byte(configs.Default)))
	if len(d.faults) > 0 {
		panic("the built-in configuration is broken:\n" + d.faults.in("lintas.toml").Error())
	}
	return c
})

// folder is the absolute folder of a file, as far as that can be found out.
func folder(name string) string {
	dir := filepath.Dir(name)
	if abs, err := filepath.Abs(dir); err == nil {
		return abs
	}
	return dir
}
