package config

import (
	"fmt"
	"slices"
	"strings"
)

func isTable(name string) bool {
	return slices.ContainsFunc(keys, func(k key) bool { return k.table == name })
}

// meantTable says which table somebody may have meant.
func meantTable(name string) string {
	var names []string
	for _, k := range keys {
		if !slices.Contains(names, k.table) {
			names = append(names, k.table)
		}
	}
	if meant := nearest(name, names); meant != "" {
		return fmt.Sprintf("did you mean [%s]?", meant)
	}
	return "there are " + strings.Join(names, ", ")
}

// meantKey says which key somebody may have meant who wrote name below table.
func meantKey(table, name string) string {
	var here, elsewhere []string
	for _, k := range keys {
		switch {
		case k.table == table:
			here = append(here, k.name)
		case k.name == name:
			elsewhere = append(elsewhere, k.table)
		}
	}
	var say string
	if meant := nearest(name, here); meant != "" {
		say = fmt.Sprintf("did you mean %s?", meant)
	} else if len(elsewhere) > 0 {
		say = fmt.Sprintf("it belongs below [%s]", strings.Join(elsewhere, "] or ["))
	} else if len(here) > 0 {
		say = fmt.Sprintf("below [%s] stand %s", table, strings.Join(here, ", "))
	} else {
		say = "every key belongs below a table, like [counter]"
	}
	if soundsSecret(name) {
		if strings.HasSuffix(say, "?") {
			say += " No secret"
		} else {
			say += "; no secret"
		}
		say += " stands in this file: name a file or a credential"
	}
	return say
}

// soundsSecret reports whether a key seems to be for a secret.
func soundsSecret(name string) bool {
	name = strings.ToLower(name)
	if strings.HasSuffix(name, "_file") {
		return false
	}
	return name == "key" || slices.ContainsFunc([]string{"pass", "secret", "token", "private", "identity"}, func(word string) bool {
		return strings.Contains(name, word)
	})
}

// nearest finds the one of names that somebody meant who wrote wrong, or "". A name
// cut short counts ("ca", "cert_file"), one drawn out ("warning"), and a slip of the
// finger or two.
func nearest(wrong string, names []string) string {
	wrong = strings.ToLower(strings.ReplaceAll(wrong, "-", "_"))
	best, least := "", max(1, len(wrong)/3)+1 // one slip in three letters
	for _, name := range names {
		if name == "" || wrong == "" {
			continue
		}
		if shortened(wrong, name) || len(name) > 2 && strings.HasPrefix(wrong, name) {
			return name
		}
		if d := distance(wrong, name); d < least {
			best, least = name, d
		}
	}
	return best
}

// shortened reports whether each word of short begins a word of name, in order.
func shortened(short, name string) bool {
	if len(short) < 2 {
		return false
	}
	words := strings.Split(name, "_")
	for part := range strings.SplitSeq(short, "_") {
		i := slices.IndexFunc(words, func(w string) bool { return part != "" && strings.HasPrefix(w, part) })
		if i < 0 {
			return false
		}
		words = words[i+1:]
	}
	return true
}

// distance counts the letters to change, add, drop or swap with their neighbour to
// make b of a.
func distance(a, b string) int {
	const longest = 64
	if len(a) > longest || len(b) > longest {
		return longest
	}
	var before, last, row [longest + 1]int
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
