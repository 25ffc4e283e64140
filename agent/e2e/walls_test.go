package e2e_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// mayImport says which packages of ours each package may import, besides
// itself. A folder that is not named here may import none of ours.
var mayImport = map[string][]string{
	"mrz":              {},
	"mrz/ocr":          {"mrz", "mrz/ocr/glyph"},
	"mrz/ocr/glyph":    {},
	"mrz/ocr/specimen": {"mrz"},
	"mrz/ocr/train":    {"mrz/ocr/glyph", "mrz/ocr/specimen"},
	"mrz/ocr/accuracy": {"mrz", "mrz/ocr", "mrz/ocr/specimen"},
	"configs":          {},

	"devices":         {"mrz"},
	"devices/frame":   {"devices", "mrz"},
	"devices/serial":  {"devices"},
	"devices/profile": {"devices", "devices/frame", "mrz"},
	"devices/plug":    {"devices"},
	"devices/tee":     {"devices"},
	"devices/wedge":   {"devices", "devices/plug", "mrz"},
	"devices/hidpos":  {"devices", "devices/plug"},
	"devices/replay":  {"devices"},
	"devices/folder":  {"devices", "mrz"},
	"devices/page":    {"devices", "mrz", "mrz/ocr"},

	"queue":             {},
	"queue/sqlite":      {"queue"},
	"queue/mqtt":        {"queue"},
	"queue/mqtt/broker": {},
	"queue/uplink":      {"queue", "queue/mqtt"},

	"agent":         {"agent/cli"},
	"agent/command": {},
	"agent/config":  {"configs", "devices/serial"},
	"agent/scanners": {"mrz", "devices", "devices/frame", "devices/serial", "devices/profile", "devices/plug", "devices/tee", "devices/wedge",
		"devices/hidpos", "devices/folder", "devices/page", "agent/config"},
	"agent/control":              {},
	"agent/health":               {},
	"agent/crossing":             {"mrz", "queue"},
	"agent/placement":            {"mrz"},
	"agent/placement/build":      {"mrz", "agent/crossing", "agent/placement", "queue/sqlite"},
	"agent/placement/repository": {"agent/crossing", "agent/placement", "queue/mqtt", "queue/sqlite"},
	"agent/placement/cache":      {"mrz", "agent/crossing", "agent/placement", "queue/sqlite"},
	"agent/placement/sync":       {"agent/crossing", "agent/placement", "agent/placement/cache", "queue/mqtt"},
	"agent/rule":                 {"mrz"},
	"agent/journey":              {},
	"agent/verdict":              {"mrz", "agent/journey", "agent/placement", "agent/rule"},
	"agent/verdict/casefile":     {"mrz", "agent/journey", "agent/placement", "agent/rule", "agent/verdict"},
	"agent/counter":              {"mrz", "devices", "queue", "agent/crossing", "agent/health", "agent/journey", "agent/placement", "agent/rule", "agent/verdict"},
	"agent/screen":               {"mrz", "agent/counter", "agent/health", "agent/journey", "agent/verdict"},
	"agent/daemon": {"mrz", "devices", "queue", "queue/mqtt", "queue/sqlite", "queue/uplink",
		"agent/config", "agent/control", "agent/counter", "agent/crossing", "agent/health", "agent/placement", "agent/placement/cache", "agent/placement/sync",
		"agent/rule", "agent/scanners", "agent/screen", "agent/verdict"},
	"agent/cli": {"mrz", "devices", "devices/profile", "devices/plug", "devices/page", "devices/replay", "devices/serial", "agent/scanners", "queue", "queue/sqlite", "agent/command", "agent/config", "agent/control", "agent/counter", "agent/crossing", "agent/daemon",
		"agent/health", "agent/journey", "agent/placement", "agent/placement/cache", "agent/placement/sync", "agent/rule", "agent/verdict", "agent/verdict/casefile"},
	"agent/hub":       {"mrz", "queue", "queue/mqtt", "queue/sqlite", "agent/crossing", "agent/hub/stay", "agent/journey", "agent/placement"},
	"agent/hub/stay":  {"mrz"},
	"agent/hub/feed":  {"agent/crossing", "agent/hub"},
	"agent/hub/watch": {"agent/crossing", "agent/hub"},
	"agent/hub/lintas-hub": {"queue/mqtt", "agent/command", "agent/crossing", "agent/hub", "agent/hub/feed", "agent/hub/stay", "agent/hub/watch", "agent/placement",
		"agent/placement/build", "agent/placement/repository", "agent/rule"},
	"agent/demo":         {"mrz", "mrz/ocr/specimen", "queue/mqtt/broker", "queue/sqlite", "agent/control", "agent/counter", "agent/crossing", "agent/placement", "agent/verdict"},
	"agent/e2e":          {},
	"agent/e2e/servers":  {},
	"agent/e2e/vm":       {},
	"agent/e2e/vm/guest": {"devices", "agent/config", "agent/scanners"},
}

// onlyIn says which package alone may import a library. Tests and the
// demonstration may use more.
var onlyIn = map[string]string{
	"github.com/tarm/serial":                "devices/serial",
	"github.com/gen2brain/go-fitz":          "devices/page",
	"github.com/landlock-lsm/go-landlock":   "devices/page",
	"github.com/elastic/go-seccomp-bpf":     "devices/page",
	"modernc.org/sqlite":                    "queue/sqlite",
	"github.com/eclipse/paho.mqtt.golang":   "queue/mqtt",
	"github.com/mochi-mqtt/server/v2":       "queue/mqtt/broker",
	"github.com/creack/pty":                 "agent/demo",
	"github.com/chromedp/chromedp":          "",
	"github.com/santhosh-tekuri/jsonschema": "",
	"gopkg.in/yaml.v3":                      "",
	"github.com/expr-lang/expr":             "agent/rule",
	"github.com/prometheus/client_golang":   "agent/hub/watch",
	"github.com/pressly/goose/v3":           "agent/hub",
}

// source is a parsed file of ours.
type source struct {
	folder string // "agent/hub"
	name   string
	file   *ast.File
	test   bool
}

func (s source) imports() (list []string) {
	for _, i := range s.file.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			panic(err)
		}
		list = append(list, p)
	}
	return list
}

// sources reads the files themselves: asking the go tool could be answered
// from its cache.
func sources(t *testing.T) (list []source) {
	t.Helper()
	fset := token.NewFileSet()
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || d.Name() == "testdata" || d.Name() == "bin") {
			if filepath.Clean(p) != filepath.Clean(root) {
				return filepath.SkipDir
			}
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		f, err := parser.ParseFile(fset, p, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		list = append(list, source{folder: filepath.ToSlash(filepath.Dir(rel)), name: filepath.Base(p), file: f, test: strings.HasSuffix(p, "_test.go")})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 100 {
		t.Fatalf("only %d files were found", len(list))
	}
	return list
}

func TestArrowsBetweenPackages(t *testing.T) {
	imports := map[string][]string{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		allowed, known := mayImport[s.folder]
		if !known {
			t.Errorf("%s: a folder that the house does not know", s.folder)
		}
		for _, p := range s.imports() {
			ours, isOurs := strings.CutPrefix(p, "lintas/")
			if isOurs {
				imports[s.folder] = append(imports[s.folder], ours)
				if !slices.Contains(allowed, ours) {
					t.Errorf("%s/%s imports %s", s.folder, s.name, ours)
				}
				continue
			}
			imports[s.folder] = append(imports[s.folder], p)
			for lib, owner := range onlyIn {
				if (p == lib || strings.HasPrefix(p, lib+"/")) && s.folder != owner {
					t.Errorf("%s/%s imports %s, which belongs to %s", s.folder, s.name, lib, owner)
				}
			}
		}
	}
	// Nothing of the hub or of a broker is in the shipped agent.
	reached := map[string]bool{}
	var walk func(string)
	walk = func(folder string) {
		if reached[folder] {
			return
		}
		reached[folder] = true
		for _, p := range imports[folder] {
			walk(p)
		}
	}
	walk("agent")
	for p := range reached {
		if p == "agent/hub" || p == "agent/demo" || p == "mrz/ocr/specimen" || p == "mrz/ocr/train" || strings.Contains(p, "mochi") || strings.Contains(p, "creack") {
			t.Errorf("the agent contains %s", p)
		}
	}
	if !reached["queue/sqlite"] || !reached["devices/serial"] {
		t.Error("the walk did not reach the parts of the agent")
	}
}

func TestHouseRules(t *testing.T) {
	documented := map[string]int{}
	for _, s := range sources(t) {
		for part := range strings.SplitSeq(s.folder, "/") {
			if slices.Contains([]string{"internal", "util", "utils", "common", "helpers"}, part) {
				t.Errorf("%s: a folder without a subject", s.folder)
			}
		}
		if s.test {
			continue
		}
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "init" && f.Recv == nil {
				t.Errorf("%s/%s has an init function", s.folder, s.name)
			}
		}
		if s.file.Doc == nil {
			documented[s.folder] += 0
			continue
		}
		documented[s.folder]++
		text := s.file.Doc.Text()
		name := path.Base(s.folder) + ".go"
		if s.file.Name.Name == "main" {
			name = "main.go"
			if !strings.HasPrefix(text, "Command ") {
				t.Errorf("%s: the comment of a program begins with Command", s.folder)
			}
		} else if !strings.HasPrefix(text, "Package "+s.file.Name.Name+" ") {
			t.Errorf("%s/%s: a package comment begins with Package %s", s.folder, s.name, s.file.Name.Name)
		}
		if s.name != name {
			t.Errorf("%s: the package comment is in %s and not in %s", s.folder, s.name, name)
		}
	}
	for folder, n := range documented {
		if n != 1 {
			t.Errorf("%s has %d package comments", folder, n)
		}
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	known := []string{"agent", "devices", "mrz", "queue", "configs", "bin", "go.mod", "go.sum", "Makefile", "README.md", "LICENSE"}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(known, e.Name()) {
			t.Errorf("the top level holds %s", e.Name())
		}
	}
}
