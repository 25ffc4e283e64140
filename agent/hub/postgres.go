package hub

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	// versions is the table in which it is written which migrations were made.
	versions = "ledger_version"
	// connections bounds those of one process: one takes events in, one
	// acknowledges, the others read.
	connections = 8
)

// isPostgres tells the address of a PostgreSQL database from a file's name.
func isPostgres(db string) bool {
	return strings.HasPrefix(db, "postgres://") || strings.HasPrefix(db, "postgresql://")
}

// openPostgres opens the ledger at a URL, and makes it or brings its schema to
// this version if it may. Its settings stay as the URL gives them, but
// for those without which a hub would wait for ever, or confirm what a power
// cut can take back.
func openPostgres(ctx context.Context, address string, readOnly, create bool) (*sql.DB, error) {
	config, err := parseAddress(address)
	if err != nil {
		return nil, err
	}
	setting := func(name, value string) {
		if _, given := config.RuntimeParams[name]; !given {
			config.RuntimeParams[name] = value
		}
	}
	setting("application_name", "lintas-hub")
	setting("lock_timeout", "30s")                         // another hub holds a counter, and hangs
	setting("idle_in_transaction_session_timeout", "1min") // this one does
	if readOnly {
		setting("default_transaction_read_only", "on")
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 10 * time.Second
	}
	config.DialFunc = (&net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}}).DialContext
	durable := stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'")
		return err
	})
	db := sql.OpenDB(discreet{stdlib.GetConnector(*config, durable)})
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	if create {
		err = migratePostgres(ctx, db)
	} else {
		err = isCurrent(ctx, db)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// parseAddress reads a URL. What is wrong with one is told without any of its
// text: it may hold a password.
func parseAddress(address string) (*pgx.ConnConfig, error) {
	if _, err := url.Parse(address); err != nil {
		return nil, errors.New("the PostgreSQL address is malformed; write postgres://user@host:port/database and escape what is special in a password")
	}
	config, err := pgx.ParseConfig(address)
	if err == nil {
		return config, nil
	}
	if missing, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, fmt.Errorf("the PostgreSQL address names a file that cannot be used: %w", missing)
	}
	return nil, errors.New("the PostgreSQL address is malformed: see to its port, sslmode and the other settings behind the ?")
}

// discreet opens connections and says why one cannot be opened without naming
// the user.
type discreet struct{ driver.Connector }

// Connect opens a connection.
func (d discreet) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := d.Connector.Connect(ctx)
	if err == nil {
		return c, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	reason := "it does not answer as PostgreSQL does, or TLS cannot be set up; see to sslmode and sslrootcert"
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch {
		case strings.HasPrefix(refused.Code, "28"):
			reason = "user or password are refused"
		case strings.HasPrefix(refused.Code, "53"):
			reason = "the server takes no more connections"
		case refused.Code == "3D000":
			reason = "there is no such database"
		case strings.HasPrefix(refused.Code, "57"):
			reason = "the server is starting or shutting down"
		default:
			reason = "the server refuses"
		}
		reason += " (SQLSTATE " + refused.Code + ")"
	} else if network, ok := errors.AsType[*net.OpError](err); ok {
		reason = network.Error()
	} else if unknown, ok := errors.AsType[*net.DNSError](err); ok {
		reason = unknown.Error()
	} else if pgconn.Timeout(err) {
		reason = "it does not answer"
	}
	return nil, errConnect{reason}
}

// errConnect says that the database cannot be reached.
type errConnect struct{ reason string }

func (e errConnect) Error() string { return "cannot connect to PostgreSQL: " + e.reason }

func provider(db *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	// Hubs that start together wait for the one that migrates.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, files, goose.WithTableName(versions), goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
}

// migratePostgres makes the tables or brings them to this version. A newer
// hub's are left alone: migrations only add.
func migratePostgres(ctx context.Context, db *sql.DB) error {
	p, err := provider(db)
	if err != nil {
		return err
	}
	if err := db.PingContext(ctx); err != nil {
		return err
	}
	if isCurrent(ctx, db) == nil {
		return nil // nothing to wait for
	}
	_, err = p.Up(ctx)
	return err
}

// isCurrent tells whether the tables are those that this program knows, or
// more.
func isCurrent(ctx context.Context, db *sql.DB) error {
	p, err := provider(db)
	if err != nil {
		return err
	}
	sources := p.ListSources()
	want := sources[len(sources)-1].Version
	var have sql.NullInt64
	err = db.QueryRowContext(ctx, "SELECT max(version_id) FROM "+versions).Scan(&have)
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok && refused.Code == "42P01" || err == nil && !have.Valid {
		return errors.New("there is no ledger in this database; lintas-hub run makes it")
	} else if err != nil {
		return err
	}
	if have.Int64 < want {
		return fmt.Errorf("the ledger is of version %d and this program of version %d; lintas-hub run brings it there", have.Int64, want)
	}
	return nil
}

// Durable tells, as an error, when what is committed could be gone after a power
// cut. A SQLite ledger that could lose something is not opened at all; how a
// PostgreSQL server is set up is its operator's.
func (l *Ledger) Durable(ctx context.Context) error {
	if !l.postgres {
		return nil
	}
	var off bool
	if err := l.row(ctx, "SELECT current_setting('fsync') = 'off' OR current_setting('full_page_writes') = 'off'").Scan(&off); err != nil {
		return fmt.Errorf("cannot read ledger: %w", err)
	}
	if off {
		return errors.New("PostgreSQL runs with fsync or full_page_writes off: a power cut can take back what is confirmed")
	}
	return nil
}

// attempts is how often a transaction is tried that PostgreSQL refuses for a
// reason that passes.
const attempts = 6

// attempt does work anew while it fails for a reason that passes. It must be
// work that finds by itself what was committed although nobody said so.
func (l *Ledger) attempt(ctx context.Context, work func() error) error {
	for n := 1; ; n++ {
		err := work()
		if err == nil || !l.postgres || n == attempts || ctx.Err() != nil || !passing(err) {
			return err
		}
		select {
		case <-time.After(rand.N(10 * time.Millisecond << n)):
		case <-ctx.Done():
			return err
		}
	}
}

// passing tells whether PostgreSQL refused for a reason that passes.
func passing(err error) bool {
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch class := refused.Code[:min(2, len(refused.Code))]; class {
		case "40": // serialization, deadlock
			return true
		case "08", "53": // connection, out of something for now
			return true
		case "57": // shutting down
			return refused.Code != "57014"
		}
		return refused.Code == "55P03" // somebody has held a lock for too long
	}
	for _, lost := range []error{driver.ErrBadConn, sql.ErrConnDone, sql.ErrTxDone, pgconn.ErrConnClosed, io.ErrUnexpectedEOF, io.EOF} {
		if errors.Is(err, lost) {
			return true
		}
	}
	_, connect := errors.AsType[errConnect](err)
	_, network := errors.AsType[net.Error](err)
	return connect || network
}
