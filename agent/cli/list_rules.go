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
	"text/tabwriter"
	"time"

	"lintas/agent/command"
	"lintas/agent/daemon"
	"lintas/agent/placement/cache"
	"lintas/agent/rule"
)

// maxCaseFile bounds what is read of a case, a document or a pack.
const maxCaseFile = rule.MaxPack

func listRulesCommand() *command.Command {
	return &command.Command{
		Name: "rules", Summary: "Show the list's rules, or explain which of them hold.",
		Sub: []*command.Command{listRulesShowCommand(), listRulesExplainCommand()},
	}
}

func listRulesShowCommand() *command.Command {
	var path string
	var asJSON, vocabulary bool
	return &command.Command{
		Name: "show", Args: "[FILE]", Summary: "Show and check a pack of rules (none: that of the installed list).",
		Help: "Every fault of a pack is told at once, by rule and field; a pack with any is refused\n" +
			"whole. --vocabulary lists the words that conditions can use.\n" +
			"Exit status: 0 the pack is good, 1 it is refused or cannot be read, 2 there is none.",
		Flags: func(fs *flag.FlagSet) {
			configFlag(fs, &path)
			command.JSONFlag(fs, &asJSON)
			fs.BoolVar(&vocabulary, "vocabulary", false, "list the words that conditions can use")
		},
		Run: func(ctx context.Context, env command.Env, args []string) error {
			if vocabulary {
				return showVocabulary(env, asJSON)
			}
			if len(args) > 1 {
				return command.UsageError("list rules show takes one file")
			}
			b, err := rulePack(ctx, env, path, strings.Join(args, ""))
			if err != nil {
				return err
			}
			if len(b) == 0 {
				fmt.Fprintln(env.Stderr, "there are no rules: no list is installed, or it has none")
				return &command.Exit{Code: command.Warnings}
			}
			set, err := rule.Parse(b)
			if !asJSON {
				if err == nil {
					showPack(env.Stdout, set.Pack())
				}
				return err
			}
			shown := shownPack{Valid: err == nil, Faults: []rule.Fault{}}
			if faults, ok := errors.AsType[rule.Faults](err); ok {
				shown.Faults = faults
			} else {
				pack := set.Pack()
				shown.Pack = &pack
			}
			if failed := command.JSON(env.Stdout, shown); failed != nil {
				return failed
			}
			if err != nil {
				return &command.Exit{Code: command.Failed}
			}
			return nil
		},
	}
}

// shownPack is what `lintas list rules show --json` prints.
type shownPack struct {
	Valid  bool         `json:"valid"`
	Faults []rule.Fault `json:"faults"`
	Pack   *rule.Pack   `json:"pack,omitempty"`
}

func showVocabulary(env command.Env, asJSON bool) error {
	if asJSON {
		return command.JSON(env.Stdout, rule.Vocabulary())
	}
	w := tabwriter.NewWriter(env.Stdout, 0, 0, 2, ' ', 0)
	for _, word := range rule.Vocabulary() {
		fmt.Fprintf(w, "%s\t%s\t%s\n", word.Name, word.Type, word.Doc)
	}
	return w.Flush()
}

func showPack(w io.Writer, p rule.Pack) {
	fmt.Fprintf(w, "rules of version %d, made %s\n", p.Version, p.Time.Format(time.RFC3339))
	for _, r := range p.Rules {
		when, off := "when "+r.When, fmt.Sprintf("off below %g of %d outcomes", r.PrecisionFloor, r.MinimumOutcomes)
		if r.OneIn > 0 {
			when, off = fmt.Sprintf("one in %d of those whom nothing speaks against, by lot", r.OneIn), "never turned off"
		}
		fmt.Fprintf(w, "\n%s  %s, %s to %s, %s\n  %s\n  %s\n  %s\n  next: %s\n  owner %s; basis %s; %s\n", r.ID, r.Mode, r.Start, r.End,
			strings.Join(r.Directions, " and "), r.Text.EN, r.Text.ID, when, r.Next.EN, r.Owner, r.LegalBasis, off)
	}
	for _, c := range p.Closed {
		fmt.Fprintf(w, "\n%s  closed by %s since %s: %s\n", c.ID, c.Order, c.Start, c.Verdict)
		for name, list := range map[string][]string{"destinations": c.Destinations, "job classes": c.JobClasses, "employers": c.EmployerKinds} {
			if len(list) > 0 {
				fmt.Fprintf(w, "  %s %s\n", name, strings.Join(list, " "))
			}
		}
		if !c.End.IsZero() {
			fmt.Fprintf(w, "  until %s\n", c.End)
		}
		if !c.SparesBefore.IsZero() {
			fmt.Fprintf(w, "  not contracts from before %s\n", c.SparesBefore)
		}
	}
}

// rulePack reads a pack from a file, or that of the installed list. Nothing at
// all is no error.
func rulePack(ctx context.Context, env command.Env, config, file string) ([]byte, error) {
	if file != "" {
		return readCapped(env, file)
	}
	list, err := installedList(ctx, env, config)
	if err != nil || list == nil {
		return nil, err
	}
	defer list.Close()
	return list.Rules(), nil
}

// installedList opens the installed list; nil if there is none.
func installedList(ctx context.Context, env command.Env, config string) (*cache.List, error) {
	cfg, err := loadConfig(env, config)
	if err != nil {
		return nil, err
	}
	list, err := daemon.OpenList(ctx, cfg)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return list, err
}

// readCapped reads a small file, or stdin for "-".
func readCapped(env command.Env, path string) ([]byte, error) {
	in := env.Stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("cannot read %s: %w", path, err)
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxCaseFile+1))
	if err == nil && len(b) > maxCaseFile {
		err = fmt.Errorf("larger than %d bytes", maxCaseFile)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", path, err)
	}
	return b, nil
}
