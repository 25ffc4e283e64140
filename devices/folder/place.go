package folder

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"lintas/devices"
)

// place is the folder with the two that files go to, held open: whoever may
// write in the folder cannot lead us elsewhere by renaming it or by a link.
type place struct {
	dir, done, failed *os.File
}

func openPlace(dir string) (_ *place, err error) {
	p := &place{}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	if p.dir, err = openDir(unix.AT_FDCWD, dir, 0); err != nil {
		return nil, err
	}
	if err := unix.Faccessat(p.fd(), ".", unix.W_OK|unix.X_OK, 0); err != nil {
		return nil, fmt.Errorf("files cannot be moved out of it: %w", devices.ErrDenied)
	}
	for _, sub := range []struct {
		name string
		to   **os.File
	}{{Done, &p.done}, {Failed, &p.failed}} {
		if err := unix.Mkdirat(p.fd(), sub.name, 0o700); err != nil && !errors.Is(err, unix.EEXIST) {
			return nil, fmt.Errorf("cannot make %s: %w", sub.name, reason(err))
		}
		if *sub.to, err = openDir(p.fd(), sub.name, unix.O_NOFOLLOW); err != nil {
			return nil, fmt.Errorf("cannot use %s: %w", sub.name, err)
		}
	}
	return p, nil
}

func openDir(at int, name string, flags int) (*os.File, error) {
	fd, err := unix.Openat(at, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|unix.O_NONBLOCK|flags, 0)
	if err != nil {
		return nil, reason(err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// reason wraps an error of the system so that a Reader can tell what it means.
func reason(err error) error {
	switch {
	case errors.Is(err, unix.ENOENT):
		return fmt.Errorf("%w: %v", devices.ErrAbsent, err)
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM), errors.Is(err, unix.EROFS):
		return fmt.Errorf("%w: %v", devices.ErrDenied, err)
	case errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.ELOOP):
		return fmt.Errorf("%w: it is not a folder", devices.ErrWrongKind)
	}
	return err
}

func (p *place) fd() int { return int(p.dir.Fd()) }

func (p *place) close() {
	for _, f := range []*os.File{p.dir, p.done, p.failed} {
		if f != nil {
			f.Close()
		}
	}
}

// gone tells whether the folder was removed while it was open.
func (p *place) gone() bool {
	var st unix.Stat_t
	return unix.Fstat(p.fd(), &st) != nil || st.Nlink == 0
}

// identity tells one content of a name from another.
type identity struct {
	dev, ino uint64
	size     int64
	changed  unix.Timespec
}

func identityOf(st *unix.Stat_t) identity {
	return identity{uint64(st.Dev), st.Ino, st.Size, st.Mtim}
}

// stat looks at a name without following a link.
func (p *place) stat(name string) (st unix.Stat_t, err error) {
	err = unix.Fstatat(p.fd(), name, &st, unix.AT_SYMLINK_NOFOLLOW)
	return st, err
}

// open opens a regular file. It does not wait for the other end of a pipe.
func (p *place) open(name string) (*os.File, error) {
	fd, err := unix.Openat(p.fd(), name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "page"), nil // without its name
}

// names lists at most limit names in the folder that can be those of pages.
func (p *place) names(limit int) (names []string, err error) {
	if _, err := p.dir.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	for len(names) < limit {
		some, err := p.dir.Readdirnames(256)
		for _, name := range some {
			if !ignored(name) {
				names = append(names, name)
			}
		}
		if err == io.EOF {
			break
		} else if err != nil {
			return names, err
		}
	}
	return names, nil
}

// unfinished are endings that programs give to files they still write.
var unfinished = []string{"~", ".tmp", ".temp", ".part", ".partial", ".crdownload", ".filepart", ".swp", ".lock", ".writing"}

func ignored(name string) bool {
	if name == Done || name == Failed || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~") {
		return true
	}
	lower := strings.ToLower(name)
	for _, end := range unfinished {
		if strings.HasSuffix(lower, end) {
			return true
		}
	}
	return false
}

const (
	maxName   = 255  // bytes of a file's name
	maxNumber = 9999 // of files of the same name
)

// move puts a file into done or, with a reason in its name, into failed.
func (p *place) move(name, failed string) error {
	to := p.done
	if failed != "" {
		to = p.failed
	}
	for n := 1; n <= maxNumber; n++ {
		err := rename(p.fd(), name, int(to.Fd()), renamed(name, failed, n))
		if !errors.Is(err, unix.EEXIST) {
			return err
		}
	}
	return unix.EEXIST
}

// rename never replaces a file.
func rename(from int, name string, to int, as string) error {
	err := unix.Renameat2(from, name, to, as, unix.RENAME_NOREPLACE)
	if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOSYS) {
		return err
	}
	// Some network file systems cannot promise that. Nobody else writes there.
	var st unix.Stat_t
	if err := unix.Fstatat(to, as, &st, unix.AT_SYMLINK_NOFOLLOW); err == nil {
		return unix.EEXIST
	}
	return unix.Renameat(from, name, to, as)
}

// renamed gives scan.pdf, scan.2.pdf, scan.no-zone.pdf, scan.no-zone.2.pdf.
func renamed(name, failed string, n int) string {
	end := filepath.Ext(name)
	if len(end) > 16 {
		end = ""
	}
	middle := ""
	if failed != "" {
		middle = "." + failed
	}
	if n > 1 {
		middle += fmt.Sprintf(".%d", n)
	}
	base := strings.TrimSuffix(name, end)
	return base[:min(len(base), maxName-len(middle)-len(end))] + middle + end
}

// remove takes a file away.
func (p *place) remove(name string) error { return unix.Unlinkat(p.fd(), name, 0) }
