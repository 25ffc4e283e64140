package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"lintas/agent/command"
	"lintas/agent/crossing"
	"lintas/agent/hub"
	"lintas/queue/mqtt"
)

// Where things are unless a flag says otherwise.
const (
	defaultDB   = "/var/lib/lintas-hub/ledger.db"
	defaultKeys = "/var/lib/lintas-hub/keys"
)

func dbFlag(fs *flag.FlagSet, v *string) {
	fs.StringVar(v, "db", defaultDB, "ledger: a `file` (SQLite), or postgres://user@host/database; $PGPASSWORD and ~/.pgpass work")
}

func keysFlag(fs *flag.FlagSet, v *string) {
	fs.StringVar(v, "keys", defaultKeys, "`folder` of the hub's keys, made by lintas-hub keys init")
}

type broker struct {
	url, id, ca, certificate, key, username, passwordFile string
}

func (b *broker) flags(fs *flag.FlagSet) {
	fs.StringVar(&b.url, "broker", "tcp://127.0.0.1:1883", "broker `address`, tcp://host:port or tls://host:port")
	fs.StringVar(&b.id, "client-id", "", "MQTT client `id` (default lintas-hub, in a group with something of its own behind it)")
	fs.StringVar(&b.ca, "ca", "", "PEM `file` of the authorities that sign the broker's certificate")
	fs.StringVar(&b.certificate, "certificate", "", "PEM `file` of the hub's client certificate")
	fs.StringVar(&b.key, "key", "", "PEM `file` of its key")
	fs.StringVar(&b.username, "username", "", "broker user `name`")
	fs.StringVar(&b.passwordFile, "password-file", "", "`file` with the broker password")
}

// options reads certificates and passwords anew for each connection.
func (b *broker) options() (mqtt.Options, error) {
	o := mqtt.Options{URL: b.url, ClientID: b.id, Username: b.username, KeepSession: true}
	if b.passwordFile != "" {
		secret, err := os.ReadFile(b.passwordFile)
		if err != nil {
			return o, fmt.Errorf("cannot read broker password: %w", err)
		}
		o.Password = strings.TrimRight(string(secret), "\r\n")
	}
	var err error
	if strings.HasPrefix(b.url, "tls://") {
		o.TLS, err = mqtt.ClientTLS(b.ca, b.certificate, b.key)
	}
	return o, err
}

// clientID is that of a process: a broker pushes the first of two off.
func (b *broker) clientID(group string) {
	if b.id == "" {
		if b.id = "lintas-hub"; group != "" {
			b.id += "-" + strings.ToLower(rand.Text()[:12])
		}
	}
}

func runCommand() *command.Command {
	var db, keys, group string
	var b broker
	var w web
	return &command.Command{
		Name: "run", Summary: "Receive, check, store and acknowledge events.",
		Help: "With age.txt in the key folder, a new key that a counter's trusted key names is trusted by\n" +
			"itself, and what a counter lost is listed. Without it both are left to the operator; the log\n" +
			"says when. Whatever a counter sends before its key is trusted is kept aside and taken in then.\n\n" +
			"Over a PostgreSQL ledger any number of hubs share the load, on one machine or several: the broker\n" +
			"deals the events among those of a group (MQTT shared subscriptions), and what one is told of a\n" +
			"counter's keys all know. Without a group, with a file or by --group none, there is one hub only.",
		Flags: func(fs *flag.FlagSet) {
			dbFlag(fs, &db)
			keysFlag(fs, &keys)
			b.flags(fs)
			w.flags(fs)
			fs.StringVar(&group, "group", "", "`name` of the hubs that share the load; nobody else may know it (default over PostgreSQL: one that follows from the signing key)")
		},
		Run: func(ctx context.Context, env command.Env, args []string) error {
			if err := command.NoArguments(args); err != nil {
				return err
			}
			if strings.ContainsAny(group, "/+#") {
				return command.UsageError("a group's name has no /, + or #")
			}
			key, err := crossing.LoadPrivateKey(filepath.Join(keys, hub.FileAckKey))
			if err != nil {
				return fmt.Errorf("%w; make the hub's keys with lintas-hub keys init --keys %s", err, keys)
			}
			signer, err := crossing.NewAckSigner(key)
			if err != nil {
				return err
			}
			ledger, err := hub.OpenLedger(ctx, db)
			if err != nil {
				return err
			}
			switch {
			case group == "none":
				group = ""
			case group != "" && !ledger.Shared():
				return errors.Join(command.UsageError("hubs of a group need a PostgreSQL ledger: --db postgres://…"), ledger.Close())
			case group == "" && ledger.Shared():
				group = hub.GroupOf(key)
			}
			b.clientID(group)
			ledger.Waits = group != ""
			h := &hub.Hub{
				Ledger: ledger, Keys: hub.NewKeyRing(keys), Signer: signer, Connection: b.options, Group: group,
				Logger: slog.New(slog.NewTextHandler(env.Stderr, nil)),
			}
			if err := ledger.Durable(ctx); err != nil {
				h.Logger.Warn("the ledger is not safe", "error", err)
			}
			return errors.Join(w.run(ctx, h), ledger.Close())
		},
	}
}
