package sqlite

import (
	"path/filepath"

	"golang.org/x/sys/unix"
)

// media are kinds of file systems on which a commit does not mean what it
// should: statfs(2), linux/magic.h.
var media = map[int64]string{
	unix.TMPFS_MAGIC:           "tmpfs",
	unix.RAMFS_MAGIC:           "ramfs",
	unix.OVERLAYFS_SUPER_MAGIC: "overlay",
	unix.NFS_SUPER_MAGIC:       "nfs",
	unix.SMB_SUPER_MAGIC:       "smb",
	unix.SMB2_SUPER_MAGIC:      "smb",
	unix.CIFS_SUPER_MAGIC:      "smb",
	unix.CEPH_SUPER_MAGIC:      "ceph",
	unix.AFS_SUPER_MAGIC:       "afs",
	unix.V9FS_MAGIC:            "9p",
	unix.FUSE_SUPER_MAGIC:      "fuse",
}

// DoubtfulMedium names the kind of file system that the file at path is or would
// be on, if what is committed there may be gone after a power cut: it is in
// memory, in a container's layer, or on another machine. On all others, and
// where it cannot be found out, it returns "".
//
// OpenQueue does not refuse such a place. The mode that durability hangs on is
// read back, so that SQLite's own part works; the rest is somebody's decision
// who should know, and a counter that records on a doubtful medium is better
// than one that does not record.
func DoubtfulMedium(path string) string {
	var st unix.Statfs_t
	if unix.Statfs(filepath.Dir(path), &st) != nil {
		return ""
	}
	return media[int64(st.Type)]
}
