package screen

import (
	"slices"
	"time"

	"lintas/agent/health"
	"lintas/agent/verdict"
)

// chip is the state of one part of the machine in an icon and a word.
type chip struct {
	Name  string         // scanner, hub, list, clock: also the name of its label
	Level string         // ok, info, warning, error: the icon's shape and colour
	Word  verdict.Text   // what it is
	Extra []verdict.Text // figures, which change too often to be read out
}

// sign is how a condition shows on a chip. Where several hold, the first in
// the chip's list counts.
type sign struct {
	code health.Code
	word string
}

// A condition that is in none of these still shows among the details.
var (
	scannerSigns = []sign{{health.ScannerStalled, "not-taken"}, {health.ScannerMissing, "not-connected"}, {health.ScannerDenied, "not-usable"}, {health.ScannerBusy, "in-use"}, {health.ScannerFailed, "not-usable"}, {health.ScannerLine, "misread"}, {health.ScannerCards, "misread"}, {health.ScannerDirty, "clean-glass"}, {health.ScannerNone, "not-configured"}}
	hubSigns     = []sign{{health.AckNotBelieved, "not-believed"}, {health.BrokerNone, "not-configured"}, {health.BrokerDown, "offline"}, {health.HubUnconfirmed, "unconfirmed"}, {health.AckKeysMissing, "unconfirmed"}}
	listSigns    = []sign{{health.ListUnreadable, "list-unreadable"}, {health.ListAbsent, "list-absent"}, {health.ListExpired, "list-expired"}, {health.ListStale, "list-old"}, {health.ListAgeing, "list-ageing"}}
	clockSigns   = []sign{{health.ClockUnsynced, "not-synchronised"}}
)

// chips says how the machine is. The board decides what is wrong, so that page,
// log and hub agree; link and list add figures and what the board does not
// show yet.
func chips(active []health.Active, link Link, list ListInfo, now time.Time) []chip {
	scanner := chipOf("scanner", "ready", scannerSigns, active)
	clock := chipOf("clock", "synchronised", clockSigns, active)

	hub := chipOf("hub", "connected", hubSigns, active)
	switch {
	case hub.Level != "ok":
	case !link.Connected: // not for long enough to be a condition
		hub.Level, hub.Word = "info", words["offline"]
	case link.Unconfirmed:
		hub.Level, hub.Word = "warning", words["unconfirmed"]
	}
	if link.Depth > 0 {
		hub.Extra = append(hub.Extra, fill("queued", link.Depth))
		if old := now.Sub(link.Oldest); !link.Oldest.IsZero() && old >= time.Minute {
			a := age(old)
			hub.Extra = append(hub.Extra, verdict.Text{ID: fill("oldest", a.ID).ID, EN: fill("oldest", a.EN).EN})
		}
	}

	lists := chipOf("list", "list-fresh", listSigns, active)
	if list.Present {
		lists.Extra = []verdict.Text{age(list.Age)}
	} else if lists.Level == "ok" {
		lists.Level, lists.Word = "warning", words["list-absent"]
	}
	return []chip{scanner, hub, lists, clock}
}

func chipOf(name, fine string, signs []sign, active []health.Active) chip {
	for _, s := range signs {
		i := slices.IndexFunc(active, func(a health.Active) bool { return a.Code == s.code })
		if i >= 0 {
			return chip{Name: name, Level: string(active[i].Severity), Word: words[s.word]}
		}
	}
	return chip{Name: name, Level: "ok", Word: words[fine]}
}

// chipLine is a chip in one language.
type chipLine struct{ Lang, Name, Word, Figures string }

// chip gives a chip's two lines in the order of the languages.
func (t tongue) chip(c chip) [2]chipLine {
	id := chipLine{Lang: "id", Name: words[c.Name].ID, Word: c.Word.ID}
	en := chipLine{Lang: "en", Name: words[c.Name].EN, Word: c.Word.EN}
	for _, x := range c.Extra {
		id.Figures += " · " + x.ID
		en.Figures += " · " + x.EN
	}
	if t == english {
		return [2]chipLine{en, id}
	}
	return [2]chipLine{id, en}
}
