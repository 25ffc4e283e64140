package page

import (
	"fmt"
	"os"
	"runtime"
	"slices"

	"github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"github.com/landlock-lsm/go-landlock/landlock"
	"golang.org/x/sys/unix"
)

// What a child may use at most. Address space is what Go reserves, not what is
// used; data is what is used.
const (
	limitData       = 1 << 30 // bytes
	limitAddresses  = 4 << 30 // bytes
	limitProcessor  = 60      // seconds
	limitDescriptor = 16
)

// The walls, as they are named in Result.Walls.
const (
	WallLimits   = "rlimit"
	WallLandlock = "landlock"
	WallSeccomp  = "seccomp"
)

// prSetMDWE forbids memory that can be written to become executable (Linux 6.3).
const (
	prSetMDWE        = 65
	mdweRefuseExGain = 1
)

// confine takes from this process everything that reading a page does not need.
// The limits, and that no privilege can be gained, are a condition; the rest is
// what the kernel has.
func confine() (walls []string, err error) {
	// If memory runs out in spite of all, this process goes and not its parent.
	os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0)
	runtime.LockOSThread() // what is set for a thread is then handed on to all
	defer runtime.UnlockOSThread()
	limits := []struct {
		name     string
		resource int
		value    uint64
	}{
		{"core", unix.RLIMIT_CORE, 0},
		{"file size", unix.RLIMIT_FSIZE, 0},
		{"descriptors", unix.RLIMIT_NOFILE, limitDescriptor},
		{"processor time", unix.RLIMIT_CPU, limitProcessor},
		{"data", unix.RLIMIT_DATA, limitData},
		{"address space", unix.RLIMIT_AS, limitAddresses},
	}
	for _, l := range limits {
		if raceDetector && (l.resource == unix.RLIMIT_AS || l.resource == unix.RLIMIT_DATA) {
			continue
		}
		var now unix.Rlimit
		if err := unix.Getrlimit(l.resource, &now); err != nil {
			return walls, fmt.Errorf("cannot read limit of %s: %w", l.name, err)
		}
		value := min(l.value, now.Max)
		if err := unix.Setrlimit(l.resource, &unix.Rlimit{Cur: value, Max: value}); err != nil {
			return walls, fmt.Errorf("cannot limit %s: %w", l.name, err)
		}
	}
	walls = append(walls, WallLimits)
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return walls, fmt.Errorf("cannot give up new privileges: %w", err)
	}
	unix.Prctl(prSetMDWE, mdweRefuseExGain, 0, 0, 0) // older kernels do not know it
	// No rule: no file, no port, no signal, no socket of others.
	if landlocked() && landlock.V6.BestEffort().Restrict() == nil {
		walls = append(walls, WallLandlock)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return walls, fmt.Errorf("cannot forbid dumps: %w", err)
	}
	if seccomp.LoadFilter(filter()) == nil {
		walls = append(walls, WallSeccomp)
	}
	return walls, nil
}

// landlocked tells whether the kernel has Landlock and lets us use it.
func landlocked() bool {
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	return errno == 0 && abi > 0
}

// allowed are the system calls that Go's runtime, libc and MuPDF need once the
// process runs: memory, time, threads, and the descriptors that are open. No
// call opens, connects, starts or signals anything outside.
var allowed = []string{
	"read", "pread64", "write", "writev", "close", "fstat", "newfstatat", "lseek", "fcntl",
	"mmap", "munmap", "mremap", "mprotect", "madvise", "brk", "membarrier",
	"futex", "nanosleep", "clock_nanosleep", "clock_gettime", "clock_getres", "gettimeofday", "sched_yield", "sched_getaffinity", "getcpu", "restart_syscall",
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "tgkill", "getpid", "gettid",
	"set_robust_list", "rseq", "set_tid_address", "getrandom", "getrusage", "uname",
	"epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "eventfd2", "pipe2", "poll", "ppoll",
	"timer_create", "timer_settime", "timer_delete", "setitimer",
	"exit", "exit_group",
}

// filter is the seccomp filter: what is not allowed fails with EPERM. A new
// thread is allowed and a new process is not; clone3, whose arguments a filter
// cannot see, is said not to exist, and libc then uses clone.
func filter() seccomp.Filter {
	names := allowed
	if info, err := arch.GetInfo(""); err == nil { // some calls exist on some machines only
		names = slices.DeleteFunc(slices.Clone(allowed), func(name string) bool {
			_, exists := info.SyscallNames[name]
			return !exists
		})
	}
	return seccomp.Filter{
		NoNewPrivs: true,
		Flag:       seccomp.FilterFlagTSync,
		Policy: seccomp.Policy{
			DefaultAction: seccomp.ActionErrno,
			Syscalls: []seccomp.SyscallGroup{
				{Action: seccomp.ActionAllow, Names: names, NamesWithCondtions: []seccomp.NameWithConditions{
					{Name: "clone", Conditions: seccomp.ArgumentConditions{{Argument: 0, Operation: seccomp.BitsSet, Value: unix.CLONE_THREAD | unix.CLONE_VM}}},
				}},
				{Action: seccomp.ActionErrno | seccomp.Action(unix.ENOSYS), Names: []string{"clone3"}},
			},
		},
	}
}
