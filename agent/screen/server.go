package screen

import (
	"encoding/json"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
)

// policy lets the page use what this server itself serves and nothing else. No
// string becomes markup but through the script's one Trusted Types policy.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types lintas"

// maxBody is far above what a decision needs.
const maxBody = 4 << 10

// handler gives the routes behind what protects them.
func (s *Screen) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page)
	mux.HandleFunc("GET /events", s.events)
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /strip/{inspection}", s.strip)
	mux.HandleFunc("POST /decide", s.decide)
	mux.HandleFunc("POST /confirm", s.confirm)
	mux.HandleFunc("POST /direction", s.direction)
	mux.HandleFunc("POST /dismiss", s.dismiss)
	mux.HandleFunc("POST /state", s.state)
	mux.HandleFunc("POST /journey", s.journey)
	mux.HandleFunc("POST /outcome", s.outcome)
	for _, a := range served {
		mux.HandleFunc("GET /"+a.name, a.serve)
	}
	return s.guard(http.NewCrossOriginProtection().Handler(mux))
}

// guard sets the headers that every answer carries, refuses requests that a
// foreign name has led here (DNS rebinding), and keeps a panic's value, which
// may quote a document, out of the log.
func (s *Screen) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), display-capture=(), geolocation=(), hid=(), microphone=(), midi=(), payment=(), serial=(), usb=()")
		defer func() {
			if v := recover(); v == http.ErrAbortHandler {
				panic(v)
			} else if v != nil {
				s.o.Logger.Error("page request failed", "route", r.Pattern, "stack", string(debug.Stack()))
				http.Error(w, "internal error", http.StatusInternalServerError)
			}
		}()
		if !s.hosts[r.Host] {
			http.Error(w, "this page is served to the machine it runs on only", http.StatusForbidden)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

// allowedHosts are the names under which the page may be asked for.
func allowedHosts(a net.Addr) map[string]bool {
	port := strconv.Itoa(a.(*net.TCPAddr).Port)
	hosts := map[string]bool{a.String(): true}
	for _, host := range []string{"127.0.0.1", "localhost", "::1"} {
		hosts[net.JoinHostPort(host, port)] = true
	}
	if port == "80" { // a browser leaves it out
		hosts["127.0.0.1"], hosts["localhost"], hosts["[::1]"] = true, true, true
	}
	return hosts
}

func (s *Screen) page(w http.ResponseWriter, _ *http.Request) {
	b, err := s.look.whole(s.model())
	if err != nil {
		s.o.Logger.Error("cannot render the page")
		http.Error(w, "cannot render the page", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(b)
}

// strip serves the picture of the zone that is before the officer, out of memory
// and for as long as the inspection is open.
func (s *Screen) strip(w http.ResponseWriter, r *http.Request) {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		http.Error(w, "only this page may show it", http.StatusForbidden)
		return
	}
	v := s.o.Desk.View()
	in := v.Current
	if v.Fault != "" || in == nil || in.ID != r.PathValue("inspection") || in.Reading == nil || in.Reading.Strip == nil {
		http.Error(w, "there is no such picture any more", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "image/png")
	w.Write(in.Reading.Strip)
}

// liveness is what a monitor learns: codes, nothing about travellers.
type liveness struct {
	Status     string          `json:"status"` // ok, cannot-record, stalled
	Version    string          `json:"version"`
	Conditions []conditionCode `json:"conditions"`
}

type conditionCode struct {
	Code     string `json:"code"`
	Severity string `json:"severity"`
}

// healthz reads the loop's last frame and not the desk, so that it answers
// even when the desk does not.
func (s *Screen) healthz(w http.ResponseWriter, _ *http.Request) {
	f, _ := s.current()
	l, status := liveness{"ok", s.o.Version, []conditionCode{}}, http.StatusOK
	switch {
	case !s.believable(f):
		l.Status, status = "stalled", http.StatusServiceUnavailable
	case f.fault: // alive all the same
		l.Status = "cannot-record"
	}
	for _, a := range f.active {
		l.Conditions = append(l.Conditions, conditionCode{string(a.Code), string(a.Severity)})
	}
	answer(w, status, l)
}

// answer writes v as JSON.
func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}
