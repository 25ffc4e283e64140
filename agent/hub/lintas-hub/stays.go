package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"lintas/agent/command"
	"lintas/agent/hub"
	"lintas/agent/hub/stay"
)

// shownStay is a stay as it is printed.
type shownStay struct {
	Outcome        string   `json:"outcome"` // open, returned, return-missing, departure-missing
	IssuingState   string   `json:"issuing_state"`
	DocumentNumber string   `json:"document_number"`
	Primary        string   `json:"primary"`
	Secondary      string   `json:"secondary"`
	DateOfBirth    string   `json:"date_of_birth"`
	Departure      *shownIn `json:"departure"`
	Return         *shownIn `json:"return"`
	PairedBy       string   `json:"paired_by,omitempty"` // document, placement, person
	Ambiguous      bool     `json:"ambiguous"`           // a return that could end several open stays
	Doubtful       bool     `json:"doubtful"`            // typed, or read from a picture
	Destination    string   `json:"destination"`
	PlacementID    string   `json:"placement_id"`
	PlacedBy       string   `json:"placed_by,omitempty"` // record, document, person
	Status         string   `json:"status,omitempty"`
	Agency         string   `json:"agency_id"`
	Province       string   `json:"province"`
	Regency        string   `json:"regency"`
}

// shownIn is one end of a stay.
type shownIn struct {
	ID             string    `json:"id"`
	At             time.Time `json:"at"`
	Counter        string    `json:"counter"`
	Flight         string    `json:"flight"`
	EntryMode      string    `json:"entry_mode"`
	DocumentNumber string    `json:"document_number"`
	Amended        int       `json:"amended"`
}

func showStay(s hub.Stay) shownStay {
	c := s.Crossing()
	out := shownStay{Outcome: string(s.Outcome), IssuingState: c.IssuingState, DocumentNumber: c.DocumentNumber, Primary: c.Primary, Secondary: c.Secondary,
		DateOfBirth: c.DateOfBirth, Departure: showCrossing(s.Departure), Return: showCrossing(s.Return), PairedBy: string(s.By), Ambiguous: s.Ambiguous,
		Doubtful: s.Doubtful(), Destination: s.Destination()}
	if p := s.Placement; p != nil {
		out.PlacementID, out.PlacedBy, out.Status, out.Agency, out.Province, out.Regency = p.ID, s.PlacedBy, string(p.Status), p.Agency, p.Province, p.Regency
	}
	return out
}

func showCrossing(c *hub.Crossing) *shownIn {
	if c == nil {
		return nil
	}
	return &shownIn{c.ID.String(), c.Occurred, c.Counter, c.Flight, c.EntryMode, c.DocumentNumber, c.Amended}
}

// events names the crossings of stays, for the access log.
func events(stays []hub.Stay) (list []uuid.UUID) {
	for _, s := range stays {
		for _, c := range []*hub.Crossing{s.Departure, s.Return} {
			if c != nil {
				list = append(list, c.ID)
			}
		}
	}
	return list
}

func printStays(w io.Writer, title string, stays []hub.Stay) {
	if len(stays) == 0 {
		return
	}
	fmt.Fprintf(w, "%s: %d\n", title, len(stays))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range stays {
		v := showStay(s)
		var marks []string
		if v.Doubtful {
			marks = append(marks, "typed or read from a picture")
		}
		if v.PairedBy != "" && v.PairedBy != string(stay.ByDocument) {
			marks = append(marks, "paired by "+v.PairedBy)
		}
		if v.Ambiguous {
			marks = append(marks, "could end several stays")
		}
		fmt.Fprintf(t, "  %s\t%s\t%s %s\t%s, %s\t%s\t%s\t%s\t%s\t%s\n", ends(s.Departure), ends(s.Return), v.IssuingState, v.DocumentNumber, v.Primary, v.Secondary,
			v.DateOfBirth, orDash(v.Destination), orDash(v.Agency), orDash(v.Province), strings.Join(marks, "; "))
	}
	t.Flush()
}

func ends(c *hub.Crossing) string {
	if c == nil {
		return "–"
	}
	return c.Occurred.Format("2006-01-02 15:04")
}

func orDash(s string) string { return cmp.Or(s, "–") }

// stayGroup counts stays that have something in common. It names nobody.
type stayGroup struct {
	Province         *string   `json:"province,omitempty"`
	Agency           *string   `json:"agency_id,omitempty"`
	Destination      *string   `json:"destination,omitempty"`
	Open             int       `json:"open"`                      // left, and has not returned
	OldestDeparture  time.Time `json:"oldest_departure,omitzero"` // of those
	Doubtful         int       `json:"doubtful"`                  // of those, typed or read from a picture
	Unplaced         int       `json:"unplaced"`                  // of those, without a placement
	ReturnMissing    int       `json:"return_missing"`            // left twice with no return in between
	DepartureMissing int       `json:"departure_missing"`         // returned with no departure
}

var stayKeys = []string{"province", "agency", "destination"}

// groupStays counts stays by some of stayKeys.
func groupStays(l *hub.Ledger, ctx context.Context, since time.Time, by []string) ([]*stayGroup, error) {
	groups := map[string]*stayGroup{}
	for s, err := range l.Stays(ctx, since) {
		if err != nil {
			return nil, err
		}
		values := map[string]string{"destination": s.Destination()}
		if p := s.Placement; p != nil {
			values["province"], values["agency"] = p.Province, p.Agency
		}
		var key []string
		g := &stayGroup{}
		for _, k := range by {
			v := values[k]
			*map[string]**string{"province": &g.Province, "agency": &g.Agency, "destination": &g.Destination}[k] = &v
			key = append(key, v)
		}
		at := strings.Join(key, "\x00")
		if groups[at] == nil {
			groups[at] = g
		}
		groups[at].add(s)
	}
	var list []*stayGroup
	for _, g := range groups {
		if g.Open+g.ReturnMissing+g.DepartureMissing > 0 {
			list = append(list, g)
		}
	}
	slices.SortFunc(list, func(a, b *stayGroup) int {
		return cmp.Or(-cmp.Compare(a.Open, b.Open), strings.Compare(a.name(), b.name()))
	})
	return list, nil
}

func (g *stayGroup) add(s hub.Stay) {
	switch s.Outcome {
	case stay.Open:
		g.Open++
		if at := s.Departure.Occurred; g.OldestDeparture.IsZero() || at.Before(g.OldestDeparture) {
			g.OldestDeparture = at
		}
		if s.Doubtful() {
			g.Doubtful++
		}
		if s.Placement == nil {
			g.Unplaced++
		}
	case stay.ReturnMissing:
		g.ReturnMissing++
	case stay.DepartureMissing:
		g.DepartureMissing++
	}
}

func (g *stayGroup) name() string {
	var words []string
	for _, v := range []*string{g.Province, g.Agency, g.Destination} {
		if v != nil {
			words = append(words, cmp.Or(*v, "not known"))
		}
	}
	return strings.Join(words, "\t")
}

func ledgerOpenStaysCommand() *command.Command {
	var db, by string
	var since day
	var asJSON bool
	var o opening
	return &command.Command{
		Name: "open-stays", Summary: "Answer who left and has not returned.",
		Help: "With --by only counts, and nobody's name. Without it a row for each traveller, which needs\n" +
			"--officer and --purpose and is noted in the access log.\n\n" +
			"Voids and amendments are applied, drills left out. A return ends a stay if its document is the\n" +
			"same, one that the placement names too, or a later one of the same name, birth date and\n" +
			"nationality that can mean no other open stay. Shown apart: stays of which the return is missing\n" +
			"because the traveller left again, and returns without a departure. Province, regency and agency\n" +
			"are those of the placement (lintas-hub placements load).",
		Flags: func(fs *flag.FlagSet) {
			dbFlag(fs, &db)
			fs.StringVar(&by, "by", "", "count by these, separated by commas: `keys` of province, agency, destination")
			fs.Var(&since, "since", "departures since this `day`, 2026-01-31 or RFC 3339")
			o.flags(fs)
			command.JSONFlag(fs, &asJSON)
		},
		Run: func(ctx context.Context, env command.Env, args []string) error {
			if err := command.NoArguments(args); err != nil {
				return err
			}
			if by == "" {
				if err := o.check(); err != nil {
					return err
				}
				return withLedger(ctx, db, func(l *hub.Ledger) error { return openStays(ctx, env, l, since.Time, o, asJSON) })
			}
			keys := strings.Split(by, ",")
			for _, k := range keys {
				if !slices.Contains(stayKeys, k) {
					return command.UsageError("--by %q is not one of %s", k, strings.Join(stayKeys, ", "))
				}
			}
			return withLedger(ctx, db, func(l *hub.Ledger) error {
				groups, err := groupStays(l, ctx, since.Time, keys)
				if err != nil {
					return err
				}
				if asJSON {
					if groups == nil {
						groups = []*stayGroup{}
					}
					return command.JSON(env.Stdout, map[string]any{"by": keys, "groups": groups})
				}
				return printGroups(env.Stdout, groups)
			})
		},
	}
}

func printGroups(w io.Writer, groups []*stayGroup) error {
	if len(groups) == 0 {
		_, err := fmt.Fprintln(w, "nobody left who has not returned")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, g := range groups {
		fmt.Fprintf(t, "%s\t%d open", g.name(), g.Open)
		if g.Open > 0 {
			fmt.Fprintf(t, " since %s", g.OldestDeparture.Format(time.DateOnly))
		}
		for _, n := range []struct {
			count int
			what  string
		}{{g.Unplaced, "without a placement"}, {g.Doubtful, "typed or read from a picture"}, {g.ReturnMissing, "whose return was not recorded"}, {g.DepartureMissing, "returned without a departure"}} {
			if n.count > 0 {
				fmt.Fprintf(t, "; %d %s", n.count, n.what)
			}
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

func openStays(ctx context.Context, env command.Env, l *hub.Ledger, since time.Time, o opening, asJSON bool) error {
	found := map[stay.Outcome][]hub.Stay{}
	var all []hub.Stay
	for s, err := range l.Stays(ctx, since) {
		if err != nil {
			return err
		}
		if s.Outcome != stay.Returned {
			found[s.Outcome], all = append(found[s.Outcome], s), append(all, s)
		}
	}
	if err := o.note(ctx, l, "ledger open-stays", events(all)); err != nil {
		return err
	}
	if asJSON {
		shown := func(outcome stay.Outcome) []shownStay {
			list := []shownStay{}
			for _, s := range found[outcome] {
				list = append(list, showStay(s))
			}
			return list
		}
		return command.JSON(env.Stdout, map[string]any{"open": shown(stay.Open), "return_missing": shown(stay.ReturnMissing), "departure_missing": shown(stay.DepartureMissing)})
	}
	printStays(env.Stdout, "left and has not returned", found[stay.Open])
	printStays(env.Stdout, "left again with no return recorded in between", found[stay.ReturnMissing])
	printStays(env.Stdout, "returned with no departure recorded", found[stay.DepartureMissing])
	if len(all) == 0 {
		fmt.Fprintln(env.Stdout, "nobody left who has not returned")
	}
	return nil
}

func ledgerTravellerCommand() *command.Command {
	var db string
	var asJSON bool
	var o opening
	return &command.Command{
		Name: "traveller", Args: "[ISSUING_STATE NUMBER]", Summary: "Show the stays of a document's traveller.",
		Help: "Without arguments the two are read from standard input, so that no other user of the machine\n" +
			"sees them. What is shown covers the traveller's other documents and namesakes born on the same\n" +
			"day. It needs --officer and --purpose and is noted in the access log.",
		Flags: func(fs *flag.FlagSet) {
			dbFlag(fs, &db)
			o.flags(fs)
			command.JSONFlag(fs, &asJSON)
		},
		Run: func(ctx context.Context, env command.Env, args []string) error {
			if len(args) == 0 {
				text, err := io.ReadAll(io.LimitReader(env.Stdin, 256))
				if err != nil {
					return err
				}
				args = strings.Fields(string(text))
			}
			if len(args) != 2 {
				return command.UsageError("ledger traveller takes a document's issuing state and number")
			}
			if err := o.check(); err != nil {
				return err
			}
			return withLedger(ctx, db, func(l *hub.Ledger) error {
				stays, err := l.Traveller(ctx, args[0], args[1])
				if err == nil {
					err = o.note(ctx, l, "ledger traveller", events(stays))
				}
				if err != nil {
					return err
				}
				if !asJSON {
					printStays(env.Stdout, "stays", stays)
					if len(stays) == 0 {
						fmt.Fprintln(env.Stdout, "no crossing of this document is recorded")
					}
					return nil
				}
				list := []shownStay{}
				for _, s := range stays {
					list = append(list, showStay(s))
				}
				return command.JSON(env.Stdout, map[string]any{"stays": list})
			})
		},
	}
}
