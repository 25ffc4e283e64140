package mqtt

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// ClientTLS gives the settings of a TLS 1.3 connection: the authorities in caFile,
// or the system's, and a client certificate if there is one.
func ClientTLS(caFile, certificateFile, keyFile string) (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS13}
	if caFile != "" {
		pem, err := os.ReadFile(caFile)
		if err != nil {
			return nil, fmt.Errorf("cannot read broker authorities: %w", err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("cannot read broker authorities: %s holds no PEM certificate", caFile)
		}
	}
	if certificateFile != "" {
		cert, err := tls.LoadX509KeyPair(certificateFile, keyFile)
		if err != nil {
			return nil, fmt.Errorf("cannot use client certificate: %w", err)
		}
		conf.Certificates = []tls.Certificate{cert}
	}
	return conf, nil
}

// Alerts by which a broker says what it thinks of a client (RFC 8446 section
// 6). In TLS 1.3 one about the client's certificate comes after the handshake.
var alerts = map[tls.AlertError]string{
	42:  "the broker refuses the client certificate",
	43:  "the broker refuses the client certificate",
	44:  "the broker refuses the client certificate: it is revoked",
	45:  "the broker refuses the client certificate: it has expired",
	46:  "the broker refuses the client certificate",
	48:  "the broker does not know the authority of the client certificate",
	70:  "the broker does not speak TLS 1.3",
	116: "the broker wants a client certificate",
}

// explain says in words what went wrong, the same words each time that the
// same thing goes wrong: without the port of this end and the present time,
// which the system's words carry.
func explain(err error, o Options) error {
	if err == nil {
		return nil
	}
	if n := notValid(o.TLS); n != "" {
		return fmt.Errorf("%w; %s", inWords(err), n)
	}
	return inWords(err)
}

func inWords(err error) error {
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return fmt.Errorf("the broker's certificate is valid from %s to %s, and that is not now by this clock",
			day(invalid.Cert.NotBefore), day(invalid.Cert.NotAfter))
	}
	if certificate, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fmt.Errorf("the broker's certificate is not trusted: %w", certificate.Err)
	}
	op, ok := errors.AsType[*net.OpError](err)
	switch {
	case !ok:
		return err
	case op.Op == "dial":
		return op // its words name the broker's end only
	case op.Op == "remote error":
		// The type of an alert that came is not exported, its words are.
		for alert, words := range alerts {
			if op.Err.Error() == alert.Error() {
				return errors.New(words)
			}
		}
	}
	if op.Op == "read" || op.Op == "write" {
		return fmt.Errorf("cannot %s: %w", op.Op, op.Err)
	}
	return op.Err
}

// notValid tells of a client certificate that may well be the reason.
func notValid(conf *tls.Config) string {
	if conf == nil || len(conf.Certificates) == 0 || conf.Certificates[0].Leaf == nil {
		return ""
	}
	leaf, now := conf.Certificates[0].Leaf, time.Now()
	if now.After(leaf.NotAfter) || now.Before(leaf.NotBefore) {
		return fmt.Sprintf("the client certificate is valid from %s to %s", day(leaf.NotBefore), day(leaf.NotAfter))
	}
	return ""
}

func day(t time.Time) string { return t.UTC().Format(time.RFC3339) }
