package tee

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"lintas/devices"
)

// pty is a pseudo-terminal that the second program takes for a serial port.
//
// Its terminal side is kept open here too: so it stays in raw mode between two
// programs, where the kernel would go back to the settings of a person's terminal
// with echo, which would send every swipe back to the scanner; and so the other
// side never sees a hang-up when a program closes it. Whether a program has it
// open is told by inotify.
type pty struct {
	link   string
	tty    string // /dev/pts/3
	lock   *os.File
	master *os.File
	slave  *os.File
	raw    syscall.RawConn // of slave
	opens  *os.File        // inotify
	set    sync.Mutex      // held while the settings are changed
	write  sync.Mutex      // held while bytes are written to the program, or taken back
	heard  sync.WaitGroup
	closed sync.Once
}

// openPty makes a pseudo-terminal and a link to it. Listen is told when the first
// program opens it and when the last one has closed it, and opened the same when
// all is ready for the next.
func openPty(link string, listen, opened func(bool)) (_ far, err error) {
	p := &pty{link: link}
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	// Two agents with the same configuration must not take the name from each other.
	if p.lock, err = os.OpenFile(lockFile(link), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600); err != nil {
		return nil, err
	}
	if err := devices.Lock(int(p.lock.Fd())); err != nil {
		return nil, fmt.Errorf("the name is taken: %w", err)
	}
	if p.master, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0); err != nil {
		return nil, err
	}
	if err := p.makeSlave(); err != nil {
		return nil, err
	}
	if err := p.reset(); err != nil {
		return nil, err
	}
	if err := p.allow(); err != nil {
		return nil, err
	}
	if err := p.heed(listen, opened); err != nil {
		return nil, err
	}
	if err := p.makeLink(); err != nil {
		return nil, err
	}
	return p, nil
}

// lockFile is held while there is a port of that name.
func lockFile(link string) string {
	return filepath.Join(filepath.Dir(link), "."+filepath.Base(link)+".lock")
}

// makeSlave opens the terminal side.
func (p *pty) makeSlave() error {
	conn, err := p.master.SyscallConn()
	if err != nil {
		return err
	}
	var number int
	var failed error
	err = conn.Control(func(fd uintptr) {
		if failed = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); failed == nil {
			number, failed = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	})
	if err := errors.Join(err, failed); err != nil {
		return fmt.Errorf("cannot make a pseudo-terminal: %w", err)
	}
	p.tty = fmt.Sprintf("/dev/pts/%d", number)
	if p.slave, err = os.OpenFile(p.tty, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0); err != nil {
		return err
	}
	p.raw, err = p.slave.SyscallConn()
	return err
}

// control calls f with the terminal side.
func (p *pty) control(f func(fd int) error) error {
	var failed error
	return errors.Join(p.raw.Control(func(fd uintptr) { failed = f(int(fd)) }), failed)
}

// reset makes the port as a program expects it: raw, and nobody's alone.
func (p *pty) reset() error {
	p.set.Lock()
	defer p.set.Unlock()
	return p.control(func(fd int) error {
		t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err != nil {
			return err
		}
		t.Iflag, t.Oflag, t.Lflag = unix.IGNBRK, 0, 0
		t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B9600
		t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
		if err := unix.IoctlSetTermios(fd, unix.TCSETS, t); err != nil {
			return err
		}
		return unix.IoctlSetInt(fd, unix.TIOCNXCL, 0)
	})
}

// hush takes back an echo that the program has switched on: it would go to the
// scanner.
func (p *pty) hush() error {
	p.set.Lock()
	defer p.set.Unlock()
	return p.control(func(fd int) error {
		t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err != nil || t.Lflag&(unix.ECHO|unix.ECHONL) == 0 {
			return err
		}
		t.Lflag &^= unix.ECHO | unix.ECHONL
		return unix.IoctlSetTermios(fd, unix.TCSETS, t)
	})
}

// allow lets the group that the link's folder belongs to open the port.
func (p *pty) allow() error {
	info, err := os.Stat(filepath.Dir(p.link))
	if err != nil {
		return err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		err := os.Chown(p.tty, -1, int(st.Gid))
		if errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("cannot give the port to the group of %s: %w; let the service be in that group (SupplementaryGroups=)", filepath.Dir(p.link), err)
		}
		if err != nil {
			return err
		}
	}
	return os.Chmod(p.tty, 0o660)
}

// makeLink puts the name in place of an old one.
func (p *pty) makeLink() error {
	fresh := filepath.Join(filepath.Dir(p.link), "."+filepath.Base(p.link)+".new")
	os.Remove(fresh) // from an agent that was killed; Symlink says if it is something else
	if err := os.Symlink(p.tty, fresh); err != nil {
		return err
	}
	return os.Rename(fresh, p.link)
}

// heed tells when the port gets its first and loses its last program.
func (p *pty) heed(listen, opened func(bool)) error {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return fmt.Errorf("cannot watch the port: %w; if there are too many watchers, raise fs.inotify.max_user_instances", err)
	}
	p.opens = os.NewFile(uintptr(fd), "inotify")
	if _, err := unix.InotifyAddWatch(fd, p.tty, unix.IN_OPEN|unix.IN_CLOSE); err != nil {
		return fmt.Errorf("cannot watch the port: %w", err)
	}
	p.heard.Go(func() {
		programs := 0
		buf := make([]byte, 4096)
		for {
			n, err := p.opens.Read(buf)
			if err != nil {
				return // Close
			}
			before, left := programs, false
			for b := buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
				switch mask := binary.NativeEndian.Uint32(b[4:]); {
				case mask&unix.IN_OPEN != 0:
					programs++
				case mask&unix.IN_CLOSE != 0 && programs > 0:
					programs--
					left = left || programs == 0
				}
				b = b[min(len(b), unix.SizeofInotifyEvent+int(binary.NativeEndian.Uint32(b[12:]))):]
			}
			if programs == 0 {
				p.reset() // if this fails, so will the next write
			}
			if before > 0 && left { // one that has come since must not get what it did not take
				listen(false)
				p.takeBack()
				opened(false)
			}
			if programs > 0 && (before == 0 || left) {
				listen(true)
				opened(true)
			}
		}
	})
	return nil
}

// Read gives what the program says.
func (p *pty) Read(b []byte) (int, error) { return p.master.Read(b) }

// Write is for one goroutine.
func (p *pty) Write(b []byte, still func() bool) (int, error) {
	p.write.Lock()
	defer p.write.Unlock()
	if !still() {
		return 0, nil
	}
	if err := p.hush(); err != nil {
		return 0, err
	}
	if err := p.master.SetWriteDeadline(time.Now().Add(slice)); err != nil {
		return 0, err
	}
	return p.master.Write(b)
}

// takeBack forgets what no program has read. What the last one said still counts.
func (p *pty) takeBack() {
	for !p.write.TryLock() {
		p.master.SetWriteDeadline(time.Unix(1, 0)) // ends a Write that waits for the program that has gone
		time.Sleep(100 * time.Microsecond)
	}
	defer p.write.Unlock()
	p.control(func(fd int) error { return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH) })
}

// Close takes the port away, and its name if it is still there.
func (p *pty) Close() error {
	p.closed.Do(func() {
		if to, err := os.Readlink(p.link); err == nil && to == p.tty {
			os.Remove(p.link)
		}
		for _, f := range []*os.File{p.opens, p.master, p.slave} {
			if f != nil {
				f.Close()
			}
		}
		p.heard.Wait()
		if p.lock != nil {
			p.lock.Close() // the file stays: it could be another's by now
		}
	})
	return nil
}
