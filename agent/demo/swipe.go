package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"lintas/agent/counter"
	"lintas/agent/crossing"
	"lintas/agent/verdict"
)

const (
	betweenSwipes = 7 * time.Second
	officerThinks = 5 * time.Second
)

// envelopes are ways in which real scanners wrap a zone.
var envelopes = []func(lines []string) string{
	func(l []string) string { return strings.Join(l, "\r") + "\r" },
	func(l []string) string { return strings.Join(l, "\r\n") + "\r\n" },
	func(l []string) string { return "\x02" + strings.Join(l, "\r") + "\r\x03" },
}

// swipe lets the scanner read a document and returns the inspection that
// comes of it.
func (s *system) swipe(ctx context.Context, n int, t traveller) (counter.Note, error) {
	if err := s.setDirection(ctx, t); err != nil {
		return counter.Note{}, err
	}
	before, err := s.reader.Status(ctx)
	if err != nil {
		return counter.Note{}, err
	}
	lines, err := t.lines()
	if err != nil {
		return counter.Note{}, err
	}
	if t.scanned {
		err = s.dropPage(n, t, lines)
	} else {
		_, err = io.WriteString(s.scanner, envelopes[n%len(envelopes)](lines))
	}
	if err != nil {
		return counter.Note{}, err
	}
	var opened counter.Note
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = poll(ctx, s.agent, "the inspection", func() bool {
		for e, err := range s.reader.Events(ctx, before.Head.Sequence+1) {
			if err != nil {
				return false
			}
			if note, err := counter.ReadNote(e.Note); err == nil && note.Type == crossing.InspectionOpened {
				opened = note
				return true
			}
		}
		return false
	})
	return opened, err
}

func (s *system) setDirection(ctx context.Context, t traveller) error {
	return s.post(ctx, "/direction", url.Values{"direction": {string(t.direction())}})
}

func (t traveller) direction() verdict.Direction {
	if t.returns {
		return verdict.Return
	}
	return verdict.Departure
}

// decide presses the officer's key. That somebody at the page was faster is
// fine.
func (s *system) decide(ctx context.Context, inspection string, t traveller) error {
	return s.post(ctx, "/decide", url.Values{
		"inspection": {inspection}, "decision": {string(t.decision)}, "direction": {string(t.direction())},
	})
}

func (s *system) post(ctx context.Context, path string, form url.Values) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.page+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 400 && res.StatusCode != http.StatusConflict {
		return fmt.Errorf("the page answered %s to %s", res.Status, path)
	}
	return nil
}

// forEver swipes until it is interrupted.
func (s *system) forEver(ctx context.Context, out io.Writer) error {
	all := append(cast(time.Now()), crowd(time.Now())...)
	for n := 0; ; n++ {
		t := all[n%len(all)]
		note, err := s.swipe(ctx, n, t)
		if ctx.Err() != nil {
			return nil
		} else if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s  %-28s %-7s %s\n", time.Now().Format(time.TimeOnly), t.label, note.Verdict, strings.Join(note.Reasons, " "))
		if !sleep(ctx, officerThinks) {
			return nil
		}
		if err := s.decide(ctx, note.Inspection, t); err != nil && ctx.Err() == nil {
			return err
		}
		if !sleep(ctx, betweenSwipes-officerThinks) {
			return nil
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// onceThrough swipes everybody once and checks what came of it.
func (s *system) onceThrough(ctx context.Context, out io.Writer) error {
	everybody := cast(time.Now())
	inspections := make([]string, len(everybody))
	for n, t := range everybody {
		note, err := s.swipe(ctx, n, t)
		if err != nil {
			return fmt.Errorf("%s: %w", t.label, err)
		}
		inspections[n] = note.Inspection
		if err := s.decide(ctx, note.Inspection, t); err != nil {
			return fmt.Errorf("%s: %w", t.label, err)
		}
	}
	confirmed := func() bool {
		st, err := s.reader.Status(ctx)
		return err == nil && st.Depth == 0
	}
	if err := poll(ctx, s.agent, "the hub's confirmation", confirmed); err != nil {
		return err
	}
	if err := s.stopAgent(); err != nil {
		return fmt.Errorf("the agent did not end well: %w", err)
	}
	ended, err := s.events(ctx)
	if err != nil {
		return err
	}
	ledger, err := s.ledger(ctx)
	if err != nil {
		return err
	}
	return report(out, everybody, inspections, ended, ledger)
}

// outcome is what the queue says about an inspection.
type outcome struct {
	opened, ended counter.Note
	ids           []string // of its events
	confirmed     int
}

func (s *system) events(ctx context.Context) (map[string]*outcome, error) {
	st, err := s.reader.Status(ctx)
	if err != nil {
		return nil, err
	}
	if st.Depth > 0 {
		return nil, fmt.Errorf("%d events are not confirmed by the hub", st.Depth)
	}
	all := map[string]*outcome{}
	for e, err := range s.reader.Events(ctx, 1) {
		if err != nil {
			return nil, err
		}
		note, err := counter.ReadNote(e.Note)
		if err != nil {
			return nil, err
		}
		o := all[note.Inspection]
		if o == nil {
			o = &outcome{}
			all[note.Inspection] = o
		}
		if note.Type == crossing.InspectionOpened {
			o.opened = note
		} else {
			o.ended = note
		}
		o.ids = append(o.ids, e.Hash.String())
		if e.Acknowledged {
			o.confirmed++
		}
	}
	return all, nil
}

// ledger asks the hub's own program which events it holds, by hash.
func (s *system) ledger(ctx context.Context) (map[string]bool, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "lintas-hub"), "ledger", "ls", "--json", "--db", s.path("hub/ledger.db"))
	b, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("cannot list the ledger: %w", err)
	}
	hashes := map[string]bool{}
	d := json.NewDecoder(strings.NewReader(string(b)))
	for {
		var e struct{ Hash string }
		if err := d.Decode(&e); errors.Is(err, io.EOF) {
			return hashes, nil
		} else if err != nil {
			return nil, err
		}
		hashes[e.Hash] = true
	}
}

// report prints the table and tells whether anything is missing in it.
func report(out io.Writer, everybody []traveller, inspections []string, all map[string]*outcome, ledger map[string]bool) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TRAVELLER\tDOCUMENT\tVERDICT\tREASONS\tDECISION\tCONFIRMED")
	var errs []error
	for n, t := range everybody {
		o := all[inspections[n]]
		if o == nil {
			o = &outcome{}
		}
		confirmed := len(o.ids) == 2 && o.confirmed == 2
		for _, hash := range o.ids {
			confirmed = confirmed && ledger[hash]
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%v\n", t.label, o.opened.Document, o.opened.Verdict,
			strings.Join(o.opened.Reasons, " "), o.ended.Decision, map[bool]string{true: "yes", false: "NO"}[confirmed])
		switch {
		case o.opened.Verdict != t.expect || len(o.opened.Reasons) == 0 || o.opened.Reasons[0] != string(t.reason):
			errs = append(errs, fmt.Errorf("%s: expected %s %s", t.label, t.expect, t.reason))
		case o.ended.Decision != t.decision:
			errs = append(errs, fmt.Errorf("%s: the decision is missing", t.label))
		case !confirmed:
			errs = append(errs, fmt.Errorf("%s: not confirmed by the hub", t.label))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return errors.Join(errs...)
}
