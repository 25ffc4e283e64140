package mqtt

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// maxPacket bounds what a broker may send in one packet. The largest that is
// ours is a part of the placement list, 256 KiB.
const maxPacket = 320 << 10

// Reach finds out whether the broker's address answers, without a session: it
// opens the transport, with TLS where the address says so, and closes it. A
// session would need a client id of its own, which a broker's rules may not
// know.
func Reach(ctx context.Context, o Options) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := dial(ctx, o)
	if err != nil {
		return fmt.Errorf("cannot reach broker %s: %w", Redact(o.URL), explain(err, o))
	}
	return conn.Close()
}

// dial opens the transport that the options name.
func dial(ctx context.Context, o Options) (net.Conn, error) {
	open := o.Dial
	if open == nil {
		open = func(ctx context.Context) (net.Conn, error) { return dialURL(ctx, o) }
	}
	conn, err := open(ctx)
	if err != nil {
		return nil, err
	}
	return newWatched(conn, silence(o.keepAlive())), nil
}

func dialURL(ctx context.Context, o Options) (net.Conn, error) {
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
		return conn, nil
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
		return secure, nil
	}
	return nil, errors.Join(fmt.Errorf("unknown scheme %q, use tcp or tls", u.Scheme), conn.Close())
}

// silence is how long nothing at all may come from a broker that is pinged
// when nothing has come for keepAlive. The library looks whether to ping at
// every quarter of keepAlive, at least every 5 s.
func silence(keepAlive time.Duration) time.Duration {
	return keepAlive + min(keepAlive/4, 5*time.Second) + answerTime
}

// watched is a connection that ends when nothing has come for too long, and
// before a packet that is too large is taken into memory. It follows the
// packets that are read (MQTT 3.1.1 section 2.2: a type byte and a length in up
// to four bytes).
//
// The library's own ping time-out does not do: it does not see that a peer has
// stopped reading, and it takes a slow link for a dead one, when the answer to
// the ping stands in line behind large messages. Any byte that comes is a sign
// of life.
type watched struct {
	net.Conn
	in      *bufio.Reader // the library reads most packets in three small pieces
	silence time.Duration
	state   int // 0: type byte next, 1 to 4: that length byte next, 5: in the body
	length  int
	left    int
}

var errPacket = fmt.Errorf("the broker sent a packet of more than %d bytes", maxPacket)

func newWatched(conn net.Conn, silence time.Duration) *watched {
	c := &watched{Conn: conn, silence: silence}
	c.in = bufio.NewReader((*impatient)(c))
	return c
}

// impatient reads from the network itself.
type impatient watched

func (c *impatient) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.silence)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(p)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = fmt.Errorf("nothing came from the broker for %s", c.silence)
	case errors.Is(err, io.EOF):
		err = errors.New("the broker closed the connection")
	}
	return n, err
}

func (c *watched) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
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
// while data is on its way: the system's own bound is a quarter of an hour.
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
