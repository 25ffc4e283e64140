package vm_test

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An image is the guest's first file system, an archive of the kind that the
// kernel unpacks (Documentation/driver-api/early-userspace/buffer-format).
type image struct {
	t     *testing.T
	b     bytes.Buffer
	files int
	has   map[string]bool
}

func newImage(t *testing.T) *image { return &image{t: t, has: map[string]bool{}} }

// entry adds a file, and the folders above it.
func (m *image) entry(name string, mode uint32, data []byte) {
	name = strings.TrimPrefix(filepath.Clean("/"+name), "/")
	if m.has[name] {
		return
	}
	if dir := filepath.Dir(name); dir != "." {
		m.entry(dir, 0o040755, nil)
	}
	m.has[name] = true
	m.write(name, mode, data)
}

func (m *image) write(name string, mode uint32, data []byte) {
	m.files++
	fmt.Fprintf(&m.b, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
		m.files, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name)+1, 0)
	m.b.WriteString(name + "\x00")
	m.pad()
	m.b.Write(data)
	m.pad()
}

func (m *image) pad() {
	for m.b.Len()%4 != 0 {
		m.b.WriteByte(0)
	}
}

func (m *image) text(name, text string) { m.entry(name, 0o100644, []byte(text)) }

// file copies a file of this machine.
func (m *image) file(name, from string, mode uint32) {
	m.t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		m.t.Fatal(err)
	}
	m.entry(name, 0o100000|mode, b)
}

// program copies a program with the libraries that it needs.
func (m *image) program(name, from string) {
	m.t.Helper()
	m.file(name, from, 0o755)
	m.libraries(from)
}

func (m *image) libraries(path string) {
	m.t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		m.t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			b := make([]byte, p.Filesz)
			if _, err := p.ReadAt(b, 0); err != nil {
				m.t.Fatal(err)
			}
			loader := strings.TrimRight(string(b), "\x00")
			m.file(loader, loader, 0o755)
		}
	}
	needed, err := f.ImportedLibraries()
	if err != nil {
		m.t.Fatal(err)
	}
	for _, lib := range needed {
		if m.has["lib/"+lib] {
			continue
		}
		found := ""
		for _, dir := range []string{"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"} {
			if _, err := os.Stat(filepath.Join(dir, lib)); err == nil {
				found = filepath.Join(dir, lib)
				break
			}
		}
		if found == "" {
			m.t.Fatalf("cannot find %s, which %s needs", lib, path)
		}
		m.file("lib/"+lib, found, 0o755)
		m.libraries(found)
	}
}

// modules copies kernel modules and those that they need, and writes down the
// order in which to load them. A module may be followed by its options.
func (m *image) modules(root string, wanted ...string) {
	m.t.Helper()
	files := map[string]string{}
	builtIn := map[string]bool{}
	plain := func(path string) string {
		return strings.ReplaceAll(strings.TrimSuffix(filepath.Base(path), ".ko"), "-", "_")
	}
	err := filepath.WalkDir(filepath.Join(root, "lib/modules"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".ko") {
			files[plain(path)] = path
		}
		if err == nil && d.Name() == "modules.builtin" {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, line := range strings.Fields(string(b)) {
				builtIn[plain(line)] = true
			}
		}
		return err
	})
	if err != nil {
		m.t.Fatal(err)
	}
	var order []string
	var add func(name, options string)
	add = func(name, options string) {
		path := files[name]
		switch {
		case m.has["modules/"+name+".ko"] || builtIn[name]:
			return
		case path == "":
			m.t.Fatalf("the kernel has no module %s", name)
		}
		for _, need := range needs(m.t, path) {
			add(strings.ReplaceAll(need, "-", "_"), "")
		}
		m.file("modules/"+name+".ko", path, 0o644)
		order = append(order, strings.TrimSpace(name+" "+options))
	}
	for _, w := range wanted {
		name, options, _ := strings.Cut(w, " ")
		add(name, options)
	}
	m.text("modules/order", strings.Join(order, "\n")+"\n")
}

// needs reads what a module says of itself (section .modinfo).
func needs(t *testing.T, path string) []string {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := f.Section(".modinfo").Data()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(b), "\x00") {
		if list, ok := strings.CutPrefix(line, "depends="); ok && list != "" {
			return strings.Split(list, ",")
		}
	}
	return nil
}

// save ends the archive.
func (m *image) save(path string) {
	m.t.Helper()
	m.write("TRAILER!!!", 0, nil)
	if err := os.WriteFile(path, m.b.Bytes(), 0o600); err != nil {
		m.t.Fatal(err)
	}
}
