package folder_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"lintas/devices"
	"lintas/devices/folder"
)

// desk is a folder with the Reader that watches it.
type desk struct {
	t     *testing.T
	dir   string
	scans chan devices.Scan
	log   lockedBuffer
	stop  func()
	read  func(context.Context, *os.File) ([]devices.Scan, string, error)
	state chan devices.State
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// readText reads a file as one scan for each of its lines. A line that begins
// with "!" is why it failed.
func readText(_ context.Context, in *os.File) (scans []devices.Scan, failed string, err error) {
	b, err := io.ReadAll(in)
	if err != nil {
		return nil, "", err
	}
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		s := devices.Scan{Status: devices.Complete, Mode: devices.Picture, Lines: []string{line}, Page: &devices.Page{}}
		if word, bad := strings.CutPrefix(line, "!"); bad {
			s.Status, s.Lines, failed = devices.Unread, nil, word
		}
		scans = append(scans, s)
	}
	return scans, failed, nil
}

func newDesk(t *testing.T) *desk {
	return &desk{t: t, dir: t.TempDir(), scans: make(chan devices.Scan), read: readText, state: make(chan devices.State, 100)}
}

func (d *desk) run(edit ...func(*folder.Options)) *desk {
	o := folder.Options{Dir: d.dir, Rescan: 50 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(&d.log, nil)),
		Read: func(ctx context.Context, f *os.File) ([]devices.Scan, string, error) { return d.read(ctx, f) }}
	for _, e := range edit {
		e(&o)
	}
	f := folder.New(o)
	f.Hasten()
	r := &devices.Reader{Name: "pages", Mode: devices.Picture, Open: f.Open, Framer: f.Framer, Logger: o.Logger}
	r.OnChange = func(s devices.State) {
		select {
		case d.state <- s:
		default:
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx, d.scans) }()
	d.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			d.t.Error(err)
		}
	})
	d.t.Cleanup(d.stop)
	return d
}

// reach waits until the folder is in a state.
func (d *desk) reach(p devices.Presence) {
	d.t.Helper()
	for {
		select {
		case s := <-d.state:
			if s.Status == p {
				return
			}
		case <-time.After(patience):
			d.t.Fatalf("never %s", p)
		}
	}
}

// drop puts a file in place as most scanners do: under another name first.
func (d *desk) drop(name, content string) {
	d.t.Helper()
	hidden := filepath.Join(d.dir, "."+name)
	if err := errors.Join(os.WriteFile(hidden, []byte(content), 0o600), os.Rename(hidden, filepath.Join(d.dir, name))); err != nil {
		d.t.Fatal(err)
	}
}

// next takes the next scan.
func (d *desk) next() devices.Scan {
	d.t.Helper()
	select {
	case s := <-d.scans:
		return s
	case <-time.After(patience):
		d.t.Fatal("no scan came")
		panic("")
	}
}

const patience = 30 * time.Second

// want takes scans, settles them, and compares their first lines.
func (d *desk) want(lines ...string) {
	d.t.Helper()
	for _, line := range lines {
		s := d.next()
		got := strings.Join(s.Lines, "/")
		if got != line {
			d.t.Fatalf("got %q, want %q", got, line)
		}
		if s.Mode != devices.Picture || s.Scanner != "pages" || s.Page.File == "" {
			d.t.Fatalf("scan is not complete: %+v %+v", s, s.Page)
		}
		s.Settle(true)
	}
}

// there waits until exactly these files are below the folder.
func (d *desk) there(want ...string) {
	d.t.Helper()
	var got []string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		got = nil
		filepath.WalkDir(d.dir, func(p string, e os.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				rel, _ := filepath.Rel(d.dir, p)
				got = append(got, rel)
			}
			return nil
		})
		slices.Sort(want)
		if slices.Equal(got, want) {
			return
		}
	}
	d.t.Fatalf("there is %q, want %q", got, want)
}

func TestFileBecomesScansAndIsMoved(t *testing.T) {
	d := newDesk(t).run()
	d.drop("a.pdf", "one\ntwo\n")
	first := d.next()
	d.there("a.pdf") // not settled yet
	first.Settle(true)
	d.there("a.pdf")
	d.want("two")
	d.there("done/a.pdf")
	d.drop("a.pdf", "three\n")
	d.want("three")
	d.there("done/a.2.pdf", "done/a.pdf")
	d.drop("a.pdf", "four\n")
	d.want("four")
	d.there("done/a.2.pdf", "done/a.3.pdf", "done/a.pdf")
	if b, _ := os.ReadFile(filepath.Join(d.dir, "done/a.pdf")); string(b) != "one\ntwo\n" {
		t.Errorf("the first file was overwritten: %q", b)
	}
	if strings.Contains(d.log.String(), "a.pdf") {
		t.Error("a file's name is in the log")
	}
}

func TestRemoved(t *testing.T) {
	d := newDesk(t).run(func(o *folder.Options) { o.Remove = true })
	d.drop("a.pdf", "one\n")
	d.want("one")
	d.drop("b.pdf", "!no-zone\n")
	d.want("")
	d.there("failed/b.no-zone.pdf")
	d.drop("b.pdf", "!no-zone\n")
	d.want("")
	d.there("failed/b.no-zone.2.pdf", "failed/b.no-zone.pdf")
}

// What is there before, written in pieces, or noticed by looking only.
func TestWhatCountsAsComplete(t *testing.T) {
	d := newDesk(t)
	old := time.Now().Add(-time.Hour)
	for i, name := range []string{"z-oldest", "y", "x"} {
		d.drop(name, name+"\n")
		at := old.Add(time.Duration(i) * time.Minute)
		os.Chtimes(filepath.Join(d.dir, name), at, at)
	}
	d.run()
	d.want("z-oldest", "y", "x")
	d.there("done/x", "done/y", "done/z-oldest")

	f, err := os.Create(filepath.Join(d.dir, "slow"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(f, "begin")
	d.drop("fast", "fast\n")
	d.want("fast") // the other one waits for its writer
	fmt.Fprintln(f, "end")
	f.Close()
	d.want("begin", "end")
	d.there("done/fast", "done/slow", "done/x", "done/y", "done/z-oldest")
}

func TestIgnored(t *testing.T) {
	d := newDesk(t)
	for _, name := range []string{".hidden.pdf", "a.pdf.part", "b.TMP", "c~", "~$d.docx", "e.crdownload"} {
		if err := os.WriteFile(filepath.Join(d.dir, name), []byte("no\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(d.dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.dir, "sub", "f.pdf"), []byte("no\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.run()
	d.drop("g.pdf", "yes\n")
	d.want("yes")
	d.there(".hidden.pdf", "a.pdf.part", "b.TMP", "c~", "done/g.pdf", "e.crdownload", "sub/f.pdf", "~$d.docx")
}

func TestRefused(t *testing.T) {
	d := newDesk(t)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := errors.Join(
		os.WriteFile(secret, []byte("secret\n"), 0o600),
		os.Symlink(secret, filepath.Join(d.dir, "link.pdf")),
		syscall.Mkfifo(filepath.Join(d.dir, "pipe.pdf"), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	d.run()
	for range 2 {
		s := d.next()
		if s.Status != devices.Unread || len(s.Page.Findings) != 1 || s.Page.Findings[0].Code != folder.CodeNotOpened {
			t.Fatalf("got %+v %+v", s, s.Page)
		}
		s.Settle(true)
	}
	d.there("failed/link.not-a-file.pdf", "failed/pipe.not-a-file.pdf")
	if b, err := os.ReadFile(secret); err != nil || string(b) != "secret\n" {
		t.Errorf("what the link led to was touched: %q %v", b, err)
	}
	if os.Getuid() != 0 {
		os.WriteFile(filepath.Join(d.dir, "denied.pdf"), []byte("x\n"), 0)
		d.want("")
		d.there("failed/denied.denied.pdf", "failed/link.not-a-file.pdf", "failed/pipe.not-a-file.pdf")
	}
}

// A link in the place of done leads nowhere.
func TestDoneIsALink(t *testing.T) {
	d := newDesk(t)
	elsewhere := t.TempDir()
	if err := os.Symlink(elsewhere, filepath.Join(d.dir, "done")); err != nil {
		t.Fatal(err)
	}
	d.run()
	d.reach(devices.Failed)
}

// What was given and not settled is read again by the next process; what was
// settled is not.
func TestCrashBetweenReadingAndMoving(t *testing.T) {
	d := newDesk(t).run()
	d.reach(devices.Ready) // else the first is found by looking, and comes second
	d.drop("a.pdf", "one\n")
	d.drop("b.pdf", "two\n")
	d.want("one")
	d.there("b.pdf", "done/a.pdf")
	d.next() // and nobody records it
	d.stop()
	d.there("b.pdf", "done/a.pdf")
	d.run()
	d.want("two")
	d.there("done/a.pdf", "done/b.pdf")
}

// A scan that is settled when the folder is not watched any more, at the end of
// the agent, still takes its file away.
func TestSettledAfterTheEnd(t *testing.T) {
	d := newDesk(t).run()
	d.drop("a.pdf", "one\n")
	s := d.next()
	d.stop()
	s.Settle(true)
	s.Settle(true) // once more does nothing
	d.there("done/a.pdf")
}

// One that could not be recorded stays, and comes again.
func TestNotKept(t *testing.T) {
	d := newDesk(t).run()
	d.drop("a.pdf", "one\n")
	d.next().Settle(false)
	d.want("one")
	d.there("done/a.pdf")
}

// A file that changes while it is read is read anew.
func TestChangedWhileRead(t *testing.T) {
	d := newDesk(t)
	times := 0
	d.read = func(ctx context.Context, f *os.File) ([]devices.Scan, string, error) {
		if times++; times == 1 {
			w, err := os.OpenFile(filepath.Join(d.dir, "a.pdf"), os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return nil, "", err
			}
			fmt.Fprintln(w, "two")
			w.Close()
		}
		return readText(ctx, f)
	}
	d.run()
	d.drop("a.pdf", "one\n")
	d.want("one", "two")
	d.there("done/a.pdf")
	if times != 2 {
		t.Errorf("it was read %d times", times)
	}
}

// A file that cannot be moved stays, is read once, and is moved later.
func TestCannotBeMoved(t *testing.T) {
	d := newDesk(t).run()
	d.drop("a.pdf", "one\n")
	s := d.next()
	// A name that cannot be had, in all numbers, is as good as a full disk.
	taken := filepath.Join(d.dir, "done", "a.pdf")
	if err := os.Mkdir(taken, 0o700); err != nil {
		t.Fatal(err)
	}
	for n := 2; n <= 9999; n++ {
		if err := os.Symlink("x", filepath.Join(d.dir, "done", fmt.Sprintf("a.%d.pdf", n))); err != nil {
			t.Fatal(err)
		}
	}
	s.Settle(true)
	d.drop("b.pdf", "two\n")
	d.want("two")
	for end := time.Now().Add(patience); !strings.Contains(d.log.String(), "cannot be moved"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nobody was told")
		}
	}
	if err := os.Remove(filepath.Join(d.dir, "done", "a.77.pdf")); err != nil {
		t.Fatal(err)
	}
	moved := filepath.Join(d.dir, "done", "a.77.pdf")
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		if b, err := os.ReadFile(moved); err == nil && string(b) == "one\n" {
			break
		}
		if time.Now().After(end) {
			t.Fatal("it was not moved later")
		}
	}
	select {
	case s := <-d.scans:
		t.Errorf("it was read once more: %v", s)
	default:
	}
}

// Many scans of one file, and a receiver that is slow to settle, lose none.
func TestMoreScansThanALineHolds(t *testing.T) {
	d := newDesk(t).run()
	var b strings.Builder
	var want []string
	for i := range 200 {
		want = append(want, fmt.Sprint(i))
		fmt.Fprintln(&b, i)
	}
	d.drop("a.pdf", b.String())
	d.want(want...)
	d.there("done/a.pdf")
}

func TestFolderComesAndGoes(t *testing.T) {
	d := newDesk(t)
	parent := d.dir
	d.dir = filepath.Join(parent, "pages")
	d.run()
	wait := d.reach
	wait(devices.Absent)
	if err := os.Mkdir(d.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	wait(devices.Ready)
	d.drop("a.pdf", "one\n")
	d.want("one")
	d.there("done/a.pdf")
	if err := os.RemoveAll(d.dir); err != nil {
		t.Fatal(err)
	}
	wait(devices.Absent)
	if err := os.Mkdir(d.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	wait(devices.Ready)
	d.drop("a.pdf", "two\n")
	d.want("two")
}

// The end comes also while a file is being read.
func TestEndWhileReading(t *testing.T) {
	d := newDesk(t)
	begun := make(chan struct{})
	d.read = func(ctx context.Context, _ *os.File) ([]devices.Scan, string, error) {
		close(begun)
		<-ctx.Done()
		return nil, "", ctx.Err()
	}
	d.run()
	d.drop("a.pdf", "one\n")
	<-begun
	d.reach(devices.Reading)
	d.stop()
	d.there("a.pdf")
}

// The reader of pages cannot be started: the folder's state says so, and the
// file is read when it can.
func TestReadFails(t *testing.T) {
	d := newDesk(t)
	times := 0
	d.read = func(ctx context.Context, f *os.File) ([]devices.Scan, string, error) {
		if times++; times == 1 {
			return nil, "", errors.New("no child today")
		}
		return readText(ctx, f)
	}
	d.run()
	d.drop("a.pdf", "one\n")
	d.want("one")
	d.there("done/a.pdf")
}
