package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"lintas/agent/hub"
	"lintas/agent/hub/watch"
)

// authority signs certificates in tests.
type authority struct {
	s    *site
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func (s *site) authority(name string) *authority {
	s.t.Helper()
	a := &authority{s: s}
	pair := a.issue(name)
	a.cert, a.key = pair.Leaf, pair.PrivateKey.(*ecdsa.PrivateKey)
	return a
}

// issue makes name.pem and name.key, self-signed while there is no authority.
func (a *authority) issue(name string) tls.Certificate {
	t := a.s.t
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: a.cert == nil, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	parent, signer := of, key
	if a.cert != nil {
		parent, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, of, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	a.s.write(name+".pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	a.s.write(name+".key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	pair, err := tls.LoadX509KeyPair(a.s.path(name+".pem"), a.s.path(name+".key"))
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// A recipient is known by its token or by its certificate, and nobody else is
// answered.
func TestRecipientsOverTLS(t *testing.T) {
	s := newSite(t)
	s.inspect(melati, "departure", "CX798")
	s.known()
	own, other := s.authority("recipients-ca"), s.authority("other-ca")
	own.issue("hub")
	client, stranger, unlisted := own.issue("siskop2mi.example"), other.issue("stranger"), own.issue("unlisted.example")
	token := strings.TrimSpace(s.must(0, "recipients", "add", "--recipients", s.path("recipients"), "bp2mi"))
	s.must(1, "recipients", "add", "--recipients", s.path("recipients"), "bp2mi")
	s.must(64, "recipients", "add", "--recipients", s.path("recipients"), "../bp2mi")
	text, err := os.ReadFile(s.path("recipients/bp2mi.toml"))
	if err != nil || strings.Contains(string(text), token) {
		t.Fatalf("the file holds the token, or %v", err)
	}
	s.write("recipients/siskop2mi.toml", "certificate = \"siskop2mi.example\"\nfields = [\"document_number\"]\n")

	w := web{address: "127.0.0.1:0", certificate: s.path("hub.pem"), key: s.path("hub.key"), clientCA: s.path("recipients-ca.pem"), recipients: s.path("recipients")}
	l, err := w.listen()
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := hub.OpenLedger(t.Context(), s.path("ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer ledger.Close()
	log := slog.New(slog.DiscardHandler)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- w.serve(ctx, l, ledger, watch.New(ledger, func() bool { return true }, log), log) }()
	ask := func(path, token string, pairs ...tls.Certificate) (code int, body string) {
		t.Helper()
		roots := x509.NewCertPool()
		roots.AddCert(own.cert)
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: pairs}}
		defer transport.CloseIdleConnections()
		r, err := http.NewRequestWithContext(t.Context(), "GET", "https://"+l.Addr().String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := (&http.Client{Transport: transport}).Do(r)
		if err != nil {
			return 0, err.Error()
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	for name, c := range map[string]struct {
		path, token string
		pairs       []tls.Certificate
		code        int
		want        string
	}{
		"a token":                        {"/v1/crossings", token, nil, 200, melati.number},
		"a certificate":                  {"/v1/crossings", "", []tls.Certificate{client}, 200, melati.number},
		"neither":                        {"/v1/crossings", "", nil, 401, "error"},
		"a wrong token":                  {"/v1/crossings", token + "x", nil, 401, "error"},
		"the hash for the token":         {"/v1/crossings", strings.Split(string(text), `"`)[1], nil, 401, "error"},
		"a certificate of no recipient":  {"/v1/crossings", "", []tls.Certificate{unlisted}, 401, "error"},
		"another authority's":            {"/v1/crossings", "", []tls.Certificate{stranger}, 0, ""},
		"a wrong token beside one":       {"/v1/crossings", "x", []tls.Certificate{client}, 401, "error"},
		"health":                         {"/healthz", "", nil, 200, `{"ledger":"ok","broker":"ok"}`},
		"metrics":                        {"/metrics", "", nil, 200, "lintas_hub_ledger_up 1"},
		"metrics tell nothing of anyone": {"/metrics", "", nil, 200, "go_goroutines"},
	} {
		code, body := ask(c.path, c.token, c.pairs...)
		// A certificate that the hub does not ask for is not sent by the client.
		if name == "another authority's" && code == 401 {
			continue
		}
		if code != c.code || !strings.Contains(body, c.want) || c.path == "/metrics" && strings.Contains(body, "CONTOH") {
			t.Errorf("%s: %d %.200s", name, code, body)
		}
	}
	// One who waits leaves with the hub.
	_, body := ask("/v1/crossings?limit=1000", token)
	next := body[strings.Index(body, `"next":"`)+8:]
	next = next[:strings.IndexByte(next, '"')]
	waits := make(chan string)
	go func() {
		_, body := ask(fmt.Sprintf("/v1/crossings?wait=60&after=%s", next), token)
		waits <- body
	}()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	<-waits
}

func TestHTTPFlags(t *testing.T) {
	for _, w := range []web{
		{address: "0.0.0.0:0"}, {address: ":0"}, {address: "hub.example:1"}, {address: "127.0.0.1"},
		{address: "127.0.0.1:0", certificate: "x"}, {address: "127.0.0.1:0", clientCA: "x"},
	} {
		if l, err := w.listen(); err == nil {
			l.Close()
			t.Errorf("%+v is taken", w)
		}
	}
	if l, err := (&web{}).listen(); l != nil || err != nil {
		t.Error("without --http there is a port")
	}
}
