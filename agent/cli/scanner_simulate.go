package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"lintas/agent/command"
	"lintas/devices/profile"
	"lintas/devices/replay"
	"lintas/mrz"
)

// A mishap is something that goes wrong with real scanners. It gives what is sent
// for a document, in pieces with a short pause between them. A nil piece pulls the
// scanner out and plugs it in again.
type mishap struct {
	name, what string
	send       func(*simulation, mrzLines) [][]byte
}

type mrzLines = []string

// faults is the table.
var mishaps = []mishap{
	{"none", "nothing: each document as the reader sends it", func(s *simulation, d mrzLines) [][]byte { return one(s.encode(d)) }},
	{"garbage", "bytes of chance before and behind each message", func(s *simulation, d mrzLines) [][]byte {
		return one(slices.Concat(s.noise(40), []byte("\r"), s.encode(d), s.noise(40)))
	}},
	{"unterminated", "no line end and no envelope behind the last character", func(s *simulation, d mrzLines) [][]byte {
		b := s.encode(d)
		return one(b[:strings.LastIndex(string(b), d[len(d)-1])+len(d[len(d)-1])])
	}},
	{"merged", "two documents in one piece", func(s *simulation, d mrzLines) [][]byte {
		return one(append(s.encode(d), s.encode(s.document())...))
	}},
	{"split", "in many pieces", func(s *simulation, d mrzLines) (pieces [][]byte) {
		for b := s.encode(d); len(b) > 0; {
			n := 1 + s.r.IntN(min(len(b), 20))
			pieces, b = append(pieces, b[:n]), b[n:]
		}
		return pieces
	}},
	{"parity", "one bit of each message is wrong", func(s *simulation, d mrzLines) [][]byte {
		b := s.encode(d)
		b[s.r.IntN(len(b))] ^= 1 << s.r.IntN(8)
		return one(b)
	}},
	{"seven", "the reader is set to 7E1 and the port to 8N1", func(s *simulation, d mrzLines) [][]byte {
		b := s.encode(d)
		for i, c := range b {
			c &= 0x7f
			ones := c ^ c>>4
			ones ^= ones >> 2
			ones ^= ones >> 1
			b[i] = c | ones<<7
		}
		return one(b)
	}},
	{"half", "half a message, a pause, and then the whole", func(s *simulation, d mrzLines) [][]byte {
		b := s.encode(d)
		return [][]byte{b[:len(b)/2], pause, b}
	}},
	{"unread", "some characters were not read", func(s *simulation, d mrzLines) [][]byte {
		d = slices.Clone(d)
		for i, l := range d {
			at := s.r.IntN(len(l))
			d[i] = l[:at] + string("_*?"[s.r.IntN(3)]) + l[at+1:]
		}
		return one(s.encode(d))
	}},
	{"card", "a payment card is swiped before each document", func(s *simulation, d mrzLines) [][]byte {
		return one([]byte("%B4000000000000000^CONTOH/MELATI^2912101000000000?;4000000000000000=29121010000000000?\r"), pause, s.encode(d))
	}},
	{"pass", "a boarding pass is read before each document", func(s *simulation, d mrzLines) [][]byte {
		return one([]byte("M1CONTOH/MELATI       EQWERTY CGKHKGCX 0798 331Y042A0107 100\r"), pause, s.encode(d))
	}},
	{"flood", "a million bytes of chance before each message", func(s *simulation, d mrzLines) [][]byte {
		return one(slices.Concat(s.noise(1<<20), []byte("\r"), s.encode(d)))
	}},
	{"unplug", "pulled out in the middle of each second message", func(s *simulation, d mrzLines) [][]byte {
		b := s.encode(d)
		if s.swipes%2 == 0 {
			return one(b)
		}
		return [][]byte{b[:len(b)/2], nil, pause, b}
	}},
}

func one(pieces ...[]byte) [][]byte { return pieces }

// pause is a piece that is a silence, longer than any gap that ends a document.
var pause = []byte{}

const (
	pauseTime = 600 * time.Millisecond
	pieceTime = 5 * time.Millisecond

	// reopenTime is how long a program may take to notice that a port is back.
	reopenTime = 10 * time.Second
)

func scannerSimulateCommand() *command.Command {
	var s simulation
	var name, wrong string
	var seed uint64
	var names, what []string
	for _, f := range mishaps {
		names = append(names, f.name)
		what = append(what, fmt.Sprintf("  %-13s %s", f.name, f.what))
	}
	return &command.Command{
		Name: "simulate", Summary: "Be a scanner: swipe invented documents on a pseudo-terminal.",
		Help: "Prints the path of the port, waits until a program opens it, and then swipes one document after\n" +
			"the other. For demonstrations and training without hardware; everybody in it is invented.\n" +
			"With --json each swipe is a line too, with the lines of the document.\n\nFaults:\n" + strings.Join(what, "\n"),
		Flags: func(fs *flag.FlagSet) {
			command.JSONFlag(fs, &s.asJSON)
			fs.StringVar(&name, "profile", "auto", "which reader to be: "+strings.Join(profile.Names(), ", "))
			fs.StringVar(&wrong, "fault", "none", "what goes wrong")
			fs.DurationVar(&s.every, "every", 5*time.Second, "from one document to the next")
			fs.IntVar(&s.count, "count", 0, "how many documents; 0: until interrupted")
			fs.Uint64Var(&seed, "seed", 1, "another number, other documents and other chance")
			fs.StringVar(&s.link, "link", "", "a `path` that always leads to the port, also after it was unplugged")
			fs.BoolVar(&s.now, "now", false, "begin before anybody has opened the port")
		},
		Run: func(ctx context.Context, env command.Env, args []string) error {
			if err := command.NoArguments(args); err != nil {
				return err
			}
			var ok bool
			if s.profile, ok = profile.Find(name); !ok {
				return command.UsageError("no profile %q to simulate; there are %s", name, strings.Join(profile.Names(), ", "))
			}
			i := slices.Index(names, wrong)
			if i < 0 {
				return command.UsageError("no fault %q; there are %s", wrong, strings.Join(names, ", "))
			}
			if s.every < 0 || s.count < 0 {
				return command.UsageError("--every and --count must not be negative")
			}
			s.mishap, s.env, s.r = mishaps[i], env, rand.New(rand.NewPCG(seed, 1))
			err := s.run(ctx)
			if ctx.Err() != nil {
				return nil // interrupted
			}
			return err
		},
	}
}

// simulation is a scanner that is not there.
type simulation struct {
	profile profile.Profile
	mishap  mishap
	every   time.Duration
	count   int
	link    string
	now     bool
	asJSON  bool

	env    command.Env
	r      *rand.Rand
	port   *replay.Port
	ear    *replay.Ear
	linked bool
	swipes int
	sent   []mrzLines // documents of the present swipe
}

// swiped is a line of `lintas scanner simulate --json`.
type swiped struct {
	Swipe int      `json:"swipe"`
	Fault string   `json:"fault"`
	Lines []string `json:"lines"`
}

func (s *simulation) run(ctx context.Context) (err error) {
	if err := s.plugIn(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.unplug()) }()
	return onPort(ctx, s.env, s.port, s.ear, s.asJSON, s.now, func() error {
		for s.count == 0 || s.swipes < s.count {
			if s.swipes > 0 {
				if err := replay.Sleep(ctx, s.every); err != nil {
					return err
				}
			}
			if err := s.swipe(ctx); err != nil {
				return err
			}
		}
		if err := s.port.Drain(ctx); err != nil {
			return err
		}
		return replay.Sleep(ctx, pauseTime) // until what is not terminated is taken for ended
	})
}

// plugIn makes the port, and leads the link to it.
func (s *simulation) plugIn() (err error) {
	if s.port, err = replay.NewPort(); err != nil {
		return err
	}
	if s.ear, err = s.port.Listen(); err != nil { // before anybody can know of the port
		return errors.Join(err, s.port.Close())
	}
	if s.link == "" {
		return nil
	}
	if info, err := os.Lstat(s.link); err == nil && info.Mode()&fs.ModeSymlink == 0 {
		return errors.Join(fmt.Errorf("cannot use %s as a link: something else is there", s.link), s.unplug())
	}
	next := s.link + ".new"
	os.Remove(next) // of an earlier run that was cut off
	if err := os.Symlink(s.port.Path, next); err != nil {
		return errors.Join(fmt.Errorf("cannot lead a link to the port: %w", err), s.unplug())
	}
	if err := os.Rename(next, s.link); err != nil {
		return errors.Join(fmt.Errorf("cannot lead a link to the port: %w", err), s.unplug())
	}
	s.linked = true
	return nil
}

// unplug takes the link away first: another program may get the port's number.
func (s *simulation) unplug() error {
	if s.link != "" && s.linked {
		os.Remove(s.link)
		s.linked = false
	}
	return errors.Join(s.ear.Close(), s.port.Close())
}

// swipe sends one document, or more.
func (s *simulation) swipe(ctx context.Context) error {
	s.sent = nil
	pieces := s.mishap.send(s, s.document())
	s.swipes++
	for _, lines := range s.sent {
		if s.asJSON {
			if err := command.JSON(s.env.Stdout, swiped{s.swipes, s.mishap.name, lines}); err != nil {
				return err
			}
		} else {
			fmt.Fprintf(s.env.Stderr, "swipe %d: a document of %d lines of %d characters\n", s.swipes, len(lines), len(lines[0]))
		}
	}
	for i, p := range pieces {
		switch {
		case p == nil:
			if err := s.again(ctx); err != nil {
				return err
			}
			continue
		case len(p) == 0:
			if err := replay.Sleep(ctx, pauseTime); err != nil {
				return err
			}
			continue
		case i > 0:
			if err := replay.Sleep(ctx, pieceTime); err != nil {
				return err
			}
		}
		if _, err := s.port.Write(p); errors.Is(err, replay.ErrUnheard) {
			fmt.Fprintf(s.env.Stderr, "nobody reads %s; the document is lost, as it would be\n", s.port.Path)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// again pulls the scanner out and plugs it in at what may be another port.
func (s *simulation) again(ctx context.Context) error {
	if err := s.port.Drain(ctx); err != nil {
		return err
	}
	if err := s.unplug(); err != nil {
		return err
	}
	fmt.Fprintln(s.env.Stderr, "unplugged")
	if err := replay.Sleep(ctx, pauseTime); err != nil {
		return err
	}
	if err := s.plugIn(); err != nil {
		return err
	}
	// A program that tries the port all the time can have opened it before its path
	// was watched.
	soon, cancel := context.WithTimeout(ctx, reopenTime)
	defer cancel()
	err := onPort(soon, s.env, s.port, s.ear, s.asJSON, false, func() error { return nil })
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil
	}
	return err
}

func (s *simulation) encode(lines mrzLines) []byte { return s.profile.Encode(lines) }

func (s *simulation) noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(s.r.UintN(256))
	}
	return b
}

// document invents one. No real Indonesian number has two letters in front.
func (s *simulation) document() mrzLines {
	first := []string{"MELATI", "DAHLIA", "CEMPAKA", "ANGGREK", "TERATAI", "SERUNI", "FLAMBOYAN", "WIJAYA KUSUMA", "KENANGA", ""}
	last := []string{"CONTOH", "TELADAN", "PERCOBAAN", "SIMULASI"}
	format := []mrz.Format{mrz.TD3, mrz.TD3, mrz.TD3, mrz.TD1, mrz.TD2}[s.r.IntN(5)]
	code := "I"
	if format == mrz.TD3 {
		code = "P"
	}
	f := mrz.Fields{
		DocumentCode: code, IssuingState: "IDN", Nationality: "IDN", DocumentNumber: fmt.Sprintf("ZZ%07d", s.r.IntN(10_000_000)),
		Primary: last[s.r.IntN(len(last))], Secondary: first[s.r.IntN(len(first))], Sex: []string{"F", "M", "X"}[s.r.IntN(3)],
		DateOfBirth:  mrz.Date{Year: 1955 + s.r.IntN(50), Month: 1 + s.r.IntN(12), Day: 1 + s.r.IntN(28)},
		DateOfExpiry: mrz.Date{Year: time.Now().Year() + 1 + s.r.IntN(9), Month: 1 + s.r.IntN(12), Day: 1 + s.r.IntN(28)},
	}
	lines, err := f.Lines(format)
	if err != nil {
		panic(err) // all of it is made here
	}
	s.sent = append(s.sent, lines)
	return lines
}
