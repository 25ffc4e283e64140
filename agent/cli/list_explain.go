package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"lintas/agent/command"
	"lintas/agent/journey"
	"lintas/agent/placement"
	"lintas/agent/rule"
	"lintas/agent/verdict"
	"lintas/agent/verdict/casefile"
	"lintas/mrz"
)

func listRulesExplainCommand() *command.Command {
	e := &explainRun{}
	return &command.Command{
		Name: "explain", Args: "--case FILE | --document FILE", Summary: "Say which rules hold for a case or a document, and why.",
		Help: "A case is a TOML file with traveller, journey, list and clock (see lintas/agent/verdict/casefile);\n" +
			"its own [rules] are explained, else those of --rules or of the installed list. A document\n" +
			"is a machine-readable zone (- for stdin), looked up in the installed list. Nothing is\n" +
			"recorded, and neither name nor number is printed.",
		Flags: func(fs *flag.FlagSet) {
			configFlag(fs, &e.config)
			command.JSONFlag(fs, &e.json)
			fs.StringVar(&e.caseFile, "case", "", "the case's `file`")
			fs.StringVar(&e.document, "document", "", "the document's `file`")
			fs.StringVar(&e.rules, "rules", "", "the pack's `file` (default: the installed list's)")
			fs.StringVar(&e.direction, "direction", string(verdict.Departure), "departure or return, of a document")
			fs.StringVar(&e.journey, "journey", "", "the `journey` of a document, such as 'GA834 CGK-HKG'")
			fs.StringVar(&e.purpose, "purpose", "", "what the traveller says, of a document: work, crew, study, training, official, other")
			fs.StringVar(&e.today, "today", "", "the `date` YYYY-MM-DD that a document is judged on")
		},
		Run: e.run,
	}
}

type explainRun struct {
	json                                                                  bool
	config, caseFile, document, rules, direction, journey, purpose, today string
}

func (e *explainRun) run(ctx context.Context, env command.Env, args []string) error {
	if len(args) > 0 || (e.caseFile == "") == (e.document == "") {
		return command.UsageError("list rules explain takes either --case FILE or --document FILE")
	}
	c, err := e.read(ctx, env)
	if err != nil {
		return err
	}
	if c.Rules == nil {
		fmt.Fprintln(env.Stderr, "there are no rules: the case has none, and no list with rules is installed")
	}
	x := explain(c)
	if e.json {
		return command.JSON(env.Stdout, x)
	}
	out := bufio.NewWriter(env.Stdout)
	x.print(out)
	return out.Flush()
}

// read makes the case, with the rules that it is explained by.
func (e *explainRun) read(ctx context.Context, env command.Env) (c verdict.Case, err error) {
	if e.caseFile != "" {
		b, err := readCapped(env, e.caseFile)
		if err != nil {
			return c, err
		}
		read, err := casefile.Parse(b)
		if err != nil {
			return c, err
		}
		c = read.Case
	} else if c, err = e.fromDocument(ctx, env); err != nil {
		return c, err
	}
	if e.rules == "" && c.Rules != nil {
		return c, nil
	}
	b, err := rulePack(ctx, env, e.config, e.rules)
	if err != nil {
		if e.rules == "" && e.caseFile != "" {
			return c, nil // a case stands by itself
		}
		return c, err
	}
	if len(b) == 0 {
		return c, nil
	}
	if c.Rules, err = rule.Parse(b); err == nil {
		c.RulesAge = time.Since(c.Rules.Pack().Time)
	}
	return c, err
}

// fromDocument reads a zone and looks it up.
func (e *explainRun) fromDocument(ctx context.Context, env command.Env) (c verdict.Case, err error) {
	c.Today = mrz.DateOf(time.Now())
	if e.today != "" {
		d, err := mrz.ParseDate(e.today)
		if _, exists := d.Time(); err != nil || !exists {
			return c, command.UsageError("--today %q is not a date YYYY-MM-DD", e.today)
		}
		c.Today = d
	}
	c.Direction, c.Purpose = verdict.Direction(e.direction), verdict.Purpose(e.purpose)
	if c.Direction != verdict.Departure && c.Direction != verdict.Return {
		return c, command.UsageError("--direction %q is neither departure nor return", e.direction)
	}
	if !c.Purpose.Valid() {
		return c, command.UsageError("--purpose %q is none", e.purpose)
	}
	if c.Journey, err = journey.Parse(e.journey); err != nil {
		return c, command.UsageError("--journey: %v", err)
	}
	b, err := readCapped(env, e.document)
	if err != nil {
		return c, err
	}
	docs := mrz.ReadText(string(b), c.Today)
	if len(docs) == 0 {
		return c, errors.New("cannot find a machine-readable zone in the document; give its two or three lines as text")
	}
	c.Document = docs[0]
	list, err := installedList(ctx, env, e.config)
	if err != nil {
		return c, err
	}
	if list == nil {
		return c, nil
	}
	defer list.Close()
	if c.Found, err = list.Find(ctx, c.Document); err != nil && !errors.Is(err, placement.ErrNoList) {
		return c, err
	}
	c.ListAge = time.Since(c.Found.List.Time)
	return c, nil
}

// explained is what `lintas list rules explain --json` prints.
type explained struct {
	Verdict      string           `json:"verdict"`
	Reasons      []explainedGiven `json:"reasons"`
	Checklist    []string         `json:"checklist,omitempty"`
	Decisions    []string         `json:"decisions"`
	ListVersion  int64            `json:"list_version"`
	ListAge      int64            `json:"list_age_s"`
	RulesVersion int64            `json:"rules_version"`
	RulesAge     int64            `json:"rules_age_s"`
	Rules        []explainedRule  `json:"rules"`
}

type explainedGiven struct {
	Code       string   `json:"code"`
	Detail     string   `json:"detail,omitempty"`
	Verdict    string   `json:"verdict"`    // that the code asks for
	Directions []string `json:"directions"` // in which it is given
	Source     string   `json:"source"`
	ID         string   `json:"id"`
	EN         string   `json:"en"`
	NextID     string   `json:"next_id"`
	NextEN     string   `json:"next_en"`
	Basis      string   `json:"basis,omitempty"`
}

type explainedRule struct {
	ID      string      `json:"id"`
	Outcome string      `json:"outcome"`
	Mode    string      `json:"mode"`
	When    string      `json:"when"`
	Owner   string      `json:"owner"`
	Basis   string      `json:"legal_basis"`
	Start   string      `json:"start"`
	End     string      `json:"end"`
	TextID  string      `json:"text_id"`
	TextEN  string      `json:"text_en"`
	Cost    int         `json:"cost"`
	Steps   []rule.Step `json:"steps"`
}

func explain(c verdict.Case) explained {
	v := verdict.Judge(c)
	x := explained{Verdict: string(v.Code), ListVersion: v.ListVersion, ListAge: int64(v.ListAge.Seconds()), RulesVersion: v.RulesVersion, RulesAge: int64(v.RulesAge.Seconds()),
		Reasons: []explainedGiven{}, Rules: []explainedRule{}}
	for _, r := range v.Reasons {
		entry, words := r.Code.Entry(), r.Explain()
		g := explainedGiven{string(r.Code), r.Detail, string(entry.Verdict), nil, entry.Source, words.Text.ID, words.Text.EN, words.Next.ID, words.Next.EN, words.Basis.ID}
		if r.Rule != nil {
			g.Directions = r.Rule.Directions
		} else {
			for _, d := range entry.Directions {
				g.Directions = append(g.Directions, string(d))
			}
		}
		x.Reasons = append(x.Reasons, g)
	}
	if papers, ok := v.Checklist(); ok {
		for _, it := range papers.Items {
			x.Checklist = append(x.Checklist, it.Key)
		}
	}
	for _, d := range verdict.DecisionsFor(c.Direction) {
		x.Decisions = append(x.Decisions, string(d))
	}
	for _, e := range c.Explain() {
		x.Rules = append(x.Rules, explainedRule{e.Rule.ID, e.Outcome, string(e.Rule.Mode), e.Rule.When, e.Rule.Owner, e.Rule.LegalBasis, e.Rule.Start.String(), e.Rule.End.String(),
			e.Rule.Text.ID, e.Rule.Text.EN, e.Cost, e.Steps})
	}
	return x
}

func (x explained) print(w io.Writer) {
	fmt.Fprintf(w, "verdict  %s\n", x.Verdict)
	for _, r := range x.Reasons {
		fmt.Fprintf(w, "  %s  %s", r.Code, r.EN)
		if r.Detail != "" {
			fmt.Fprintf(w, " (%s)", r.Detail)
		}
		fmt.Fprintf(w, "\n       %s", r.NextEN)
		if r.Basis != "" {
			fmt.Fprintf(w, " [%s]", r.Basis)
		}
		fmt.Fprintln(w)
	}
	if len(x.Checklist) > 0 {
		fmt.Fprintf(w, "  to see: %s\n", strings.Join(x.Checklist, ", "))
	}
	fmt.Fprintf(w, "list     version %d\nrules    version %d\n", x.ListVersion, x.RulesVersion)
	for _, r := range x.Rules {
		fmt.Fprintf(w, "\n%s  %s  %s\n  %s to %s, %s; owner %s; basis %s\n", r.ID, strings.ReplaceAll(r.Outcome, "-", " "), r.TextEN, r.Start, r.End, r.Mode, r.Owner, r.Basis)
		for _, s := range r.Steps {
			value, err := json.Marshal(s.Value)
			if err != nil {
				value = []byte("cannot be shown")
			}
			fmt.Fprintf(w, "  %s%s  →  %s\n", strings.Repeat("  ", s.Depth), s.Part, value)
		}
	}
}
