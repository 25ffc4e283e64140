package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"lintas/agent/command"
	"lintas/agent/hub"
	"lintas/agent/hub/feed"
	"lintas/agent/hub/watch"
)

const defaultRecipients = "/var/lib/lintas-hub/recipients"

// web is how the hub is reached over HTTP.
type web struct {
	address, certificate, key, clientCA, recipients string
}

func (w *web) flags(fs *flag.FlagSet) {
	fs.StringVar(&w.address, "http", "", "`address` to hand crossings on at, and to be watched: 127.0.0.1:8471; beyond the loopback only with a certificate")
	fs.StringVar(&w.certificate, "http-certificate", "", "PEM `file` of its certificate")
	fs.StringVar(&w.key, "http-key", "", "PEM `file` of the certificate's key")
	fs.StringVar(&w.clientCA, "http-client-ca", "", "PEM `file` of the authorities that sign recipients' client certificates")
	fs.StringVar(&w.recipients, "recipients", defaultRecipients, "`folder` of recipients; see lintas-hub recipients add")
}

// listen opens the port.
func (w *web) listen() (net.Listener, error) {
	if w.address == "" {
		return nil, nil
	}
	if (w.certificate == "") != (w.key == "") {
		return nil, command.UsageError("--http-certificate and --http-key belong together")
	}
	host, _, err := net.SplitHostPort(w.address)
	if err != nil {
		return nil, command.UsageError("--http takes host:port: %v", err)
	}
	if ip := net.ParseIP(host); w.certificate == "" && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, command.UsageError("crossings are handed on beyond this machine only over TLS: give --http-certificate and --http-key, or an address of the loopback")
	}
	if w.clientCA != "" && w.certificate == "" {
		return nil, command.UsageError("--http-client-ca needs --http-certificate")
	}
	var config *tls.Config
	if w.certificate != "" {
		// Read anew for each connection, so that a renewed one is used.
		config = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(w.certificate, w.key)
			return &pair, err
		}}
		if _, err := config.GetCertificate(nil); err != nil {
			return nil, fmt.Errorf("cannot read the certificate: %w", err)
		}
	}
	if w.clientCA != "" {
		text, err := os.ReadFile(w.clientCA)
		if err != nil {
			return nil, fmt.Errorf("cannot read the authorities: %w", err)
		}
		config.ClientCAs, config.ClientAuth = x509.NewCertPool(), tls.VerifyClientCertIfGiven
		if !config.ClientCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s holds no certificate", w.clientCA)
		}
	}
	l, err := net.Listen("tcp", w.address)
	if err != nil {
		return nil, fmt.Errorf("cannot hand crossings on: %w", err)
	}
	if config != nil {
		config.NextProtos = []string{"h2", "http/1.1"}
		l = tls.NewListener(l, config)
	}
	return l, nil
}

// run runs the hub, opens what it commits, and hands it on.
func (w *web) run(ctx context.Context, h *hub.Hub) error {
	l, err := w.listen()
	if err != nil {
		return err
	}
	seen := watch.New(h.Ledger, h.Connected, h.Logger)
	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error { return h.Run(ctx) })
	opener := &hub.Opener{Ledger: h.Ledger, Keys: h.Keys, Logger: h.Logger, Each: seen.Opened}
	all.Go(func() error { return opener.Run(ctx) })
	if l != nil {
		all.Go(func() error { return w.serve(ctx, l, h.Ledger, seen, h.Logger) })
	}
	return all.Wait()
}

// serve answers until ctx ends.
func (w *web) serve(ctx context.Context, l net.Listener, ledger *hub.Ledger, seen *watch.Watch, logger *slog.Logger) error {
	to := &feed.Server{Ledger: ledger, Recipients: &feed.Recipients{Dir: w.recipients}, Logger: logger}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/crossings", to.Crossings)
	mux.HandleFunc("GET /healthz", seen.Health)
	mux.Handle("GET /metrics", seen.Metrics())
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx }, // waiting recipients leave with the hub
		ErrorLog:    slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
	stop := context.AfterFunc(ctx, func() {
		within, done := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer done()
		server.Shutdown(within)
	})
	defer stop()
	scheme := "http"
	if w.certificate != "" {
		scheme = "https"
	}
	logger.Info("handing on", "address", scheme+"://"+l.Addr().String())
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("cannot hand crossings on: %w", err)
	}
	return nil
}
