package e2e_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// authority signs certificates into a site's folder.
type authority struct {
	s    *site
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	last int64
}

// issue writes name.pem and name.key; the authority's own first.
func (a *authority) issue(name string, until time.Time) {
	t := a.s.t
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	a.last++
	c := &x509.Certificate{
		SerialNumber: big.NewInt(a.last), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: until,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, BasicConstraintsValid: true, IsCA: a.cert == nil,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	signer, signerKey := a.cert, a.key
	if c.IsCA {
		c.KeyUsage |= x509.KeyUsageCertSign
		signer, signerKey = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, signer, &key.PublicKey, signerKey)
	check(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	check(err)
	check(os.WriteFile(a.s.path(name+".pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644))
	check(os.WriteFile(a.s.path(name+".key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	if c.IsCA {
		a.cert, err = x509.ParseCertificate(der)
		check(err)
		a.key = key
	}
}

// TestRenewedCertificate has a running agent whose certificate has expired. The
// broker refuses it, the agent says so and records; the renewed one, put where
// the old one was, is used without a restart. The broker knows the counter by
// its certificate and speaks TLS 1.3 only.
func TestRenewedCertificate(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	a := &authority{s: s}
	far := time.Now().AddDate(1, 0, 0)
	a.issue("ca", far)
	a.issue("broker", far)
	a.issue(counterID, time.Now().AddDate(0, 0, -1))
	secure := freePort(t)
	s.brokerConf = fmt.Sprintf("listener %d 127.0.0.1\ncafile %s\ncertfile %s\nkeyfile %s\nrequire_certificate true\nuse_identity_as_username true\ntls_version tlsv1.3\n",
		secure, s.path("ca.pem"), s.path("broker.pem"), s.path("broker.key"))
	text, err := os.ReadFile(s.config())
	if err != nil {
		t.Fatal(err)
	}
	conf := strings.Replace(string(text), fmt.Sprintf("url = \"tcp://127.0.0.1:%d\"", s.port),
		fmt.Sprintf("url = \"tls://127.0.0.1:%d\"\nca_file = \"ca.pem\"\ncertificate_file = \"%s.pem\"\nkey_file = \"%s.key\"", secure, counterID, counterID), 1)
	if conf == string(text) {
		t.Fatal("the configuration is another one than this test knows")
	}
	if err := os.WriteFile(s.config(), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	s.broker()
	agent := s.agent()
	s.ready()
	s.trust()
	s.hub()
	until(t, "the agent says why it is not connected", func() bool {
		st, err := s.status()
		return err == nil && !st.Uplink.Connected && strings.Contains(st.Uplink.LastError, "the client certificate is valid from")
	})
	a.issue(counterID, far)
	s.tool("lintas", "queue", "retry", "-c", s.config()) // or wait for the next try
	s.confirmed()
	if err := agent.stop(); err != nil {
		t.Fatal(err)
	}
	s.confirmed()
	s.same()
}
