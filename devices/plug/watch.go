package plug

import (
	"context"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// rescan is how often the names are looked at even if the kernel reports
	// nothing: a report can be lost, and not every file system makes them.
	rescan = 5 * time.Second

	// maxHops bounds the links that are followed from a name to its device.
	maxHops = 8

	watched = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_ATTRIB |
		unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR
)

// Watch tells when something has changed about what the names stand for, so that
// it is worth to try again: a device file or a link to it that comes, goes or
// points elsewhere, or gets other permissions, as udev gives them shortly after
// the file is there. A name is one that [Find] takes.
//
// What comes out of the channel says that there was at least one change since it
// was last received from; changes are not counted, and one that turns out to be
// of no consequence may be told. The channel is closed when ctx has ended, or
// earlier if watching is not possible any more: whoever waits tries now and then by
// himself in any case. What Watch has started ends within some milliseconds then.
func Watch(ctx context.Context, names ...string) (<-chan struct{}, error) {
	return WatchIn(ctx, "/", names...)
}

// WatchIn is Watch with the folder in which dev is, for names that begin with
// usb:.
func WatchIn(ctx context.Context, root string, names ...string) (<-chan struct{}, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("cannot watch for devices: %w; if there are too many watchers, raise fs.inotify.max_user_instances", err)
	}
	w := &watch{
		root:    root,
		names:   names,
		inotify: os.NewFile(uintptr(fd), "inotify"),
		fd:      fd,
		folders: map[string]folder{},
		changed: make(chan struct{}, 1),
	}
	w.refresh()
	go w.run(ctx)
	return w.changed, nil
}

// watch belongs to the goroutine that runs it.
type watch struct {
	root    string
	names   []string
	inotify *os.File
	fd      int               // of inotify
	folders map[string]folder // that are watched
	seen    string            // how everything looked
	changed chan struct{}
}

// folder is one that is watched.
type folder struct {
	number   int      // the kernel's for it
	patterns []string // of filepath.Match, for the files that matter
}

func (w *watch) run(ctx context.Context) {
	defer w.inotify.Close() // last: the kernel takes some 10 ms to forget what was watched
	defer close(w.changed)
	woken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(woken)
		w.inotify.SetReadDeadline(time.Unix(1, 0)) // ends the Read below
	})
	defer func() {
		if !stop() {
			<-woken
		}
	}()
	buf := make([]byte, 16<<10)
	for {
		w.inotify.SetReadDeadline(time.Now().Add(rescan))
		if ctx.Err() != nil { // after setting the deadline: it may have undone the other
			return
		}
		n, err := w.inotify.Read(buf)
		switch {
		case ctx.Err() != nil, err != nil && !os.IsTimeout(err):
			return
		case err == nil && !w.concerned(buf[:n]):
			continue
		}
		before := w.seen
		w.refresh()
		if w.seen != before {
			select {
			case w.changed <- struct{}{}:
			default:
			}
		}
	}
}

// concerned looks through what the kernel reports (struct inotify_event) and says
// whether any of it can be about the names. What it does not understand is.
func (w *watch) concerned(b []byte) bool {
	for len(b) >= unix.SizeofInotifyEvent {
		number := int(int32(binary.NativeEndian.Uint32(b)))
		size := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(b[12:]))
		if size > len(b) {
			return true
		}
		file := strings.TrimRight(string(b[unix.SizeofInotifyEvent:size]), "\x00")
		b = b[size:]
		if file == "" { // about a folder itself, or reports were lost
			return true
		}
		for _, f := range w.folders {
			if f.number == number && slices.ContainsFunc(f.patterns, func(p string) bool { ok, _ := filepath.Match(p, file); return ok }) {
				return true
			}
		}
	}
	return false
}

// refresh watches the folders that are on the way now, and notes how everything
// looks once they are watched, so that nothing can change unseen in between.
func (w *watch) refresh() {
	for range maxHops {
		want, more := map[string]folder{}, false
		w.look(func(dir, pattern string) {
			f, done := want[dir]
			if !done {
				var err error
				// Also what is watched already: it may be a new folder of the same name.
				if f.number, err = unix.InotifyAddWatch(w.fd, dir, watched); err != nil {
					return // it has gone, or may not be read; the next look finds out
				}
				old, was := w.folders[dir]
				more = more || !was || old.number != f.number
			}
			f.patterns = append(f.patterns, pattern)
			want[dir] = f
		}, func(string) {})
		for dir, f := range w.folders {
			if new, ok := want[dir]; !ok || new.number != f.number {
				unix.InotifyRmWatch(w.fd, uint32(f.number)) // fails if it has gone with its folder
			}
		}
		w.folders = want
		if !more {
			break
		}
	}
	var seen strings.Builder
	w.look(func(string, string) {}, func(path string) { note(&seen, path) })
	w.seen = seen.String()
}

// note writes down what there is to be seen of a file without opening it.
func note(b *strings.Builder, path string) {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		fmt.Fprintln(b, path, err)
		return
	}
	fmt.Fprintln(b, path, st.Dev, st.Ino, st.Rdev, st.Mode, st.Uid, st.Gid, st.Ctim)
}

// look goes from each name towards its device. It tells dir about the folders on
// the way and which files in them matter (a pattern of filepath.Match), and file
// about the files.
func (w *watch) look(dir func(folder, pattern string), file func(path string)) {
	for _, name := range w.names {
		if !strings.HasPrefix(name, "usb:") {
			walk(filepath.Clean(name), dir, file, maxHops)
			continue
		}
		// Which of them it is can be told only when it is there.
		for _, c := range classes {
			folder := filepath.Join(w.root, c.dev)
			walk(filepath.Join(folder, c.prefix), dir, func(string) {}, maxHops)
			dir(folder, c.prefix+"*")
			entries, _ := os.ReadDir(folder) // none, if it is not there
			for _, e := range entries {
				if strings.HasPrefix(e.Name(), c.prefix) && (c.kind != Serial || plugged(e.Name())) {
					file(filepath.Join(folder, e.Name()))
				}
			}
		}
	}
}

// plugged leaves out the consoles, of which there are many.
func plugged(tty string) bool { return len(tty) > 4 && strings.Trim(tty[3:], "0123456789") != "" }

// walk goes along one path and the links in its last part.
func walk(path string, dir func(folder, pattern string), file func(path string), hops int) {
	parent := filepath.Dir(path)
	if info, err := os.Stat(parent); err != nil || !info.IsDir() {
		if parent != path {
			walk(parent, dir, file, hops) // udev removes by-id with the last device
		}
		return
	}
	dir(parent, escape(filepath.Base(path)))
	file(path)
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 || hops == 0 {
		return
	}
	to, err := os.Readlink(path)
	if err != nil {
		return
	}
	if real, err := filepath.EvalSymlinks(parent); err == nil && !filepath.IsAbs(to) {
		to = filepath.Join(real, to)
	}
	walk(to, dir, file, hops-1)
}

// escape makes a pattern that matches one name only.
func escape(name string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(name)
}
