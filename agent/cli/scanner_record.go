package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"lintas/agent/command"
	"lintas/agent/config"
	"lintas/devices"
	"lintas/devices/replay"
)

func scannerRecordCommand() *command.Command {
	var w which
	var personalData, specimen bool
	var device string
	return &command.Command{
		Name: "record", Args: "FILE", Summary: "Record what a scanner sends, with its pace, until interrupted.",
		Help: "Without more, only the shape is recorded: each letter becomes X or x, each digit 0. That is enough\n" +
			"to see how a reader wraps a zone, and can be sent to others. With --specimen the bytes are recorded\n" +
			"as they are: say so only if nothing but specimens and invented documents is swiped. With\n" +
			"--yes-record-personal-data the documents of people are recorded too, and the file says so: keep it\n" +
			"like the passports themselves. The file is readable by you alone; an existing one is not replaced.",
		Flags: func(fs *flag.FlagSet) {
			w.flags(fs)
			fs.BoolVar(&specimen, "specimen", false, "only specimens are swiped: record the bytes as they are")
			fs.BoolVar(&personalData, "yes-record-personal-data", false, "record the bytes as they are, documents of people included")
			fs.StringVar(&device, "reader", "", "`name` of the reader, for the file's head")
		},
		Run: func(ctx context.Context, env command.Env, args []string) error {
			if len(args) != 1 {
				return command.UsageError("record takes one file to write")
			}
			if personalData && specimen {
				return command.UsageError("--specimen and --yes-record-personal-data exclude each other")
			}
			s, err := w.one(env)
			if err != nil {
				return err
			}
			r := readers([]config.Scanner{s})[0]
			personal := replay.Masked
			switch {
			case specimen:
				personal = replay.NoPerson
			case personalData:
				personal = replay.RealData
			}
			if personal == replay.Masked && !maskable(s.Profile) {
				return command.UsageError("what a scanner of the profile %s sends cannot be masked; if nothing but specimens is swiped say --specimen, else --yes-record-personal-data", s.Profile)
			}
			file, err := os.OpenFile(args[0], os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if errors.Is(err, fs.ErrExist) {
				return fmt.Errorf("cannot record to %s: it exists already; name a new file", args[0])
			} else if err != nil {
				return fmt.Errorf("cannot record: %w", err)
			}
			rec, err := newRecorder(file, replay.Header{
				MadeBy: "lintas scanner record " + command.Release, Reader: headText(device), Profile: s.Profile, Line: r.Line,
				Date: time.Now().Format(time.DateOnly), Personal: personal,
			})
			if err != nil {
				return errors.Join(err, file.Close())
			}
			framer := r.Framer
			r.Framer = func() devices.Framer { return &recording{framer(), rec} }
			if personal == replay.Masked {
				fmt.Fprintln(env.Stderr, "recording shapes only: letters and digits are masked; see lintas scanner record -h")
			}
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			rec.failed = cancel
			err = serve(ctx, env.Stderr, []*devices.Reader{r}, func(s devices.Scan) error {
				fmt.Fprintf(env.Stderr, "scanner %q: %s\n", s.Scanner, s.Status)
				return nil
			})
			err = errors.Join(err, rec.close(), file.Close())
			fmt.Fprintf(env.Stderr, "recorded %d bytes in %s, personal data: %s\n", rec.bytes, args[0], personal)
			return err
		},
	}
}

// maskable says whether scanners of a profile send characters. Keys and reports
// would tell a document although no letter of it is there.
func maskable(profile string) bool { return profile != "keyboard" && profile != "hid-pos" }

// A recorder writes what goes by into a capture. It is used by the goroutines of
// one reader.
type recorder struct {
	masked bool
	begun  time.Time
	failed func() // called when nothing can be written any more

	mu    sync.Mutex // guards the rest
	w     *replay.Writer
	err   error
	bytes int
}

func newRecorder(w io.Writer, h replay.Header) (*recorder, error) {
	rw, err := replay.NewWriter(w, h)
	if err != nil {
		return nil, err
	}
	return &recorder{masked: h.Personal == replay.Masked, begun: time.Now(), w: rw}, nil
}

func (r *recorder) add(now time.Time, b []byte, toScanner bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return
	}
	if r.masked && !toScanner {
		b = replay.Mask(b)
	}
	r.bytes += len(b)
	if r.err = r.w.Write(replay.Chunk{At: now.Sub(r.begun), ToScanner: toScanner, Bytes: b}); r.err != nil {
		r.failed()
	}
}

func (r *recorder) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// recording is a framer, or a driver, whose bytes are recorded.
type recording struct {
	devices.Framer
	*recorder
}

// Push records bytes and frames them.
func (r *recording) Push(now time.Time, b []byte, emit func(devices.Scan)) {
	r.add(now, b, false)
	r.Framer.Push(now, b, emit)
}

// Arm makes the scanner ready, if it must be made.
func (r *recording) Arm(w io.Writer) error {
	if d, ok := r.Framer.(devices.Driver); ok {
		return d.Arm(said{w, r.recorder})
	}
	return nil
}

// ArmAgain is how long the scanner stays ready.
func (r *recording) ArmAgain() time.Duration {
	if d, ok := r.Framer.(devices.Rearmer); ok {
		return d.ArmAgain()
	}
	return 0
}

// said records what goes to the scanner.
type said struct {
	io.Writer
	*recorder
}

func (s said) Write(b []byte) (int, error) {
	s.add(time.Now(), b, true)
	return s.Writer.Write(b)
}

// headText is a text as the head of a capture takes it.
func headText(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, strings.TrimSpace(s))
	return strings.TrimSpace(s[:min(len(s), 100)])
}
