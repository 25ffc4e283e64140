package hub_test

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"lintas/agent/e2e/servers"
	"lintas/agent/hub"
)

// Whatever is wrong with a database's address, neither the user nor the
// password is told to whoever reads the error.
func TestAddressIsNotTold(t *testing.T) {
	// A server that speaks of something else than PostgreSQL.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Write([]byte("220 mail.example ESMTP\r\n"))
			c.Close()
		}
	}()
	url := servers.Schema(t)
	for name, address := range map[string]string{
		"nobody listens":         "postgres://canaryuser:sesame@127.0.0.1:1/x",
		"no such host":           "postgres://canaryuser:sesame@nowhere.invalid/x",
		"no such user":           strings.Replace(url, "hub@", "canaryuser:sesame@", 1),
		"no such database":       strings.Replace(url, "hub@/postgres", "hub@/canaryuser", 1),
		"a port that is none":    "postgres://canaryuser:sesame@127.0.0.1:port/x",
		"a password unescaped":   "postgres://canaryuser:sesame#1/2@127.0.0.1:1/x",
		"a percent sign":         "postgres://canaryuser:sesame%zz@127.0.0.1/x",
		"a setting that is none": "postgres://canaryuser:sesame@127.0.0.1/x?sslmode=sesame",
		"a file that is missing": "postgres://canaryuser:sesame@127.0.0.1/x?sslmode=verify-full&sslrootcert=/missing.pem",
		"another protocol":       fmt.Sprintf("postgres://canaryuser:sesame@%s/x?sslmode=disable", l.Addr()),
		"another, with TLS":      fmt.Sprintf("postgresql://canaryuser:sesame@%s/x?sslmode=require", l.Addr()),
	} {
		t.Run(name, func(t *testing.T) {
			for _, open := range []func(context.Context, string) (*hub.Ledger, error){hub.OpenLedger, hub.ReadLedger} {
				_, err := open(t.Context(), address)
				if err == nil {
					t.Fatal("it opens")
				}
				if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, "sesame") || strings.Contains(text, "canaryuser") {
					t.Errorf("told: %s", text)
				}
				t.Log(err)
			}
		})
	}
}

// Hubs that start together on an empty database make one ledger; a reader
// makes none and writes nothing.
func TestHubsStartTogether(t *testing.T) {
	url := servers.Schema(t)
	if _, err := hub.ReadLedger(t.Context(), url); err == nil || !strings.Contains(err.Error(), "lintas-hub run") {
		t.Errorf("an empty database is read: %v", err)
	}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			l, err := hub.OpenLedger(t.Context(), url)
			if err != nil {
				t.Error(err)
				return
			}
			defer l.Close()
			if _, err := l.Ack(t.Context(), counterID); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	l, err := hub.ReadLedger(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if list, err := l.Counters(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("%v, %v", list, err)
	}
	if _, err := l.Ack(t.Context(), counterID); err == nil {
		t.Error("a reader writes")
	}
}

// Whoever runs a database that can forget is told.
func TestDatabaseThatCanForgetIsTold(t *testing.T) {
	for url, safe := range map[string]bool{servers.Schema(t): false, servers.StartPostgres(t).Schema(t) + "%20-csynchronous_commit%3Doff": true} {
		l, err := hub.OpenLedger(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if err := l.Durable(t.Context()); (err == nil) != safe {
			t.Errorf("%v", err)
		}
		// A commit waits for the disk, whatever the database's own setting.
		if got := l.Setting(t, "synchronous_commit"); got != "on" {
			t.Errorf("synchronous_commit is %s", got)
		}
	}
}

// Transactions that PostgreSQL refuses for a reason that passes are done anew:
// sessions that an administrator ends, deadlocks. Nothing is lost or doubled.
func TestRefusedTransactionsAreDoneAnew(t *testing.T) {
	p := newPlace(t, inPostgres)
	e := p.events(300)
	db, err := sql.Open("pgx", p.db)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ended := 0
	for i := 0; i < len(e); i += 20 {
		if i%60 == 0 {
			var n int
			if err := db.QueryRow(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
				WHERE application_name = 'lintas-hub' AND pid <> pg_backend_pid()`).Scan(&n); err != nil {
				t.Fatal(err)
			}
			ended += n
		}
		if r := p.ingest(e[i : i+20]...); r.Stored != 20 {
			t.Fatalf("%+v", r)
		}
		if _, err := p.ack(); err != nil {
			t.Fatal(err)
		}
	}
	if w := p.whole(); w.Events != 300 || ended == 0 || p.queue.Acknowledged() != 300 {
		t.Errorf("%+v, %d sessions ended", w, ended)
	}
	// What does not pass is told at once.
	if _, err := db.Exec("DROP TABLE owed"); err != nil {
		t.Fatal(err)
	}
	if _, err := p.ledger.Ack(t.Context(), p.id); err == nil {
		t.Error("an acknowledgement over half a ledger")
	}
}
