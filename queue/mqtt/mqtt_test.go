package mqtt_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"

	"lintas/queue/mqtt"
	"lintas/queue/mqtt/broker"
)

func start(t *testing.T, conf *tls.Config) *broker.Broker {
	t.Helper()
	b, err := broker.Start("127.0.0.1:0", conf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func await(t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatalf("%s did not happen", what)
	}
}

func TestPublishAndReceive(t *testing.T) {
	address := start(t, nil).Address
	got := make(chan mqtt.Message, 10)
	c, err := mqtt.Dial(t.Context(), mqtt.Options{URL: "tcp://" + address, ClientID: "a", Filters: []string{"x/+"}, Receive: func(m mqtt.Message) { got <- m }})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	large := bytes.Repeat([]byte("L"), 256<<10) // as large as anything of ours
	for _, payload := range [][]byte{[]byte("small"), {}, large} {
		token := c.Publish("x/y", false, payload)
		await(t, "PUBACK", token.Done())
		if token.Error() != nil {
			t.Fatal(token.Error())
		}
		if m := <-got; m.Topic != "x/y" || !bytes.Equal(m.Payload, payload) {
			t.Fatalf("received %d bytes on %s", len(m.Payload), m.Topic)
		}
	}
}

// A token of a connection that is lost says so: it never claims a success that
// the broker did not confirm.
func TestLostConnectionFailsTokens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() { // a broker that accepts, takes one PUBLISH, and hangs up
		conn, err := l.Accept()
		if err != nil {
			return
		}
		io.ReadAtLeast(conn, make([]byte, 64), 2)
		conn.Write([]byte{0x20, 2, 0, 0}) // CONNACK
		io.ReadAtLeast(conn, make([]byte, 64), 2)
		conn.Close()
	}()
	c, err := mqtt.Dial(t.Context(), mqtt.Options{URL: "tcp://" + l.Addr().String(), ClientID: "a"})
	if err != nil {
		t.Fatal(err)
	}
	token := c.Publish("x", false, []byte("m"))
	await(t, "the loss", c.Lost())
	await(t, "the token's end", token.Done())
	if token.Error() == nil {
		t.Error("a message that no broker confirmed counts as delivered")
	}
	if late := c.Publish("x", false, []byte("m")); late.Error() == nil {
		await(t, "the late token's end", late.Done())
		if late.Error() == nil {
			t.Error("a message on a lost connection counts as delivered")
		}
	}
}

// What a broker kept for a session comes before its answer to the subscription,
// and nobody takes it before Dial returns.
func TestKeptSession(t *testing.T) {
	const kept = 2000
	server := start(t, nil)
	got := make(chan mqtt.Message)
	gone := make(chan struct{})
	dial := func() *mqtt.Conn {
		c, err := mqtt.Dial(t.Context(), mqtt.Options{URL: "tcp://" + server.Address, ClientID: "a", Filters: []string{"x"}, KeepSession: true,
			Receive: func(m mqtt.Message) {
				select {
				case got <- m:
				case <-gone:
				}
			}})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	// until waits for what only the broker knows of the session.
	until := func(what string, done func(*mochi.Client) bool) {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
			if client, ok := server.Clients.Get("a"); ok && done(client) {
				return
			} else if time.Now().After(end) {
				t.Fatalf("%s did not happen", what)
			}
		}
	}
	c := dial()
	until("the subscription", func(a *mochi.Client) bool { return a.State.Subscriptions.Len() == 1 })
	c.Close()
	until("the end of the connection", (*mochi.Client).Closed) // from now on the broker keeps, and does not send
	other, err := mqtt.Dial(t.Context(), mqtt.Options{URL: "tcp://" + server.Address, ClientID: "b"})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for range kept {
		await(t, "PUBACK", other.Publish("x", false, []byte("kept")).Done())
	}
	// This broker sends a PUBACK before it hands on, and loses what it hands to a
	// session that is just being taken over.
	until("the last message", func(a *mochi.Client) bool { return a.State.Inflight.Len() == kept })
	c = dial()
	defer c.Close()
	defer close(gone)
	for n := range kept {
		select {
		case <-got:
		case <-time.After(30 * time.Second):
			t.Fatalf("of %d messages %d came", kept, n)
		}
	}
}

// A subscription that the broker refuses ends the connection, sooner or later.
func TestRefusedSubscription(t *testing.T) {
	for name, keep := range map[string]bool{"session kept": true, "session not kept": false} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				b := make([]byte, 256)
				conn.Read(b)
				conn.Write([]byte{0x20, 2, 0, 0}) // CONNACK
				conn.Read(b)
				conn.Write([]byte{0x90, 3, b[2], b[3], 0x80}) // SUBACK: failure
				io.Copy(io.Discard, conn)
			}()
			c, err := mqtt.Dial(t.Context(), mqtt.Options{URL: "tcp://" + l.Addr().String(), ClientID: "a", Filters: []string{"x"}, KeepSession: keep})
			if err == nil {
				await(t, "the loss", c.Lost())
				err = c.Err()
			}
			if err == nil || !strings.Contains(err.Error(), "refused the filter x") {
				t.Error(err)
			}
		})
	}
}

// A hostile broker cannot make us take a packet of any size into memory.
func TestPacketsAreBounded(t *testing.T) {
	for name, packet := range map[string][]byte{
		"a huge PUBLISH":      {0x30, 0xff, 0xff, 0xff, 0x7f},
		"an endless length":   {0x30, 0xff, 0xff, 0xff, 0xff, 0xff},
		"just over the limit": {0x30, 0x81, 0x80, 0x14},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				io.ReadAtLeast(conn, make([]byte, 64), 2)
				conn.Write([]byte{0x20, 2, 0, 0})
				for _, b := range packet { // a byte at a time
					conn.Write([]byte{b})
				}
				io.Copy(io.Discard, conn)
			}()
			c, err := mqtt.Dial(t.Context(), mqtt.Options{URL: "tcp://" + l.Addr().String(), ClientID: "a"})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			await(t, "the end of the connection", c.Lost())
			if c.Err() == nil || !strings.Contains(c.Err().Error(), "more than") {
				t.Errorf("lost for %v", c.Err())
			}
		})
	}
}

func TestDialFails(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, url := range []string{"tcp://user:secret@127.0.0.1:1", "gopher://user:secret@127.0.0.1:1", "::user:secret"} {
		_, err := mqtt.Dial(ctx, mqtt.Options{URL: url, ClientID: "a"})
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// TLS 1.3 with a client certificate.
func TestMutualTLS(t *testing.T) {
	dir := t.TempDir()
	ca, caKey := certificate(t, dir, "ca", nil, nil)
	server, serverKey := certificate(t, dir, "server", ca, caKey)
	certificate(t, dir, "CGK-T3-D07", ca, caKey)
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	b := start(t, &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{server.Raw}, PrivateKey: serverKey}},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: pool, MinVersion: tls.VersionTLS13,
	})
	path := func(name string) string { return filepath.Join(dir, name) }
	conf, err := mqtt.ClientTLS(path("ca.pem"), path("CGK-T3-D07.pem"), path("CGK-T3-D07.key"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := mqtt.Dial(t.Context(), mqtt.Options{URL: "tls://" + b.Address, ClientID: "a", TLS: conf})
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// certificate makes a key pair below an authority, or an authority.
func certificate(t *testing.T, dir, name string, ca *x509.Certificate, caKey *ecdsa.PrivateKey, edits ...func(*x509.Certificate)) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if ca == nil {
		template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
		ca, caKey = template, key
	}
	for _, edit := range edits {
		edit(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca, &key.PublicKey, caKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{name + ".pem": {Type: "CERTIFICATE", Bytes: der}, name + ".key": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(dir, file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}
