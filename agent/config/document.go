package config

import (
	"bytes"
	"cmp"
	"errors"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// document is the text as tables and settings, each with its line. What is in it
// need not make sense.
type document struct {
	sections []*section
	faults   []Fault
	broken   bool // not all of the text could be read
}

// section is one table of the text, opened by [name] or [[name]]. The first one,
// without a name, is what stands above all tables.
type section struct {
	name     string
	array    bool
	line     int
	settings []setting
}

// setting is one key = value.
type setting struct {
	name  string
	line  int
	value value
}

// value is a value as written; text is without quotes.
type value struct {
	kind  unstable.Kind
	line  int
	text  string
	items []value // of a list
}

// reader walks through a text.
type reader struct {
	document
	text   []byte
	parser unstable.Parser
	base   int   // where in the text the parser began
	ends   []int // where the lines end
	now    *section
}

func readDocument(data []byte) document {
	// Some editors put a byte order mark in front.
	// Clipped, because the parser tells where it is by what is left behind it.
	data = slices.Clip(bytes.TrimPrefix(data, []byte("\ufeff")))
	r := reader{text: data}
	for i, c := range data {
		if c == '\n' {
			r.ends = append(r.ends, i)
		}
	}
	r.now = &section{line: 1}
	r.sections = append(r.sections, r.now)
	r.from(0)
	for {
		for r.parser.NextExpression() {
			r.expression(r.parser.Expression())
		}
		if r.parser.Error() == nil || !r.resume() {
			break
		}
	}
	if len(r.faults) == 0 {
		r.verify()
	}
	return r.document
}

// begin matches a line that can only be the beginning of something new.
var begin = regexp.MustCompile(`(?m)^[ \t]*(\[{1,2}[A-Za-z]|[A-Za-z0-9_.-]+[ \t]*=)`)

// resume notes where the text is not TOML and goes on behind it, at the next line
// that looks like a new key or table, so that one forgotten quotation mark does
// not hide what else is wrong.
func (r *reader) resume() bool {
	r.broken = true
	at := len(r.text)
	var wrong *unstable.ParserError
	if errors.As(r.parser.Error(), &wrong) {
		at = r.base + int(r.parser.Range(wrong.Highlight).Offset)
	}
	line, column := r.position(at)
	r.fault(line, "", "not TOML at column %d: %v; is a quotation mark, a bracket or a # missing?", column, r.parser.Error())

	start, end := r.lineAt(line)
	here := r.text[start:end]
	if start > r.base && isWhole(here) {
		// Nothing is wrong with this line: what came before it has no end.
		r.from(start)
		return true
	}
	if begin.Match(here) && bytes.HasPrefix(bytes.TrimSpace(here), []byte("[")) {
		// Nobody knows which table begins here: what follows belongs to none.
		r.now = &section{}
	}
	if end == len(r.text) {
		return false
	}
	next := begin.FindIndex(r.text[end+1:])
	if next == nil {
		return false
	}
	r.from(end + 1 + next[0])
	return true
}

// isWhole reports whether a line by itself sets a key or begins a table.
func isWhole(line []byte) bool {
	var p unstable.Parser
	p.Reset(slices.Clone(line))
	return begin.Match(line) && p.NextExpression()
}

func (r *reader) from(offset int) {
	r.base = offset
	r.parser.Reset(r.text[offset:])
}

// verify asks the library about what a walk through the text does not show, such
// as a name that is a value here and a table there.
func (r *reader) verify() {
	var all map[string]any
	err := toml.Unmarshal(r.text, &all)
	if err == nil {
		return
	}
	line, column := 1, 1
	var wrong *toml.DecodeError
	if errors.As(err, &wrong) {
		line, column = wrong.Position()
	}
	r.broken = true
	r.fault(line, "", "not TOML at column %d: %s", column, strings.TrimPrefix(err.Error(), "toml: "))
}

func (r *reader) fault(line int, key, format string, a ...any) {
	r.faults = append(r.faults, newFault(line, key, format, a...))
}

func (r *reader) expression(n *unstable.Node) {
	path, line := r.path(n.Key())
	switch n.Kind {
	case unstable.Table:
		r.now = r.open(strings.Join(path, "."), line, true)
	case unstable.ArrayTable:
		r.now = r.element(strings.Join(path, "."), line)
	case unstable.KeyValue:
		r.put(r.now, path, line, n.Value())
	}
}

// open finds the table of this name or begins it. Only a header may begin it, and
// only once; counter.id = "…" above all tables and counter = {…} do the same.
func (r *reader) open(name string, line int, header bool) *section {
	for _, s := range r.sections[1:] {
		if s.name == name && !s.array {
			if header {
				r.fault(line, name, "the table stands in line %d already; write its keys there", s.line)
			}
			return s
		}
	}
	s := &section{name: name, line: line}
	r.sections = append(r.sections, s)
	return s
}

func (r *reader) element(name string, line int) *section {
	s := &section{name: name, array: true, line: line}
	r.sections = append(r.sections, s)
	return s
}

// put files a value. Above all tables, counter.id = "…" and counter = {…} belong to
// a table as well; deeper there are none.
func (r *reader) put(s *section, path []string, line int, n *unstable.Node) {
	above := s == r.sections[0]
	switch {
	case above && len(path) > 1:
		s, path = r.open(path[0], line, false), path[1:]
	case above && n.Kind == unstable.InlineTable:
		r.fill(r.open(path[0], line, false), n)
		return
	case above && n.Kind == unstable.Array && n.Child() != nil && n.Child().Kind == unstable.InlineTable:
		for items := n.Children(); items.Next(); {
			if item := items.Node(); item.Kind == unstable.InlineTable {
				r.fill(r.element(path[0], line), item)
			} else {
				r.fault(line, path[0], "the list holds something that is not a table; write a table in double brackets for each")
			}
		}
		return
	}
	s.settings = append(s.settings, setting{strings.Join(path, "."), line, r.value(n, line)})
}

func (r *reader) fill(s *section, table *unstable.Node) {
	for items := table.Children(); items.Next(); {
		item := items.Node()
		path, line := r.path(item.Key())
		r.put(s, path, cmp.Or(line, s.line), item.Value())
	}
}

func (r *reader) path(keys unstable.Iterator) (path []string, line int) {
	for keys.Next() {
		if line == 0 {
			line = r.lineOf(keys.Node())
		}
		path = append(path, string(keys.Node().Data))
	}
	return path, line
}

func (r *reader) value(n *unstable.Node, line int) value {
	v := value{kind: n.Kind, line: cmp.Or(r.lineOf(n), line), text: string(n.Data)}
	if n.Kind == unstable.Array {
		for items := n.Children(); items.Next(); {
			v.items = append(v.items, r.value(items.Node(), v.line))
		}
	}
	return v
}

// lineOf is 0 for what the parser gives no place: lists and tables.
func (r *reader) lineOf(n *unstable.Node) int {
	if n.Raw.Length == 0 {
		return 0
	}
	line, _ := r.position(r.base + int(n.Raw.Offset))
	return line
}

// position counts lines and columns (in bytes) from 1.
func (r *reader) position(offset int) (line, column int) {
	line = sort.SearchInts(r.ends, offset) + 1
	start, _ := r.lineAt(line)
	return line, offset - start + 1
}

// lineAt gives where a line starts and ends, without its newline.
func (r *reader) lineAt(line int) (start, end int) {
	if line > 1 {
		start = r.ends[line-2] + 1
	}
	if line <= len(r.ends) {
		return start, r.ends[line-1]
	}
	return start, len(r.text)
}
