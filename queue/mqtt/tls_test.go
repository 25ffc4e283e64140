package mqtt_test

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lintas/queue/mqtt"
)

// house is a small public key infrastructure in a folder.
type house struct {
	t     *testing.T
	dir   string
	ca    *x509.Certificate
	caKey *ecdsa.PrivateKey
}

func newHouse(t *testing.T) *house {
	h := &house{t: t, dir: t.TempDir()}
	h.ca, h.caKey = certificate(t, h.dir, "ca", nil, nil)
	return h
}

func (h *house) path(name string) string { return filepath.Join(h.dir, name) }

// server gives the settings of a broker that wants a certificate of this
// house.
func (h *house) server(edit func(*x509.Certificate)) *tls.Config {
	cert, key := certificate(h.t, h.dir, "server", h.ca, h.caKey, edit)
	pool := x509.NewCertPool()
	pool.AddCert(h.ca)
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: pool, MinVersion: tls.VersionTLS12,
	}
}

func (h *house) client(edit func(*x509.Certificate)) *tls.Config {
	h.t.Helper()
	certificate(h.t, h.dir, "CGK-T3-D07", h.ca, h.caKey, edit)
	conf, err := mqtt.ClientTLS(h.path("ca.pem"), h.path("CGK-T3-D07.pem"), h.path("CGK-T3-D07.key"))
	if err != nil {
		h.t.Fatal(err)
	}
	return conf
}

func asIs(*x509.Certificate) {}

func expired(c *x509.Certificate) {
	c.NotBefore, c.NotAfter = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
}

// What is wrong with the certificates is said in words that a technician can
// act on.
func TestTLSErrors(t *testing.T) {
	for name, test := range map[string]struct {
		edit func(h *house, server, client *tls.Config) (*tls.Config, *tls.Config)
		want []string
	}{
		"another authority": {func(h *house, server, client *tls.Config) (*tls.Config, *tls.Config) {
			client.RootCAs = nil
			return server, client
		}, []string{"the broker's certificate is not trusted", "unknown authority"}},
		"the broker's certificate has expired": {func(h *house, server, client *tls.Config) (*tls.Config, *tls.Config) {
			return h.server(expired), client
		}, []string{"valid from 2024-01-01T00:00:00Z to 2025-01-01T00:00:00Z", "by this clock"}},
		"the counter's certificate has expired": {func(h *house, server, client *tls.Config) (*tls.Config, *tls.Config) {
			return server, h.client(expired)
		}, []string{"the client certificate is valid from 2024-01-01T00:00:00Z to 2025-01-01T00:00:00Z"}},
		"the counter's certificate is of another authority": {func(h *house, server, client *tls.Config) (*tls.Config, *tls.Config) {
			client.Certificates = newHouse(h.t).client(asIs).Certificates
			return server, client
		}, []string{"the client certificate"}},
		"no certificate": {func(h *house, server, client *tls.Config) (*tls.Config, *tls.Config) {
			client.Certificates = nil
			return server, client
		}, []string{"the broker wants a client certificate"}},
		"only TLS 1.2": {func(h *house, server, client *tls.Config) (*tls.Config, *tls.Config) {
			server.MaxVersion = tls.VersionTLS12
			return server, client
		}, []string{"the broker does not speak TLS 1.3"}},
		"another name": {func(h *house, server, client *tls.Config) (*tls.Config, *tls.Config) {
			client.ServerName = "other.example"
			return server, client
		}, []string{"the broker's certificate is not trusted", "other.example"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			server, client := test.edit(h, h.server(asIs), h.client(asIs))
			address := start(t, server).Address
			var last string
			for range 2 {
				_, err := mqtt.Dial(t.Context(), mqtt.Options{URL: "tls://" + address, ClientID: "a", TLS: client})
				if err == nil {
					t.Fatal("connected")
				}
				for _, want := range append(test.want, "tls://"+address) {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("%q does not say %q", err, want)
					}
				}
				if last != "" && last != err.Error() {
					t.Errorf("the same fault is told as %q and as %q", last, err)
				}
				last = err.Error()
			}
		})
	}
}

// A certificate that was renewed is used by the next connection; the present
// one goes on with the old.
func TestRenewedCertificate(t *testing.T) {
	h := newHouse(t)
	conf := h.server(asIs)
	serials := make(chan string, 2)
	conf.VerifyConnection = func(st tls.ConnectionState) error {
		serials <- st.PeerCertificates[0].SerialNumber.String()
		return nil
	}
	address := start(t, conf).Address
	var last string
	for range 2 {
		client := h.client(asIs) // writes a new certificate over the old one, and reads it
		c, err := mqtt.Dial(t.Context(), mqtt.Options{URL: "tls://" + address, ClientID: "a" + last, TLS: client})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			token := c.Publish("x", false, []byte("m"))
			await(t, "PUBACK", token.Done())
			if token.Error() != nil {
				t.Error(token.Error())
			}
			c.Close()
		}()
		serial := <-serials
		if serial == last || serial != client.Certificates[0].Leaf.SerialNumber.String() {
			t.Errorf("certificate %s after %s", serial, last)
		}
		last = serial
	}
}

// The address of a broker is asked for a sign of life without a session.
func TestReach(t *testing.T) {
	h := newHouse(t)
	address := start(t, h.server(asIs)).Address
	o := mqtt.Options{URL: "tls://" + address, ClientID: "a", TLS: h.client(asIs)}
	if err := mqtt.Reach(t.Context(), o); err != nil {
		t.Error(err)
	}
	o.TLS = newHouse(t).client(asIs)
	if err := mqtt.Reach(t.Context(), o); err == nil {
		t.Error("a broker with another authority can be reached")
	}
	o.URL = "tls://127.0.0.1:1"
	if err := mqtt.Reach(t.Context(), o); err == nil {
		t.Error("a broker that is gone can be reached")
	}
}
