package daemon

import (
	"os"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sys/unix"

	"lintas/agent/crossing"
)

// What the clock's state is read from: systemd-timesyncd touches the file at
// every synchronisation; a sandboxed service cannot ask the kernel.
const (
	syncedFile = "/run/systemd/timesync/synchronized"
	syncedFor  = 24 * time.Hour // older than this, the clock runs on its own
)

// bootID tells one boot of the machine from the next.
var bootID = sync.OnceValue(func() string {
	if b, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
		return strings.ReplaceAll(strings.TrimSpace(string(b)), "-", "")
	}
	return strings.ReplaceAll(uuid.NewString(), "-", "") // at least one for each run
})

// stamp says when and on which machine something is recorded.
func stamp(drill bool) crossing.Stamp {
	return crossing.Stamp{
		OccurredAt: crossing.TimeOf(time.Now()), BootID: bootID(), MonotonicMS: sinceBoot().Milliseconds(),
		ClockState: clockState(), Drill: drill,
	}
}

func sinceBoot() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

func clockState() string {
	st, err := os.Stat(syncedFile)
	switch {
	case err != nil:
		return "unknown"
	case time.Since(st.ModTime()) > syncedFor:
		return "holdover"
	}
	return "ntp"
}
