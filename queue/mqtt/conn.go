package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxPacket bounds what a broker may send in one packet. The largest that is
// ours is a part of the placement list, 256 KiB.
const maxPacket = 320 << 10

// dial opens the transport that the options name.
func dial(ctx context.Context, o Options) (net.Conn, error) {
	if o.Dial != nil {
		conn, err := o.Dial(ctx)
		return &boundedConn{Conn: conn}, err
	}
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, errors.New("malformed broker address")
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := (&net.Dialer{Control: setUserTimeout}).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, err
	}
	switch u.Scheme {
	case "tcp":
		return &boundedConn{Conn: conn}, nil
	case "tls":
		conf := o.TLS.Clone() // Clone of nil is nil
		if conf == nil {
			conf = &tls.Config{MinVersion: tls.VersionTLS13}
		}
		if conf.ServerName == "" {
			conf.ServerName = u.Hostname()
		}
		secure := tls.Client(conn, conf)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		return &boundedConn{Conn: secure}, nil
	}
	return nil, errors.Join(fmt.Errorf("unknown scheme %q, use tcp or tls", u.Scheme), conn.Close())
}

// boundedConn follows the packets that are read (MQTT 3.1.1 section 2.2: a type
// byte and a length in up to four bytes) and ends the connection before one
// that is too large is taken into memory.
type boundedConn struct {
	net.Conn
	state  int // 0: type byte next, 1 to 4: that length byte next, 5: in the body
	length int
	left   int
}

var errPacket = fmt.Errorf("the broker sent a packet of more than %d bytes", maxPacket)

func (c *boundedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	for b := p[:n]; len(b) > 0; {
		if c.state == 5 {
			k := min(c.left, len(b))
			b, c.left = b[k:], c.left-k
			if c.left == 0 {
				c.state = 0
			}
			continue
		}
		switch {
		case c.state == 0:
			c.state, c.length = 1, 0
		default:
			c.length |= int(b[0]&0x7f) << (7 * (c.state - 1))
			switch {
			case b[0]&0x80 != 0 && c.state == 4 || c.length > maxPacket:
				return 0, errPacket
			case b[0]&0x80 != 0:
				c.state++
			case c.length == 0:
				c.state = 0
			default:
				c.state, c.left = 5, c.length
			}
		}
		b = b[1:]
	}
	return n, err
}

// setUserTimeout makes the kernel give up on a peer that has gone silent
// while data is on its way; keep-alive pings do not see that.
func setUserTimeout(network, _ string, rc syscall.RawConn) error {
	var err error
	if cerr := rc.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(userTimeout.Milliseconds()))
	}); cerr != nil {
		return cerr
	}
	if network == "unix" || errors.Is(err, unix.ENOPROTOOPT) {
		return nil
	}
	return err
}
