package screen

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"lintas/agent/counter"
	"lintas/agent/verdict"
)

// decideWait bounds a decision; the browser waits a little longer.
const decideWait = 6 * time.Second

// problem tells the script which of the page's messages to show.
type problem struct {
	Code string `json:"code"`
}

// The problems, by the names of their messages in the catalogue of words.
const (
	problemUnanswered = "unanswered"   // whether it was recorded is not known
	problemDecided    = "decided"      // somebody was faster, or it was closed
	problemDirection  = "direction"    // departure or return must be chosen
	problemFixed      = "fixed"        // the counter's direction cannot be changed
	problemRecord     = "not-recorded" // nothing was recorded
	problemRequest    = "bad-request"  // a mistake of the page
	problemJourney    = "journey"      // what was typed is no journey
)

// decide hands the officer's decision to the desk. It goes on when the browser
// goes away: what the officer pressed counts.
func (s *Screen) decide(w http.ResponseWriter, r *http.Request) {
	if !form(w, r) {
		return
	}
	c := counter.Choice{
		Inspection: r.PostForm.Get("inspection"),
		Decision:   verdict.Decision(r.PostForm.Get("decision")),
		Direction:  verdict.Direction(r.PostForm.Get("direction")),
		Seen:       strings.FieldsFunc(r.PostForm.Get("seen"), func(c rune) bool { return c == ',' }),
	}
	if len(c.Seen) == 0 {
		c.Seen = nil
	}
	if c.Inspection == "" || !verdict.ValidDocuments(c.Seen) || !slices.Contains(verdict.Decisions(), c.Decision) || !valid(c.Direction) {
		answer(w, http.StatusBadRequest, problem{problemRequest})
		return
	}
	ctx, cancel := context.WithTimeout(s.ending, decideWait)
	defer cancel()
	switch err := s.o.Desk.Decide(ctx, c); {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	case errors.Is(err, counter.ErrDecided):
		answer(w, http.StatusConflict, problem{problemDecided})
	case errors.Is(err, counter.ErrDecision): // not in this direction
		answer(w, http.StatusBadRequest, problem{problemRequest})
	case errors.Is(err, counter.ErrDirection):
		answer(w, http.StatusUnprocessableEntity, problem{problemDirection})
	case ctx.Err() != nil:
		// The page gave up waiting; the desk may still record it.
		answer(w, http.StatusGatewayTimeout, problem{problemUnanswered})
	default:
		// Why is the desk's to say; its words may quote what it was given.
		s.o.Logger.Error("decision was not recorded", "decision", string(c.Decision))
		answer(w, http.StatusServiceUnavailable, problem{problemRecord})
	}
}

// confirm notes that the doubtful characters of a picture were compared with the
// document.
func (s *Screen) confirm(w http.ResponseWriter, r *http.Request) {
	if !form(w, r) {
		return
	}
	id := r.PostForm.Get("inspection")
	if id == "" {
		answer(w, http.StatusBadRequest, problem{problemRequest})
		return
	}
	ctx, cancel := context.WithTimeout(s.ending, decideWait)
	defer cancel()
	switch err := s.o.Desk.ConfirmReading(ctx, id); {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	case errors.Is(err, counter.ErrDecided):
		answer(w, http.StatusConflict, problem{problemDecided})
	case errors.Is(err, counter.ErrReading):
		answer(w, http.StatusBadRequest, problem{problemRequest})
	default:
		s.o.Logger.Error("reading was not confirmed")
		answer(w, http.StatusServiceUnavailable, problem{problemRecord})
	}
}

// direction chooses the direction of the travellers to come; empty: asked for
// each.
func (s *Screen) direction(w http.ResponseWriter, r *http.Request) {
	if !form(w, r) {
		return
	}
	d := verdict.Direction(r.PostForm.Get("direction"))
	if !r.PostForm.Has("direction") || !valid(d) {
		answer(w, http.StatusBadRequest, problem{problemRequest})
		return
	}
	ctx, cancel := context.WithTimeout(s.ending, decideWait)
	defer cancel()
	if err := s.o.Desk.SetDirection(ctx, d); err != nil {
		answer(w, http.StatusConflict, problem{problemFixed})
		return
	}
	s.o.Logger.Info("direction chosen on the page", "direction", string(d))
	w.WriteHeader(http.StatusNoContent)
}

// dismiss takes the notice away.
func (s *Screen) dismiss(w http.ResponseWriter, r *http.Request) {
	if !form(w, r) {
		return
	}
	s.o.Desk.Dismiss()
	w.WriteHeader(http.StatusNoContent)
}

// form reads a form from the body, where no address bar or log shows it.
func form(w http.ResponseWriter, r *http.Request) bool {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "application/x-www-form-urlencoded" || r.ParseForm() != nil {
		answer(w, http.StatusBadRequest, problem{problemRequest})
		return false
	}
	return true
}

func valid(d verdict.Direction) bool {
	return d == "" || d == verdict.Departure || d == verdict.Return
}
