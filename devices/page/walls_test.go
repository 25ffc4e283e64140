package page_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lintas/devices/page"
)

// walls are those that this kernel has.
func walls() []string {
	list := []string{page.WallLimits}
	if abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION); errno == 0 && abi > 0 {
		list = append(list, page.WallLandlock)
	}
	if err := unix.Prctl(unix.PR_GET_SECCOMP, 0, 0, 0, 0); err == nil {
		list = append(list, page.WallSeccomp)
	}
	return list
}

// misbehave are children that a test starts instead of the real one.
var misbehave = map[string]func(args []string){
	"try-walls": tryWalls,
	"die": func([]string) {
		fmt.Println(`{"begun":{"kind":"PDF","pages":3}}`)
		syscall.Kill(os.Getpid(), syscall.SIGSEGV)
	},
	"die-on-2": func(args []string) {
		fmt.Println(`{"begun":{"kind":"PDF","pages":4}}`)
		for n := 1; n <= 4; n++ {
			if fmt.Sprint(n) < args[0] {
				continue
			}
			if n == 2 {
				os.Exit(1)
			}
			fmt.Printf(`{"page":{"number":%d,"codes":["page_no_zone"]}}`+"\n", n)
		}
		fmt.Println(`{"ended":true}`)
	},
	"silent": func([]string) { select {} },
	"flood": func([]string) {
		for line := bytes.Repeat([]byte("x"), 1<<20); ; {
			if _, err := os.Stdout.Write(line); err != nil {
				return
			}
		}
	},
	"canary": func([]string) { fmt.Fprintln(os.Stderr, canary); fmt.Println(canary) },
}

// tryWalls tries everything that a child must not be able to do, and lists what
// it could.
func tryWalls([]string) {
	held, _ := os.Open("/")
	if _, err := page.Confine(); err != nil {
		fmt.Println(err)
		return
	}
	var could []string
	try := func(what string, err error) {
		if err == nil {
			could = append(could, what)
		}
	}
	_, err := os.Open("/etc/passwd")
	try("open a file", err)
	_, err = unix.Openat(int(held.Fd()), "etc/passwd", unix.O_RDONLY, 0)
	try("open a file in a folder that was open", err)
	try("make a file", os.WriteFile(filepath.Join(os.TempDir(), "walls"), []byte("x"), 0o600))
	_, err = net.Dial("tcp", "127.0.0.1:1")
	if !errors.Is(err, syscall.EPERM) && !errors.Is(err, syscall.EACCES) {
		could = append(could, fmt.Sprint("use the network: ", err))
	}
	_, err = net.Listen("unix", "")
	try("listen", err)
	try("start a program", exec.Command("/bin/true").Run())
	_, _, errno := syscall.RawSyscall(syscall.SYS_KILL, uintptr(os.Getppid()), 0, 0)
	if errno == 0 {
		could = append(could, "signal its parent")
	}
	_, _, errno = syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
	if errno == 0 {
		could = append(could, "start a process")
	}
	_, err = unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
	if release := kernel(); release[0] > 6 || release[0] == 6 && release[1] >= 3 {
		try("have memory that can be written and run", err)
	}
	_, err = unix.PtraceGetEventMsg(os.Getppid())
	try("trace its parent", err)
	if dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err == nil && dumpable != 0 {
		could = append(could, "leave a core")
	}
	// New threads must still be possible.
	done := make(chan bool)
	for range 8 {
		go func() { runtime.LockOSThread(); done <- true }()
		<-done
	}
	fmt.Println(strings.Join(could, "; "))
}

func kernel() (v [2]int) {
	var u unix.Utsname
	unix.Uname(&u)
	fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &v[0], &v[1])
	return v
}

func TestWalls(t *testing.T) {
	if !slices.Contains(walls(), page.WallSeccomp) {
		t.Skip("the kernel has no seccomp")
	}
	out, err := exec.Command(child, "try-walls").CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "" {
		t.Errorf("%v: a child could %s", err, out)
	}
}

// The child has its standard descriptors, and what Go's runtime opens for
// itself, and nothing of its parent's.
func TestChildHasNothingOpen(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may look at a process that cannot be dumped")
	}
	secret := file(t, []byte("secret")) // open in this process
	// So is what whoever started it forgot to close.
	forgotten, err := unix.Open(secret.Name(), unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(forgotten)
	in, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	result := make(chan page.Result, 1)
	go func() {
		r, _ := reader(patience, patience).Read(t.Context(), in)
		result <- r
	}()
	var child string
	waitFor(t, "the child waits for its document", func() bool {
		child = ""
		for _, pid := range childrenOf(os.Getpid()) {
			limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			if err == nil && bytes.Contains(limits, []byte("Seccomp:\t2")) {
				child = fmt.Sprintf("/proc/%d", pid)
			}
		}
		return child != ""
	})
	entries, err := os.ReadDir(child + "/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		to, _ := os.Readlink(child + "/fd/" + e.Name())
		if strings.HasPrefix(to, "/") && to != "/dev/null" && !strings.HasPrefix(to, "/sys/fs/cgroup/") || to == secret.Name() || strings.HasPrefix(to, "socket:") {
			t.Errorf("descriptor %s is %s", e.Name(), to)
		}
	}
	for name, want := range map[string]string{"environ": "", "cmdline": ""} {
		b, err := os.ReadFile(child + "/" + name)
		if err != nil || name == "environ" && string(b) != want || bytes.Contains(b, []byte(canary)) {
			t.Errorf("%s is %q %v", name, b, err)
		}
	}
	w.Close()
	if r := <-result; summary(r) != "0:page_empty" {
		t.Error(summary(r))
	}
}

func childrenOf(parent int) (pids []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		b, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		var pid int
		fmt.Sscanf(string(b), "%d", &pid)
		f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		if len(f) > 1 && f[1] == fmt.Sprint(parent) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func waitFor(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !f(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}

// Whatever a child does, there is an answer.
func TestChildThatMisbehaves(t *testing.T) {
	for name, want := range map[string]string{
		"die":      "1:page_killed 2:page_killed 3:page_killed",
		"die-on-2": "1:page_no_zone 2:page_killed 3:page_no_zone 4:page_no_zone",
		"silent":   "0:page_timeout",
		"flood":    "0:page_killed",
		"canary":   "0:page_killed",
		"nothing":  "0:page_killed",
	} {
		t.Run(name, func(t *testing.T) {
			command := []string{child, name}
			if name == "nothing" {
				command = []string{"/bin/true"}
			}
			pageTime := page.PageTime
			if name == "silent" {
				pageTime = 300 * time.Millisecond
			}
			r, err := (&page.Reader{Command: command, PageTime: pageTime}).Read(t.Context(), file(t, []byte("%PDF-1.4")))
			if err != nil {
				t.Fatal(err)
			}
			if got := summary(r); got != want {
				t.Errorf("%s, want %s", got, want)
			}
			if r.Failed != page.CodeKilled && r.Failed != page.CodeTimeout {
				t.Errorf("failed: %q", r.Failed)
			}
			if b, _ := json.Marshal(r); bytes.Contains(b, []byte(canary)) {
				t.Errorf("%s", b)
			}
		})
	}
	if _, err := (&page.Reader{Command: []string{"/nonexistent"}}).Read(t.Context(), file(t, []byte("x"))); err == nil {
		t.Error("a child that cannot be started is no error")
	}
}

// What a child says is believed only as far as it can be.
func TestLies(t *testing.T) {
	begun := `{"begun":{"kind":"PDF","pages":2,"walls":["rlimit"]}}`
	zone := func(s string) string { return `{"page":{"number":1,"zones":[` + s + `]}}` }
	long := strings.Repeat("A", 45)
	for name, lines := range map[string][]string{
		"no JSON":                   {"hello"},
		"nothing":                   {"{}"},
		"a page before the start":   {`{"page":{"number":1}}`},
		"the end before the start":  {`{"ended":true}`},
		"the end before the pages":  {begun, `{"ended":true}`},
		"another kind":              {`{"begun":{"kind":"SVG","pages":1}}`},
		"a wall of its own":         {`{"begun":{"kind":"PDF","pages":1,"walls":["` + canary + `"]}}`},
		"an unknown fault":          {`{"begun":{"kind":"PDF","fault":"` + canary + `"}}`},
		"no pages":                  {`{"begun":{"kind":"PDF","pages":0}}`},
		"another number of pages":   {begun, `{"begun":{"kind":"PDF","pages":3}}`},
		"another page":              {begun, `{"page":{"number":2}}`},
		"an unknown finding":        {begun, `{"page":{"number":1,"codes":["` + canary + `"]}}`},
		"no lines":                  {begun, zone(`{"lines":[]}`)},
		"four lines":                {begun, zone(`{"lines":["A","A","A","A"]}`)},
		"a long line":               {begun, zone(`{"lines":["` + long + `"]}`)},
		"small letters":             {begun, zone(`{"lines":["abc"]}`)},
		"markup":                    {begun, zone(`{"lines":["<SCRIPT>"]}`)},
		"more than certain":         {begun, zone(`{"lines":["A"],"confidence":1.5}`)},
		"a doubt outside":           {begun, zone(`{"lines":["A"],"confidence":1,"doubtful":[{"line":1,"column":2}]}`)},
		"a doubt in line 0":         {begun, zone(`{"lines":["A"],"confidence":1,"doubtful":[{"line":0,"column":1}]}`)},
		"a repair outside":          {begun, zone(`{"lines":["A"],"confidence":1,"repairs":[{"field":"x","line":2,"column":1,"from":"A","to":"B"}]}`)},
		"a repair of more than one": {begun, zone(`{"lines":["A"],"confidence":1,"repairs":[{"field":"x","line":1,"column":1,"from":"AA","to":"B"}]}`)},
		"a repair of markup":        {begun, zone(`{"lines":["A"],"confidence":1,"repairs":[{"field":"<b>","line":1,"column":1,"from":"A","to":"B"}]}`)},
		"a strip without pixels":    {begun, zone(`{"lines":["A"],"confidence":1,"strip":{"width":10,"height":10,"grey":"AAAA"}}`)},
		"a strip of no size":        {begun, zone(`{"lines":["A"],"confidence":1,"strip":{"width":0,"height":0,"grey":""}}`)},
		"a huge strip":              {begun, zone(`{"lines":["A"],"confidence":1,"strip":{"width":1000000000,"height":1000000000,"grey":""}}`)},
		"too many zones":            {begun, zone(strings.Repeat(`{"lines":["A"]},`, 8) + `{"lines":["A"]}`)},
	} {
		all := make([][]byte, len(lines))
		for i, l := range lines {
			all[i] = []byte(l)
		}
		if r, err := page.Take(all...); err == nil {
			t.Errorf("%s: believed: %s", name, summary(r))
		} else if strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r, err := page.Take([]byte(begun), []byte(`{"page":{"number":1,"codes":["page_no_zone"]}}`), []byte(`{"page":{"number":2}}`), []byte(`{"ended":true}`))
	if err != nil || summary(r) != "1:page_no_zone 2:page_no_zone" {
		t.Errorf("the truth: %v %s", err, summary(r))
	}
}

// No document leaves a descriptor, a goroutine or a child behind, and never are
// more children alive than there may be.
func TestNothingIsLeft(t *testing.T) {
	documents := [][]byte{[]byte("%PDF-1.7\n"), []byte("hello"), drawn(200, 200, ""), encrypted(), drawn(90000, 90000, "")}
	count := 200
	if testing.Short() || raceEnabled {
		count = 40
	}
	fds := func() int {
		d, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(d)
	}
	name := filepath.Join(t.TempDir(), "x")
	readOne := func(i int) {
		if err := os.WriteFile(name+fmt.Sprint(i), documents[i%len(documents)], 0o600); err != nil {
			t.Error(err)
			return
		}
		f, err := os.Open(name + fmt.Sprint(i))
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		if r, err := reader(patience, patience).Read(t.Context(), f); err != nil || len(r.Scans) == 0 {
			t.Errorf("%v %s", err, summary(r))
		}
	}
	readOne(0)
	before, goroutines := fds(), runtime.NumGoroutine()
	work := make(chan int)
	done := make(chan bool)
	for range 6 {
		go func() {
			for i := range work {
				readOne(i)
			}
			done <- true
		}()
	}
	most := 0
	for i := range count {
		work <- i
		most = max(most, len(childrenOf(os.Getpid())))
	}
	close(work)
	for range 6 {
		<-done
	}
	if most > page.MaxChildren {
		t.Errorf("%d children were alive", most)
	}
	waitFor(t, "as many goroutines as before", func() bool { return runtime.NumGoroutine() <= goroutines })
	if after := fds(); after > before {
		t.Errorf("%d descriptors, before %d", after, before)
	}
	if left := childrenOf(os.Getpid()); len(left) != 0 {
		t.Errorf("children are left: %v", left)
	}
}
