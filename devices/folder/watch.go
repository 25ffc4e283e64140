package folder

import (
	"context"
	"encoding/binary"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// news is what inotify told.
type news struct {
	name    string // "": look through the whole folder
	created bool   // it is being written
	renamed bool   // it came whole, under another name before
	gone    bool   // the folder itself
}

// watch follows the changes of a folder.
type watch struct{ in *os.File }

func newWatch(dir string) (*watch, error) {
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return nil, err
	}
	const events = unix.IN_CREATE | unix.IN_CLOSE_WRITE | unix.IN_MOVED_TO | unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR
	if _, err := unix.InotifyAddWatch(fd, dir, events); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return &watch{os.NewFile(uintptr(fd), "inotify")}, nil
}

// run tells of changes until ctx ends. What it cannot tell in detail it tells by
// asking for a look through the folder.
func (w *watch) run(ctx context.Context, out chan<- news) {
	stop := context.AfterFunc(ctx, func() { w.in.Close() })
	defer func() {
		if stop() {
			w.in.Close()
		}
	}()
	tell := func(n news) {
		select {
		case out <- n:
		case <-ctx.Done():
		}
	}
	buf := make([]byte, 64<<10)
	for {
		n, err := w.in.Read(buf)
		if err != nil {
			return // closed; else looking through the folder has to do
		}
		for b := buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
			mask := binary.NativeEndian.Uint32(b[4:])
			length := int(binary.NativeEndian.Uint32(b[12:]))
			end := min(len(b), unix.SizeofInotifyEvent+length)
			name := strings.TrimRight(string(b[unix.SizeofInotifyEvent:end]), "\x00")
			b = b[end:]
			switch {
			case mask&(unix.IN_DELETE_SELF|unix.IN_MOVE_SELF|unix.IN_UNMOUNT|unix.IN_IGNORED) != 0:
				tell(news{gone: true})
			case mask&unix.IN_Q_OVERFLOW != 0:
				tell(news{})
			case mask&unix.IN_ISDIR != 0, name == "", ignored(name):
			default:
				tell(news{name: name, created: mask&unix.IN_CREATE != 0, renamed: mask&unix.IN_MOVED_TO != 0})
			}
		}
	}
}
