package devices

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Lock keeps an open device to one program, by flock: it ends with the process
// and also stops root, but only those who ask. It fails with an error that wraps
// ErrBusy and names who has the device, as far as can be seen.
func Lock(fd int) error {
	switch err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err {
	case nil:
		return nil
	case unix.EWOULDBLOCK:
		return BusyError{holder(fd)}
	default:
		return fmt.Errorf("cannot lock it: %w", err)
	}
}

// BusyError is ErrBusy with the process that has the device, "" if that is not
// known.
type BusyError struct{ By string }

func (b BusyError) Error() string {
	if b.By == "" {
		return ErrBusy.Error()
	}
	return ErrBusy.Error() + " by " + b.By
}

func (BusyError) Unwrap() error { return ErrBusy }

// holder names the process that has locked a file.
func holder(fd int) string {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return ""
	}
	f, err := os.Open("/proc/locks")
	if err != nil {
		return ""
	}
	defer f.Close()
	file := fmt.Sprintf("%02x:%02x:%d", unix.Major(st.Dev), unix.Minor(st.Dev), st.Ino)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		// 1: FLOCK  ADVISORY  WRITE 3317 00:19:4 0 EOF
		w := strings.Fields(lines.Text())
		if len(w) < 6 || w[1] != "FLOCK" || w[5] != file {
			continue
		}
		pid, err := strconv.Atoi(w[4])
		if err != nil || pid <= 0 {
			return ""
		}
		return Process(pid)
	}
	return ""
}

// Process names a process for a technician: "process 3317 (cat)".
func Process(pid int) string {
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return fmt.Sprintf("process %d", pid)
	}
	return fmt.Sprintf("process %d (%s)", pid, strings.TrimSpace(string(name)))
}

// UserOf names a process that has a file open, "" if none can be seen: only root
// sees those of others.
func UserOf(path string) string {
	links, err := os.ReadDir("/proc")
	if err != nil {
		return ""
	}
	for _, l := range links {
		pid, err := strconv.Atoi(l.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		dir := fmt.Sprintf("/proc/%d/fd", pid)
		open, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, fd := range open {
			if to, err := os.Readlink(dir + "/" + fd.Name()); err == nil && to == path {
				return Process(pid)
			}
		}
	}
	return ""
}
