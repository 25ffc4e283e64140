package screen

import (
	"strings"

	"lintas/agent/counter"
	"lintas/agent/verdict"
)

// How many lines stand beside the traveller.
const (
	waitingShown = 3
	historyShown = 14

	referredShown = 8
)

// lines are rows of the waiting line or the history, cut to what has room.
type lines struct {
	Rows []row
	All  int
}

// row is a line in words. Its document is masked by the desk already.
type row struct {
	counter.Line
	State verdict.Text // how safe it is
	Act   verdict.Text // what the officer did
	By    verdict.Text // who, if no officer did
}

func linesOf(all []counter.Line, most int) lines {
	l := lines{All: len(all)}
	for _, line := range all[:min(len(all), most)] {
		l.Rows = append(l.Rows, rowOf(line))
	}
	return l
}

func rowOf(l counter.Line) row {
	r := row{Line: l, State: words["saved"], Act: words["undecided"]}
	if l.Confirmed {
		r.State = words["confirmed"]
	}
	switch {
	case l.Crossing:
		r.Act = l.Direction.Word()
		r.Act.ID = strings.ToLower(r.Act.ID)
	case l.Decision != "":
		r.Act = l.Decision.Word()
	}
	switch l.DecidedBy {
	case "auto":
		r.By = words["by-auto"]
	case "agent":
		r.By = words["by-agent"]
	}
	return r
}

// Tick is the sign beside State.
func (r row) Tick() string {
	if r.Confirmed {
		return "✓✓"
	}
	return "✓"
}

// Hidden says how many lines had no room.
func (l lines) Hidden() (text verdict.Text) {
	if n := l.All - len(l.Rows); n > 0 {
		text = fill("more-hidden", n)
	}
	return text
}

// Last is the line on top, nil if there is none.
func (l lines) Last() *row {
	if len(l.Rows) == 0 {
		return nil
	}
	return &l.Rows[0]
}
