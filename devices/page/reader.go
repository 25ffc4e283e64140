package page

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"lintas/devices"
	"lintas/mrz"
)

// Result is what a document gave.
type Result struct {
	Kind  Kind
	Pages int // in the document; 0 if it could not be opened
	// Scans has one scan for each zone, in the order of the pages, and one with
	// the status Unread for each page that gave none, or for the document.
	Scans []devices.Scan
	// Failed is why the document, or a page of it, could not be read: a code. ""
	// if every page was looked at and at least one had a zone.
	Failed string
	// Walls are those around the child that read it: WallLimits and so on.
	Walls []string
}

// A Reader reads documents. Its zero value starts this program itself with the
// argument "read-page", where Child must wait.
type Reader struct {
	// Command is the program of the child and its arguments; the page to begin
	// with is put behind them. Nil: this program and "read-page".
	Command []string
	// PageTime and DocumentTime bound reading; 0: the constants of the same name.
	PageTime, DocumentTime time.Duration
}

// children bounds how many are alive in this process.
var children = make(chan struct{}, maxChildren)

// Read reads a document. A regular file is handed to the child as it is, from
// its beginning; another source is passed on as it comes and can be read only
// once, so that a page that kills the child costs those behind it as well.
//
// An error means that reading could not be begun or was ended by ctx; what is
// wrong with the document is in the Result.
func (r *Reader) Read(ctx context.Context, src io.Reader) (Result, error) {
	select {
	case children <- struct{}{}:
		defer func() { <-children }()
	case <-ctx.Done():
		return Result{}, context.Cause(ctx)
	}
	started := time.Now()
	limited, cancel := context.WithTimeout(ctx, orElse(r.DocumentTime, DocumentTime))
	defer cancel()
	file := regular(src)
	if file != nil {
		if st, err := file.Stat(); err == nil && st.Size() > MaxBytes {
			c := collector{started: time.Now()}
			c.unread(0, CodeTooLarge)
			return c.Result, nil
		}
	}
	c := collector{started: started, next: 1}
	for deaths := 0; ; {
		if file != nil {
			if _, err := file.Seek(0, io.SeekStart); err != nil {
				return Result{}, fmt.Errorf("cannot read a page: %w", withoutPath(err))
			}
			src = file
		}
		code, err := r.once(limited, src, &c)
		switch {
		case ctx.Err() != nil:
			return Result{}, context.Cause(ctx)
		case err != nil:
			return Result{}, err
		case c.ended:
			return c.result(), nil
		}
		deaths++
		c.lost(code)
		if last := min(c.Pages, MaxPages); c.next > last || file == nil || deaths == maxDeaths || limited.Err() != nil {
			for c.next <= last {
				c.lost(CodeSkipped)
			}
			return c.result(), nil
		}
	}
}

// once lets one child read from the page c.next on. If the child does not reach
// the end, code says why.
func (r *Reader) once(ctx context.Context, src io.Reader, c *collector) (code string, err error) {
	command := r.Command
	if command == nil {
		command = []string{"/proc/self/exe", "read-page"}
	}
	ctx, kill := context.WithCancelCause(ctx)
	defer kill(nil)
	cmd := exec.CommandContext(ctx, command[0], append(append([]string{}, command[1:]...), strconv.Itoa(c.next))...)
	cmd.Stdin, cmd.Env, cmd.Dir, cmd.WaitDelay = src, []string{}, "/", time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", fmt.Errorf("cannot read a page: %w", err)
	}
	// What this process was started with and has not closed is not the child's. An
	// old kernel cannot do this at once, and then only a careless parent matters.
	unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC)
	// The kernel kills the child when the thread that started it ends, so this
	// goroutine keeps its thread until the child has ended.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("cannot start the reader of pages: %w", err)
	}
	clock := time.AfterFunc(orElse(r.PageTime, PageTime), func() { kill(errSlow) })
	defer clock.Stop()
	lines := bufio.NewReaderSize(out, 64<<10)
	var line []byte
	for !c.ended {
		if line, err = answerLine(lines, line[:0]); err != nil {
			break
		}
		clock.Reset(orElse(r.PageTime, PageTime))
		if err = c.take(line); err != nil {
			break
		}
	}
	clock.Stop()
	slow := errors.Is(context.Cause(ctx), errSlow) || errors.Is(ctx.Err(), context.DeadlineExceeded)
	if !c.ended {
		kill(nil)
	}
	cmd.Wait() // however it ended: what counts is what it said
	if slow {
		return CodeTimeout, nil
	}
	return CodeKilled, nil
}

var (
	errSlow  = errors.New("a page took too long")
	errTalks = errors.New("the child says too much")
	errLies  = errors.New("the child says what cannot be")
)

// answerLine reads a line of bounded length.
func answerLine(in *bufio.Reader, buf []byte) ([]byte, error) {
	for {
		part, err := in.ReadSlice('\n')
		if len(buf)+len(part) > maxAnswer {
			return nil, errTalks
		}
		buf = append(buf, part...)
		if err != bufio.ErrBufferFull {
			return buf, err
		}
	}
}

// collector makes a Result of what children say.
type collector struct {
	Result
	started time.Time
	opened  bool // a child could open the document
	next    int  // the page that comes next
	ended   bool // nothing is missing
	found   bool // a zone
}

// take takes over one line.
func (c *collector) take(line []byte) error {
	var a answer
	if json.Unmarshal(line, &a) != nil {
		return errLies
	}
	switch {
	case a.Begun != nil:
		return c.begin(*a.Begun)
	case a.Page != nil:
		if !c.opened || a.Page.Number != c.next || c.next > min(c.Pages, MaxPages) {
			return errLies
		}
		return c.page(*a.Page)
	case a.Ended:
		if !c.opened || c.next <= min(c.Pages, MaxPages) {
			return errLies
		}
		c.ended = true
		return nil
	}
	return errLies
}

func (c *collector) begin(b begun) error {
	for _, w := range b.Walls {
		if w != WallLimits && w != WallLandlock && w != WallSeccomp {
			return errLies
		}
	}
	switch b.Kind {
	case "", PDF, TIFF, JPEG, PNG:
	default:
		return errLies
	}
	c.Kind, c.Walls = b.Kind, b.Walls
	if b.Fault != "" {
		if !known(b.Fault) {
			return errLies
		}
		c.unread(0, b.Fault)
		c.ended = true
		return nil
	}
	if b.Pages < 1 || c.opened && c.Pages != b.Pages {
		return errLies
	}
	c.opened, c.Pages = true, b.Pages
	return nil
}

// lost notes that the page that comes next, or the whole document, gave nothing.
func (c *collector) lost(code string) {
	if !c.opened {
		c.unread(0, code)
		return
	}
	c.unread(c.next, code)
	c.next++
}

// unread adds a page, or for 0 the document, that gave no zone.
func (c *collector) unread(number int, codes ...string) {
	now := time.Now()
	s := devices.Scan{Status: devices.Unread, Mode: devices.Picture, First: c.started, Last: now, Lines: []string{}, Page: &devices.Page{Number: number}}
	for _, code := range codes {
		s.Page.Findings = append(s.Page.Findings, finding(code))
		if c.Failed == "" && code != CodeNoZone && catalogue[code].Severity == mrz.Error {
			c.Failed = code
		}
	}
	c.Scans = append(c.Scans, s)
}

// result is what was collected, with what concerns it as a whole.
func (c *collector) result() Result {
	if c.Failed == "" && !c.found {
		c.Failed = CodeNoZone
	}
	if c.Pages > MaxPages {
		last := c.Scans[len(c.Scans)-1].Page
		last.Findings = append(last.Findings, finding(CodeLeftOut))
	}
	return c.Result
}

// regular gives the file if src is one that can be read again.
func regular(src io.Reader) *os.File {
	f, ok := src.(*os.File)
	if !ok {
		return nil
	}
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return nil
	}
	return f
}

// withoutPath takes the file's name out of an error: it may name a traveller.
func withoutPath(err error) error {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return p.Err
	}
	return err
}

func orElse(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return slower * otherwise
}
