package cache

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxRoom is more than any list has.
const maxRoom = 1 << 40

// CheckRoom refuses to write so many bytes of a list beside the installed one
// where they would fill the disk. Rows take about as much in the database as in
// the files, and a part more.
func CheckRoom(path string, length int64) error {
	if length < 0 || length > maxRoom {
		return fmt.Errorf("%w: it has no sensible length", ErrUnfit)
	}
	var st unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(path), &st); err != nil {
		return err
	}
	need, free := uint64(length)+uint64(length)/4+roomToSpare, st.Bavail*uint64(st.Bsize)
	if need > free {
		return fmt.Errorf("it needs %d MiB of disk, %d are free", need>>20, free>>20)
	}
	return nil
}

// size is that of an open list's files.
func (l *List) size(path string) (length int64, err error) {
	for _, p := range []string{path, overlayPath(path, l.base.header.Build)} {
		st, err := os.Stat(p)
		if err != nil {
			return 0, err
		}
		length += st.Size()
	}
	return length, nil
}

// giveToOwner lets the folder's owner use a file that root has made in it: the
// agent runs as a user of its own.
func giveToOwner(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	var st unix.Stat_t
	if err := unix.Stat(filepath.Dir(path), &st); err != nil {
		return err
	}
	return os.Chown(path, int(st.Uid), int(st.Gid))
}

func inode(st fs.FileInfo) uint64 {
	if s, ok := st.Sys().(*syscall.Stat_t); ok {
		return s.Ino
	}
	return 0
}
