package config

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/pelletier/go-toml/v2/unstable"
)

// The kinds of values. Each makes a key of the table, with its own checks.

func text(name string, need bool, field func(place) *string, checks ...func(string) string) key {
	return define(name, need, readText, field, checks)
}

func duration(name string, field func(place) *time.Duration, checks ...func(time.Duration) string) key {
	return define(name, optional, readDuration, field, checks)
}

func number(name string, field func(place) *int, checks ...func(int) string) key {
	return define(name, optional, readNumber, field, checks)
}

func flag(name string, field func(place) *bool) key {
	return define(name, optional, readFlag, field, nil)
}

// path is a folder the counter uses.
func path(name string, field func(place) *string) key {
	return define(name, optional, readPath, field, nil)
}

// file names a file that holds what must not stand in the text.
func file(name string, need bool, field func(place) *string) key {
	var checks []func(string) string
	if need {
		checks = append(checks, notEmpty)
	}
	return define(name, need, readFile, field, checks)
}

// list takes a check that sees each value with its own line.
func list(name string, need bool, field func(place) *[]string, check func([]value) []complaint) key {
	k := define[[]string](name, need, nil, field, nil)
	k.set = func(p place, v value) []complaint {
		if v.kind != unstable.Array {
			return []complaint{{v.line, fmt.Sprintf(`write a list, like ["…", "…"], not %s`, v.kindName())}}
		}
		var wrong []complaint
		var texts []string
		for i, item := range v.items {
			text, bad := readText(p, item)
			if bad != "" {
				wrong = append(wrong, complaint{item.line, bad})
				v.items[i].kind = unstable.Invalid // no more is said about it
			}
			texts = append(texts, text)
		}
		wrong = append(wrong, check(v.items)...)
		if wrong == nil && len(texts) == 0 && need {
			wrong = []complaint{{v.line, "must not be empty"}}
		}
		if wrong == nil {
			*field(p) = texts
		}
		return wrong
	}
	return k
}

func readText(_ place, v value) (string, string) {
	if v.kind != unstable.String {
		return "", fmt.Sprintf("write a text in quotes, not %s", v.kindName())
	}
	if strings.ContainsFunc(v.text, unicode.IsControl) {
		return "", "must be one line without control characters"
	}
	return v.text, ""
}

func readFlag(_ place, v value) (bool, string) {
	if v.kind != unstable.Bool {
		return false, fmt.Sprintf("write true or false without quotes, not %s", v.kindName())
	}
	return v.text == "true", ""
}

func readNumber(_ place, v value) (int, string) {
	if v.kind != unstable.Integer {
		return 0, fmt.Sprintf("write a whole number without quotes, not %s", v.kindName())
	}
	n, err := strconv.ParseInt(v.text, 0, strconv.IntSize)
	if err != nil {
		return 0, "is not a number this machine can hold"
	}
	return int(n), ""
}

func readDuration(_ place, v value) (time.Duration, string) {
	const like = `like "30s", "10m", "1h30m" or "30d"`
	if v.kind != unstable.String {
		return 0, fmt.Sprintf("write a duration in quotes, %s, not %s", like, v.kindName())
	}
	d, ok := parseDuration(v.text)
	if !ok {
		return 0, fmt.Sprintf("%s is not a duration; write it %s", quote(v.text), like)
	}
	return d, ""
}

// parseDuration reads what time.ParseDuration does, and days in front of it: "30d",
// "1d12h".
func parseDuration(s string) (time.Duration, bool) {
	var days time.Duration
	if front, rest, ok := strings.Cut(s, "d"); ok {
		n, err := strconv.ParseUint(front, 10, 16)
		if err != nil {
			return 0, false
		}
		if days = time.Duration(n) * day; rest == "" {
			return days, true
		}
		if rest[0] < '0' || rest[0] > '9' {
			return 0, false
		}
		s = rest
	}
	d, err := time.ParseDuration(s)
	if err != nil || d > d+days {
		return 0, false
	}
	return d + days, true
}

func readPath(p place, v value) (string, string) {
	s, wrong := readText(p, v)
	switch {
	case wrong != "":
		return "", wrong
	case s == "":
		return "", notEmpty(s)
	case strings.HasPrefix(s, credentialPrefix):
		return "", "a folder cannot be a credential; write its path"
	}
	return p.absolute(s), ""
}

func readFile(p place, v value) (string, string) {
	if v.kind == unstable.String && isSecret(v.text) {
		return "", "this is the secret itself; put it into a file that only the service reads, and name that file here"
	}
	s, wrong := readText(p, v)
	if name, ok := strings.CutPrefix(s, credentialPrefix); ok && wrong == "" {
		if !credentialName.MatchString(name) || name == "." || name == ".." {
			return "", `write "credential:" and the credential's name, like "credential:broker.key"`
		}
		return p.credential(name), ""
	}
	if wrong != "" || s == "" {
		return "", wrong
	}
	return p.absolute(s), ""
}

// absolute gives a path as seen from the configuration file's folder.
func (p place) absolute(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(p.folder, path)
}

// kindName says what somebody wrote, for somebody who does not know TOML's names.
func (v value) kindName() string {
	switch v.kind {
	case unstable.String:
		return "a text"
	case unstable.Bool:
		return "true or false"
	case unstable.Integer, unstable.Float:
		return "a number"
	case unstable.Array:
		return "a list"
	case unstable.InlineTable:
		return "a table"
	}
	return "a date or time"
}
