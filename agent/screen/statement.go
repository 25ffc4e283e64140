package screen

import (
	"context"
	"errors"
	"net/http"

	"lintas/agent/counter"
	"lintas/agent/journey"
	"lintas/agent/verdict"
)

// state hands over what the officer was told about the traveller; the verdict
// that comes of it is in the next frame.
func (s *Screen) state(w http.ResponseWriter, r *http.Request) {
	if !form(w, r) {
		return
	}
	said := counter.Statement{
		Inspection: r.PostForm.Get("inspection"), Purpose: verdict.Purpose(r.PostForm.Get("purpose")),
		ReturnReason: verdict.ReturnReason(r.PostForm.Get("return_reason")),
	}
	if said.Inspection == "" || !said.Purpose.Valid() || !said.ReturnReason.Valid() {
		answer(w, http.StatusBadRequest, problem{problemRequest})
		return
	}
	ctx, cancel := context.WithTimeout(s.ending, decideWait)
	defer cancel()
	s.answer(w, ctx, s.o.Desk.State(ctx, said), "statement")
}

// journey chooses the journey of the travellers to come.
func (s *Screen) journey(w http.ResponseWriter, r *http.Request) {
	if !form(w, r) {
		return
	}
	if !r.PostForm.Has("journey") {
		answer(w, http.StatusBadRequest, problem{problemRequest})
		return
	}
	ctx, cancel := context.WithTimeout(s.ending, decideWait)
	defer cancel()
	s.answer(w, ctx, s.o.Desk.SetJourney(ctx, r.PostForm.Get("journey")), "journey")
}

// outcome takes what came of a traveller who was referred.
func (s *Screen) outcome(w http.ResponseWriter, r *http.Request) {
	if !form(w, r) {
		return
	}
	inspection, outcome := r.PostForm.Get("inspection"), r.PostForm.Get("outcome")
	if inspection == "" || outcome != counter.Positive && outcome != counter.Negative {
		answer(w, http.StatusBadRequest, problem{problemRequest})
		return
	}
	ctx, cancel := context.WithTimeout(s.ending, decideWait)
	defer cancel()
	s.answer(w, ctx, s.o.Desk.Outcome(ctx, inspection, outcome), "outcome")
}

// answer says how it went. What the desk says is not logged: it may quote what
// it was given.
func (s *Screen) answer(w http.ResponseWriter, ctx context.Context, err error, what string) {
	switch {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	case errors.Is(err, counter.ErrDecided):
		answer(w, http.StatusConflict, problem{problemDecided})
	case errors.Is(err, counter.ErrDecision):
		answer(w, http.StatusBadRequest, problem{problemRequest})
	case errors.Is(err, journey.ErrForm), errors.Is(err, journey.ErrPlace):
		answer(w, http.StatusUnprocessableEntity, problem{problemJourney})
	case ctx.Err() != nil:
		answer(w, http.StatusGatewayTimeout, problem{problemUnanswered})
	default:
		s.o.Logger.Error("what the page sent was not recorded", "what", what)
		answer(w, http.StatusServiceUnavailable, problem{problemRecord})
	}
}
