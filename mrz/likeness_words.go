package mrz

// A particle is a word between a name and that of the father, of which
// documents of one person differ in whether and how they write it.
type particle uint8

const (
	noParticle particle = iota
	sonOf
	daughterOf
	title // of a pilgrim; not part of the name by Doc 9303-3 §4.6, yet printed
)

// particles are those of Indonesia, Malaysia and Singapore in zone letters: a
// stroke vanishes there, so that A/L is AL.
var particles = map[string]particle{
	"BIN": sonOf, "B": sonOf, "AL": sonOf, "SO": sonOf,
	"BINTI": daughterOf, "BINTE": daughterOf, "BT": daughterOf, "BTE": daughterOf,
	"BTI": daughterOf, "AP": daughterOf, "DO": daughterOf,
	"HAJI": title, "HAJAH": title, "HJ": title,
}

func particleOf(part string) particle { return particles[part] }

// sameParticle reports whether two parts are one particle in two spellings.
func sameParticle(x, y string) bool {
	p := particleOf(x)
	return p != noParticle && p == particleOf(y)
}

// particleAt reports whether a part may be left out as a particle. The short
// ones are names too (DO, SO) and count between other parts only.
func particleAt(parts []part, i int) bool {
	return particleOf(parts[i].text) != noParticle &&
		(len(parts[i].text) > 2 || i > 0 && i < len(parts)-1)
}

// withoutParticles returns the parts that must not be left out.
func withoutParticles(parts []string) []string {
	var kept []string
	for i, text := range parts {
		if particleOf(text) == noParticle || len(text) < 3 && (i == 0 || i == len(parts)-1) {
			kept = append(kept, text)
		}
	}
	return kept
}

// spellingsOf lists parts that are one name, in short and in full: what
// Indonesian and Malaysian registers make of the Prophet's name, and of names
// that begin with "servant of".
var spellingsOf = [...][]string{
	{
		"MUHAMMAD", "MUHAMAD", "MUHAMMED", "MUHAMED", "MUHAMMAT", "MUCHAMAD", "MUCHAMMAD", "MUKHAMAD",
		"MOHAMMAD", "MOHAMAD", "MOHAMMED", "MOHAMED", "MOCHAMAD", "MOCHAMMAD", "MOKHAMAD", "MOEHAMMAD",
		"MAHAMMAD", "MOHD", "MUHD", "MOH", "MUH", "MOCH", "MUCH", "MOKH", "MHD", "MHMD", "MD",
	},
	{"ABDUL", "ABD", "ABDL", "ABDOEL"},
}

// nameGroup gives for each of those parts the number of its name, from 1.
var nameGroup = func() map[string]int {
	groups := make(map[string]int)
	for i, spellings := range spellingsOf {
		for _, s := range spellings {
			groups[s] = i + 1
		}
	}
	return groups
}()

// shortForms reports whether two parts are usual spellings of one name. The
// single M stands for Muhammad like any initial, and is not counted as more.
func shortForms(x, y string) bool {
	g := nameGroup[x]
	return g != 0 && g == nameGroup[y]
}
